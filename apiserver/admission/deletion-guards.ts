/** Objects that are not deleted while a field of theirs says so. */

import { type APIObject, valueAt } from '../api-object.ts'
import type { ResourceDefinition } from '../resource-definition.ts'
import { forbidden } from '../status-error.ts'

/** A value of a field that keeps an object from being deleted, whoever asks: a namespace that goes keeps it as well. */
export interface DeletionGuard {
  /** API groups of the kinds that have the field. */
  readonly groups: readonly string[]
  /** As in `['spec', 'protected']`. */
  readonly path: readonly string[]
  readonly value: string
  /** What somebody is told who tries: with what to do about it. */
  readonly refusal: string
}

/** Whether a guard keeps the object. */
export function isGuarded(guards: readonly DeletionGuard[], group: string, object: APIObject): boolean {
  return guardOf(guards, group, object) !== undefined
}

/** Throws a 403 where a guard keeps the object. */
export function checkDeletion(guards: readonly DeletionGuard[], definition: ResourceDefinition, live: APIObject): void {
  const guard = guardOf(guards, definition.group, live)
  if (guard !== undefined) throw forbidden(definition, live.metadata.name, guard.refusal)
}

function guardOf(guards: readonly DeletionGuard[], group: string, object: APIObject): DeletionGuard | undefined {
  return guards.find(({ groups, path, value }) => groups.includes(group) && valueAt(object, path) === value)
}
