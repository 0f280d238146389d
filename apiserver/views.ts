/** Objects as clients want them: as they are, as their metadata, or as rows of a table. */

import type { Environment } from '../crds/environment.ts'
import type { APIObject, JSONObject } from './api-object.ts'
import { encode } from './api-request.ts'
import type { ServedResource } from './registry.ts'
import type { Accept } from './request/accept.ts'
import type { Entry } from './storage/entry.ts'
import { tableOf } from './table/table.ts'

const metadataVersion = (accept: Accept): string => `meta.k8s.io/${accept.version}`

/** What of each object a table carries along. */
export type IncludeObject = 'Metadata' | 'Object' | 'None'

/** The name under which an encoding is cached. */
export function viewOf(resource: ServedResource, accept: Accept): string {
  return accept.as === 'object' ? resource.view : `${accept.as} ${accept.version} ${resource.view}`
}

/** One stored object, encoded for the client; encoded once for all who want it so. */
export function encodeEntry(resource: ServedResource, entry: Entry, accept: Accept): Buffer {
  const view = viewOf(resource, accept)
  if (view === '') return entry.bytes
  const known = entry.views.get(view)
  if (known !== undefined) return known
  const object = resource.toServed(entry.object)
  const bytes = encode(JSON.stringify(accept.as === 'object' ? object : partialOf(object, accept)))
  entry.views.set(view, bytes)
  return bytes
}

/** The object as metav1.PartialObjectMetadata. */
export function partialOf(object: APIObject, accept: Accept): JSONObject {
  return { kind: 'PartialObjectMetadata', apiVersion: metadataVersion(accept), metadata: object.metadata }
}

/** Objects as a metav1.Table. */
export function tableFor(
  resource: ServedResource,
  objects: readonly APIObject[],
  options: { environment: Environment; accept: Accept; includeObject: IncludeObject; listMetadata?: JSONObject },
): JSONObject {
  const { environment, accept, includeObject, listMetadata } = options
  const table: object = tableOf(resource.definition, objects, {
    now: environment.clock.now(),
    includeObject,
    ...(listMetadata !== undefined && { listMetadata }),
  })
  return { ...table, kind: 'Table', apiVersion: metadataVersion(accept) }
}

/** Joins encoded objects into an encoded list of them. */
export function encodeList(head: JSONObject, items: readonly Buffer[]): Buffer {
  const opening = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`)
  const size = items.reduce((sum, item) => sum + item.length + 1, opening.length + 2)
  const list = Buffer.allocUnsafeSlow(size)
  let offset = opening.copy(list)
  for (const [index, item] of items.entries()) {
    if (index > 0) offset = list.writeUInt8(comma, offset)
    offset += item.copy(list, offset)
  }
  offset += list.write(']}', offset)
  return list.subarray(0, offset)
}

const comma = 0x2c
