import test from 'ava'
import { compileSchema } from '../../../apiserver/schema/compiled-schema.ts'
import { recordedLines } from './recorded.ts'
import { subject } from './recording/cost-rules.ts'

for (const line of recordedLines(import.meta.dirname, 'recorded-costs.jsonl')) {
  const { rule, count, message } = JSON.parse(line)
  test(`costs as much as in Kubernetes: ${rule}`, t => {
    const additionalProperties = { ...subject, 'x-kubernetes-validations': [{ rule }] }
    const spec = { type: 'object', maxProperties: count, additionalProperties } as const
    const { excess } = compileSchema({ type: 'object', properties: { spec } })
    t.is(excess.expressions[0]?.message ?? '', message)
  })
}
