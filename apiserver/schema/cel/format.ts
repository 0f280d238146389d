/** CEL's `format`: texts made from a template and values, as cel-go's string library writes them. */

import { goNumber, goQuote } from '../go-format.ts'
import { nameOfType } from './type-names.ts'

const clauses = /%(?:%|(?:\.(\d+))?(\S?))/g

/** The text of a template in which `%s`, `%d`, `%.2f` … stand for values. */
export function format(template: string, values: readonly unknown[]): string {
  let next = 0
  return template.replace(clauses, (clause, precision: string | undefined, verb: string) => {
    if (clause === '%%') return '%'
    if (next >= values.length) throw new RangeError(`index ${next} out of range`)
    return formatClause(values[next++], verb, precision === undefined ? 6 : Number(precision))
  })
}

/** Which types a verb takes; `dyn` is taken by each. */
const taken: Readonly<Record<string, readonly string[]>> = {
  d: ['int', 'uint'],
  f: ['double'],
  e: ['double'],
  b: ['int', 'uint', 'bool'],
  o: ['int', 'uint'],
  x: ['int', 'uint', 'string', 'bytes'],
  X: ['int', 'uint', 'string', 'bytes'],
}

/** What is wrong with a template for values of these types; undefined where nothing is. */
export function templateFault(template: string, types: readonly string[]): string | undefined {
  let next = 0
  for (const [clause, , verb = ''] of template.matchAll(clauses)) {
    if (clause === '%%') continue
    if (verb !== 's' && !Object.hasOwn(taken, verb)) return `unrecognized formatting clause "${verb}"`
    const type = types[next++]
    if (type === undefined) return `index ${next - 1} out of range`
    const fits = verb === 's' || type === 'dyn' || taken[verb]?.includes(type)
    if (!fits) return `error during formatting: %${verb} cannot be used on ${type}`
  }
  return undefined
}

function formatClause(value: unknown, verb: string, precision: number): string {
  const wrong = () => new TypeError(`error during formatting: %${verb} cannot be used on ${nameOfType(value)}`)
  if (verb === 's') return printValue(value)
  if (verb === 'f' || verb === 'e') {
    if (typeof value !== 'number') throw wrong()
    return verb === 'f' ? grouped(rounded(value, precision)) : scientific(value.toExponential(precision))
  }
  if ((typeof value === 'string' || value instanceof Uint8Array) && (verb === 'x' || verb === 'X')) {
    const hex = Buffer.from(value).toString('hex')
    return verb === 'X' ? hex.toUpperCase() : hex
  }
  if (typeof value === 'boolean' && verb === 'b') return value ? '1' : '0'
  if (typeof value !== 'bigint') throw wrong()
  if (verb === 'd') return value.toString()
  if (verb === 'b') return value.toString(2)
  if (verb === 'o') return value.toString(8)
  return verb === 'X' ? value.toString(16).toUpperCase() : value.toString(16)
}

/** Digits after the point; exactly in the middle the even one is taken, as Go does. */
function rounded(value: number, precision: number): string {
  const away = value.toFixed(precision)
  const exact = value.toFixed(Math.min(precision + 1, 100))
  const isTie = exact.endsWith('5') && Number(exact) === value
  if (!isTie || /[02468]$/.test(away)) return away
  return exact.slice(0, precision === 0 ? -2 : -1)
}

/** A number with a comma between thousands. */
function grouped(text: string): string {
  return text.replace(/^-?\d+/, whole => whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ','))
}

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** `1.5e+3` in the way of printed English: `1.5×10⁰³`. */
function scientific(text: string): string {
  const [mantissa = '', exponent = ''] = text.split('e')
  const digits = exponent.slice(1).padStart(2, '0')
  const raised = [...digits].map(digit => superscripts[Number(digit)]).join('')
  return `${mantissa}×10${exponent.startsWith('-') ? '⁻' : ''}${raised}`
}

/** A time as RFC 3339 has it, without zeros that say nothing. */
export function printTime(time: Date): string {
  return time.toISOString().replace(/\.?0+Z$/, 'Z')
}

function printValue(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return goNumber(value)
  if (value === null) return 'null'
  if (value instanceof Date) return printTime(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  if (value instanceof Map) return printMap([...value])
  if (Array.isArray(value)) return `[${value.map(printMember).join(', ')}]`
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    return printMap(Object.entries(value))
  return nameOfType(value) === 'type' ? printType(value) : String(value)
}

/** The name of a type that is a value itself. */
function printType(type: unknown): string {
  return String(type).replace(/^Type<(.*)>$/, '$1')
}

function printMap(entries: readonly (readonly [unknown, unknown])[]): string {
  const printed = entries.map(([key, item]) => [printMember(key), printMember(item)] as const)
  const sorted = printed.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([key, item]) => `${key}:${item}`).join(', ')}}`
}

/** A value within a list or a map: as a literal of CEL. */
function printMember(value: unknown): string {
  if (typeof value === 'string') return goQuote(value)
  if (value instanceof Uint8Array) return `b${goQuote(printValue(value))}`
  if (typeof value === 'number') return Number.isFinite(value) ? value.toFixed(6) : goQuote(goNumber(value))
  const type = nameOfType(value)
  if (type === 'google.protobuf.Timestamp') return `timestamp(${goQuote(printValue(value))})`
  return type === 'google.protobuf.Duration' ? `duration(${goQuote(printValue(value))})` : printValue(value)
}
