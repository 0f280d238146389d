/** CEL's string functions that the library lacks, and conversions to text. */

import type { Environment } from '@marcbachmann/cel-js'
import { goNumber, goQuote } from '../go-format.ts'

const sync = { async: false }

/** Adds `charAt`, `replace`, `format`, `strings.quote` and conversions of times. */
export function addTexts(environment: Environment): void {
  class StringsNamespace {}
  environment
    .registerType('StringsNamespace', StringsNamespace)
    .registerConstant('strings', 'StringsNamespace', new StringsNamespace())
    .registerFunction(
      'StringsNamespace.quote(string): string',
      (_namespace: unknown, text: string) => goQuote(text),
      sync,
    )
    .registerFunction('string.charAt(int): string', charAt, sync)
    .registerFunction(
      'string.replace(string, string): string',
      (text: string, from: string, to: string) => text.replaceAll(from, () => to),
      sync,
    )
    .registerFunction('string.replace(string, string, int): string', replaceSome, sync)
    .registerFunction('string.format(list<dyn>): string', format, sync)
    .registerFunction('string(google.protobuf.Timestamp): string', printTime, sync)
    .registerFunction('string(google.protobuf.Duration): string', String, sync)
    .registerFunction(
      'int(google.protobuf.Timestamp): int',
      (time: Date) => BigInt(Math.floor(time.getTime() / 1000)),
      sync,
    )
    .registerFunction('timestamp(google.protobuf.Timestamp): google.protobuf.Timestamp', (time: Date) => time, sync)
    .registerFunction('duration(google.protobuf.Duration): google.protobuf.Duration', (length: unknown) => length, sync)
}

function charAt(text: string, index: bigint): string {
  const position = Number(index)
  if (position < 0 || position > text.length) throw new RangeError(`index out of range: ${index}`)
  return text.charAt(position)
}

function replaceSome(text: string, from: string, to: string, limit: bigint): string {
  if (limit < 0n) return text.replaceAll(from, () => to)
  let left = limit
  return text.replaceAll(from, match => {
    left--
    return left >= 0n ? to : match
  })
}

function printTime(time: Date): string {
  return time.toISOString().replace(/\.?0+Z$/, 'Z')
}

function format(template: string, values: readonly unknown[]): string {
  let next = 0
  return template.replace(/%(?:%|(?:\.(\d+))?([sdfexXob]))/g, (clause, precision: string | undefined, verb: string) => {
    if (clause === '%%') return '%'
    if (next >= values.length) throw new RangeError(`index ${next} out of range`)
    return formatClause(values[next++], verb, precision === undefined ? 6 : Number(precision))
  })
}

function formatClause(value: unknown, verb: string, precision: number): string {
  const wrong = () => new TypeError(`could not convert argument ${printValue(value)} to %${verb}`)
  if (verb === 's') return printValue(value)
  if (verb === 'f' || verb === 'e') {
    if (typeof value !== 'number' && typeof value !== 'bigint') throw wrong()
    const number = Number(value)
    return verb === 'f' ? grouped(number.toFixed(precision)) : scientific(number.toExponential(precision))
  }
  if (typeof value === 'string' && (verb === 'x' || verb === 'X')) {
    const hex = Buffer.from(value, 'utf8').toString('hex')
    return verb === 'X' ? hex.toUpperCase() : hex
  }
  if (typeof value === 'boolean' && verb === 'b') return value ? '1' : '0'
  if (typeof value !== 'bigint') throw wrong()
  if (verb === 'd') return value.toString()
  if (verb === 'b') return value.toString(2)
  if (verb === 'o') return value.toString(8)
  return verb === 'X' ? value.toString(16).toUpperCase() : value.toString(16)
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

function printValue(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return goNumber(value)
  if (value === null) return 'null'
  if (value instanceof Date) return printTime(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  if (value instanceof Map)
    return `{${[...value].map(([key, item]) => `${printValue(key)}: ${printValue(item)}`).join(', ')}}`
  if (Array.isArray(value)) return `[${value.map(printValue).join(', ')}]`
  return String(value)
}
