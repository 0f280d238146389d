import test from 'ava'
import { VirtualRouter } from '../../../crds/infrastructure/virtual-router.ts'
import type { Resource } from '../../../crds/meta.ts'
import { hashOf } from '../../../reconcilers/identity.ts'
import { networkReconciler } from '../../../reconcilers/network/network.ts'
import { networkPlan } from '../../../reconcilers/network/network-plan.ts'
import { allocation, holder } from '../claim-builders.ts'
import { machineFacts } from '../fact-builders.ts'
import { physicalNetwork, publicRange, router, settings, zone } from '../infrastructure-builders.ts'
import { deepFreeze } from '../resource-builder.ts'
import { firewallRule, machine, network, networkOffering, publicIP } from '../tenant-builders.ts'
import { brief, created, host1, networkWorld, segmentClaim, served, verdictsOf, web } from './network-world.ts'

const l2 = networkOffering({ name: 'l2', guestType: 'L2', services: [] })
const readyRouter = router({
  name: routerNameOf(),
  status: { conditions: [{ type: 'Ready', status: 'True', reason: 'Ready', message: '', lastTransitionTime: '' }] },
})

function routerNameOf(): string {
  return `r-${hashOf(['shop', 'web']).slice(0, 8)}-web`
}

interface Case {
  readonly title: string
  readonly objects: readonly Resource[]
  readonly condition: string
  readonly expected: string
  readonly message?: RegExp
}

const owned = served().find(({ metadata }) => metadata.name === 'web-source-nat') ?? publicIP()

