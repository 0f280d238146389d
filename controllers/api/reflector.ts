import { type Environment, sleep } from '../../crds/environment.ts'
import { ApiError, apiErrorOfStatus } from './api-error.ts'
import type { Client } from './client.ts'
import type { AnyApiKind, ApiObject, ObjectOf } from './paths.ts'
import type { WatchEventType } from './transport.ts'

/** Where a reflector brings what it sees. Called synchronously; what throws makes it list anew. */
export interface ReflectorSink<T> {
  /** These are all objects there are, as of that version. What is not among them is gone. */
  replace(objects: readonly T[], resourceVersion: string): void
  upsert(object: T): void
  remove(object: T): void
  /** All events up to that version have been told. */
  bookmark(resourceVersion: string): void
}

/** Where a reflector's figures go. */
export interface ReflectorMetrics {
  /** Everything was listed: so many objects. */
  listed(objects: number): void
  /** Something came: an event, a bookmark or a list. */
  heard(): void
}

/** Options of a reflector. */
export interface ReflectorOptions<K extends AnyApiKind> {
  readonly client: Pick<Client, 'page' | 'watch'>
  readonly kind: K
  readonly environment: Environment
  readonly sink: ReflectorSink<ObjectOf<K>>
  /** Told of every failure; the reflector goes on by itself. A watch that was merely idle is none. */
  readonly onError?: (error: unknown) => void
  /** Default: all namespaces. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** How many objects a page of a list holds. Default 500. */
  readonly pageSize?: number
  /** After how many ms at most everything is listed again, against watches that died silently. Default 600,000. */
  readonly relistInterval?: number
  readonly metrics?: ReflectorMetrics
}

/** Keeps a sink equal to the API's objects of one kind. */
export interface Reflector {
  start(): void
  /** Resolves when the sink holds everything for the first time; rejects when stopped before that. */
  readonly synced: Promise<void>
  /** Resolves when the sink holds everything by a list begun from now on; rejects when stopped before that. */
  relisted(): Promise<void>
  /** Resolves when nothing more comes. */
  stop(): Promise<void>
  /** The monotonic moment at which something last came; undefined before the first list. */
  lastHeard(): number | undefined
  /** How often everything was listed. */
  lists(): number
}

/** Back-off after failures, in ms: from, to. */
const backoff = { first: 200, most: 30_000 }
/** A watch that lived so long, in ms, was no failure whatever ended it. */
const healthyWatch = 10_000
/** A watch that the server closes sooner than this, in ms, with nothing told, counts as failed. */
const shortestWatch = 1_000
/** After so many refusals in a row without progress the version itself is doubted and everything listed. */
const refusalsBeforeList = 3
/** Why a watch is ended from this side. Made once: without a reason each end would make an error with a stack. */
const ended = new Error('the watch is no longer wanted')
/** How long a watch is asked to live, in seconds: from, spread. */
const watchLife = { least: 300, spread: 301 }

