import PQueue from 'p-queue'
import { type Environment, microTimestamp } from '../crds/environment.ts'
import type { ObjectMeta } from '../crds/meta.ts'
import { ApiError } from './api/api-error.ts'
import type { Client } from './api/client.ts'
import type { BuiltInKind } from './api/paths.ts'
import { LeastRecentlyUsed } from './least-recently-used.ts'
import type { Logger } from './log.ts'

/** An event of events.k8s.io/v1. */
export interface KubernetesEvent {
  readonly apiVersion: 'events.k8s.io/v1'
  readonly kind: 'Event'
  readonly metadata: ObjectMeta
}

/** The events of Kubernetes. */
export const Event: BuiltInKind<KubernetesEvent> = {
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
}

/** What an event tells. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning'
  /** One word for programs. At most 128 characters are kept. */
  readonly reason: string
  /** What was done or tried, in one word. At most 128 characters are kept. */
  readonly action: string
  /** A sentence for people. At most 1,024 bytes are kept. */
  readonly note: string
}

/** The object that an event is about. */
export interface EventSubject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'uid'> & { readonly resourceVersion?: string }
}

/** Options of a recorder. */
export interface EventRecorderOptions {
  readonly client: Pick<Client, 'create' | 'patchMetadata'>
  readonly environment: Environment
  readonly logger?: Pick<Logger, 'debug'>
  /** Who reports. Default: `skystead.dev/controller`. */
  readonly controller?: string
  /** Which replica reports. Default: `skystead`. */
  readonly instance?: string
  readonly metrics?: { eventDropped(reason: 'ObjectLimit' | 'Pressure' | 'Refused'): void }
  /** Told of every event that is sent, and again with each count of its repetitions. `name` is the event's own. */
  readonly archive?: (name: string, event: ArchivedEvent) => void
}

/** An event for the archive: the API forgets events, and what it refused is told all the same. Times have milliseconds. */
export interface ArchivedEvent {
  readonly at: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly uid: string
  readonly eventType: EventNote['type']
  readonly reason: string
  readonly action: string
  readonly note: string
  readonly count: number
  readonly lastAt: string
}

/** Writes events. They are worth less than anything else: under pressure they are dropped first. */
export interface EventRecorder {
  /** Returns at once and never throws. A repetition within six minutes is counted on the event it repeats. */
  record(subject: EventSubject, note: EventNote): void
  /** Takes no more and resolves when what is being sent has been. */
  stop(): Promise<void>
}

/** Per object: so many at once, then one in so many ms. */
const perObject = { burst: 25, refill: 300_000 }
/** A repetition later than this, in ms, is an event of its own. */
const seriesLife = 360_000
/** Repetitions are written this often at most, in ms. */
const seriesInterval = 60_000
/** More waiting than this, and new ones are dropped. */
const mostWaiting = 500
/** How many are sent at the same time: two leave the API to those who need it. */
const senders = 2
/** How many objects and series are remembered. */
const remembered = 4_096
/** How long what is waiting may take when the recorder stops, in ms. */
const stopGrace = 1_000
/** How long a throttled recorder drops everything, in ms, unless the server names a time. */
const throttled = 5_000

interface Series {
  /** Name and namespace of the event; its uid once the API has made it. */
  readonly target: { readonly name: string; readonly namespace: string }
  readonly archived: ArchivedEvent
  uid: string | undefined
  count: number
  lastAt: number
  writtenAt: number
  writtenCount: number
}

interface Bucket {
  tokens: number
  filledAt: number
}

