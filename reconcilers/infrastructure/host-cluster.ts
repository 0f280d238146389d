import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { HostPod } from '../../crds/infrastructure/host-pod.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { defineReconciler } from '../define-reconciler.ts'
import { capacityList, judgeCapacity } from './capacity.ts'
import { hostsOf, judgeHostsEmpty } from './evacuation.ts'
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
    {
      condition: 'Evacuated',
      informational: true,
      judge: ({ metadata: { name }, spec }, world) => {
        const pod = world.desired.get(HostPod, spec.podName)?.spec
        const zone = pod && world.desired.get(Zone, pod.zoneName)?.spec
        const isInMaintenance = [spec, pod, zone].some(each => each?.lifecycle === 'Maintenance')
        return judgeHostsEmpty('cluster', isInMaintenance, isInMaintenance ? hostsOf([name], world) : [], world)
      },
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
