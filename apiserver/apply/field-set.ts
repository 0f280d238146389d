/** Sets of field paths, as managedFields hold them: a trie of path elements (`f:spec`, `k:{"name":"a"}`, `v:"x"`). */

import { isRecord, type JSONObject } from '../api-object.ts'
import { BoundedMap } from '../bounded-map.ts'
import { setOwn } from '../schema/json.ts'
import { sharedSet } from '../storage/shared-fields.ts'

/** A set of field paths. Not to be changed once it has been handed on: results share parts of their operands. */
export class FieldSet {
  /** Elements that are in the set themselves. */
  readonly members = new Set<string>()
  /** What the set holds below an element; never an empty set. */
  readonly children = new Map<string, FieldSet>()

  get isEmpty(): boolean {
    return this.members.size === 0 && this.children.size === 0
  }

  /** Adds a path, with all that is below it where that is given; an empty one is ignored. */
  insert(path: readonly string[], below?: FieldSet): void {
    let set: FieldSet = this
    for (let index = 0; index < path.length; index++) {
      const element = path[index] ?? ''
      if (index === path.length - 1) {
        set.members.add(element)
        set.setChild(element, below)
        return
      }
      let child = set.children.get(element)
      if (!child) {
        child = new FieldSet()
        set.children.set(element, child)
      }
      set = child
    }
  }

  /** Puts a set below an element, unless it is empty. */
  setChild(element: string, child: FieldSet | undefined): void {
    if (child && !child.isEmpty) this.children.set(element, child)
  }
}

const nothing = new FieldSet()

/** What is in either. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a.isEmpty) return b
  if (b.isEmpty) return a
  const result = new FieldSet()
  for (const element of a.members) result.members.add(element)
  for (const element of b.members) result.members.add(element)
  for (const [element, child] of a.children) {
    const other = b.children.get(element)
    result.children.set(element, other ? union(child, other) : child)
  }
  for (const [element, child] of b.children) if (!a.children.has(element)) result.children.set(element, child)
  return result
}

/** What is in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (a.isEmpty || b.isEmpty) return nothing
  const result = new FieldSet()
  for (const element of a.members) if (b.members.has(element)) result.members.add(element)
  for (const [element, child] of a.children) {
    const other = b.children.get(element)
    if (other) result.setChild(element, intersection(child, other))
  }
  return result
}

/** What is in the first and not in the second. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (a.isEmpty || b.isEmpty) return a
  const result = new FieldSet()
  for (const element of a.members) if (!b.members.has(element)) result.members.add(element)
  for (const [element, child] of a.children) {
    const other = b.children.get(element)
    result.setChild(element, other ? difference(child, other) : child)
  }
  return result
}

/** The set without these elements of its first level and all that is below them. */
export function without(set: FieldSet, elements: readonly string[]): FieldSet {
  if (!elements.some(element => set.members.has(element) || set.children.has(element))) return set
  const result = new FieldSet()
  for (const element of set.members) if (!elements.includes(element)) result.members.add(element)
  for (const [element, child] of set.children) if (!elements.includes(element)) result.children.set(element, child)
  return result
}

/** Whether both hold the same paths. */
export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true
  if (a.members.size !== b.members.size || a.children.size !== b.children.size) return false
  for (const element of a.members) if (!b.members.has(element)) return false
  for (const [element, child] of a.children) {
    const other = b.children.get(element)
    if (!other || !equalSets(child, other)) return false
  }
  return true
}

/** Every path in the set: what is in it itself comes before what is below, both sorted. */
export function pathsOf(set: FieldSet, prefix: readonly string[] = []): readonly (readonly string[])[] {
  const members = [...set.members].sort().map(element => [...prefix, element])
  const children = [...set.children].sort(([left], [right]) => (left < right ? -1 : 1))
  return [...members, ...children.flatMap(([element, child]) => pathsOf(child, [...prefix, element]))]
}

function sortedElements(set: FieldSet): readonly string[] {
  const elements = new Set(set.members)
  for (const element of set.children.keys()) elements.add(element)
  return [...elements].sort()
}

// Stored objects are never changed in place, so what was once decoded or encoded stays right.
const decoded = new WeakMap<object, FieldSet>()
const encoded = new WeakMap<FieldSet, JSONObject>()

/** How many encoded sets are kept by their shape: objects of a kind have the same few. */
const shapeLimit = 500
const byShape = new BoundedMap<string, JSONObject>(shapeLimit)

/** The set as `fieldsV1`, elements sorted. Equal sets that were made alike are one object. */
export function encodeFields(set: FieldSet): JSONObject {
  const known = encoded.get(set)
  if (known) return known
  const shape = shapeOf(set)
  const before = byShape.get(shape)
  if (before !== undefined) return before
  const fields = sharedSet(encode(set))
  byShape.set(shape, fields)
  return fields
}

/** What a set holds, in the order in which it came to; elements may hold anything, so their length is told. */
function shapeOf(set: FieldSet): string {
  let shape = ''
  for (const element of set.members) shape += `${element.length}:${element}`
  for (const [element, child] of set.children) shape += `{${element.length}:${element}${shapeOf(child)}}`
  return shape
}

function encode(set: FieldSet): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const element of sortedElements(set)) {
    const child = set.children.get(element)
    if (!child) setOwn(fields, element, {})
    else setOwn(fields, element, set.members.has(element) ? { '.': {}, ...encode(child) } : encode(child))
  }
  return fields
}

/** The set that a `fieldsV1` holds. What is no path element is ignored. */
export function decodeFields(fields: unknown): FieldSet {
  if (!isRecord(fields)) return nothing
  const known = decoded.get(fields)
  if (known) return known
  const set = decode(fields)
  decoded.set(fields, set)
  encoded.set(set, fields)
  return set
}

function decode(fields: JSONObject): FieldSet {
  const set = new FieldSet()
  for (const element of Object.keys(fields)) {
    if (element === '.') continue
    const value = fields[element]
    if (!isRecord(value)) continue
    const below = Object.keys(value)
    if (below.length === 0 || Object.hasOwn(value, '.')) set.members.add(canonicalElement(element))
    if (below.length > 0) set.setChild(canonicalElement(element), decode(value))
  }
  return set
}

/** Keys written by others may name their fields in any order; here they are sorted. */
function canonicalElement(element: string): string {
  if (!element.startsWith('k:')) return element
  try {
    const key: unknown = JSON.parse(element.slice(2))
    return isRecord(key) ? keyElement(key) : element
  } catch {
    return element
  }
}

/** The path element of a list map's element with these keys. */
export function keyElement(keys: JSONObject): string {
  const names = Object.keys(keys)
  if (names.length === 1) return `k:${JSON.stringify(keys)}`
  return `k:{${names
    .sort()
    .map(name => `${JSON.stringify(name)}:${JSON.stringify(keys[name])}`)
    .join(',')}}`
}

/** The path as conflicts print it: `.spec.nics[name="a"].mac`. */
export function printPath(path: readonly string[]): string {
  return path.map(printElement).join('')
}

function printElement(element: string): string {
  const content = element.slice(2)
  if (element.startsWith('f:')) return `.${content}`
  if (element.startsWith('v:')) return `[=${content}]`
  if (!element.startsWith('k:')) return `[${content}]`
  const keys: unknown = JSON.parse(content)
  if (!isRecord(keys)) return `[${content}]`
  return `[${Object.keys(keys)
    .map(name => `${name}=${JSON.stringify(keys[name])}`)
    .join(',')}]`
}
