/** Frame of one open object (with the names seen in it) or array (with its index). */
interface Frame {
  readonly names: Set<string> | undefined
  readonly path: string
  name: string
  index: number
}

/**
 * Paths of members that a JSON text gives more than once, which `JSON.parse` does not tell.
 * The text must be valid JSON.
 */
export function duplicateFields(text: string): readonly string[] {
  const duplicates: string[] = []
  const stack: Frame[] = []
  let expectsName = false
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    const top = stack.at(-1)
    if (character === openBrace || character === openBracket) {
      const isObject = character === openBrace
      stack.push({ names: isObject ? new Set() : undefined, path: pathBelow(top), name: '', index: 0 })
      expectsName = isObject
    } else if (character === closeBrace || character === closeBracket) {
      stack.pop()
      expectsName = false
    } else if (character === comma && top !== undefined) {
      top.index++
      expectsName = top.names !== undefined
    } else if (character === quote) {
      const end = endOfString(text, at)
      if (expectsName && top?.names !== undefined) {
        top.name = nameOf(text.slice(at, end + 1))
        if (top.names.has(top.name)) duplicates.push(pathBelow(top))
        top.names.add(top.name)
        expectsName = false
      }
      at = end
    }
  }
  return duplicates
}

const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const comma = 0x2c
const quote = 0x22
const backslash = 0x5c

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1
  return at
}

function nameOf(literal: string): string {
  return literal.includes('\\') ? String(JSON.parse(literal)) : literal.slice(1, -1)
}

function pathBelow(frame: Frame | undefined): string {
  if (frame === undefined) return ''
  if (frame.names === undefined) return `${frame.path}[${frame.index}]`
  return frame.path === '' ? frame.name : `${frame.path}.${frame.name}`
}
