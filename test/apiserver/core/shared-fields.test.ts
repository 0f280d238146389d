import test from 'ava'
import fc from 'fast-check'
import type { APIObject, JSONObject } from '../../../apiserver/api-object.ts'
import { Entry } from '../../../apiserver/storage/entry.ts'

function object(name: string, fieldsV1: unknown): APIObject {
  const managedFields = [{ manager: name, operation: 'Update', fieldsType: 'FieldsV1', fieldsV1 }]
  return { apiVersion: 'v1', kind: 'Sample', metadata: { name, managedFields } }
}

function setOf({ object: { metadata } }: Entry): unknown {
  return metadata.managedFields?.[0]?.fieldsV1
}

const entryOf = (content: APIObject) => new Entry('samples', content.metadata.name, 1, { object: content })

test('equal sets of fields are one in memory, whether written or read from the log; others are not', t => {
  const set = () => ({ 'f:spec': { '.': {}, 'f:size': {} }, 'f:status': { 'f:ready': {} } })
  const a = entryOf(object('a', set()))
  const b = entryOf(object('b', set()))
  const read = new Entry('samples', 'a', 1, { bytes: a.bytes })
  t.is(setOf(a), setOf(b))
  t.is(setOf(a), setOf(read))
  t.not(setOf(a), setOf(entryOf(object('c', { 'f:spec': {} }))))
  t.is(b.object.metadata.managedFields?.[0]?.manager, 'b')
})

test("a shared set is nobody's to change", t => {
  const mine: Record<string, unknown> = { 'f:spec': { 'f:size': {} } }
  const before = entryOf(object('a', structuredClone(mine)))
  entryOf(object('b', mine))
  t.true(Object.isFrozen(setOf(before)) && Object.isFrozen((setOf(before) as JSONObject)['f:spec']))
  t.notThrows(() => Object.isFrozen(mine) || Reflect.set(mine, 'f:status', {}))
  t.deepEqual<unknown, unknown>(setOf(before), { 'f:spec': { 'f:size': {} } })
})

test('an object is what its bytes say, whatever its managed fields are', t => {
  const value = fc.json().map((text): unknown => JSON.parse(JSON.stringify(JSON.parse(text))))
  const sets = fc.option(value, { nil: undefined })
  fc.assert(
    fc.property(fc.array(sets, { maxLength: 5 }), values => {
      const managedFields = values.map(fieldsV1 => ({ manager: 'm', ...(fieldsV1 !== undefined && { fieldsV1 }) }))
      const content: APIObject = { apiVersion: 'v1', kind: 'Sample', metadata: { name: 'a', managedFields } }
      const plain: unknown = JSON.parse(JSON.stringify(content))
      const entry = entryOf(content)
      t.deepEqual<unknown, unknown>(entry.object, plain)
      t.deepEqual<unknown, unknown>(JSON.parse(entry.bytes.toString()), plain)
      t.deepEqual<unknown, unknown>(JSON.parse(entry.metadata.toString()), (plain as APIObject).metadata)
      entry.release()
      t.deepEqual<unknown, unknown>(entry.object, plain)
    }),
  )
})

test('more sets than are remembered, and a set longer than any that is, are kept as they are', t => {
  const first = entryOf(object('first', { 'f:first': {} }))
  for (let index = 0; index < 600; index++) entryOf(object('other', { [`f:other-${index}`]: {} }))
  t.deepEqual<unknown, unknown>(setOf(first), { 'f:first': {} })
  t.deepEqual<unknown, unknown>(setOf(entryOf(object('again', { 'f:first': {} }))), { 'f:first': {} })
  const long = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`f:field-${index}`, {}]))
  const [a, b] = [entryOf(object('a', structuredClone(long))), entryOf(object('b', structuredClone(long)))]
  t.not(setOf(a), setOf(b))
  t.deepEqual<unknown, unknown>(setOf(a), long)
})
