/** From objects to answers: encodings, tables, warnings, compression. */

import { pipeline } from 'node:stream'
import { promisify } from 'node:util'
import { createGzip, gzip as gzipCallback } from 'node:zlib'
import { stringify } from 'yaml'
import type { JSONObject } from '../api-object.ts'
import { deepFreeze, keyOf } from '../api-object.ts'
import type { APIResponse } from '../api-request.ts'
import { scaleOf } from '../kinds/scale.ts'
import type { Part } from '../parts.ts'
import { inPieces, joined, streamedFrom } from '../parts.ts'
import type { Scope } from '../scope.ts'
import type { Status } from '../status-error.ts'
import { notAcceptable, notFound, StatusError, versionTooLarge } from '../status-error.ts'
import { Entry } from '../storage/entry.ts'
import { entryParts, includeObjectOf, listParts, servedObject, tableParts } from '../views.ts'
import type { Deletion } from './delete.ts'
import type { Page } from './list.ts'
import { listPage } from './list.ts'
import { askedLimit, askedVersion } from './list-options.ts'
import { scaleScope } from './scale.ts'
import { watchEvents } from './watch.ts'
import type { Written } from './written.ts'

const gzip = promisify(gzipCallback)

/** Fast rather than small: the connection is seldom what a client waits for. */
const gzipOptions = { level: 1, chunkSize: 64 * 1024 }
const gzipHeaders = { 'content-encoding': 'gzip', vary: 'Accept-Encoding' }

/** GET of one object. */
export function get(scope: Scope): Promise<APIResponse> {
  const { context, resource, namespace, name } = scope
  const asked = askedVersion(scope)
  if (asked !== undefined && asked > context.store.version) throw versionTooLarge(asked, context.store.version)
  const entry = context.store.get(resource.collection, keyOf(namespace, name))
  if (entry === undefined) throw notFound(resource.definition, name)
  return respondWritten(scope, { entry }, 200)
}

/** From this limit on, a client wants its table in parts and not that many rows: what `kubectl get` asks for. */
const partsLimit = 500
/** How many rows a table has then. */
const tableRows = 10_000

/** GET of a collection. Servers may answer with more than `limit`; a table for people has few pages (decision 0017). */
export function list(scope: Scope): Promise<APIResponse> {
  const limit = askedLimit(scope)
  const isLargeTable = scope.accept.as === 'Table' && limit >= partsLimit
  return respondPage(scope, listPage(scope, isLargeTable ? Math.max(limit, tableRows) : limit))
}

/** GET of a collection as a stream, which is JSON whatever is in it. */
export function watch(scope: Scope): APIResponse {
  const { accept } = scope
  if (accept.format === 'yaml') throw notAcceptable(['application/json;stream=watch'])
  const headers = { ...commonHeaders(scope), 'content-type': 'application/json' }
  const { body, events } = watchEvents(scope)
  return { status: 200, headers, body, ...(accept.as === 'object' && { events }) }
}

/** A page of a list, in the form that the client wants. A large one is put together while it is sent. */
export async function respondPage(scope: Scope, page: Page): Promise<APIResponse> {
  const { resource, accept } = scope
  if (accept.as === 'PartialObjectMetadata') throw listAsOne()
  const head = headOf(scope, page)
  const { entries } = page
  const value = () => deepFreeze({ ...head, items: entries.map(entry => servedObject(resource, entry)) })
  const parts =
    accept.as === 'Table' ? table(scope, page) : listParts(head, entries, entry => entryParts(resource, entry, accept))
  const size = entries.reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (size < streamedFrom || accept.format === 'yaml') return send(scope, 200, joined([...parts]), value)
  const headers = { ...commonHeaders(scope), 'content-type': 'application/json' }
  if (acceptsGzip(scope))
    return { status: 200, headers: { ...headers, ...gzipHeaders }, body: gzipped(inPieces(parts)) }
  return { status: 200, headers, body: inPieces(parts), ...(accept.as === 'object' && { value }) }
}

