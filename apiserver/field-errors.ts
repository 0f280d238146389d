/** Field errors of the server's own checks, in the words of Kubernetes. */

import type { FieldError } from './schema/field-error.ts'
import { goBadValue } from './schema/go-format.ts'

/** The value breaks a rule. */
export function invalidValue(field: string, badValue: unknown, detail: string): FieldError {
  const message = `Invalid value: ${goBadValue(badValue)}: ${detail}`
  return { type: 'FieldValueInvalid', field, message, badValue }
}

/** The field must be given. */
export function requiredValue(field: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field, message: detail === '' ? 'Required value' : `Required value: ${detail}` }
}

/** The field must not be given, or not be changed. */
export function forbiddenField(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, message: `Forbidden: ${detail}` }
}

/** The value is none of a closed set. */
export function unsupportedValue(field: string, badValue: unknown, supported: readonly string[]): FieldError {
  const values = supported.map(value => JSON.stringify(value)).join(', ')
  const message = `Unsupported value: ${JSON.stringify(badValue) ?? 'null'}: supported values: ${values}`
  return { type: 'FieldValueNotSupported', field, message, badValue }
}

/** The value is longer than allowed. */
export function tooLong(field: string, badValue: unknown, bytes: number): FieldError {
  const most = bytes === 1 ? '1 byte' : `${bytes} bytes`
  return { type: 'FieldValueTooLong', field, message: `Too long: may not be more than ${most}`, badValue }
}

/** The value is there already. */
export function duplicateValue(field: string, badValue: unknown): FieldError {
  return { type: 'FieldValueDuplicate', field, message: `Duplicate value: ${goBadValue(badValue)}`, badValue }
}

/** There are more values than allowed. */
export function tooMany(field: string, count: number, limit: number): FieldError {
  const message = `Too many: ${count}: must have at most ${limit} ${limit === 1 ? 'item' : 'items'}`
  return { type: 'FieldValueTooMany', field, message, badValue: count }
}
