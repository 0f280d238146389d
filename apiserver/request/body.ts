import { type Document, isScalar, LineCounter, parseDocument, type Scalar, visit, type YAMLParseError } from 'yaml'
import type { JSONObject } from '../api-object.ts'
import { isRecord } from '../api-object.ts'
import type { APIRequest } from '../api-request.ts'
import { messageOf } from '../message-of.ts'
import { badRequest, requestTooLarge, unsupportedMediaType } from '../status-error.ts'
import { duplicateFields } from './duplicate-fields.ts'
import { checkDigits, mayLoseDigits } from './exact-numbers.ts'
import { decodeProtobuf, protobufType } from './protobuf.ts'

/** Largest body taken, in bytes: what Kubernetes takes. */
export const bodyLimit = 3 * 1024 * 1024

/** Deepest nesting taken: deeper bodies would overflow the stack of whoever walks them. */
const depthLimit = 1_000

/**
 * Most lines, commas and brackets taken in YAML: each may be a node, and a node takes a kilobyte while it is read. JSON takes
 * a hundredth of that, and has no such limit.
 */
const nodeLimit = 100_000

/** Most closing brackets, anchors, tags and quotes taken in YAML: each may be an error, and errors cost more than nodes. */
const oddityLimit = 20_000

/** A decoded body. */
export interface Decoded {
  readonly value: unknown
  /** Fields given twice, in words: by path in JSON, by line in YAML; found only when asked for. */
  readonly duplicates: readonly string[]
}

/** A decoded body that is an object. */
export interface DecodedObject extends Decoded {
  readonly value: JSONObject
}

/** Content-Type without its parameters, in lower case. */
export function contentType(request: APIRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

/** Decodes a JSON or YAML body; throws 400, 413 or 415. */
export function decodeBody(request: APIRequest, options: { findDuplicates: boolean }): Decoded {
  const type = contentType(request)
  if (type === '' || type === 'application/json') return decodeJSON(bodyText(request), options)
  if (type === 'application/yaml') {
    const { value, duplicates } = decodeYAML(bodyText(request))
    return { value, duplicates: options.findDuplicates ? duplicates : [] }
  }
  if (type === protobufType && request.body !== undefined) {
    return { value: decodeProtobuf(request.body), duplicates: [] }
  }
  throw unsupportedMediaType(['application/json', 'application/yaml', protobufType])
}

/** Decodes a body that must be an object. */
export function decodeObject(request: APIRequest, options: { findDuplicates: boolean }): DecodedObject {
  const { value, duplicates } = decodeBody(request, options)
  if (isRecord(value)) return { value, duplicates }
  throw badRequest("couldn't get version/kind; json parse error: the body is not an object")
}

/**
 * Decodes an apply body: YAML, which nearly always is JSON. An empty one is an object without members. Duplicates are
 * told as YAML knows them, by line.
 */
export function decodeApply(request: APIRequest, options: { findDuplicates: boolean }): DecodedObject {
  const text = bodyText(request)
  const decoded = text.trimStart().startsWith('{') ? tryJSON(text, options) : undefined
  const inYAML = decoded === undefined || decoded.duplicates.length > 0
  const { value, duplicates } = inYAML ? prefixed('error decoding YAML', () => decodeYAML(text)) : decoded
  if (value === null) return { value: {}, duplicates }
  if (isRecord(value)) return { value, duplicates }
  throw badRequest('error decoding YAML: error unmarshaling JSON: while decoding JSON: the body is not an object')
}

/** Decodes a JSON body whatever its media type: patches. */
export function decodePatch(request: APIRequest, options: { findDuplicates: boolean }): Decoded {
  const text = bodyText(request)
  return { value: prefixed('error decoding patch', () => readJSON(text)), ...duplicatesOf(text, options) }
}

function prefixed<T>(prefix: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw badRequest(`${prefix}: ${messageOf(error)}`)
  }
}

function bodyText(request: APIRequest): string {
  const { body } = request
  if (body === undefined || body.byteLength === 0) return ''
  if (body.byteLength > bodyLimit) throw requestTooLarge(bodyLimit)
  return decoder.decode(body)
}

