/** Names of the types of values, as CEL has them. */

import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'

/** The type of a value that an expression yields. */
export function nameOfType(value: unknown): string {
  if (value === null) return 'null_type'
  if (Array.isArray(value)) return 'list'
  if (value instanceof Map) return 'map'
  if (value instanceof Date) return 'google.protobuf.Timestamp'
  if (value instanceof Duration) return 'google.protobuf.Duration'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof UnsignedInt) return 'uint'
  const names = { string: 'string', bigint: 'int', number: 'double', boolean: 'bool' } as const
  const primitive = typeof value
  if (primitive in names) return names[primitive as keyof typeof names]
  return String(value).startsWith('Type<') ? 'type' : 'map'
}
