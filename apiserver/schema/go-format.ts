/** Prints values as Go's fmt does: clients and tests know Kubernetes' messages in exactly these words. */

import { canonicalJSON } from './json.ts'

const escapes: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what has to be escaped
const toEscape = /[\u0000-\u001f\u007f"\\]/g

/** The text as Go's `%q` prints it. */
export function goQuote(text: string): string {
  const body = text.replace(
    toEscape,
    character => escapes[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  return `"${body}"`
}

/** The number as Go's `%v` prints it: an integer in full, anything else with an exponent below 1e-4 and from 1e21. */
export function goNumber(value: number): string {
  if (Number.isSafeInteger(value)) return String(value)
  const magnitude = Math.abs(value)
  const text = magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e21) ? value.toExponential() : String(value)
  return text.replace(/e([+-])(\d)$/, 'e$10$2')
}

const htmlEscapes: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' }

/** The value as a field error of Kubernetes shows it: `3`, `"text"`, `{"a":1}`. */
export function goBadValue(value: unknown): string {
  if (typeof value === 'string') return goQuote(value)
  if (typeof value === 'number') return goNumber(value)
  return canonicalJSON(value ?? null).replaceAll(/[<>&]/g, character => htmlEscapes[character] ?? character)
}
