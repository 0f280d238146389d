import test from 'ava'
import fc from 'fast-check'
import { type CompiledSchema, compileSchema } from '../../../apiserver/schema/compiled-schema.ts'
import { SchemaError } from '../../../apiserver/schema/schema-error.ts'
import type { StructuralSchema } from '../../../apiserver/schema/structural-schema.ts'
import { anyObject, schema, thing } from './objects.ts'

const compiled = compileSchema(schema)

function messages(errors: ReturnType<CompiledSchema['validate']>): readonly string[] {
  return errors.map(({ field, message }) => `${field}: ${message}`)
}

test('pruning twice is pruning once, and leaves no unknown field', t => {
  t.notThrows(() =>
    fc.assert(
      fc.property(anyObject, object => {
        const pruned = compiled.prune(object)
        return compiled.prune(pruned) === pruned && compiled.unknownFields(pruned).length === 0
      }),
    ),
  )
})

test('what has nothing unknown is pruned to itself, and nothing is ever changed in place', t => {
  t.notThrows(() =>
    fc.assert(
      fc.property(anyObject, object => {
        const before = JSON.stringify(object)
        const pruned = compiled.prune(object)
        compiled.applyDefaults(object)
        compiled.validate(object)
        const isSame = compiled.unknownFields(object).length === 0
        return JSON.stringify(object) === before && (pruned === object) === isSame
      }),
    ),
  )
})

test('setting defaults twice is setting them once', t => {
  t.notThrows(() =>
    fc.assert(
      fc.property(anyObject, object => {
        const defaulted = compiled.applyDefaults(object)
        return compiled.applyDefaults(defaulted) === defaulted
      }),
    ),
  )
})

test('unknown fields are named by their path', t => {
  const object = thing({ foo: 1, nics: [{ name: 'a', bar: 1 }], labels: { any: 'x' }, free: { deep: { er: 1 } } })
  t.deepEqual(compiled.unknownFields(object), ['spec.foo', 'spec.nics[0].bar'])
})

test('metadata is known without being declared, down to its fields', t => {
  const object = thing({}, { labels: { a: 'b' }, ownerReferences: [{ uid: 'u', extra: 1 }], clusterNaem: 'x' })
  t.deepEqual(compiled.unknownFields(object), ['metadata.ownerReferences[0].extra', 'metadata.clusterNaem'])
  t.deepEqual(compiled.prune(object).metadata, { name: 'x', labels: { a: 'b' }, ownerReferences: [{ uid: 'u' }] })
})

test('an embedded resource keeps its own apiVersion, kind and metadata', t => {
  const template = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'y', wrong: 1 }, spec: { a: 'x' }, other: 1 }
  t.deepEqual(compiled.unknownFields(thing({ template })), ['spec.template.metadata.wrong', 'spec.template.other'])
})

test('defaults come only below parents that are there', t => {
  const object = thing({ nics: [{ name: 'a' }, { name: 'b', mtu: 9000, address: {} }] })
  t.deepEqual(compiled.applyDefaults(object).spec, {
    nics: [
      { name: 'a', mtu: 1500 },
      { name: 'b', mtu: 9000, address: { family: 4 } },
    ],
    size: 3,
    mode: 'Fast',
    note: 'none',
  } as object as typeof object.spec)
})

test('null takes the default, stays where it may be, and is dropped elsewhere', t => {
  const { spec } = compiled.applyDefaults(thing({ size: null, note: null, name: null, labels: { a: null, b: 'c' } }))
  t.deepEqual<unknown, unknown>(spec, { size: 3, note: null, labels: { b: 'c' }, mode: 'Fast' })
})

test('a default is a copy: changing the object does not change the next one', t => {
  const withObject = compileSchema({
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        default: { list: ['a'] },
        properties: { list: { type: 'array', items: { type: 'string' } } },
      },
    },
  })
  const first = withObject.applyDefaults<{ spec?: { list: string[] } }>({})
  first.spec?.list.push('b')
  t.deepEqual(withObject.applyDefaults({}), { spec: { list: ['a'] } })
})

test('errors name field, value and bound', t => {
  const object = thing({
    size: 0,
    mode: 'Medium',
    name: 'a B',
    tags: ['x', 'y', 'x', 'x'],
    nics: [{ name: 'a' }, { mtu: 'big' }, { name: 'a' }],
    labels: { a: 1 },
    port: true,
  })
  t.deepEqual(messages(compiled.validate(object)), [
    'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
    'spec.mode: Unsupported value: "Medium": supported values: "Fast", "Slow"',
    'spec.name: Invalid value: "a B": spec.name in body should match \'^[a-z]+$\'',
    'spec.nics[1].mtu: Invalid value: "string": spec.nics[1].mtu in body must be of type integer: "string"',
    'spec.nics[1].name: Required value',
    'spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type string: "integer"',
    'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
    'spec.tags[2]: Duplicate value: "x"',
    'spec.nics[2]: Duplicate value: {"name":"a"}',
  ])
})

