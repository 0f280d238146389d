/** Fields that take a right of their own, beside the right to write the object. */

import deepEqual from 'fast-deep-equal'
import { type APIObject, isRecord } from '../api-object.ts'
import type { Scope } from '../scope.ts'
import { forbidden } from '../status-error.ts'

/** Throws a 403 where the writer changes a guarded field and may not; `old` is undefined on creation. */
export function checkGuardedFields(scope: Scope, next: APIObject, old: APIObject | undefined): void {
  const { resource, user, context } = scope
  const { group, plural } = resource.definition
  for (const { groups, path, value, verb } of context.guardedFields) {
    if (!groups.includes(group)) continue
    const wished = fieldAt(next, path)
    if (value !== undefined && wished !== value) continue
    if (deepEqual(wished, old && fieldAt(old, path))) continue
    const { namespace = '', name } = next.metadata
    if (context.authorizer.decide(user, { verb, group, plural, subresource: '', namespace, name }).allowed) continue
    const what = value === undefined ? path.join('.') : `${path.join('.')} "${value}"`
    throw forbidden(resource.definition, name, `${what} takes the right to "${verb}" ${plural}: ask an operator`)
  }
}

function fieldAt(object: unknown, path: readonly string[]): unknown {
  return path.reduce((value: unknown, key) => (isRecord(value) ? value[key] : undefined), object)
}
