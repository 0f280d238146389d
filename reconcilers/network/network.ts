import { finalizerOf } from '../../crds/finalizer.ts'
import { PhysicalNetwork } from '../../crds/infrastructure/physical-network.ts'
import { VirtualRouter } from '../../crds/infrastructure/virtual-router.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { networksOverlap } from '../../crds/invariants/addresses.ts'
import { Network } from '../../crds/network/network.ts'
import { NetworkOffering } from '../../crds/network/network-offering.ts'
import { PublicIP } from '../../crds/network/public-ip.ts'
import { allocationsByHolder, holderOf } from '../claims.ts'
import { defineReconciler, type Phase, type Reference } from '../define-reconciler.ts'
import { create, remove } from '../effect.ts'
import { publicRangesByZone } from '../infrastructure/topology.ts'
import { isZoneRead } from '../placement/place.ts'
import { acting, blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import { defineIndex, isStored, type Wish, type World } from '../world.ts'
import { routersByNetwork } from './applied-document.ts'
import { firewallRulesByTarget } from './firewall-rules.ts'
import { machinesByNetwork, type NetworkPlan, networkPlan, physicalNetworkOf, segmentClaim } from './network-plan.ts'
import { judgeRouter, routerName } from './network-router.ts'
import { segmentsSeen } from './network-seen.ts'
import { judgeSegmentClaim } from './network-segment.ts'
import { isImplemented, judgeIdleNote, keyOf } from './network-use.ts'
import { addressHeld, publicIPsByNetwork } from './public-addresses.ts'
import { routerLacking } from './router-ability.ts'
import { sourceNATName } from './router-document.ts'

type NetworkWish = Wish<typeof Network>

/** Networks by the name of their offering. */
export const networksByOffering = defineIndex(Network, 'networksByOffering', ({ spec }) => [spec.networkOfferingName])

/** Networks by the name of their zone. */
export const networksByZone = defineIndex(Network, 'networksByZone', ({ spec }) => [spec.zoneName])

/** Networks by the physical network that they name. */
export const networksByPhysicalNetwork = defineIndex(Network, 'networksByPhysicalNetwork', ({ spec }) =>
  spec.physicalNetworkName === undefined ? [] : [spec.physicalNetworkName],
)

const segmentAllocated: Phase<typeof Network> = { condition: 'SegmentAllocated', judge: judgeSegment }

function judgeSegment(self: NetworkWish, world: World): Verdict {
  const plan = world.derived(networkPlan, keyOf(self))
  const offering = world.desired.get(NetworkOffering, self.spec.networkOfferingName)?.spec
  if (plan === undefined || offering === undefined) {
    return waiting('OfferingNotFound', 'The offering or the zone is missing')
  }
  if ((offering.networkRateMbps ?? 0) > 0) {
    return blocked(
      'NotSupportedYet',
      `spec.networkOfferingName: NetworkOffering "${plan.offeringName}" has networkRateMbps, which nothing keeps yet: choose another`,
    )
  }
  const refusal = refusalOf(self, plan, world) ?? overlapping(self, plan.cidr, world)
  if (refusal !== undefined) return refusal
  const physical = physicalNetworkOf(self, offering, world)
  if (physical === undefined) {
    const tags = offering.tags.length === 0 ? '' : ` and has the tags ${offering.tags.join(', ')}`
    return waiting(
      'NoPhysicalNetwork',
      `Zone "${plan.zoneName}" has no physical network that carries Guest traffic${tags}`,
    )
  }
  const isNew = segmentClaim(self.metadata.uid, world) === undefined && plan.segment === undefined
  const hasRouter = world.desired.list(routersByNetwork, keyOf(self)).length > 0
  const needsNothing = physical.spec.isolation === 'None' && !plan.routed
  if (isNew && !hasRouter && !needsNothing && offering.allocationState === 'Disabled') {
    return blocked(
      'OfferingDisabled',
      `spec.networkOfferingName: NetworkOffering "${plan.offeringName}" has allocationState Disabled: choose another`,
    )
  }
  if (isNew && self.spec.vlan === undefined && !isZoneRead(plan.zoneName, world)) {
    return waiting('InventoriesNotRead', 'A segment is chosen once the hosts of the zone were read: it may be in use')
  }
  return judgeSegmentClaim(
    {
      holder: holderOf(self),
      physical,
      wished: self.spec.vlan === undefined ? undefined : Number(self.spec.vlan),
      seen: () => segmentsSeen(self, plan, world),
      needed: isImplemented(self, world),
      spare: !hasRouter,
    },
    world,
  )
}

/**
 * What is deleted and still in use is kept up: where machines are plugged into its segment and the claim of it was lost
 * with the API's store, it is taken again.
 */
function judgeSegmentKept(self: NetworkWish, world: World): Verdict {
  const held = segmentClaim(self.metadata.uid, world)
  if (held !== undefined) return satisfied('Allocated', held.spec.value)
  const plan = world.derived(networkPlan, keyOf(self))
  if (plan === undefined || segmentsSeen(self, plan, world).length === 0) return satisfied('Idle')
  return judgeSegment(self, world)
}

/** What no network of its offering can have. */
function refusalOf({ spec }: NetworkWish, plan: NetworkPlan, world: World): Verdict | undefined {
  if (plan.guestType === 'Shared') {
    return blocked(
      'WrongGuestType',
      `spec.networkOfferingName: "${plan.offeringName}" has guestType Shared: choose one of Isolated or L2, or make a SharedNetwork`,
    )
  }
  if (plan.guestType === 'L2' && spec.cidr !== undefined) {
    return blocked('NoAddresses', 'spec.cidr: an L2 network manages no addresses: make it without the field')
  }
  if (plan.guestType === 'Isolated' && plan.cidr === undefined) {
    return blocked('CIDRMissing', `spec.cidr is needed: Zone "${plan.zoneName}" has no spec.guestCIDR`)
  }
  if (spec.vlan !== undefined && !plan.specifyVLAN) {
    return blocked(
      'VLANNotOffered',
      `spec.vlan: NetworkOffering "${plan.offeringName}" has specifyVLAN false: choose an offering that lets operators name it`,
    )
  }
  return routerLacking(plan, world)
}

/** A guest network must not lie over the zone's public ranges: its router would lead both ways. */
function overlapping(self: NetworkWish, cidr: string | undefined, world: World): Verdict | undefined {
  if (cidr === undefined) return undefined
  const range = world.desired
    .list(publicRangesByZone, self.spec.zoneName)
    .find(({ spec }) => networksOverlap(spec.cidr, cidr))
  if (range === undefined) return undefined
  return blocked(
    'CIDROverlaps',
    `spec.cidr: ${cidr} overlaps PublicIPRange "${range.metadata.name}" (${range.spec.cidr}): choose another`,
  )
}

const sourceNATReady: Phase<typeof Network> = {
  condition: 'SourceNATReady',
  judge: (self, world) => {
    const name = sourceNATName(keyOf(self), world)
    if (name === undefined) return satisfied('NotNeeded')
    if (!isImplemented(self, world)) return satisfied('Idle', 'Nothing uses the network yet')
    const { namespace } = self.metadata
    const existing = world.desired.get(PublicIP, name, namespace)
    if (existing === undefined) {
      if (self.spec.sourceNATPublicIPName !== undefined)
        return waiting('PublicIPNotFound', `PublicIP "${name}" does not exist`)
      return acting('Creating', `Creating PublicIP "${name}"`, create(sourceNATAddress(self, name)))
    }
    if (existing.spec.networkName !== self.metadata.name) {
      return blocked(
        'NameTaken',
        `PublicIP "${name}" belongs to network "${existing.spec.networkName}": rename it, or set spec.sourceNATPublicIPName`,
      )
    }
    const address = addressHeld(existing, world)
    return address === undefined
      ? waiting('AddressPending', `PublicIP "${name}" has no address yet`)
      : satisfied('Held', address)
  },
}

function sourceNATAddress(self: NetworkWish, name: string) {
  const { namespace, uid } = self.metadata
  const owner = { apiVersion: self.apiVersion, kind: self.kind, name: self.metadata.name, uid, controller: true }
  return {
    apiVersion: PublicIP.apiVersion,
    kind: PublicIP.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      finalizers: [finalizerOf(PublicIP)],
      ownerReferences: [owner],
    },
    spec: { zoneName: self.spec.zoneName, networkName: self.metadata.name },
  }
}

