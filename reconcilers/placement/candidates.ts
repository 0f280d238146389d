/** The table that placements are decided by: remembered per host, group, cluster and zone, so that one change is cheap. */
import type { Hypervisor } from '../../crds/common.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { HostPod } from '../../crds/infrastructure/host-pod.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import type { Capability } from '../../drivers/contract/facts.ts'
import { heldOfHost } from '../holdings.ts'
import { mayHide } from '../infrastructure/accounted.ts'
import { hostKey, isReadable } from '../infrastructure/host-endpoint.ts'
import { clustersOfZone, groupKey, hostGroups, hostsOfGroup, poolsByReach } from '../infrastructure/topology.ts'
import { defineDerived, type Wish, type World } from '../world.ts'
import { type Hiding, hidingAt, hidingPools } from './pools.ts'
import type { PlacementRule } from './request.ts'

/** A host as placements see it: what does not change with what is placed there. */
export interface Candidate {
  readonly hostName: string
  readonly hostIdentity: string
  readonly tags: readonly string[]
  readonly capabilities: readonly Capability[]
  readonly cores: number
  /** Clock that may be promised in all, over-commit included. */
  readonly cpuMHz: number
  /** Memory that may be promised in all, over-commit included. */
  readonly memoryBytes: number
  /** Pools that only this host reaches. */
  readonly ownPools: readonly string[]
  /** Why nothing may be placed here, whatever it is. */
  readonly refusal?: PlacementRule
  /** It has an endpoint, and its inventory has not been read by this process. */
  readonly unread: boolean
  /** What may hold something that nobody knows of: itself, and pools that only it reaches. */
  readonly hiding: readonly Hiding[]
}

/** The candidate of a host name. Undefined: there is no such host. */
export const candidateOf = defineDerived('placementCandidate', (hostName, world): Candidate | undefined => {
  const host = world.desired.get(Host, hostName)
  if (host === undefined) return undefined
  const key = hostKey(host, world)
  const facts = world.observed.host(key)
  const spec = world.desired.get(HostCluster, host.spec.clusterName)?.spec
  const refusal = refusalOf(host, facts !== undefined, world)
  const isOpenToReading = isReadable(host, world)
  return {
    hostName,
    hostIdentity: world.identity(host),
    tags: host.spec.tags,
    capabilities: facts?.capabilities ?? [],
    cores: facts?.cores ?? 0,
    cpuMHz: (facts?.cores ?? 0) * (facts?.clockMHz ?? 0) * Number(spec?.cpuOvercommitRatio ?? 1),
    memoryBytes: (facts?.memoryBytes ?? 0) * Number(spec?.memoryOvercommitRatio ?? 1),
    ownPools: world.desired.list(poolsByReach, `Host/${hostName}`).map(({ metadata }) => metadata.name),
    ...(refusal === undefined ? {} : { refusal }),
    unread: isOpenToReading && !world.observed.endpoint(key).listed,
    hiding: [
      ...(isOpenToReading && mayHide(key, world) ? [hidingAt(`Host "${hostName}"`, host)] : []),
      ...hidingPools(`Host/${hostName}`, world),
    ],
  }
})

function refusalOf(host: Wish<typeof Host>, hasFacts: boolean, world: World): PlacementRule | undefined {
  if (host.metadata.deletionTimestamp !== undefined) return 'HostLeaving'
  if (host.spec.lifecycle === 'Lost') return 'HostLost'
  if (host.spec.lifecycle === 'Maintenance') return 'HostInMaintenance'
  if (host.spec.allocationState === 'Disabled') return 'HostDisabled'
  const { answers, listed } = world.observed.endpoint(hostKey(host, world))
  return answers === 'Yes' && listed && hasFacts ? undefined : 'HostNotConnected'
}

/** What is left on a host. */
export interface Room {
  readonly cpuMHz: number
  readonly memoryBytes: number
  /** The larger of the promised shares of CPU and memory. */
  readonly load: number
}

