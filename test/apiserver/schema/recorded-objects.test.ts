import test from 'ava'
import { compileSchema } from '../../../apiserver/schema/compiled-schema.ts'
import { recordedLines } from './recorded.ts'

const lines = recordedLines(import.meta.dirname, 'recorded-objects.jsonl')

function resource(spec: unknown) {
  return { apiVersion: 'example.dev/v1', kind: 'Thing', metadata: { name: 'x' }, spec }
}

test('prunes, defaults and validates recorded objects as Kubernetes does, word for word', t => {
  t.true(lines.length > 100)
  for (const line of lines) {
    const { schema: spec, value, old, unknown, errors, stored } = JSON.parse(line)
    const schema = compileSchema({ type: 'object', properties: { spec } })
    const read = (given: unknown) => schema.applyDefaults(schema.prune(resource(given)))
    const object = read(value)
    const problems = schema.validate(object, old === undefined ? undefined : read(old))
    const answer = {
      unknown: [...schema.unknownFields(resource(value))].sort(),
      errors: problems.map(({ type, field, message }) => `${type}|${field}|${message}`).sort(),
      ...(problems.length === 0 && { stored: object.spec }),
    }
    t.deepEqual(answer, { unknown, errors, ...(stored !== undefined && { stored }) }, line)
  }
})
