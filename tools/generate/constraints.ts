/** The tags that bound a field, and what each becomes in the schema. */
import { parse } from '@marcbachmann/cel-js'
import { type DocTag, fail, type Place } from './doc-comment.ts'
import type { TypeShape } from './type-shape.ts'

/** A CEL rule of a schema. */
export interface Rule {
  readonly rule: string
  readonly message: string
  /** The field that an error is reported for, relative to the schema. */
  readonly fieldPath?: string
}

/** A node of a structural schema, as a CRD writes it. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  readonly description?: string
  readonly format?: string
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly multipleOf?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly maxProperties?: number
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly additionalProperties?: Schema
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-validations'?: readonly Rule[]
}

/** What the tags of a field say, its aliases' included. */
export interface Constraints {
  readonly schema: Schema
  readonly rules: readonly Rule[]
  readonly immutable: Place | undefined
  /** Whether a default is given; it may be any JSON value. */
  readonly defaulted: boolean
  readonly listMapKeys: readonly DocTag[]
}

type ShapeKind = TypeShape['kind']

const everywhere: readonly ShapeKind[] = ['string', 'number', 'boolean', 'enum', 'list', 'map', 'object']

const fits: Readonly<Record<string, readonly ShapeKind[]>> = {
  cel: everywhere,
  default: everywhere,
  immutable: everywhere,
  see: everywhere,
  integer: ['number'],
  minimum: ['number'],
  maximum: ['number'],
  multipleOf: ['number'],
  minLength: ['string'],
  maxLength: ['string'],
  pattern: ['string'],
  format: ['string'],
  listType: ['list'],
  listMapKey: ['list'],
  minItems: ['list'],
  maxItems: ['list'],
  maxProperties: ['map'],
}

/** The tags that the generator knows; tsdoc.json declares the same. */
export const knownTags: readonly string[] = Object.keys(fits).sort()

const repeatable = new Set(['cel', 'see', 'listMapKey'])
const formats = new Set(['date-time'])
const listTypes = new Set(['map', 'set', 'atomic'])

/** What tags say of a type of that shape: those of its aliases first, then its own, which win. */
export function constraintsOf(shape: TypeShape, levels: readonly (readonly DocTag[])[]): Constraints {
  let schema: Schema = {}
  const rules: Rule[] = []
  const listMapKeys: DocTag[] = []
  let immutable: Place | undefined
  for (const tags of levels) {
    const seen = new Set<string>()
    for (const tag of tags) {
      checkTag(tag, shape.kind, seen)
      if (tag.name === 'cel') rules.push(parseRule(tag))
      if (tag.name === 'listMapKey') listMapKeys.push(tag)
      if (tag.name === 'immutable') immutable = tag.place
      schema = { ...schema, ...schemaOfTag(tag) }
    }
  }
  return { schema, rules, immutable, defaulted: 'default' in schema, listMapKeys }
}

function checkTag(tag: DocTag, kind: ShapeKind, seen: Set<string>): void {
  const shapes = Object.hasOwn(fits, tag.name) ? fits[tag.name] : undefined
  if (shapes === undefined) fail(tag.place, `unknown tag @${tag.name}: known are ${knownTags.join(', ')}`)
  if (!shapes.includes(kind)) fail(tag.place, `@${tag.name} does not fit a type that is ${article(kind)}`)
  if (seen.has(tag.name) && !repeatable.has(tag.name)) fail(tag.place, `@${tag.name} is given twice`)
  seen.add(tag.name)
}

function article(kind: ShapeKind): string {
  return kind === 'enum' || kind === 'object' ? `an ${kind}` : `a ${kind}`
}

function schemaOfTag(tag: DocTag): Schema {
  switch (tag.name) {
    case 'minimum':
      return { minimum: integer(tag) }
    case 'maximum':
      return { maximum: integer(tag) }
    case 'multipleOf':
      return { multipleOf: natural(tag) }
    case 'minLength':
      return { minLength: natural(tag) }
    case 'maxLength':
      return { maxLength: natural(tag) }
    case 'minItems':
      return { minItems: natural(tag) }
    case 'maxItems':
      return { maxItems: natural(tag) }
    case 'maxProperties':
      return { maxProperties: natural(tag) }
    case 'pattern':
      return { pattern: pattern(tag) }
    case 'format':
      return { format: oneOf(tag, formats) }
    case 'listType':
      return { 'x-kubernetes-list-type': oneOf(tag, listTypes) }
    case 'default':
      return { default: json(tag) }
    case 'integer':
      return { type: 'integer' }
    default:
      return {}
  }
}

function integer(tag: DocTag): number {
  const value = Number(tag.text)
  if (tag.text === '' || !Number.isSafeInteger(value)) {
    fail(tag.place, `@${tag.name} must be an integer within ±(2^53 - 1), not '${tag.text}'`)
  }
  return value
}

function natural(tag: DocTag): number {
  const value = integer(tag)
  if (value < 0) fail(tag.place, `@${tag.name} may not be negative`)
  return value
}

function pattern(tag: DocTag): string {
  if (!tag.text.startsWith('^') || !tag.text.endsWith('$')) fail(tag.place, '@pattern must begin with ^ and end with $')
  try {
    new RegExp(tag.text, 'u')
  } catch (error) {
    fail(tag.place, `@pattern is no regular expression: ${error instanceof Error ? error.message : ''}`)
  }
  return tag.text
}

function oneOf(tag: DocTag, values: ReadonlySet<string>): string {
  if (!values.has(tag.text)) fail(tag.place, `@${tag.name} must be one of ${[...values].join(', ')}, not '${tag.text}'`)
  return tag.text
}

function json(tag: DocTag): unknown {
  try {
    return JSON.parse(tag.text)
  } catch {
    fail(tag.place, `@${tag.name} must be JSON, not \`${tag.text}\`: write text in double quotes`)
  }
}

/** A `@cel RULE :: MESSAGE` tag as a rule. */
export function parseRule(tag: DocTag): Rule {
  const at = tag.text.lastIndexOf(' :: ')
  if (at < 0) fail(tag.place, '@cel must be `RULE :: MESSAGE`')
  const rule = tag.text.slice(0, at).trim()
  const message = tag.text.slice(at + 4).trim()
  if (rule === '' || message === '') fail(tag.place, '@cel must be `RULE :: MESSAGE`')
  try {
    parse(rule)
  } catch (error) {
    fail(tag.place, `@cel does not parse: ${error instanceof Error ? error.message.split('\n')[0] : ''}`)
  }
  const reserved = reservedField.exec(withoutTexts(rule))?.[1]
  if (reserved !== undefined) fail(tag.place, `'${reserved}' is a word of CEL's own: write \`__${reserved}__\``)
  return { rule, message }
}

/** A field that bears a word of CEL's own; Kubernetes knows it by another name. */
const reservedField =
  /\.(true|false|null|in|as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return)\b/

/** A rule with its string literals emptied. */
function withoutTexts(rule: string): string {
  return rule.replaceAll(/'[^']*'|"[^"]*"/g, "''")
}

/** The fields that a rule reads of the object that it stands at, as the schema names them. */
export function fieldsOf(rule: Rule): readonly string[] {
  const names = withoutTexts(rule.rule).matchAll(/\b(?:self|oldSelf)\.([A-Za-z_]\w*)\b(?!\()/g)
  return [...names].flatMap(([, name]) => (name === undefined ? [] : [name.replace(/^__(\w+)__$/, '$1')]))
}

/** Whether a rule compares with the object as it was. */
export function isTransition(rule: Rule): boolean {
  return /\boldSelf\b/.test(rule.rule)
}
