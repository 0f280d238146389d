/** JSONPath as printer columns and selectable fields use it. */

import { isRecord } from '../api-object.ts'
import { equalJSON } from '../schema/json.ts'

/** Finds all values at a path, in order; missing ones are left out. */
export type JSONPath = (value: unknown) => readonly unknown[]

/** Adds what is found from a value on. */
type Search = (value: unknown, found: unknown[]) => void

/** One step of a path: goes on, from a value to those one step further, with the search that follows. */
type Step = (next: Search) => Search

/** Thrown for a path that cannot be understood; the message quotes it. */
export class JSONPathError extends Error {
  override readonly name = 'JSONPathError'
}

/** Compiles `.spec.x`, `['x']`, `[0]`, `[-1]`, `[1:2]`, `[*]`, `.*` and `[?(@.type=="Ready")]`, in any sequence. */
export function compileJSONPath(path: string): JSONPath {
  const end: Search = (value, found) => void found.push(value)
  const search = parse(path).reduceRight((next, step) => step(next), end)
  return value => {
    const found: unknown[] = []
    search(value, found)
    return found
  }
}

const fieldPattern = /^\.((?:[^.[\]\\]|\\.)+)/
const quotedPattern = /^\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*\]/
const indexPattern = /^\[\s*(-?\d+)\s*\]/
const slicePattern = /^\[\s*(-?\d+)?\s*:\s*(-?\d+)?\s*\]/
const wildcardPattern = /^(?:\.\*|\[\s*\*\s*\])/
const filterPattern =
  /^\[\?\(\s*@((?:\.(?:[^.[\]\\\s=!<>)]|\\.)+|\['[^']*'\])*)\s*(?:(==|!=|<=|>=|<|>)\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s)]+)\s*)?\)\]/

function parse(path: string): readonly Step[] {
  const steps: Step[] = []
  let rest = path.startsWith('$') ? path.slice(1) : path
  while (rest !== '' && rest !== '.') {
    const [length, step] = parseStep(rest, path)
    steps.push(step)
    rest = rest.slice(length)
  }
  return steps
}

function parseStep(rest: string, path: string): readonly [number, Step] {
  const wildcard = wildcardPattern.exec(rest)
  if (wildcard) return [wildcard[0].length, stepToChildren]
  const field = fieldPattern.exec(rest)
  if (field) return [field[0].length, stepInto(unescaped(field[1] ?? ''))]
  const quoted = quotedPattern.exec(rest)
  if (quoted) return [quoted[0].length, stepInto(unescaped(quoted[1] ?? quoted[2] ?? ''))]
  const index = indexPattern.exec(rest)
  if (index) return [index[0].length, stepAt(Number(index[1]))]
  const slice = slicePattern.exec(rest)
  if (slice) return [slice[0].length, stepSlice(slice[1], slice[2])]
  const filter = filterPattern.exec(rest)
  if (filter) {
    return [filter[0].length, stepFilter(filter[1] ?? '', filter[2], literal(filter[3]))]
  }
  throw new JSONPathError(
    `Cannot read the JSONPath ${JSON.stringify(path)}: it is not understood from ${JSON.stringify(rest)}`,
  )
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, '$1')
}

function literal(text: string | undefined): unknown {
  if (text === undefined) return undefined
  if (text.startsWith('"') || text.startsWith("'")) return unescaped(text.slice(1, -1))
  if (text === 'true' || text === 'false') return text === 'true'
  return Number.isNaN(Number(text)) ? text : Number(text)
}

function childrenOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return isRecord(value) ? Object.values(value) : []
}

function stepToChildren(next: Search): Search {
  return (value, found) => {
    for (const child of childrenOf(value)) next(child, found)
  }
}

function stepInto(key: string): Step {
  return next => (value, found) => {
    if (isRecord(value) && Object.hasOwn(value, key)) next(value[key], found)
  }
}

function stepAt(index: number): Step {
  return next => (value, found) => {
    if (!Array.isArray(value)) return
    const at = index < 0 ? value.length + index : index
    if (at >= 0 && at < value.length) next(value[at], found)
  }
}

function stepSlice(from: string | undefined, to: string | undefined): Step {
  const start = from === undefined ? undefined : Number(from)
  const end = to === undefined ? undefined : Number(to)
  return next => (value, found) => {
    if (!Array.isArray(value)) return
    for (const item of value.slice(start, end)) next(item, found)
  }
}

function stepFilter(path: string, operator: string | undefined, wanted: unknown): Step {
  const find = compileJSONPath(path)
  const fits = (item: unknown) => {
    const first = find(item)[0]
    return operator === undefined ? first !== undefined : compare(first, operator, wanted)
  }
  return next => (value, found) => {
    for (const child of childrenOf(value)) if (fits(child)) next(child, found)
  }
}

function compare(found: unknown, operator: string, wanted: unknown): boolean {
  if (found === undefined) return false
  if (operator === '==') return equalJSON(found, wanted)
  if (operator === '!=') return !equalJSON(found, wanted)
  const isOrdered =
    (typeof found === 'number' && typeof wanted === 'number') ||
    (typeof found === 'string' && typeof wanted === 'string')
  if (!isOrdered) return false
  if (operator === '<') return found < wanted
  if (operator === '<=') return found <= wanted
  return operator === '>' ? found > wanted : found >= wanted
}
