import test from 'ava'
import type { Capacity } from '../../crds/common.ts'
import type { Resource } from '../../crds/meta.ts'
import { fenceOf } from '../../reconcilers/infrastructure/fencing.ts'
import { hostReconciler } from '../../reconcilers/infrastructure/host.ts'
import { hostClusterReconciler } from '../../reconcilers/infrastructure/host-cluster.ts'
import { hostPodReconciler } from '../../reconcilers/infrastructure/host-pod.ts'
import { physicalNetworkReconciler } from '../../reconcilers/infrastructure/physical-network.ts'
import { primaryStorageReconciler } from '../../reconcilers/infrastructure/primary-storage.ts'
import { publicIPRangeReconciler } from '../../reconcilers/infrastructure/public-ip-range.ts'
import { zoneReconciler } from '../../reconcilers/infrastructure/zone.ts'
import type { PowerState } from '../../reconcilers/world.ts'
import { machineClaim, volumeClaim } from '../reconcilers/claim-builders.ts'
import { hostFacts } from '../reconcilers/fact-builders.ts'
import {
  cluster,
  host,
  physicalNetwork,
  pod,
  pool,
  publicRange,
  settings,
  store,
  zone,
} from '../reconcilers/infrastructure-builders.ts'
import { judge, judgeTeardown, reported, users } from '../reconcilers/judge.ts'
import { answering, noSignOfLife, notCalledYet, silent } from '../reconcilers/observed-tables.ts'
import { keyOf } from '../reconcilers/resource-builder.ts'
import { machine, sharedNetwork, volume } from '../reconcilers/tenant-builders.ts'
import { worldOf } from '../reconcilers/world-builder.ts'
import { cloud, gib, join } from './connected-cloud.ts'

const later = { metadata: { creationTimestamp: '2026-11-02T00:00:00Z' } }
const key = keyOf('Host', 'host-1')
const longAgo = silent('2026-11-02T11:00:00Z')
const pod2 = pod({ name: 'pod-2', cidr: '172.16.11.0/24', gateway: '172.16.11.1', systemIPRanges: [], ...later })
const cluster2 = cluster({ name: 'cluster-2', podName: 'pod-2' })
const far = host({ name: 'far', address: '172.16.11.101', clusterName: 'cluster-2' })

function amount(status: object, resource: Capacity['resource']): Capacity | undefined {
  return (status as { capacity?: readonly Capacity[] }).capacity?.find(each => each.resource === resource)
}

test('INF-020 a zone sums up its pods, its own pools and its image stores', t => {
  const world = cloud(host(), pool(), pod2, cluster2, far)
  join(
    world,
    pool({ name: 'wide', scope: 'Zone', clusterName: undefined, zoneName: 'zone-a', capacity: '1Ti' }),
    store(),
  )
  const status = reported(zoneReconciler, zone(), world)
  t.is(amount(status, 'Memory')?.total, '128Gi')
  t.is(amount(status, 'PrimaryStorage')?.total, '3Ti')
  t.is(amount(status, 'SecondaryStorage')?.total, '2Ti')
  t.is(amount(status, 'SystemIP')?.total, '51')
})

test('INF-132 INF-151 a pod sums up its clusters and their pools', t => {
  const world = cloud(host(), pool(), cluster({ name: 'cluster-2' }))
  join(
    world,
    host({ name: 'host-2', address: '172.16.10.102', clusterName: 'cluster-2' }),
    pool({ name: 'p2', clusterName: 'cluster-2' }),
  )
  const status = reported(hostPodReconciler, pod(), world)
  t.is(amount(status, 'Memory')?.total, '128Gi')
  t.is(amount(status, 'PrimaryStorage')?.total, '4Ti')
  t.deepEqual(users(hostPodReconciler, pod(), world), ['HostCluster cluster-1', 'HostCluster cluster-2'])
})

test('INF-024 NET-001 a Basic and an Advanced zone stand side by side', t => {
  const basic = physicalNetwork({ name: 'flat', zoneName: 'zone-b', ...later })
  const more = physicalNetwork({ name: 'fabric-2', ...later })
  const world = worldOf({
    objects: [
      zone(),
      zone({ name: 'zone-b', networkType: 'Basic', guestCIDR: undefined }),
      physicalNetwork(),
      basic,
      more,
    ],
  })
  for (const self of [physicalNetwork(), more, basic]) {
    t.like(judge(physicalNetworkReconciler, 'Valid', self, world), { is: 'satisfied' }, self.metadata.name)
  }
})

