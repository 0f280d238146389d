import test from 'ava'
import { GenerationError } from '../../../tools/generate/doc-comment.ts'
import { schemaOfInterface } from '../../../tools/generate/schema.ts'
import { specOf } from './sources.ts'

/** A property's comment and declaration, the line of the error, and what it says. */
type Refusal = readonly [text: string, line: number, message: RegExp]

function field(tags: string, declaration: string): string {
  return `interface Spec {\n  /** a is a.${tags === '' ? '' : ` \n   * ${tags.split('; ').join('\n   * ')}\n`} */\n  ${declaration}\n}`
}

const refusals: Readonly<Record<string, Refusal>> = {
  'an unknown type': [field('', 'readonly a: Date'), 3, /unknown type `Date`/],
  'an inline object': [field('', 'readonly a: { b: string }'), 3, /unknown type `{ b: string }`/],
  any: [field('', 'readonly a: any'), 3, /unknown type `any`/],
  null: [field('', "readonly a: 'A' | null"), 3, /`null` may not stand in a union/],
  'a union of types': [field('', 'readonly a: string | number'), 3, /`string` may not stand in a union/],
  'a value in lower case': [field('', "readonly a: 'on' | 'Off'"), 3, /'on' must be PascalCase/],
  'a tuple': [field('', 'readonly a: readonly [string]'), 3, /unknown type/],
  'a generic type': [
    'interface Box<T> { readonly b: T }\ninterface Spec {\n  /** a is a. */\n  readonly a: Box<string>\n}',
    4,
    /is generic/,
  ],
  'a method': ['interface Spec {\n  a(): string\n}', 2, /`a\(\): string` is no property/],
  'a field that can be written': [field('', 'a: boolean'), 3, /`a` must be readonly/],
  'a list that can be written': [
    field('@listType set; @maxItems 1', 'readonly a: boolean[]'),
    6,
    /write `readonly T\[\]`/,
  ],
  'a map that can be written': [
    field('@maxProperties 1', 'readonly a: Record<string, boolean>'),
    5,
    /a map must be readonly/,
  ],
  'a map by number': [
    field('@maxProperties 1', 'readonly a: Readonly<Record<number, boolean>>'),
    5,
    /must be `string`/,
  ],
  'a name in upper case': ['interface Spec {\n  /** A is a. */\n  readonly A: boolean\n}', 3, /`A` must be camelCase/],
  'a field without a description': ['interface Spec {\n  readonly a: boolean\n}', 2, /`a` must have a description/],
  'a description of something else': [
    'interface Spec {\n  /** It is a. */\n  readonly a: boolean\n}',
    3,
    /must begin with its name/,
  ],
  'an unknown tag': [field('@min 1', 'readonly a: boolean'), 3, /unknown tag @min/],
  'a tag of another type': [
    field('@minimum 1', 'readonly a: boolean'),
    3,
    /@minimum does not fit a type that is a boolean/,
  ],
  'a length of a union': [
    field('@maxLength 1', "readonly a: 'A'"),
    3,
    /@maxLength does not fit a type that is an enum/,
  ],
  'a tag given twice': [field('@maxLength 1; @maxLength 2', 'readonly a: string'), 4, /@maxLength is given twice/],
  'a bound that is no number': [
    field('@maxLength many', 'readonly a: string'),
    3,
    /@maxLength must be an integer.*'many'/,
  ],
  'a negative length': [field('@maxLength -1', 'readonly a: string'), 3, /@maxLength may not be negative/],
  'an unbounded string': [field('', 'readonly a: string'), 3, /a string must have @maxLength/],
  'an unbounded list': [field('@listType set', 'readonly a: readonly boolean[]'), 5, /a list must have @maxItems/],
  'an unbounded list with a rule': [
    field('@listType set; @cel self.all(b, b) :: must be', 'readonly a: readonly boolean[]'),
    6,
    /a list must have @maxItems/,
  ],
  'a list that does not say how it merges': [
    field('@maxItems 1', 'readonly a: readonly boolean[]'),
    5,
    /must have @listType/,
  ],
  'an unknown way to merge': [field('@listType bag', 'readonly a: readonly boolean[]'), 3, /@listType must be one of/],
  'an unbounded map': [field('', 'readonly a: Readonly<Record<string, boolean>>'), 3, /a map must have @maxProperties/],
  'a fraction': [field('@minimum 0; @maximum 1', 'readonly a: number'), 6, /a number must be an @integer/],
  'an unbounded number': [field('@integer; @minimum 0', 'readonly a: number'), 6, /must have @minimum and @maximum/],
  'bounds in the wrong order': [
    field('@integer; @minimum 2; @maximum 1', 'readonly a: number'),
    7,
    /may not be greater than/,
  ],
  'a set of objects': [
    'interface B {}\ninterface Spec {\n  /** a is a.\n   * @listType set\n   * @maxItems 1 */\n  readonly a: readonly B[]\n}',
    6,
    /'set' needs items that are strings/,
  ],
  'a list of items without a key': [
    'interface B {}\ninterface Spec {\n  /** a is a.\n   * @listType map\n   * @maxItems 1 */\n  readonly a: readonly B[]\n}',
    6,
    /'map' needs @listMapKey/,
  ],
  'a key that the items do not have': [
    'interface B {}\ninterface Spec {\n  /** a is a.\n   * @listType map\n   * @listMapKey name\n   * @maxItems 1 */\n  readonly a: readonly B[]\n}',
    7,
    /'name' is no property of the items/,
  ],
  'a key that may be missing': [
    'interface B {\n  /** b is b. */\n  readonly b?: boolean\n}\ninterface Spec {\n  /** a is a.\n   * @listType map\n   * @listMapKey b\n   * @maxItems 1 */\n  readonly a: readonly B[]\n}',
    10,
    /'b' must be required/,
  ],
  'a key without a map': [
    field('@listType set; @listMapKey b; @maxItems 1', 'readonly a: readonly boolean[]'),
    7,
    /@listMapKey needs @listType 'map'/,
  ],
  'a pattern that matches parts': [
    field('@maxLength 9; @pattern [a-z]+', 'readonly a: string'),
    4,
    /must begin with \^ and end with \$/,
  ],
  'a pattern that is none': [field('@maxLength 9; @pattern ^[a-$', 'readonly a: string'), 4, /no regular expression/],
  'an unknown format': [
    field('@maxLength 9; @format email', 'readonly a: string'),
    4,
    /@format must be one of date-time/,
  ],
  'a default that is no JSON': [field('@default On', "readonly a: 'On'"), 3, /@default must be JSON, not `On`/],
  'a default of another type': [
    field('@default 1', 'readonly a: boolean'),
    5,
    /the default of `a` does not fit: it must be a boolean/,
  ],
  'a default out of bounds': [
    field('@default 7; @integer; @minimum 0; @maximum 6', 'readonly a: number'),
    8,
    /does not fit: it must be at most 6/,
  ],
  'a default outside the union': [field('@default "C"', "readonly a: 'A' | 'B'"), 5, /must be one of A, B/],
  'a default of an optional field': [field('@default true', 'readonly a?: boolean'), 5, /remove the question mark/],
  'a rule without a message': [field('@cel self', 'readonly a: boolean'), 3, /@cel must be `RULE :: MESSAGE`/],
  'a rule that does not parse': [field('@cel self == :: must be', 'readonly a: boolean'), 3, /@cel does not parse/],
  'a rule on oldSelf in a set': [
    '/** A name.\n * @maxLength 9\n * @cel self == oldSelf :: stays */\ntype Name = string\ninterface Spec {\n  /** a is a.\n   * @listType set\n   * @maxItems 1 */\n  readonly a: readonly Name[]\n}',
    9,
    /may not use `oldSelf` inside a list/,
  ],
  'an immutable field in an atomic list': [
    'interface B {\n  /** b is b.\n   * @immutable */\n  readonly b: boolean\n}\ninterface Spec {\n  /** a is a.\n   * @listType atomic\n   * @maxItems 1 */\n  readonly a: readonly B[]\n}',
    3,
    /may not use `oldSelf` inside a list/,
  ],
  'a rule that reads a field under a word of CEL': [
    '/** What it is.\n * @cel has(self.namespace) :: must have one */\ninterface Spec {}',
    2,
    /'namespace' is a word of CEL's own: write `__namespace__`/,
  ],
  'a rule that reads a field that is none': [
    "/** What it is.\n * @cel self.a || self.b == 'self.c' :: must be */\ninterface Spec {\n  /** a is a. */\n  readonly a: boolean\n}",
    2,
    /@cel reads `b`, which `Spec` does not have/,
  ],
  'an interface that holds itself': [
    'interface Spec {\n  /** a is a. */\n  readonly a?: Spec\n}',
    1,
    /`Spec` holds itself/,
  ],
  'a field of a base declared again': [
    'interface B {\n  /** a is a. */\n  readonly a: boolean\n}\ninterface Spec extends B {\n  /** a is a. */\n  readonly a: boolean\n}',
    7,
    /`a` is declared twice/,
  ],
  'a tag of fields on an interface': [
    '/** What it is.\n * @maxLength 1 */\ninterface Spec {}',
    2,
    /@maxLength does not fit an interface/,
  ],
  'a base that is not in sight': ['interface Spec extends Gone {}', 1, /`Gone` is no interface in sight/],
}

for (const [name, [text, line, message]] of Object.entries(refusals)) {
  test(`the generator refuses ${name}, naming file and line`, t => {
    const error = t.throws(() => schemaOfInterface(specOf(text)), { instanceOf: GenerationError })
    t.regex(error.message, message)
    t.is(`${error.place.file}:${error.place.line}`, `/kind.ts:${line}`)
    t.true(error.message.startsWith(`/kind.ts:${line}: `))
  })
}