const routerReady: Phase<typeof Network> = {
  condition: 'RouterReady',
  judge: (self, world) => judgeRouter(keyOf(self), self, isImplemented(self, world), world),
}

const idleNoted: Phase<typeof Network> = { condition: 'IdleNoted', informational: true, judge: judgeIdleNote }

const unused: Phase<typeof Network> = {
  condition: 'Unused',
  judge: (self, world) => {
    const users = usersOf(self, world)
    if (users.length === 0) return satisfied('Unused')
    return waiting(
      'InUse',
      `Cannot be deleted: used by ${users.slice(0, 5).join(', ')}${users.length > 5 ? ' and more' : ''}`,
    )
  },
}

function usersOf(self: NetworkWish, world: World): readonly string[] {
  const own = sourceNATName(keyOf(self), world)
  const machines = world.desired.list(machinesByNetwork, keyOf(self))
  const addresses = world.desired
    .list(publicIPsByNetwork, `${self.metadata.namespace}/${self.metadata.name}`)
    .filter(({ metadata }) => metadata.name !== own && !ownedBy(metadata, self))
  const rules = world.desired.list(firewallRulesByTarget, keyOf(self))
  return [...machines, ...addresses, ...rules].map(({ kind, metadata }) => `${kind} ${metadata.name}`)
}

