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

/** Managed fields are the largest part of many objects: only who changed the spec last is kept of them. */
export function withoutManagedFields(object: Resource): LeanObject {
  const { managedFields, ...metadata } = object.metadata as ObjectMeta & { managedFields?: readonly ManagedFields[] }
  return { object: { ...object, metadata }, changedBy: lastToChangeSpec(managedFields ?? []) }
}

function lastToChangeSpec(managedFields: readonly ManagedFields[]): string | undefined {
  let last: ManagedFields | undefined
  for (const fields of managedFields) {
    if (fields.subresource !== undefined || fields.fieldsV1 === undefined || !('f:spec' in fields.fieldsV1)) continue
    if (last === undefined || (fields.time ?? '') >= (last.time ?? '')) last = fields
  }
  return last?.manager
}
