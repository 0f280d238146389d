import type { Allocatable, CapacityStatus } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { DNSName, IPRange, IPv4Address, IPv4CIDR, ObjectName, Segment } from '../scalars.ts'

/** SharedNetwork is a network of the operator's that machines of many tenants use. */
export const SharedNetwork = defineKind<SharedNetworkSpec, SharedNetworkStatus>({
  group: 'network.skystead.dev',
  version: 'v1alpha1',
  kind: 'SharedNetwork',
  plural: 'sharednetworks',
  scope: 'Cluster',
  shortNames: ['snet'],
  columns: [
    { name: 'CIDR', type: 'string', jsonPath: '.spec.cidr' },
    { name: 'VLAN', type: 'integer', jsonPath: '.spec.vlan' },
    { name: 'Zone', type: 'string', jsonPath: '.spec.zoneName' },
    { name: 'Offering', type: 'string', jsonPath: '.spec.networkOfferingName', priority: 1 },
    { name: 'Router', type: 'string', jsonPath: '.status.routerName', priority: 1 },
  ],
  conditions: {
    ReferencesResolved: 'The zone, the offering and the physical network exist.',
    SegmentAllocated: 'No other network holds the same VLAN id or VNI.',
    RouterReady: 'The virtual router serves the network, or none is needed.',
    CapacityAvailable: 'The addresses given out are below the threshold.',
  },
  shard: 'zone',
  selectableFields: ['.spec.zoneName'],
})

/**
 * SharedNetworkSpec describes a shared network.
 * @cel !isCIDR(self.cidr) || !isIP(self.gateway) || cidr(self.cidr).containsIP(ip(self.gateway)) :: `gateway` must lie inside `cidr`
 * @cel !isCIDR(self.cidr) || self.addresses.all(range, range.split('-').all(address, !isIP(address) || cidr(self.cidr).containsIP(ip(address)))) :: `addresses` must lie inside `cidr`
 * @see OFF-082 OFF-084
 */
export interface SharedNetworkSpec extends Allocatable {
  /**
   * zoneName names the zone. It cannot be changed.
   * @immutable
   */
  readonly zoneName: ObjectName
  /**
   * physicalNetworkName names the physical network. It cannot be changed.
   * @immutable
   */
  readonly physicalNetworkName: ObjectName
  /**
   * networkOfferingName names the network offering. It cannot be changed.
   * @immutable
   */
  readonly networkOfferingName: ObjectName
  /**
   * cidr is the subnet. It cannot be changed.
   * @immutable
   */
  readonly cidr: IPv4CIDR
  /**
   * gateway is the router of the subnet. It cannot be changed.
   * @immutable
   */
  readonly gateway: IPv4Address
  /**
   * addresses lists the addresses that guests may be given, as ranges.
   * @listType set
   * @minItems 1
   * @maxItems 32
   */
  readonly addresses: readonly IPRange[]
  /**
   * vlan is the VLAN id or VNI. Left out: the network is untagged. It cannot be changed.
   * @immutable
   */
  readonly vlan?: Segment
  /** networkDomain is the DNS suffix of the network's guests. Left out: the zone's. */
  readonly networkDomain?: DNSName
}

/** SharedNetworkStatus is what is known of a shared network. */
export interface SharedNetworkStatus extends CapacityStatus {
  /** routerName names the virtual router. */
  readonly routerName?: ObjectName
}
