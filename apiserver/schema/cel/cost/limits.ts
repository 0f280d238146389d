/** How much rules may cost, and what is said of those that may cost more. */

import type { SchemaProblem } from '../../schema-error.ts'
import { times } from './size.ts'

/** Most that one expression may cost by its estimate, for all the values that it may have to judge together. */
const expressionLimit = 10_000_000
/** Most that all expressions of a schema may cost by their estimates. */
const schemaLimit = 100_000_000

/** Faults of rules that cost too much: a definition is refused for them, one that is there already is kept. */
export interface Excess {
  /** Of single expressions: forgiven where the schema is not changed. */
  readonly expressions: readonly SchemaProblem[]
  /** Of all of them together. */
  readonly total: readonly SchemaProblem[]
}

/** Adds up what the expressions of a schema may cost. */
export class CostSheet {
  readonly #expressions: SchemaProblem[] = []
  readonly #costs: { readonly field: string; readonly cost: number }[] = []

  /** `count` says how many values the expression may have to judge. */
  add(field: string, cost: number, count: number): void {
    const what = field.endsWith('messageExpression') ? 'messageExpression' : 'rule'
    const all = times(cost, count)
    this.#costs.push({ field, cost: all })
    if (all <= expressionLimit) return
    this.#expressions.push({ field, message: describe(`estimated ${what} cost`, all, expressionLimit) })
  }

  /** All of them together; Infinity where nothing bounds them. */
  get total(): number {
    return this.#costs.reduce((sum, { cost }) => sum + cost, 0)
  }

  /** What costs too much. */
  get excess(): Excess {
    const { total } = this
    if (total <= schemaLimit) return { expressions: this.#expressions, total: [] }
    const worst = this.#costs.filter(({ cost }) => cost >= schemaLimit / 100).sort((a, b) => compare(b.cost, a.cost))
    const what = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'
    return {
      expressions: this.#expressions,
      total: [
        ...worst.slice(0, 4).map(({ field }) => ({ field, message: `Forbidden: ${what}` })),
        {
          field: '',
          message: describe(
            'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema',
            total,
            schemaLimit,
          ),
        },
      ],
    }
  }
}

/** Two that are both without bound are equal. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b
}

function describe(what: string, cost: number, limit: number): string {
  const mend =
    'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared'
  return `Forbidden: ${what} exceeds budget by factor of ${factor(cost / limit)} (${mend})`
}

function factor(times: number): string {
  if (times > 100) return 'more than 100x'
  return times < 1.5 ? `${times.toFixed(6)}x` : `${times.toFixed(1)}x`
}
