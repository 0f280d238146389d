import type { Allocatable, CapacityStatus } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { IPRange, IPv4Address, IPv4CIDR, ObjectName, VLANId } from '../scalars.ts'

/** PublicIPRange holds addresses that the Internet reaches, for tenants' public IPs and for system VMs. */
export const PublicIPRange = defineKind<PublicIPRangeSpec, PublicIPRangeStatus>({
  group: 'infrastructure.skystead.dev',
  version: 'v1alpha1',
  kind: 'PublicIPRange',
  plural: 'publicipranges',
  scope: 'Cluster',
  shortNames: ['piprange'],
  columns: [
    { name: 'Zone', type: 'string', jsonPath: '.spec.zoneName' },
    { name: 'CIDR', type: 'string', jsonPath: '.spec.cidr' },
    { name: 'VLAN', type: 'integer', jsonPath: '.spec.vlan' },
    { name: 'Addresses', type: 'string', jsonPath: '.spec.addresses', priority: 1 },
  ],
  conditions: {
    ReferencesResolved: 'The zone exists.',
    Valid: 'No other range of a zone holds the same addresses.',
    CapacityAvailable: 'The addresses given out are below the threshold.',
  },
  shard: 'zone',
  selectableFields: ['.spec.zoneName'],
})

/**
 * PublicIPRangeSpec describes a range of public addresses.
 * @cel !isCIDR(self.cidr) || !isIP(self.gateway) || cidr(self.cidr).containsIP(ip(self.gateway)) :: `gateway` must lie inside `cidr`
 * @cel !isCIDR(self.cidr) || self.addresses.all(range, range.split('-').all(address, !isIP(address) || cidr(self.cidr).containsIP(ip(address)))) :: `addresses` must lie inside `cidr`
 * @see INF-040
 */
export interface PublicIPRangeSpec extends Allocatable {
  /**
   * zoneName names the zone. It cannot be changed.
   * @immutable
   */
  readonly zoneName: ObjectName
  /** cidr is the subnet of the addresses. */
  readonly cidr: IPv4CIDR
  /** gateway is the router of the subnet. */
  readonly gateway: IPv4Address
  /**
   * addresses lists the addresses that may be given out, as ranges.
   * @listType set
   * @minItems 1
   * @maxItems 32
   */
  readonly addresses: readonly IPRange[]
  /** vlan is the VLAN id of the subnet. Left out: it is untagged. */
  readonly vlan?: VLANId
}

/** PublicIPRangeStatus is what is known of a range of public addresses. */
export interface PublicIPRangeStatus extends CapacityStatus {}
