/** Watches: what happens to a selection of objects, from a version on. */

import type { JSONObject } from '../api-object.ts'
import type { WatchEvent } from '../api-request.ts'
import type { ServedResource } from '../registry.ts'
import type { Accept } from '../request/accept.ts'
import { readBoolean } from '../request/query.ts'
import type { Scope } from '../scope.ts'
import { selectionOf } from '../selection.ts'
import type { StatusError } from '../status-error.ts'
import { expired, versionTooLarge } from '../status-error.ts'
import { Entry } from '../storage/entry.ts'
import type { StoreEvent } from '../storage/history.ts'
import { includeObjectOf, partialOf } from '../views.ts'
import { askedVersion, checkWatchOptions } from './list-options.ts'
import { Alarm } from './watch-alarm.ts'
import { encoded, type Form, type Frame, values, type Watch } from './watch-frames.ts'

/** Events handed over in one piece, at most: keeps a late watcher's pieces small. */
const batchLimit = 500

/** Bytes of objects from which on a piece is full: 500 of the largest would be three quarters of a gigabyte. */
const fullPiece = 2 ** 20

/** Watches as a stream of bytes and, for the same process, of values. One of the two is to be read. */
export interface WatchStreams {
  readonly body: AsyncIterable<Uint8Array>
  readonly events: AsyncIterable<readonly WatchEvent[]>
}

/** Starts a watch; throws 400 or 422 before the first event. */
export function watchEvents(scope: Scope): WatchStreams {
  checkWatchOptions(scope)
  const { store } = scope.context
  const collection = store.collection(scope.resource.collection)
  const watch: Watch = {
    scope,
    collection,
    selection: selectionOf(scope),
    bookmarks: readBoolean(scope.query, 'allowWatchBookmarks'),
    includeObject: scope.accept.as === 'Table' ? includeObjectOf(scope.query) : 'None',
    headed: false,
  }
  const asked = askedVersion(scope)
  const initial = readBoolean(scope.query, 'sendInitialEvents')
  const fromNow = asked === undefined || asked === 0
  if (!initial && !fromNow) {
    // A version of the future can only come from a storage that was replaced: the client must list again.
    if (!collection.history.knows(asked) || asked > store.version) return refused(watch, tooOld(asked, store.version))
    return streams(watch, asked, nothingFirst)
  }
  if (initial && asked !== undefined && asked > store.version) {
    return refused(watch, versionTooLarge(asked, store.version))
  }
  const suppressed = scope.query.has('sendInitialEvents') && !initial
  return streams(watch, store.version, suppressed ? nothingFirst : initialState(watch, initial))
}

/** Nothing begins before one of them is read. */
function streams(watch: Watch, from: number, initial: Initial): WatchStreams {
  const begin = { watch, from, initial }
  return { body: follow(begin, encoded), events: follow(begin, values) }
}

/** A watch that tells why it cannot go on, and ends. */
function refused(watch: Watch, error: StatusError): WatchStreams {
  const only = [errorFrame(error)]
  return { body: once(encoded(watch, only)), events: once(values(watch, only)) }
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value
}

function errorFrame(error: StatusError): Frame {
  return { type: 'ERROR', object: { ...error.status } }
}

/** What a watch tells before anything happens: the objects as they were at a version. */
interface Initial {
  readonly entries: readonly Entry[]
  /** Whether a bookmark says that this was all. */
  readonly withEnd: boolean
}

const nothingFirst: Initial = { entries: [], withEnd: false }

function initialState({ collection, selection }: Watch, withEnd: boolean): Initial {
  const entries = collection.ordered(selection.namespace).filter(entry => selection.matches(entry))
  return { entries, withEnd }
}

interface Begin {
  readonly watch: Watch
  readonly from: number
  readonly initial: Initial
}

async function* follow<T>({ watch, from, initial }: Begin, form: Form<T>): AsyncGenerator<T> {
  const { scope, collection } = watch
  const { store, closing } = scope.context
  const alarm = new Alarm(watch, AbortSignal.any([closing, ...(scope.request.signal ? [scope.request.signal] : [])]))
  let position = from
  try {
    const { entries, withEnd } = initial
    for (let start = 0; start < entries.length; ) {
      // Put together when the client has taken the piece before: a large collection is never in memory twice.
      const piece = firstPiece(entries.slice(start, start + batchLimit), entry => entry)
      yield form(
        watch,
        piece.map(entry => ({ type: 'ADDED', entry })),
      )
      start += piece.length
    }
    if (withEnd && watch.bookmarks) yield form(watch, [bookmark(watch, from, true)])
    for (;;) {
      if (!collection.history.knows(position)) {
        yield form(watch, [errorFrame(tooOld(position, store.version))])
        return
      }
      const following = collection.history.after(position, batchLimit)
      const events = firstPiece(following, ({ entry }) => entry)
      position = events.at(-1)?.version ?? Math.max(position, store.version)
      const frames = events.flatMap(event => framesOf(watch, event))
      if (alarm.takeBookmark()) frames.push(bookmark(watch, position, false))
      if (frames.length > 0) yield form(watch, frames)
      if (events.length < following.length || events.length === batchLimit) continue
      // What happened before the end is told before the end.
      if (alarm.ended) return
      await alarm.next()
    }
  } finally {
    alarm.cancel()
  }
}

/** The first of the items, until they are large enough for a piece. */
function firstPiece<T>(items: readonly T[], entryOf: (item: T) => Entry): readonly T[] {
  let bytes = 0
  const last = items.findIndex(item => {
    bytes += entryOf(item).bytes.length
    return bytes >= fullPiece
  })
  return last === -1 || last === items.length - 1 ? items : items.slice(0, last + 1)
}

function framesOf({ selection }: Watch, event: StoreEvent): Frame[] {
  const before = event.previous !== undefined && selection.matches(event.previous)
  const after = event.type !== 'DELETED' && selection.matches(event.entry)
  if (!before && !after) return []
  const { entry } = event
  if (after) return [{ type: before ? 'MODIFIED' : 'ADDED', entry, event }]
  if (event.type === 'DELETED') return [{ type: 'DELETED', entry, event }]
  return [{ type: 'DELETED', entry: lastSeen(event) }]
}

/** An object that left the selection is told as deleted: its last state in there, under the version of the change. */
function lastSeen({ previous, entry }: StoreEvent): Entry {
  if (previous === undefined) return entry
  const { object } = previous
  const metadata = { ...object.metadata, resourceVersion: String(entry.version) }
  return new Entry(entry.resource, entry.key, entry.version, { object: { ...object, metadata } })
}

function bookmark(watch: Watch, version: number, initialEnd: boolean): Frame {
  const { resource, accept } = watch.scope
  const annotations = initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}
  const metadata = { resourceVersion: String(version), ...annotations }
  return { type: 'BOOKMARK', object: bookmarkObject(resource, accept, metadata) }
}

function bookmarkObject(resource: ServedResource, accept: Accept, metadata: JSONObject): JSONObject {
  const object = {
    kind: resource.definition.kind,
    apiVersion: resource.apiVersion,
    metadata: { name: '', ...metadata },
  }
  if (accept.as === 'Table') {
    return { kind: 'Table', apiVersion: `meta.k8s.io/${accept.version}`, metadata, columnDefinitions: [], rows: [] }
  }
  const { name: _none, ...bare } = object.metadata
  if (accept.as === 'object') return { ...object, metadata: bare }
  return { ...partialOf(object, accept), metadata: bare }
}

function tooOld(asked: number, current: number) {
  return expired(`too old resource version: ${asked} (${current})`)
}
