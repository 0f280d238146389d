/** Finalizers that take a right of their own to take away, beside the right to write the object. */

import { forbidden } from '../status-error.ts'
import type { GuardedWrite } from './guarded-write.ts'

/** A finalizer of the custom resources of a group. */
export interface GuardedFinalizer {
  readonly group: string
  /** As in `example.dev/controller`. */
  readonly name: string
  /** The right is to use this verb on this subresource of the object. */
  readonly verb: string
  readonly subresource: string
  /** What a writer is told who may not; the resource's plural is given. */
  readonly refusal: (plural: string) => string
}

/** Throws a 403 where the writer takes a guarded finalizer away and may not. */
export function checkGuardedFinalizers(finalizers: readonly GuardedFinalizer[], write: GuardedWrite): void {
  const { definition, writer, next, old } = write
  const before = old?.metadata.finalizers
  if (before === undefined || before === next.metadata.finalizers) return
  const { group, plural } = definition
  for (const { verb, subresource, refusal, ...guarded } of finalizers) {
    if (guarded.group !== group || !before.includes(guarded.name)) continue
    if (next.metadata.finalizers?.includes(guarded.name)) continue
    const { namespace = '', name } = next.metadata
    if (writer.authorizer.decide(writer.user, { verb, group, plural, subresource, namespace, name }).allowed) continue
    throw forbidden(definition, name, refusal(plural))
  }
}
