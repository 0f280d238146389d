import { hashOf } from '../../reconcilers/identity.ts'

/**
 * Who is to have which shard: every replica comes to the same answer by itself. Shards are spread evenly, and few of them
 * move when a replica comes or goes (rendezvous hashing, https://www.ietf.org/archive/id/draft-ietf-bess-weighted-hrw-00.html,
 * with a bound on how many one replica has).
 */
export function assign(shards: readonly string[], replicas: readonly string[]): ReadonlyMap<string, string> {
  const assigned = new Map<string, string>()
  const loads = new Map(replicas.map(replica => [replica, 0]))
  const most = Math.ceil(shards.length / replicas.length)
  for (const shard of shards.toSorted()) {
    const free = replicas.filter(replica => (loads.get(replica) ?? 0) < most)
    const [first] = free.toSorted((left, right) => (weight(left, shard) < weight(right, shard) ? -1 : 1))
    if (first === undefined) return assigned
    assigned.set(shard, first)
    loads.set(first, (loads.get(first) ?? 0) + 1)
  }
  return assigned
}

function weight(replica: string, shard: string): string {
  return hashOf([replica, shard])
}
