import test from 'ava'
import type { ResourceAttributes } from '../../../apiserver/authorization/attributes.ts'
import { allows, type PolicyRule, uncovered, writtenRule } from '../../../apiserver/authorization/policy-rule.ts'

const none = { verbs: [], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] }
const rule = (parts: Partial<PolicyRule>): PolicyRule => ({ ...none, ...parts })
const wish = (parts: Partial<ResourceAttributes> = {}): ResourceAttributes => ({
  verb: 'get',
  group: 'apps',
  plural: 'deployments',
  subresource: '',
  namespace: 'shop',
  name: 'web',
  ...parts,
})
const reading = rule({ verbs: ['get'], apiGroups: ['apps'], resources: ['deployments'] })

const cases: readonly (readonly [
  title: string,
  rule: PolicyRule,
  wish: Parameters<typeof allows>[1],
  allowed: boolean,
])[] = [
  ['verb, group and resource', reading, wish(), true],
  ['another verb', reading, wish({ verb: 'list' }), false],
  ['another group', reading, wish({ group: '' }), false],
  ['a subresource is another resource', reading, wish({ subresource: 'scale' }), false],
  ['a subresource of everything', rule({ ...reading, resources: ['*/scale'] }), wish({ subresource: 'scale' }), true],
  ['which is not the thing itself', rule({ ...reading, resources: ['*/scale'] }), wish(), false],
  ['stars', rule({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }), wish({ subresource: 'x', verb: 'y' }), true],
  ['its name', rule({ ...reading, resourceNames: ['web'] }), wish(), true],
  ['another name', rule({ ...reading, resourceNames: ['api'] }), wish(), false],
  ['no name', rule({ ...reading, resourceNames: ['web'] }), wish({ name: '' }), false],
  ['a path', rule({ verbs: ['get'], nonResourceURLs: ['/healthz'] }), { verb: 'get', path: '/healthz' }, true],
  ['a path below', rule({ verbs: ['get'], nonResourceURLs: ['/logs/*'] }), { verb: 'get', path: '/logs/a' }, true],
  ['a path beside', rule({ verbs: ['get'], nonResourceURLs: ['/logs/*'] }), { verb: 'get', path: '/log' }, false],
  [
    'resources are no paths',
    rule({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }),
    { verb: 'get', path: '/' },
    false,
  ],
]

for (const [title, one, attributes, allowed] of cases) {
  test(`a rule allows or not: ${title}`, t => t.is(allows(one, attributes), allowed))
}

test('what rules do not cover is told one by one', t => {
  const wished = rule({ verbs: ['get', 'list'], apiGroups: ['apps', ''], resources: ['deployments'] })
  t.deepEqual(uncovered([wished], [reading]).map(writtenRule), [
    { verbs: ['get'], apiGroups: [''], resources: ['deployments'] },
    { verbs: ['list'], apiGroups: ['apps'], resources: ['deployments'] },
    { verbs: ['list'], apiGroups: [''], resources: ['deployments'] },
  ])
  t.deepEqual(uncovered([wished], [rule({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] })]), [])
})

test('a rule for all is covered by one for all only', t => {
  const all = rule({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] })
  t.is(uncovered([all], [reading]).length, 1)
  t.is(uncovered([rule({ ...reading, verbs: ['*'] })], [reading]).length, 1)
  t.is(uncovered([reading], [rule({ ...reading, resourceNames: ['web'] })]).length, 1)
  t.deepEqual(uncovered([rule({ ...reading, resourceNames: ['web'] })], [reading]), [])
  t.is(
    uncovered(
      [rule({ verbs: ['get'], nonResourceURLs: ['/a/*'] })],
      [rule({ verbs: ['get'], nonResourceURLs: ['/a/b'] })],
    ).length,
    1,
  )
})