test('an update is forgiven what was wrong before and is not touched', t => {
  const before = thing({ size: 0, name: 'UPPER' })
  t.deepEqual(messages(compiled.validate(thing({ size: 0, name: 'UPPER', mode: 'Slow' }), before)), [])
  t.deepEqual(messages(compiled.validate(thing({ size: -1, name: 'UPPER' }), before)), [
    'spec.size: Invalid value: -1: spec.size in body should be greater than or equal to 1',
  ])
})

test('lengths count characters, not code units', t => {
  t.deepEqual(compileSchema(field({ type: 'string', maxLength: 2 })).validate({ spec: '👍👍' }), [])
  t.is(compileSchema(field({ type: 'string', minLength: 3 })).validate({ spec: '👍👍' }).length, 1)
})

test('a key named __proto__ is data like any other', t => {
  const object = JSON.parse('{"spec":{"labels":{"__proto__":{"a":1}},"size":1}}')
  t.is(messages(compiled.validate(object)).length, 1)
  t.deepEqual(compiled.unknownFields(object), ['spec.labels.__proto__.a'])
  t.is(JSON.stringify(compiled.prune(object)), '{"spec":{"labels":{"__proto__":{}},"size":1}}')
  t.is(Object.getPrototypeOf(compiled.prune(object).spec.labels), Object.prototype)
})

function field(spec: StructuralSchema): StructuralSchema {
  return { type: 'object', properties: { spec } }
}

/** Schemas that are refused: the schema of `spec`, the field below it and the message. */
const refused: readonly (readonly [StructuralSchema, string, string])[] = [
  [{}, 'type', 'Required value: must not be empty for specified object fields'],
  [{ type: 'array' }, 'items', 'Required value: must be specified'],
  [{ type: 'array', items: {} }, 'items.type', 'Required value: must not be empty for specified array items'],
  [
    { type: 'object', additionalProperties: { type: 'string' }, properties: { a: { type: 'string' } } },
    'additionalProperties',
    'Forbidden: additionalProperties and properties are mutual exclusive',
  ],
  [
    { type: 'object', additionalProperties: false },
    'additionalProperties',
    'Forbidden: additionalProperties cannot be set to false',
  ],
  [
    { type: 'object', properties: { a: { type: 'string' } }, anyOf: [{ properties: { a: { type: 'string' } } }] },
    'anyOf[0].properties[a].type',
    'Forbidden: must be empty to be structural',
  ],
  [
    { type: 'object', properties: { a: { type: 'string' } }, not: { properties: { b: { pattern: 'x' } } } },
    'not.properties[b]',
    'Required value: because it is defined in properties[spec].not',
  ],
  [
    {
      type: 'array',
      items: { type: 'object', properties: { a: { type: 'string' } } },
      'x-kubernetes-list-type': 'map',
    },
    'x-kubernetes-list-map-keys',
    'Required value: must not be empty if x-kubernetes-list-type is map',
  ],
  [
    {
      type: 'array',
      items: { type: 'object', properties: { a: { type: 'string' } } },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['a'],
    },
    'items.properties[a].default',
    'Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
  ],
  [
    { type: 'integer', default: 'x' },
    'default',
    'Invalid value: "string": default in body must be of type integer: "string"',
  ],
  [
    { type: 'object', default: { b: 1 }, properties: { a: { type: 'string' } } },
    'default',
    'Invalid value: must not have unknown fields: b',
  ],
]

for (const [spec, name, message] of refused) {
  test(`refuses a schema: ${name}: ${message}`, t => {
    const error = t.throws(() => compileSchema(field(spec)), { instanceOf: SchemaError })
    t.deepEqual(error.problems, [{ field: `properties[spec].${name}`, message }])
  })
}

test('refuses a pattern that RE2 does not know, at its place', t => {
  const error = t.throws(() => compileSchema(field({ type: 'string', pattern: '(?=a)' })), { instanceOf: SchemaError })
  t.is(error.problems[0]?.field, 'properties[spec].pattern')
})

test('refuses metadata rules other than for the name', t => {
  const named: StructuralSchema = { type: 'object', properties: { name: { type: 'string', maxLength: 3 } } }
  const wrong: StructuralSchema = { type: 'object', properties: { labels: { type: 'object' } } }
  const ok = compileSchema({ type: 'object', properties: { metadata: named } })
  t.is(ok.validate({ metadata: { name: 'long' } })[0]?.field, 'metadata.name')
  t.throws(() => compileSchema({ type: 'object', properties: { metadata: wrong } }), { instanceOf: SchemaError })
})
