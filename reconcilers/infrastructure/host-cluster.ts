import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { HostPod } from '../../crds/infrastructure/host-pod.ts'
import { defineReconciler } from '../define-reconciler.ts'
import { capacityList, judgeCapacity } from './capacity.ts'
import { clusterCapacity } from './roll-ups.ts'
import { hostsByCluster, poolsByReach } from './topology.ts'

/** Clusters sum up their hosts and pools. They go when they have neither. */
export const hostClusterReconciler = defineReconciler(HostCluster, {
  references: ({ spec }) => [{ kind: HostPod, name: spec.podName, field: 'spec.podName' }],
  phases: [
    {
      condition: 'CapacityAvailable',
      informational: true,
      judge: (self, world) => judgeCapacity(world.derived(clusterCapacity, self.metadata.name), world),
    },
  ],
  usedBy: [
    { index: hostsByCluster, value: ({ metadata }) => metadata.name },
    { index: poolsByReach, value: ({ metadata }) => `Cluster/${metadata.name}` },
  ],
  report: (status, self, world) => {
    status.capacity = capacityList(world.derived(clusterCapacity, self.metadata.name))
  },
})
