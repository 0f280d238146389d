import { PublicIPRange } from '../../crds/infrastructure/public-ip-range.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { addressToNumber, formatRange, networksOverlap, parseRange } from '../../crds/invariants/addresses.ts'
import { contains, type NumberRange, overlaps, parseNumberRange } from '../../crds/invariants/number-range.ts'
import { defineReconciler } from '../define-reconciler.ts'
import { blocked, satisfied, type Verdict } from '../verdict.ts'
import type { Wish, World } from '../world.ts'
import { capacityList, judgeCapacity } from './capacity.ts'
import { olderThan } from './host-pod.ts'
import { publicAddressesTaken, publicRangeCapacity } from './roll-ups.ts'
import { allPublicRanges, physicalNetworksByZone, podsByZone } from './topology.ts'
import { sharedNetworksInZone, unclaimed } from './users.ts'

type Range = Wish<typeof PublicIPRange>

function judgeValidity(self: Range, world: World): Verdict {
  const { gateway } = self.spec
  const around = addressesOf(self).find(range => contains(range, addressToNumber(gateway)))
  if (around !== undefined) {
    return blocked(
      'GatewayInRange',
      `spec.addresses: ${formatRange(around)} holds spec.gateway ${gateway}: leave it out`,
    )
  }
  return (
    judgeAmongRanges(self, olderThan(self, world.desired.list(allPublicRanges, 'all'))) ??
    judgeSubnet(self, world) ??
    judgeVLAN(self, world) ??
    satisfied('Valid')
  )
}

/** Of ranges that overlap the oldest holds, in whichever zone it is. */
function judgeAmongRanges(self: Range, older: readonly Range[]): Verdict | undefined {
  for (const other of older) {
    const shared = addressesOf(self).find(range => addressesOf(other).some(taken => overlaps(taken, range)))
    if (shared === undefined) continue
    const { name } = other.metadata
    return blocked(
      'AddressesTaken',
      `spec.addresses: ${formatRange(shared)} overlaps PublicIPRange "${name}" of zone "${other.spec.zoneName}": take other addresses`,
    )
  }
  return undefined
}

function judgeSubnet({ spec: { cidr, zoneName } }: Range, world: World): Verdict | undefined {
  const pod = world.desired.list(podsByZone, zoneName).find(({ spec }) => networksOverlap(spec.cidr, cidr))
  if (pod !== undefined) return overlap(cidr, `spec.cidr ${pod.spec.cidr} of HostPod "${pod.metadata.name}"`)
  const guestCIDR = world.desired.get(Zone, zoneName)?.spec.guestCIDR
  if (guestCIDR !== undefined && networksOverlap(guestCIDR, cidr)) {
    return overlap(cidr, `spec.guestCIDR ${guestCIDR} of Zone "${zoneName}"`)
  }
  const shared = world.desired.list(sharedNetworksInZone, zoneName).find(({ spec }) => networksOverlap(spec.cidr, cidr))
  return shared && overlap(cidr, `spec.cidr ${shared.spec.cidr} of SharedNetwork "${shared.metadata.name}"`)
}

function overlap(cidr: string, what: string): Verdict {
  return blocked('CIDROverlaps', `spec.cidr: ${cidr} overlaps ${what}: the public network needs a subnet of its own`)
}

/** On one physical network the VLANs of public and of guest traffic are apart. */
function judgeVLAN({ spec: { vlan, zoneName } }: Range, world: World): Verdict | undefined {
  if (vlan === undefined) return undefined
  for (const { metadata, spec } of world.desired.list(physicalNetworksByZone, zoneName)) {
    const carriesBoth = ['Public', 'Guest'].every(type => spec.traffic.some(traffic => traffic.type === type))
    if (spec.isolation !== 'VLAN' || !carriesBoth) continue
    const taken = spec.segments.find(segments => contains(parseNumberRange(segments), vlan))
    if (taken === undefined) continue
    return blocked(
      'VLANTaken',
      `spec.vlan: ${vlan} lies in spec.segments ${taken} of PhysicalNetwork "${metadata.name}": take one outside`,
    )
  }
  return undefined
}

function addressesOf({ spec }: Range): readonly NumberRange[] {
  return spec.addresses.map(parseRange)
}

/** Public ranges hold their addresses against each other and count them. They go when none is taken. */
export const publicIPRangeReconciler = defineReconciler(PublicIPRange, {
  references: ({ spec }) => [{ kind: Zone, name: spec.zoneName, field: 'spec.zoneName' }],
  phases: [
    { condition: 'Valid', judge: judgeValidity },
    {
      condition: 'CapacityAvailable',
      informational: true,
      judge: (self, world) => judgeCapacity(world.derived(publicRangeCapacity, self.metadata.name), world),
    },
  ],
  teardown: [unclaimed(publicAddressesTaken)],
  report: (status, self, world) => {
    status.capacity = capacityList(world.derived(publicRangeCapacity, self.metadata.name))
  },
})
