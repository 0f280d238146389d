import { defineKind } from '../define-kind.ts'
import type { CommonStatus } from '../meta.ts'
import type { CIDR, Label, ObjectName, Port } from '../scalars.ts'

/** PortForwardingRule leads ports of a public address to a machine. */
export const PortForwardingRule = defineKind<PortForwardingRuleSpec, PortForwardingRuleStatus>({
  group: 'network.skystead.dev',
  version: 'v1alpha1',
  kind: 'PortForwardingRule',
  plural: 'portforwardingrules',
  scope: 'Namespaced',
  shortNames: ['pfr'],
  columns: [
    { name: 'Public IP', type: 'string', jsonPath: '.spec.publicIPName' },
    { name: 'Protocol', type: 'string', jsonPath: '.spec.protocol' },
    { name: 'Port', type: 'integer', jsonPath: '.spec.publicPort' },
    { name: 'Machine', type: 'string', jsonPath: '.spec.virtualMachineName' },
    { name: 'Private Port', type: 'integer', jsonPath: '.spec.privatePort', priority: 1 },
  ],
  conditions: {
    ReferencesResolved: 'The public IP and the machine exist.',
    Valid: 'No older rule holds the same ports, and the network offers port forwarding.',
    Applied: 'The router leads the ports to the machine.',
  },
  shard: 'place',
  selectableFields: ['.spec.publicIPName', '.spec.virtualMachineName'],
})

/**
 * PortForwardingRuleSpec describes a port forwarding rule.
 * @cel !has(self.publicPortEnd) || self.publicPortEnd >= self.publicPort :: `publicPortEnd` may not be lower than `publicPort`
 * @cel !has(self.privatePortEnd) || self.privatePortEnd >= self.privatePort :: `privatePortEnd` may not be lower than `privatePort`
 * @cel !has(self.privatePortEnd) || (self.privatePortEnd - self.privatePort == (has(self.publicPortEnd) ? self.publicPortEnd - self.publicPort : 0)) :: the private ports must be as many as the public ports
 * @cel !has(self.publicPortEnd) || self.privatePort + self.publicPortEnd - self.publicPort <= 65535 :: the private ports may not pass 65535: choose a lower `privatePort`
 */
export interface PortForwardingRuleSpec {
  /**
   * publicIPName names the PublicIP. It cannot be changed.
   * @immutable
   */
  readonly publicIPName: ObjectName
  /**
   * protocol is 'TCP' or 'UDP'.
   * @see NET-162
   */
  readonly protocol: 'TCP' | 'UDP'
  /** publicPort is the first port of the public address. */
  readonly publicPort: Port
  /** publicPortEnd is the last port of the public address. Left out: publicPort alone. */
  readonly publicPortEnd?: Port
  /** privatePort is the first port of the machine. */
  readonly privatePort: Port
  /** privatePortEnd is the last port of the machine. Left out: as many as there are public ports. */
  readonly privatePortEnd?: Port
  /** virtualMachineName names the machine. */
  readonly virtualMachineName: ObjectName
  /** nicName names the machine's NIC. Left out: its NIC in the network of the address. */
  readonly nicName?: Label
  /**
   * sourceCIDRs opens exactly these ports for traffic from there. Default: none, and FirewallRules alone decide.
   * @default []
   * @listType set
   * @maxItems 64
   */
  readonly sourceCIDRs: readonly CIDR[]
}

/** PortForwardingRuleStatus is what is known of a port forwarding rule. */
export interface PortForwardingRuleStatus extends CommonStatus {}
