/** Applies of widgets, and who owns what by them. */
import { ok } from 'node:assert/strict'
import type { Answer } from './api.ts'
import type { Bench } from './case.ts'
import { widget, widgets } from './definitions.ts'

/** The path of a widget that is not there yet. */
export async function widgetPath(bench: Bench): Promise<string> {
  return `${await bench.install(widgets)}/a`
}

/** Applies each spec by each manager; all must be taken. The last answer. */
export async function applied(bench: Bench, ...applies: readonly (readonly [manager: string, spec: object])[]) {
  const path = await widgetPath(bench)
  const answers: Answer[] = []
  for (const [manager, spec] of applies) {
    const answer = await bench.api.apply(path, widget('a', spec), { manager })
    ok(answer.status === 200 || answer.status === 201, answer.text)
    answers.push(answer)
  }
  return { path, body: answers.at(-1)?.body }
}

/** The managers' fields of the spec. */
export function ownersOf(body: Answer['body']): Readonly<Record<string, unknown>> {
  const entries: readonly { manager: string; fieldsV1: Record<string, unknown> }[] = body.metadata.managedFields
  return Object.fromEntries(entries.map(({ manager, fieldsV1 }) => [manager, fieldsV1['f:spec']]))
}
