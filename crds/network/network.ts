import { defineKind } from '../define-kind.ts'
import type { CommonStatus } from '../meta.ts'
import type { DNSName, IPv4Address, IPv4CIDR, ObjectName, Segment } from '../scalars.ts'

/** Network is a tenant's own network: isolated behind a virtual router, or switching only. */
export const Network = defineKind<NetworkSpec, NetworkStatus>({
  group: 'network.skystead.dev',
  version: 'v1alpha1',
  kind: 'Network',
  plural: 'networks',
  scope: 'Namespaced',
  shortNames: ['vnet'],
  columns: [
    { name: 'CIDR', type: 'string', jsonPath: '.status.cidr' },
    { name: 'Source NAT', type: 'string', jsonPath: '.status.sourceNATAddress' },
    { name: 'Offering', type: 'string', jsonPath: '.spec.networkOfferingName' },
    { name: 'Zone', type: 'string', jsonPath: '.spec.zoneName', priority: 1 },
    { name: 'Router', type: 'string', jsonPath: '.status.routerName', priority: 1 },
  ],
  conditions: {
    ReferencesResolved: 'The zone, the offering and the physical network exist.',
    SegmentAllocated: 'The network has its VLAN id or VNI, or needs none.',
    SourceNATReady: 'The network has its source NAT address, or needs none.',
    RouterReady: 'The virtual router serves the network, or none is needed.',
  },
  shard: 'zone',
  selectableFields: ['.spec.zoneName', '.spec.networkOfferingName'],
})

/**
 * NetworkSpec describes a network.
 * @cel !has(self.gateway) || has(self.cidr) :: `gateway` may only be set together with `cidr`
 * @cel !has(self.gateway) || !has(self.cidr) || !isCIDR(self.cidr) || !isIP(self.gateway) || cidr(self.cidr).containsIP(ip(self.gateway)) :: `gateway` must lie inside `cidr`
 */
export interface NetworkSpec {
  /**
   * zoneName names the zone. It cannot be changed.
   * @immutable
   */
  readonly zoneName: ObjectName
  /** networkOfferingName names the network offering. */
  readonly networkOfferingName: ObjectName
  /**
   * cidr is the network's address space, from /8 to /29. Left out: the zone's guestCIDR. It cannot be changed.
   * @immutable
   * @cel !isCIDR(self) || ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].exists(private, cidr(private).containsCIDR(self)) :: must lie in the private address space: 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16
   * @see NET-055
   * @cel !isCIDR(self) || (cidr(self).prefixLength() >= 8 && cidr(self).prefixLength() <= 29) :: must have a prefix length from 8 to 29
   */
  readonly cidr?: IPv4CIDR
  /**
   * gateway is the router's address inside the network. Left out: the first of cidr. It cannot be changed.
   * @immutable
   */
  readonly gateway?: IPv4Address
  /** networkDomain is the DNS suffix of the network's guests. Left out: the zone's. */
  readonly networkDomain?: DNSName
  /**
   * vlan is the operator's choice of VLAN id or VNI. Left out: any free one. It cannot be changed.
   * @immutable
   * @see INF-118
   */
  readonly vlan?: Segment
  /**
   * physicalNetworkName names the physical network. Left out: the one whose tags fit the offering. It cannot be
   * changed.
   * @immutable
   */
  readonly physicalNetworkName?: ObjectName
  /**
   * sourceNATPublicIPName names the PublicIP that is the network's source NAT address. Left out: one is made, named
   * after the network with `-source-nat`.
   */
  readonly sourceNATPublicIPName?: ObjectName
}

/** NetworkStatus is what is known of a network. */
export interface NetworkStatus extends CommonStatus {
  /** cidr is the network's address space. */
  readonly cidr?: IPv4CIDR
  /** gateway is the router's address inside the network. */
  readonly gateway?: IPv4Address
  /** segment is the network's VLAN id or VNI. */
  readonly segment?: Segment
  /** routerName names the virtual router. */
  readonly routerName?: ObjectName
  /** sourceNATAddress is the address that guests are seen with outside. */
  readonly sourceNATAddress?: IPv4Address
}
