/** Fields that take a right of their own, beside the right to write the object. */

import deepEqual from 'fast-deep-equal'
import { valueAt } from '../api-object.ts'
import { forbidden } from '../status-error.ts'
import type { GuardedWrite } from './guarded-write.ts'

/** A field of custom resources that only those may set who may use a verb on the object. */
export interface GuardedField {
  /** API groups of the kinds that have it. */
  readonly groups: readonly string[]
  /** As in `['spec', 'placement']`. */
  readonly path: readonly string[]
  /** Only setting this value takes the right. Left out: every change does. */
  readonly value?: string
  readonly verb: string
  /** What a writer is told who may not; the resource's plural is given. */
  readonly refusal: (plural: string) => string
}

/** Throws a 403 where the writer changes a guarded field and may not. */
export function checkGuardedFields(fields: readonly GuardedField[], write: GuardedWrite): void {
  const { definition, writer, next, old } = write
  const { group, plural } = definition
  for (const { groups, path, value, verb, refusal } of fields) {
    if (!groups.includes(group)) continue
    const wished = valueAt(next, path)
    if (value !== undefined && wished !== value) continue
    if (deepEqual(wished, valueAt(old, path))) continue
    const { namespace = '', name } = next.metadata
    if (writer.authorizer.decide(writer.user, { verb, group, plural, subresource: '', namespace, name }).allowed)
      continue
    throw forbidden(definition, name, refusal(plural))
  }
}
