import test from 'ava'
import type { Resource } from '../../../crds/meta.ts'
import { hostPodReconciler } from '../../../reconcilers/infrastructure/host-pod.ts'
import { physicalNetworkReconciler } from '../../../reconcilers/infrastructure/physical-network.ts'
import { publicIPRangeReconciler } from '../../../reconcilers/infrastructure/public-ip-range.ts'
import { allocation, holder } from '../claim-builders.ts'
import { physicalNetwork, pod, publicRange, zone } from '../infrastructure-builders.ts'
import { judge, judgeTeardown, reported, users } from '../judge.ts'
import { network, networkOffering, publicIP, sharedNetwork } from '../tenant-builders.ts'
import { worldOf } from '../world-builder.ts'

const later = { metadata: { creationTimestamp: '2026-11-02T00:00:00Z' } }

const judgePod = (self: Resource, ...others: readonly Resource[]) =>
  judge(hostPodReconciler, 'Valid', self, worldOf({ objects: [zone(), self, ...others] }))

test('a pod alone is valid', t => {
  t.like(judgePod(pod()), { is: 'satisfied', reason: 'Valid' })
})

test('pods of one zone have subnets of their own; the younger is refused', t => {
  const younger = pod({ name: 'pod-2', cidr: '172.16.0.0/16', gateway: '172.16.0.1', systemIPRanges: [], ...later })
  t.like(judgePod(pod(), younger), { is: 'satisfied' })
  t.deepEqual(judgePod(younger, pod()), {
    is: 'blocked',
    reason: 'CIDROverlaps',
    message:
      'spec.cidr: 172.16.0.0/16 overlaps 172.16.10.0/24 of HostPod "pod-1": give each pod of a zone a subnet of its own',
  })
  const elsewhere = pod({ name: 'pod-2', zoneName: 'zone-b', cidr: '172.16.0.0/16', systemIPRanges: [], ...later })
  t.like(judgePod(elsewhere, pod()), { is: 'satisfied' })
})

test('INF-134 reserved addresses are unique over the whole cloud', t => {
  const elsewhere = pod({
    name: 'pod-2',
    zoneName: 'zone-b',
    systemIPRanges: [{ addresses: '172.16.10.60-172.16.10.90' }],
    ...later,
  })
  t.deepEqual(judgePod(elsewhere, pod()), {
    is: 'blocked',
    reason: 'AddressesReserved',
    message:
      'spec.systemIPRanges: 172.16.10.60-172.16.10.90 overlaps what HostPod "pod-1" reserves: take other addresses',
  })
})

test('a pod neither reserves its gateway nor an address twice', t => {
  const gateway = pod({ systemIPRanges: [{ addresses: '172.16.10.1-172.16.10.9' }] })
  t.like(judgePod(gateway), { is: 'blocked', reason: 'GatewayReserved' })
  const twice = pod({ systemIPRanges: [{ addresses: '172.16.10.10-172.16.10.20' }, { addresses: '172.16.10.20' }] })
  t.like(judgePod(twice), { is: 'blocked', reason: 'RangesOverlap' })
})

test('a pod counts its system addresses', t => {
  const self = pod()
  const world = worldOf({ objects: [self] })
  world.put(allocation({ type: 'SystemIP', realm: self.metadata.uid, value: '172.16.10.10', holder: holder(zone()) }))
  t.deepEqual(reported(hostPodReconciler, self, world) as unknown, {
    capacity: [{ resource: 'SystemIP', total: '51', allocated: '1', used: '1' }],
  })
})

const judgePhysical = (self: Resource, ...others: readonly Resource[]) =>
  judge(physicalNetworkReconciler, 'Valid', self, worldOf({ objects: [self, ...others] }))

test('HST-080 INF-114 segments may be several ranges, but none twice', t => {
  t.like(judgePhysical(physicalNetwork({ segments: ['100-199', '300', '400-499'] }), zone()), { is: 'satisfied' })
  t.deepEqual(judgePhysical(physicalNetwork({ segments: ['100-199', '300', '150-160'] }), zone()), {
    is: 'blocked',
    reason: 'SegmentsOverlap',
    message: 'spec.segments: 150-160 overlaps another range of the list: list each segment once',
  })
})

test('HST-079 INF-113 the same segments may be used on two physical networks', t => {
  t.like(judgePhysical(physicalNetwork({ name: 'fabric-2', ...later }), zone(), physicalNetwork()), { is: 'satisfied' })
})

test('INF-064 a Basic zone has exactly one physical network', t => {
  const basic = zone({ networkType: 'Basic', guestCIDR: undefined })
  t.like(judgePhysical(physicalNetwork(), basic), { is: 'satisfied' })
  t.like(judgePhysical(physicalNetwork({ name: 'fabric-2', ...later }), basic, physicalNetwork()), {
    is: 'blocked',
    reason: 'ZoneIsBasic',
  })
})

test('a physical network counts its segments, and stays while one is taken or a network names it', t => {
  const self = physicalNetwork({ segments: ['100-199', '300'] })
  const world = worldOf({ objects: [self] })
  t.like(judgeTeardown(physicalNetworkReconciler, 'Unclaimed', self, world), { is: 'satisfied' })
  world.put(allocation({ type: 'Segment', realm: self.metadata.uid, value: '300', holder: holder(network()) }))
  t.deepEqual(reported(physicalNetworkReconciler, self, world) as unknown, {
    capacity: [{ resource: 'GuestNetworkSegment', total: '101', allocated: '1', used: '1' }],
  })
  t.like(judgeTeardown(physicalNetworkReconciler, 'Unclaimed', self, world), {
    is: 'waiting',
    message: 'Cannot be deleted: used by Network shop/web',
  })
  world.put(sharedNetwork())
  t.deepEqual(users(physicalNetworkReconciler, self, world), ['SharedNetwork shared-1'])
})

