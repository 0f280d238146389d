/** How values merge, by schema: which objects and lists are one leaf and which are owned field by field. */

import { isRecord, type JSONObject } from '../api-object.ts'
import { objectMetaSchema } from '../schema/object-meta.ts'
import type { StructuralSchema } from '../schema/structural-schema.ts'
import { keyElement } from './field-set.ts'

/** How a value merges. */
export interface FieldType {
  readonly atomicMap: boolean
  readonly list: 'atomic' | 'set' | 'map'
  readonly keys: readonly string[]
  /** Defaults of keys that an element may leave out. */
  readonly keyDefaults: JSONObject
  /** Declared fields. */
  readonly fields: ReadonlyMap<string, FieldType>
  /** Values under other keys. */
  readonly values: FieldType
  readonly items: FieldType
}

const noFields: ReadonlyMap<string, FieldType> = new Map()

class DeducedType implements FieldType {
  readonly atomicMap = false
  readonly list = 'atomic'
  readonly keys: readonly string[] = []
  readonly keyDefaults = {}
  readonly fields = noFields
  readonly values = this
  readonly items = this
}

/** Where no schema says anything: objects merge field by field, lists are one leaf. */
const deduced: FieldType = new DeducedType()

function typeOf(schema: StructuralSchema): FieldType {
  const additional = schema.additionalProperties
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const keyDefaults: Record<string, unknown> = {}
  for (const key of keys) {
    const value = schema.items?.properties?.[key]?.default
    if (value !== undefined) keyDefaults[key] = value
  }
  return {
    atomicMap: schema['x-kubernetes-map-type'] === 'atomic',
    list: schema['x-kubernetes-list-type'] ?? 'atomic',
    keys,
    keyDefaults,
    fields: fieldsOf(schema),
    values: typeof additional === 'object' ? typeOf(additional) : deduced,
    items: schema.items ? typeOf(schema.items) : deduced,
  }
}

function fieldsOf(schema: StructuralSchema): ReadonlyMap<string, FieldType> {
  if (!schema.properties) return noFields
  return new Map(Object.entries(schema.properties).map(([name, property]) => [name, typeOf(property)]))
}

const metadataType = typeOf(objectMetaSchema)
const untyped: FieldType = {
  ...deduced,
  fields: new Map([
    ['apiVersion', deduced],
    ['kind', deduced],
    ['metadata', metadataType],
  ]),
}

const types = new WeakMap<StructuralSchema, FieldType>()

/** The type of a whole resource; without a schema only its metadata is known. */
export function resourceType(schema: StructuralSchema | undefined): FieldType {
  if (!schema) return untyped
  const known = types.get(schema)
  if (known) return known
  const type = { ...typeOf(schema), fields: new Map([...fieldsOf(schema), ...untyped.fields]) }
  types.set(schema, type)
  return type
}

/** The type of the field under a key. */
export function fieldType(type: FieldType, key: string): FieldType {
  return type.fields.get(key) ?? type.values
}

/** The type below a path element. */
export function typeBelow(type: FieldType, element: string): FieldType {
  return element.startsWith('f:') ? fieldType(type, element.slice(2)) : type.items
}

/** Whether the value is owned as one: a scalar, null, or an atomic object or list. */
export function isLeaf(value: unknown, type: FieldType): boolean {
  if (Array.isArray(value)) return type.list === 'atomic' || elementsOf(value, type) === undefined
  return !isRecord(value) || type.atomicMap
}

const elementLists = new WeakMap<readonly unknown[], readonly string[] | undefined>()

/**
 * The path elements of a list set or list map, in order. Undefined where an element has no key or occurs twice: such a
 * list cannot be merged and counts as one leaf.
 */
export function elementsOf(list: readonly unknown[], type: FieldType): readonly string[] | undefined {
  if (elementLists.has(list)) return elementLists.get(list)
  const elements = findElements(list, type)
  elementLists.set(list, elements)
  return elements
}

function findElements(list: readonly unknown[], type: FieldType): readonly string[] | undefined {
  const elements: string[] = []
  for (const item of list) {
    const element = type.list === 'map' ? elementByKey(item, type) : elementByValue(item)
    if (element === undefined) return undefined
    elements.push(element)
  }
  return new Set(elements).size === elements.length ? elements : undefined
}

function elementByKey(item: unknown, type: FieldType): string | undefined {
  if (!isRecord(item)) return undefined
  const keys: Record<string, unknown> = {}
  for (const key of type.keys) {
    const value = item[key] ?? type.keyDefaults[key]
    if (value === undefined || typeof value === 'object') return undefined
    keys[key] = value
  }
  return keyElement(keys)
}

function elementByValue(item: unknown): string | undefined {
  return typeof item === 'object' ? undefined : `v:${JSON.stringify(item)}`
}
