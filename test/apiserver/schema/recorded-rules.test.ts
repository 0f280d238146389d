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

/** Where we are known to do otherwise: what the library lacks, and words for what should not have happened. */
const different: ReadonlySet<string> = new Set([
  "self.nics.sortBy(n, n.name)[0].name == 'x'",
  "self.nics.map(n, n.name).sort().distinct().reverse().first().orValue('') == 'x'",
  "type(ip('1.1.1.1')) == net.IP",
  'type(optional.none()) == optional_type',
  "string(cidr('10.0.0.0/08')) == '10.0.0.0/8'",
  '-9223372036854775808 / -1 == 0',
  "string(1.0) == '1' && string(1.5e10) == '15000000000' && string(1e21) == '1e+21' && string(true) == 'true'",
  "string(b'\\xff') == ''",
  '1.5e-3 == 0.0015 && .5 == 0.5',
  'google.protobuf.Int64Value{value: 1} == 1',
])

for (const line of lines) {
  const { rule, outcomes } = JSON.parse(line)
  const known = different.has(rule) ? test.failing : test
  known(`as in Kubernetes: ${rule}`, t => {
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
