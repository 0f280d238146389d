import { overlaps } from '../../crds/invariants/number-range.ts'
import { PortForwardingRule } from '../../crds/network/port-forwarding-rule.ts'
import { PublicIP } from '../../crds/network/public-ip.ts'
import type { RouterDocument } from '../../drivers/contract/facts.ts'
import { defineDerived, defineIndex, isStored, type Wish, type World } from '../world.ts'
import { type GuestTarget, guestAddress } from './guest-address.ts'
import { type NetworkKey, networkKey, networkRefOf } from './network-plan.ts'
import { addressHeld, publicIPsByNetwork } from './public-addresses.ts'

type Rule = Wish<typeof PortForwardingRule>

/** Port forwarding rules by their public address, `namespace/name`. */
export const forwardingsByPublicIP = defineIndex(PortForwardingRule, 'forwardingsByPublicIP', ({ spec, metadata }) => [
  `${metadata.namespace}/${spec.publicIPName}`,
])

/** Names of the rules of a public address that hold, by the name of each that does not: of those that overlap the oldest holds. */
const overruled = defineDerived('overruledForwardings', (publicIPKey, world): Readonly<Record<string, string>> => {
  const holding: Rule[] = []
  const refused: Record<string, string> = {}
  for (const rule of world.desired.list(forwardingsByPublicIP, publicIPKey)) {
    if (rule.metadata.deletionTimestamp !== undefined) continue
    const older = holding.find(other => collide(other, rule))
    if (older === undefined) holding.push(rule)
    else refused[rule.metadata.name] = older.metadata.name
  }
  return refused
})

/** The name of the older rule that holds some of the rule's public ports. One that does not hold itself takes nothing away. */
export function olderForwarding(rule: Rule, world: World): string | undefined {
  return world.derived(overruled, `${rule.metadata.namespace}/${rule.spec.publicIPName}`)[rule.metadata.name]
}

function collide(left: Rule, right: Rule): boolean {
  return left.spec.protocol === right.spec.protocol && overlaps(publicPorts(left), publicPorts(right))
}

function publicPorts({ spec }: Rule) {
  return { first: spec.publicPort, last: spec.publicPortEnd ?? spec.publicPort }
}

/** The network that a rule works in, by its public address. */
export function networkOfForwarding(rule: Rule, world: World): NetworkKey | undefined {
  const publicIP = world.desired.get(PublicIP, rule.spec.publicIPName, rule.metadata.namespace)
  if (publicIP === undefined) return undefined
  return networkKey('Network', publicIP.spec.networkName, publicIP.metadata.namespace)
}

/** The port forwardings of a network's router. */
export function forwardingsOf(key: NetworkKey, world: World): RouterDocument['portForwardings'] {
  const { namespace, name } = networkRefOf(key)
  const forwardings = world.desired.list(publicIPsByNetwork, `${namespace}/${name}`).flatMap(publicIP => {
    if (publicIP.metadata.deletionTimestamp !== undefined || publicIP.spec.staticNAT !== undefined) return []
    const address = addressHeld(publicIP, world)
    if (address === undefined) return []
    return world.desired
      .list(forwardingsByPublicIP, `${namespace}/${publicIP.metadata.name}`)
      .flatMap(rule => renderForwarding(rule, key, address, world))
  })
  return forwardings.sort((left, right) => (left.identity < right.identity ? -1 : 1))
}

/** Where a rule leads. */
export function targetOf({ metadata: { namespace }, spec }: Rule, network: NetworkKey): GuestTarget {
  const { nicName, virtualMachineName } = spec
  return { network, namespace, virtualMachineName, nicName }
}

function renderForwarding(
  rule: Rule,
  key: NetworkKey,
  address: string,
  world: World,
): RouterDocument['portForwardings'] {
  if (rule.metadata.deletionTimestamp !== undefined || !isStored(rule)) return []
  if (olderForwarding(rule, world) !== undefined) return []
  const { protocol, publicPort, publicPortEnd, privatePort, privatePortEnd, sourceCIDRs } = rule.spec
  const target = guestAddress(targetOf(rule, key), world)
  if (target === undefined) return []
  return [
    {
      identity: world.identity(rule),
      protocol,
      address,
      publicPort,
      publicPortEnd: publicPortEnd ?? publicPort,
      target,
      privatePort,
      privatePortEnd: privatePortEnd ?? privatePort + (publicPortEnd ?? publicPort) - publicPort,
      sourceCIDRs: [...sourceCIDRs].sort(),
    },
  ]
}