test('INF-078 NET-004 an Advanced zone has as many physical networks as it likes, a Basic zone one', t => {
  const second = physicalNetwork({ name: 'fabric-2', ...later })
  const of = (networkType: 'Basic' | 'Advanced') =>
    judge(
      physicalNetworkReconciler,
      'Valid',
      second,
      worldOf({ objects: [zone({ networkType }), physicalNetwork(), second] }),
    )
  t.like(of('Advanced'), { is: 'satisfied' })
  t.like(of('Basic'), { is: 'blocked', reason: 'ZoneIsBasic' })
})

test('HST-082 NET-029 a segment that is listed already is refused, overlapping or equal', t => {
  for (const segments of [
    ['100-199', '150'],
    ['100-199', '199-250'],
    ['7', '7-7'],
  ]) {
    const self = physicalNetwork({ segments })
    t.like(judge(physicalNetworkReconciler, 'Valid', self, worldOf({ objects: [zone(), self] })), {
      is: 'blocked',
      reason: 'SegmentsOverlap',
    })
  }
})

test('INF-115 HST-081 the list of segments is replaced as a whole: what is left out is gone', t => {
  const world = worldOf({ objects: [zone(), physicalNetwork({ segments: ['100-199', '300-399'] })] })
  const total = (segments: readonly string[]) => {
    const self = physicalNetwork({ segments })
    world.put(self)
    return amount(reported(physicalNetworkReconciler, self, world), 'GuestNetworkSegment')?.total
  }
  t.is(total(['100-199', '300-399']), '200')
  t.is(total(['300-349']), '50')
  t.is(total(['300-349', '4000']), '51')
})

test('INF-095 a physical network stays while a network is on it, and names it', t => {
  const world = worldOf({ objects: [zone(), physicalNetwork(), sharedNetwork()] })
  t.deepEqual(users(physicalNetworkReconciler, physicalNetwork(), world), ['SharedNetwork shared-1'])
  world.drop(sharedNetwork())
  t.deepEqual(users(physicalNetworkReconciler, physicalNetwork(), world), [])
})

test('INF-086 NET-015 a zone has more than one public range, with gateways and VLANs of their own', t => {
  const second = publicRange({
    name: 'public-2',
    cidr: '198.51.100.0/24',
    gateway: '198.51.100.1',
    addresses: ['198.51.100.10-198.51.100.99'],
    vlan: 501,
    ...later,
  })
  const world = worldOf({ objects: [zone(), publicRange(), second] })
  t.like(judge(publicIPRangeReconciler, 'Valid', second, world), { is: 'satisfied' })
  t.is(amount(reported(zoneReconciler, zone(), world), 'PublicIP')?.total, '190')
  const same = publicRange({ name: 'public-3', zoneName: 'zone-b', ...later })
  world.put(same)
  t.like(judge(publicIPRangeReconciler, 'Valid', same, world), { is: 'blocked', reason: 'AddressesTaken' })
})

test('INF-134 NET-016 a host has an address outside of what any pod of any zone reserves', t => {
  const elsewhere = pod({
    name: 'pod-b',
    zoneName: 'zone-b',
    cidr: '172.20.0.0/24',
    gateway: '172.20.0.1',
    systemIPRanges: [{ addresses: '172.20.0.10-172.20.0.20' }],
  })
  const of = (address: string) => {
    const self = host({ address })
    return judge(hostReconciler, 'Valid', self, worldOf({ objects: [zone(), pod(), elsewhere, cluster(), self] }))
  }
  t.like(of('172.20.0.20'), { is: 'blocked', reason: 'AddressReserved' })
  t.like(of('172.20.0.21'), { is: 'satisfied' })
})

test('INF-168 HST-016 a new host is called, then listed, then Connected', t => {
  const world = cloud(host())
  const states = [notCalledYet, { ...answering, listed: false }, answering]
  const said = states.map(state => {
    world.see({ endpoints: { [key]: state } })
    const { is, reason } = judge(hostReconciler, 'Connected', host(), world)
    return `${is} ${reason}`
  })
  t.deepEqual(said, ['unknown NotCalledYet', 'unknown InventoryNotRead', 'satisfied Connected'])
})

