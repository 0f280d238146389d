/** Who owns which field: server-side apply and the upkeep of managedFields, for one request. */

import { timestamp } from '../../crds/environment.ts'
import type { APIObject } from '../api-object.ts'
import { conflictMessage, serverSideApply, updateManagedFields } from '../apply/server-side-apply.ts'
import type { ServedResource } from '../registry.ts'
import type { Scope, WriteOptions } from '../scope.ts'
import { applyConflict } from '../status-error.ts'

/** How the managers of fields are kept for a write: an apply has seen to them already. */
export type Ownership = 'update' | 'applied'

/** The object with its managedFields brought up to date after a create, update or patch. */
export function ownedAfterUpdate(scope: Scope, options: WriteOptions, next: APIObject, live?: APIObject): APIObject {
  const owned = updateManagedFields({
    ...common(scope, options, live),
    next,
    operation: 'Update',
  })
  return asObject(owned)
}

/** What an apply makes of the live object; throws a 409 that names each manager and field in the way. */
export function applied(scope: Scope, options: WriteOptions, configuration: APIObject, live?: APIObject): APIObject {
  const result = serverSideApply({ ...common(scope, options, live), applied: configuration, force: options.force })
  if (result.ok) return asObject(result.object)
  throw applyConflict(
    conflictMessage(result.conflicts),
    result.conflicts.map(({ message, field }) => ({ reason: 'FieldManagerConflict', message, field })),
  )
}

function common({ context, resource, subresource }: Scope, { manager }: WriteOptions, live: APIObject | undefined) {
  return {
    live,
    manager,
    ...(subresource !== '' ? { subresource } : statusApart(resource)),
    apiVersion: resource.apiVersion,
    time: timestamp(context.environment.clock),
    schema: resource.definition.schema,
    blank: resource.definition.builtin ? blankBuiltin : {},
  }
}

/** Built-in objects have these always: they are nobody's. */
const blankBuiltin = { spec: {}, status: {} }

/** What a subresource sets is nobody's who writes the object itself. */
function statusApart({ definition }: ServedResource) {
  return definition.subresources.status ? { resetFields: ['status'] } : {}
}

/** What the field managers return is the object they were given, with other fields and managers. */
function asObject(value: object): APIObject {
  return value as APIObject
}
