import { HostPod } from '../../crds/infrastructure/host-pod.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { addressToNumber, formatRange, networksOverlap, parseRange } from '../../crds/invariants/addresses.ts'
import { contains, type NumberRange, overlaps } from '../../crds/invariants/number-range.ts'
import { defineReconciler } from '../define-reconciler.ts'
import { blocked, satisfied, type Verdict } from '../verdict.ts'
import type { Wish, World } from '../world.ts'
import { capacityList, judgeCapacity } from './capacity.ts'
import { hostsOf, judgeHostsEmpty } from './evacuation.ts'
import { podCapacity } from './roll-ups.ts'
import { allPods, clustersByPod } from './topology.ts'

type Pod = Wish<typeof HostPod>

function judgeValidity(self: Pod, world: World): Verdict {
  const reserved = reservedOf(self)
  const gateway = addressToNumber(self.spec.gateway)
  const around = reserved.find(range => contains(range, gateway))
  if (around !== undefined) {
    return blocked(
      'GatewayReserved',
      `spec.systemIPRanges: ${formatRange(around)} holds spec.gateway ${self.spec.gateway}: leave it out`,
    )
  }
  const twice = reserved.find((range, index) => reserved.slice(0, index).some(before => overlaps(before, range)))
  if (twice !== undefined) {
    return blocked(
      'RangesOverlap',
      `spec.systemIPRanges: ${formatRange(twice)} overlaps another of the list: list each address once`,
    )
  }
  return judgeAmongPods(self, olderThan(self, world.desired.list(allPods, 'all')))
}

/** Of pods that overlap the oldest holds. Subnets are their own within a zone, reserved addresses everywhere. */
function judgeAmongPods(self: Pod, older: readonly Pod[]): Verdict {
  const { cidr, zoneName } = self.spec
  const sameSubnet = older.find(({ spec }) => spec.zoneName === zoneName && networksOverlap(spec.cidr, cidr))
  if (sameSubnet !== undefined) {
    return blocked(
      'CIDROverlaps',
      `spec.cidr: ${cidr} overlaps ${sameSubnet.spec.cidr} of HostPod "${sameSubnet.metadata.name}": give each pod of a zone a subnet of its own`,
    )
  }
  for (const other of older) {
    const shared = reservedOf(self).find(range => reservedOf(other).some(taken => overlaps(taken, range)))
    if (shared === undefined) continue
    return blocked(
      'AddressesReserved',
      `spec.systemIPRanges: ${formatRange(shared)} overlaps what HostPod "${other.metadata.name}" reserves: take other addresses`,
    )
  }
  return satisfied('Valid')
}

function reservedOf({ spec }: Pod): readonly NumberRange[] {
  return spec.systemIPRanges.map(({ addresses }) => parseRange(addresses))
}

/** The objects before this one in a list that has the oldest first. */
export function olderThan<Item extends { readonly metadata: { readonly uid: string } }>(
  self: Item,
  oldestFirst: readonly Item[],
): readonly Item[] {
  const index = oldestFirst.findIndex(({ metadata }) => metadata.uid === self.metadata.uid)
  return index < 0 ? oldestFirst : oldestFirst.slice(0, index)
}

/** Pods hold their addresses against each other, and sum up their clusters. They go when they have none. */
export const hostPodReconciler = defineReconciler(HostPod, {
  references: ({ spec }) => [{ kind: Zone, name: spec.zoneName, field: 'spec.zoneName' }],
  phases: [
    { condition: 'Valid', judge: judgeValidity },
    {
      condition: 'CapacityAvailable',
      informational: true,
      judge: (self, world) => judgeCapacity(world.derived(podCapacity, self.metadata.name), world),
    },
    {
      condition: 'Evacuated',
      informational: true,
      judge: ({ metadata: { name }, spec }, world) => {
        const zone = world.desired.get(Zone, spec.zoneName)?.spec
        const isInMaintenance = [spec, zone].some(each => each?.lifecycle === 'Maintenance')
        const clusters = isInMaintenance ? world.desired.list(clustersByPod, name) : []
        const names = clusters.map(({ metadata }) => metadata.name)
        return judgeHostsEmpty('pod', isInMaintenance, hostsOf(names, world), world)
      },
    },
  ],
  usedBy: [{ index: clustersByPod, value: ({ metadata }) => metadata.name }],
  report: (status, self, world) => {
    status.capacity = capacityList(world.derived(podCapacity, self.metadata.name))
  },
})
