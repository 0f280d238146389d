/** Equality of CEL values, where the order of list sets and list maps does not matter. */

import { Optional } from '@marcbachmann/cel-js'

/** Under which a list carries the keys that tell its elements apart: none for a list set. */
const keys = Symbol('keys')

type MarkedList = unknown[] & { [keys]?: readonly string[] }

/** Marks a list as a set (no keys) or a map (keys). */
export function markList(list: MarkedList, names: readonly string[]): void {
  list[keys] = names
}

function keysOf(list: MarkedList): readonly string[] | undefined {
  return list[keys]
}

/** A value that knows itself whether another one is equal. */
interface Comparable {
  equals(other: unknown): boolean
}

function isComparable(value: object): value is Comparable {
  return 'equals' in value && typeof value.equals === 'function'
}

/** Whether two CEL values are equal. Integers and doubles are compared by their value. */
export function equalValues(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a === 'bigint' && typeof b === 'number') return Number(a) === b
  if (typeof a === 'number' && typeof b === 'bigint') return Number(b) === a
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) return Array.isArray(b) && equalLists(a, b)
  const [left, right] = [entriesOf(a), entriesOf(b)]
  if (left !== undefined) return right !== undefined && equalMaps(left, right)
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime()
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (isComparable(a)) return a.equals(b)
  if (a instanceof Optional) return b instanceof Optional && equalValues(a.orValue(undefined), b.orValue(undefined))
  if ('seconds' in a && 'nanos' in a && 'seconds' in b && 'nanos' in b)
    return a.seconds === b.seconds && a.nanos === b.nanos
  return false
}

/** The entries of a map: of a field, or a literal, which the library has as an object. */
export function entriesOf(value: object): ReadonlyMap<unknown, unknown> | undefined {
  if (value instanceof Map) return value
  return Object.getPrototypeOf(value) === Object.prototype ? new Map(Object.entries(value)) : undefined
}

function equalMaps(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of a) if (!b.has(key) || !equalValues(value, b.get(key))) return false
  return true
}

function equalLists(a: MarkedList, b: MarkedList): boolean {
  if (a.length !== b.length) return false
  const names = keysOf(a) ?? keysOf(b)
  if (!names) return a.every((item, index) => equalValues(item, b[index]))
  return a.every(item => b.some(other => equalValues(item, other)))
}

/** The lists one after the other; for list sets and list maps each element once, the right one's where keys are equal. */
export function joinLists(a: MarkedList, b: readonly unknown[]): readonly unknown[] {
  const names = keysOf(a)
  if (!names) return [...a, ...b]
  const isSame = (x: unknown, y: unknown) =>
    names.length === 0 ? equalValues(x, y) : names.every(key => equalValues(keyOf(x, key), keyOf(y, key)))
  const joined = a.map(item => b.find(other => isSame(item, other)) ?? item)
  for (const item of b) if (!joined.some(other => isSame(item, other))) joined.push(item)
  markList(joined, names)
  return joined
}

function keyOf(item: unknown, key: string): unknown {
  return item instanceof Map ? item.get(key) : undefined
}
