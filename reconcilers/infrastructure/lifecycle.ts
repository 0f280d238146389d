import { Host } from '../../crds/infrastructure/host.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { HostPod } from '../../crds/infrastructure/host-pod.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { defineDerived } from '../world.ts'

/** What is wished of a host in effect: the strictest of its own, its cluster's, its pod's and its zone's lifecycle. */
export interface HostLifecycle {
  readonly lifecycle: 'Active' | 'Maintenance' | 'Lost'
  /** Whose wish that is, for people. */
  readonly by: string
}

/** The lifecycle of a host in effect, by its name. Remembered: most of what it rests on says nothing about it. */
export const hostLifecycle = defineDerived('hostLifecycle', (hostName, world): HostLifecycle => {
  const host = world.desired.get(Host, hostName)
  const own = { lifecycle: host?.spec.lifecycle ?? 'Active', by: `Host "${hostName}"` }
  if (host === undefined || own.lifecycle !== 'Active') return own
  const cluster = world.desired.get(HostCluster, host.spec.clusterName)
  if (cluster?.spec.lifecycle === 'Maintenance') return inMaintenance(cluster)
  const pod = cluster === undefined ? undefined : world.desired.get(HostPod, cluster.spec.podName)
  if (pod?.spec.lifecycle === 'Maintenance') return inMaintenance(pod)
  const zone = pod === undefined ? undefined : world.desired.get(Zone, pod.spec.zoneName)
  return zone?.spec.lifecycle === 'Maintenance' ? inMaintenance(zone) : own
})

function inMaintenance(place: { readonly kind: string; readonly metadata: { readonly name: string } }): HostLifecycle {
  return { lifecycle: 'Maintenance', by: `${place.kind} "${place.metadata.name}"` }
}
