import type { CapacityThresholds } from '../../crds/infrastructure/settings.ts'
import { settingsOf } from '../infrastructure/settings.ts'
import type { World } from '../world.ts'
import {
  type Candidate,
  type CandidateCluster,
  type CandidateGroup,
  type CandidateZone,
  candidateCluster,
  candidateGroup,
  type Room,
  type Sums,
  sumSums,
} from './candidates.ts'
import { candidatePool, choosePools } from './pools.ts'
import {
  type HostVerdict,
  type Placed,
  type PlacementRequest,
  type PlacementRule,
  placementRules,
  type Refused,
  refused,
} from './request.ts'

/** Where a search may look: what the operator's wish and the pools of the volumes leave. */
export interface Scope {
  readonly hostName?: string | undefined
  readonly clusterName?: string | undefined
  readonly podName?: string | undefined
}

/** One search for a place: what is needed, and how many hosts each rule has refused so far. */
export class Search {
  readonly scope: Scope
  readonly #request: PlacementRequest
  readonly #world: World
  readonly #thresholds: CapacityThresholds
  readonly #restartHostTag: string | undefined
  readonly #isPinned: boolean
  readonly #needed: { readonly cpuMHz: number; readonly memoryBytes: number }
  readonly #counts = new Map<PlacementRule, number>()
  /** What the pools that all hosts of a cluster reach give: the same for each of them. */
  readonly #poolsByCluster = new Map<string, ReturnType<typeof choosePools>>()

  constructor(request: PlacementRequest, scope: Scope, world: World) {
    this.scope = scope
    this.#request = request
    this.#world = world
    const { capacityThresholds, restartHostTag } = settingsOf(world)
    this.#thresholds = capacityThresholds
    this.#restartHostTag = restartHostTag
    this.#isPinned = request.hostIdentity !== undefined
    this.#needed = { cpuMHz: request.cores * request.clockMHz, memoryBytes: request.memoryBytes }
  }

