import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { PhysicalNetwork } from '../../crds/infrastructure/physical-network.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { overlaps, parseNumberRange } from '../../crds/invariants/number-range.ts'
import { defineReconciler, type Phase } from '../define-reconciler.ts'
import { namesOf } from '../names.ts'
import { networksByPhysicalNetwork, networksByZone } from '../network/network.ts'
import { networkPlan } from '../network/network-plan.ts'
import { keyOf } from '../network/network-use.ts'
import { blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import { defineIndex, type Wish, type World } from '../world.ts'
import { capacityList, judgeCapacity } from './capacity.ts'
import { olderThan } from './host-pod.ts'
import { segmentCapacity } from './roll-ups.ts'
import { physicalNetworksByZone } from './topology.ts'
import { sharedNetworksOnPhysical, unclaimed } from './users.ts'

const segmentsByRealm = defineIndex(Allocation, 'segmentsByRealm', ({ spec: { realm, type } }) =>
  type === 'Segment' && realm !== undefined ? [realm] : [],
)

function judgeValidity(self: Wish<typeof PhysicalNetwork>, world: World): Verdict {
  const { segments, zoneName } = self.spec
  const ranges = segments.map(parseNumberRange)
  const twice = segments.find((_, index) =>
    ranges.slice(0, index).some(before => overlaps(before, ranges[index] ?? before)),
  )
  if (twice !== undefined) {
    return blocked(
      'SegmentsOverlap',
      `spec.segments: ${twice} overlaps another range of the list: list each segment once`,
    )
  }
  const [older] = olderThan(self, world.desired.list(physicalNetworksByZone, zoneName))
  if (older !== undefined && world.desired.get(Zone, zoneName)?.spec.networkType === 'Basic') {
    return blocked(
      'ZoneIsBasic',
      `spec.zoneName: the Basic zone "${zoneName}" has PhysicalNetwork "${older.metadata.name}" and may have no other: delete one of them`,
    )
  }
  return satisfied('Valid')
}

/** Networks choose the physical network that they do not name: one is used before they hold a segment, and without any. */
const unused: Phase<typeof PhysicalNetwork> = {
  condition: 'Unused',
  judge: ({ metadata: { name }, spec: { zoneName } }, world) => {
    const users = world.desired
      .list(networksByZone, zoneName)
      .filter(network => world.derived(networkPlan, keyOf(network))?.physicalNetworkName === name)
      .map(network => `Network ${network.metadata.namespace}/${network.metadata.name}`)
    return users.length === 0 ? satisfied('Unused') : waiting('InUse', `Cannot be deleted: used by ${namesOf(users)}`)
  },
}

/** Physical networks count their segments. They go when no network is on them. */
export const physicalNetworkReconciler = defineReconciler(PhysicalNetwork, {
  references: ({ spec }) => [{ kind: Zone, name: spec.zoneName, field: 'spec.zoneName' }],
  phases: [
    { condition: 'Valid', judge: judgeValidity },
    {
      condition: 'CapacityAvailable',
      informational: true,
      judge: (self, world) => judgeCapacity(world.derived(segmentCapacity, self.metadata.name), world),
    },
  ],
  usedBy: [
    { index: networksByPhysicalNetwork, value: ({ metadata }) => metadata.name },
    { index: sharedNetworksOnPhysical, value: ({ metadata }) => metadata.name },
  ],
  teardown: [unused, unclaimed((self, world) => world.desired.list(segmentsByRealm, self.metadata.uid))],
  report: (status, self, world) => {
    status.capacity = capacityList(world.derived(segmentCapacity, self.metadata.name))
  },
})
