import type { Host } from '../../crds/infrastructure/host.ts'
import { type EndpointKey, endpointKey } from '../../drivers/contract/endpoint.ts'
import type { Wish, World } from '../world.ts'
import { fenceOf } from './fencing.ts'
import { hostsByCluster, poolsByReach, reachesOf } from './topology.ts'

/** How many pools and neighbours are asked. */
const poolsAsked = 3
const neighboursAsked = 2
/** Among how many neighbours those are looked for: when many hosts are silent at once, nobody looks through all. */
const neighboursLookedAt = 8

/**
 * Who is asked for signs of life of a host: pools that it reaches, and neighbours that answer. Undefined where it is not
 * silent, or proven off already.
 */
export function witnessesOf(host: Wish<typeof Host>, world: World): readonly EndpointKey[] | undefined {
  const key = endpointKey('Host', world.identity(host))
  if (world.observed.endpoint(key).answers !== 'No' || fenceOf(host.metadata.name, world).fenced) return undefined
  const pools = poolsReached(host, world).slice(0, poolsAsked)
  return [...pools.map(pool => endpointKey('PrimaryStorage', world.identity(pool))), ...neighbours(host, world)]
}

/** The pools that a host should reach: its own, its cluster's, its zone's. */
export function poolsReached(host: Wish<typeof Host>, world: World) {
  return reachesOf(host, world).flatMap(reach => world.desired.list(poolsByReach, reach))
}

function neighbours(host: Wish<typeof Host>, world: World): readonly EndpointKey[] {
  const hosts = world.desired.list(hostsByCluster, host.spec.clusterName)
  const own = hosts.findIndex(({ metadata }) => metadata.uid === host.metadata.uid)
  const next = Array.from(
    { length: Math.min(neighboursLookedAt, hosts.length - 1) },
    (_, index) => hosts[(own + 1 + index) % hosts.length],
  )
  return next
    .flatMap(neighbour => (neighbour === undefined ? [] : [endpointKey('Host', world.identity(neighbour))]))
    .filter(neighbour => world.observed.endpoint(neighbour).answers === 'Yes')
    .slice(0, neighboursAsked)
}
