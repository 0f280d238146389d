import type { Shard } from '../engine/shard.ts'

/** The shard of what is in no zone. There is always this one. */
export const outsideZones: Shard = {}

/** The name of a shard's Lease, by which shards are told apart as well. */
export function shardName({ zone }: Shard): string {
  return zone === undefined ? 'skystead-outside-zones' : `skystead-zone-${zone}`
}

/** The shard of a Lease's name. */
export function shardNamed(name: string): Shard {
  return name === shardName(outsideZones) ? outsideZones : { zone: name.slice(shardName({ zone: '' }).length) }
}
