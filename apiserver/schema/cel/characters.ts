/** CEL's functions on texts that the library has otherwise: they count characters, and change ASCII letters only. */

import type { Environment } from '@marcbachmann/cel-js'

const sync = { async: false }

/** Adds them by the names that `rename.ts` gives them, and `charAt` and `replace`. */
export function addCharacters(environment: Environment): void {
  environment
    .registerFunction('string.charAt(int): string', charAt, sync)
    .registerFunction('string.subString(int): string', (text: string, start: bigint) => part(text, start), sync)
    .registerFunction('string.subString(int, int): string', part, sync)
    .registerFunction('string.indexOF(string): int', (text: string, search: string) => indexOf(text, search, 0n), sync)
    .registerFunction('string.indexOF(string, int): int', indexOf, sync)
    .registerFunction('string.lastIndexOF(string): int', lastIndexOf, sync)
    .registerFunction('string.lastIndexOF(string, int): int', lastIndexOf, sync)
    .registerFunction('string.lowerASCII(): string', lower, sync)
    .registerFunction('string.upperASCII(): string', upper, sync)
    .registerFunction('string.replace(string, string): string', (...texts: Texts) => replace(...texts, -1n), sync)
    .registerFunction('string.replace(string, string, int): string', replace, sync)
}

type Texts = [text: string, from: string, to: string]

function lower(text: string): string {
  return text.replaceAll(/[A-Z]+/g, letters => letters.toLowerCase())
}

function upper(text: string): string {
  return text.replaceAll(/[a-z]+/g, letters => letters.toUpperCase())
}

/** Positions of characters: a text itself where each of them is one unit. */
function characters(text: string): string | readonly string[] {
  return /[\ud800-\udbff]/.test(text) ? [...text] : text
}

function outOfRange(index: bigint): RangeError {
  return new RangeError(`index out of range: ${index}`)
}

function charAt(text: string, index: bigint): string {
  const all = characters(text)
  if (index < 0n || index > all.length) throw outOfRange(index)
  return all[Number(index)] ?? ''
}

function part(text: string, start: bigint, end?: bigint): string {
  const all = characters(text)
  if (end !== undefined && start > end) throw new RangeError(`invalid substring range. start: ${start}, end: ${end}`)
  for (const index of [start, end ?? start]) if (index < 0n || index > all.length) throw outOfRange(index)
  const chosen = all.slice(Number(start), end === undefined ? undefined : Number(end))
  return typeof chosen === 'string' ? chosen : chosen.join('')
}

/** How many characters a text has before one of its units. */
function charactersBefore(text: string, unit: number): bigint {
  return BigInt(unit < 0 ? unit : characters(text.slice(0, unit)).length)
}

/** The unit at which a character begins. */
function unitOf(text: string, character: bigint): number {
  return part(text, 0n, character).length
}

function indexOf(text: string, search: string, start: bigint): bigint {
  if (search === '') return start
  if (start < 0n) throw outOfRange(start)
  if (start >= characters(text).length) return -1n
  return charactersBefore(text, text.indexOf(search, unitOf(text, start)))
}

function lastIndexOf(text: string, search: string, start?: bigint): bigint {
  const count = BigInt(characters(text).length)
  if (search === '') return start ?? count
  if (start !== undefined && start < 0n) throw outOfRange(start)
  if (start !== undefined && start >= count) return -1n
  return charactersBefore(text, text.lastIndexOf(search, unitOf(text, start ?? count)))
}

/** Replaces as many as `limit` says, all where that is negative. */
function replace(text: string, from: string, to: string, limit: bigint): string {
  let left = limit < 0n ? Number.POSITIVE_INFINITY : Number(limit)
  const units = from === '' && characters(text) !== text ? /(?:)/gu : from
  return text.replaceAll(units, match => (left-- > 0 ? to : match))
}