/** A group of hosts of one cluster, with what is left on each. Never staler than the claims and the inventories. */
export interface CandidateGroup {
  readonly candidates: readonly Candidate[]
  /** In the order of the candidates. */
  readonly rooms: readonly Room[]
  /** How many of them something may be placed on. */
  readonly open: number
  /** How many of the others each rule closes. */
  readonly refused: readonly { readonly rule: PlacementRule; readonly hosts: number }[]
  /** The most that any open host has left, and the smallest load: enough to pass over all of them at once. */
  readonly mostCPUMHz: number
  readonly mostMemoryBytes: number
  readonly lowestLoad: number
  /** Names of hosts whose inventory was not read. */
  readonly unread: readonly string[]
  /** What may hold something that nobody knows of. */
  readonly hiding: readonly Hiding[]
  /** Sums over all hosts whose size is known. */
  readonly sums: Sums
}

/** What hosts have, and what of it is promised. */
export interface Sums {
  readonly cpuMHz: number
  readonly heldCPUMHz: number
  readonly memoryBytes: number
  readonly heldMemoryBytes: number
}

/** The candidates of a group of hosts, by `groupKey`. */
export const candidateGroup = defineDerived('placementGroup', (key, world): CandidateGroup => {
  const { hosts } = hostsOfGroup(key, world)
  const candidates = hosts.flatMap(hostName => world.derived(candidateOf, hostName) ?? [])
  const held = candidates.map(({ hostIdentity }) => heldOfHost(hostIdentity, world))
  const rooms = candidates.map((candidate, index): Room => {
    const { cpuMHz = 0, memoryBytes = 0 } = held[index] ?? {}
    return {
      cpuMHz: candidate.cpuMHz - cpuMHz,
      memoryBytes: candidate.memoryBytes - memoryBytes,
      load: Math.max(share(cpuMHz, candidate.cpuMHz), share(memoryBytes, candidate.memoryBytes)),
    }
  })
  const open = rooms.filter((_, index) => candidates[index]?.refusal === undefined)
  return {
    candidates,
    rooms,
    open: open.length,
    refused: countRefusals(candidates),
    mostCPUMHz: Math.max(0, ...open.map(({ cpuMHz }) => cpuMHz)),
    mostMemoryBytes: Math.max(0, ...open.map(({ memoryBytes }) => memoryBytes)),
    lowestLoad: Math.min(Number.MAX_VALUE, ...open.map(({ load }) => load)),
    unread: candidates.filter(({ unread }) => unread).map(({ hostName }) => hostName),
    hiding: candidates.flatMap(({ hiding }) => hiding),
    sums: {
      cpuMHz: sum(candidates, ({ cpuMHz }) => cpuMHz),
      heldCPUMHz: sum(held, ({ cpuMHz }) => cpuMHz),
      memoryBytes: sum(candidates, ({ memoryBytes }) => memoryBytes),
      heldMemoryBytes: sum(held, ({ memoryBytes }) => memoryBytes),
    },
  }
})

/** A cluster as placements see it. Its last three may be a moment older than the groups say. */
export interface CandidateCluster {
  readonly clusterName: string
  readonly podName: string
  readonly hypervisor: Hypervisor
  /** Keys of its groups. */
  readonly groups: readonly string[]
  /** Pools that every host of it reaches: its own, then the zone's. */
  readonly pools: readonly string[]
  readonly refusal?: PlacementRule
  readonly lowestLoad: number
  readonly unread: readonly string[]
  readonly hiding: readonly Hiding[]
}

