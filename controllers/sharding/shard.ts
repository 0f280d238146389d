/** A part of the cloud that one replica at a time looks after: a zone by its name, or everything that is in none. */
export interface Shard {
  /** Left out: what is in no zone. */
  readonly zone?: string
}

/** The shard of what is in no zone. There is always this one. */
export const outsideZones: Shard = {}

/** The name of a shard's Lease, by which shards are told apart as well. */
export function shardName({ zone }: Shard): string {
  return zone === undefined ? 'skystead-outside-zones' : `skystead-zone-${zone}`
}
