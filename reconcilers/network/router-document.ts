import { Network } from '../../crds/network/network.ts'
import type { PublicIP } from '../../crds/network/public-ip.ts'
import type { RouterDocument } from '../../drivers/contract/facts.ts'
import { hashOf } from '../identity.ts'
import { defineDerived, isStored, type Wish, type World } from '../world.ts'
import { firewallRulesOf } from './firewall-rules.ts'
import { guestAddress } from './guest-address.ts'
import { type DHCPEntry, dhcpEntries } from './machine-nics.ts'
import { machinesByNetwork, type NetworkKey, type NetworkPlan, networkPlan, networkRefOf } from './network-plan.ts'
import { forwardingsOf } from './port-forwardings.ts'
import { addressHeld, publicIPsByNetwork, rangeOfAddress } from './public-addresses.ts'

/** What a router shall hold, and its hash. */
export interface RenderedDocument {
  readonly hash: string
  readonly document: RouterDocument
}

/** Everything that concerns a network, rendered as its router's document. By network key. */
export const routerDocument = defineDerived(
  'routerDocument',
  (key: NetworkKey, world): RenderedDocument | undefined => {
    const plan = world.derived(networkPlan, key)
    if (plan?.cidr === undefined || plan.gateway === undefined) return undefined
    const document: RouterDocument = {
      guest: { cidr: plan.cidr, gateway: plan.gateway, domain: plan.domain, dns: plan.dns },
      dhcp: dhcpOf(key, world),
      publicAddresses: publicAddressesOf(key, plan, world),
      portForwardings: forwardingsOf(key, world),
      firewall: { egressDefault: plan.egressDefault, rules: firewallRulesOf(key, world) },
      userData: userDataOf(key, plan, world),
    }
    return { hash: hashOf(document), document }
  },
)

function dhcpOf(key: NetworkKey, world: World): RouterDocument['dhcp'] {
  return entriesOf(key, world)
    .map(({ macAddress, address, hostName, defaultRoute }) => ({ macAddress, address, hostName, defaultRoute }))
    .sort((left, right) => (left.macAddress < right.macAddress ? -1 : 1))
}

function userDataOf(key: NetworkKey, plan: NetworkPlan, world: World): RouterDocument['userData'] {
  if (!plan.services.includes('UserData')) return []
  return entriesOf(key, world)
    .flatMap(({ address, userDataHash }) => (userDataHash === undefined ? [] : [{ address, hash: userDataHash }]))
    .sort((left, right) => (left.address < right.address ? -1 : 1))
}

function entriesOf(key: NetworkKey, world: World): readonly DHCPEntry[] {
  return world.desired
    .list(machinesByNetwork, key)
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .flatMap(({ metadata }) => world.derived(dhcpEntries, `${metadata.namespace}/${metadata.name}`))
    .filter(({ network }) => network === key)
}

function publicAddressesOf(key: NetworkKey, plan: NetworkPlan, world: World): RouterDocument['publicAddresses'] {
  const { namespace, name } = networkRefOf(key)
  const sourceNAT = sourceNATName(key, world)
  const addresses = world.desired.list(publicIPsByNetwork, `${namespace}/${name}`).flatMap(publicIP => {
    if (publicIP.metadata.deletionTimestamp !== undefined || !isStored(publicIP)) return []
    const address = addressHeld(publicIP, world)
    const range = address === undefined ? undefined : rangeOfAddress(plan.zoneName, address, world)
    if (address === undefined || range === undefined) return []
    const staticNAT = staticNATTarget(publicIP, key, world)
    const { cidr, gateway, vlan } = range.spec
    return [
      {
        address,
        cidr,
        gateway,
        sourceNAT: publicIP.metadata.name === sourceNAT,
        ...(vlan === undefined ? {} : { vlan }),
        ...(staticNAT === undefined ? {} : { staticNAT }),
      },
    ]
  })
  return addresses.sort((left, right) => (left.address < right.address ? -1 : 1))
}

/** The name of the PublicIP that a network's traffic leaves from; undefined where nothing translates sources. */
export function sourceNATName(key: NetworkKey, world: World): string | undefined {
  const { kind, namespace, name } = networkRefOf(key)
  if (kind === 'SharedNetwork' || !world.derived(networkPlan, key)?.services.includes('SourceNAT')) return undefined
  const network = world.desired.get(Network, name, namespace)
  return network?.spec.sourceNATPublicIPName ?? `${name}-source-nat`
}

/** The guest address that a public address is translated to as a whole; undefined while the machine has none. */
export function staticNATTarget(publicIP: Wish<typeof PublicIP>, key: NetworkKey, world: World): string | undefined {
  const wished = publicIP.spec.staticNAT
  if (wished === undefined) return undefined
  return guestAddress({ network: key, namespace: publicIP.metadata.namespace, ...wished }, world)
}
