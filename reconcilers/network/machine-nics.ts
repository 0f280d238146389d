import { type NIC, VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { addressFromNumber, addressKey, addressToNumber } from '../../crds/invariants/addresses.ts'
import { contains } from '../../crds/invariants/number-range.ts'
import type { NetworkSegment, RouterDocument } from '../../drivers/contract/facts.ts'
import { allocate, allocationName, allocationsByHolder, type Claim, holderOf, machineClaim } from '../claims.ts'
import { macAddressOf } from '../identity.ts'
import { once } from '../once.ts'
import { acting, blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import { defineDerived, isStored, type Wish, type World } from '../world.ts'
import { appliedDocument } from './applied-document.ts'
import { freeValue } from './free-value.ts'
import { type NetworkKey, type NetworkPlan, networkKey, networkPlan, segmentOn } from './network-plan.ts'

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
  const segment = segmentOn(plan, machineClaim(identity, world)?.spec.machine?.hostName, 'Guest', world)
  const { addresses, verdict } = planAddresses(machine, nic, { key, plan, identity }, world)
  return {
    ...base,
    ...(segment === undefined ? {} : { segment }),
    addresses,
    address: verdict,
    service: serviceOf({ machine, nic, macAddress, addresses, key, plan }, world),
  }
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
  const { plan, identity } = place
  if (plan.cidr === undefined) return { addresses: [], verdict: satisfied('NotNeeded') }
  const sameNetwork = machine.spec.nics.filter(other => networkOf(machine, other) === place.key)
  if (sameNetwork.length > 1) {
    const names = sameNetwork.map(({ name }) => name).join(', ')
    return refused(
      blocked('NetworkTwice', `spec.nics: ${names} are in the same network; a machine has one NIC in each`),
    )
  }
  const held = world.desired
    .list(allocationsByHolder, machine.metadata.uid)
    .filter(({ spec }) => spec.type === 'IP' && spec.realm === plan.uid)
  const secondary = nic.secondaryIPs
  const primary = nic.ipAddress ?? primaryHeld(held, secondary) ?? chooseAddress(plan, identity, world)
  if (primary === undefined) {
    return refused(waiting('AddressesExhausted', `Network "${place.key}" has no free address`, { recheck: 60_000 }))
  }
  const wished = [primary, ...secondary]
  for (const address of wished) {
    const refusal = refusalOf(address, { machine, nic, plan }, world)
    if (refusal !== undefined) return refused(refusal)
  }
  const missing = wished.filter(address => !held.some(({ spec }) => spec.value === addressKey(address)))
  if (missing.length === 0) return { addresses: wished, verdict: satisfied('Allocated') }
  const holder = holderOf(machine)
  const claims = missing.map(address =>
    allocate({ type: 'IP', realm: plan.uid, value: addressKey(address), holder }, world),
  )
  return { addresses: [], verdict: acting('Allocating', `Taking ${missing.join(', ')}`, ...claims) }
}

function refused(verdict: Verdict): Addresses {
  return { addresses: [], verdict }
}

function primaryHeld(held: readonly Claim[], secondary: readonly string[]): string | undefined {
  return held.find(({ spec }) => !secondary.includes(spec.value))?.spec.value
}

/** The address that the machine was seen with, so that a fresh control plane takes it again; else the next free one. */
function chooseAddress(plan: NetworkPlan, identity: string, world: World): string | undefined {
  const isTaken = (address: string) =>
    address === plan.gateway || world.desired.exists(Allocation, allocationName('IP', addressKey(address), plan.uid))
  const seen = world.observed
    .machines(identity)
    .flatMap(({ facts }) => facts.definition.nics.flatMap(({ addresses }) => addresses))
    .find(address => plan.pool.some(range => contains(range, addressToNumber(address))) && !isTaken(address))
  if (seen !== undefined) return seen
  const value = freeValue(plan.pool, identity, number => isTaken(addressFromNumber(number)))
  return value === undefined ? undefined : addressFromNumber(value)
}

function refusalOf(
  address: string,
  { machine, nic, plan }: { machine: Machine; nic: NIC; plan: NetworkPlan },
  world: World,
): Verdict | undefined {
  const field = `spec.nics[${nic.name}].ipAddress`
  if (address === plan.gateway) return blocked('AddressIsGateway', `${field}: ${address} is the network's gateway`)
  if (!plan.pool.some(range => contains(range, addressToNumber(address)))) {
    return blocked('AddressOutsideNetwork', `${field}: ${address} is not in ${plan.cidr}`)
  }
  const claim = world.desired.get(Allocation, allocationName('IP', addressKey(address), plan.uid))
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

function serviceOf({ machine, nic, macAddress, addresses, key, plan }: Served, world: World): Verdict {
  if (!plan.routed || !plan.services.includes('DHCP')) return satisfied('NoRouterNeeded')
  const [address] = addresses
  if (address === undefined) return waiting('AddressMissing', `NIC "${nic.name}" has no address yet`)
  const leased = world.derived(leaseOf, `${key}#${macAddress}`)
  if (leased === `${address} ${guestHostName(machine)}`) return satisfied('Served')
  return waiting('RouterNotConfigured', `The virtual router does not serve NIC "${nic.name}" yet`)
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
}

/** What routers shall lease to a machine, by `<namespace>/<name>` of the machine. */
export const dhcpEntries = defineDerived('dhcpEntries', (key, world): readonly DHCPEntry[] => {
  const at = key.indexOf('/')
  const machine = world.desired.get(VirtualMachine, key.slice(at + 1), key.slice(0, at))
  if (machine === undefined || !isStored(machine)) return []
  const identity = world.identity(machine)
  const first = machine.spec.defaultNICName ?? machine.spec.nics[0]?.name
  return machine.spec.nics.flatMap((nic): readonly DHCPEntry[] => {
    const network = networkOf(machine, nic)
    const plan = world.derived(networkPlan, network)
    if (plan === undefined) return []
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
      },
    ]
  })
})
