import type { AnyKind } from '../../crds/define-kind.ts'
import type { Environment } from '../../crds/environment.ts'
import type { Resource } from '../../crds/meta.ts'
import { deepFreeze } from '../deep-freeze.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Client } from './client.ts'
import { withoutManagedFields } from './managed-fields.ts'
import { createReflector, type Reflector, type ReflectorSink } from './reflector.ts'

/** Options of a feed. */
export interface FeedOptions {
  readonly client: Client
  readonly kinds: readonly AnyKind[]
  readonly environment: Environment
  readonly logger: Logger
  readonly metrics: Metrics
}

/** Where the objects of a kind are brought to. */
export type FeedSink = Pick<ReflectorSink<Resource>, 'replace' | 'upsert' | 'remove'>

/** A sink that is kept equal to the API's objects of one kind, until it is disposed of. */
export interface Following extends Disposable {
  /** Resolves when the sink holds everything for the first time. */
  readonly synced: Promise<void>
}

/** All objects of the API, listed, watched and decoded once for everybody in this process who follows them. */
export interface Feed {
  start(): void
  /** Resolves when everything was listed. */
  readonly synced: Promise<void>
  isSynced(): boolean
  /** Resolves when everything was listed by lists begun from now on. */
  relisted(): Promise<void>
  follow(kind: AnyKind, sink: FeedSink): Following
  /** All objects of a kind, as the API last showed them. */
  objects(kind: AnyKind): Iterable<Resource>
  /** Resolves when nothing more comes. */
  stop(): Promise<void>
}

/** What is known of a kind. */
interface Stream {
  readonly reflector: Reflector
  readonly objects: Map<string, Resource>
  readonly sinks: Set<FeedSink>
  /** The version of the last list; undefined before the first. */
  listed: string | undefined
}

/** Makes a feed. Nothing is read before `start`. */
export function createFeed({ client, kinds, environment, logger, metrics }: FeedOptions): Feed {
  const streams = new Map(kinds.map(kind => [kind.kind, createStream(kind)]))
  const synced = Promise.all([...streams.values()].map(({ reflector }) => reflector.synced)).then(() => undefined)
  // Somebody who stops before the first list need not listen.
  synced.catch(() => undefined)
  let isStopped = false

  function createStream(kind: AnyKind): Stream {
    const objects = new Map<string, Resource>()
    const sinks = new Set<FeedSink>()
    const reflector = createReflector({
      client,
      kind,
      environment,
      metrics: metrics.reflector(kind.kind),
      sink: {
        replace(list, version) {
          objects.clear()
          for (const raw of list) {
            const object = taken(raw as Resource)
            objects.set(object.metadata.uid, object)
          }
          stream.listed = version
          for (const sink of sinks) sink.replace([...objects.values()], version)
        },
        upsert(raw) {
          const object = taken(raw as Resource)
          objects.set(object.metadata.uid, object)
          for (const sink of sinks) sink.upsert(object)
        },
        remove(raw) {
          const object = raw as Resource
          objects.delete(object.metadata.uid)
          for (const sink of sinks) sink.remove(object)
        },
        bookmark: () => undefined,
      },
      onError: error => {
        if (!isStopped) logger.warn({ err: error, kind: kind.kind }, 'the watch of a kind was interrupted')
      },
    })
    const stream: Stream = { reflector, objects, sinks, listed: undefined }
    return stream
  }

  function streamOf(kind: AnyKind): Stream {
    const stream = streams.get(kind.kind)
    if (stream === undefined) throw new Error(`Cannot follow ${kind.kind}: the feed was not given this kind`)
    return stream
  }

  return {
    synced,
    isSynced: () => [...streams.values()].every(({ listed }) => listed !== undefined),
    async relisted() {
      await Promise.all([...streams.values()].map(({ reflector }) => reflector.relisted()))
    },
    start() {
      for (const { reflector } of streams.values()) reflector.start()
    },
    follow(kind, sink) {
      const { reflector, objects, sinks, listed } = streamOf(kind)
      sinks.add(sink)
      if (listed !== undefined) sink.replace([...objects.values()], listed)
      return { synced: reflector.synced, [Symbol.dispose]: () => void sinks.delete(sink) }
    },
    objects: kind => streamOf(kind).objects.values(),
    async stop() {
      isStopped = true
      await Promise.all([...streams.values()].map(({ reflector }) => reflector.stop()))
    },
  }
}

/** An object as it is handed on: without its managed fields, and never to be changed. */
function taken(object: Resource): Resource {
  return deepFreeze(withoutManagedFields(object).object)
}
