import test from 'ava'
import fc from 'fast-check'
import { memberRange, wholeMember } from '../../../apiserver/storage/member-range.ts'

/** The encoded value of a member, found in the encoded object. */
function found(object: object, name: string): string | undefined {
  const bytes = Buffer.from(JSON.stringify(object))
  const range = memberRange(bytes, name)
  return range && bytes.toString('utf8', range.start, range.end)
}

test('a member is found wherever it stands, and only on the first level', t => {
  t.is(found({ metadata: { name: 'a' } }, 'metadata'), '{"name":"a"}')
  t.is(found({ spec: { metadata: 1 }, list: [{ metadata: 2 }], metadata: 'x' }, 'metadata'), '"x"')
  t.is(found({ text: '","metadata":1,"', 'back\\': '\\', on: true, none: null, metadata: -1.5e3 }, 'metadata'), '-1500')
  t.is(found({ metadataX: 1, Metadata: 2 }, 'metadata'), undefined)
  t.is(found({}, 'metadata'), undefined)
})

test('what is found is what encoding the member gives, for any object', t => {
  const name = fc.constantFrom('metadata', 'a', 'b"', 'ü')
  const object = fc.dictionary(fc.oneof(name, fc.string({ unit: 'grapheme' })), fc.jsonValue(), {
    noNullPrototype: true,
  })
  fc.assert(
    fc.property(object, value => {
      const expected = Object.hasOwn(value, 'metadata') ? JSON.stringify(value.metadata) : undefined
      t.is(found(value, 'metadata'), expected)
    }),
  )
})

test('an object without the bytes of a member is the object without it, wherever the member stands', t => {
  const object = fc.dictionary(fc.constantFrom('a', 'b', 'managedFields', 'c'), fc.jsonValue(), {
    noNullPrototype: true,
  })
  fc.assert(
    fc.property(object, value => {
      const bytes = Buffer.from(JSON.stringify(value))
      const whole = wholeMember(bytes, 'managedFields')
      const { managedFields: _, ...others } = value
      t.is(whole !== undefined, Object.hasOwn(value, 'managedFields'))
      const left =
        whole === undefined ? bytes : Buffer.concat([bytes.subarray(0, whole.start), bytes.subarray(whole.end)])
      t.is(left.toString(), JSON.stringify(others))
    }),
  )
})
