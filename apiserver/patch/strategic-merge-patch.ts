/** Strategic merge patch for the built-in kinds: a merge patch whose lists may be merged by key. */

import deepEqual from 'fast-deep-equal'
import type { JSONObject } from '../api-object.ts'
import { isRecord } from '../api-object.ts'
import { badRequest } from '../status-error.ts'

/** Lists that are merged, by the name of their field: by the key of their items, or '' for lists of scalars. */
const mergeKeys: Readonly<Record<string, string>> = {
  ownerReferences: 'uid',
  finalizers: '',
  secrets: 'name',
  imagePullSecrets: 'name',
  conditions: 'type',
}

const deletePrefix = '$deleteFromPrimitiveList/'
const orderPrefix = '$setElementOrder/'

/** Applies the patch without changing its input. */
export function strategicMergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) throw badRequest('error decoding patch: a strategic merge patch is an object')
  return mergeObjects(isRecord(target) ? target : {}, patch)
}

function mergeObjects(target: JSONObject, patch: JSONObject): JSONObject {
  const { $patch: directive, $retainKeys: retain, ...changes } = patch
  if (directive === 'replace') return withoutDirectives(changes)
  if (directive === 'delete') return {}
  const merged: Record<string, unknown> = { ...target }
  for (const [key, value] of Object.entries(changes)) {
    if (key.startsWith(orderPrefix) || key.startsWith(deletePrefix)) continue
    if (value === null) delete merged[key]
    else merged[key] = mergeValues(merged[key], value, key)
  }
  for (const [key, value] of Object.entries(changes)) {
    if (key.startsWith(deletePrefix)) removeItems(merged, key.slice(deletePrefix.length), value)
    if (key.startsWith(orderPrefix)) orderItems(merged, key.slice(orderPrefix.length), value)
  }
  if (!Array.isArray(retain)) return merged
  return Object.fromEntries(Object.entries(merged).filter(([key]) => retain.includes(key)))
}

function mergeValues(before: unknown, value: unknown, field: string): unknown {
  if (isRecord(value)) return mergeObjects(isRecord(before) ? before : {}, value)
  const mergeKey = mergeKeys[field]
  if (!Array.isArray(value) || mergeKey === undefined) return value
  const list: readonly unknown[] = Array.isArray(before) ? before : []
  if (mergeKey === '') return [...list, ...value.filter(item => !list.includes(item))]
  return value.some(item => isRecord(item) && item.$patch === 'replace')
    ? value.filter(item => !isRecord(item) || item.$patch !== 'replace')
    : mergeLists(list, value, mergeKey)
}

function mergeLists(list: readonly unknown[], changes: readonly unknown[], mergeKey: string): readonly unknown[] {
  const merged = [...list]
  for (const change of changes) {
    if (!isRecord(change))
      throw badRequest(`error decoding patch: items of a list merged by ${mergeKey} must be objects`)
    const index = merged.findIndex(item => isRecord(item) && deepEqual(item[mergeKey], change[mergeKey]))
    const before = merged[index]
    if (change.$patch === 'delete') {
      if (index >= 0) merged.splice(index, 1)
    } else if (isRecord(before)) merged[index] = mergeObjects(before, change)
    else merged.push(withoutDirectives(change))
  }
  return merged
}

function removeItems(merged: Record<string, unknown>, field: string, values: unknown): void {
  const list = merged[field]
  if (Array.isArray(list) && Array.isArray(values)) merged[field] = list.filter(item => !values.includes(item))
}

function orderItems(merged: Record<string, unknown>, field: string, order: unknown): void {
  const list = merged[field]
  const mergeKey = mergeKeys[field]
  if (!Array.isArray(list) || !Array.isArray(order) || mergeKey === undefined) return
  const rankOf = (item: unknown): number => {
    const rank = order.findIndex(wanted =>
      isRecord(wanted) && isRecord(item) ? deepEqual(wanted[mergeKey], item[mergeKey]) : wanted === item,
    )
    return rank < 0 ? order.length : rank
  }
  merged[field] = list.toSorted((left, right) => rankOf(left) - rankOf(right))
}

function withoutDirectives(value: JSONObject): JSONObject {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('$')))
}
