import { Allocation, type Holder } from '../../crds/infrastructure/allocation.ts'
import type { PhysicalNetwork } from '../../crds/infrastructure/physical-network.ts'
import { contains, parseNumberRange } from '../../crds/invariants/number-range.ts'
import { allocate, allocationName } from '../claims.ts'
import { remove } from '../effect.ts'
import { hostAt, zoneOfCluster } from '../infrastructure/topology.ts'
import { acting, blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import type { Wish, World } from '../world.ts'
import { freeValue, seekerOf } from './free-value.ts'
import { labelsOf, segmentClaim } from './network-plan.ts'

/** The highest VLAN id. */
const highestVLAN = 4094

/** A network that needs a segment of a physical network to itself. */
export interface SegmentWish {
  readonly holder: Holder
  readonly physical: Wish<typeof PhysicalNetwork>
  /** The VLAN id or VNI that an operator names; undefined: any free one. */
  readonly wished: number | undefined
  /** Those that its machines and its router are plugged into now: one of them is taken again where no claim is left. */
  readonly seen: () => readonly number[]
  /** Whether one is needed now. */
  readonly needed: boolean
  /** Whether one that is held may be given back: nothing is plugged into it. */
  readonly spare: boolean
}

/** Whether a network holds its VLAN id or VNI. One is unique on its physical network. */
export function judgeSegmentClaim(wish: SegmentWish, world: World): Verdict {
  const { holder, physical, wished, needed, spare } = wish
  const { isolation } = physical.spec
  const { name, uid } = physical.metadata
  if (isolation === 'None') {
    if (wished === undefined) return satisfied('NotNeeded')
    return blocked('NoSegments', `spec.vlan: physical network "${name}" has isolation None: remove the field`)
  }
  if (wished !== undefined && isolation === 'VLAN' && wished > highestVLAN) {
    return blocked('VLANOutOfRange', `spec.vlan: ${wished} is no VLAN id: choose one from 1 to ${highestVLAN}`)
  }
  const held = segmentClaim(holder.uid, world)
  if (held !== undefined && !needed && spare) return acting('Releasing', 'Giving back the segment', remove(held))
  if (held !== undefined) return satisfied('Allocated', held.spec.value)
  if (!needed) return satisfied('Idle', 'Nothing uses the network yet', { summary: true })
  const taker =
    wished === undefined ? undefined : world.desired.get(Allocation, allocationName('Segment', String(wished), uid))
  if (taker !== undefined) {
    const { kind, name: other } = taker.spec.holder
    return blocked('SegmentTaken', `spec.vlan: ${wished} is held by ${kind} "${other}" on physical network "${name}"`)
  }
  const value = wished ?? freeSegment(wish, world)
  if (value === undefined) {
    return waiting('SegmentsExhausted', `Physical network "${name}" has no free segment: add to its spec.segments`, {
      recheck: 60_000,
    })
  }
  const claim = { type: 'Segment', realm: uid, value: String(value), holder } as const
  return acting('Allocating', `Taking segment ${value}`, allocate(claim, world))
}

function freeSegment({ holder, physical, seen }: SegmentWish, world: World): number | undefined {
  const ranges = physical.spec.segments.map(parseNumberRange)
  const isTaken = (value: number) =>
    world.desired.exists(Allocation, allocationName('Segment', String(value), physical.metadata.uid))
  const known = seen().find(value => ranges.some(range => contains(range, value)) && !isTaken(value))
  return known ?? freeValue(ranges, seekerOf(holder), value => isTaken(value) || isPluggedInto(physical, value, world))
}

/**
 * Whether anybody is plugged into a segment on a host: a machine of a network whose claim was lost and that nobody has
 * described again yet, a leftover, a machine that is not ours. Whoever came in would share their traffic.
 */
function isPluggedInto(physical: Wish<typeof PhysicalNetwork>, value: number, world: World): boolean {
  const { isolation, zoneName } = physical.spec
  return world.observed.segmentUsers({ isolation, id: value }).some(({ endpoint, identity }) => {
    const host = hostAt(endpoint, world)
    const zone = host && zoneOfCluster(host.spec.clusterName, world)
    if (zone !== undefined && zone !== zoneName) return false
    const labels = new Set([...labelsOf(physical, 'Guest'), host?.spec.kvm?.guestBridge])
    return world.observed
      .machines(identity)
      .filter(seen => seen.endpoint === endpoint)
      .flatMap(({ facts }) => facts.definition.nics)
      .some(({ segment }) => segment.isolation === isolation && segment.id === value && labels.has(segment.label))
  })
}
