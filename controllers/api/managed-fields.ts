import type { ObjectMeta, Resource } from '../../crds/meta.ts'

/** An entry of metadata.managedFields, as far as it is looked at. */
interface ManagedFields {
  readonly manager?: string
  readonly time?: string
  readonly subresource?: string
  readonly fieldsV1?: object
}

/** An object without its managed fields, and the manager that last changed its spec. */
export interface LeanObject {
  readonly object: Resource
  readonly changedBy: string | undefined
}

type ManagedMeta = ObjectMeta & { readonly managedFields?: readonly ManagedFields[] }

/** Objects that were made here, and who changed their spec last: everybody in this process shares them. */
const made = new WeakMap<Resource, string | undefined>()

/** Managed fields are the largest part of many objects: only who changed the spec last is told of them. */
export function withoutManagedFields(object: Resource): LeanObject {
  if (made.has(object)) return { object, changedBy: made.get(object) }
  const { managedFields = [], ...metadata }: ManagedMeta = object.metadata
  const lean = { ...object, metadata }
  const changedBy = lastToChangeSpec(managedFields)
  made.set(lean, changedBy)
  return { object: lean, changedBy }
}

function lastToChangeSpec(managedFields: readonly ManagedFields[]): string | undefined {
  let last: ManagedFields | undefined
  for (const fields of managedFields) {
    if (fields.subresource !== undefined || fields.fieldsV1 === undefined || !('f:spec' in fields.fieldsV1)) continue
    if (last === undefined || (fields.time ?? '') >= (last.time ?? '')) last = fields
  }
  return last?.manager
}
