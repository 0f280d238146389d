import test from 'ava'
import { compiledSchema } from '../../../apiserver/custom-resources/definition-spec.ts'
import { SchemaError } from '../../../apiserver/schema/schema-error.ts'
import type { StructuralSchema } from '../../../apiserver/schema/structural-schema.ts'

const schemaOf = (minimum: number): StructuralSchema => ({
  type: 'object',
  properties: { spec: { type: 'object', properties: { size: { type: 'integer', minimum } } } },
})

test('a schema that says the same is compiled once, whoever brings it', t => {
  const first = compiledSchema(schemaOf(1))
  t.is(compiledSchema(schemaOf(1)), first)
  const other = compiledSchema(schemaOf(2))
  t.not(other, first)
  t.deepEqual(first.validate({ spec: { size: 1 } }), [])
  t.is(other.validate({ spec: { size: 1 } }).length, 1)
})

test('a schema that is refused is refused again', t => {
  const wrong = (): StructuralSchema => ({ type: 'object', properties: { spec: {} } })
  t.throws(() => compiledSchema(wrong()), { instanceOf: SchemaError })
  t.throws(() => compiledSchema(wrong()), { instanceOf: SchemaError })
})
