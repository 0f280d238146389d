import type { AnyKind } from '../../crds/define-kind.ts'
import type { Desired } from '../../reconcilers/world.ts'
import { type Placed, zoneOf } from '../../reconcilers/zone-of.ts'

/** The part of the cloud that an engine looks after: one zone, or (zone left out) everything that is in none. */
export interface Scope {
  readonly zone?: string
}

/** Whether an object is within the scope. Left out: everything is. */
export function isWithin(
  scope: Scope | undefined,
  kind: AnyKind,
  object: Placed,
  desired: Pick<Desired, 'get'>,
): boolean {
  return scope === undefined || zoneOf(kind, object, desired) === scope.zone
}

/** Whether an object may ever come into the scope, whatever else there is: tells most others apart at no cost. */
export function mayBeWithin(scope: Scope | undefined, kind: AnyKind, { spec }: Placed): boolean {
  if (scope?.zone === undefined) return true
  if (kind.shard === 'zone') return (spec as { readonly zoneName?: string }).zoneName === scope.zone
  return kind.shard === 'place'
}
