/** What keeps a configuration from being applied: it must be what the schema says, field by field. */

import { isRecord, type JSONObject } from '../api-object.ts'
import { objectMetaSchema } from '../schema/object-meta.ts'
import type { StructuralSchema } from '../schema/structural-schema.ts'
import { keyElement, printPath } from './field-set.ts'

/** Wrongs of a whole object, as in `.spec.size: expected numeric (int or float), got string`. */
export function configurationWrongs(value: JSONObject, schema: StructuralSchema | undefined): readonly string[] {
  const { metadata, apiVersion: _version, kind: _kind, ...rest } = value
  const wrongs: string[] = []
  check(metadata, objectMetaSchema, ['f:metadata'], wrongs)
  if (schema !== undefined) check(rest, schema, [], wrongs)
  return wrongs
}

function check(value: unknown, schema: StructuralSchema, path: readonly string[], wrongs: string[]): void {
  if (value === null || value === undefined) return
  const expected = expectation(schema)
  if (expected !== undefined && !expected.holds(value)) {
    wrongs.push(`${printPath(path)}: expected ${expected.name}, got ${nameOf(value)}`)
    return
  }
  if (isRecord(value)) checkFields(value, schema, path, wrongs)
  else if (Array.isArray(value)) checkItems(value, schema, path, wrongs)
}

function checkFields(value: JSONObject, schema: StructuralSchema, path: readonly string[], wrongs: string[]): void {
  const { properties = {}, additionalProperties } = schema
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties === true
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true
  for (const key of Object.keys(value)) {
    const below = [...path, `f:${key}`]
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined
    const known = property ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
    if (known !== undefined) check(value[key], known, below, wrongs)
    else if (!isOpen && !(isEmbedded && embedded.has(key)))
      wrongs.push(`${printPath(below)}: field not declared in schema`)
  }
}

const embedded: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

function checkItems(
  value: readonly unknown[],
  schema: StructuralSchema,
  path: readonly string[],
  wrongs: string[],
): void {
  const { items } = schema
  const type = schema['x-kubernetes-list-type']
  const seen = new Set<string>()
  for (const [index, item] of value.entries()) {
    const element = elementOf(item, index, schema)
    if (element === undefined) {
      const keys = `[${(schema['x-kubernetes-list-map-keys'] ?? []).map(key => JSON.stringify(key)).join(' ')}]`
      const wrong = `associative list with keys has an element that omits all key fields ${keys}`
      wrongs.push(`${printPath(path)}: element ${index}: ${wrong} (and doesn't have default values for any key fields)`)
      continue
    }
    if (type !== undefined && type !== 'atomic') {
      if (seen.has(element)) wrongs.push(`${printPath(path)}: duplicate entries for key ${printPath([element])}`)
      seen.add(element)
    }
    if (items !== undefined) check(item, items, [...path, element], wrongs)
  }
}

/** The path element of an item; undefined where it has none of the keys that it needs. */
function elementOf(item: unknown, index: number, schema: StructuralSchema): string | undefined {
  const type = schema['x-kubernetes-list-type']
  if (type === 'set') return `v:${JSON.stringify(item)}`
  if (type !== 'map' || !isRecord(item)) return `i:${index}`
  const entries = (schema['x-kubernetes-list-map-keys'] ?? []).flatMap(key => {
    const value = item[key] ?? schema.items?.properties?.[key]?.default
    return value === undefined ? [] : [[key, value] as const]
  })
  return entries.length === 0 ? undefined : keyElement(Object.fromEntries(entries))
}

interface Expectation {
  readonly name: string
  readonly holds: (value: unknown) => boolean
}

const expectations: Readonly<Record<string, Expectation>> = {
  string: { name: 'string', holds: value => typeof value === 'string' },
  boolean: { name: 'boolean', holds: value => typeof value === 'boolean' },
  number: { name: 'numeric (int or float)', holds: value => typeof value === 'number' },
  integer: { name: 'numeric (int or float)', holds: value => typeof value === 'number' },
  array: { name: 'list', holds: value => Array.isArray(value) },
  object: { name: 'map', holds: isRecord },
}

function expectation(schema: StructuralSchema): Expectation | undefined {
  const { type } = schema
  return type === undefined || schema['x-kubernetes-int-or-string'] === true ? undefined : expectations[type]
}

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'list'
  return isRecord(value) ? 'map' : typeof value
}
