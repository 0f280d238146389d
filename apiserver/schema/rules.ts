/** Runs the CEL rules of a schema. */

import type { FieldError } from './field-error.ts'
import type { SchemaProblem } from './schema-error.ts'
import type { StructuralSchema } from './structural-schema.ts'

/** Runs all rules on a value and adds an error for each that fails. */
export type Rules = (value: unknown, oldValue: unknown, errors: FieldError[]) => void

/** Compiles the rules of the schema; undefined where it has none. */
export function compileRules(_schema: StructuralSchema, _problems: SchemaProblem[]): Rules | undefined {
  return undefined
}
