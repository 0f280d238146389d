/** What is wrong with a schema itself. */

/** One fault of a schema. */
export interface SchemaProblem {
  /** Path within the schema, as in `properties[spec].properties[size].pattern`; '' for its root. */
  readonly field: string
  /** As in a field error: `Required value: must not be empty for specified object fields`. */
  readonly message: string
}

/** Thrown where a schema is not structural or one of its rules does not compile. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
  readonly problems: readonly SchemaProblem[]

  constructor(problems: readonly SchemaProblem[]) {
    super(problems.map(problem => `${problem.field || '<root>'}: ${problem.message}`).join('; '))
    this.problems = problems
  }
}
