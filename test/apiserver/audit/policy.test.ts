import test from 'ava'
import { AuditRules } from '../../../apiserver/audit/policy.ts'
import { readAuditPolicy } from '../../../apiserver/audit/read-policy.ts'
import type { Attributes } from '../../../apiserver/authorization/attributes.ts'

const alice = { name: 'alice', groups: ['system:authenticated', 'admins'] }

function rules(text: string): AuditRules {
  return new AuditRules(readAuditPolicy(`{apiVersion: audit.k8s.io/v1, kind: Policy, rules: ${text}}`))
}

function about(path: string, verb = 'get'): Attributes {
  const [group = '', namespace = '', plural = '', subresource = '', name = ''] = path.split(' ')
  const given = (part: string) => (part === '-' ? '' : part)
  return { verb, group: given(group), namespace: given(namespace), plural, subresource: given(subresource), name }
}

/** A rule, what it fits, and what it does not. */
const cases: readonly (readonly [rule: string, fits: readonly string[], not: readonly string[]])[] = [
  ['verbs: [get]', ['- shop pods'], []],
  ['verbs: [list]', [], ['- shop pods']],
  ['users: [alice]', ['- shop pods'], []],
  ['users: [bob]', [], ['- shop pods']],
  ['userGroups: [admins]', ['- shop pods'], []],
  ['userGroups: [others]', [], ['- shop pods']],
  ['namespaces: [shop]', ['- shop pods'], ['- other pods', '- - nodes']],
  [`namespaces: ['']`, ['- - nodes'], ['- shop pods']],
  [`resources: [{group: ''}]`, ['- shop pods', '- shop pods status'], ['apps shop deployments']],
  [`resources: [{group: apps, resources: [deployments]}]`, ['apps - deployments'], ['apps - deployments scale']],
  [`resources: [{resources: [pods/status]}]`, ['- shop pods status'], ['- shop pods', '- shop nodes status']],
  [`resources: [{resources: ['pods/*']}]`, ['- shop pods', '- shop pods log'], ['- shop nodes log']],
  [`resources: [{resources: ['*/scale']}]`, ['- shop things scale'], ['- shop things']],
  [`resources: [{resources: ['*']}]`, ['- shop things scale', '- shop things'], ['apps shop things']],
  [`resources: [{resources: [pods], resourceNames: [a]}]`, ['- shop pods - a'], ['- shop pods - b', '- shop pods']],
]

for (const [rule, fits, not] of cases) {
  test(`a rule with ${rule} is about what it names`, t => {
    const told = rules(`[{level: Metadata, ${rule}}]`)
    for (const each of fits) t.is(told.of(alice, () => about(each))?.level, 'Metadata', each)
    for (const each of not)
      t.is(
        told.of(alice, () => about(each)),
        undefined,
        each,
      )
  })
}

test('paths that are no resources are told apart from those that are', t => {
  const told = rules(`[{level: Metadata, nonResourceURLs: [/version, '/healthz*']}]`)
  const of = (path: string) => told.of(alice, () => ({ verb: 'get', path }))?.level
  t.deepEqual(['/version', '/healthz/ping', '/versions', '/'].map(of), ['Metadata', 'Metadata', undefined, undefined])
  t.is(
    told.of(alice, () => about('- shop pods')),
    undefined,
  )
  t.is(
    rules('[{level: Metadata, resources: [{}]}]').of(alice, () => ({ verb: 'get', path: '/api' })),
    undefined,
  )
})

test('the first rule that fits decides, and stages left out add up', t => {
  const policy = readAuditPolicy(`
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- {level: None, users: [bob]}
- {level: Request, verbs: [create], omitStages: [Panic], omitManagedFields: false}
- {level: Metadata}`)
  const told = new AuditRules(policy)
  const of = (name: string, verb: string) => told.of({ name, groups: [] }, () => about('- shop pods', verb))
  t.is(of('bob', 'create'), undefined)
  t.deepEqual(of('alice', 'create'), {
    level: 'Request',
    omitStages: new Set(['RequestReceived', 'Panic'] as const),
    omitManagedFields: false,
  })
  t.deepEqual(of('alice', 'get'), {
    level: 'Metadata',
    omitStages: new Set(['RequestReceived'] as const),
    omitManagedFields: true,
  })
})

const head = '{apiVersion: audit.k8s.io/v1, kind: Policy, '
const refused: readonly (readonly [policy: string, message: string])[] = [
  ['{', 'it is no YAML: Flow map must end with a } at line 1, column 2:'],
  ['[]', 'the policy must be an object'],
  ['{apiVersion: v1}', 'apiVersion must be audit.k8s.io/v1'],
  ['{apiVersion: audit.k8s.io/v1, kind: Pod}', 'kind must be Policy'],
  [`${head}rules: []}`, 'rules must hold at least one rule'],
  [`${head}rules: x}`, 'rules must be a list'],
  [`${head}rule: []}`, 'rule is unknown: known are apiVersion, kind, metadata, rules, omitStages, omitManagedFields'],
  [`${head}rules: [{level: All}]}`, 'rules[0].level must be one of None, Metadata, Request, RequestResponse'],
  [`${head}rules: [{level: None, users: bob}]}`, 'rules[0].users must be a list'],
  [`${head}rules: [{level: None, users: [1]}]}`, 'rules[0].users must hold strings only'],
  [
    `${head}rules: [{level: None, omitStages: [Later]}]}`,
    'rules[0].omitStages must hold only RequestReceived, ResponseStarted, ResponseComplete, Panic',
  ],
  [
    `${head}rules: [{level: None, resources: [{resourceNames: [a]}]}]}`,
    'rules[0].resources[0].resourceNames needs resources beside it',
  ],
  [
    `${head}rules: [{level: None, namespaces: [a], nonResourceURLs: [/x]}]}`,
    'rules[0].nonResourceURLs cannot stand beside resources or namespaces: write two rules',
  ],
  [
    `${head}rules: [{level: None, nonResourceURLs: ['/*/x']}]}`,
    `rules[0].nonResourceURLs must be '*', or begin with '/' and hold '*' only at the end: /*/x`,
  ],
  [`${head}omitManagedFields: 1, rules: [{level: None}]}`, 'omitManagedFields must be true or false'],
]

for (const [text, message] of refused) {
  test(`the policy ${text} is refused with what to mend`, t => {
    t.throws(() => readAuditPolicy(text), { message })
  })
}
