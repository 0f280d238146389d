/** Checks that a schema is structural: that it says what every field is, apart from which values it may have. */

import { unsupportedValue } from '../field-errors.ts'
import { messageOf } from '../message-of.ts'
import { checkRules } from './cel/check-rules.ts'
import { goBadValue, goQuote } from './go-format.ts'
import { equalJSON } from './json.ts'
import { compilePattern } from './pattern.ts'
import type { SchemaProblem } from './schema-error.ts'
import type { StructuralSchema } from './structural-schema.ts'

type Level = 'root' | 'item' | 'field'

const missingType: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

const types: readonly string[] = ['array', 'boolean', 'integer', 'number', 'object', 'string']

const intOrString: readonly StructuralSchema[] = [{ type: 'integer' }, { type: 'string' }]

/** Adds what keeps the schema from being structural to `problems`. */
export function checkStructural(schema: StructuralSchema, problems: SchemaProblem[]): void {
  checkNode(schema, 'root', '', problems)
}

function checkNode(schema: StructuralSchema, level: Level, path: string, problems: SchemaProblem[]): void {
  const report = (field: string, message: string) => problems.push({ field: join(path, field), message })
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true

  if (schema.type !== undefined && !types.includes(schema.type)) {
    report('type', unsupportedValue('', schema.type, types).message)
  }
  if (schema.type === 'array' && !schema.items) report('items', 'Required value: must be specified')
  if (embedded && schema.type !== 'object') {
    const what = schema.type === undefined ? 'Required value' : `Invalid value: ${goQuote(schema.type)}`
    report('type', `${what}: must be object if x-kubernetes-embedded-resource is true`)
  } else if (schema.type === undefined && !isIntOrString && !preserves) {
    report('type', `Required value: ${missingType[level]}`)
  }
  if (level === 'root' && schema.type !== undefined && schema.type !== 'object') {
    report('type', `Invalid value: ${goQuote(schema.type)}: must be object at the root`)
  }
  if (isIntOrString && preserves) {
    const message = 'Invalid value: true: must be false if x-kubernetes-int-or-string is true'
    report('x-kubernetes-preserve-unknown-fields', message)
  }
  if (isIntOrString && schema.type !== undefined) {
    const message = 'must be empty if x-kubernetes-int-or-string is true'
    report('type', `Invalid value: ${goQuote(schema.type)}: ${message}`)
  }
  if (schema.uniqueItems)
    report('uniqueItems', 'Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic')
  checkAdditional(schema, level, embedded, report)
  checkLists(schema, report)
  checkMetadata(schema, level, embedded, report)
  checkRules(schema, (member, message) => report(`x-kubernetes-validations${member}`, message))
  if (embedded && !preserves && Object.keys(schema.properties ?? {}).length === 0) {
    const message =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
    report('properties', `Required value: ${message}`)
  }

  checkValues(schema, schema, path, problems)
  if (schema.items) checkNode(schema.items, 'item', join(path, 'items'), problems)
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (level === 'root' && name === 'metadata') continue
    checkNode(property, 'field', join(path, `properties[${name}]`), problems)
  }
  const additional = schema.additionalProperties
  if (typeof additional === 'object') checkNode(additional, 'field', join(path, 'additionalProperties'), problems)
}

function join(path: string, field: string): string {
  return path === '' ? field : `${path}.${field}`
}

type Report = (field: string, message: string) => void

function checkAdditional(schema: StructuralSchema, level: Level, embedded: boolean, report: Report): void {
  const additional = schema.additionalProperties
  if (additional === undefined) return
  if (level === 'root') report('additionalProperties', 'Forbidden: must not be used at the root')
  if (embedded) report('additionalProperties', 'Forbidden: must not be used if x-kubernetes-embedded-resource is set')
  if (additional === false) report('additionalProperties', 'Forbidden: additionalProperties cannot be set to false')
  if (schema.properties) {
    report('additionalProperties', 'Forbidden: additionalProperties and properties are mutual exclusive')
  }
}

function checkLists(schema: StructuralSchema, report: Report): void {
  const listType = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (listType !== undefined && schema.type !== 'array') {
    const field = schema.type === undefined ? 'Required value' : `Invalid value: ${goQuote(schema.type)}`
    report('type', `${field}: must be array if x-kubernetes-list-type is specified`)
  }
  if ((listType === 'set' || listType === 'map') && schema.items?.nullable) {
    report('items.nullable', `Forbidden: cannot be nullable when x-kubernetes-list-type is ${listType}`)
  }
  if (listType !== 'map') {
    if (keys.length > 0) {
      report('x-kubernetes-list-type', 'Required value: must be map if x-kubernetes-list-map-keys is non-empty')
    }
    return
  }
  if (keys.length === 0) {
    report('x-kubernetes-list-map-keys', 'Required value: must not be empty if x-kubernetes-list-type is map')
  }
  const items = schema.items
  if (items && items.type !== 'object') {
    report(
      'items.type',
      `Invalid value: ${goQuote(items.type ?? '')}: must be object if parent array's x-kubernetes-list-type is map`,
    )
  }
  for (const key of keys) {
    const property = items?.properties?.[key]
    if (!property) {
      const message = 'entries must all be names of item properties'
      report('x-kubernetes-list-map-keys', `Invalid value: ${goBadValue(keys)}: ${message}`)
      continue
    }
    if (property.type === 'object' || property.type === 'array') {
      const message = "must be a scalar type if parent array's x-kubernetes-list-type is map"
      report(`items.properties[${key}].type`, `Invalid value: ${goQuote(property.type)}: ${message}`)
    }
    if (property.nullable) {
      const message = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'
      report(`items.properties[${key}].nullable`, `Forbidden: ${message}`)
    }
    if (property.default === undefined && !items?.required?.includes(key)) {
      const message =
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'
      report(`items.properties[${key}].default`, `Required value: ${message}`)
    }
  }
}

