/** The types of a built-in object's fields: Kubernetes reads such an object into its own types before it looks at it. */

import { isRecord } from '../api-object.ts'
import type { StructuralSchema } from '../schema/structural-schema.ts'
import { mistyped } from '../undecodable-error.ts'

/** Throws an UndecodableError where a field, as in `ConfigMap.data`, has a value of a wrong type. */
export function checkTypes(value: unknown, schema: StructuralSchema, field: string): void {
  if (value === null || value === undefined) return
  const expected = goTypes[schema.type ?? '']
  if (expected !== undefined && !expected.holds(value)) throw mistyped(value, field, expected.name(schema))
  const { properties = {}, additionalProperties, items } = schema
  if (Array.isArray(value)) {
    if (items !== undefined) for (const item of value) checkTypes(item, items, field)
    return
  }
  if (!isRecord(value)) return
  for (const [key, part] of Object.entries(value)) {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined
    if (property !== undefined) checkTypes(part, property, `${field}.${key}`)
    else if (typeof additionalProperties === 'object') checkTypes(part, additionalProperties, field)
  }
}

interface GoType {
  readonly holds: (value: unknown) => boolean
  readonly name: (schema: StructuralSchema) => string
}

const goTypes: Readonly<Record<string, GoType>> = {
  string: { holds: value => typeof value === 'string', name: () => 'string' },
  boolean: { holds: value => typeof value === 'boolean', name: () => 'bool' },
  integer: { holds: value => Number.isInteger(value), name: ({ format = 'int64' }) => format },
  number: { holds: value => typeof value === 'number', name: () => 'float64' },
  array: { holds: value => Array.isArray(value), name: () => 'slice' },
  object: { holds: isRecord, name: () => 'struct' },
}
