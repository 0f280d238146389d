/** Objects as clients want them: as they are, as their metadata, or as rows of a table. */

import type { APIObject, JSONObject } from './api-object.ts'
import { deepFreeze } from './api-object.ts'
import type { Part } from './parts.ts'
import type { ServedResource } from './registry.ts'
import type { Accept } from './request/accept.ts'
import { badRequest } from './status-error.ts'
import type { Entry } from './storage/entry.ts'
import { wholeMember } from './storage/member-range.ts'
import { cellsOf, columnDefinitionsOf } from './table/table.ts'

const metadataVersion = (accept: Accept): string => `meta.k8s.io/${accept.version}`

/** What of each object a table carries along. */
export type IncludeObject = (typeof inclusions)[number]

const inclusions = ['Metadata', 'Object', 'None'] as const

/** Reads what of each object a table carries along; throws a 400 where that cannot be. */
export function includeObjectOf(query: URLSearchParams): IncludeObject {
  const wished = query.get('includeObject') || 'Metadata'
  const known = inclusions.find(each => each === wished)
  if (known !== undefined) return known
  const wrong = `Invalid value: ${JSON.stringify(wished)}: must be 'Metadata', 'Object', 'None', or empty`
  throw badRequest(`Unable to convert to Table as requested: includeObject: ${wrong}`)
}

/** Names an encoding: answers under the same name are the same bytes. */
export function viewOf(resource: ServedResource, accept: Accept): string {
  return accept.as === 'object' ? resource.view : `${accept.as} ${accept.version} ${resource.view}`
}

/** One stored object, encoded for the client: itself, or its metadata. What is stored is not encoded again. */
export function entryParts(resource: ServedResource, entry: Entry, accept: Accept): readonly Part[] {
  if (accept.as === 'object') return [objectPart(resource, entry)]
  return metadataParts(entry, accept)
}

/** One stored object as the client's version shows it, deeply frozen. */
export function servedObject(resource: ServedResource, entry: Entry): APIObject {
  return resource.view === '' ? entry.object : deepFreeze(resource.toServed(entry.object))
}

function objectPart(resource: ServedResource, entry: Entry): Part {
  if (resource.view === '') return entry.bytes
  const served = resource.toServed(entry.object)
  return served === entry.object ? entry.bytes : JSON.stringify(served)
}

/** The metadata is the same in every served version: only what stands beside it is converted. */
function metadataParts(entry: Entry, accept: Accept): readonly Part[] {
  return [partialOpening(accept), entry.metadata, '}']
}

/** A row carries its metadata without managedFields: most of its bytes, which nobody prints (decision 0017). */
function rowParts(entry: Entry, accept: Accept): readonly Part[] {
  const { metadata } = entry
  const fields = wholeMember(metadata, 'managedFields')
  if (fields === undefined) return metadataParts(entry, accept)
  return [partialOpening(accept), metadata.subarray(0, fields.start), metadata.subarray(fields.end), '}']
}

function partialOpening(accept: Accept): string {
  return `{"kind":"PartialObjectMetadata","apiVersion":"${metadataVersion(accept)}","metadata":`
}

/** The object as metav1.PartialObjectMetadata. */
export function partialOf(object: APIObject, accept: Accept): JSONObject {
  return { kind: 'PartialObjectMetadata', apiVersion: metadataVersion(accept), metadata: object.metadata }
}

/** How a metav1.Table is to be made. */
export interface TableOptions {
  readonly accept: Accept
  /** Milliseconds since the epoch: ages are counted from here. */
  readonly now: number
  readonly includeObject: IncludeObject
  /** metav1.ListMeta. */
  readonly metadata: JSONObject
  /** True where the client knows the columns already. Default false. */
  readonly headed?: boolean
}

/** Stored objects as a metav1.Table: encoded row by row, as they are asked for. */
export function* tableParts(
  resource: ServedResource,
  entries: readonly Entry[],
  { accept, now, includeObject, metadata, headed = false }: TableOptions,
): Generator<Part> {
  const { definition } = resource
  const columnDefinitions = headed ? undefined : columnDefinitionsOf(definition)
  const head = { kind: 'Table', apiVersion: metadataVersion(accept), metadata, columnDefinitions }
  yield `${JSON.stringify(head).slice(0, -1)},"rows":[`
  let opening = '{"cells":'
  for (const entry of entries) {
    const cells = JSON.stringify(cellsOf(definition, resource.toServed(entry.object), now))
    yield opening
    yield cells
    if (includeObject !== 'None') {
      yield ',"object":'
      yield* includeObject === 'Object' ? [objectPart(resource, entry)] : rowParts(entry, accept)
    }
    yield '}'
    opening = ',{"cells":'
  }
  yield ']}'
}

/** Stored objects as a list under a head of kind, apiVersion and metadata: encoded one by one, as they are asked for. */
export function* listParts(
  head: JSONObject,
  entries: readonly Entry[],
  partsOf: (entry: Entry) => readonly Part[],
): Generator<Part> {
  yield `${JSON.stringify(head).slice(0, -1)},"items":[`
  for (const [index, entry] of entries.entries()) {
    if (index > 0) yield ','
    yield* partsOf(entry)
  }
  yield ']}'
}
