/** What rules cost by the estimates of a Kubernetes API. Nothing is created: definitions are sent as dry runs. */
import type { Api } from '../../../conformance/api.ts'
import { definition } from '../../../conformance/definitions.ts'
import { definitionsPath } from '../../../conformance/installation.ts'
import { subject } from './cost-rules.ts'
import { specSchema } from './kind.ts'

/** What is said of a rule where so many values may be judged by it; undefined where nothing is wrong. */
interface Question {
  readonly rule: string
  count: number
  message: string | undefined
  /** Whether nothing nearer the limit is left to ask. */
  settled: boolean
}

/** A definition with a map for every rule. */
function asked(questions: readonly Question[]): object {
  const properties = questions.map(({ rule, count }, index) => [
    `map${index}`,
    {
      type: 'object',
      maxProperties: count,
      additionalProperties: { ...subject, 'x-kubernetes-validations': [{ rule }] },
    },
  ])
  return definition('Costly', { group: 'costs.skystead.test', schema: specSchema(Object.fromEntries(properties)) })
}

async function ask(api: Api, questions: readonly Question[]): Promise<void> {
  const { body } = await api.post(`${definitionsPath}?dryRun=All`, asked(questions))
  const causes: readonly { field: string; message: string }[] = body.details?.causes ?? []
  for (const [index, question] of questions.entries()) {
    const field = new RegExp(
      `\\.properties\\[map${index}\\]\\.additionalProperties\\.x-kubernetes-validations\\[0\\]\\.rule$`,
    )
    const about = causes.filter(cause => field.test(cause.field) && !cause.message.includes('contributed to'))
    question.message = about.map(({ message }) => message).join('; ') || undefined
  }
}

/** Goes nearer to the limit: just above it the factor has six digits. */
function approach(question: Question): void {
  const { message, count } = question
  const factor = /factor of (more than 100x|[\d.]+x)/.exec(message ?? '')?.[1]
  const next = () => {
    if (message === undefined) return count * 1000
    if (factor === undefined) return count
    if (factor === 'more than 100x') return Math.max(Math.floor(count / 50), 1)
    return Math.max(Math.ceil((count * 1.2) / Number.parseFloat(factor)), 1)
  }
  const wanted = Math.min(next(), Number.MAX_SAFE_INTEGER)
  question.settled = wanted === count || (factor !== undefined && Number.parseFloat(factor) < 1.5)
  if (!question.settled) question.count = wanted
}

/** A rule, and what is said of it where so many values may be judged by it. */
export interface RecordedCost {
  readonly rule: string
  readonly count: number
  readonly message: string
}

/** Asks about rules, with counts near the limit: there the answer tells the cost to the unit. */
export async function recordCosts(api: Api, rules: readonly string[]): Promise<readonly RecordedCost[]> {
  const questions: Question[] = rules.map(rule => ({ rule, count: 1_000_000, message: undefined, settled: false }))
  for (let round = 0; round < 20 && questions.some(({ settled }) => !settled); round++) {
    const open = questions.filter(({ settled }) => !settled)
    for (let start = 0; start < open.length; start += 40) await ask(api, open.slice(start, start + 40))
    open.forEach(approach)
  }
  return questions.map(({ rule, count, message = '' }) => ({ rule, count, message }))
}
