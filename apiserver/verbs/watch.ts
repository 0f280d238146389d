/** Watches: what happens to a selection of objects, from a version on. */

import type { JSONObject } from '../api-object.ts'
import { deepFreeze } from '../api-object.ts'
import type { WatchEvent } from '../api-request.ts'
import type { Part } from '../parts.ts'
import { joined } from '../parts.ts'
import type { ServedResource } from '../registry.ts'
import type { Accept } from '../request/accept.ts'
import { readBoolean, readNumber } from '../request/query.ts'
import type { Scope } from '../scope.ts'
import type { Selection } from '../selection.ts'
import { selectionOf } from '../selection.ts'
import type { StatusError } from '../status-error.ts'
import { expired, versionTooLarge } from '../status-error.ts'
import type { Collection } from '../storage/collection.ts'
import { Entry } from '../storage/entry.ts'
import type { StoreEvent } from '../storage/history.ts'
import type { IncludeObject } from '../views.ts'
import { entryParts, includeObjectOf, partialOf, servedObject, tableParts, viewOf } from '../views.ts'
import { askedVersion, checkWatchOptions } from './list-options.ts'

/** Milliseconds between bookmarks, as in Kubernetes. */
const bookmarkInterval = 60_000

/** Shortest life of a watch whose client names none, in milliseconds; up to twice as long by chance. */
const shortestLife = 30 * 60_000

/** Events handed over in one piece, at most: keeps a late watcher's pieces small. */
const batchLimit = 500

interface Watch {
  readonly scope: Scope
  readonly selection: Selection
  readonly bookmarks: boolean
  readonly includeObject: IncludeObject
  /** Tables name their columns in the first event only. */
  headed: boolean
}

/** What a watch is about to tell: of a stored object, in the same way to all who ask alike, or something of its own. */
type Frame =
  | { readonly type: WatchEvent['type']; readonly entry: Entry; readonly event?: StoreEvent }
  | { readonly type: WatchEvent['type']; readonly object: JSONObject }

/** The form in which frames are handed over. */
type Form<T> = (watch: Watch, frames: readonly Frame[]) => T

/** Watches as a stream of bytes and, for the same process, of values. One of the two is to be read. */
export interface WatchStreams {
  readonly body: AsyncIterable<Uint8Array>
  readonly events: AsyncIterable<readonly WatchEvent[]>
}