test('HST-109 a host that was silent for a while is Connected again as soon as it answers', t => {
  const world = cloud(host())
  world.see({ endpoints: { [key]: longAgo }, lives: { [key]: noSignOfLife } })
  t.like(judge(hostReconciler, 'Connected', host(), world), { is: 'waiting', reason: 'HostSilent' })
  t.like(judge(hostReconciler, 'LossContained', host(), world), { is: 'waiting', reason: 'NotFenced' })
  world.see({ endpoints: { [key]: answering } })
  t.like(judge(hostReconciler, 'Connected', host(), world), { is: 'satisfied', reason: 'Connected' })
  t.like(judge(hostReconciler, 'LossContained', host(), world), { is: 'satisfied', reason: 'Connected' })
})

test('HST-005 INF-163 cores, clock and memory are what the host says, not what anybody typed', t => {
  const world = cloud(host())
  world.see({
    hosts: { [key]: hostFacts({ cores: 96, clockMHz: 3100, memoryBytes: 768 * gib, hypervisorVersion: '9.9' }) },
  })
  t.like(reported(hostReconciler, host(), world), {
    cores: 96,
    clockMHz: 3100,
    memory: '768Gi',
    hypervisorVersion: '9.9',
  })
})

test('HST-045 a host with machines is kept and names them; without any it may go', t => {
  const claim = machineClaim(machine(), 'host-1')
  const world = cloud(host(), claim)
  const said = judgeTeardown(hostReconciler, 'Unclaimed', host(), world)
  t.is(said.is, 'waiting')
  t.regex(said.message, /web-1/)
  world.drop(claim)
  t.like(judgeTeardown(hostReconciler, 'Unclaimed', host(), world), { is: 'satisfied' })
})

test('HST-049 a host that is down and carries nothing may be removed', t => {
  const world = cloud(host())
  world.see({ endpoints: { [key]: longAgo } })
  t.like(judgeTeardown(hostReconciler, 'Unclaimed', host(), world), { is: 'satisfied' })
})

test('HST-048 the address of a removed host may be used again', t => {
  const again = host({ name: 'host-2', ...later })
  const world = cloud(host(), again)
  t.like(judge(hostReconciler, 'Valid', again, world), { is: 'blocked', reason: 'AddressTaken' })
  world.drop(host())
  t.like(judge(hostReconciler, 'Valid', again, world), { is: 'satisfied' })
})

test('HST-050 HST-051 with a host its memory and its local storage leave the cluster', t => {
  const local = pool({ name: 'local', scope: 'Host', clusterName: undefined, hostName: 'host-1', capacity: '1Ti' })
  const world = cloud(host(), local)
  const counted = () => {
    const status = reported(hostClusterReconciler, cluster(), world)
    return [amount(status, 'Memory')?.total, amount(status, 'PrimaryStorage')?.total]
  }
  t.deepEqual(counted(), ['64Gi', '1Ti'])
  world.drop(host())
  t.deepEqual(counted(), [undefined, undefined])
})

test('HST-062 INF-156 with another over-commit the total is counted anew at once, what is promised is not', t => {
  const world = cloud(host(), machineClaim(machine(), 'host-1', { memoryBytes: 16 * gib }))
  const memory = () => amount(reported(hostReconciler, host(), world), 'Memory')
  t.like(memory() ?? {}, { total: '64Gi', allocated: '16Gi' })
  world.put(cluster({ memoryOvercommitRatio: '1.5' }))
  t.like(memory() ?? {}, { total: '96Gi', allocated: '16Gi' })
})

test('INF-203 STO-041 the usable size of a pool is its real size times its factor: 100 GiB at 2.5', t => {
  const self = pool({ capacity: '100Gi', overcommitRatio: '2.5' })
  const world = cloud(host(), self, volumeClaim(volume(), 'primary-1', { sizeBytes: 30 * gib }))
  t.like(amount(reported(primaryStorageReconciler, self, world), 'PrimaryStorage') ?? {}, {
    total: '250Gi',
    allocated: '30Gi',
  })
})

const on: PowerState = { power: 'On', confirmed: true }
const off: PowerState = { power: 'Off', confirmed: true }

const levels = [
  { share: 0.74, reason: 'BelowThresholds' },
  { share: 0.75, reason: 'NearlyFull' },
  { share: 0.84, reason: 'NearlyFull' },
  { share: 0.85, reason: 'ThresholdPassed' },
]