  /** Clusters of the zone in which the search may look. */
  clustersOf(zone: CandidateZone): readonly CandidateCluster[] {
    return zone.clusters.flatMap(clusterName => this.#cluster(clusterName) ?? [])
  }

  /** The one host, if it fits. */
  onHost(zone: CandidateZone, hostName: string): Placed | undefined {
    for (const cluster of this.clustersOf(zone)) {
      const verdict = this.verdicts(cluster).find(verdict => verdict.hostName === hostName)
      if (verdict === undefined) continue
      const [first] = verdict.refusals
      if (first !== undefined) {
        this.#count(first, 1)
        return undefined
      }
      const candidates = this.#groups(cluster).flatMap(group => group.candidates)
      const candidate = candidates.find(candidate => candidate.hostName === hostName)
      return candidate && this.#placed(cluster, candidate)
    }
    return undefined
  }

  /** The first host that fits, in the order of pods, clusters and hosts. */
  firstFit(zone: CandidateZone): Placed | undefined {
    for (const clusterName of zone.clusters) {
      const cluster = this.#cluster(clusterName)
      if (cluster === undefined) continue
      for (const group of this.#openGroups(cluster)) {
        for (const [index, candidate] of group.candidates.entries()) {
          const placed = this.#tryHost(cluster, candidate, group.rooms[index])
          if (placed !== undefined) return placed
        }
      }
    }
    return undefined
  }

  /** The host with the smallest load that fits. */
  leastLoaded(zone: CandidateZone): Placed | undefined {
    let best: { readonly placed: Placed; readonly load: number } | undefined
    for (const cluster of [...this.clustersOf(zone)].sort(byLowestLoad)) {
      if (best !== undefined && best.load <= cluster.lowestLoad) break
      for (const group of [...this.#openGroups(cluster)].sort(byLowestLoad)) {
        if (best !== undefined && best.load <= group.lowestLoad) break
        best = this.#leastLoadedOf(cluster, group, best)
      }
    }
    return best?.placed
  }

  /** Why nothing was found. */
  refusal(): Refused {
    const counts = [...this.#counts].map(([rule, hosts]) => ({ rule, hosts }))
    counts.sort((left, right) => right.hosts - left.hosts || (left.rule < right.rule ? -1 : 1))
    const total = counts.reduce((sum, { hosts }) => sum + hosts, 0)
    if (total === 0) {
      const { placement, zoneName } = this.#request
      const isWished = Object.values(placement ?? {}).some(name => name !== undefined)
      const mend = isWished ? 'add one, or change spec.placement' : 'add one'
      return refused('NoHosts', `Zone "${zoneName}" has no host${describeScope(this.scope)}: ${mend}`)
    }
    const parts = counts.map(({ rule, hosts }) => `${hosts} ${placementRules[rule]}`)
    return refused('NoHostFits', `None of ${total} hosts fits: ${parts.join(', ')}`, counts)
  }

  /** All that speaks against each host of a cluster, in the order of the rules. */
  verdicts(cluster: CandidateCluster): readonly HostVerdict[] {
    const groups = this.#groups(cluster)
    const ofCluster = this.#clusterRefusals(cluster, groups)
    return groups.flatMap(({ candidates, rooms }) =>
      candidates.map((candidate, index) => {
        const pools = this.#pools(cluster, candidate)
        const closed = candidate.refusal === undefined ? [] : [candidate.refusal]
        const ofPools = 'refusal' in pools ? [pools.refusal] : []
        const ofHost = this.#isPinned
          ? this.#roomRefusals(candidate, rooms[index])
          : this.#hostRefusals(candidate, rooms[index])
        const refusals = this.#isPinned ? [...ofHost, ...ofPools] : [...closed, ...ofCluster, ...ofHost, ...ofPools]
        return { hostName: candidate.hostName, refusals }
      }),
    )
  }

  #cluster(clusterName: string): CandidateCluster | undefined {
    if (this.scope.clusterName !== undefined && this.scope.clusterName !== clusterName) return undefined
    const cluster = this.#world.derived(candidateCluster, clusterName)
    if (this.scope.podName !== undefined && this.scope.podName !== cluster?.podName) return undefined
    return cluster
  }

  #groups(cluster: CandidateCluster): readonly CandidateGroup[] {
    return cluster.groups.map(key => this.#world.derived(candidateGroup, key))
  }

  /** Groups of the cluster in which some host has room. Counts the hosts of the others. */
  #openGroups(cluster: CandidateCluster): readonly CandidateGroup[] {
    const groups = this.#groups(cluster)
    for (const group of groups) for (const { rule, hosts } of group.refused) this.#count(rule, hosts)
    const [closed] = this.#clusterRefusals(cluster, groups)
    if (closed !== undefined) {
      for (const group of groups) this.#count(closed, group.open)
      return []
    }
    return groups.filter(group => {
      if (group.open === 0) return false
      const short = this.#shortOf({ cpuMHz: group.mostCPUMHz, memoryBytes: group.mostMemoryBytes })[0]
      if (short !== undefined) this.#count(short, group.open)
      return short === undefined
    })
  }

  #clusterRefusals(cluster: CandidateCluster, groups: readonly CandidateGroup[]): readonly PlacementRule[] {
    const { hypervisors } = this.#request
    const rules: PlacementRule[] = []
    if (cluster.refusal !== undefined) rules.push(cluster.refusal)
    if (hypervisors !== undefined && !hypervisors.includes(cluster.hypervisor)) rules.push('HypervisorMismatch')
    return [...rules, ...this.#thresholdRefusals(sumSums(groups.map(({ sums }) => sums)))]
  }

  #thresholdRefusals(sums: Sums): readonly PlacementRule[] {
    const { cpu, memory } = this.#thresholds
    const rules: PlacementRule[] = []
    const cpuAfter = sums.heldCPUMHz + this.#needed.cpuMHz
    const memoryAfter = sums.heldMemoryBytes + this.#needed.memoryBytes
    if (cpuAfter > sums.cpuMHz * Number(cpu.disable)) rules.push('ClusterCPUThreshold')
    if (memoryAfter > sums.memoryBytes * Number(memory.disable)) rules.push('ClusterMemoryThreshold')
    return rules
  }