const cases: readonly Case[] = [
  {
    title: 'NET-050 NET-062 OFF-088 OFF-120 a network that nothing uses is a definition only: no segment is taken',
    objects: [network()],
    condition: 'SegmentAllocated',
    expected: 'satisfied Idle',
  },
  {
    title: 'NET-050 NET-062 and it has no source NAT address',
    objects: [network()],
    condition: 'SourceNATReady',
    expected: 'satisfied Idle',
  },
  { title: 'NET-062 and no router', objects: [network()], condition: 'RouterReady', expected: 'satisfied Idle' },
  {
    title: 'NET-028 NET-050 OFF-080 the first machine makes it take a segment',
    objects: [network(), machine()],
    condition: 'SegmentAllocated',
    expected: 'acting Allocating Create',
  },
  {
    title: 'NET-053 the first machine makes it take a source NAT address',
    objects: [network(), machine()],
    condition: 'SourceNATReady',
    expected: 'acting Creating Create',
  },
  {
    title: 'NET-052 the first machine makes its router',
    objects: [network(), machine()],
    condition: 'RouterReady',
    expected: 'acting Creating Create',
  },
  {
    title: 'NET-063 OFF-090 a persistent network is provisioned without any machine',
    objects: [network(), networkOffering({ persistent: true })],
    condition: 'RouterReady',
    expected: 'acting Creating Create',
  },
  {
    title: 'NET-063 NET-067 OFF-092 and has its segment at once',
    objects: [network(), networkOffering({ persistent: true })],
    condition: 'SegmentAllocated',
    expected: 'acting Allocating Create',
  },
  {
    title: 'a segment that is held stays',
    objects: served(),
    condition: 'SegmentAllocated',
    expected: 'satisfied Allocated',
  },
  {
    title: 'isolation None needs no segment',
    objects: [network(), machine(), physicalNetwork({ isolation: 'None', segments: [] })],
    condition: 'SegmentAllocated',
    expected: 'satisfied NotNeeded',
  },
  {
    title: 'isolation None has no segment to name',
    objects: [
      network({ vlan: 850 }),
      networkOffering({ specifyVLAN: true }),
      physicalNetwork({ isolation: 'None', segments: [] }),
    ],
    condition: 'SegmentAllocated',
    expected: 'blocked NoSegments',
    message: /^spec\.vlan/,
  },
  {
    title: 'NET-034 OFF-107 a segment that the operator names is taken at once and kept without machines',
    objects: [network({ vlan: 850 }), networkOffering({ specifyVLAN: true })],
    condition: 'SegmentAllocated',
    expected: 'acting Allocating Create',
  },
  {
    title: 'OFF-107 an offering without specifyVLAN refuses it',
    objects: [network({ vlan: 850 })],
    condition: 'SegmentAllocated',
    expected: 'blocked VLANNotOffered',
    message: /^spec\.vlan/,
  },
  {
    title: 'NET-035 a segment that another network holds is refused by its name',
    objects: [
      network({ vlan: 850 }),
      networkOffering({ specifyVLAN: true }),
      segmentClaim(network({ name: 'other' }), '850'),
    ],
    condition: 'SegmentAllocated',
    expected: 'blocked SegmentTaken',
    message: /Network "other"/,
  },
  {
    title: 'a VLAN id ends at 4094',
    objects: [
      network({ vlan: 4095 }),
      networkOffering({ specifyVLAN: true }),
      physicalNetwork({ isolation: 'VLAN', segments: ['100-200'] }),
    ],
    condition: 'SegmentAllocated',
    expected: 'blocked VLANOutOfRange',
    message: /1 to 4094/,
  },
  {
    title: 'NET-030 the same VLAN on another physical network is free',
    objects: [
      network({ vlan: 850 }),
      networkOffering({ specifyVLAN: true }),
      allocation({ type: 'Segment', realm: 'another', value: '850', holder: holder(network({ name: 'other' })) }),
    ],
    condition: 'SegmentAllocated',
    expected: 'acting Allocating Create',
  },
  {
    title: 'segments that are used up are waited for',
    objects: [
      network(),
      machine(),
      physicalNetwork({ segments: ['5000-5000'] }),
      segmentClaim(network({ name: 'other' }), '5000'),
    ],
    condition: 'SegmentAllocated',
    expected: 'waiting SegmentsExhausted',
  },
  {
    title: 'OFF-122 the physical network carries the tags of the offering',
    objects: [network(), machine(), networkOffering({ tags: ['fast'] })],
    condition: 'SegmentAllocated',
    expected: 'waiting NoPhysicalNetwork',
    message: /tags fast/,
  },
  {
    title: 'OFF-122 and is found by them',
    objects: [network(), machine(), networkOffering({ tags: ['fast'] }), physicalNetwork({ tags: ['slow', 'fast'] })],
    condition: 'SegmentAllocated',
    expected: 'acting Allocating Create',
  },
  {
    title: 'a zone without Guest traffic has no place for networks',
    objects: [network(), machine(), physicalNetwork({ traffic: [{ type: 'Public', label: 'p', labels: [] }] })],
    condition: 'SegmentAllocated',
    expected: 'waiting NoPhysicalNetwork',
  },
  {
    title: 'a missing offering is waited for',
    objects: [network({ networkOfferingName: 'none' })],
    condition: 'SegmentAllocated',
    expected: 'waiting OfferingNotFound',
  },
  {
    title: 'a guest network over a public range is refused',
    objects: [network({ cidr: '192.168.0.0/24' }), publicRange({ cidr: '192.168.0.0/16' })],
    condition: 'SegmentAllocated',
    expected: 'blocked CIDROverlaps',
    message: /^spec\.cidr: 192\.168\.0\.0\/24 overlaps PublicIPRange "public-1"/,
  },
  {
    title: 'a network that names no subnet in a zone without guestCIDR is asked for one',
    objects: [network({ cidr: undefined }), zone({ guestCIDR: undefined })],
    condition: 'SegmentAllocated',
    expected: 'blocked CIDRMissing',
    message: /^spec\.cidr is needed/,
  },
  {
    title: 'NET-045 an offering of guestType Shared makes no tenant network',
    objects: [network(), networkOffering({ guestType: 'Shared', services: [] })],
    condition: 'SegmentAllocated',
    expected: 'blocked WrongGuestType',
    message: /^spec\.networkOfferingName/,
  },
  {
    title: 'NET-049 an L2 network manages no addresses',
    objects: [network({ networkOfferingName: 'l2' }), l2],
    condition: 'SegmentAllocated',
    expected: 'blocked NoAddresses',
    message: /^spec\.cidr/,
  },
  {
    title: 'NET-049 an L2 network has no router',
    objects: [network({ networkOfferingName: 'l2', cidr: undefined }), l2, machine()],
    condition: 'RouterReady',
    expected: 'satisfied NotNeeded',
  },
  {
    title: 'NET-049 an L2 network has no source NAT address',
    objects: [network({ networkOfferingName: 'l2', cidr: undefined }), l2, machine()],
    condition: 'SourceNATReady',
    expected: 'satisfied NotNeeded',
  },
  {
    title: 'NET-024 an offering that is disabled makes no new network',
    objects: [network(), machine(), networkOffering({ allocationState: 'Disabled' })],
    condition: 'SegmentAllocated',
    expected: 'blocked OfferingDisabled',
    message: /^spec\.networkOfferingName/,
  },
  {
    title: 'NET-024 what exists with it stays',
    objects: [...served(), networkOffering({ allocationState: 'Disabled' })],
    condition: 'SegmentAllocated',
    expected: 'satisfied Allocated',
  },
  {
    title: 'a source NAT address that the network names is waited for',
    objects: [network({ sourceNATPublicIPName: 'mine' }), machine()],
    condition: 'SourceNATReady',
    expected: 'waiting PublicIPNotFound',
  },
  {
    title: 'another network keeps its address',
    objects: [network(), machine(), publicIP({ name: 'web-source-nat', networkName: 'other' })],
    condition: 'SourceNATReady',
    expected: 'blocked NameTaken',
  },
  {
    title: 'an address without a value is waited for',
    objects: [network(), machine(), publicIP({ name: 'web-source-nat' })],
    condition: 'SourceNATReady',
    expected: 'waiting AddressPending',
  },
  {
    title: 'NET-053 the address that is held',
    objects: served(),
    condition: 'SourceNATReady',
    expected: 'satisfied Held',
  },
  {
    title: 'a router that is not up is waited for',
    objects: [network(), machine(), router({ name: routerNameOf() })],
    condition: 'RouterReady',
    expected: 'waiting RouterNotReady',
  },
  {
    title: 'a router that is up serves',
    objects: [network(), machine(), readyRouter],
    condition: 'RouterReady',
    expected: 'satisfied Serving',
  },
  {
    title: 'a router of that name that serves another network is left alone',
    objects: [
      network(),
      machine(),
      router({ name: routerNameOf(), networkRef: { kind: 'Network', namespace: 'shop', name: 'other' } }),
    ],
    condition: 'RouterReady',
    expected: 'blocked NameTaken',
  },
  {
    title: 'OFF-089 a router that nothing needs goes',
    objects: [network(), readyRouter],
    condition: 'RouterReady',
    expected: 'acting Removing Delete',
  },
]

