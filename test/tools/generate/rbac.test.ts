import test from 'ava'
import { kinds } from '../../../crds/kinds.ts'
import { rbac } from '../../../tools/generate/rbac.ts'

interface Role {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly rules: readonly {
    readonly apiGroups?: readonly string[]
    readonly resources?: readonly string[]
    readonly nonResourceURLs?: readonly string[]
    readonly verbs: readonly string[]
  }[]
}

function isRole(object: object): object is Role {
  return 'kind' in object && object.kind === 'ClusterRole'
}

const roles = new Map(
  rbac(kinds)
    .filter(isRole)
    .map(role => [role.metadata.name, role]),
)

function may(role: string, verb: string, group: string, resource: string): boolean {
  return allows(roles.get(role), verb, group, resource)
}

function allows(role: Role | undefined, verb: string, group: string, resource: string): boolean {
  const rules = role?.rules ?? []
  return rules.some(
    rule => rule.verbs.includes(verb) && rule.apiGroups?.includes(group) && rule.resources?.includes(resource),
  )
}

test('controllers may do with every kind what a controller does, and read Secrets and write Leases of their own namespace only', t => {
  for (const { group, plural, statusSubresource } of kinds) {
    for (const verb of ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']) {
      t.true(may('skystead-controllers', verb, group, plural), `${verb} ${plural}`)
    }
    t.is(may('skystead-controllers', 'patch', group, `${plural}/status`), statusSubresource !== false, plural)
    t.true(may('skystead-controllers', 'update', group, `${plural}/finalizers`), plural)
  }
  t.false(may('skystead-controllers', 'get', '', 'secrets'))
  const isOwn = (object: object): object is Role => 'kind' in object && object.kind === 'Role'
  const own = rbac(kinds).filter(isOwn)
  t.deepEqual(
    own.map(({ metadata }) => metadata),
    [{ name: 'skystead-controllers', namespace: 'skystead-system' }],
  )
  t.true(allows(own[0], 'get', '', 'secrets'))
  t.false(allows(own[0], 'list', '', 'secrets'))
  t.true(allows(own[0], 'create', '', 'configmaps'))
  t.true(allows(own[0], 'update', 'coordination.k8s.io', 'leases'))
  t.false(may('skystead-controllers', 'update', 'coordination.k8s.io', 'leases'), 'those of others are not theirs')
  t.true(may('skystead-controllers', 'create', 'events.k8s.io', 'events'))
})

test('operators may ask the controllers every question, and nobody else does by a role', t => {
  for (const [name, { rules }] of roles) {
    const urls = rules.flatMap(({ nonResourceURLs = [] }) => nonResourceURLs)
    t.is(urls.includes('/skystead/observed'), name === 'skystead-operator', name)
  }
  t.true(may('skystead-operator', 'list', 'coordination.k8s.io', 'leases'))
})

test('no role may do everything by a star', t => {
  t.false(JSON.stringify([...roles.values()]).includes('*'))
})

test('tenants edit their own kinds, see what they choose from, and touch nothing of the operators', t => {
  t.true(may('skystead-tenant-edit', 'create', 'compute.skystead.dev', 'virtualmachines'))
  t.true(may('skystead-tenant-view', 'get', 'network.skystead.dev', 'publicips'))
  t.false(may('skystead-tenant-view', 'create', 'network.skystead.dev', 'publicips'))
  t.true(may('skystead-catalogue-view', 'list', 'compute.skystead.dev', 'serviceofferings'))
  t.false(may('skystead-catalogue-view', 'list', 'infrastructure.skystead.dev', 'hosts'))
  for (const { group, plural, scope } of kinds) {
    t.is(may('skystead-tenant-edit', 'create', group, plural), scope === 'Namespaced', plural)
  }
})

test('the verbs that admission asks for are operators’ alone; the controllers leave disks behind as wished', t => {
  for (const verb of ['attest', 'place', 'release']) {
    const holdersOf = (group: string, plural: string) =>
      [...roles.keys()].filter(role => may(role, verb, group, plural))
    t.deepEqual(holdersOf('infrastructure.skystead.dev', 'hosts'), ['skystead-operator'], verb)
    const leaving = verb === 'release' ? ['skystead-controllers'] : []
    t.deepEqual(holdersOf('storage.skystead.dev', 'volumes'), [...leaving, 'skystead-operator'], verb)
  }
})
