import type { AnyKind } from '../../crds/define-kind.ts'
import type { Environment, Timer } from '../../crds/environment.ts'
import { conditionOf, type Resource } from '../../crds/meta.ts'
import type { Driver } from '../../drivers/contract/driver.ts'
import type { DriverName } from '../../drivers/contract/endpoint.ts'
import type { PlaceView, Reconciler } from '../../reconcilers/define-reconciler.ts'
import { type Identifiable, isStored } from '../../reconcilers/world.ts'
import { createClient } from '../api/client.ts'
import { createReflector, type Reflector } from '../api/reflector.ts'
import { secretReader } from '../api/secrets.ts'
import type { Transport } from '../api/transport.ts'
import { createEventRecorder } from '../events.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { countConditions } from '../metrics-sources.ts'
import { createExecutor, type Executor } from '../observation/executor.ts'
import { createObservedCache, type ObservedCache } from '../observation/observed-cache.ts'
import { createObserver, type Observer } from '../observation/observer.ts'
import type { Recorder } from '../records/recorder.ts'
import type { Tracer } from '../traces/tracer.ts'
import { createWorkQueue, type WorkQueue } from '../work-queue.ts'
import { createAllocationCollector } from './allocation-collector.ts'
import { Controller } from './controller.ts'
import type { CollectedReads, Judged } from './controller-options.ts'
import { Derivations, isDerived } from './derivations.ts'
import { DesiredCache, type ObjectChange, type ObjectKey } from './desired-cache.ts'
import type { EffectTargets } from './effects.ts'
import { HoldingSums } from './holdings.ts'
import type { PhaseReading } from './judgements.ts'
import { Queues } from './queues.ts'
import { type Collection, type Reader, Reads } from './reads.ts'
import { createStrays } from './strays.ts'
import { createWorld, identityOf, type WorldSources } from './world.ts'
import { Writes } from './writes.ts'

/** How often an object is judged though nothing has changed, in ms; ± 20 %. */
const resyncInterval = 600_000
/** How long changes of what is derived are gathered before it is computed again, in ms. */
const derivationDelay = 5
/** With more objects than this to be judged, what is only on the way is not reported. */
const busyDepth = 100
/** How long at most what an object reads cannot wake it after a pass that failed, in ms. */
const longestHold = 30_000
/** How many passes may wait for the API at the same time. */
const concurrency = 64

/** Everything an engine gets from outside. */
export interface EngineOptions {
  readonly transport: Transport
  readonly installation: string
  readonly environment: Environment
  readonly reconcilers: readonly Reconciler[]
  readonly kinds: readonly AnyKind[]
  readonly drivers: (name: DriverName) => Driver | undefined
  readonly logger: Logger
  readonly metrics: Metrics
  /** Asked just before an operation is dispatched: whether this replica still holds its lease. Default: always. */
  readonly mayDispatch?: () => boolean
  /** Where operations and events are written down. Default: nowhere. */
  readonly recorder?: Pick<Recorder, 'accepted' | 'event'>
  /** Told of every pass and operation. Default: nobody. */
  readonly tracer?: Pick<Tracer, 'accepted' | 'passBegan'>
}

/** The imperative shell: caches, queue, controllers, observer and executor, put together. */
export interface Engine {
  /** Starts everything; resolves when the caches are filled and every endpoint has been asked once. */
  start(): Promise<void>
  /** Takes no more work, lets running passes and operations end, closes all watches. */
  stop(): Promise<void>
  readonly desired: DesiredCache
  readonly observed: ObservedCache
  readonly executor: Executor
  readonly observer: Observer
  /** Whether every cache has been filled. */
  isSynced(): boolean
  /** The identity of an object. */
  identity(resource: Identifiable): string
  /** Judges an expression of the world outside any pass: for queries. Nothing is recorded. */
  inspect<T>(read: (world: ReturnType<typeof createWorld>) => T): T
  /** What an object's phases say at this moment, what they read, and when it is judged again: for queries. */
  standing(kind: AnyKind, key: ObjectKey): ObjectStanding
}

/** How an object stands with the engine. */
export interface ObjectStanding {
  readonly phases: readonly PhaseReading[]
  /** In how many ms it is judged again though nothing changes; undefined where nothing is planned. */
  readonly dueInMs: number | undefined
  /** How many passes in a row have failed. */
  readonly failedPasses: number
  /** The queue for something scarce that it stands in. */
  readonly queue: ReturnType<Queues['placeOf']>
  /** What every host says to it; undefined where it needs no place. */
  readonly place: PlaceView | undefined
}