/** What stands before the items of a list. */
function headOf({ resource, accept }: Scope, { metadata }: Page): JSONObject {
  if (accept.as === 'object') {
    return { kind: resource.definition.listKind, apiVersion: resource.apiVersion, metadata }
  }
  return { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${accept.version}`, metadata }
}

/** What was written, in the form that the client wants. */
export function respondWritten(scope: Scope, written: Written, status: number): Promise<APIResponse> {
  const { resource, accept, subresource } = scope
  const entry = 'entry' in written ? written.entry : new Entry(resource.collection, '', 0, written)
  const { scale } = resource.definition.subresources
  if (subresource === 'scale' && scale !== undefined) {
    return respondWritten(scaleScope(scope), { object: scaleOf(servedObject(resource, entry), scale) }, status)
  }
  if (accept.as !== 'Table')
    return send(scope, status, joined(entryParts(resource, entry, accept)), () => servedObject(resource, entry))
  const { resourceVersion } = entry.object.metadata
  return send(scope, status, joined([...table(scope, { entries: [entry], metadata: { resourceVersion } })]))
}

/** The answer to a deletion: a Status when the object is gone, else the object that waits for its finalizers. */
export async function respondDeleted(scope: Scope, { gone, written }: Deletion, code: number): Promise<APIResponse> {
  const done = await written
  if (!gone) return respondWritten(scope, done, code)
  const { definition } = scope.resource
  const { name, uid } = ('entry' in done ? done.entry.object : done.object).metadata
  const group = definition.group === '' ? {} : { group: definition.group }
  const details = { name, ...group, kind: definition.plural, ...(uid !== undefined && { uid }) }
  const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }
  return send(scope, code, status, () => deepFreeze(status))
}

function table(scope: Scope, { entries, metadata }: Page): Iterable<Part> {
  const { resource, accept, query } = scope
  const now = scope.context.environment.clock.now()
  return tableParts(resource, entries, { accept, now, includeObject: includeObjectOf(query), metadata })
}

/** `value`: what the content says, where it is the object itself that the client wants. */
async function send(
  scope: Scope,
  status: number,
  content: object | Buffer,
  value?: () => unknown,
): Promise<APIResponse> {
  const headers = commonHeaders(scope)
  if (scope.accept.format === 'yaml') {
    const value: unknown = Buffer.isBuffer(content) ? JSON.parse(content.toString()) : content
    return { status, headers: { ...headers, 'content-type': 'application/yaml' }, body: Buffer.from(stringify(value)) }
  }
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content))
  headers['content-type'] = 'application/json'
  const told = value !== undefined && scope.accept.as === 'object' ? { value } : {}
  if (bytes.length < streamedFrom || !acceptsGzip(scope)) return { status, headers, body: bytes, ...told }
  return { status, headers: { ...headers, ...gzipHeaders }, body: await gzip(bytes, gzipOptions), ...told }
}

/** Whether gzip is named, and not only to say how little it is liked. */
function acceptsGzip({ request }: Scope): boolean {
  const encodings = (request.headers['accept-encoding'] ?? '').split(',')
  return encodings.some(encoding => encoding.trim().toLowerCase() === 'gzip')
}

/** Compressed as it is read, by threads of their own. */
async function* gzipped(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const packer = createGzip(gzipOptions)
  // What goes wrong reaches whoever reads.
  pipeline(pieces, packer, () => {})
  yield* packer
}

function listAsOne(): Error {
  const message = 'you requested PartialObjectMetadata, but the requested object is a list'
  return new StatusError(406, 'NotAcceptable', message)
}

function commonHeaders(scope: Scope): Record<string, string> {
  const headers: Record<string, string> = { 'cache-control': 'no-cache, private' }
  if (scope.warnings.length > 0)
    headers.warning = shortened(scope.warnings)
      .map(warning => `299 - ${quote(warning)}`)
      .join(', ')
  return headers
}

/** Longest text of all warnings together, and of each where that is too long, in characters, as in Kubernetes. */
const warningsLimit = 4_096
const warningLimit = 256

function shortened(warnings: readonly string[]): readonly string[] {
  if (lengthOf(warnings) <= warningsLimit) return warnings
  const cut = warnings.map(warning => warning.slice(0, warningLimit))
  return cut.filter((_warning, index) => lengthOf(cut.slice(0, index + 1)) <= warningsLimit)
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((length, text) => length + text.length, 0)
}

function quote(text: string): string {
  // Only what a header may carry; quotes and backslashes are escaped.
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&')}"`
}
