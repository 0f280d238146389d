/** Checks that list sets hold no element twice and list maps no key twice. */

import { isRecord } from '../api-object.ts'
import type { FieldError } from './field-error.ts'
import { goBadValue } from './go-format.ts'
import { canonicalJSON } from './json.ts'
import type { SchemaNode } from './schema-node.ts'

/** Adds an error for the second occurrence of each element or key. */
export function validateLists(value: unknown, node: SchemaNode, path: string, errors: FieldError[]): void {
  if (!node.hasUniqueLists || typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    checkUnique(value, node, path, errors)
    if (!node.items) return
    for (let index = 0; index < value.length; index++) {
      validateLists(value[index], node.items, `${path}[${index}]`, errors)
    }
    return
  }
  if (!isRecord(value)) return
  for (const key of Object.keys(value)) {
    const property = node.properties.get(key)
    if (property) validateLists(value[key], property, path === '' ? key : `${path}.${key}`, errors)
    else if (node.additional) validateLists(value[key], node.additional, `${path}[${key}]`, errors)
  }
}

function checkUnique(value: readonly unknown[], node: SchemaNode, path: string, errors: FieldError[]): void {
  const type = node.schema['x-kubernetes-list-type']
  if (type === 'set') {
    duplicates(value, path, errors)
    return
  }
  if (type !== 'map') return
  const stranger = value.findIndex(item => item !== null && !isRecord(item))
  if (stranger >= 0) {
    const badValue = value[stranger]
    errors.push({
      type: 'FieldValueInvalid',
      field: `${path}[${stranger}]`,
      message: `Invalid value: ${goBadValue(badValue)}: must be an object for an array of list-type map`,
      badValue,
    })
    return
  }
  if (value.length < 2) return
  const keys = node.schema['x-kubernetes-list-map-keys'] ?? []
  const [key, ...others] = keys
  if (key !== undefined && others.length === 0 && haveUniqueTexts(value, key)) return
  duplicates(
    value.map(item => keysOf(item, keys)),
    path,
    errors,
  )
}

/** Whether all elements have a text of their own under the key: what nearly all lists are, seen at a glance. */
function haveUniqueTexts(value: readonly unknown[], key: string): boolean {
  const seen = new Set<unknown>()
  for (const item of value) {
    const text = isRecord(item) ? item[key] : undefined
    if (typeof text !== 'string') return false
    seen.add(text)
  }
  return seen.size === value.length
}

function keysOf(item: unknown, keys: readonly string[]): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  if (!isRecord(item)) return found
  for (const key of keys) if (Object.hasOwn(item, key)) found[key] = item[key]
  return found
}

function duplicates(values: readonly unknown[], path: string, errors: FieldError[]): void {
  if (values.length < 2) return
  const times = new Map<string, number>()
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    const text = canonicalJSON(value)
    const seen = times.get(text) ?? 0
    times.set(text, seen + 1)
    if (seen !== 1) continue
    const message = `Duplicate value: ${goBadValue(value)}`
    errors.push({ type: 'FieldValueDuplicate', field: `${path}[${index}]`, message, badValue: value })
  }
}
