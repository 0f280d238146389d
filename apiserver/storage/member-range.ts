/** Where the value of a member lies in encoded JSON. */
export interface Range {
  readonly start: number
  readonly end: number
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/**
 * Finds a member of an object in bytes that JSON.stringify made (no white space between tokens), without parsing what
 * stands before it; undefined where there is none. The name is given as it is encoded, without quotes.
 */
export function memberRange(bytes: Uint8Array, name: string): Range | undefined {
  let at = 1
  while (bytes[at] === quote) {
    const keyEnd = afterString(bytes, at)
    const start = keyEnd + 1
    const end = afterValue(bytes, start)
    if (spells(bytes, at + 1, keyEnd - 1, name)) return { start, end }
    at = end + 1
  }
  return undefined
}

/** Where a member lies with its name and the comma that parts it from another: without these bytes it is not there. */
export function wholeMember(bytes: Uint8Array, name: string): Range | undefined {
  const value = memberRange(bytes, name)
  if (value === undefined) return undefined
  const start = value.start - name.length - 3
  if (bytes[start - 1] === comma) return { start: start - 1, end: value.end }
  return { start, end: bytes[value.end] === comma ? value.end + 1 : value.end }
}

function spells(bytes: Uint8Array, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false
  for (let index = 0; index < name.length; index++) if (bytes[start + index] !== name.charCodeAt(index)) return false
  return true
}

function afterString(bytes: Uint8Array, start: number): number {
  let at = start + 1
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
  return at + 1
}

function afterValue(bytes: Uint8Array, start: number): number {
  const first = bytes[start]
  if (first === quote) return afterString(bytes, start)
  if (first === openBrace || first === openBracket) return afterNested(bytes, start)
  let at = start
  while (at < bytes.length && bytes[at] !== comma && bytes[at] !== closeBrace) at++
  return at
}

function afterNested(bytes: Uint8Array, start: number): number {
  let depth = 0
  let at = start
  while (at < bytes.length) {
    const byte = bytes[at]
    if (byte === quote) {
      at = afterString(bytes, at)
      continue
    }
    at++
    if (byte === openBrace || byte === openBracket) depth++
    else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) return at
  }
  return at
}
