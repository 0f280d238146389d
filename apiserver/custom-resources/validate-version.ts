/** What is wrong with the versions of a definition: their schemas, columns and selectable fields. */

import type { JSONObject } from '../api-object.ts'
import { duplicateValue, invalidValue, requiredValue, tooMany } from '../field-errors.ts'
import { readFieldPath } from '../schema/cel/compile-rule.ts'
import type { FieldError, FieldErrorType } from '../schema/field-error.ts'
import { equalJSON } from '../schema/json.ts'
import { SchemaError, type SchemaProblem } from '../schema/schema-error.ts'
import type { StructuralSchema } from '../schema/structural-schema.ts'
import type { Version } from './definition-spec.ts'
import { columnTypes, compiledSchema } from './definition-spec.ts'
import { validateScale } from './validate-scale.ts'

/** Most fields that selectors of one version may use. */
const selectableLimit = 8

/**
 * Field errors of the parts that versions may share. Parts that are the same in all versions are named as parts of
 * the spec, as Kubernetes does. `before` are the versions that are changed, none where the definition is new.
 */
export function validateVersionParts(versions: readonly Version[], before: readonly Version[]): readonly FieldError[] {
  const [first] = versions
  if (first === undefined) return []
  const isShared = (part: keyof Version) => versions.every(version => equalJSON(version[part], first[part]))
  const each = (
    part: keyof Version,
    shared: string,
    own: string,
    check: (version: Version, field: string) => FieldErrors,
  ) =>
    isShared(part)
      ? check(first, `spec.${shared}`)
      : versions.flatMap((version, index) => check(version, `spec.versions[${index}].${own}`))
  const isUnchanged = ({ name, schema }: Version) =>
    before.some(version => version.name === name && equalJSON(version.schema, schema))
  const checkSchema = (version: Version, field: string) => validateSchema(version, field, isUnchanged(version))
  return [
    ...versions.flatMap(({ schema }, index) =>
      schema === undefined ? [requiredValue(`spec.versions[${index}].schema.openAPIV3Schema`)] : [],
    ),
    ...each('schema', 'validation.openAPIV3Schema', 'schema.openAPIV3Schema', checkSchema),
    ...each('givenColumns', 'additionalPrinterColumns', 'additionalPrinterColumns', validateColumns),
    ...each('selectableFields', 'selectableFields', 'selectableFields', validateSelectableFields),
    ...each('scale', 'subresources.scale', 'subresources.scale', validateScale),
  ]
}

type FieldErrors = readonly FieldError[]

/** A rule that costs too much is forgiven where it was there before. */
function validateSchema({ schema }: Version, field: string, isUnchanged: boolean): FieldErrors {
  if (schema === undefined) return []
  try {
    const { excess } = compiledSchema(schema)
    return [...(isUnchanged ? [] : excess.expressions), ...excess.total].map(problem => fieldError(problem, field))
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error
    return error.problems.map(problem => fieldError(problem, field))
  }
}

function fieldError(problem: SchemaProblem, field: string): FieldError {
  return {
    type: typeOf(problem.message),
    field: problem.field === '' ? field : `${field}.${problem.field}`,
    message: problem.message,
  }
}

const types: readonly (readonly [string, FieldErrorType])[] = [
  ['Required value', 'FieldValueRequired'],
  ['Forbidden', 'FieldValueForbidden'],
  ['Unsupported value', 'FieldValueNotSupported'],
]

function typeOf(message: string): FieldErrorType {
  return types.find(([start]) => message.startsWith(start))?.[1] ?? 'FieldValueInvalid'
}

function validateColumns({ givenColumns }: Version, field: string): FieldErrors {
  return givenColumns.flatMap((column, index) => validateColumn(column, `${field}[${index}]`))
}

function validateColumn({ name, type, format, jsonPath }: JSONObject, field: string): FieldErrors {
  const errors: FieldError[] = []
  const known = columnTypes.toSorted().join(',')
  if (name === '' || name === undefined) errors.push(requiredValue(`${field}.name`))
  if (type === '' || type === undefined) errors.push(requiredValue(`${field}.type`, `must be one of ${known}`))
  else if (!columnTypes.some(each => each === type)) {
    errors.push(invalidValue(`${field}.type`, type, `must be one of ${known}`))
  }
  if (typeof format === 'string' && format !== '' && !columnFormats.includes(format)) {
    errors.push(invalidValue(`${field}.format`, format, `must be one of ${columnFormats.join(',')}`))
  }
  if (typeof jsonPath !== 'string' || jsonPath === '') errors.push(requiredValue(`${field}.JSONPath`))
  else if (!jsonPath.startsWith('.')) {
    errors.push(invalidValue(`${field}.JSONPath`, jsonPath, 'must be a simple json path starting with .'))
  }
  return errors
}

const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']

function validateSelectableFields({ selectableFields, schema = {} }: Version, field: string): FieldErrors {
  const errors = selectableFields.flatMap((path, index) => {
    const own = `${field}[${index}].jsonPath`
    if (path === '') return [requiredValue(own)]
    if (selectableFields.indexOf(path) < index) return [duplicateValue(own, path)]
    return selectableFieldErrors(path, schema, own)
  })
  const count = new Set(selectableFields).size
  return count > selectableLimit ? [...errors, tooMany(field, count, selectableLimit)] : errors
}

function selectableFieldErrors(path: string, schema: StructuralSchema, field: string): FieldErrors {
  const found = readFieldPath(path, schema)
  if ('problem' in found) return [invalidValue(field, path, `is an invalid path: ${found.problem}`)]
  if (found.path.split('.')[0] === 'metadata')
    return [invalidValue(field, path, 'must not point to fields in metadata')]
  const { type } = found.schema
  if (type === 'string' || type === 'boolean' || type === 'integer') return []
  const detail =
    'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'
  return [invalidValue(field, path, detail)]
}