/** Makes a recorder. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, environment, logger, metrics, archive } = options
  const { controller = 'skystead.dev/controller', instance = 'skystead' } = options
  const { clock, random } = environment
  const queue = new PQueue({ concurrency: senders })
  const buckets = new LeastRecentlyUsed<string, Bucket>(remembered)
  const seriesByKey = new LeastRecentlyUsed<string, Series>(remembered)
  const stopping = new AbortController()
  let silentUntil = 0
  let stopped = false

  function record(subject: EventSubject, note: EventNote): void {
    if (stopped) return
    const now = clock.monotonic()
    const key = [subject.metadata.uid, note.type, note.reason, note.action, note.note].join('\n')
    const series = seriesByKey.get(key)
    if (series !== undefined && now - series.lastAt < seriesLife) {
      repeat(series, subject, now)
      return
    }
    if (!mayWrite(subject.metadata.uid, now)) return
    const target = { name: eventName(subject.metadata.name), namespace: subject.metadata.namespace ?? 'default' }
    const archived = archivedEvent(subject, note)
    const begun: Series = { target, archived, uid: undefined, count: 1, lastAt: now, writtenAt: now, writtenCount: 1 }
    seriesByKey.set(key, begun)
    archive?.(target.name, archived)
    const event = eventOf(subject, note, target)
    send(async () => {
      begun.uid = (await client.create(Event, event, { signal: stopping.signal })).metadata.uid
    })
  }

  function repeat(series: Series, subject: EventSubject, now: number): void {
    series.count++
    series.lastAt = now
    if (now - series.writtenAt < seriesInterval || !mayWrite(subject.metadata.uid, now)) return
    series.writtenAt = now
    const { target, archived, count } = series
    archive?.(target.name, { ...archived, count, lastAt: new Date(clock.now()).toISOString() })
    send(() => writeSeries(series))
  }

  async function writeSeries(series: Series): Promise<void> {
    const { target, uid, count } = series
    if (uid === undefined || count === series.writtenCount) return
    const value = { count, lastObservedTime: microTimestamp(clock) }
    // `add` replaces a series that is there already.
    const operation = { op: 'add', path: '/series', value } as const
    await client.patchMetadata(Event, { metadata: { ...target, uid } }, [operation], { signal: stopping.signal })
    series.writtenCount = count
  }

  /** Whether the object has a token left and the recorder room. */
  function mayWrite(uid: string, now: number): boolean {
    if (now < silentUntil || queue.size >= mostWaiting) {
      metrics?.eventDropped('Pressure')
      return false
    }
    const bucket = buckets.get(uid) ?? { tokens: perObject.burst, filledAt: now }
    const refilled = Math.floor((now - bucket.filledAt) / perObject.refill)
    bucket.tokens = Math.min(perObject.burst, bucket.tokens + refilled)
    bucket.filledAt = bucket.tokens === perObject.burst ? now : bucket.filledAt + refilled * perObject.refill
    buckets.set(uid, bucket)
    if (bucket.tokens < 1) {
      metrics?.eventDropped('ObjectLimit')
      return false
    }
    bucket.tokens--
    return true
  }

  function send(write: () => Promise<void>): void {
    void queue.add(async () => {
      if (stopping.signal.aborted || clock.monotonic() < silentUntil) return
      try {
        await write()
      } catch (error) {
        refused(error)
      }
    })
  }

  function refused(error: unknown): void {
    if (stopping.signal.aborted) return
    metrics?.eventDropped('Refused')
    const isTransient = error instanceof ApiError && error.transient
    if (isTransient) silentUntil = clock.monotonic() + (error.retryAfterMs ?? throttled)
    logger?.debug({ err: error }, 'an event was not written')
  }

  function eventName(subject: string): string {
    const unique = [0, 1]
      .map(() =>
        Math.floor(random.next() * 2 ** 32)
          .toString(16)
          .padStart(8, '0'),
      )
      .join('')
    return `${subject.slice(0, 253 - 17).replace(/[^a-z0-9]+$/, '')}.${unique}`
  }

  function archivedEvent({ kind, metadata }: EventSubject, note: EventNote): ArchivedEvent {
    const { name, namespace, uid } = metadata
    const now = new Date(clock.now()).toISOString()
    const { type: eventType, reason, action } = note
    const subject = { kind, ...(namespace === undefined ? {} : { namespace }), name, uid }
    return { at: now, ...subject, eventType, reason, action, note: shortened(note.note), count: 1, lastAt: now }
  }

  function eventOf(
    subject: EventSubject,
    note: EventNote,
    target: { readonly name: string; readonly namespace: string },
  ) {
    const { apiVersion, kind, metadata } = subject
    const { name, namespace, uid, resourceVersion } = metadata
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: target,
      eventTime: microTimestamp(clock),
      reportingController: controller,
      reportingInstance: instance,
      action: note.action.slice(0, 128),
      reason: note.reason.slice(0, 128),
      regarding: { apiVersion, kind, name, namespace, uid, resourceVersion },
      note: shortened(note.note),
      type: note.type,
    }
  }

  return {
    record,
    async stop() {
      stopped = true
      // What waits gets a second; nobody waits longer for an event.
      const grace = clock.after(stopGrace, () => stopping.abort(new Error('stopped')))
      await queue.onIdle()
      grace.cancel()
    },
  }
}

/** At most 1,024 bytes of UTF-8, cut between characters. */
function shortened(note: string): string {
  if (Buffer.byteLength(note) <= 1_024) return note
  let end = 0
  let bytes = 0
  for (const character of note) {
    bytes += Buffer.byteLength(character)
    if (bytes > 1_024 - 3) break
    end += character.length
  }
  return `${note.slice(0, end)}…`
}
