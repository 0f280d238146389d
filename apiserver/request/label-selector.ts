import { labelValueWrongs, qualifiedNameWrongs } from '../names.ts'
import { badRequest } from '../status-error.ts'

/** A parsed selector: whether an object's labels match. Undefined stands for "everything". */
export type LabelSelector = (labels: Readonly<Record<string, string>>) => boolean

/** Parses `a=b,c!=d,e in (f,g),h,!i,j>1`; throws a 400 that names what it cannot read. */
export function parseLabelSelector(text: string | undefined | null): LabelSelector | undefined {
  if (text === undefined || text === null || text.trim() === '') return undefined
  const requirements = readSelector(new Tokens(text))
  return labels => requirements.every(matches => matches(labels))
}

const symbols: ReadonlySet<string> = new Set(['(', ')', ',', '!', '=', '==', '!=', '<', '>'])

/** The parts of a selector, one after the other; '' at the end. */
class Tokens {
  readonly #tokens: readonly string[]
  #index = 0

  constructor(text: string) {
    this.#tokens = text.match(/==|!=|[=!<>(),]|[^\s=!<>(),]+/g) ?? []
  }

  get next(): string {
    return this.#tokens[this.#index] ?? ''
  }

  take(): string {
    const token = this.next
    this.#index++
    return token
  }
}

function readSelector(tokens: Tokens): readonly LabelSelector[] {
  if (!startsRequirement(tokens.next)) throw unexpected(tokens.next, "!, identifier, or 'end of string'")
  const requirements: LabelSelector[] = []
  for (;;) {
    requirements.push(readRequirement(tokens))
    const separator = tokens.take()
    if (separator === '') return requirements
    if (separator !== ',') throw unexpected(separator, "',' or 'end of string'")
    if (!startsRequirement(tokens.next)) throw unexpected(tokens.next, "identifier after ','")
  }
}

function startsRequirement(token: string): boolean {
  return token === '!' || isWord(token)
}

function readRequirement(tokens: Tokens): LabelSelector {
  const absent = tokens.next === '!'
  if (absent) tokens.take()
  const key = readWord(tokens)
  reject('<nil>', key, qualifiedNameWrongs(key))
  if (absent) return labels => own(labels, key) === undefined
  if (tokens.next === '' || tokens.next === ',') return labels => own(labels, key) !== undefined
  return readComparison(tokens, key)
}

function readComparison(tokens: Tokens, key: string): LabelSelector {
  const operator = tokens.take()
  switch (operator) {
    case 'in':
    case 'notin': {
      const values = new Set(readValues(tokens))
      for (const value of values) reject(`values[0][${key}]`, value, labelValueWrongs(value))
      const wanted = operator === 'in'
      return labels => {
        const value = own(labels, key)
        return (value !== undefined && values.has(value)) === wanted
      }
    }
    case '=':
    case '==':
    case '!=': {
      const wanted = tokens.next === '' || tokens.next === ',' ? '' : readWord(tokens)
      reject(`values[0][${key}]`, wanted, labelValueWrongs(wanted))
      return labels => (own(labels, key) === wanted) === (operator !== '!=')
    }
    case '<':
    case '>': {
      const bound = readWord(tokens)
      reject('values[0]', bound, isInteger(bound) ? [] : ["for 'Gt', 'Lt' operators, the value must be an integer"])
      return labels => isBeyond(own(labels, key), operator, Number(bound))
    }
    default:
      throw unreadable(expectation(operator, 'in, notin, =, ==, !=, gt, lt'))
  }
}

/** The values in parentheses; between two commas there is the empty one. */
function readValues(tokens: Tokens): readonly string[] {
  const opening = tokens.take()
  if (opening !== '(') throw unreadable(`found '${opening}' expected: '('`)
  if (tokens.next !== ')' && tokens.next !== ',' && !isWord(tokens.next)) {
    throw unreadable(expectation(tokens.next, "',', ')' or identifier"))
  }
  const values: string[] = []
  for (;;) {
    if (isWord(tokens.next)) values.push(tokens.take())
    else if (values.length > 0 || tokens.next === ',') values.push('')
    const separator = tokens.take()
    if (separator === ')') return values
    if (separator !== ',') throw unreadable(expectation(separator, "',' or ')'"))
  }
}

function readWord(tokens: Tokens): string {
  const word = tokens.take()
  if (!isWord(word)) throw unreadable(expectation(word, 'identifier'))
  return word
}

function isWord(token: string): boolean {
  return token !== '' && !symbols.has(token)
}

function isInteger(text: string): boolean {
  return /^[-+]?[0-9]+$/.test(text)
}

function isBeyond(value: string | undefined, operator: '<' | '>', bound: number): boolean {
  if (value === undefined || !isInteger(value)) return false
  return operator === '>' ? Number(value) > bound : Number(value) < bound
}

function reject(field: string, value: string, wrongs: readonly string[]): void {
  if (wrongs.length > 0) throw unreadable(`${field}: Invalid value: ${JSON.stringify(value)}: ${wrongs.join('; ')}`)
}

function unexpected(found: string, expected: string): Error {
  return badRequest(expectation(found, expected))
}

function unreadable(message: string): Error {
  return badRequest(`unable to parse requirement: ${message}`)
}

function expectation(found: string, expected: string): string {
  return `found '${found}', expected: ${expected}`
}

function own(labels: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(labels, name) ? labels[name] : undefined
}
