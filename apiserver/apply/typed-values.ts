/** What server-side apply does with values: name their fields, merge, compare and remove. */

import { isRecord, type JSONObject } from '../api-object.ts'
import { equalJSON, setOwn } from '../schema/json.ts'
import { FieldSet } from './field-set.ts'
import { elementsOf, type FieldType, fieldType, isLeaf, typeBelow } from './field-types.ts'

/** The paths of all leaves of an object, of list elements, and of fields that its schema does not declare. */
export function fieldsOf(value: unknown, type: FieldType): FieldSet {
  const set = new FieldSet()
  if (isRecord(value)) addFields(value, type, set)
  return set
}

function addFields(value: JSONObject, type: FieldType, set: FieldSet): void {
  for (const key of Object.keys(value)) {
    const item = value[key]
    const element = `f:${key}`
    const isDeclared = type.fields.has(key)
    const itemType = fieldType(type, key)
    const leaf = isLeaf(item, itemType)
    if (leaf || !isDeclared || (isRecord(item) && Object.keys(item).length === 0)) set.members.add(element)
    if (!leaf) set.setChild(element, below(item, itemType))
  }
}

function below(value: unknown, type: FieldType): FieldSet {
  const set = new FieldSet()
  if (!Array.isArray(value)) {
    if (isRecord(value)) addFields(value, type, set)
    return set
  }
  elementsOf(value, type)?.forEach((element, index) => {
    const item: unknown = value[index]
    set.members.add(element)
    if (!isLeaf(item, type.items)) set.setChild(element, below(item, type.items))
  })
  return set
}

/** The set with every declared field added that it holds something below of. */
export function withNamedFields(set: FieldSet, type: FieldType): FieldSet {
  const result = new FieldSet()
  for (const element of set.members) result.members.add(element)
  for (const [element, child] of set.children) {
    if (element.startsWith('f:') && type.fields.has(element.slice(2))) result.members.add(element)
    result.children.set(element, withNamedFields(child, typeBelow(type, element)))
  }
  return result
}

/** The live value with all that is applied put over it; the live reference where nothing changes. */
export function mergeValues(live: unknown, applied: unknown, type: FieldType): unknown {
  if (applied === undefined) return live
  if (live === undefined) return applied
  if (isLeaf(live, type)) return equalJSON(live, applied) ? live : applied
  // A null over something that holds fields of others keeps it.
  if (applied === null) return isEmpty(live) ? null : live
  if (isLeaf(applied, type)) return applied
  if (isEmpty(live) && isEmpty(applied)) return Array.isArray(live) === Array.isArray(applied) ? live : applied
  if (Array.isArray(live) && Array.isArray(applied)) return mergeLists(live, applied, type)
  if (!isRecord(live) || !isRecord(applied)) return applied
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(applied)) {
    const old = Object.hasOwn(live, key) ? live[key] : undefined
    const merged = mergeValues(old, applied[key], fieldType(type, key))
    if (merged === old && old !== undefined) continue
    copy ??= { ...live }
    setOwn(copy, key, merged)
  }
  return copy ?? live
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  return isRecord(value) && Object.keys(value).length === 0
}

/** Elements of both come in the order of what is applied, others stay where they are between them. */
function mergeLists(live: readonly unknown[], applied: readonly unknown[], type: FieldType): readonly unknown[] {
  const liveElements = elementsOf(live, type) ?? []
  const appliedElements = elementsOf(applied, type) ?? []
  const liveByElement = new Map(liveElements.map((element, index) => [element, live[index]]))
  const inApplied = new Set(appliedElements)
  const shared = appliedElements.filter(element => liveByElement.has(element))
  const done = new Set<string>()
  const merged: unknown[] = []
  let next = 0
  const take = (index: number) => {
    const element = appliedElements[index] ?? ''
    merged.push(mergeValues(liveByElement.get(element), applied[index], type.items))
    done.add(element)
    if (shared[next] === element) next++
  }
  let l = 0
  let r = 0
  while (l < liveElements.length || r < appliedElements.length) {
    const element = liveElements[l]
    if (element !== undefined && r < appliedElements.length) {
      if (element === appliedElements[r]) {
        take(r)
        l++
        r++
        continue
      }
      const wanted = shared[next]
      if (inApplied.has(element) && wanted !== undefined && wanted !== element) {
        l++
        continue
      }
    }
    if (element !== undefined) {
      if (!inApplied.has(element)) {
        merged.push(live[l])
        l++
        continue
      }
      if (done.has(element)) l++
    }
    if (r < appliedElements.length) {
      take(r)
      r++
    }
  }
  return merged.length === live.length && merged.every((item, index) => item === live[index]) ? live : merged
}

/** What differs between two values. */
export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

