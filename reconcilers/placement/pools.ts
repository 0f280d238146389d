/** Which pool holds which volume. */
import { Host } from '../../crds/infrastructure/host.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { parseBytes } from '../../crds/invariants/quantity.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import { heldOfPool } from '../holdings.ts'
import { mayHide } from '../infrastructure/accounted.ts'
import { settingsOf } from '../infrastructure/settings.ts'
import { poolReach } from '../infrastructure/storage-endpoint.ts'
import { poolsByReach } from '../infrastructure/topology.ts'
import { defineDerived, type Wish, type World } from '../world.ts'
import type { ChosenPools, PlacementRule, PlacementVolume } from './request.ts'

/** A pool as placements see it. */
export interface CandidatePool {
  readonly poolName: string
  readonly poolIdentity: string
  readonly scope: 'Zone' | 'Cluster' | 'Host'
  readonly tags: readonly string[]
  /** Bytes that may still be promised, up to the threshold. */
  readonly roomBytes: number
  /** The promised share. */
  readonly load: number
  /** Whether it takes new volumes at all. */
  readonly open: boolean
}

/** The pool of a name. Undefined: there is no such pool. */
export const candidatePool = defineDerived('placementPool', (poolName, world): CandidatePool | undefined => {
  const pool = world.desired.get(PrimaryStorage, poolName)
  if (pool === undefined) return undefined
  const { storageAllocated, storageUsed } = settingsOf(world).capacityThresholds
  const { totalBytes, usedBytes } = poolSpace(pool, world)
  const promisable = totalBytes * Number(pool.spec.overcommitRatio)
  const poolIdentity = world.identity(pool)
  const { bytes } = heldOfPool(poolIdentity, world)
  return {
    poolName,
    poolIdentity,
    scope: pool.spec.scope,
    tags: pool.spec.tags,
    roomBytes: promisable * Number(storageAllocated.disable) - bytes,
    load: promisable > 0 ? bytes / promisable : 1,
    open: isOpen(pool, world) && usedBytes <= totalBytes * Number(storageUsed.disable),
  }
})

/** A place that may hold something that nobody knows of. */
export interface Hiding {
  /** The place in words: `Host "host-1"`. */
  readonly place: string
  /** The host that is declared lost, by whose fence it need not be waited for. Left out: there is none. */
  readonly lostHostName?: string
}

/** A host or pool as a hiding place: of a host, or on a host's own storage. */
export function hidingAt(place: string, host: Wish<typeof Host> | undefined): Hiding {
  return host?.spec.lifecycle === 'Lost' ? { place, lostHostName: host.metadata.name } : { place }
}

/**
 * Whether a pool may hold something that nobody knows of, by its name. That it is being deleted is the operator's word that
 * it need not be waited for.
 */
const poolHides = defineDerived('poolHides', (poolName, world): Hiding | undefined => {
  const pool = world.desired.get(PrimaryStorage, poolName)
  if (pool === undefined || pool.metadata.deletionTimestamp !== undefined) return undefined
  if (world.derived(poolReach, poolName).endpoints.length === 0) return undefined
  if (!mayHide(endpointKey('PrimaryStorage', world.identity(pool)), world)) return undefined
  const host = pool.spec.hostName === undefined ? undefined : world.desired.get(Host, pool.spec.hostName)
  return hidingAt(`PrimaryStorage "${poolName}"`, host)
})

/** The pools that may hold something that nobody knows of, of those reached from a place (`poolsByReach`). */
export function hidingPools(reach: string, world: World): readonly Hiding[] {
  return world.desired
    .list(poolsByReach, reach)
    .flatMap(({ metadata }) => world.derived(poolHides, metadata.name) ?? [])
}

/** A pool's size and what is used of it: as granted by the manifest, else as seen. Zero until it is known. */
export function poolSpace(
  pool: Wish<typeof PrimaryStorage>,
  world: World,
): { readonly totalBytes: number; readonly usedBytes: number } {
  const space = world.observed.space(endpointKey('PrimaryStorage', world.identity(pool)))
  const { capacity } = pool.spec
  const totalBytes = capacity === undefined ? (space?.totalBytes ?? 0) : parseBytes(capacity)
  return { totalBytes, usedBytes: space?.usedBytes ?? 0 }
}

function isOpen(pool: Wish<typeof PrimaryStorage>, world: World): boolean {
  const { allocationState, lifecycle } = pool.spec
  if (pool.metadata.deletionTimestamp !== undefined || allocationState === 'Disabled' || lifecycle !== 'Active') {
    return false
  }
  const { answers, listed } = world.observed.endpoint(endpointKey('PrimaryStorage', world.identity(pool)))
  return answers === 'Yes' && listed
}

/** A pool for each volume among those reached, or the rule by which there is none. */
export function choosePools(
  volumes: readonly PlacementVolume[],
  reached: readonly CandidatePool[],
  planner: 'FirstFit' | 'Dispersing',
): { readonly pools: ChosenPools } | { readonly refusal: PlacementRule } {
  const pools: Record<string, { poolName: string; poolIdentity: string }> = {}
  const taken = new Map<string, number>()
  for (const volume of volumes) {
    const chosen = choosePool(volume, reached, { planner, taken })
    if (typeof chosen === 'string') return { refusal: chosen }
    const { poolName, poolIdentity } = chosen
    pools[volume.identity] = { poolName, poolIdentity }
    if (volume.poolName === undefined) taken.set(poolName, (taken.get(poolName) ?? 0) + volume.sizeBytes)
  }
  return { pools }
}

interface Choice {
  readonly planner: 'FirstFit' | 'Dispersing'
  /** What the volumes before this one take of each pool. */
  readonly taken: ReadonlyMap<string, number>
}

function choosePool(
  volume: PlacementVolume,
  reached: readonly CandidatePool[],
  { planner, taken }: Choice,
): CandidatePool | PlacementRule {
  if (volume.poolName !== undefined) {
    return reached.find(({ poolName }) => poolName === volume.poolName) ?? 'VolumeElsewhere'
  }
  const ofType = reached.filter(
    ({ scope }) => volume.scope === undefined || (scope === 'Host') === (volume.scope === 'Local'),
  )
  if (ofType.length === 0) return 'NoPool'
  const tagged = ofType.filter(({ tags }) => volume.tags.every(tag => tags.includes(tag)))
  if (tagged.length === 0) return 'StorageTagsMissing'
  const open = tagged.filter(pool => pool.open)
  if (open.length === 0) return 'PoolsClosed'
  const fitting = open.filter(({ poolName, roomBytes }) => volume.sizeBytes <= roomBytes - (taken.get(poolName) ?? 0))
  const [first] = fitting
  if (first === undefined) return 'StorageExhausted'
  if (planner === 'FirstFit') return first
  return fitting.reduce((least, pool) => (pool.load < least.load ? pool : least), first)
}