/** Replaces what is no UTF-8, as Kubernetes does; a byte order mark is no JSON. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

function tryJSON(text: string, options: { findDuplicates: boolean }): Decoded | undefined {
  try {
    return decodeJSON(text, options)
  } catch {
    return undefined
  }
}

function decodeJSON(text: string, options: { findDuplicates: boolean }): Decoded {
  const value = prefixed("couldn't get version/kind; json parse error", () => readJSON(text))
  return { value, ...duplicatesOf(text, options) }
}

function duplicatesOf(text: string, options: { findDuplicates: boolean }): Pick<Decoded, 'duplicates'> {
  const fields = options.findDuplicates ? duplicateFields(text) : []
  return { duplicates: fields.map(field => `duplicate field ${JSON.stringify(field)}`) }
}

function readJSON(text: string): unknown {
  const value = parseJSON(text)
  // A level takes two brackets: what is short is not deep.
  if (text.length > 2 * depthLimit) checkDepth(value)
  return value
}

function parseJSON(text: string): unknown {
  if (!text.includes('__proto__') && !mayLoseDigits(text)) return JSON.parse(text)
  return JSON.parse(text, (key, value, context?: { readonly source?: string }) => {
    // A member of that name would change prototypes wherever objects are copied by assignment.
    if (key === '__proto__') return undefined
    if (typeof value === 'number') checkDigits(context?.source ?? '', key)
    return value
  })
}

function decodeYAML(text: string): Decoded {
  if (countOf(nodeMarks, text) > nodeLimit) {
    throw badRequest(`error converting YAML to JSON: more than ${nodeLimit} lines and items: send it as JSON`)
  }
  if (countOf(oddityMarks, text) > oddityLimit) {
    const what = 'closing brackets, anchors, tags and quotes'
    throw badRequest(`error converting YAML to JSON: more than ${oddityLimit} ${what}: send it as JSON`)
  }
  return prefixed('error converting YAML to JSON', () => {
    const lines = new LineCounter()
    // Keys that are given twice are looked for below: the parser compares each with all others.
    const document = parseDocument(text, { ...yamlOptions, lineCounter: lines })
    const [error] = document.errors
    if (error !== undefined) throw new Error(located(error, lines))
    if (mayLoseDigits(text)) checkNumbers(document)
    // Through JSON: dates, sets and binary values become what a JSON body could have said.
    const value: unknown = parseJSON(JSON.stringify(document.toJS({ maxAliasCount: 100 })) ?? 'null')
    checkDepth(value)
    const duplicates = duplicateKeys(document).map(({ key, at }) => {
      return `line ${lines.linePos(at).line}: key ${JSON.stringify(key)} already set in map`
    })
    return { value, duplicates }
  })
}

function checkNumbers(document: Document): void {
  visit(document, {
    Pair(_place, { key, value }) {
      if (isScalar(value)) checkScalar(value, isScalar(key) ? String(key.value) : '')
    },
    Seq(_place, { items }) {
      for (const item of items) if (isScalar(item)) checkScalar(item, '')
    },
  })
}

function checkScalar({ value, source }: Scalar, name: string): void {
  if (typeof value === 'number') checkDigits(source ?? '', name)
}

/** Errors without the text around them: the parser would cut that out of the whole for each. */
const yamlOptions = {
  version: '1.1',
  logLevel: 'silent',
  merge: true,
  uniqueKeys: false,
  prettyErrors: false,
} as const

function located({ message, pos: [at] }: YAMLParseError, lines: LineCounter): string {
  const { line, col } = lines.linePos(at)
  return `${message.split('\n')[0]} at line ${line}, column ${col}`
}

interface DuplicateKey {
  readonly key: string
  /** Where it begins in the text. */
  readonly at: number
}

function duplicateKeys(document: Document): readonly DuplicateKey[] {
  const duplicates: DuplicateKey[] = []
  visit(document, {
    Map(_place, { items }) {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        if (seen.has(key.value) && key.value !== '<<')
          duplicates.push({ key: String(key.value), at: key.range?.[0] ?? 0 })
        seen.add(key.value)
      }
    },
  })
  return duplicates.sort((left, right) => left.at - right.at)
}

function countOf(marks: ReadonlySet<number>, text: string): number {
  let count = 0
  for (let at = 0; at < text.length; at++) if (marks.has(text.charCodeAt(at))) count++
  return count
}

const nodeMarks = marksOf('\n,[{*')
const oddityMarks = marksOf(`]}&!"'`)

function marksOf(text: string): ReadonlySet<number> {
  return new Set(Array.from(text, mark => mark.charCodeAt(0)))
}

/** Errors of YAML as one text, by line. */
export function yamlErrors(lines: readonly string[]): string {
  return `yaml: unmarshal errors:\n  ${lines.join('\n  ')}`
}

/** Throws a 400 for a value that is nested too deeply. */
export function checkDepth(value: unknown, depth = 0): void {
  if (typeof value !== 'object' || value === null) return
  if (depth > depthLimit) throw badRequest('exceeded max depth')
  for (const part of Object.values(value)) if (typeof part === 'object') checkDepth(part, depth + 1)
}
