import { PhysicalNetwork } from '../../crds/infrastructure/physical-network.ts'
import { VirtualRouter } from '../../crds/infrastructure/virtual-router.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { addressToNumber, networksOverlap, rangeOf } from '../../crds/invariants/addresses.ts'
import { contains, merged, poolSize } from '../../crds/invariants/number-range.ts'
import { NetworkOffering } from '../../crds/network/network-offering.ts'
import { SharedNetwork } from '../../crds/network/shared-network.ts'
import { allocatedByRealm, allocationsByHolder, holderOf } from '../claims.ts'
import { defineReconciler, type Phase } from '../define-reconciler.ts'
import { remove } from '../effect.ts'
import { type Amounts, capacityList, judgeCapacity } from '../infrastructure/capacity.ts'
import { publicRangesByZone } from '../infrastructure/topology.ts'
import { namesOf } from '../names.ts'
import { acting, blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import { isStored, type Wish, type World } from '../world.ts'
import { routersByNetwork } from './applied-document.ts'
import { addressPoolOf, machinesByNetwork, type NetworkKey, networkKey, networkPlan } from './network-plan.ts'
import { judgeRouter, routerName } from './network-router.ts'
import { judgeSegmentClaim } from './network-segment.ts'
import { routerLacking } from './router-ability.ts'

type SharedWish = Wish<typeof SharedNetwork>

function keyOf({ metadata }: SharedWish): NetworkKey {
  return networkKey('SharedNetwork', metadata.name)
}

const segmentAllocated: Phase<typeof SharedNetwork> = { condition: 'SegmentAllocated', judge: judgeSegment }

/** Its VLAN id or VNI is the operator's, from the start and for good. */
function judgeSegment(self: SharedWish, world: World): Verdict {
  const plan = world.derived(networkPlan, keyOf(self))
  const physical = world.desired.get(PhysicalNetwork, self.spec.physicalNetworkName)
  if (plan === undefined || physical === undefined) {
    return waiting('OfferingNotFound', 'The offering, the zone or the physical network is missing')
  }
  if (plan.guestType !== 'Shared') {
    return blocked(
      'WrongGuestType',
      `spec.networkOfferingName: "${plan.offeringName}" has guestType ${plan.guestType}: choose one of Shared`,
    )
  }
  if (!physical.spec.traffic.some(({ type }) => type === 'Guest')) {
    return blocked(
      'NoGuestTraffic',
      `spec.physicalNetworkName: "${physical.metadata.name}" carries no Guest traffic: choose another`,
    )
  }
  const range = world.desired
    .list(publicRangesByZone, self.spec.zoneName)
    .find(({ spec }) => networksOverlap(spec.cidr, self.spec.cidr))
  if (range !== undefined) {
    return blocked('CIDROverlaps', `spec.cidr: ${self.spec.cidr} overlaps PublicIPRange "${range.metadata.name}"`)
  }
  const lacking = routerLacking(plan, world)
  if (lacking !== undefined) return lacking
  if (self.spec.vlan === undefined) return satisfied('Untagged')
  const wished = Number(self.spec.vlan)
  const wish = { holder: holderOf(self), physical, wished, seen: () => [], needed: true, spare: false }
  return judgeSegmentClaim(wish, world)
}

const routerReady: Phase<typeof SharedNetwork> = {
  condition: 'RouterReady',
  judge: (self, world) => {
    const key = keyOf(self)
    const used =
      world.derived(networkPlan, key)?.persistent === true || world.desired.list(machinesByNetwork, key).length > 0
    return judgeRouter(key, self, used, world)
  },
}

/** The addresses that may be given out, and how many are. */
function capacityOf(self: SharedWish, world: World): Amounts {
  const plan = world.derived(networkPlan, keyOf(self))
  const pool = plan === undefined ? undefined : addressPoolOf(plan)
  if (pool === undefined) return {}
  const ranges = merged(pool.ranges)
  const { first, last } = rangeOf(pool.cidr)
  const kept = [...new Set([first, last, addressToNumber(pool.gateway)])]
  const unusable = kept.filter(value => ranges.some(range => contains(range, value)))
  const { count = 0 } = world.desired.total(allocatedByRealm, `IP/${pool.uid}`)
  return { GuestIP: { total: poolSize(ranges) - unusable.length, allocated: count, used: count } }
}

const unused: Phase<typeof SharedNetwork> = {
  condition: 'Unused',
  judge: (self, world) => {
    const users = world.desired
      .list(machinesByNetwork, keyOf(self))
      .map(({ metadata }) => `VirtualMachine ${metadata.namespace}/${metadata.name}`)
    if (users.length === 0) return satisfied('Unused')
    return waiting('InUse', `Cannot be deleted: used by ${namesOf(users)}`)
  },
}

const routerGone: Phase<typeof SharedNetwork> = {
  condition: 'RouterReady',
  needs: ['Unused'],
  judge: (self, world) => {
    const routers = world.desired.list(routersByNetwork, keyOf(self))
    if (routers.length === 0) return satisfied('Removed')
    const leaving = routers.filter(router => isStored(router) && router.metadata.deletionTimestamp === undefined)
    if (leaving.length === 0) return waiting('Removing', 'The router is still being removed')
    return acting('Removing', 'The router is being removed', ...leaving.map(remove))
  },
}

const segmentReturned: Phase<typeof SharedNetwork> = {
  condition: 'SegmentAllocated',
  needs: ['Unused', 'RouterReady'],
  judge: (self, world) => {
    const held = world.desired.list(allocationsByHolder, self.metadata.uid).filter(isStored)
    if (held.length === 0) return satisfied('Returned')
    return acting('Returning', 'Giving back the segment', ...held.map(remove))
  },
}

/** The reconciler of the operator's networks that many tenants share. */
export const sharedNetworkReconciler = defineReconciler(SharedNetwork, {
  references: ({ spec }) => [
    { kind: Zone, name: spec.zoneName, field: 'spec.zoneName' },
    { kind: PhysicalNetwork, name: spec.physicalNetworkName, field: 'spec.physicalNetworkName' },
    { kind: NetworkOffering, name: spec.networkOfferingName, field: 'spec.networkOfferingName' },
  ],
  phases: [
    segmentAllocated,
    routerReady,
    {
      condition: 'CapacityAvailable',
      informational: true,
      judge: (self, world) => judgeCapacity(capacityOf(self, world), world),
    },
  ],
  teardown: [unused, routerGone, segmentReturned],
  report: (status, self, world) => {
    status.capacity = capacityList(capacityOf(self, world))
    const router = world.desired.get(VirtualRouter, routerName(self))
    if (router === undefined) delete status.routerName
    else status.routerName = router.metadata.name
  },
})