for (const { title, objects, condition, expected, message } of cases) {
  test(title, t => {
    const verdict = verdictsOf(networkReconciler, network(), networkWorld(objects))[condition]
    t.is(brief(verdict), expected)
    if (message !== undefined) t.regex(verdict?.message ?? '', message)
  })
}

test('a zone whose hosts cannot carry a router says so by the field that wants one, and makes none', t => {
  const world = networkWorld([network(), machine()], { capabilities: { capabilities: ['MachineDefine'] } })
  const verdicts = verdictsOf(networkReconciler, network(), world)
  for (const condition of ['SegmentAllocated', 'RouterReady']) {
    t.is(brief(verdicts[condition]), 'blocked NotSupportedYet')
    t.regex(verdicts[condition]?.message ?? '', /^NetworkOffering "isolated-source-nat" spec\.services\[\]\.provider/)
  }
})

test('SYS-049 the router of a network has one name, whoever asks for it', t => {
  const world = networkWorld([network(), machine()])
  const name = routerNameOf()
  t.deepEqual(created(verdictsOf(networkReconciler, network(), world).RouterReady), [name])
  const verdict = verdictsOf(networkReconciler, network(), world).RouterReady
  if (verdict?.is === 'acting') world.apply(verdict.effects)
  t.deepEqual(world.desired.get(VirtualRouter, name)?.spec.networkRef, {
    kind: 'Network',
    namespace: 'shop',
    name: 'web',
  })
  t.is(brief(verdictsOf(networkReconciler, network(), world).RouterReady), 'waiting RouterNotReady')
})

test('NET-028 NET-062 NET-069 OFF-089 the segment goes back networkIdleDelay (10m) after the last use, the router first', t => {
  const world = networkWorld([network(), readyRouter, segmentClaim(network(), '5001')])
  const judge = () => verdictsOf(networkReconciler, network(), world)
  t.is(brief(judge().IdleNoted), 'acting Noting Update')
  const noting = judge().IdleNoted
  if (noting?.is === 'acting') world.apply(noting.effects)
  t.is(brief(judge().IdleNoted), 'satisfied Noted')
  world.advance(599_000)
  t.is(brief(judge().RouterReady), 'satisfied Serving')
  t.is(brief(judge().SegmentAllocated), 'satisfied Allocated')
  world.advance(1_000)
  t.is(brief(judge().RouterReady), 'acting Removing Delete')
  t.is(brief(judge().SegmentAllocated), 'satisfied Allocated')
  world.drop(readyRouter)
  t.is(brief(judge().SegmentAllocated), 'acting Releasing Delete')
  world.drop(segmentClaim(network(), '5001'))
  t.is(brief(judge().SegmentAllocated), 'satisfied Idle')
})

test('OFF-089 Settings.networkIdleDelay says how long, and a use in between forgets it', t => {
  const idle = { ...segmentClaim(network(), '5001') }
  const claim = deepFreeze({ ...idle, spec: { ...idle.spec, notes: { idleSince: '2026-11-02T11:59:00Z' } } })
  const world = networkWorld([network(), claim, settings({ networkIdleDelay: '60s' })])
  const judge = () => verdictsOf(networkReconciler, network(), world)
  t.is(brief(judge().SegmentAllocated), 'acting Releasing Delete')
  world.put(machine())
  t.is(brief(judge().SegmentAllocated), 'satisfied Allocated')
  t.is(brief(judge().IdleNoted), 'acting Noting Update')
})

