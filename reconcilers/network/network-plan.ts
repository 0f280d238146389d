import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { PhysicalNetwork, type TrafficType } from '../../crds/infrastructure/physical-network.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { addressFromNumber, hostRangeOf, parseRange } from '../../crds/invariants/addresses.ts'
import type { NumberRange } from '../../crds/invariants/number-range.ts'
import { Network } from '../../crds/network/network.ts'
import { NetworkOffering, type NetworkServiceName } from '../../crds/network/network-offering.ts'
import { SharedNetwork } from '../../crds/network/shared-network.ts'
import type { NetworkSegment } from '../../drivers/contract/facts.ts'
import { allocationsByHolder } from '../claims.ts'
import { settingsOf } from '../infrastructure/settings.ts'
import { physicalNetworksByZone } from '../infrastructure/topology.ts'
import { defineDerived, defineIndex, type Wish, type World } from '../world.ts'

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
  const physical = physicalNetworkOf(network, world)
  const common = {
    kind,
    uid: network.metadata.uid,
    zoneName: network.spec.zoneName,
    domain: network.spec.networkDomain ?? zone.networkDomain ?? settingsOf(world).networkDomain,
    dns: zone.publicDNS,
    services: offering.services.map(service => service.name),
    routed: offering.services.some(({ provider }) => provider === 'VirtualRouter'),
    egressDefault: offering.egressDefault,
    persistent: offering.persistent,
    ...(physical === undefined ? {} : { physicalNetworkName: physical.metadata.name }),
    isolation: physical?.spec.isolation ?? 'None',
    ...segmentOf(network, world),
  } as const
  const cidr = network.spec.cidr ?? zone.guestCIDR ?? '10.1.1.0/24'
  if (offering.guestType === 'L2') return { ...common, pool: [] }
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
    zoneName: network.spec.zoneName,
    cidr,
    gateway,
    pool: addresses.map(parseRange),
    domain: network.spec.networkDomain ?? zone.networkDomain ?? settingsOf(world).networkDomain,
    dns: zone.publicDNS,
    services: offering.services.map(service => service.name),
    routed: offering.services.some(({ provider }) => provider === 'VirtualRouter'),
    egressDefault: offering.egressDefault,
    persistent: offering.persistent,
    physicalNetworkName: network.spec.physicalNetworkName,
    isolation: vlan === undefined ? 'None' : (physical?.spec.isolation ?? 'None'),
    ...(vlan === undefined ? {} : { segment: Number(vlan) }),
  }
}

/** The physical network that carries a network: the named one, or the zone's first with Guest traffic. */
export function physicalNetworkOf(
  network: Wish<typeof Network>,
  world: World,
): Wish<typeof PhysicalNetwork> | undefined {
  const { physicalNetworkName, zoneName } = network.spec
  if (physicalNetworkName !== undefined) return world.desired.get(PhysicalNetwork, physicalNetworkName)
  return world.desired
    .list(physicalNetworksByZone, zoneName)
    .find(({ spec }) => spec.allocationState === 'Enabled' && spec.traffic.some(({ type }) => type === 'Guest'))
}

function segmentOf(network: Wish<typeof Network>, world: World): { readonly segment?: number } {
  if (network.spec.vlan !== undefined) return { segment: Number(network.spec.vlan) }
  const held = world.desired.list(allocationsByHolder, network.metadata.uid).find(({ spec }) => spec.type === 'Segment')
  return held === undefined ? {} : { segment: Number(held.spec.value) }
}

/** The segment as a host's NIC is plugged into it; undefined while it is not known. */
export function segmentOn(
  plan: NetworkPlan,
  hostName: string | undefined,
  traffic: TrafficType,
  world: World,
): NetworkSegment | undefined {
  if (plan.physicalNetworkName === undefined || hostName === undefined) return undefined
  const physical = world.desired.get(PhysicalNetwork, plan.physicalNetworkName)
  const host = world.desired.get(Host, hostName)
  const cluster = host === undefined ? undefined : world.desired.get(HostCluster, host.spec.clusterName)
  const entry = physical?.spec.traffic.find(({ type }) => type === traffic)
  if (physical === undefined || entry === undefined) return undefined
  const own = traffic === 'Guest' ? host?.spec.kvm?.guestBridge : undefined
  const label =
    own ?? entry.labels.find(({ hypervisor }) => hypervisor === cluster?.spec.hypervisor)?.label ?? entry.label
  if (traffic !== 'Guest') return { network: physical.metadata.uid, isolation: 'None', label }
  if (plan.isolation === 'None') return { network: plan.uid, isolation: 'None', label }
  if (plan.segment === undefined) return undefined
  return { network: plan.uid, isolation: plan.isolation, id: plan.segment, label }
}
