/** What rules say of values, by a Kubernetes API. */
import type { StructuralSchema } from '../../../../apiserver/schema/structural-schema.ts'
import type { Bench } from '../../../conformance/case.ts'
import { definition } from '../../../conformance/definitions.ts'
import { definitionsPath } from '../../../conformance/installation.ts'
import { kindWith, specSchema } from './kind.ts'

/** What all rules are tried on. */
export interface Trials {
  readonly schema: StructuralSchema
  readonly values: readonly object[]
  /** What each value was before. */
  readonly old: object
}

/** A rule, and what it says of each value: nothing where that keeps to it. */
export interface RecordedRule {
  readonly rule: string
  readonly outcomes: readonly string[] | Refusal
}

/** Why there may be no such rule. */
type Refusal = 'does not compile' | 'costs too much'

/** How many rules go into one definition: more would cost too much together. */
const together = 20

/** Asks about rules. */
export async function recordRules(bench: Bench, trials: Trials, rules: readonly string[]) {
  const recorded: RecordedRule[] = []
  for (let start = 0; start < rules.length; start += together) {
    recorded.push(...(await recordSome(bench, trials, rules.slice(start, start + together))))
  }
  return recorded
}

async function recordSome(bench: Bench, { schema, values, old }: Trials, rules: readonly string[]) {
  const withRule = (rule: string) => ({ ...schema, 'x-kubernetes-validations': [{ rule, message: 'NO' }] })
  const named = rules.map((rule, index) => [`rule${index}`, rule] as const)
  const wrong = await refused(bench, Object.fromEntries(named.map(([name, rule]) => [name, withRule(rule)])))
  const right = named.filter(([name]) => !wrong.has(name))
  const all = (value: object) => Object.fromEntries(right.map(([name]) => [name, value]))
  const properties = Object.fromEntries(right.map(([name, rule]) => [name, withRule(rule)]))
  const kind = await kindWith(bench, properties, { old: all(old) })
  const answers: ReadonlyMap<string, string>[] = []
  for (const value of values) {
    const { body } = await kind.propose('old', all(value), true)
    answers.push(new Map(causesOf(body).map(({ field, message }) => [field, message])))
  }
  return named.map(([name, rule]): RecordedRule => {
    return { rule, outcomes: wrong.get(name) ?? answers.map(answer => answer.get(`spec.${name}`) ?? '') }
  })
}

/** The properties whose rule is refused, and why. */
async function refused(bench: Bench, properties: Readonly<Record<string, StructuralSchema>>) {
  const group = 'rules.skystead.test'
  const { body } = await bench.api.post(
    `${definitionsPath}?dryRun=All`,
    definition('Thing', { group, schema: specSchema(properties) }),
  )
  return new Map(
    causesOf(body).flatMap(({ field, message }): (readonly [string, Refusal])[] => {
      const [, name] = /properties\[(rule\d+)\]\.x-kubernetes-validations\[0\]\.rule$/.exec(field) ?? []
      if (name === undefined || message.includes('contributed to')) return []
      return [[name, message.includes('exceeds budget') ? 'costs too much' : 'does not compile']]
    }),
  )
}

interface Cause {
  readonly field: string
  readonly message: string
}

function causesOf(body: { readonly details?: { readonly causes?: readonly Cause[] } }): readonly Cause[] {
  return body.details?.causes ?? []
}
