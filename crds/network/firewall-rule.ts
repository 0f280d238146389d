import { defineKind } from '../define-kind.ts'
import type { CommonStatus } from '../meta.ts'
import type { CIDR, ObjectName, Port, PortRange } from '../scalars.ts'

/** FirewallRule names traffic to a public address, or traffic that leaves a network. */
export const FirewallRule = defineKind<FirewallRuleSpec, FirewallRuleStatus>({
  group: 'network.skystead.dev',
  version: 'v1alpha1',
  kind: 'FirewallRule',
  plural: 'firewallrules',
  scope: 'Namespaced',
  shortNames: ['fwr'],
  columns: [
    { name: 'Direction', type: 'string', jsonPath: '.spec.direction' },
    { name: 'Protocol', type: 'string', jsonPath: '.spec.protocol' },
    { name: 'Ports', type: 'string', jsonPath: '.spec.ports' },
    { name: 'Network', type: 'string', jsonPath: '.spec.networkName', priority: 1 },
    { name: 'Public IP', type: 'string', jsonPath: '.spec.publicIPName', priority: 1 },
  ],
  conditions: {
    ReferencesResolved: 'The network or the public IP exists.',
    Valid: 'The network offers a firewall.',
    Applied: 'The router keeps the rule.',
  },
  shard: 'place',
  selectableFields: ['.spec.publicIPName', '.spec.networkName'],
})

/**
 * FirewallRuleSpec describes a firewall rule. A rule to a public address lets traffic in. A rule on a network lets
 * traffic out where the offering's egressDefault is 'Deny', and holds it back where that is 'Allow'.
 * @cel has(self.publicIPName) == (self.direction == 'Ingress') :: `publicIPName` must be set where `direction` is 'Ingress', and only there
 * @cel has(self.networkName) == (self.direction == 'Egress') :: `networkName` must be set where `direction` is 'Egress', and only there
 * @cel self.protocol in ['TCP', 'UDP'] || (size(self.ports) == 0 && size(self.portRanges) == 0) :: `ports` and `portRanges` may only be set where `protocol` is 'TCP' or 'UDP'
 * @cel self.protocol == 'ICMP' || (!has(self.icmpType) && !has(self.icmpCode)) :: `icmpType` and `icmpCode` may only be set where `protocol` is 'ICMP'
 * @cel !has(self.icmpCode) || has(self.icmpType) :: `icmpCode` may only be set together with `icmpType`
 */
export interface FirewallRuleSpec {
  /**
   * direction is 'Ingress' (to a public address) or 'Egress' (out of a network). It cannot be changed.
   * @immutable
   */
  readonly direction: 'Ingress' | 'Egress'
  /**
   * networkName names the network of an 'Egress' rule. It cannot be changed.
   * @immutable
   */
  readonly networkName?: ObjectName
  /**
   * publicIPName names the PublicIP of an 'Ingress' rule. It cannot be changed.
   * @immutable
   */
  readonly publicIPName?: ObjectName
  /**
   * protocol is 'TCP', 'UDP', 'ICMP' or 'All'.
   * @see NET-152 NET-160
   */
  readonly protocol: 'TCP' | 'UDP' | 'ICMP' | 'All'
  /**
   * ports lists destination ports. Default: none; without portRanges too, every port is meant.
   * @default []
   * @listType set
   * @maxItems 64
   */
  readonly ports: readonly Port[]
  /**
   * portRanges lists destination ports as ranges: `8000-8100`. Default: none.
   * @default []
   * @listType set
   * @maxItems 64
   */
  readonly portRanges: readonly PortRange[]
  /**
   * icmpType is the ICMP type. Left out: every type.
   * @integer
   * @minimum 0
   * @maximum 255
   */
  readonly icmpType?: number
  /**
   * icmpCode is the ICMP code. Left out: every code.
   * @integer
   * @minimum 0
   * @maximum 255
   */
  readonly icmpCode?: number
  /**
   * sourceCIDRs lists where the traffic comes from. Default: none, which means from anywhere.
   * @default []
   * @listType set
   * @maxItems 64
   */
  readonly sourceCIDRs: readonly CIDR[]
  /**
   * destinationCIDRs lists where the traffic goes to. Default: none, which means to anywhere.
   * @default []
   * @listType set
   * @maxItems 64
   */
  readonly destinationCIDRs: readonly CIDR[]
}

/** FirewallRuleStatus is what is known of a firewall rule. */
export interface FirewallRuleStatus extends CommonStatus {}
