import { parseNumberRange } from '../../crds/invariants/number-range.ts'
import { FirewallRule } from '../../crds/network/firewall-rule.ts'
import { PublicIP } from '../../crds/network/public-ip.ts'
import type { RouterDocument } from '../../drivers/contract/facts.ts'
import { defineIndex, isStored, type Wish, type World } from '../world.ts'
import { type NetworkKey, networkKey, networkRefOf } from './network-plan.ts'
import { addressHeld, publicIPsByNetwork } from './public-addresses.ts'

type Rule = Wish<typeof FirewallRule>
type Rendered = RouterDocument['firewall']['rules']

/** Firewall rules by what they are on: `Network/<namespace>/<name>` or `PublicIP/<namespace>/<name>`. */
export const firewallRulesByTarget = defineIndex(FirewallRule, 'firewallRulesByTarget', ({ spec, metadata }) => [
  spec.publicIPName === undefined
    ? networkKey('Network', spec.networkName ?? '', metadata.namespace)
    : `PublicIP/${metadata.namespace}/${spec.publicIPName}`,
])

/** The network that a rule works in. */
export function networkOfFirewallRule({ spec, metadata }: Rule, world: World): NetworkKey | undefined {
  if (spec.publicIPName === undefined) return networkKey('Network', spec.networkName ?? '', metadata.namespace)
  const publicIP = world.desired.get(PublicIP, spec.publicIPName, metadata.namespace)
  return publicIP === undefined ? undefined : networkKey('Network', publicIP.spec.networkName, metadata.namespace)
}

/** The firewall rules of a network's router. */
export function firewallRulesOf(key: NetworkKey, world: World): Rendered {
  const { namespace, name } = networkRefOf(key)
  const onNetwork = world.desired.list(firewallRulesByTarget, key).flatMap(rule => render(rule, undefined, world))
  const onAddresses = world.desired.list(publicIPsByNetwork, `${namespace}/${name}`).flatMap(publicIP => {
    const address = addressHeld(publicIP, world)
    if (address === undefined || publicIP.metadata.deletionTimestamp !== undefined) return []
    return world.desired
      .list(firewallRulesByTarget, `PublicIP/${namespace}/${publicIP.metadata.name}`)
      .flatMap(rule => render(rule, address, world))
  })
  return [...onNetwork, ...onAddresses].sort((left, right) => (left.identity < right.identity ? -1 : 1))
}

function render(rule: Rule, address: string | undefined, world: World): Rendered {
  if (rule.metadata.deletionTimestamp !== undefined || !isStored(rule)) return []
  const { direction, protocol, icmpType, icmpCode, sourceCIDRs, destinationCIDRs } = rule.spec
  return [
    {
      identity: world.identity(rule),
      direction,
      protocol,
      ports: portsOf(rule),
      sourceCIDRs: [...sourceCIDRs].sort(),
      destinationCIDRs: [...destinationCIDRs].sort(),
      ...(address === undefined ? {} : { address }),
      ...(icmpType === undefined ? {} : { icmpType }),
      ...(icmpCode === undefined ? {} : { icmpCode }),
    },
  ]
}

function portsOf({ spec }: Rule): readonly (readonly [number, number])[] {
  const single = spec.ports.map(port => [port, port] as const)
  const ranges = spec.portRanges.map(text => {
    const { first, last } = parseNumberRange(text)
    return [first, last] as const
  })
  return [...single, ...ranges].sort((left, right) => left[0] - right[0] || left[1] - right[1])
}
