import type { AnyKind } from '../../crds/define-kind.ts'
/** Where things are: which clusters a pod has, which hosts a cluster has, which pools a host reaches. */
import { Host } from '../../crds/infrastructure/host.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { HostPod } from '../../crds/infrastructure/host-pod.ts'
import { PhysicalNetwork } from '../../crds/infrastructure/physical-network.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { PublicIPRange } from '../../crds/infrastructure/public-ip-range.ts'
import { SecondaryStorage } from '../../crds/infrastructure/secondary-storage.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import {
  type EndpointKey,
  endpointIdentity,
  powerControllerPlace,
  powerControllerPorts,
} from '../../drivers/contract/endpoint.ts'
import { identityAllocation } from '../claims.ts'
import { defineDerived, defineIndex, type Wish, type World } from '../world.ts'
import { zoneOfNamed } from '../zone-of.ts'

/** All zones, under the value `all`. */
export const allZones = defineIndex(Zone, 'allZones', () => ['all'])

/** All pods, under the value `all`. */
export const allPods = defineIndex(HostPod, 'allPods', () => ['all'])

/** Pods by the name of their zone. */
export const podsByZone = defineIndex(HostPod, 'podsByZone', ({ spec }) => [spec.zoneName])

/** Clusters by the name of their pod. */
export const clustersByPod = defineIndex(HostCluster, 'clustersByPod', ({ spec }) => [spec.podName])

/** Hosts by the name of their cluster. */
export const hostsByCluster = defineIndex(Host, 'hostsByCluster', ({ spec }) => [spec.clusterName])

/** Hosts by their address, in lower case. */
export const hostsByAddress = defineIndex(Host, 'hostsByAddress', ({ spec }) => [spec.address.toLowerCase()])

/** Hosts by the address of their power controller, in lower case and without its usual port, where it has one of its own. */
export const hostsByPowerAddress = defineIndex(Host, 'hostsByPowerAddress', ({ spec: { powerControl } }) => {
  if (powerControl?.address === undefined) return []
  const { driver } = powerControl
  const address = powerControl.address.toLowerCase()
  if (driver === 'Simulator') return [address]
  const { host, port } = powerControllerPlace(driver, address)
  return [port === powerControllerPorts[driver] ? host : address]
})

/** Physical networks by the name of their zone. */
export const physicalNetworksByZone = defineIndex(PhysicalNetwork, 'physicalNetworksByZone', ({ spec }) => [
  spec.zoneName,
])

/** Pools by what reaches them: `Zone/<name>`, `Cluster/<name>` or `Host/<name>`. */
export const poolsByReach = defineIndex(PrimaryStorage, 'poolsByReach', ({ spec }) => [reachOf(spec)])

/** Image stores by the name of their zone. */
export const storesByZone = defineIndex(SecondaryStorage, 'storesByZone', ({ spec }) => [spec.zoneName])

/** All image stores, under the value `all`: also those whose zone is not, or no longer, described. */
export const allStores = defineIndex(SecondaryStorage, 'allStores', () => ['all'])

/** Public ranges by the name of their zone. */
export const publicRangesByZone = defineIndex(PublicIPRange, 'publicRangesByZone', ({ spec }) => [spec.zoneName])

/** All public ranges, under the value `all`. */
export const allPublicRanges = defineIndex(PublicIPRange, 'allPublicRanges', () => ['all'])

/** What reaches a pool, as `poolsByReach` has it. */
export function reachOf(spec: Wish<typeof PrimaryStorage>['spec']): string {
  return `${spec.scope}/${spec.zoneName ?? spec.clusterName ?? spec.hostName ?? ''}`
}

/** How many hosts are looked at as one group: what a change of one host makes anybody compute again. */
export const groupSize = 32

/** Names of a cluster's hosts, oldest first, in groups of `groupSize`. By cluster name. */
export const hostGroups = defineDerived('hostGroups', (clusterName, world): readonly (readonly string[])[] => {
  const names = world.desired.list(hostsByCluster, clusterName).map(({ metadata }) => metadata.name)
  return Array.from({ length: Math.ceil(names.length / groupSize) }, (_, index) =>
    names.slice(index * groupSize, (index + 1) * groupSize),
  )
})

