import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { PhysicalNetwork, type TrafficType } from '../../crds/infrastructure/physical-network.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { addressFromNumber, hostRangeOf, parseRange } from '../../crds/invariants/addresses.ts'
import type { NumberRange } from '../../crds/invariants/number-range.ts'
import { Network } from '../../crds/network/network.ts'
import {
  type GuestType,
  NetworkOffering,
  type NetworkOfferingSpec,
  type NetworkServiceName,
} from '../../crds/network/network-offering.ts'
import { SharedNetwork } from '../../crds/network/shared-network.ts'
import type { NetworkSegment } from '../../drivers/contract/facts.ts'
import { allocationsByHolder, type Claim } from '../claims.ts'
import { settingsOf } from '../infrastructure/settings.ts'
import { physicalNetworksByZone } from '../infrastructure/topology.ts'
import { defineDerived, defineIndex, type Wish, type World } from '../world.ts'
import type { AddressPool } from './addressing.ts'

/** `Network/<namespace>/<name>` or `SharedNetwork//<name>`: the key of a network of either kind. */
export type NetworkKey = string

/** The key of a network. */
export function networkKey(kind: 'Network' | 'SharedNetwork', name: string, namespace?: string): NetworkKey {
  return `${kind}/${kind === 'Network' ? (namespace ?? '') : ''}/${name}`
}

/** The parts of a network's key. */
export function networkRefOf(key: NetworkKey): { kind: 'Network' | 'SharedNetwork'; namespace: string; name: string } {
  const [kind = '', namespace = '', name = ''] = key.split('/')
  return { kind: kind === 'SharedNetwork' ? 'SharedNetwork' : 'Network', namespace, name }
}

/** Machines by the networks that their NICs are in, by network key. */
export const machinesByNetwork = defineIndex(VirtualMachine, 'machinesByNetwork', ({ spec, metadata }) => [
  ...new Set(
    spec.nics.map(({ networkName, sharedNetworkName }) =>
      sharedNetworkName === undefined
        ? networkKey('Network', networkName ?? '', metadata.namespace)
        : networkKey('SharedNetwork', sharedNetworkName),
    ),
  ),
])

/** Everything about a network that its machines, addresses and router need, and that does not change with them. */
export interface NetworkPlan {
  readonly kind: 'Network' | 'SharedNetwork'
  readonly uid: string
  readonly offeringName: string
  readonly guestType: GuestType
  readonly zoneName: string
  /** Undefined on L2 networks: nothing gives addresses there. */
  readonly cidr?: string
  readonly gateway?: string
  /** Where guests' addresses come from. */
  readonly pool: readonly NumberRange[]
  readonly domain: string
  readonly dns: readonly string[]
  readonly services: readonly NetworkServiceName[]
  /** Whether a virtual router serves it. */
  readonly routed: boolean
  readonly egressDefault: 'Allow' | 'Deny'
  readonly persistent: boolean
  /** Whether several services may share a public address. */
  readonly conserveMode: boolean
  /** Whether operators may name the segment. */
  readonly specifyVLAN: boolean
  readonly physicalNetworkName?: string
  readonly isolation: 'None' | 'VLAN' | 'VXLAN'
  /** VLAN id or VNI; undefined while none is taken, or none is needed. */
  readonly segment?: number
}

/** The plan of a network, by key; undefined while the network or its offering is missing. */
export const networkPlan = defineDerived('networkPlan', planNetwork)

function planNetwork(key: NetworkKey, world: World): NetworkPlan | undefined {
  const { kind, namespace, name } = networkRefOf(key)
  if (kind === 'SharedNetwork') return planShared(name, world)
  const network = world.desired.get(Network, name, namespace)
  if (network === undefined) return undefined
  const offering = world.desired.get(NetworkOffering, network.spec.networkOfferingName)?.spec
  const zone = world.desired.get(Zone, network.spec.zoneName)?.spec
  if (offering === undefined || zone === undefined) return undefined
  const physical = physicalNetworkOf(network, offering, world)
  const common = {
    kind,
    uid: network.metadata.uid,
    offeringName: network.spec.networkOfferingName,
    zoneName: network.spec.zoneName,
    domain: network.spec.networkDomain ?? zone.networkDomain ?? settingsOf(world).networkDomain,
    dns: zone.publicDNS,
    ...offeredBy(offering),
    ...(physical === undefined ? {} : { physicalNetworkName: physical.metadata.name }),
    isolation: physical?.spec.isolation ?? 'None',
    ...segmentHeld(network.metadata.uid, world),
  } as const
  const cidr = network.spec.cidr ?? zone.guestCIDR
  if (offering.guestType === 'L2' || cidr === undefined) return { ...common, pool: [] }
  const hosts = hostRangeOf(cidr)
  const gateway = network.spec.gateway ?? addressFromNumber(hosts.first)
  return { ...common, cidr, gateway, pool: [hosts] }
}