test('NET-055 the plan takes the subnet of the network, else of the zone; the gateway is its first address', t => {
  const plan = (changes: Parameters<typeof network>[0]) => networkWorld([network(changes)]).derived(networkPlan, web)
  t.like(plan({}), { cidr: '10.1.1.0/24', gateway: '10.1.1.1' })
  t.like(plan({ cidr: undefined }), { cidr: '10.1.1.0/24', gateway: '10.1.1.1' })
  t.like(plan({ cidr: '172.16.64.0/20' }), { cidr: '172.16.64.0/20', gateway: '172.16.64.1' })
  t.like(plan({ cidr: '10.9.0.0/29', gateway: '10.9.0.6' }), { gateway: '10.9.0.6' })
})

test("INF-033 NET-070 NET-212 the DNS suffix is the network's, else the zone's, else the one of Settings: cloud.internal", t => {
  const domain = (...objects: Parameters<typeof networkWorld>[0]) =>
    networkWorld(objects).derived(networkPlan, web)?.domain
  t.is(domain(network({ networkDomain: 'web.example.org' })), 'web.example.org')
  t.is(domain(network()), 'zone-a.cloud.internal')
  t.is(domain(network(), zone({ networkDomain: undefined })), 'cloud.internal')
  t.is(domain(network(), zone({ networkDomain: undefined }), settings({ networkDomain: 'lab' })), 'lab')
})

test('a segment named by the operator is plugged in only once it is held', t => {
  const world = networkWorld([network({ vlan: 850 }), networkOffering({ specifyVLAN: true })])
  t.is(world.derived(networkPlan, web)?.segment, undefined)
  world.put(segmentClaim(network(), '850'))
  t.is(world.derived(networkPlan, web)?.segment, 850)
})

test('a network goes after its users, then its children, then its segment', t => {
  const rule = firewallRule()
  const world = networkWorld([...served(), rule])
  const judge = () => verdictsOf(networkReconciler, network(), world, 'teardown')
  t.is(brief(judge().Unused), 'waiting InUse')
  t.regex(judge().Unused?.message ?? '', /VirtualMachine web-1, PublicIP web-ip, FirewallRule web-out$/)
  world.drop(machine(), publicIP(), rule)
  t.is(brief(judge().Unused), 'satisfied Unused')
  t.is(brief(judge().RouterReady), 'acting Removing Delete Delete')
  world.drop(router(), owned)
  t.is(brief(judge().RouterReady), 'satisfied Removed')
  t.is(brief(judge().SegmentAllocated), 'acting Returning Delete')
  world.drop(segmentClaim(network(), '5001'))
  t.is(brief(judge().SegmentAllocated), 'satisfied Returned')
})

/** A machine that is seen on a host, plugged into a segment there. */
function plugged(object: Resource, id: number, label = 'guest0') {
  const nic = {
    name: 'web',
    macAddress: '02:00:00:00:00:01',
    segment: { network: 'before', isolation: 'VXLAN', id, label } as const,
    addresses: [],
  }
  const facts = machineFacts(object)
  return { endpoint: host1, facts: { ...facts, definition: { ...facts.definition, nics: [nic] } } }
}

/** The segment that the network would take. */
function chosen(world: ReturnType<typeof networkWorld>): string | undefined {
  return /segment (?<id>\d+)/.exec(verdictsOf(networkReconciler, network(), world).SegmentAllocated?.message ?? '')
    ?.groups?.id
}

test('a segment into which somebody is plugged is not given to another network, whoever it is; on other switches it is another', t => {
  const world = networkWorld([network(), machine(), machine({ name: 'stranger', nics: [] })])
  const first = chosen(world)
  t.truthy(first)
  const stranger = machine({ name: 'stranger', nics: [] })
  world.see({ machines: [plugged(stranger, Number(first), 'another')] })
  t.is(chosen(world), first)
  world.see({ machines: [plugged(stranger, Number(first))] })
  t.truthy(chosen(world))
  t.not(chosen(world), first)
  world.see({ machines: [plugged(machine(), Number(first))] })
  t.is(chosen(world), first, 'its own machine is plugged into it')
})

test('a network that is deleted in use takes the segment of its machines again where its claim was lost', t => {
  const going = network({ metadata: { deletionTimestamp: '2026-11-02T11:59:00Z' } })
  const world = networkWorld([going, machine()])
  const judge = () => verdictsOf(networkReconciler, going, world, 'teardown')
  t.is(brief(judge().SegmentAllocated), 'satisfied Idle', 'no machine is plugged in')
  world.see({ machines: [plugged(machine(), 5_003)] })
  t.is(brief(judge().SegmentAllocated), 'acting Allocating Create')
  t.is(judge().SegmentAllocated?.message, 'Taking segment 5003')
  world.put(segmentClaim(network(), '5003'))
  t.is(brief(judge().SegmentAllocated), 'satisfied Allocated')
  t.is(brief(judge().Unused), 'waiting InUse')
})
