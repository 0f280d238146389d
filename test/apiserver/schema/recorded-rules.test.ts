import test from 'ava'
import { compileSchema } from '../../../apiserver/schema/compiled-schema.ts'
import { SchemaError } from '../../../apiserver/schema/schema-error.ts'
import { recordedLines } from './recorded.ts'

const [head = '', ...lines] = recordedLines(import.meta.dirname, 'recorded-rules.jsonl')
const { schema, values, old } = JSON.parse(head)

function resource(spec: unknown) {
  return { apiVersion: 'example.dev/v1', kind: 'Thing', metadata: { name: 'x' }, spec }
}

function compile(rule: string) {
  const spec = { ...schema, 'x-kubernetes-validations': [{ rule, message: 'NO' }] }
  return compileSchema({ type: 'object', properties: { spec } })
}

for (const line of lines) {
  const { rule, outcomes } = JSON.parse(line)
  test(`as in Kubernetes: ${rule}`, t => {
    if (outcomes === 'does not compile') {
      const error = t.throws(() => compile(rule), { instanceOf: SchemaError })
      t.is(error.problems[0]?.field, 'properties[spec].x-kubernetes-validations[0].rule')
      return
    }
    const compiled = compile(rule)
    t.is(compiled.excess.expressions.length > 0, outcomes === 'costs too much')
    if (outcomes === 'costs too much') return
    t.deepEqual(
      values.map((value: unknown) => compiled.validate(resource(value), resource(old))[0]?.message ?? ''),
      outcomes,
    )
  })
}
