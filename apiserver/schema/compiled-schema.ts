/** A schema made ready: finds unknown fields, prunes, sets defaults and validates. */

import type { Excess } from './cel/cost/limits.ts'
import { compileRules } from './cel/rules.ts'
import { defaultValue, type StrayNulls } from './defaults.ts'
import type { FieldError, FieldErrorType } from './field-error.ts'
import { findUnknown, pruneValue } from './prune.ts'
import { SchemaError, type SchemaProblem } from './schema-error.ts'
import { prepareSchema, type SchemaNode } from './schema-node.ts'
import { checkStructural } from './structural-check.ts'
import type { StructuralSchema } from './structural-schema.ts'
import { validateEmbedded } from './validate-embedded.ts'
import { validateLists } from './validate-lists.ts'
import { prepareValues, type ValueNode, validateValue } from './validate-values.ts'

/** A structural schema that has been checked and compiled. */
export interface CompiledSchema {
  readonly schema: StructuralSchema
  /** Rules that may cost too much, by their estimates. */
  readonly excess: Excess
  /** Paths of fields that the schema does not know, as in `spec.nics[0].bar`, in the order of the object. */
  unknownFields(value: unknown): readonly string[]
  /** The value without unknown fields; the same reference where nothing is dropped. */
  prune<T>(value: T): T
  /** The value with defaults set and nulls dropped (or kept) that it may not have; the same reference where nothing changes. */
  applyDefaults<T>(value: T, nulls?: StrayNulls): T
  /**
   * What is wrong, in the words of Kubernetes; empty when valid. With `oldValue` transition rules run too, and what
   * was wrong before and has not been touched is forgiven.
   */
  validate(value: unknown, oldValue?: unknown): readonly FieldError[]
}

/** Errors after which rules do not run: they could read what is not there. */
const blocking: ReadonlySet<FieldErrorType> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])

const notChecked: FieldError = {
  type: 'FieldValueInvalid',
  field: '<nil>',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
}

/** Compiles the schema of a whole resource. Throws a SchemaError when it is not structural or a rule does not compile. */
export function compileSchema(schema: StructuralSchema): CompiledSchema {
  const problems: SchemaProblem[] = []
  checkStructural(schema, problems)
  if (problems.length > 0) throw new SchemaError(problems)
  const node = prepareSchema(schema, true)
  const values = prepareValues(schema)
  checkDefaults(node, values, '', problems)
  const rules = compileRules(schema, problems)
  if (problems.length === 0) rules?.checkDefaults(problems)
  if (problems.length > 0) throw new SchemaError(problems)

  // Pruning and defaulting only ever drop unknown fields and add known ones, so the type of the value stays.
  return {
    schema,
    excess: rules?.excess ?? { expressions: [], total: [] },
    unknownFields(value) {
      const paths: string[] = []
      findUnknown(value, node, '', paths)
      return paths
    },
    prune: <T>(value: T) => pruneValue(value, node) as T,
    applyDefaults: <T>(value: T, nulls?: StrayNulls) => defaultValue(value, node, nulls) as T,
    validate(value, oldValue) {
      const errors: FieldError[] = []
      validateValue(value, values, '', errors, oldValue)
      validateLists(value, node, '', errors)
      validateEmbedded(value, node, '', errors)
      if (!rules) return errors
      if (errors.some(error => blocking.has(error.type))) errors.push(notChecked)
      else rules.run(value, oldValue, errors)
      return errors
    },
  }
}

function checkDefaults(node: SchemaNode, values: ValueNode, path: string, problems: SchemaProblem[]): void {
  const join = (field: string) => (path === '' ? field : `${path}.${field}`)
  if (node.default !== undefined) {
    const errors: FieldError[] = []
    const unknown: string[] = []
    // As it is given: defaults below do not complete it.
    validateValue(node.default, values, 'default', errors)
    findUnknown(node.default, node, '', unknown)
    for (const error of errors) {
      const field = error.field === '<nil>' ? 'default' : error.field
      problems.push({ field: join(field), message: error.message })
    }
    for (const field of unknown) {
      problems.push({ field: join('default'), message: `Invalid value: must not have unknown fields: ${field}` })
    }
  }
  for (const [name, property] of node.properties) {
    const childValues = values.properties.get(name)
    if (childValues) checkDefaults(property, childValues, join(`properties[${name}]`), problems)
  }
  if (node.items && values.items) checkDefaults(node.items, values.items, join('items'), problems)
  if (node.additional && values.additional) {
    checkDefaults(node.additional, values.additional, join('additionalProperties'), problems)
  }
}
