/** What is wrong with one field of an object, in the words of Kubernetes. */

/** The reason of a cause in a Status answer. */
export type FieldErrorType =
  | 'FieldValueInvalid'
  | 'FieldValueRequired'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueDuplicate'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'

/** One wrong field. A Status answer carries it as a cause `{reason: type, message, field}`. */
export interface FieldError {
  readonly type: FieldErrorType
  /** The path as Kubernetes writes it: `spec.nics[0].name`, `metadata.labels[app]`, `<nil>` for the whole object. */
  readonly field: string
  /** The whole message without the field: `Invalid value: 3: must be less than 2`, `Required value`. */
  readonly message: string
  readonly badValue?: unknown
}
