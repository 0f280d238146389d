import { defineKind } from '../define-kind.ts'
import type { CommonStatus } from '../meta.ts'
import type { IPv4Address, Label, ObjectName } from '../scalars.ts'

/** PublicIP is an address that the Internet reaches, taken for a network. */
export const PublicIP = defineKind<PublicIPSpec, PublicIPStatus>({
  group: 'network.skystead.dev',
  version: 'v1alpha1',
  kind: 'PublicIP',
  plural: 'publicips',
  scope: 'Namespaced',
  shortNames: ['pip'],
  columns: [
    { name: 'Address', type: 'string', jsonPath: '.status.address' },
    { name: 'Network', type: 'string', jsonPath: '.spec.networkName' },
    { name: 'Static NAT', type: 'string', jsonPath: '.spec.staticNAT.virtualMachineName' },
    { name: 'Zone', type: 'string', jsonPath: '.spec.zoneName', priority: 1 },
  ],
  conditions: {
    ReferencesResolved: 'The zone, the network and the machine exist.',
    AddressAllocated: 'The address is taken.',
    Associated: 'The network serves the address, or nothing needs it yet.',
  },
  shard: 'zone',
  selectableFields: ['.spec.zoneName', '.spec.networkName'],
})

/** PublicIPSpec describes a public address. */
export interface PublicIPSpec {
  /**
   * zoneName names the zone. It cannot be changed.
   * @immutable
   */
  readonly zoneName: ObjectName
  /**
   * networkName names the network that serves the address. It cannot be changed.
   * @immutable
   */
  readonly networkName: ObjectName
  /**
   * address is the address wished for. Left out: any free one. It cannot be changed.
   * @immutable
   */
  readonly address?: IPv4Address
  /** staticNAT gives the address to one machine; no other rule may use it then. Left out: rules say. */
  readonly staticNAT?: StaticNAT
}

/** StaticNAT names the machine that has an address to itself. */
export interface StaticNAT {
  /** virtualMachineName names the machine. */
  readonly virtualMachineName: ObjectName
  /** nicName names the machine's NIC. Left out: its NIC in the network of the address. */
  readonly nicName?: Label
}

/** PublicIPStatus is what is known of a public address. */
export interface PublicIPStatus extends CommonStatus {
  /** address is the address taken. */
  readonly address?: IPv4Address
}
