import type { Schema } from './constraints.ts'

/** Why a value does not fit a schema; undefined where it does. Rules are left to the API server. */
export function misfit(value: unknown, schema: Schema): string | undefined {
  switch (schema.type) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'it must be a boolean'
    case 'integer':
      return integerMisfit(value, schema)
    case 'string':
      return stringMisfit(value, schema)
    case 'array':
      return listMisfit(value, schema)
    default:
      return objectMisfit(value, schema)
  }
}

function integerMisfit(value: unknown, schema: Schema): string | undefined {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return 'it must be an integer'
  if (schema.minimum !== undefined && value < schema.minimum) return `it must be at least ${schema.minimum}`
  if (schema.maximum !== undefined && value > schema.maximum) return `it must be at most ${schema.maximum}`
  return undefined
}

function stringMisfit(value: unknown, schema: Schema): string | undefined {
  if (typeof value !== 'string') return 'it must be a string'
  if (schema.enum !== undefined && !schema.enum.includes(value)) return `it must be one of ${schema.enum.join(', ')}`
  if (schema.minLength !== undefined && value.length < schema.minLength) return 'it is too short'
  if (schema.maxLength !== undefined && value.length > schema.maxLength) return 'it is too long'
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value))
    return `it must match ${schema.pattern}`
  return undefined
}

function listMisfit(value: unknown, schema: Schema): string | undefined {
  if (!Array.isArray(value)) return 'it must be a list'
  if (schema.minItems !== undefined && value.length < schema.minItems) return 'it has too few items'
  if (schema.maxItems !== undefined && value.length > schema.maxItems) return 'it has too many items'
  const { items } = schema
  if (items === undefined) return undefined
  return value.map(item => misfit(item, items)).find(reason => reason !== undefined)
}

function objectMisfit(value: unknown, schema: Schema): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'it must be an object'
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(value, name)) return `it must have \`${name}\``
  }
  for (const [name, item] of Object.entries(value)) {
    const property = schema.properties?.[name] ?? schema.additionalProperties
    if (property === undefined) return `it may not have \`${name}\``
    const reason = misfit(item, property)
    if (reason !== undefined) return `\`${name}\`: ${reason}`
  }
  return undefined
}
