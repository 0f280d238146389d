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
    const recorded = JSON.parse(line)
    const { value, old } = recorded
    const schema = compileSchema({ type: 'object', properties: { spec: recorded.schema } })
    const object = resource(value)
    const errors = schema.validate(object, old === undefined ? undefined : resource(old))
    const answer = {
      errors: errors.map(({ type, field, message }) => `${type}|${field}|${message}`).sort(),
      unknown: [...schema.unknownFields(object)].sort(),
      pruned: schema.prune(object),
      defaulted: schema.applyDefaults(object),
    }
    t.deepEqual(
      answer,
      {
        errors: recorded.errors,
        unknown: recorded.unknown ?? [],
        pruned: recorded.pruned === undefined ? object : resource(recorded.pruned),
        defaulted: recorded.defaulted === undefined ? object : resource(recorded.defaulted),
      },
      line,
    )
  }
})