/** The candidates of a cluster, by its name. Undefined: there is no such cluster. */
export const candidateCluster = defineDerived(
  'placementCluster',
  (clusterName, world): CandidateCluster | undefined => {
    const cluster = world.desired.get(HostCluster, clusterName)
    if (cluster === undefined) return undefined
    const pod = world.desired.get(HostPod, cluster.spec.podName)
    const groups = world.derived(hostGroups, clusterName).map((_, index) => groupKey(clusterName, index))
    const parts = groups.map(group => world.derived(candidateGroup, group))
    const pools = [
      ...world.desired.list(poolsByReach, `Cluster/${clusterName}`),
      ...world.desired.list(poolsByReach, `Zone/${pod?.spec.zoneName ?? ''}`),
    ]
    const refusal = closedBy(cluster, pod)
    return {
      clusterName,
      podName: cluster.spec.podName,
      hypervisor: cluster.spec.hypervisor,
      groups,
      pools: pools.map(({ metadata }) => metadata.name),
      ...(refusal === undefined ? {} : { refusal }),
      lowestLoad: Math.min(Number.MAX_VALUE, ...parts.map(({ lowestLoad }) => lowestLoad)),
      unread: parts.flatMap(({ unread }) => unread),
      hiding: [...parts.flatMap(({ hiding }) => hiding), ...hidingPools(`Cluster/${clusterName}`, world)],
    }
  },
)

/** What of a cluster says whether enough of its zone was read. It hardly ever changes, while its candidates do with every claim. */
export interface ClusterReading {
  readonly unread: readonly string[]
  readonly hiding: readonly Hiding[]
}

/** How far the hosts of a cluster were read, by its name. */
export const clusterReading = defineDerived('placementReading', (clusterName, world): ClusterReading => {
  const { unread = [], hiding = [] } = world.derived(candidateCluster, clusterName) ?? {}
  return { unread, hiding }
})

/** A zone as placements see it. */
export interface CandidateZone {
  readonly clusters: readonly string[]
  /** Why nothing may be placed in it, for people. */
  readonly closed?: string
}

/** The candidates of a zone, by its name. Undefined: there is no such zone. */
export const candidateZone = defineDerived('placementZone', (zoneName, world): CandidateZone | undefined => {
  const zone = world.desired.get(Zone, zoneName)
  if (zone === undefined) return undefined
  const clusters = world.derived(clustersOfZone, zoneName)
  if (zone.spec.allocationState === 'Disabled') return { clusters, closed: 'has allocationState Disabled' }
  if (zone.spec.lifecycle === 'Maintenance') return { clusters, closed: 'is in maintenance' }
  return { clusters }
})

function closedBy(cluster: Wish<typeof HostCluster>, pod: Wish<typeof HostPod> | undefined): PlacementRule | undefined {
  if (pod?.spec.allocationState === 'Disabled') return 'PodDisabled'
  if (pod?.spec.lifecycle === 'Maintenance') return 'PodInMaintenance'
  if (cluster.spec.allocationState === 'Disabled') return 'ClusterDisabled'
  if (cluster.spec.lifecycle === 'Maintenance') return 'ClusterInMaintenance'
  return undefined
}

/** Sums of what hosts have and what of it is promised. */
export function sumSums(parts: readonly Sums[]): Sums {
  return {
    cpuMHz: sum(parts, ({ cpuMHz }) => cpuMHz),
    heldCPUMHz: sum(parts, ({ heldCPUMHz }) => heldCPUMHz),
    memoryBytes: sum(parts, ({ memoryBytes }) => memoryBytes),
    heldMemoryBytes: sum(parts, ({ heldMemoryBytes }) => heldMemoryBytes),
  }
}

function countRefusals(candidates: readonly Candidate[]): CandidateGroup['refused'] {
  const counts = new Map<PlacementRule, number>()
  for (const { refusal } of candidates) if (refusal !== undefined) counts.set(refusal, (counts.get(refusal) ?? 0) + 1)
  return [...counts].map(([rule, hosts]) => ({ rule, hosts }))
}

function sum<Item>(items: readonly Item[], amount: (item: Item) => number): number {
  return items.reduce((total, item) => total + amount(item), 0)
}

function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 1
}
