import type { CapacityStatus, FailureHandling, Maintainable } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { DNSName, IPAddress, IPv4CIDR } from '../scalars.ts'

/** Zone is a data centre: it has its own networks, storage and hosts, and machines never leave it. */
export const Zone = defineKind<ZoneSpec, ZoneStatus>({
  group: 'infrastructure.skystead.dev',
  version: 'v1alpha1',
  kind: 'Zone',
  plural: 'zones',
  scope: 'Cluster',
  shortNames: [],
  columns: [
    { name: 'Network', type: 'string', jsonPath: '.spec.networkType' },
    { name: 'Allocation', type: 'string', jsonPath: '.spec.allocationState' },
    { name: 'Lifecycle', type: 'string', jsonPath: '.spec.lifecycle', priority: 1 },
  ],
  conditions: {
    CapacityAvailable: 'Every resource of the zone is below its threshold.',
    ConsoleAvailable: 'Consoles of machines can be reached, or are not wished for.',
    TransfersAvailable: 'Images can be carried to and from the secondary storage of the zone.',
    Evacuated: 'The zone is in maintenance and nothing runs in it any more: it is safe to switch off.',
  },
  shard: 'place',
})

/**
 * ZoneSpec describes a zone.
 * @cel self.networkType == 'Advanced' || !has(self.guestCIDR) :: `guestCIDR` may only be set where `networkType` is 'Advanced': remove it
 * @see INF-035
 */
export interface ZoneSpec extends Maintainable, FailureHandling {
  /**
   * networkType is 'Basic' (one flat network, addresses by pod) or 'Advanced' (networks of their own for tenants).
   * It cannot be changed.
   * @immutable
   * @see INF-023
   */
  readonly networkType: 'Basic' | 'Advanced'
  /**
   * publicDNS lists the name servers that guests are given, in order of preference.
   * @listType atomic
   * @minItems 1
   * @maxItems 4
   * @see INF-027
   */
  readonly publicDNS: readonly IPAddress[]
  /**
   * internalDNS lists the name servers that system VMs use, reached over the management network.
   * @listType atomic
   * @minItems 1
   * @maxItems 4
   */
  readonly internalDNS: readonly IPAddress[]
  /**
   * guestCIDR is the address space of isolated networks that do not name their own; only where networkType is
   * 'Advanced'. Left out: every network names its own.
   * @cel !isCIDR(self) || ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].exists(private, cidr(private).containsCIDR(self)) :: must lie in the private address space: 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16
   */
  readonly guestCIDR?: IPv4CIDR
  /** networkDomain is the DNS suffix of guests. Left out: the one of Settings. */
  readonly networkDomain?: DNSName
  /**
   * consoleProxy says who carries consoles of machines: 'Host' (the hosts themselves), 'SystemVM' (console proxy
   * machines) or 'Disabled' (there are none). Default 'Disabled'.
   * @default "Disabled"
   */
  readonly consoleProxy: 'Host' | 'SystemVM' | 'Disabled'
}

/** ZoneStatus is what is known of a zone. */
export interface ZoneStatus extends CapacityStatus {}
