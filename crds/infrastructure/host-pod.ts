import type { CapacityStatus, Maintainable } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { IPRange, IPv4Address, IPv4CIDR, ObjectName } from '../scalars.ts'

/** HostPod is a rack or row of hosts behind one switch: one management subnet. */
export const HostPod = defineKind<HostPodSpec, HostPodStatus>({
  group: 'infrastructure.skystead.dev',
  version: 'v1alpha1',
  kind: 'HostPod',
  plural: 'hostpods',
  scope: 'Cluster',
  shortNames: ['hpod'],
  columns: [
    { name: 'Zone', type: 'string', jsonPath: '.spec.zoneName' },
    { name: 'CIDR', type: 'string', jsonPath: '.spec.cidr' },
    { name: 'Allocation', type: 'string', jsonPath: '.spec.allocationState' },
    { name: 'Lifecycle', type: 'string', jsonPath: '.spec.lifecycle', priority: 1 },
  ],
  conditions: {
    ReferencesResolved: 'The zone exists.',
    Valid: 'No other pod holds the same addresses, and what is reserved is left to system VMs.',
    CapacityAvailable: 'Every resource of the pod is below its threshold.',
    Evacuated: 'The pod is in maintenance and nothing runs in it any more: it is safe to switch off.',
  },
  shard: 'zone',
  selectableFields: ['.spec.zoneName'],
})

/**
 * HostPodSpec describes a pod.
 * @cel !isCIDR(self.cidr) || !isIP(self.gateway) || cidr(self.cidr).containsIP(ip(self.gateway)) :: `gateway` must lie inside `cidr`
 * @cel !isCIDR(self.cidr) || self.systemIPRanges.all(range, range.addresses.split('-').all(address, !isIP(address) || cidr(self.cidr).containsIP(ip(address)))) :: `systemIPRanges` must lie inside `cidr`
 * @see INF-136
 */
export interface HostPodSpec extends Maintainable {
  /**
   * zoneName names the zone. It cannot be changed.
   * @immutable
   */
  readonly zoneName: ObjectName
  /** cidr is the management subnet of the pod's hosts. */
  readonly cidr: IPv4CIDR
  /** gateway is the router of that subnet. */
  readonly gateway: IPv4Address
  /**
   * systemIPRanges lists the addresses kept for system VMs; hosts must lie outside. Default: none.
   * @default []
   * @listType map
   * @listMapKey addresses
   * @maxItems 16
   */
  readonly systemIPRanges: readonly AddressBlock[]
  /**
   * storageIPRanges lists the addresses of system VMs on the storage network. Default: those of systemIPRanges.
   * @default []
   * @listType map
   * @listMapKey addresses
   * @maxItems 16
   */
  readonly storageIPRanges: readonly AddressBlock[]
}

/** AddressBlock is a run of addresses. */
export interface AddressBlock {
  /** addresses are the first and the last address, or a single one: `172.16.10.10-172.16.10.60`. */
  readonly addresses: IPRange
}

/** HostPodStatus is what is known of a pod. */
export interface HostPodStatus extends CapacityStatus {}
