import test from 'ava'
import { schemaOfInterface } from '../../../tools/generate/schema.ts'
import { specOf } from './sources.ts'

function schema(text: string) {
  return schemaOfInterface(specOf(text))
}

test('strings, integers, booleans and unions become bounded scalars', t => {
  t.deepEqual(
    schema(`
interface Spec {
  /** size is how large it is. @maxLength does not count inside of a line.
   * @maxLength 8
   * @pattern ^[0-9]+$ */
  readonly size: string
  /** count is how many there are.
   * @integer
   * @minimum 1
   * @maximum 9007199254740991 */
  readonly count: number
  /** small is a small number.
   * @integer
   * @minimum 0
   * @maximum 2147483647
   * @multipleOf 8 */
  readonly small: number
  /** custom says whether it is chosen. */
  readonly custom?: boolean
  /** type is what it is. */
  readonly type: 'B' | 'A'
}`),
    {
      type: 'object',
      properties: {
        count: {
          type: 'integer',
          format: 'int64',
          minimum: 1,
          maximum: 9007199254740991,
          description: 'count is how many there are.',
        },
        custom: { type: 'boolean', description: 'custom says whether it is chosen.' },
        size: {
          type: 'string',
          maxLength: 8,
          pattern: '^[0-9]+$',
          description: 'size is how large it is. @maxLength does not count inside of a line.',
        },
        small: {
          type: 'integer',
          format: 'int32',
          minimum: 0,
          maximum: 2147483647,
          multipleOf: 8,
          description: 'small is a small number.',
        },
        type: { type: 'string', enum: ['A', 'B'], description: 'type is what it is.' },
      },
      required: ['count', 'size', 'small', 'type'],
    },
  )
})

test('a field takes the tags of its aliases, and its own go before them', t => {
  const { properties } = schema(`
/** A name.
 * @maxLength 63
 * @pattern ^[a-z]+$
 * @cel self != 'root' :: must not be 'root' */
type Name = string
/** A longer name.
 * @maxLength 253 */
type LongName = Name
interface Spec {
  /** name is its name.
   * @minLength 3
   * @cel self != 'none' :: must not be 'none' */
  readonly name: LongName
}`)
  t.deepEqual(properties?.name, {
    type: 'string',
    minLength: 3,
    maxLength: 253,
    pattern: '^[a-z]+$',
    description: 'name is its name.',
    'x-kubernetes-validations': [
      { rule: "self != 'root'", message: "must not be 'root'" },
      { rule: "self != 'none'", message: "must not be 'none'" },
    ],
  })
})

test('a field with a default is not required, and its default may be an object', t => {
  const { properties, required } = schema(`
/** What it is.
 * @cel self.mode != 'Off' :: must not be off */
interface Part {
  /** mode is its mode.
   * @default "On" */
  readonly mode: 'On' | 'Off'
}
interface Spec {
  /** part is a part.
   * @default {} */
  readonly part: Part
}`)
  t.is(required, undefined)
  t.deepEqual(properties?.part, {
    type: 'object',
    default: {},
    description: 'part is a part.',
    properties: { mode: { type: 'string', enum: ['Off', 'On'], default: 'On', description: 'mode is its mode.' } },
    'x-kubernetes-validations': [{ rule: "self.mode != 'Off'", message: 'must not be off' }],
  })
})

test('lists say how they are merged, and maps how many keys they have', t => {
  const { properties } = schema(`
/** A tag.
 * @maxLength 9 */
type Tag = string
interface Item {
  /** name is its key. */
  readonly name: Tag
}
interface Spec {
  /** tags are its tags.
   * @listType set
   * @maxItems 4 */
  readonly tags: readonly Tag[]
  /** items are its items.
   * @listType map
   * @listMapKey name
   * @minItems 1
   * @maxItems 8 */
  readonly items: readonly Item[]
  /** labels are its labels.
   * @maxProperties 5 */
  readonly labels?: Readonly<Record<string, Tag>>
}`)
  t.deepEqual(properties?.tags, {
    type: 'array',
    maxItems: 4,
    items: { type: 'string', maxLength: 9 },
    description: 'tags are its tags.',
    'x-kubernetes-list-type': 'set',
  })
  t.deepEqual(properties?.items, {
    type: 'array',
    minItems: 1,
    maxItems: 8,
    items: {
      type: 'object',
      properties: { name: { type: 'string', maxLength: 9, description: 'name is its key.' } },
      required: ['name'],
    },
    description: 'items are its items.',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  })
  t.deepEqual(properties?.labels, {
    type: 'object',
    maxProperties: 5,
    additionalProperties: { type: 'string', maxLength: 9 },
    description: 'labels are its labels.',
  })
})

test('an interface has the fields and rules of those that it extends', t => {
  const { properties, 'x-kubernetes-validations': rules } = schema(`
/** The first.
 * @cel self.a :: a must be true */
interface First {
  /** a is the first. */
  readonly a: boolean
}
/** The second.
 * @cel self.b :: b must be true */
interface Second extends First {
  /** b is the second. */
  readonly b: boolean
}
interface Spec extends Second {}`)
  t.deepEqual(Object.keys(properties ?? {}), ['a', 'b'])
  t.deepEqual(
    rules?.map(rule => rule.message),
    ['a must be true', 'b must be true'],
  )
})

test('INF-023 an immutable field may not change, and one that is unset stays unset', t => {
  const { properties, 'x-kubernetes-validations': rules } = schema(`
interface Spec {
  /** kind is its kind.
   * @immutable */
  readonly kind: 'A' | 'B'
  /** more is more of it.
   * @immutable */
  readonly more?: boolean
}`)
  const once = [{ rule: 'self == oldSelf', message: 'cannot be changed once it is set: make a new object instead' }]
  t.deepEqual(properties?.kind?.['x-kubernetes-validations'], once)
  t.deepEqual(properties?.more?.['x-kubernetes-validations'], once)
  t.deepEqual(rules, [
    {
      rule: 'has(self.more) == has(oldSelf.more)',
      message: '`more` can neither be set nor removed once the object exists',
    },
  ])
})

test('rules may use oldSelf inside lists whose items have keys', t => {
  const { properties } = schema(`
interface Item {
  /** name is its key. */
  readonly name: 'A' | 'B'
  /** value is its value.
   * @immutable */
  readonly value: boolean
}
interface Spec {
  /** items are its items.
   * @listType map
   * @listMapKey name
   * @maxItems 8 */
  readonly items: readonly Item[]
}`)
  t.is(properties?.items?.items?.properties?.value?.['x-kubernetes-validations']?.[0]?.rule, 'self == oldSelf')
})
