import { parseDocument } from 'yaml'
import type { JSONObject } from '../api-object.ts'
import { isRecord } from '../api-object.ts'
import type { APIRequest } from '../api-request.ts'
import { badRequest, requestTooLarge, unsupportedMediaType } from '../status-error.ts'
import { duplicateFields } from './duplicate-fields.ts'
import { decodeProtobuf, protobufType } from './protobuf.ts'

/** Largest body taken, in bytes: what Kubernetes takes. */
export const bodyLimit = 3 * 1024 * 1024

/** Deepest nesting taken: deeper bodies would overflow the stack of whoever walks them. */
const depthLimit = 1_000

/** A decoded body. */
export interface Decoded {
  readonly value: unknown
  /** Fields given twice, as paths; found only when asked for. */
  readonly duplicates: readonly string[]
}

/** Content-Type without its parameters, in lower case. */
export function contentType(request: APIRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

/** Decodes a JSON or YAML body; throws 400, 413 or 415. */
export function decodeBody(request: APIRequest, options: { findDuplicates: boolean }): Decoded {
  const type = contentType(request)
  if (type === '' || type === 'application/json') return decodeJSON(bodyText(request), options)
  if (type === 'application/yaml') return decodeYAML(bodyText(request))
  if (type === protobufType && request.body !== undefined) {
    return { value: decodeProtobuf(request.body), duplicates: [] }
  }
  throw unsupportedMediaType(['application/json', 'application/yaml', protobufType])
}

/** Decodes a body that must be an object. */
export function decodeObject(
  request: APIRequest,
  options: { findDuplicates: boolean },
): Decoded & { value: JSONObject } {
  return requireObject(decodeBody(request, options))
}

/** Decodes an apply body: YAML, which nearly always is JSON. */
export function decodeApply(
  request: APIRequest,
  options: { findDuplicates: boolean },
): Decoded & { value: JSONObject } {
  const text = bodyText(request)
  const decoded = text.trimStart().startsWith('{') ? tryJSON(text, options) : undefined
  return requireObject(decoded ?? decodeYAML(text))
}

/** Decodes a JSON body whatever its media type: patches. */
export function decodePatch(request: APIRequest): unknown {
  return decodeJSON(bodyText(request), { findDuplicates: false }).value
}

function requireObject(decoded: Decoded): Decoded & { value: JSONObject } {
  const { value, duplicates } = decoded
  if (isRecord(value)) return { value, duplicates }
  throw badRequest("couldn't get version/kind; json parse error: the body is not an object")
}

function bodyText(request: APIRequest): string {
  const { body } = request
  if (body === undefined || body.byteLength === 0) return ''
  if (body.byteLength > bodyLimit) throw requestTooLarge(bodyLimit)
  try {
    return decoder.decode(body)
  } catch {
    throw badRequest('the body of the request is not valid UTF-8')
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function tryJSON(text: string, options: { findDuplicates: boolean }): Decoded | undefined {
  try {
    return decodeJSON(text, options)
  } catch {
    return undefined
  }
}

function decodeJSON(text: string, options: { findDuplicates: boolean }): Decoded {
  const value = parseJSON(text)
  checkDepth(value, 0)
  return { value, duplicates: options.findDuplicates ? duplicateFields(text) : [] }
}

function parseJSON(text: string): unknown {
  try {
    // A member of that name would change prototypes wherever objects are copied by assignment.
    if (text.includes('__proto__')) return JSON.parse(text, (key, value) => (key === '__proto__' ? undefined : value))
    return JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw badRequest(`couldn't get version/kind; json parse error: ${reason}`)
  }
}

function decodeYAML(text: string): Decoded {
  const document = parseDocument(text, { version: '1.1', uniqueKeys: false, logLevel: 'silent', merge: true })
  const [error] = document.errors
  if (error !== undefined) throw badRequest(`error converting YAML to JSON: ${error.message.split('\n')[0]}`)
  try {
    // Through JSON: dates, sets and binary values become what a JSON body could have said.
    const value: unknown = parseJSON(JSON.stringify(document.toJS({ maxAliasCount: 100 })) ?? 'null')
    checkDepth(value, 0)
    return { value, duplicates: [] }
  } catch (cause) {
    throw badRequest(`error converting YAML to JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

function checkDepth(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depth > depthLimit) throw badRequest('the body of the request exceeds the maximum nesting depth')
  for (const part of Object.values(value)) if (typeof part === 'object') checkDepth(part, depth + 1)
}