function ownedBy(
  metadata: { readonly ownerReferences?: readonly { readonly uid: string }[] },
  self: NetworkWish,
): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === self.metadata.uid) === true
}

function childrenOf(self: NetworkWish, world: World) {
  const routers = world.desired.list(routersByNetwork, keyOf(self))
  const addresses = world.desired
    .list(publicIPsByNetwork, `${self.metadata.namespace}/${self.metadata.name}`)
    .filter(({ metadata }) => ownedBy(metadata, self))
  return [...routers, ...addresses]
}

const childrenGone: Phase<typeof Network> = {
  condition: 'RouterReady',
  needs: ['Unused'],
  judge: (self, world) => {
    const children = childrenOf(self, world)
    if (children.length === 0) return satisfied('Removed')
    const leaving = children.filter(child => isStored(child) && child.metadata.deletionTimestamp === undefined)
    const names = children.map(({ kind, metadata }) => `${kind} "${metadata.name}"`).join(' and ')
    if (leaving.length === 0) return waiting('Removing', `${names}: still being removed`)
    return acting('Removing', `${names}: being removed`, ...leaving.map(remove))
  },
}

const valuesReturned: Phase<typeof Network> = {
  condition: 'SegmentAllocated',
  judge: (self, world) => {
    if (usersOf(self, world).length > 0) return judgeSegmentKept(self, world)
    const children = childrenOf(self, world)
    if (children.length > 0) return waiting('Removing', 'The segment goes after what is plugged into it')
    const held = world.desired.list(allocationsByHolder, self.metadata.uid).filter(isStored)
    return held.length === 0
      ? satisfied('Returned')
      : acting('Returning', 'Giving back the segment', ...held.map(remove))
  },
}

function references({ spec }: NetworkWish): readonly Reference[] {
  const physical = spec.physicalNetworkName
  return [
    { kind: Zone, name: spec.zoneName, field: 'spec.zoneName' },
    { kind: NetworkOffering, name: spec.networkOfferingName, field: 'spec.networkOfferingName' },
    ...(physical === undefined ? [] : [{ kind: PhysicalNetwork, name: physical, field: 'spec.physicalNetworkName' }]),
  ]
}

/** The reconciler of tenants' networks. */
export const networkReconciler = defineReconciler(Network, {
  references,
  phases: [segmentAllocated, sourceNATReady, routerReady, idleNoted],
  teardown: [unused, childrenGone, valuesReturned],
  report: (status, self, world) => {
    const plan = world.derived(networkPlan, keyOf(self))
    const name = sourceNATName(keyOf(self), world)
    const publicIP = name === undefined ? undefined : world.desired.get(PublicIP, name, self.metadata.namespace)
    const address = publicIP === undefined ? undefined : addressHeld(publicIP, world)
    const router = world.desired.get(VirtualRouter, routerName(self))
    assign(status, 'cidr', plan?.cidr)
    assign(status, 'gateway', plan?.gateway)
    assign(status, 'segment', plan?.segment as typeof status.segment)
    assign(status, 'routerName', router?.metadata.name)
    assign(status, 'sourceNATAddress', address)
  },
})

function assign<T extends object, Key extends keyof T>(target: T, key: Key, value: T[Key] | undefined): void {
  if (value === undefined) delete target[key]
  else target[key] = value
}