/** Puts an engine together. Nothing runs before `start`. */
export function createEngine(options: EngineOptions): Engine {
  const { transport, installation, environment, reconcilers, kinds, drivers, logger, metrics } = options
  const { clock, random } = environment
  const reads = new Reads()
  const controllers = new Map<string, Controller>()
  let flush: Timer | undefined
  let synced = false
  const unreported = new Set<string>()
  /** Until when, on the monotonic clock, objects whose pass failed are not woken by what they read. */
  const held = new Map<string, number>()
  let stopped = false

  const queue: WorkQueue = createWorkQueue({
    environment,
    concurrency,
    handler: runPass,
    groupOf,
    metrics: metrics.workQueue('skystead'),
    onError: (error, id) => logger.error({ err: error, object: id }, 'a pass failed'),
  })
  const notify = (topic: string) => reads.notify(topic)
  const desired = new DesiredCache({ kinds, notify, changed: objectChanged })
  const observed = createObservedCache({
    installation,
    environment,
    notify,
    sighted: sighting => holdings.sightingChanged(sighting),
  })
  const holdings = new HoldingSums({ installation, desired, observed, notify })
  const client = createClient(transport)
  const writes = new Writes({ client, desired, environment, logger })
  const observer = createObserver({
    cache: observed,
    drivers,
    environment,
    secrets: secretReader(client),
    logger,
    metrics,
  })
  const mayDispatch = options.mayDispatch === undefined ? {} : { mayDispatch: options.mayDispatch }
  const listeners = [options.recorder, options.tracer].filter(listener => listener !== undefined)
  const executor = createExecutor({
    cache: observed,
    observer,
    environment,
    logger,
    metrics,
    listeners,
    ...mayDispatch,
  })
  const archive = options.recorder === undefined ? {} : { archive: options.recorder.event }
  const events = createEventRecorder({ client, environment, logger, metrics, ...archive })
  const derivations = new Derivations({
    reads,
    compute: (definition, key, recording) =>
      definition.compute(key, createWorld(sources, { recording, queued: () => recording, wakeAfter: () => undefined })),
    stale: () => {
      flush ??= clock.after(derivationDelay, () => {
        flush = undefined
        derivations.flush()
      })
    },
  })
  const sources: WorldSources = {
    installation,
    clock,
    desired,
    observed,
    holdings,
    executor,
    derivations: () => derivations,
  }
  const queues = new Queues({ reads, clock, wake: id => queue.add(id) })
  const kindByName = new Map(kinds.map(kind => [`${kind.apiVersion}/${kind.kind}`, kind]))
  const targets: EffectTargets = {
    client,
    writes,
    desired,
    executor,
    observer,
    events,
    kindNamed: (apiVersion, kind) => {
      const known = kindByName.get(`${apiVersion}/${kind}`)
      if (known === undefined) throw new Error(`Cannot write ${kind}: ${apiVersion} is not a group of Skystead`)
      return known
    },
  }
  const collections = new Map<string, Map<string, Collection>>()
  for (const reconciler of reconcilers) controllers.set(reconciler.kind.kind, createController(reconciler))
  const strays = createStrays({ desired, observed, executor, observer })
  const collector = createAllocationCollector({ client, writes, desired, observed, environment, logger, kinds, strays })
  const reflectors = kinds.map(createKindReflector)

  function createController(reconciler: Reconciler): Controller {
    const idOf = (key: string) => `${reconciler.kind.kind}|${key}`
    return new Controller({
      reconciler,
      targets,
      clock,
      logger,
      metrics,
      declareEndpoints: (owner, endpoints) => observer.declare(owner, endpoints),
      judge: (key, judge) => judgeRecorded(idOf(key), judge),
      wakeAfter: (key, milliseconds) => queue.add(idOf(key), { after: milliseconds }),
      standIn: (key, waits) => {
        const id = idOf(key)
        const read = waits && collections.get(id)?.get(waits.queue)
        queues.standIn(id, waits && { ...waits, group: groupOf(id), read })
        collections.delete(id)
      },
      isBusy: () => queue.counts().ready > busyDepth,
      mayReport: () => synced,
      reportLater: key => unreported.add(idOf(key)),
      forget: key => {
        held.delete(idOf(key))
        queues.standIn(idOf(key), undefined)
        reads.forget(idOf(key))
        queue.forget(idOf(key))
      },
    })
  }

  function judgeRecorded<T>(id: string, judge: (world: ReturnType<typeof createWorld>) => T): Judged<T> {
    const reader: Reader = { id, wake: () => wake(id) }
    const queued = new Map<string, Collection>()
    let wakeAfter: number | undefined
    const result = reads.record(reader, recording =>
      judge(
        createWorld(sources, {
          recording,
          queued: name => {
            const collection = queued.get(name) ?? reads.collect()
            queued.set(name, collection)
            return collection
          },
          wakeAfter: milliseconds => {
            wakeAfter = Math.min(wakeAfter ?? milliseconds, milliseconds)
          },
        }),
      ),
    )
    if (queued.size > 0) collections.set(id, queued)
    return { result, wakeAfter }
  }

  function wake(id: string): void {
    const until = held.get(id)
    queue.add(id, until === undefined ? {} : { after: until - clock.monotonic() })
  }

  /** A write that was refused is taken back, which its own object reads: without a hold that would be a circle. */
  function backOff(id: string): void {
    queue.addRateLimited(id)
    held.set(id, clock.monotonic() + Math.min(longestHold, 5 * 2 ** queue.failures(id)))
  }

  async function runPass(id: string): Promise<void> {
    const separator = id.indexOf('|')
    const kind = id.slice(0, separator)
    const controller = controllers.get(kind)
    if (controller === undefined) return
    const started = clock.monotonic()
    const finish = metrics.reconcileStarted(kind)
    const key = id.slice(separator + 1)
    const endSpan = options.tracer?.passBegan(kind, key)
    try {
      const outcome = await controller.pass(key)
      finish(outcome, clock.monotonic() - started)
      endSpan?.({ outcome, reason: readyReason(desired.get(controller.kind, key)) })
      if (outcome === 'error' || outcome === 'requeue_after') return backOff(id)
      held.delete(id)
      queue.forget(id)
      if (outcome === 'requeue') return queue.add(id)
      const exists = desired.get(controller.kind, key) !== undefined
      if (exists) queue.add(id, { after: resyncInterval * (0.8 + 0.4 * random.next()), priority: -100 })
    } catch (error) {
      finish('error', clock.monotonic() - started)
      endSpan?.({ outcome: 'error', error })
      if (stopped) return
      logger.error({ err: error, object: id }, 'a pass failed')
      backOff(id)
    }
  }

  function objectChanged(change: ObjectChange): void {
    const { kind, key, fromAPI, before, after } = change
    countConditions(metrics, change)
    holdings.claimChanged(change)
    if (!controllers.has(kind.kind)) return
    // The watch tells nothing new of a child that our own write has brought into the cache before it.
    const isNewChild = after !== undefined && isStored(after) && (before === undefined || !isStored(before))
    if (!fromAPI && !isNewChild) return
    queue.add(`${kind.kind}|${key}`, { priority: synced ? 0 : -100 })
  }

  function createKindReflector(kind: AnyKind): Reflector {
    return createReflector({
      client,
      kind,
      environment,
      metrics: metrics.reflector(kind.kind),
      sink: {
        replace: (objects, version) => desired.replace(kind, objects as readonly Resource[], version),
        upsert: object => desired.upsert(kind, object as Resource),
        remove: object => desired.remove(kind, (object as Resource).metadata),
        bookmark: () => undefined,
      },
      onError: error => {
        if (!stopped) logger.warn({ err: error, kind: kind.kind }, 'the watch of a kind was interrupted')
      },
    })
  }

  /** What was read, and what the remembered computations among it rest on. */
  function withDerived(topics: Iterable<string>): readonly string[] {
    const all = new Set(topics)
    // A set is walked through what is added to it on the way.
    for (const topic of all) if (isDerived(topic)) for (const inner of reads.topicsOf(topic)) all.add(inner)
    return [...all]
  }

  function collected<T>(judge: (world: ReturnType<typeof createWorld>) => T): CollectedReads<T> {
    const [recording, aside] = [reads.collect(), reads.collect()]
    const result = judge(createWorld(sources, { recording, queued: () => aside, wakeAfter: () => undefined }))
    return { result, topics: withDerived(recording.topics()) }
  }

  return {
    desired,
    observed,
    executor,
    observer,
    isSynced: () => synced,
    identity: resource => identityOf(desired, resource),
    inspect: read => {
      const nobody = reads.collect()
      return read(createWorld(sources, { recording: nobody, queued: () => nobody, wakeAfter: () => undefined }))
    },
    standing: (kind, key) => ({
      phases: controllers.get(kind.kind)?.read(key, collected) ?? [],
      dueInMs: queue.due(`${kind.kind}|${key}`),
      failedPasses: queue.failures(`${kind.kind}|${key}`),
      queue: queues.placeOf(`${kind.kind}|${key}`),
      place: collected(world => controllers.get(kind.kind)?.place(key, world)).result,
    }),
    async start() {
      for (const reflector of reflectors) reflector.start()
      await Promise.all(reflectors.map(reflector => reflector.synced))
      queue.start()
      await queue.idle()
      await observer.primed()
      synced = true
      for (const id of unreported) queue.add(id)
      unreported.clear()
      collector.start()
    },
    async stop() {
      stopped = true
      flush?.cancel()
      queues.stop()
      collector.stop()
      await queue.stop()
      await writes.stop()
      await executor.stop()
      await observer[Symbol.asyncDispose]()
      await Promise.all(reflectors.map(reflector => reflector.stop()))
      await events.stop()
    },
  }
}

/** Whose an object is: its namespace's. What operators describe is nobody's. */
function groupOf(id: string): string | undefined {
  return id.slice(id.indexOf('|') + 1, id.indexOf('/')) || undefined
}

function readyReason(object: Resource | undefined): string | undefined {
  return object && conditionOf(object, 'Ready')?.reason
}
