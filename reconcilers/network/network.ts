import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { PhysicalNetwork } from '../../crds/infrastructure/physical-network.ts'
import { VirtualRouter } from '../../crds/infrastructure/virtual-router.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { networksOverlap } from '../../crds/invariants/addresses.ts'
import { parseNumberRange } from '../../crds/invariants/number-range.ts'
import { Network } from '../../crds/network/network.ts'
import { NetworkOffering } from '../../crds/network/network-offering.ts'
import { PublicIP } from '../../crds/network/public-ip.ts'
import { allocate, allocationName, allocationsByHolder, holderOf } from '../claims.ts'
import { defineReconciler, type Phase, type Reference } from '../define-reconciler.ts'
import { create, remove } from '../effect.ts'
import { finalizerOf } from '../finalizer.ts'
import { publicRangesByZone } from '../infrastructure/topology.ts'
import { acting, blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import { defineIndex, isStored, type Wish, type World } from '../world.ts'
import { routersByNetwork } from './applied-document.ts'
import { freeValue } from './free-value.ts'
import { machinesByNetwork, type NetworkKey, networkKey, networkPlan, physicalNetworkOf } from './network-plan.ts'
import { judgeRouter, routerName } from './network-router.ts'
import { addressHeld, publicIPsByNetwork } from './public-addresses.ts'
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

/** Whether anything uses the network: then it is implemented (NET: allocated, then implemented at first use). */
function isUsed(self: NetworkWish, world: World): boolean {
  const key = keyOf(self)
  if (world.derived(networkPlan, key)?.persistent === true) return true
  if (world.desired.list(machinesByNetwork, key).length > 0) return true
  const own = sourceNATName(key, world)
  return world.desired
    .list(publicIPsByNetwork, `${self.metadata.namespace}/${self.metadata.name}`)
    .some(({ metadata }) => metadata.name !== own)
}

function keyOf({ metadata }: NetworkWish): NetworkKey {
  return networkKey('Network', metadata.name, metadata.namespace)
}

const segmentAllocated: Phase<typeof Network> = { condition: 'SegmentAllocated', judge: judgeSegment }

function judgeSegment(self: NetworkWish, world: World): Verdict {
  const plan = world.derived(networkPlan, keyOf(self))
  if (plan === undefined) return waiting('OfferingNotFound', 'The offering or the zone is missing')
  const overlap = overlapping(self, plan.cidr, world)
  if (overlap !== undefined) return overlap
  const physical = physicalNetworkOf(self, world)
  if (physical === undefined) {
    return waiting('NoPhysicalNetwork', `Zone "${plan.zoneName}" has no physical network that carries Guest traffic`)
  }
  if (physical.spec.isolation === 'None' && self.spec.vlan === undefined) return satisfied('NotNeeded')
  if (!isUsed(self, world)) return satisfied('Idle', 'Nothing uses the network yet', { summary: true })
  const held = world.desired.list(allocationsByHolder, self.metadata.uid).find(({ spec }) => spec.type === 'Segment')
  if (held !== undefined) return satisfied('Allocated', held.spec.value)
  const taken = (value: number) =>
    world.desired.exists(Allocation, allocationName('Segment', String(value), physical.metadata.uid))
  const wished = self.spec.vlan === undefined ? undefined : Number(self.spec.vlan)
  if (wished !== undefined && taken(wished)) {
    return blocked('SegmentTaken', `spec.vlan: ${wished} is taken on physical network "${physical.metadata.name}"`)
  }
  const pool = physical.spec.segments.map(parseNumberRange)
  const value = wished ?? freeValue(pool, world.identity(self), taken)
  if (value === undefined) {
    const name = physical.metadata.name
    return waiting('SegmentsExhausted', `Physical network "${name}" has no free segment: add to its spec.segments`, {
      recheck: 60_000,
    })
  }
  const claim = { type: 'Segment', realm: physical.metadata.uid, value: String(value), holder: holderOf(self) } as const
  return acting('Allocating', `Taking segment ${value}`, allocate(claim, world))
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
    if (!isUsed(self, world)) return satisfied('Idle', 'Nothing uses the network yet')
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
  judge: (self, world) => judgeRouter(keyOf(self), self, isUsed(self, world), world),
}

const unused: Phase<typeof Network> = {
  condition: 'Unused',
  judge: (self, world) => {
    const own = sourceNATName(keyOf(self), world)
    const machines = world.desired.list(machinesByNetwork, keyOf(self))
    const addresses = world.desired
      .list(publicIPsByNetwork, `${self.metadata.namespace}/${self.metadata.name}`)
      .filter(({ metadata }) => metadata.name !== own && !ownedBy(metadata, self))
    const users = [...machines, ...addresses].map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    if (users.length === 0) return satisfied('Unused')
    return waiting(
      'InUse',
      `Cannot be deleted: used by ${users.slice(0, 5).join(', ')}${users.length > 5 ? ' and more' : ''}`,
    )
  },
}

function ownedBy(
  metadata: { readonly ownerReferences?: readonly { readonly uid: string }[] },
  self: NetworkWish,
): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === self.metadata.uid) === true
}

const childrenGone: Phase<typeof Network> = {
  condition: 'RouterReady',
  needs: ['Unused'],
  judge: (self, world) => {
    const routers = world.desired.list(routersByNetwork, keyOf(self))
    const addresses = world.desired
      .list(publicIPsByNetwork, `${self.metadata.namespace}/${self.metadata.name}`)
      .filter(({ metadata }) => ownedBy(metadata, self))
    const children = [...routers, ...addresses]
    if (children.length === 0) return satisfied('Removed')
    const leaving = children.filter(child => isStored(child) && child.metadata.deletionTimestamp === undefined)
    return acting('Removing', 'The router and the source NAT address are being removed', ...leaving.map(remove))
  },
}

const valuesReturned: Phase<typeof Network> = {
  condition: 'SegmentAllocated',
  needs: ['Unused', 'RouterReady'],
  judge: (self, world) => {
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
  phases: [segmentAllocated, sourceNATReady, routerReady],
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