/** Starts a watch; throws 400 or 422 before the first event. */
export function watchEvents(scope: Scope): WatchStreams {
  checkWatchOptions(scope)
  const watch: Watch = {
    scope,
    selection: selectionOf(scope),
    bookmarks: readBoolean(scope.query, 'allowWatchBookmarks'),
    includeObject: scope.accept.as === 'Table' ? includeObjectOf(scope.query) : 'None',
    headed: false,
  }
  const { store } = scope.context
  const asked = askedVersion(scope)
  const initial = readBoolean(scope.query, 'sendInitialEvents')
  const fromNow = asked === undefined || asked === 0
  if (!initial && !fromNow) {
    const collection = store.collection(scope.resource.collection)
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

function initialState({ scope, selection }: Watch, withEnd: boolean): Initial {
  const collection = scope.context.store.collection(scope.resource.collection)
  const entries = collection.ordered(selection.namespace).filter(entry => selection.matches(entry))
  return { entries, withEnd }
}

interface Begin {
  readonly watch: Watch
  readonly from: number
  readonly initial: Initial
}

async function* follow<T>({ watch, from, initial }: Begin, form: Form<T>): AsyncGenerator<T> {
  const { scope } = watch
  const { store, closing } = scope.context
  const collection = store.collection(scope.resource.collection)
  const alarm = new Alarm(
    watch,
    collection,
    AbortSignal.any([closing, ...(scope.request.signal ? [scope.request.signal] : [])]),
  )
  let position = from
  try {
    const { entries, withEnd } = initial
    for (let start = 0; start < entries.length; start += batchLimit) {
      // Put together when the client has taken the piece before: a large collection is never in memory twice.
      const piece = entries.slice(start, start + batchLimit)
      yield form(
        watch,
        piece.map(entry => ({ type: 'ADDED', entry })),
      )
    }
    if (withEnd && watch.bookmarks) yield form(watch, [bookmark(watch, from, true)])
    for (;;) {
      if (!collection.history.knows(position)) {
        yield form(watch, [errorFrame(tooOld(position, store.version))])
        return
      }
      const events = collection.history.after(position, batchLimit)
      position = events.at(-1)?.version ?? Math.max(position, store.version)
      const frames = events.flatMap(event => framesOf(watch, event))
      if (alarm.takeBookmark()) frames.push(bookmark(watch, position, false))
      if (frames.length > 0) yield form(watch, frames)
      if (events.length === batchLimit) continue
      // What happened before the end is told before the end.
      if (alarm.ended) return
      await alarm.next()
    }
  } finally {
    alarm.cancel()
  }
}

/** What a watch waits for: events, the time for a bookmark, its end. */
class Alarm {
  ended = false
  #bookmarkDue = false
  #woken = false
  #wake: (() => void) | undefined
  readonly #cancels: (() => void)[] = []

  constructor(watch: Watch, collection: Collection, signal: AbortSignal) {
    const { clock, random } = watch.scope.context.environment
    const wished = readNumber(watch.scope.query, 'timeoutSeconds')
    const life = wished !== undefined && wished > 0 ? wished * 1000 : shortestLife * (1 + random.next())
    const onEvents = () => this.#ring()
    const onEnd = () => {
      this.ended = true
      this.#ring()
    }
    const { registry } = watch.scope.context
    const { group, version, plural } = watch.scope.resource.definition
    const onRemoval = () => {
      if (registry.find(group, version, plural) === undefined) onEnd()
    }
    collection.watchers.add(onEvents)
    registry.removals.add(onRemoval)
    signal.addEventListener('abort', onEnd, { once: true })
    const timer = clock.after(life, onEnd)
    if (signal.aborted) onEnd()
    this.#cancels.push(
      () => collection.watchers.delete(onEvents),
      () => registry.removals.delete(onRemoval),
      () => signal.removeEventListener('abort', onEnd),
      () => timer.cancel(),
    )
    if (watch.bookmarks) this.#scheduleBookmarks(watch)
  }

  /** Resolves at the next event, bookmark or end; at once when one has come since the last call. */
  next(): Promise<void> {
    if (this.#woken) {
      this.#woken = false
      return Promise.resolve()
    }
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }

  /** True once whenever a bookmark is due. */
  takeBookmark(): boolean {
    const due = this.#bookmarkDue
    this.#bookmarkDue = false
    return due
  }

  cancel(): void {
    this.ended = true
    for (const cancel of this.#cancels) cancel()
  }

  #scheduleBookmarks(watch: Watch): void {
    const { clock } = watch.scope.context.environment
    const schedule = () =>
      clock.after(bookmarkInterval, () => {
        this.#bookmarkDue = true
        this.#ring()
        timer = schedule()
      })
    let timer = schedule()
    this.#cancels.push(() => timer.cancel())
  }

  #ring(): void {
    const wake = this.#wake
    this.#wake = undefined
    if (wake === undefined) this.#woken = true
    else wake()
  }
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

/** Frames as bytes, each a line of JSON. */
function encoded(watch: Watch, frames: readonly Frame[]): Buffer {
  return joined(frames.flatMap(frame => frameParts(watch, frame)))
}

/** Frames as values, in which what is stored stands as it is. */
function values({ scope: { resource } }: Watch, frames: readonly Frame[]): readonly WatchEvent[] {
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
  return tableParts(resource, [entry], {
    accept,
    now: context.environment.clock.now(),
    includeObject: watch.includeObject,
    metadata: { resourceVersion: entry.object.metadata.resourceVersion },
    headed,
  })
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
