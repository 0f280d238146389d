/** What a watch tells, as bytes and as values. */

import type { JSONObject } from '../api-object.ts'
import { deepFreeze } from '../api-object.ts'
import type { WatchEvent } from '../api-request.ts'
import type { Part } from '../parts.ts'
import { joined } from '../parts.ts'
import type { Scope } from '../scope.ts'
import type { Selection } from '../selection.ts'
import type { Collection } from '../storage/collection.ts'
import type { Entry } from '../storage/entry.ts'
import type { StoreEvent } from '../storage/history.ts'
import type { IncludeObject } from '../views.ts'
import { entryParts, servedObject, tableParts, viewOf } from '../views.ts'

/** A watch that has begun. */
export interface Watch {
  readonly scope: Scope
  readonly collection: Collection
  readonly selection: Selection
  readonly bookmarks: boolean
  readonly includeObject: IncludeObject
  /** Tables name their columns in the first event only. */
  headed: boolean
}

/** What a watch is about to tell: of a stored object, in the same way to all who ask alike, or something of its own. */
export type Frame =
  | { readonly type: WatchEvent['type']; readonly entry: Entry; readonly event?: StoreEvent }
  | { readonly type: WatchEvent['type']; readonly object: JSONObject }

/** The form in which frames are handed over. */
export type Form<T> = (watch: Watch, frames: readonly Frame[]) => T

/** Several frames that were put together. */
interface Piece {
  readonly parts: readonly Part[]
  readonly bytes: Buffer
}

/** What was put together last of each collection: those who are told of the same events at the same time share it. */
const lastPieces = new WeakMap<Collection, Piece>()

/** Frames as bytes, each a line of JSON. */
export function encoded(watch: Watch, frames: readonly Frame[]): Buffer {
  const parts = frames.flatMap(frame => frameParts(watch, frame))
  if (parts.length === 1) return joined(parts)
  const last = lastPieces.get(watch.collection)
  if (last !== undefined && isSame(last.parts, parts)) return last.bytes
  const bytes = joined(parts)
  lastPieces.set(watch.collection, { parts, bytes })
  return bytes
}

function isSame(left: readonly Part[], right: readonly Part[]): boolean {
  return left.length === right.length && left.every((part, index) => part === right[index])
}

/** Frames as values, in which what is stored stands as it is. */
export function values({ scope: { resource } }: Watch, frames: readonly Frame[]): readonly WatchEvent[] {
  return frames.map(frame => ({
    type: frame.type,
    object: 'entry' in frame ? servedObject(resource, frame.entry) : deepFreeze(frame.object),
  }))
}

function frameParts(watch: Watch, frame: Frame): readonly Part[] {
  if ('object' in frame) return [`${JSON.stringify({ type: frame.type, object: frame.object })}\n`]
  const { type, entry, event } = frame
  return event === undefined ? entryFrame(watch, type, entry) : [sharedFrame(watch, event, frame)]
}

/** The frame of an event, encoded once for all watchers that want it alike. */
function sharedFrame(watch: Watch, event: StoreEvent, { type, entry }: Frame & { readonly entry: Entry }): Buffer {
  const { resource, accept } = watch.scope
  if (accept.as === 'Table') return joined(entryFrame(watch, type, entry))
  const key = `${type} ${viewOf(resource, accept)}`
  event.frames ??= new Map()
  const known = event.frames.get(key)
  if (known !== undefined) return known
  const frame = joined(entryFrame(watch, type, entry))
  event.frames.set(key, frame)
  return frame
}

function entryFrame(watch: Watch, type: WatchEvent['type'], entry: Entry): readonly Part[] {
  const { resource, accept } = watch.scope
  const object = accept.as === 'Table' ? rowParts(watch, entry) : entryParts(resource, entry, accept)
  return [`{"type":"${type}","object":`, ...object, '}\n']
}

function rowParts(watch: Watch, entry: Entry): readonly Part[] {
  const { resource, accept, context } = watch.scope
  const { headed } = watch
  watch.headed = true
  const parts = tableParts(resource, [entry], {
    accept,
    now: context.environment.clock.now(),
    includeObject: watch.includeObject,
    metadata: { resourceVersion: entry.object.metadata.resourceVersion },
    headed,
  })
  return [...parts]
}