for (const [what, physical] of [
  ['before it holds a segment', {}],
  ['where there are no segments', { isolation: 'None', segments: [] }],
] as const) {
  test(`a physical network stays for a network that has chosen it, ${what}`, t => {
    const self = physicalNetwork(physical)
    const judged = (...objects: readonly Resource[]) => {
      const world = worldOf({ objects: [zone(), self, networkOffering(), ...objects] })
      return judgeTeardown(physicalNetworkReconciler, 'Unused', self, world)
    }
    t.like(judged(network()), { is: 'waiting', message: 'Cannot be deleted: used by Network shop/web' })
    const older = physicalNetwork({ name: 'before', metadata: { creationTimestamp: '2026-10-01T00:00:00Z' } })
    t.like(judged(network(), older), { is: 'satisfied' }, 'the network is on another')
    t.like(judged(), { is: 'satisfied' })
  })
}

const judgeRange = (self: Resource, ...others: readonly Resource[]) =>
  judge(publicIPRangeReconciler, 'Valid', self, worldOf({ objects: [zone(), self, ...others] }))

test('INF-040 public ranges of different zones do not overlap; the younger is refused', t => {
  const younger = publicRange({
    name: 'public-2',
    zoneName: 'zone-b',
    addresses: ['192.0.2.10-192.0.2.20', '192.0.2.199-192.0.2.210'],
    ...later,
  })
  t.like(judgeRange(publicRange(), younger), { is: 'satisfied' })
  t.deepEqual(judgeRange(younger, publicRange()), {
    is: 'blocked',
    reason: 'AddressesTaken',
    message:
      'spec.addresses: 192.0.2.199-192.0.2.210 overlaps PublicIPRange "public-1" of zone "zone-a": take other addresses',
  })
  const beside = publicRange({ name: 'public-2', addresses: ['192.0.2.200-192.0.2.210'], ...later })
  t.like(judgeRange(beside, publicRange()), { is: 'satisfied' })
})

test('INF-089 the public network is another subnet than those of pods and guests', t => {
  const inPod = publicRange({ cidr: '172.16.0.0/16', gateway: '172.16.0.1', addresses: ['172.16.9.10'] })
  t.deepEqual(judgeRange(inPod, pod()), {
    is: 'blocked',
    reason: 'CIDROverlaps',
    message:
      'spec.cidr: 172.16.0.0/16 overlaps spec.cidr 172.16.10.0/24 of HostPod "pod-1": the public network needs a subnet of its own',
  })
  const inGuests = publicRange({ cidr: '10.1.1.0/26', gateway: '10.1.1.1', addresses: ['10.1.1.10'] })
  t.like(judgeRange(inGuests), { is: 'blocked', reason: 'CIDROverlaps' })
  const inShared = publicRange({ cidr: '10.20.0.0/24', gateway: '10.20.0.1', addresses: ['10.20.0.200'] })
  t.like(judgeRange(inShared), { is: 'satisfied' })
  t.like(judgeRange(inShared, sharedNetwork()), { is: 'blocked', reason: 'CIDROverlaps' })
})

test('INF-112 the VLAN of public traffic lies outside those of guests on the same physical network', t => {
  const vlans = physicalNetwork({ isolation: 'VLAN', segments: ['100-199'] })
  t.like(judgeRange(publicRange({ vlan: 150 }), vlans), { is: 'blocked', reason: 'VLANTaken' })
  t.like(judgeRange(publicRange({ vlan: 200 }), vlans), { is: 'satisfied' })
  const guests = physicalNetwork({ ...vlans.spec, traffic: [{ type: 'Guest', label: 'guest0', labels: [] }] })
  t.like(judgeRange(publicRange({ vlan: 150 }), guests), { is: 'satisfied' })
})

test('a public range does not give its gateway away', t => {
  t.like(judgeRange(publicRange({ gateway: '192.0.2.150' })), { is: 'blocked', reason: 'GatewayInRange' })
})

test('a public range counts its own addresses only, and stays while one is taken', t => {
  const self = publicRange({ addresses: ['192.0.2.100-192.0.2.199', '192.0.3.1-192.0.3.2'] })
  const world = worldOf({ objects: [self] })
  const take = (value: string) =>
    world.put(allocation({ type: 'PublicIP', realm: zone().metadata.uid, value, holder: holder(publicIP()) }))
  take('192.0.2.99')
  t.like(judgeTeardown(publicIPRangeReconciler, 'Unclaimed', self, world), { is: 'satisfied' })
  take('192.0.2.100')
  take('192.0.3.2')
  t.deepEqual(reported(publicIPRangeReconciler, self, world) as unknown, {
    capacity: [{ resource: 'PublicIP', total: '102', allocated: '2', used: '2' }],
  })
  t.like(judgeTeardown(publicIPRangeReconciler, 'Unclaimed', self, world), {
    is: 'waiting',
    message: 'Cannot be deleted: used by PublicIP shop/web-ip',
  })
})
