import { Host } from '../../crds/infrastructure/host.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import type { EndpointKey } from '../../drivers/contract/endpoint.ts'
import { fenceOf } from '../infrastructure/fencing.ts'
import { hostKey, isReadable } from '../infrastructure/host-endpoint.ts'
import { clustersOfZone, hostOfIdentity, hostsByCluster, poolOfIdentity } from '../infrastructure/topology.ts'
import { namesOf, quotedNamesOf } from '../names.ts'
import { defineDerived, type World } from '../world.ts'
import { type CandidateZone, candidateZone, clusterReading } from './candidates.ts'
import { type Hiding, hidingPools } from './pools.ts'
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
  const scope = scopeOf(request, world)
  if ('apart' in scope) return refused('VolumesApart', scope.apart)
  const search = new Search(withPoolNames(request, world), scope, world)
  return find(zone, search, request.planner) ?? search.refusal()
}

/**
 * Finds a place for a machine that has none yet, or for disks to be made: refused while they may be there already, where
 * nobody has looked.
 */
export function placeNew(request: PlacementRequest, world: World): Placement {
  const zone = world.derived(candidateZone, request.zoneName)
  if (zone === undefined || isZoneRead(request.zoneName, world)) return place(request, world)
  return refused('InventoriesNotRead', hidingMessage(hidingIn(request.zoneName, world)))
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
 * Whether enough of a zone was read to tell what is new in it: after a loss of the API's store an object that has no claim
 * may have its machine or disk wherever nobody has looked. A zone that is not there yet has nothing to read.
 */
export function isZoneRead(zoneName: string, world: World): boolean {
  const { any, lostHostNames } = world.derived(zoneReading, zoneName)
  return !any && lostHostNames.every(hostName => fenceOf(hostName, world).fenced)
}

/**
 * Whether places hide something whatever fence is asked for, and the hosts whose fence lets the others go; by the zone's
 * name. Remembered: the places come to be read one after the other, and that wakes nobody.
 */
const zoneReading = defineDerived(
  'zoneReading',
  (zoneName, world): { readonly any: boolean; readonly lostHostNames: readonly string[] } => {
    const places = world.derived(hidingPlaces, zoneName)
    return {
      any: places.some(({ lostHostName }) => lostHostName === undefined),
      lostHostNames: [...new Set(places.flatMap(({ lostHostName }) => lostHostName ?? []))],
    }
  },
)

/** Hosts and pools of a zone that may hold something that nobody knows of, in words. */
function hidingIn(zoneName: string, world: World): readonly string[] {
  return world.derived(hidingPlaces, zoneName).flatMap(({ place, lostHostName }) => {
    const fence = lostHostName === undefined ? undefined : fenceOf(lostHostName, world)
    if (fence === undefined) return [place]
    return fence.fenced ? [] : [`${place} (${fence.why})`]
  })
}

/** The same before any host's fence, which time may change, is asked; by the zone's name. */
const hidingPlaces = defineDerived('hidingPlaces', (zoneName, world): readonly Hiding[] => {
  const zone = world.derived(candidateZone, zoneName)
  if (zone === undefined) return []
  return [
    ...zone.clusters.flatMap(clusterName => world.derived(clusterReading, clusterName).hiding),
    ...hidingPools(`Zone/${zoneName}`, world),
  ]
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
  return `it was given its identity and has no claim, so that it may be in use on a host that was not read since the controllers started: ${quotedNamesOf(unread)}. Bring the host back, or switch it off and set its spec.lifecycle to Lost`
}

/** Names of a zone's hosts that are about to be read for the first time by this process: one that failed to be is not. */
export function hostsBeingRead(zoneName: string, world: World): readonly string[] {
  return world.derived(unreadHosts, zoneName).filter(hostName => {
    const host = world.desired.get(Host, hostName)
    if (host === undefined) return false
    const { answers, message } = world.observed.endpoint(hostKey(host, world))
    return answers === 'Yes' || (answers === 'Unknown' && message === undefined)
  })
}

/** A host that may have what nobody has told of yet. */
export interface ReadableHost {
  readonly hostName: string
  readonly key: EndpointKey
  readonly answers: boolean
}

/** A zone's hosts, by the zone's name. */
const readableHosts = defineDerived('readableHosts', (zoneName, world): readonly ReadableHost[] =>
  world
    .derived(clustersOfZone, zoneName)
    .flatMap(clusterName => world.desired.list(hostsByCluster, clusterName))
    .filter(host => isReadable(host, world))
    .map(host => {
      const key = hostKey(host, world)
      return { hostName: host.metadata.name, key, answers: world.observed.endpoint(key).answers === 'Yes' }
    }),
)

/**
 * Hosts of a zone that were not read since it was first asked where the identity is, but for those that are proven to run
 * nothing: an operator's word that a host is lost counts where nothing speaks against it.
 */
export function hostsNotReadSince(identity: string, zoneName: string, world: World): readonly ReadableHost[] {
  const all = world
    .derived(readableHosts, zoneName)
    .filter(({ hostName, answers }) => answers || !fenceOf(hostName, world).fenced)
  const unlisted = new Set(
    world.observed.unlisted(
      identity,
      all.map(({ key }) => key),
    ),
  )
  return all.filter(({ key }) => unlisted.has(key))
}

function hidingMessage(hiding: readonly string[]): string {
  return `Nothing new is made in a zone while a host or pool was never read that may have it already; missing: ${namesOf(hiding)}. A host that is off for good can be declared so by its spec.lifecycle Lost, a pool that is gone be deleted`
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
