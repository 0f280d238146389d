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

/** Managed fields are the largest part of many objects: only who changed the spec last is told of them. */
export function withoutManagedFields(object: Resource): LeanObject {
  const { managedFields = [], ...metadata }: ManagedMeta = object.metadata
  return { object: { ...object, metadata }, changedBy: lastToChangeSpec(managedFields) }
}

/** The object with as much of its managed fields as says who changed the spec last. */
export function withLastManager(object: Resource): Resource {
  const { object: lean, changedBy } = withoutManagedFields(object)
  if (changedBy === undefined) return lean
  const metadata: ManagedMeta = {
    ...lean.metadata,
    managedFields: [{ manager: changedBy, fieldsV1: { 'f:spec': {} } }],
  }
  return { ...lean, metadata }
}

function lastToChangeSpec(managedFields: readonly ManagedFields[]): string | undefined {
  let last: ManagedFields | undefined
  for (const fields of managedFields) {
    if (fields.subresource !== undefined || fields.fieldsV1 === undefined || !('f:spec' in fields.fieldsV1)) continue
    if (last === undefined || (fields.time ?? '') >= (last.time ?? '')) last = fields
  }
  return last?.manager
}