/** Makes a reflector. Nothing happens before `start`. */
export function createReflector<K extends AnyApiKind>(options: ReflectorOptions<K>): Reflector {
  const { client, kind, environment, sink, onError = () => undefined, metrics } = options
  const { namespace, labelSelector, fieldSelector, pageSize = 500, relistInterval = 600_000 } = options
  const { clock, random } = environment
  const selection = {
    ...(namespace !== undefined && { namespace }),
    ...(labelSelector !== undefined && { labelSelector }),
    ...(fieldSelector !== undefined && { fieldSelector }),
  }
  const stopping = new AbortController()
  const synced = Promise.withResolvers<void>()
  // Somebody who stops before the first list need not listen.
  synced.promise.catch(() => undefined)
  let version: string | undefined
  let relistAt = 0
  let lastHeard: number | undefined
  let lists = 0
  let failures = 0
  let refusals = 0
  let running: Promise<void> | undefined
  /** Who waits for a list that is begun later than now. */
  let waiting: PromiseWithResolvers<void>[] = []
  /** Ends what goes on, a watch or a pause, so that a list can begin. */
  let interruption = new AbortController()

  function heard(): void {
    lastHeard = clock.monotonic()
    metrics?.heard()
  }

  function progressed(): void {
    failures = 0
    refusals = 0
  }

  async function listAll(): Promise<void> {
    const served = waiting
    waiting = []
    interruption = new AbortController()
    try {
      await listPages()
    } catch (error) {
      waiting = [...served, ...waiting]
      throw error
    }
    for (const { resolve } of served) resolve()
  }

  async function listPages(): Promise<void> {
    const objects: ObjectOf<K>[] = []
    const request = { ...selection, limit: pageSize, signal: stopping.signal }
    let page = await client.page(kind, request)
    for (;;) {
      for (const object of page.items) objects.push(object)
      if (page.continue === undefined) break
      // Thousands of objects from an API in this process would otherwise come in one go.
      await new Promise<void>(resolve => setImmediate(resolve))
      page = await client.page(kind, { ...request, continue: page.continue })
    }
    stopping.signal.throwIfAborted()
    sink.replace(objects, page.resourceVersion)
    version = page.resourceVersion
    relistAt = clock.monotonic() + relistInterval * (0.8 + 0.2 * random.next())
    lists++
    heard()
    metrics?.listed(objects.length)
    synced.resolve()
  }

  /** Follows from a version until the stream ends. */
  async function follow(from: string): Promise<void> {
    const began = clock.monotonic()
    const ending = new AbortController()
    const stop = () => ending.abort(ended)
    const { signal: interrupted } = interruption
    stopping.signal.addEventListener('abort', stop, { once: true })
    interrupted.addEventListener('abort', stop, { once: true })
    const relist = Number.isFinite(relistAt) ? clock.after(relistAt - began, stop) : undefined
    let failure: unknown
    let told = false

    function onEvent(type: WatchEventType, object: unknown): void {
      if (ending.signal.aborted) return
      try {
        if (type === 'ERROR') throw apiErrorOfStatus(object)
        // The edge: the server of this kind's path sends objects of this kind.
        tell(type, object as ObjectOf<K>)
        told = true
        progressed()
      } catch (error) {
        failure = error
        // What was not taken in must not be skipped: only a list mends that.
        if (type !== 'ERROR') version = undefined
        ending.abort(ended)
      }
    }

    try {
      await client.watch(kind, {
        ...selection,
        resourceVersion: from,
        timeoutSeconds: watchLife.least + Math.floor(random.next() * watchLife.spread),
        signal: ending.signal,
        onEvent,
      })
    } catch (error) {
      failure ??= error
    } finally {
      relist?.cancel()
      stopping.signal.removeEventListener('abort', stop)
      interrupted.removeEventListener('abort', stop)
    }
    if (clock.monotonic() - began >= healthyWatch) progressed()
    if (failure !== undefined) throw failure
    if (!told && !ending.signal.aborted && clock.monotonic() - began < shortestWatch) {
      const message = `Cannot go on watching ${kind.plural}: the server closed the watch at once`
      throw new ApiError(message, { status: 200, reason: 'Unavailable' })
    }
  }

  function tell(type: Exclude<WatchEventType, 'ERROR'>, object: ObjectOf<K> & ApiObject): void {
    const { resourceVersion } = object.metadata
    if (type === 'BOOKMARK') sink.bookmark(resourceVersion)
    else if (type === 'DELETED') sink.remove(object)
    else sink.upsert(object)
    version = resourceVersion
    heard()
  }

  async function recover(error: unknown): Promise<void> {
    const reason = error instanceof ApiError ? error.reason : undefined
    if (reason === 'Silent') return
    failures++
    report(error)
    // No answer says nothing about the version: an outage is no reason to list everything.
    if (!(error instanceof ApiError) || error.status !== 0) refusals++
    if (reason === 'Expired' || refusals >= refusalsBeforeList) version = undefined
    // The first expiry is the ordinary course of things: list at once.
    if (reason === 'Expired' && failures === 1) return
    const delay = Math.min(backoff.most, backoff.first * 2 ** Math.min(failures - 1, 20)) * (0.5 + 0.5 * random.next())
    const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0
    const ends = AbortSignal.any([stopping.signal, interruption.signal])
    await sleep(clock, Math.max(delay, Math.min(asked, backoff.most)), ends)
  }

  function report(error: unknown): void {
    try {
      onError(error)
    } catch {
      // Whoever is told of failures cannot stop us by failing too.
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        if (version === undefined || waiting.length > 0 || clock.monotonic() >= relistAt) await listAll()
        if (version !== undefined && waiting.length === 0 && !stopping.signal.aborted) await follow(version)
      } catch (error) {
        if (stopping.signal.aborted) break
        await recover(error).catch(() => undefined)
      }
    }
    const stopped = new Error(`Cannot fill the cache of ${kind.plural}: it was stopped`)
    for (const { reject } of [synced, ...waiting]) reject(stopped)
  }

  return {
    synced: synced.promise,
    async relisted() {
      stopping.signal.throwIfAborted()
      const waiter = Promise.withResolvers<void>()
      waiting.push(waiter)
      interruption.abort(ended)
      await waiter.promise
    },
    start() {
      running ??= run()
    },
    async stop() {
      stopping.abort(new Error('stopped'))
      if (running === undefined) synced.reject(new Error(`Cannot fill the cache of ${kind.plural}: it was stopped`))
      await running
    },
    lastHeard: () => lastHeard,
    lists: () => lists,
  }
}
