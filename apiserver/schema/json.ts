/** What every walk over JSON needs. */

import { isRecord } from '../api-object.ts'

/** Sets an own property, whatever its name: a plain assignment to `__proto__` would change the prototype. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') {
    target[key] = value
    return
  }
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
}

/** A deep copy of a JSON value. */
export function copyJSON<T>(value: T): T
export function copyJSON(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(item => copyJSON(item))
  if (!isRecord(value)) return value
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) setOwn(copy, key, copyJSON(value[key]))
  return copy
}

/** Whether two JSON values are equal, the order of keys apart. */
export function equalJSON(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let index = 0; index < a.length; index++) if (!equalJSON(a[index], b[index])) return false
    return true
  }
  if (!isRecord(a) || !isRecord(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  for (const key of keys) if (!Object.hasOwn(b, key) || !equalJSON(a[key], b[key])) return false
  return true
}

/** The JSON value as text that is the same for equal values, whatever the order of their keys. */
export function canonicalJSON(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJSON).join(',')}]`
  if (!isRecord(value)) return JSON.stringify(value) ?? 'null'
  const keys = Object.keys(value).sort()
  return `{${keys.map(key => `${JSON.stringify(key)}:${canonicalJSON(value[key])}`).join(',')}}`
}
