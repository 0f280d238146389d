import { type NIC, VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { addressKey, networksOverlap } from '../../crds/invariants/addresses.ts'
import { Network } from '../../crds/network/network.ts'
import type { NetworkSegment, RouterDocument } from '../../drivers/contract/facts.ts'
import { allocate, allocationName, allocationsByHolder, type Claim, holderOf, machineClaim } from '../claims.ts'
import { hashOf, macAddressOf } from '../identity.ts'
import { once } from '../once.ts'
import { isZoneRead } from '../placement/place.ts'
import { acting, blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import { defineDerived, defineIndex, isStored, type Wish, type World } from '../world.ts'
import { type AddressPool, chooseAddress, isUsable } from './addressing.ts'
import { appliedDocument } from './applied-document.ts'
import {
  addressPoolOf,
  guestSegmentOn,
  type NetworkKey,
  type NetworkPlan,
  networkKey,
  networkPlan,
  networkRefOf,
} from './network-plan.ts'
import { routerLacking } from './router-ability.ts'

type Machine = Wish<typeof VirtualMachine>

/** A NIC of a machine: what it has, and what it still lacks. */
export interface NICPlan {
  readonly name: string
  readonly macAddress: string
  /** Undefined until the machine has a place and the network its segment. */
  readonly segment?: NetworkSegment
  /** The addresses it holds, the primary one first. */
  readonly addresses: readonly string[]
  /** Whether it has its addresses: condition `AddressesAllocated`. */
  readonly address: Verdict
  /** Whether its network serves it: condition `NetworkReady`. */
  readonly service: Verdict
}

/** The network of a NIC. */
export function networkOf(machine: Machine, nic: NIC): NetworkKey {
  return nic.sharedNetworkName === undefined
    ? networkKey('Network', nic.networkName ?? '', machine.metadata.namespace)
    : networkKey('SharedNetwork', nic.sharedNetworkName)
}

/** Plans a NIC of a machine. */
export function planNIC(machine: Machine, nic: NIC, world: World): NICPlan {
  return once(world, `nic/${machine.metadata.uid}/${nic.name}`, () => planOneNIC(machine, nic, world))
}

function planOneNIC(machine: Machine, nic: NIC, world: World): NICPlan {
  const identity = world.identity(machine)
  const macAddress = nic.macAddress ?? macAddressOf(identity, nic.name)
  const key = networkOf(machine, nic)
  const plan = world.derived(networkPlan, key)
  const base = { name: nic.name, macAddress }
  if (plan === undefined) {
    const missing = waiting('NetworkNotFound', `The network of NIC "${nic.name}" does not exist yet`)
    return { ...base, addresses: [], address: missing, service: missing }
  }
  if (plan.zoneName !== machine.spec.zoneName) {
    const elsewhere = blocked('ZoneDiffers', otherZone(machine, nic, plan.zoneName))
    return { ...base, addresses: [], address: elsewhere, service: elsewhere }
  }
  const segment = guestSegmentOn(plan, machineClaim(identity, world)?.spec.machine?.hostName, world)
  const { addresses, verdict } = planAddresses(machine, nic, { key, plan, identity }, world)
  return {
    ...base,
    ...(segment === undefined ? {} : { segment }),
    addresses,
    address: verdict,
    service: segmentGone(plan, nic, key, world) ?? serviceOf({ machine, nic, macAddress, addresses, key, plan }, world),
  }
}

function otherZone({ spec: { zoneName } }: Machine, nic: NIC, networkZone: string): string {
  const field = nic.sharedNetworkName === undefined ? 'networkName' : 'sharedNetworkName'
  const name = nic.sharedNetworkName ?? nic.networkName
  return `spec.nics[${nic.name}].${field}: "${name}" is in zone "${networkZone}", the machine in "${zoneName}": choose a network of its zone`
}

interface NICPlace {
  readonly key: NetworkKey
  readonly plan: NetworkPlan
  readonly identity: string
}

interface Addresses {
  readonly addresses: readonly string[]
  readonly verdict: Verdict
}

function planAddresses(machine: Machine, nic: NIC, place: NICPlace, world: World): Addresses {
  const { key, plan, identity } = place
  const clash = macClash(machine, nic, key, world)
  if (clash !== undefined) return refused(clash)
  const pool = addressPoolOf(plan)
  if (pool === undefined) return planWithoutAddresses(nic)
  const neighbour = neighbourOf(machine, nic, place, world)
  if (neighbour !== undefined) return refused(neighbour)
  const held = addressesHeld(machine, plan, world)
  const secondary = nic.secondaryIPs ?? []
  const seen = world.observed
    .machines(identity)
    .flatMap(({ facts }) => facts.definition.nics.filter(({ name }) => name === nic.name))
    .flatMap(({ addresses }) => addresses.slice(0, 1))
  const others = seen.filter(address => !secondary.includes(address))
  const primary = nic.ipAddress ?? primaryHeld(held, secondary, seen) ?? chooseAddress(pool, identity, others, world)
  if (primary === undefined) {
    return refused(waiting('AddressesExhausted', `Network "${key}" has no free address`, { recheck: 60_000 }))
  }
  const wished = [primary, ...secondary.filter(address => address !== primary)]
  for (const address of wished) {
    const field = address === primary ? 'ipAddress' : 'secondaryIPs'
    const refusal = refusalOf(address, `spec.nics[${nic.name}].${field}`, { machine, pool }, world)
    if (refusal !== undefined) return refused(refusal)
  }
  const missing = wished.filter(address => !held.some(({ spec }) => spec.value === addressKey(address)))
  if (missing.length === 0) return { addresses: wished, verdict: satisfied('Allocated') }
  const early = tooEarly(machine, identity, world)
  if (early !== undefined) return refused(early)
  const holder = holderOf(machine)
  const claims = missing.map(address =>
    allocate({ type: 'IP', realm: plan.uid, value: addressKey(address), holder }, world),
  )
  return { addresses: [], verdict: acting('Allocating', `Taking ${missing.join(', ')}`, ...claims) }
}

/**
 * No new address while a machine of this name is, or may be, outside under another identity: it has addresses already,
 * and whoever is rebound to it keeps them.
 */
function tooEarly(machine: Machine, identity: string, world: World): Verdict | undefined {
  if (machineClaim(identity, world) !== undefined) return undefined
  const { name, namespace } = machine.metadata
  if (world.observed.named(machine.kind, namespace, name).some(other => other !== identity)) {
    return waiting('IdentityConflict', 'A machine of this name exists outside under another identity')
  }
  if (isZoneRead(machine.spec.zoneName, world)) return undefined
  return waiting('InventoriesNotRead', 'Addresses are taken as soon as every inventory of the zone was read')
}

function addressesHeld(machine: Machine, plan: NetworkPlan, world: World): readonly Claim[] {
  return world.desired
    .list(allocationsByHolder, machine.metadata.uid)
    .filter(({ spec }) => spec.type === 'IP' && spec.realm === plan.uid)
}

/** A network without addresses of its own cannot give any. */
function planWithoutAddresses(nic: NIC): Addresses {
  const field = nic.ipAddress === undefined ? 'secondaryIPs' : 'ipAddress'
  if (nic.ipAddress === undefined && (nic.secondaryIPs ?? []).length === 0) {
    return { addresses: [], verdict: satisfied('NotNeeded') }
  }
  return refused(
    blocked('NoAddresses', `spec.nics[${nic.name}].${field}: its network gives no addresses: remove the field`),
  )
}

/** Two NICs of a machine are in networks of different subnets: a guest could not tell them apart (NET-081). */
function neighbourOf(machine: Machine, nic: NIC, { key, plan }: NICPlace, world: World): Verdict | undefined {
  for (const other of machine.spec.nics) {
    if (other.name === nic.name || plan.cidr === undefined) continue
    const network = networkOf(machine, other)
    if (network === key) {
      return blocked(
        'NetworkTwice',
        `spec.nics: ${nic.name} and ${other.name} are in the same network; a machine has one NIC in each`,
      )
    }
    const cidr = world.derived(networkPlan, network)?.cidr
    if (cidr === undefined || !networksOverlap(cidr, plan.cidr)) continue
    return blocked(
      'SubnetsOverlap',
      `spec.nics: the networks of ${nic.name} (${plan.cidr}) and ${other.name} (${cidr}) overlap: choose different subnets`,
    )
  }
  return undefined
}

/** Of machines that wish the same MAC address in one network the oldest has it. */
function macClash(machine: Machine, nic: NIC, key: NetworkKey, world: World): Verdict | undefined {
  if (nic.macAddress === undefined) return undefined
  const [oldest] = world.desired.list(machinesByMAC, `${key}#${nic.macAddress.toLowerCase()}`)
  if (oldest === undefined || oldest.metadata.uid === machine.metadata.uid) return undefined
  return blocked(
    'MACAddressTaken',
    `spec.nics[${nic.name}].macAddress: machine "${oldest.metadata.name}" has ${nic.macAddress} in this network: choose another`,
  )
}

const machinesByMAC = defineIndex(VirtualMachine, 'machinesByMAC', machine =>
  machine.spec.nics.flatMap(nic =>
    nic.macAddress === undefined ? [] : [`${networkOf(machine, nic)}#${nic.macAddress.toLowerCase()}`],
  ),
)

function refused(verdict: Verdict): Addresses {
  return { addresses: [], verdict }
}

/** The primary address held already: the one that the host has, where several are held. */
function primaryHeld(
  held: readonly Claim[],
  secondary: readonly string[],
  seen: readonly string[],
): string | undefined {
  const values = held.map(({ spec }) => spec.value).filter(value => !secondary.includes(value))
  return values.find(value => seen.includes(value)) ?? values[0]
}

function refusalOf(
  address: string,
  field: string,
  { machine, pool }: { readonly machine: Machine; readonly pool: AddressPool },
  world: World,
): Verdict | undefined {
  if (address === pool.gateway) return blocked('AddressIsGateway', `${field}: ${address} is the network's gateway`)
  if (!isUsable(address, pool)) {
    return blocked('AddressOutsideNetwork', `${field}: ${address} is none that hosts of ${pool.cidr} may be given`)
  }
  const claim = world.desired.get(Allocation, allocationName('IP', addressKey(address), pool.uid))
  if (claim === undefined || claim.spec.holder.uid === machine.metadata.uid) return undefined
  return waiting(
    'AddressTaken',
    `${field}: ${address} is held by ${claim.spec.holder.kind} "${claim.spec.holder.name}"`,
  )
}

interface Served {
  readonly machine: Machine
  readonly nic: NIC
  readonly macAddress: string
  readonly addresses: readonly string[]
  readonly key: NetworkKey
  readonly plan: NetworkPlan
}

/** Why there is nothing to plug a NIC into any more: nobody takes a new segment for a network that is being deleted. */
function segmentGone(plan: NetworkPlan, nic: NIC, key: NetworkKey, world: World): Verdict | undefined {
  if (plan.isolation === 'None' || plan.segment !== undefined || plan.kind === 'SharedNetwork') return undefined
  const { name, namespace } = networkRefOf(key)
  if (world.desired.get(Network, name, namespace)?.metadata.deletionTimestamp === undefined) return undefined
  return waiting(
    'NetworkDeleting',
    `spec.nics[${nic.name}].networkName: Network "${name}" is being deleted and has no segment any more: remove the NIC`,
  )
}

function serviceOf({ machine, nic, macAddress, addresses, key, plan }: Served, world: World): Verdict {
  if (!plan.routed || !plan.services.includes('DHCP')) return satisfied('NoRouterNeeded')
  const lacking = routerLacking(plan, world)
  if (lacking !== undefined) return lacking
  const [address] = addresses
  if (address === undefined) return waiting('AddressMissing', `NIC "${nic.name}" has no address yet`)
  const leased = world.derived(leaseOf, `${key}#${macAddress}`)
  if (leased === `${address} ${guestHostName(machine)}`) return satisfied('Served')
  return waiting('RouterNotConfigured', `The virtual router does not serve NIC "${nic.name}" yet`)
}

/** The name of the NIC that holds a machine's default route. */
export function defaultNIC({ spec }: Machine): string | undefined {
  return spec.defaultNICName ?? spec.nics[0]?.name
}

/** The name the guest gets. */
export function guestHostName(machine: Machine): string {
  return machine.spec.guestHostName ?? machine.metadata.name
}

/** What the router of a network really leases to a MAC, `<address> <host name>`. By `<network key>#<mac>`. */
const leaseOf = defineDerived('leaseOf', (key, world): string | undefined => {
  const at = key.lastIndexOf('#')
  const document = appliedDocument(key.slice(0, at), world)
  return document === undefined ? undefined : leases(document).get(key.slice(at + 1))
})

const leasesOf = new WeakMap<RouterDocument, ReadonlyMap<string, string>>()

function leases(document: RouterDocument): ReadonlyMap<string, string> {
  const known = leasesOf.get(document)
  if (known !== undefined) return known
  const map = new Map(document.dhcp.map(entry => [entry.macAddress, `${entry.address} ${entry.hostName}`]))
  leasesOf.set(document, map)
  return map
}

/** A machine's entries in the documents of its networks' routers. */
export interface DHCPEntry {
  readonly network: NetworkKey
  readonly nic: string
  readonly macAddress: string
  readonly address: string
  readonly hostName: string
  readonly defaultRoute: boolean
  /** Hash of the machine's user data; left out where it has none. */
  readonly userDataHash?: string
}

/** What routers shall lease to a machine, by `<namespace>/<name>` of the machine. */
export const dhcpEntries = defineDerived('dhcpEntries', (key, world): readonly DHCPEntry[] => {
  const at = key.indexOf('/')
  const machine = world.desired.get(VirtualMachine, key.slice(at + 1), key.slice(0, at))
  if (machine === undefined || !isStored(machine)) return []
  const identity = world.identity(machine)
  const first = defaultNIC(machine)
  const { userData } = machine.spec
  return machine.spec.nics.flatMap((nic): readonly DHCPEntry[] => {
    const network = networkOf(machine, nic)
    const plan = world.derived(networkPlan, network)
    if (plan === undefined || addressesHeld(machine, plan, world).length === 0) return []
    const [address] = planAddresses(machine, nic, { key: network, plan, identity }, world).addresses
    if (address === undefined) return []
    const macAddress = nic.macAddress ?? macAddressOf(identity, nic.name)
    return [
      {
        network,
        nic: nic.name,
        macAddress,
        address,
        hostName: guestHostName(machine),
        defaultRoute: nic.name === first,
        ...(userData === undefined ? {} : { userDataHash: hashOf(userData) }),
      },
    ]
  })
})
