import type { Offered } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { CommonStatus } from '../meta.ts'
import type { Mbps, Tag } from '../scalars.ts'

/** NetworkOffering is a kind of network that may be chosen: its services, and who provides each of them. */
export const NetworkOffering = defineKind<NetworkOfferingSpec, NetworkOfferingStatus>({
  group: 'network.skystead.dev',
  version: 'v1alpha1',
  kind: 'NetworkOffering',
  plural: 'networkofferings',
  scope: 'Cluster',
  shortNames: ['noff'],
  columns: [
    { name: 'Guest', type: 'string', jsonPath: '.spec.guestType' },
    { name: 'Egress', type: 'string', jsonPath: '.spec.egressDefault' },
    { name: 'Allocation', type: 'string', jsonPath: '.spec.allocationState' },
  ],
  conditions: {},
  shard: 'global',
})

/**
 * NetworkOfferingSpec describes a network offering.
 * @cel self.guestType != 'L2' || size(self.services) == 0 :: `services` must be empty where `guestType` is 'L2': remove them
 * @cel self.guestType != 'Shared' || !self.services.exists(service, service.name in ['PortForwarding', 'VPN', 'NetworkACL']) :: `services` may not hold 'PortForwarding', 'VPN' or 'NetworkACL' where `guestType` is 'Shared'
 * @cel self.guestType != 'Isolated' || !self.services.exists(service, service.name == 'SecurityGroup') :: `services` may not hold 'SecurityGroup' where `guestType` is 'Isolated'
 * @cel !self.persistent || self.guestType == 'Isolated' :: `persistent` may only be true where `guestType` is 'Isolated'
 * @cel !self.services.exists(service, service.name in ['StaticNAT', 'PortForwarding']) || self.guestType != 'Isolated' || self.services.exists(service, service.name == 'SourceNAT') :: `services` must hold 'SourceNAT' where they hold 'StaticNAT' or 'PortForwarding' and `guestType` is 'Isolated'
 * @see OFF-091 OFF-104 OFF-105 OFF-106
 */
export interface NetworkOfferingSpec extends Offered {
  /**
   * guestType is 'Isolated' (one tenant's own), 'Shared' (of many tenants) or 'L2' (switching only). It cannot be
   * changed.
   * @immutable
   */
  readonly guestType: GuestType
  /**
   * services lists what networks offer. It cannot be changed. Default: none.
   * @default []
   * @listType map
   * @listMapKey name
   * @maxItems 16
   * @immutable
   */
  readonly services: readonly NetworkService[]
  /**
   * egressDefault says what becomes of traffic from guests that no rule names; egress rules name the exceptions. It
   * cannot be changed. Default 'Allow'.
   * @default "Allow"
   * @immutable
   * @see OFF-123 NET-157
   */
  readonly egressDefault: 'Allow' | 'Deny'
  /**
   * persistent keeps a network's router and segment also while no machine is in it. It cannot be changed. Default
   * false.
   * @default false
   * @immutable
   * @see OFF-090
   */
  readonly persistent: boolean
  /**
   * specifyVLAN lets operators name the VLAN of a network. It cannot be changed. Default false.
   * @default false
   * @immutable
   * @see OFF-107
   */
  readonly specifyVLAN: boolean
  /**
   * conserveMode lets several services share a public IP. It cannot be changed. Default true.
   * @default true
   * @immutable
   * @see OFF-118 OFF-119
   */
  readonly conserveMode: boolean
  /**
   * networkRateMbps is the rate of NICs in the network, in Mbit/s; 0 is unlimited. Left out: as Settings say. It
   * cannot be changed.
   * @immutable
   * @see OFF-063
   */
  readonly networkRateMbps?: Mbps
  /**
   * tags must all be on the physical network. Default: none.
   * @default []
   * @listType set
   * @maxItems 16
   */
  readonly tags: readonly Tag[]
}

/** The kinds of guest networks. */
export type GuestType = 'Isolated' | 'Shared' | 'L2'

/**
 * NetworkService is a service of a network.
 * @cel (self.name == 'SecurityGroup') == (self.provider == 'Host') :: `provider` must be 'Host' where `name` is 'SecurityGroup', and only there
 * @see OFF-097 OFF-101 OFF-102
 */
export interface NetworkService {
  /** name is the service. */
  readonly name: NetworkServiceName
  /** provider is who provides it. */
  readonly provider: 'VirtualRouter' | 'Host'
}

/** The services of networks. */
export type NetworkServiceName =
  | 'DHCP'
  | 'DNS'
  | 'UserData'
  | 'SourceNAT'
  | 'StaticNAT'
  | 'PortForwarding'
  | 'Firewall'
  | 'LoadBalancing'
  | 'VPN'
  | 'NetworkACL'
  | 'SecurityGroup'

/** NetworkOfferingStatus is what is known of a network offering. */
export interface NetworkOfferingStatus extends CommonStatus {}
