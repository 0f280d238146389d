import test from 'ava'
import type { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import type { Resource } from '../../crds/meta.ts'
import { dhcpEntries, planNIC } from '../../reconcilers/network/machine-nics.ts'
import { guestSegmentOn, networkKey, networkPlan, trafficOn } from '../../reconcilers/network/network-plan.ts'
import { publicTemplateReconciler } from '../../reconcilers/offerings/public-template.ts'
import { imageIdentity, plannedCopies } from '../../reconcilers/offerings/template-copies.ts'
import type { Wish } from '../../reconcilers/world.ts'
import { cluster, host, physicalNetwork, pod, settings, store, zone } from '../reconcilers/infrastructure-builders.ts'
import { judge, reported } from '../reconcilers/judge.ts'
import { silent } from '../reconcilers/observed-tables.ts'
import { keyOf } from '../reconcilers/resource-builder.ts'
import { machine, network, networkOffering, offering, sharedNetwork, template } from '../reconcilers/tenant-builders.ts'
import type { TestWorld } from '../reconcilers/world-builder.ts'
import { cloud, join } from './connected-cloud.ts'

const web = networkKey('Network', 'web', 'shop')
const shared = networkOffering({
  name: 'shared',
  guestType: 'Shared',
  services: [{ name: 'DHCP', provider: 'VirtualRouter' }],
})
const nic = (name: string, networkName: string) => ({ name, networkName, secondaryIPs: [], securityGroupNames: [] })
const sharedNIC = { name: 'shared', sharedNetworkName: 'shared-1', secondaryIPs: [], securityGroupNames: [] }

const traffic = (type: 'Guest' | 'Public' | 'Management' | 'Storage', label: string) => ({ type, label, labels: [] })

function withNetwork(...objects: readonly Resource[]): TestWorld {
  return cloud(host(), physicalNetwork(), networkOffering(), network(), offering(), template(), ...objects)
}

/** What is planned in one pass is remembered for its length. */
function nextPass(world: TestWorld): TestWorld {
  return { ...world }
}

/** What the API would do with the Allocations that the NICs ask for. */
function allocateFor(world: TestWorld, self: Wish<typeof VirtualMachine>): void {
  for (const each of self.spec.nics) {
    const { address } = planNIC(self, each, world)
    if (address.is === 'acting') world.apply(address.effects)
  }
}

test('INF-033 guests are in the domain of the zone, without one in that of Settings, by default cloud.internal', t => {
  const world = withNetwork()
  const domain = () => world.derived(networkPlan, web)?.domain
  t.is(domain(), 'zone-a.cloud.internal')
  world.put(zone({ networkDomain: undefined }))
  t.is(domain(), 'cloud.internal')
  world.put(settings({ networkDomain: 'example.org' }))
  t.is(domain(), 'example.org')
  world.put(network({ networkDomain: 'web.example.org' }))
  t.is(domain(), 'web.example.org')
})

test('INF-035 a network without a CIDR of its own has that of its zone; a shared network always its own', t => {
  const world = withNetwork(zone({ guestCIDR: '10.9.0.0/16' }), shared, sharedNetwork(), network({ cidr: undefined }))
  t.like(world.derived(networkPlan, web) ?? {}, { cidr: '10.9.0.0/16', gateway: '10.9.0.1' })
  t.like(world.derived(networkPlan, networkKey('SharedNetwork', 'shared-1')) ?? {}, {
    cidr: '10.20.0.0/24',
    gateway: '10.20.0.1',
  })
})

test('INF-027 NET-211 guests are given the public name servers of their zone', t => {
  const world = withNetwork(zone({ publicDNS: ['192.0.2.53', '192.0.2.54'], internalDNS: ['172.16.0.53'] }))
  t.deepEqual(world.derived(networkPlan, web)?.dns, ['192.0.2.53', '192.0.2.54'])
})

test('INF-057 NET-006 a kind of traffic has the label of the host’s hypervisor, and otherwise the common one', t => {
  const labels = [{ hypervisor: 'KVM' as const, label: 'cloudbr0' }]
  const world = withNetwork(
    physicalNetwork({ isolation: 'None', segments: [], traffic: [{ ...traffic('Guest', 'guest0'), labels }] }),
  )
  const label = () => {
    const plan = world.derived(networkPlan, web)
    return plan && guestSegmentOn(plan, 'host-1', world)?.label
  }
  t.is(label(), 'guest0')
  world.put(cluster({ hypervisor: 'KVM' }), host({ simulator: undefined }))
  t.is(label(), 'cloudbr0')
})

test('INF-102 kinds of traffic may be on one physical network or on several: each is found where it is', t => {
  const world = withNetwork(
    physicalNetwork({ traffic: [traffic('Guest', 'guest0')] }),
    physicalNetwork({
      name: 'edge',
      traffic: [traffic('Public', 'public9'), traffic('Management', 'mgmt9')],
      segments: [],
    }),
  )
  t.is(world.derived(networkPlan, web)?.physicalNetworkName, 'fabric')
  t.is(trafficOn('zone-a', 'host-1', 'Public', world)?.label, 'public9')
  t.is(trafficOn('zone-a', 'host-1', 'Management', world)?.label, 'mgmt9')
  t.is(trafficOn('zone-a', 'host-1', 'Storage', world), undefined)
})

test('OFF-122 the tags of the offering choose the physical network that carries all of them', t => {
  const world = withNetwork(
    physicalNetwork({ tags: ['slow'] }),
    physicalNetwork({ name: 'fast', tags: ['dmz', 'fast'], metadata: { creationTimestamp: '2026-11-02T00:00:00Z' } }),
  )
  const chosen = (...tags: readonly string[]) => {
    world.put(networkOffering({ tags }))
    return world.derived(networkPlan, web)?.physicalNetworkName
  }
  t.is(chosen(), 'fabric')
  t.is(chosen('fast'), 'fast')
  t.is(chosen('fast', 'dmz'), 'fast')
  t.is(chosen('fast', 'slow'), undefined)
})

test('OFF-079 NET-044 an isolated network serves machines of its own namespace only', t => {
  const stranger = machine({ name: 'spy', namespace: 'rival' })
  const world = withNetwork(machine(), stranger)
  const own = planNIC(machine(), nic('web', 'web'), world)
  t.is(own.address.is, 'acting')
  t.like(planNIC(stranger, nic('web', 'web'), world).address, { is: 'waiting', reason: 'NetworkNotFound' })
})

test('OFF-082 a shared network carries machines of several tenants, each with an address of its own', t => {
  const one = machine({ nics: [sharedNIC] })
  const other = machine({ namespace: 'rival', nics: [sharedNIC] })
  const world = withNetwork(shared, sharedNetwork(), one, other)
  for (const self of [one, other]) allocateFor(world, self)
  const addresses = [one, other].flatMap(self => planNIC(self, sharedNIC, nextPass(world)).addresses)
  t.is(new Set(addresses).size, 2)
  for (const address of addresses) t.regex(address, /^10\.20\.0\.([1-9]\d)$/)
})

test('OFF-071 NET-071 VM-009 a machine has one default network, the first, and its other NICs have no default route', t => {
  const self = machine({ nics: [nic('web', 'web'), nic('back', 'back')] })
  const world = withNetwork(network({ name: 'back', cidr: '10.2.0.0/24' }), self)
  allocateFor(world, self)
  const routes = (changes: Parameters<typeof machine>[0] = {}) => {
    world.put(machine({ ...changes, nics: self.spec.nics }))
    return world.derived(dhcpEntries, 'shop/web-1').map(entry => [entry.nic, entry.defaultRoute])
  }
  t.deepEqual(routes(), [
    ['web', true],
    ['back', false],
  ])
  t.deepEqual(routes({ defaultNICName: 'back' }), [
    ['web', false],
    ['back', true],
  ])
})

test('NET-081 NICs of a machine are in different subnets; the mend is named', t => {
  const self = machine({ nics: [nic('web', 'web'), nic('back', 'back')] })
  const world = withNetwork(network({ name: 'back', cidr: '10.1.0.0/16' }), self)
  const { address } = planNIC(self, nic('back', 'back'), world)
  t.like(address, { is: 'blocked', reason: 'SubnetsOverlap' })
  t.regex(address.message, /choose different subnets/)
})

const second = keyOf('SecondaryStorage', 'secondary-2')
const first = keyOf('SecondaryStorage', 'secondary-1')

function image(endpoint: typeof first, sizeBytes = 2 ** 30) {
  const url = 'sim://images/tiny-linux'
  const mark = { installation: 'installation-1', kind: 'PublicTemplate', name: 'tiny-linux' }
  const storeURL = endpoint === first ? 'sim://secondary-1' : 'sim://secondary-2'
  return { endpoint, facts: { identity: imageIdentity(mark.name, storeURL, url), mark, url, sizeBytes } }
}

test('INF-219 INF-235 STO-062 STO-064 an image store may join a zone at any time: it gets its copy as well', t => {
  const world = cloud(host(), store(), template())
  const stores = () => plannedCopies(template(), world).map(({ storeName }) => storeName)
  t.deepEqual(stores(), ['secondary-1'])
  join(world, store({ name: 'secondary-2', url: 'sim://secondary-2' }))
  t.deepEqual(stores(), ['secondary-1', 'secondary-2'])
})

test('TPL-020 a zone that joins later gets its copy too', t => {
  const world = cloud(host(), store(), template())
  world.see({ images: [image(first)] })
  t.like(judge(publicTemplateReconciler, 'Downloaded', template(), world), { is: 'satisfied', reason: 'Downloaded' })
  join(
    world,
    zone({ name: 'zone-b' }),
    pod({ name: 'pod-b', zoneName: 'zone-b' }),
    cluster({ name: 'cluster-b', podName: 'pod-b' }),
    store({ name: 'secondary-2', zoneName: 'zone-b', url: 'sim://secondary-2' }),
  )
  t.like(judge(publicTemplateReconciler, 'Downloaded', template(), world), { is: 'acting', reason: 'Downloading' })
})

test('TPL-032 TPL-015 each zone’s copy has a state of its own, in steps of 5 %', t => {
  const world = cloud(host(), store(), template())
  join(
    world,
    zone({ name: 'zone-b' }),
    pod({ name: 'pod-b', zoneName: 'zone-b' }),
    cluster({ name: 'cluster-b', podName: 'pod-b' }),
    store({ name: 'secondary-2', zoneName: 'zone-b', url: 'sim://secondary-2' }),
  )
  const { identity } = image(second).facts
  world.see({
    images: [image(first)],
    jobs: [{ endpoint: second, facts: { operationId: 'o', targets: [identity], progressPercent: 43 } }],
  })
  t.deepEqual(reported(publicTemplateReconciler, template(), world) as unknown, {
    zones: [
      { zoneName: 'zone-a', progressPercent: 100, size: '1Gi' },
      { zoneName: 'zone-b', progressPercent: 40 },
    ],
  })
})

test('TPL-023 a copy that is lost begins again at 0, not where it was', t => {
  const world = cloud(host(), store(), template())
  const progress = () =>
    (reported(publicTemplateReconciler, template(), world) as { zones?: readonly { progressPercent: number }[] })
      .zones?.[0]?.progressPercent
  world.see({ images: [image(first)] })
  t.is(progress(), 100)
  world.see({ images: [] })
  t.is(progress(), 0)
  t.like(judge(publicTemplateReconciler, 'Downloaded', template(), world), { is: 'acting' })
})

test('TPL-017 a copy that is there is never fetched again', t => {
  const world = cloud(host(), store(), template())
  world.see({ images: [image(first)] })
  t.is(judge(publicTemplateReconciler, 'Downloaded', template(), world).is, 'satisfied')
  world.see({ endpoints: { [first]: silent('2026-11-02T11:00:00Z') } })
  t.not(judge(publicTemplateReconciler, 'Downloaded', template(), world).is, 'acting')
})

test('TPL-024 as many templates as one likes: each has its copies', t => {
  const templates = Array.from({ length: 400 }, (_, index) => template({ name: `t-${index}` }))
  const world = cloud(host(), store(), ...templates)
  t.true(templates.every(self => plannedCopies(self, world).length === 1))
})