function planShared(name: string, world: World): NetworkPlan | undefined {
  const network = world.desired.get(SharedNetwork, name)
  if (network === undefined) return undefined
  const offering = world.desired.get(NetworkOffering, network.spec.networkOfferingName)?.spec
  const zone = world.desired.get(Zone, network.spec.zoneName)?.spec
  const physical = world.desired.get(PhysicalNetwork, network.spec.physicalNetworkName)
  if (offering === undefined || zone === undefined) return undefined
  const { cidr, gateway, addresses, vlan } = network.spec
  return {
    kind: 'SharedNetwork',
    uid: network.metadata.uid,
    offeringName: network.spec.networkOfferingName,
    zoneName: network.spec.zoneName,
    cidr,
    gateway,
    pool: addresses.map(parseRange),
    domain: network.spec.networkDomain ?? zone.networkDomain ?? settingsOf(world).networkDomain,
    dns: zone.publicDNS,
    ...offeredBy(offering),
    physicalNetworkName: network.spec.physicalNetworkName,
    isolation: vlan === undefined ? 'None' : (physical?.spec.isolation ?? 'None'),
    ...(vlan === undefined ? {} : segmentHeld(network.metadata.uid, world)),
  }
}

function offeredBy(offering: NetworkOfferingSpec) {
  const { guestType, services, egressDefault, persistent, conserveMode, specifyVLAN } = offering
  return {
    guestType,
    services: services.map(service => service.name),
    routed: services.some(({ provider }) => provider === 'VirtualRouter'),
    egressDefault,
    persistent,
    conserveMode,
    specifyVLAN,
  }
}

/** The physical network that carries a network: the named one, or the zone's first for Guest traffic with the offering's tags. */
export function physicalNetworkOf(
  network: Wish<typeof Network>,
  offering: Pick<NetworkOfferingSpec, 'tags'>,
  world: World,
): Wish<typeof PhysicalNetwork> | undefined {
  const { physicalNetworkName, zoneName } = network.spec
  if (physicalNetworkName !== undefined) return world.desired.get(PhysicalNetwork, physicalNetworkName)
  const held = segmentClaim(network.metadata.uid, world)?.spec.realm
  const carriers = world.desired.list(physicalNetworksByZone, zoneName)
  const before = carriers.find(({ metadata }) => metadata.uid === held)
  if (before !== undefined) return before
  return carriers.find(
    ({ spec }) =>
      spec.allocationState === 'Enabled' &&
      spec.traffic.some(({ type }) => type === 'Guest') &&
      offering.tags.every(tag => spec.tags.includes(tag)),
  )
}

/** The claim of a network's VLAN id or VNI, where it holds one. */
export function segmentClaim(networkUID: string, world: World): Claim | undefined {
  return world.desired.list(allocationsByHolder, networkUID).find(({ spec }) => spec.type === 'Segment')
}

function segmentHeld(networkUID: string, world: World): { readonly segment?: number } {
  const held = segmentClaim(networkUID, world)
  return held === undefined ? {} : { segment: Number(held.spec.value) }
}

/** A guest network's segment as a host's NIC is plugged into it; undefined while it is not known. */
export function guestSegmentOn(
  plan: NetworkPlan,
  hostName: string | undefined,
  world: World,
): NetworkSegment | undefined {
  if (plan.physicalNetworkName === undefined || hostName === undefined) return undefined
  const physical = world.desired.get(PhysicalNetwork, plan.physicalNetworkName)
  const own = world.desired.get(Host, hostName)?.spec.kvm?.guestBridge
  const label = own ?? (physical && labelOn(physical, hostName, 'Guest', world))
  if (label === undefined) return undefined
  if (plan.isolation === 'None') return { network: plan.uid, isolation: 'None', label }
  if (plan.segment === undefined) return undefined
  return { network: plan.uid, isolation: plan.isolation, id: plan.segment, label }
}

/** The zone's own network of a kind of traffic, as a host's NIC is plugged into it; undefined where none carries it. */
export function trafficOn(
  zoneName: string,
  hostName: string | undefined,
  traffic: Exclude<TrafficType, 'Guest'>,
  world: World,
): NetworkSegment | undefined {
  const physical = world.desired
    .list(physicalNetworksByZone, zoneName)
    .find(({ spec }) => spec.traffic.some(({ type }) => type === traffic))
  if (physical === undefined || hostName === undefined) return undefined
  const label = labelOn(physical, hostName, traffic, world)
  return label === undefined ? undefined : { network: physical.metadata.uid, isolation: 'None', label }
}

/** Every name under which hosts know the switch that carries a physical network's traffic. */
export function labelsOf({ spec }: Wish<typeof PhysicalNetwork>, traffic: TrafficType): readonly string[] {
  return spec.traffic
    .filter(({ type }) => type === traffic)
    .flatMap(({ label, labels }) => [label, ...(labels ?? []).map(each => each.label)])
    .filter(label => label !== undefined)
}

function labelOn(
  physical: Wish<typeof PhysicalNetwork>,
  hostName: string,
  traffic: TrafficType,
  world: World,
): string | undefined {
  const entry = physical.spec.traffic.find(({ type }) => type === traffic)
  const clusterName = world.desired.get(Host, hostName)?.spec.clusterName
  const hypervisor = clusterName && world.desired.get(HostCluster, clusterName)?.spec.hypervisor
  return entry?.labels?.find(label => label.hypervisor === hypervisor)?.label ?? entry?.label
}

/** Where a network's addresses come from; undefined where nothing gives any. */
export function addressPoolOf({ uid, cidr, gateway, pool }: NetworkPlan): AddressPool | undefined {
  return cidr === undefined || gateway === undefined ? undefined : { uid, cidr, gateway, ranges: pool }
}