function checkMetadata(schema: StructuralSchema, level: Level, embedded: boolean, report: Report): void {
  if (level !== 'root' && !embedded) return
  for (const name of ['kind', 'apiVersion']) {
    const property = schema.properties?.[name]
    if (!property || property.type === 'string') continue
    report(`properties[${name}].type`, `Invalid value: ${goQuote(property.type ?? '')}: must be string`)
  }
  const metadata = schema.properties?.metadata
  if (!metadata) return
  if (metadata.type !== 'object') {
    report('properties[metadata].type', `Invalid value: ${goQuote(metadata.type ?? '')}: must be object`)
  }
  if (level !== 'root') return
  const { type: _type, description: _description, properties = {}, ...others } = metadata
  const names = Object.keys(properties)
  if (Object.keys(others).length === 0 && names.every(name => name === 'name' || name === 'generateName')) return
  const message = 'must not specify anything other than name and generateName, but metadata is implicitly specified'
  report('properties[metadata]', `Forbidden: ${message}`)
}

/** Checks the value validation at a node; `structure` is the node outside of allOf, anyOf, oneOf and not. */
function checkValues(
  schema: StructuralSchema,
  structure: StructuralSchema,
  path: string,
  problems: SchemaProblem[],
): void {
  if (schema.pattern !== undefined) {
    try {
      compilePattern(schema.pattern)
    } catch (error) {
      const reason = messageOf(error)
      const message = `Invalid value: ${goQuote(schema.pattern)}: must be a valid regular expression, but isn't: ${reason}`
      problems.push({ field: join(path, 'pattern'), message })
    }
  }
  const alternatives = (key: 'allOf' | 'anyOf' | 'oneOf', list: readonly StructuralSchema[] | undefined) => {
    if (key === 'anyOf' && equalJSON(list, intOrString) && structure['x-kubernetes-int-or-string']) return
    list?.forEach((part, index) => {
      checkNested(part, structure, join(path, `${key}[${index}]`), problems)
    })
  }
  alternatives('allOf', schema.allOf)
  alternatives('anyOf', schema.anyOf)
  alternatives('oneOf', schema.oneOf)
  if (schema.not) checkNested(schema.not, structure, join(path, 'not'), problems)
}

/** What a part of allOf, anyOf, oneOf or not must leave to the structure around it. */
const structural: Readonly<Record<string, string>> = {
  type: 'must be empty to be structural',
  additionalProperties: 'must be undefined to be structural',
  default: 'must be undefined to be structural',
  title: 'must be empty to be structural',
  description: 'must be empty to be structural',
  nullable: 'must be false to be structural',
  'x-kubernetes-preserve-unknown-fields': 'must be false to be structural',
  'x-kubernetes-embedded-resource': 'must be false to be structural',
  'x-kubernetes-int-or-string': 'must be false to be structural',
  'x-kubernetes-list-map-keys': 'must be empty to be structural',
  'x-kubernetes-list-type': 'must be undefined to be structural',
  'x-kubernetes-map-type': 'must be undefined to be structural',
  'x-kubernetes-validations': 'must be empty to be structural',
}

function checkNested(
  part: StructuralSchema,
  structure: StructuralSchema,
  path: string,
  problems: SchemaProblem[],
): void {
  for (const key of Object.keys(part)) {
    const message = structural[key]
    if (message !== undefined) problems.push({ field: join(path, key), message: `Forbidden: ${message}` })
  }
  checkValues(part, structure, path, problems)
  for (const [name, property] of Object.entries(part.properties ?? {})) {
    const field = join(path, `properties[${name}]`)
    const counterpart = structure.properties?.[name]
    if (name === 'metadata') problems.push({ field, message: 'Forbidden: must not be specified in a nested context' })
    else if (!counterpart) problems.push({ field, message: `Required value: because it is defined in ${path}` })
    checkNested(property, counterpart ?? {}, field, problems)
  }
  if (!part.items) return
  if (!structure.items)
    problems.push({ field: join(path, 'items'), message: `Required value: because it is defined in ${path}` })
  checkNested(part.items, structure.items ?? {}, join(path, 'items'), problems)
}
