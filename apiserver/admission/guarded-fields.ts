/** Fields that take a right of their own, beside the right to write the object. */

import deepEqual from 'fast-deep-equal'
import { valueAt } from '../api-object.ts'
import { type GuardedWrite, type Right, requireRight } from './guarded-write.ts'

/** A field of custom resources that only those may set who may use a verb on the object. */
export interface GuardedField extends Right {
  /** API groups of the kinds that have it. */
  readonly groups: readonly string[]
  /** As in `['spec', 'placement']`. */
  readonly path: readonly string[]
  /** Only setting this value takes the right. Left out: every change does. */
  readonly value?: string
}

/** Throws a 403 where the writer changes a guarded field and may not. */
export function checkGuardedFields(fields: readonly GuardedField[], write: GuardedWrite): void {
  const { definition, next, old } = write
  for (const field of fields) {
    const { groups, path, value } = field
    if (!groups.includes(definition.group)) continue
    const wished = valueAt(next, path)
    if (value !== undefined && wished !== value) continue
    if (deepEqual(wished, valueAt(old, path))) continue
    requireRight(write, field)
  }
}