/** Names of a zone's clusters, by pod, oldest first. By zone name. */
export const clustersOfZone = defineDerived('clustersOfZone', (zoneName, world): readonly string[] =>
  world.desired
    .list(podsByZone, zoneName)
    .flatMap(pod => world.desired.list(clustersByPod, pod.metadata.name))
    .map(({ metadata }) => metadata.name),
)

/** The key of the derived values of one group of hosts: `<cluster>#<index>`. */
export function groupKey(clusterName: string, index: number): string {
  return `${clusterName}#${index}`
}

/** The hosts of a group. */
export function hostsOfGroup(
  key: string,
  world: World,
): { readonly clusterName: string; readonly hosts: readonly string[] } {
  const separator = key.lastIndexOf('#')
  const clusterName = key.slice(0, separator)
  const hosts = world.derived(hostGroups, clusterName)[Number(key.slice(separator + 1))] ?? []
  return { clusterName, hosts }
}

/** The zone that a cluster is in, where its pod exists. */
export function zoneOfCluster(clusterName: string, world: World): string | undefined {
  return zoneOfNamed(HostCluster, clusterName, world.desired)
}

/** What a host reaches pools through, as `poolsByReach` has it: itself, its cluster, its zone. */
export function reachesOf({ metadata, spec }: Wish<typeof Host>, world: World): readonly string[] {
  const zoneName = zoneOfCluster(spec.clusterName, world) ?? ''
  return [`Host/${metadata.name}`, `Cluster/${spec.clusterName}`, `Zone/${zoneName}`]
}

/** The hosts that reach a pool by its scope: all of the zone or cluster, or the one. Oldest first. */
export function hostsInReach({ spec }: Wish<typeof PrimaryStorage>, world: World): readonly Wish<typeof Host>[] {
  if (spec.hostName !== undefined) return world.desired.list(hostNamed, spec.hostName)
  if (spec.clusterName !== undefined) return world.desired.list(hostsByCluster, spec.clusterName)
  return world
    .derived(clustersOfZone, spec.zoneName ?? '')
    .flatMap(clusterName => world.desired.list(hostsByCluster, clusterName))
}

/** The host of an identity. */
export function hostOfIdentity(identity: string, world: World): Wish<typeof Host> | undefined {
  return world.desired
    .list(hostsByUID, uidOfIdentity(Host, identity, world))
    .find(host => world.identity(host) === identity)
}

/** The host that an endpoint is. */
export function hostAt(endpoint: EndpointKey, world: World): Wish<typeof Host> | undefined {
  return hostOfIdentity(endpointIdentity(endpoint), world)
}

/** The name of the host at an endpoint, for people; its identity where it is not declared. */
export function hostNameAt(endpoint: EndpointKey, world: World): string {
  return hostAt(endpoint, world)?.metadata.name ?? endpointIdentity(endpoint)
}

/** The pool of an identity. */
export function poolOfIdentity(identity: string, world: World): Wish<typeof PrimaryStorage> | undefined {
  return world.desired
    .list(poolsByUID, uidOfIdentity(PrimaryStorage, identity, world))
    .find(pool => world.identity(pool) === identity)
}

function uidOfIdentity(kind: AnyKind, identity: string, world: World): string {
  const holder = identityAllocation(identity, world)?.spec.holder
  if (holder === undefined) return identity
  return holder.uid === '' ? (world.desired.get(kind, holder.name)?.metadata.uid ?? identity) : holder.uid
}

const hostsByUID = defineIndex(Host, 'hostsByUID', ({ metadata }) => [metadata.uid])
const poolsByUID = defineIndex(PrimaryStorage, 'poolsByUID', ({ metadata }) => [metadata.uid])
const hostNamed = defineIndex(Host, 'hostNamed', ({ metadata }) => [metadata.name])
