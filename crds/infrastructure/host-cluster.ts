import type { CapacityStatus, FailureHandling, Hypervisor, Maintainable } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { ObjectName, Ratio } from '../scalars.ts'

/** HostCluster is a group of like hosts that share storage, so that machines can move between them. */
export const HostCluster = defineKind<HostClusterSpec, HostClusterStatus>({
  group: 'infrastructure.skystead.dev',
  version: 'v1alpha1',
  kind: 'HostCluster',
  plural: 'hostclusters',
  scope: 'Cluster',
  shortNames: ['hcl'],
  columns: [
    { name: 'Pod', type: 'string', jsonPath: '.spec.podName' },
    { name: 'Hypervisor', type: 'string', jsonPath: '.spec.hypervisor' },
    { name: 'Allocation', type: 'string', jsonPath: '.spec.allocationState' },
    { name: 'Lifecycle', type: 'string', jsonPath: '.spec.lifecycle', priority: 1 },
  ],
  conditions: {
    ReferencesResolved: 'The pod exists.',
    CapacityAvailable: 'Every resource of the cluster is below its threshold.',
    Evacuated: 'The cluster is in maintenance and nothing runs in it any more: it is safe to switch off.',
  },
  shard: 'place',
  selectableFields: ['.spec.podName'],
})

/**
 * HostClusterSpec describes a cluster.
 * @cel self.hypervisor != 'XenServer' || (double(self.cpuOvercommitRatio) <= 4.0 && double(self.memoryOvercommitRatio) <= 4.0) :: `cpuOvercommitRatio` and `memoryOvercommitRatio` may be at most '4' where `hypervisor` is 'XenServer'
 */
export interface HostClusterSpec extends Maintainable, FailureHandling {
  /**
   * podName names the pod. It cannot be changed.
   * @immutable
   */
  readonly podName: ObjectName
  /**
   * hypervisor is what every host of the cluster runs. It cannot be changed.
   * @immutable
   */
  readonly hypervisor: Hypervisor
  /**
   * cpuOvercommitRatio is how many times the hosts' clock may be promised. Default '1': once.
   * @default "1"
   * @cel double(self) >= 1.0 :: must be at least '1'
   * @see INF-155 HST-058
   */
  readonly cpuOvercommitRatio: Ratio
  /**
   * memoryOvercommitRatio is how many times the hosts' memory may be promised. Default '1': once.
   * @default "1"
   * @cel double(self) >= 1.0 :: must be at least '1'
   */
  readonly memoryOvercommitRatio: Ratio
}

/** HostClusterStatus is what is known of a cluster. */
export interface HostClusterStatus extends CapacityStatus {}