for (const { share, reason } of levels) {
  test(`INF-159 HST-043 at ${share} of its memory a cluster says ${reason}`, t => {
    const world = cloud(host(), machineClaim(machine(), 'host-1', { memoryBytes: Math.ceil(64 * gib * share) }))
    t.is(judge(hostClusterReconciler, 'CapacityAvailable', cluster(), world).reason, reason)
  })

  test(`INF-159 STO-044 at ${share} of its promised space a pool says ${reason}`, t => {
    const world = cloud(host(), pool(), volumeClaim(volume(), 'primary-1', { sizeBytes: Math.ceil(2 ** 41 * share) }))
    t.is(judge(primaryStorageReconciler, 'CapacityAvailable', pool(), world).reason, reason)
  })
}

test('INF-159 HST-043 thresholds are Settings, for each resource its own', t => {
  const world = cloud(host(), machineClaim(machine(), 'host-1', { memoryBytes: 40 * gib }))
  const said = () => judge(hostClusterReconciler, 'CapacityAvailable', cluster(), world)
  t.is(said().reason, 'BelowThresholds')
  const { capacityThresholds } = settings().spec
  world.put(
    settings({ capacityThresholds: { ...capacityThresholds, memory: { notification: '0.5', disable: '0.6' } } }),
  )
  t.is(said().reason, 'ThresholdPassed')
  t.regex(said().message, /Memory/)
  t.notRegex(said().message, /CPU/)
})

test('INF-196 HST-106 a new host of a cluster has all pools of its reach to connect, and names those that are not', t => {
  const world = cloud(host(), pool(), pool({ name: 'other', clusterName: 'cluster-2' }))
  t.like(judge(hostReconciler, 'StoragesConnected', host(), world), { is: 'satisfied' })
  join(world, pool({ name: 'primary-2', url: 'sim://primary-2' }))
  world.see({ endpoints: { [keyOf('PrimaryStorage', 'primary-2')]: longAgo } })
  const said = judge(hostReconciler, 'StoragesConnected', host(), world)
  t.is(said.is, 'waiting')
  t.regex(said.message, /primary-2/)
})

test('HST-105 fencing needs a power controller: without one the operator’s word is asked for', t => {
  const without = host({ powerControl: undefined })
  const world = cloud(without)
  world.see({ endpoints: { [key]: longAgo }, lives: { [key]: noSignOfLife } })
  const fence = fenceOf('host-1', world)
  t.regex(
    fence.fenced ? '' : fence.why,
    /no spec.powerControl: bring it back, or switch it off and set its spec.lifecycle to Lost/,
  )
  world.put(host({ powerControl: undefined, lifecycle: 'Lost' }))
  t.deepEqual(fenceOf('host-1', world), { fenced: true, by: 'Attestation' })
})

test('VM-053 a host that is silent but powered on may run its machines: nothing is restarted', t => {
  const power = keyOf('PowerController', 'host-1')
  const world = cloud(host())
  world.see({
    endpoints: { [key]: longAgo, [power]: answering },
    powers: { [power]: on },
  })
  t.false(fenceOf('host-1', world).fenced)
  world.see({ powers: { [power]: off } })
  t.true(fenceOf('host-1', world).fenced)
})

const zoneWorld = cloud(
  host(),
  pool(),
  pool({ name: 'wide', scope: 'Zone', clusterName: undefined, zoneName: 'zone-a' }),
  store(),
  publicRange(),
)

const kept = [
  {
    title: 'STO-073 a zone',
    found: () => users(zoneReconciler, zone(), zoneWorld),
    expected: ['HostPod pod-1', 'SecondaryStorage secondary-1', 'PublicIPRange public-1', 'PrimaryStorage wide'],
  },
  {
    title: 'a pod',
    found: () => users(hostPodReconciler, pod(), zoneWorld),
    expected: ['HostCluster cluster-1'],
  },
  {
    title: 'a cluster',
    found: () => users(hostClusterReconciler, cluster(), zoneWorld),
    expected: ['Host host-1', 'PrimaryStorage primary-1'],
  },
]

for (const { title, found, expected } of kept) {
  test(`${title} stays while something is in it, and names it`, t => {
    t.deepEqual(found(), expected)
  })
}

test('INF-180 STO-010 a pool waits for the first host in its reach, of a cluster or of a zone', t => {
  const wide = pool({ scope: 'Zone', clusterName: undefined, zoneName: 'zone-a' })
  for (const self of [pool(), wide] as readonly Resource[]) {
    const world = cloud(self)
    t.like(judge(primaryStorageReconciler, 'Connected', self, world), { is: 'waiting', reason: 'NoHosts' })
    join(world, host())
    t.like(judge(primaryStorageReconciler, 'Connected', self, world), { is: 'satisfied' })
  }
})
