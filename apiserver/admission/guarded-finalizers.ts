/** Finalizers that take a right of their own to take away, beside the right to write the object. */

import { type GuardedWrite, type Right, requireRight } from './guarded-write.ts'

/** A finalizer of the custom resources of a group. */
export interface GuardedFinalizer extends Right {
  readonly group: string
  /** As in `example.dev/controller`. */
  readonly name: string
}

/** Throws a 403 where the writer takes a guarded finalizer away and may not. */
export function checkGuardedFinalizers(finalizers: readonly GuardedFinalizer[], write: GuardedWrite): void {
  const { definition, next, old } = write
  const before = old?.metadata.finalizers
  if (before === undefined || before === next.metadata.finalizers) return
  for (const finalizer of finalizers) {
    const { group, name } = finalizer
    if (group !== definition.group || !before.includes(name)) continue
    if (!next.metadata.finalizers?.includes(name)) requireRight(write, finalizer)
  }
}
