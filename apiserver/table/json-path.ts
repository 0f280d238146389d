/** JSONPath as printer columns and selectable fields use it. */

import { equalJSON, isObject } from '../schema/json.ts'

/** Finds all values at a path, in order; missing ones are left out. */
export type JSONPath = (value: unknown) => readonly unknown[]

/** From the values found so far to those one step further. */
type Step = (values: readonly unknown[]) => readonly unknown[]

/** Thrown for a path that cannot be understood; the message quotes it. */
export class JSONPathError extends Error {
  override readonly name = 'JSONPathError'
}

/** Compiles `.spec.x`, `['x']`, `[0]`, `[-1]`, `[1:2]`, `[*]`, `.*` and `[?(@.type=="Ready")]`, in any sequence. */
export function compileJSONPath(path: string): JSONPath {
  const steps = parse(path)
  return value => {
    let values: readonly unknown[] = [value]
    for (const step of steps) values = step(values)
    return values
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
  if (wildcard) return [wildcard[0].length, values => values.flatMap(childrenOf)]
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
  return isObject(value) ? Object.values(value) : []
}

function stepInto(key: string): Step {
  return values => values.flatMap(value => (isObject(value) && Object.hasOwn(value, key) ? [value[key]] : []))
}

function stepAt(index: number): Step {
  return values =>
    values.flatMap(value => {
      if (!Array.isArray(value)) return []
      const at = index < 0 ? value.length + index : index
      return at >= 0 && at < value.length ? [value[at]] : []
    })
}

function stepSlice(from: string | undefined, to: string | undefined): Step {
  const start = from === undefined ? undefined : Number(from)
  const end = to === undefined ? undefined : Number(to)
  return values => values.flatMap(value => (Array.isArray(value) ? value.slice(start, end) : []))
}

function stepFilter(path: string, operator: string | undefined, wanted: unknown): Step {
  const find = compileJSONPath(path)
  const fits = (item: unknown) => {
    const [found] = find(item)
    return operator === undefined ? found !== undefined : compare(found, operator, wanted)
  }
  return values => values.flatMap(value => childrenOf(value).filter(fits))
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
