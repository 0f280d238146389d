/** Strategic merge patch for the built-in kinds: a merge patch whose lists may be merged by key. */

import deepEqual from 'fast-deep-equal'
import type { JSONObject } from '../api-object.ts'
import { isRecord } from '../api-object.ts'
import { badRequest, unforeseen } from '../status-error.ts'

type List = readonly unknown[]

/** Lists that are merged, by the name of their field: by the key of their items, or '' for lists of scalars. */
export const mergeKeys: Readonly<Record<string, string>> = {
  ownerReferences: 'uid',
  finalizers: '',
  secrets: 'name',
  conditions: 'type',
}

const deletePrefix = '$deleteFromPrimitiveList/'
const orderPrefix = '$setElementOrder/'

/** Applies the patch without changing its input. */
export function strategicMergePatch(target: unknown, patch: JSONObject): JSONObject {
  return mergeObjects(isRecord(target) ? target : {}, patch)
}

function mergeObjects(target: JSONObject, patch: JSONObject): JSONObject {
  const { $patch: directive, $retainKeys: retain, ...changes } = patch
  if (directive === 'replace') return withoutDirectives(changes)
  if (directive === 'delete') return {}
  const merged: Record<string, unknown> = { ...target }
  const lists = new Set<string>()
  for (const [key, value] of Object.entries(changes)) {
    if (key.startsWith(orderPrefix) || key.startsWith(deletePrefix)) lists.add(key.slice(key.indexOf('/') + 1))
    else if (value === null) delete merged[key]
    else if (isRecord(value)) merged[key] = mergeObjects(recordOf(merged[key]), value)
    else if (Array.isArray(value) && mergeKeys[key] !== undefined) lists.add(key)
    else merged[key] = value
  }
  for (const name of lists) {
    const list = mergeList(listOf(merged[name]), changes, name)
    if (name in merged || list.length > 0) merged[name] = list
  }
  if (!Array.isArray(retain)) return merged
  const retained = new Set(retain)
  return Object.fromEntries(Object.entries(merged).filter(([key]) => retained.has(key)))
}

/** Most items that a list, and what a patch says of it, may have together. */
const listLimit = 5_000

/** What becomes of the list under a name, by all that a patch says of it. */
function mergeList(list: List, patch: JSONObject, name: string): List {
  const mergeKey = mergeKeys[name]
  if (mergeKey === undefined) throw unforeseen(`unable to find a merge key for the list ${name}`)
  const changes = listOf(patch[name])
  const order = patch[orderPrefix + name]
  const [put, isReplaced] = mergeKey === '' ? [changes, false] : readChanges(changes, mergeKey)
  if (isReplaced) return put
  if (Array.isArray(order)) checkOrder(put, order, mergeKey)
  const removed = [...listOf(patch[deletePrefix + name]), ...changes.filter(isDeletion)]
  // Each item is looked for among all: what is longer than any list of a built-in kind must be patched otherwise.
  if (list.length + changes.length + removed.length + listOf(order).length > listLimit) {
    throw badRequest(`${name}: more than ${listLimit} items: use a merge patch or a server-side apply`)
  }
  const kept = list.filter(item => find(removed, item, mergeKey) === undefined)
  const merged = [
    ...kept.map(item => mergeItem(item, find(put, item, mergeKey))),
    ...put.filter(item => find(kept, item, mergeKey) === undefined).map(item => mergeItem(undefined, item)),
  ]
  return inOrder(merged, { order: Array.isArray(order) ? order : put, live: list, mergeKey })
}

function mergeItem(before: unknown, change: unknown): unknown {
  if (!isRecord(change)) return change === undefined ? before : change
  return isRecord(before) ? mergeObjects(before, change) : withoutDirectives(change)
}

/** The items to put in, and whether they replace all. */
function readChanges(changes: List, mergeKey: string): [List, boolean] {
  const isReplaced = changes.some(item => isRecord(item) && item.$patch === 'replace')
  if (isReplaced) return [changes.filter(item => !isRecord(item) || item.$patch !== 'replace'), true]
  for (const change of changes) {
    if (isRecord(change) && change[mergeKey] !== undefined) continue
    throw unforeseen(`map: ${JSON.stringify(change)} does not contain declared merge key: ${mergeKey}`)
  }
  return [changes.filter(change => !isDeletion(change)), false]
}

function isDeletion(change: unknown): boolean {
  return isRecord(change) && change.$patch === 'delete'
}

/** What is put in must come in the order that the patch sets. */
function checkOrder(put: List, order: List, mergeKey: string): void {
  let at = 0
  for (const item of put) {
    while (at < order.length && !isSame(order[at], item, mergeKey)) at++
    if (at < order.length) continue
    const [patch, wanted] = [JSON.stringify(put), JSON.stringify(order)]
    throw unforeseen(`The order in patch list:\n${patch}\n doesn't match $setElementOrder list:\n${wanted}\n`)
  }
}

interface Order {
  /** The order that the patch sets for what it names. */
  readonly order: List
  readonly live: List
  readonly mergeKey: string
}

/**
 * What the patch names comes in its order, all else in that of the live list. Of the two, what is live and comes first
 * there goes first; where the live list does not tell, what the patch names does.
 */
function inOrder(merged: List, { order, live, mergeKey }: Order): List {
  const rank = (list: List, item: unknown) => list.findIndex(each => isSame(each, item, mergeKey))
  const named = merged
    .filter(item => rank(order, item) >= 0)
    .toSorted((left, right) => rank(order, left) - rank(order, right))
  const others = merged.filter(item => rank(order, item) < 0)
  const result: unknown[] = []
  for (const item of named) {
    const limit = rank(live, item)
    while (others.length > 0 && rank(live, others[0]) < limit) result.push(others.shift())
    result.push(item)
  }
  return [...result, ...others]
}

function find(list: List, item: unknown, mergeKey: string): unknown {
  return list.find(each => isSame(each, item, mergeKey))
}

function isSame(left: unknown, right: unknown, mergeKey: string): boolean {
  if (mergeKey === '') return left === right
  return isRecord(left) && isRecord(right) && deepEqual(left[mergeKey], right[mergeKey])
}

function recordOf(value: unknown): JSONObject {
  return isRecord(value) ? value : {}
}

function listOf(value: unknown): List {
  return Array.isArray(value) ? value : []
}

function withoutDirectives(value: JSONObject): JSONObject {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('$')))
}
