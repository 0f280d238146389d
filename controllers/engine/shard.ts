import type { AnyKind } from '../../crds/define-kind.ts'
import type { Desired } from '../../reconcilers/world.ts'
import { type Placed, zoneOf } from '../../reconcilers/zone-of.ts'

/** A part of the cloud that one engine looks after: one zone, or (zone left out) everything that is in none. */
export interface Shard {
  readonly zone?: string
}

/** Whether an object is within the shard. Left out: everything is. */
export function isWithin(
  shard: Shard | undefined,
  kind: AnyKind,
  object: Placed,
  desired: Pick<Desired, 'get'>,
): boolean {
  return shard === undefined || zoneOf(kind, object, desired) === shard.zone
}

/** Whether an object may ever come into the shard, whatever else there is: tells most others apart at no cost. */
export function mayBeWithin(shard: Shard | undefined, kind: AnyKind, { spec }: Placed): boolean {
  if (shard?.zone === undefined) return true
  if (kind.shard === 'zone') return (spec as { readonly zoneName?: string }).zoneName === shard.zone
  return kind.shard === 'place'
}