  #leastLoadedOf(
    cluster: CandidateCluster,
    group: CandidateGroup,
    best: { readonly placed: Placed; readonly load: number } | undefined,
  ): { readonly placed: Placed; readonly load: number } | undefined {
    const order = [...group.rooms.entries()].sort(([, left], [, right]) => left.load - right.load)
    for (const [index, room] of order) {
      if (best !== undefined && best.load <= room.load) return best
      const candidate = group.candidates[index]
      const placed = candidate && this.#tryHost(cluster, candidate, room)
      if (placed !== undefined) return { placed, load: room.load }
    }
    return best
  }

  /** Hosts where nothing may be placed were counted with their group. */
  #tryHost(cluster: CandidateCluster, candidate: Candidate, room: Room | undefined): Placed | undefined {
    if (candidate.refusal !== undefined) return undefined
    const [rule] = this.#hostRefusals(candidate, room)
    if (rule === undefined) return this.#placed(cluster, candidate)
    this.#count(rule, 1)
    return undefined
  }

  #placed(cluster: CandidateCluster, candidate: Candidate): Placed | undefined {
    const chosen = this.#pools(cluster, candidate)
    if ('refusal' in chosen) {
      this.#count(chosen.refusal, 1)
      return undefined
    }
    const { hostName, hostIdentity } = candidate
    return { ok: true, hostName, hostIdentity, pools: chosen.pools }
  }

  #hostRefusals(candidate: Candidate, room: Room | undefined): readonly PlacementRule[] {
    const { capabilities = [], cores, exclude = [], hostTags } = this.#request
    const rules: PlacementRule[] = []
    if (exclude.includes(candidate.hostName)) rules.push('Excluded')
    if (this.scope.hostName !== undefined && this.scope.hostName !== candidate.hostName) rules.push('NotWished')
    const reserved = this.#reservation(candidate)
    if (reserved !== undefined) rules.push(reserved)
    if (!capabilities.every(need => candidate.capabilities.includes(need))) rules.push('CapabilityMissing')
    if (!hostTags.every(tag => candidate.tags.includes(tag))) rules.push('HostTagsMissing')
    if (cores > candidate.cores) rules.push('TooFewCores')
    return [...rules, ...this.#shortOf(room ?? { cpuMHz: 0, memoryBytes: 0 })]
  }

  /** A host that the operator names takes a machine all the same (OPS-105). */
  #reservation({ hostName, tags }: Candidate): PlacementRule | undefined {
    const { isRestart = false, placement } = this.#request
    if (this.#restartHostTag === undefined || placement?.hostName === hostName) return undefined
    const isReserved = tags.includes(this.#restartHostTag)
    if (isReserved === isRestart) return undefined
    return isReserved ? 'ReservedForRestarts' : 'NotReservedForRestarts'
  }

  /** The machine is on this very host already: only a machine that grows needs room. What it has it may keep. */
  #roomRefusals(candidate: Candidate, room: Room | undefined): readonly PlacementRule[] {
    const { cores, freed } = this.#request
    if (candidate.hostName !== this.scope.hostName) return ['NotWished']
    if (freed === undefined) return []
    const { cpuMHz = 0, memoryBytes = 0 } = room ?? {}
    const grown = {
      cpuMHz: Math.max(0, cpuMHz) + freed.cpuMHz,
      memoryBytes: Math.max(0, memoryBytes) + freed.memoryBytes,
    }
    return [...(cores > candidate.cores ? (['TooFewCores'] as const) : []), ...this.#shortOf(grown)]
  }

  #shortOf(room: { readonly cpuMHz: number; readonly memoryBytes: number }): readonly PlacementRule[] {
    const rules: PlacementRule[] = []
    if (this.#needed.cpuMHz > room.cpuMHz) rules.push('CPUExhausted')
    if (this.#needed.memoryBytes > room.memoryBytes) rules.push('MemoryExhausted')
    return rules
  }

  #pools(cluster: CandidateCluster, candidate: Candidate): ReturnType<typeof choosePools> {
    if (candidate.ownPools.length > 0) return this.#choose([...candidate.ownPools, ...cluster.pools])
    const known = this.#poolsByCluster.get(cluster.clusterName) ?? this.#choose(cluster.pools)
    this.#poolsByCluster.set(cluster.clusterName, known)
    return known
  }

  #choose(poolNames: readonly string[]): ReturnType<typeof choosePools> {
    const { planner, volumes } = this.#request
    if (volumes.length === 0) return { pools: {} }
    const reached = poolNames.flatMap(poolName => this.#world.derived(candidatePool, poolName) ?? [])
    return choosePools(volumes, reached, planner)
  }

  #count(rule: PlacementRule, hosts: number): void {
    if (hosts > 0) this.#counts.set(rule, (this.#counts.get(rule) ?? 0) + hosts)
  }
}

function byLowestLoad(left: { readonly lowestLoad: number }, right: { readonly lowestLoad: number }): number {
  return left.lowestLoad - right.lowestLoad
}

/** The scope in words: ` named "host-9" in cluster "c"`. */
function describeScope({ hostName, clusterName, podName }: Scope): string {
  const named = hostName === undefined ? '' : ` named "${hostName}"`
  if (clusterName !== undefined) return `${named} in cluster "${clusterName}"`
  return podName === undefined ? named : `${named} in pod "${podName}"`
}