/** Compares two objects field by field. */
export function compareValues(old: unknown, value: unknown, type: FieldType): Comparison {
  const comparison = { added: new FieldSet(), modified: new FieldSet(), removed: new FieldSet() }
  compare(old, value, type, [], comparison)
  return comparison
}

function compare(old: unknown, value: unknown, type: FieldType, path: string[], result: Comparison): void {
  if (old === value) return
  if (old === undefined || value === undefined) {
    const set = old === undefined ? result.added : result.removed
    set.insert(path, everythingBelow(old ?? value, type))
    return
  }
  const isOldLeaf = isLeaf(old, type)
  const isNewLeaf = isLeaf(value, type)
  if (isOldLeaf && isNewLeaf) {
    if (!equalJSON(old, value)) result.modified.insert(path)
    return
  }
  compareBelow(old, value, type, path, result)
  // Null stands for an empty object or list: only from one kind of nothing to another is the field itself changed.
  const isEmptied = (old === null || isEmpty(old)) && (value === null || isEmpty(value))
  const isOtherShape =
    old !== null && value !== null && (isOldLeaf || isNewLeaf || Array.isArray(old) !== Array.isArray(value))
  if (isOtherShape || (isEmptied && !equalJSON(old, value))) result.modified.insert(path)
}

function compareBelow(old: unknown, value: unknown, type: FieldType, path: string[], result: Comparison): void {
  if (isRecord(old) && isRecord(value) && !type.atomicMap) {
    compareFields(old, value, type, path, result)
    return
  }
  const oldItems = itemsOf(old, type)
  const items = itemsOf(value, type)
  for (const [element, item] of items) {
    path.push(element)
    compare(oldItems.get(element), item, typeBelow(type, element), path, result)
    path.pop()
  }
  for (const [element, item] of oldItems) {
    if (items.has(element)) continue
    path.push(element)
    compare(item, undefined, typeBelow(type, element), path, result)
    path.pop()
  }
}

function compareFields(old: JSONObject, value: JSONObject, type: FieldType, path: string[], result: Comparison): void {
  const compareField = (key: string, before: unknown, after: unknown) => {
    if (before === after) return
    path.push(`f:${key}`)
    compare(before, after, fieldType(type, key), path, result)
    path.pop()
  }
  for (const key of Object.keys(value)) compareField(key, Object.hasOwn(old, key) ? old[key] : undefined, value[key])
  for (const key of Object.keys(old)) if (!Object.hasOwn(value, key)) compareField(key, old[key], undefined)
}

/** Every path below a value that came or went as a whole. */
function everythingBelow(value: unknown, type: FieldType): FieldSet | undefined {
  if (isLeaf(value, type)) return undefined
  const set = new FieldSet()
  const add = (element: string, item: unknown, itemType: FieldType) => {
    set.members.add(element)
    set.setChild(element, everythingBelow(item, itemType))
  }
  if (Array.isArray(value)) {
    for (const [index, element] of (elementsOf(value, type) ?? []).entries()) add(element, value[index], type.items)
  } else if (isRecord(value)) for (const key of Object.keys(value)) add(`f:${key}`, value[key], fieldType(type, key))
  return set
}

const noItems: ReadonlyMap<string, unknown> = new Map()

/** What is below a value that is no leaf, by path element. */
function itemsOf(value: unknown, type: FieldType): ReadonlyMap<string, unknown> {
  if (isLeaf(value, type)) return noItems
  if (Array.isArray(value)) {
    const elements = elementsOf(value, type) ?? []
    return new Map(elements.map((element, index) => [element, value[index]]))
  }
  return isRecord(value) ? new Map(Object.keys(value).map(key => [`f:${key}`, value[key]])) : noItems
}

/**
 * The value without the fields and elements of the set. A list or object that nothing is left of becomes null, as with
 * Kubernetes: the schema then drops it, sets a default in its place, or refuses it.
 */
export function removeFields(value: unknown, type: FieldType, set: FieldSet): unknown {
  if (set.isEmpty) return value
  if (Array.isArray(value)) return isLeaf(value, type) ? null : removeElements(value, type, set)
  if (!isRecord(value)) return value
  if (isLeaf(value, type)) return null
  const rest: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const element = `f:${key}`
    if (set.members.has(element)) continue
    const child = set.children.get(element)
    setOwn(rest, key, child ? removeFields(value[key], fieldType(type, key), child) : value[key])
  }
  return Object.keys(rest).length > 0 ? rest : null
}

function removeElements(value: readonly unknown[], type: FieldType, set: FieldSet): unknown {
  const elements = elementsOf(value, type) ?? []
  const rest: unknown[] = []
  elements.forEach((element, index) => {
    if (set.members.has(element)) return
    const child = set.children.get(element)
    rest.push(child ? removeFields(value[index], type.items, child) : value[index])
  })
  return rest.length > 0 ? rest : null
}
