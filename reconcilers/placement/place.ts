import { Host } from '../../crds/infrastructure/host.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { fenceOf } from '../infrastructure/fencing.ts'
import { hostOfIdentity, poolOfIdentity } from '../infrastructure/topology.ts'
import { defineDerived, type World } from '../world.ts'
import { type CandidateZone, candidateZone, clusterReading } from './candidates.ts'
import { type HostVerdict, type Placed, type Placement, type PlacementRequest, refused } from './request.ts'
import { type Scope, Search } from './search.ts'

/**
 * Finds a place for a machine and its volumes. Pure: it promises nothing, the caller's claim does. Hand it
 * `world.queued('placement/<zone>')`, so that what it reads wakes the queue and not every machine that waits.
 */
export function place(request: PlacementRequest, world: World): Placement {
  const zone = world.derived(candidateZone, request.zoneName)
  if (zone === undefined) return refused('ZoneNotFound', `Zone "${request.zoneName}" does not exist`)
  if (zone.closed !== undefined && request.hostIdentity === undefined) {
    return refused('ZoneClosed', `Zone "${request.zoneName}" ${zone.closed}`)
  }
  if (!world.derived(isZoneRead, request.zoneName)) {
    return refused('InventoriesNotRead', unreadMessage(unreadInventories(zone, world)))
  }
  const scope = scopeOf(request, world)
  if ('apart' in scope) return refused('VolumesApart', scope.apart)
  const search = new Search(withPoolNames(request, world), scope, world)
  return find(zone, search, request.planner) ?? search.refusal()
}

/** What every host of the zone says to the request. For people: it looks at all of them. */
export function explain(request: PlacementRequest, world: World): readonly HostVerdict[] {
  const zone = world.derived(candidateZone, request.zoneName)
  const scope = scopeOf(request, world)
  if (zone === undefined || 'apart' in scope) return []
  const search = new Search(withPoolNames(request, world), scope, world)
  return search.clustersOf(zone).flatMap(cluster => search.verdicts(cluster))
}

function find(zone: CandidateZone, search: Search, planner: PlacementRequest['planner']): Placed | undefined {
  if (search.scope.hostName !== undefined) return search.onHost(zone, search.scope.hostName)
  return planner === 'Dispersing' ? search.leastLoaded(zone) : search.firstFit(zone)
}

/**
 * Names of hosts whose inventory must be read before anything is placed. While the zone holds no claim at all, the
 * claims may be what is missing, and the hosts alone know what runs. Later, and after each start of this process, every
 * host must at least have been asked: a machine without a claim may have a namesake there that is being rebound.
 */
function unreadInventories(zone: CandidateZone, world: World): readonly string[] {
  const clusters = zone.clusters.map(clusterName => world.derived(clusterReading, clusterName))
  const isClaimed = clusters.some(cluster => cluster.isClaimed)
  return clusters.flatMap(({ unread, unasked }) => (isClaimed ? unasked : unread))
}

/**
 * Whether enough of a zone was read to tell what is new in it, by the zone's name. A zone that is not there yet has
 * nothing to read. Remembered: what it rests on moves with every claim, and it hardly ever.
 */
export const isZoneRead = defineDerived('isZoneRead', (zoneName, world): boolean => {
  const zone = world.derived(candidateZone, zoneName)
  return zone === undefined || unreadInventories(zone, world).length === 0
})

/** Names of a zone's hosts that have an endpoint and were not read by this process, by the zone's name. */
const unreadHosts = defineDerived('unreadHosts', (zoneName, world): readonly string[] =>
  (world.derived(candidateZone, zoneName)?.clusters ?? []).flatMap(
    clusterName => world.derived(clusterReading, clusterName).unread,
  ),
)

/**
 * Why nobody can tell whether something that was there before its object, and has no claim, is in use: a host of the zone
 * was neither read by this process nor proven off. Undefined: every host was read, or runs nothing.
 */
export function whyUnknown(zoneName: string, world: World): string | undefined {
  const unread = world.derived(unreadHosts, zoneName).filter(hostName => !fenceOf(hostName, world).fenced)
  if (unread.length === 0) return undefined
  return `it was given its identity and has no claim, so that it may be in use on a host that was not read since the controllers started: ${listed(unread)}. Bring the host back, or switch it off and set its spec.lifecycle to Lost`
}

function unreadMessage(unread: readonly string[]): string {
  return `Nothing is placed in a zone until every host was asked for its inventory, in an empty one until each has answered; missing: ${listed(unread)}. A host that is off for good can be declared so by its spec.lifecycle Lost`
}

function listed(names: readonly string[]): string {
  const named = names.slice(0, 5).map(name => `"${name}"`)
  return `${named.join(', ')}${names.length > named.length ? ` and ${names.length - named.length} more` : ''}`
}

function scopeOf(request: PlacementRequest, world: World): Scope | { readonly apart: string } {
  const { hostIdentity, placement = {}, volumes } = withPoolNames(request, world)
  const pinned = hostIdentity === undefined ? undefined : hostOfIdentity(hostIdentity, world)?.metadata.name
  if (hostIdentity !== undefined && pinned === undefined) {
    return {
      apart: `The machine is on the host of identity ${hostIdentity}, which is not declared: apply that Host again`,
    }
  }
  let scope: Scope = pinned === undefined ? placement : { hostName: pinned }
  for (const { poolName } of volumes) {
    const pool = poolName === undefined ? undefined : world.desired.get(PrimaryStorage, poolName)?.spec
    const { hostName = scope.hostName, clusterName = scope.clusterName } = pool ?? {}
    if ((scope.hostName ?? hostName) !== hostName || (scope.clusterName ?? clusterName) !== clusterName) {
      return {
        apart: `The volume in pool "${poolName}" cannot be reached where the machine's other volumes or its spec.placement have it`,
      }
    }
    scope = { ...scope, hostName, clusterName }
  }
  const ofHost = scope.hostName === undefined ? undefined : world.desired.get(Host, scope.hostName)?.spec.clusterName
  if (ofHost !== undefined && scope.clusterName !== undefined && ofHost !== scope.clusterName) {
    return {
      apart: `Host "${scope.hostName}" is not in cluster "${scope.clusterName}", where the machine's volumes or its spec.placement have it`,
    }
  }
  return { ...scope, clusterName: scope.clusterName ?? ofHost }
}

/** The request with every pool that is known by its identity named. One that is not declared has no name that fits. */
function withPoolNames(request: PlacementRequest, world: World): PlacementRequest {
  if (request.volumes.every(({ poolIdentity }) => poolIdentity === undefined)) return request
  const volumes = request.volumes.map(volume => {
    if (volume.poolIdentity === undefined || volume.poolName !== undefined) return volume
    const pool = poolOfIdentity(volume.poolIdentity, world)
    return { ...volume, poolName: pool?.metadata.name ?? volume.poolIdentity }
  })
  return { ...request, volumes }
}
