import type { AnyKind } from '../../crds/define-kind.ts'
import type { Environment, Timer } from '../../crds/environment.ts'
import { conditionOf, type Resource } from '../../crds/meta.ts'
import type { Driver } from '../../drivers/contract/driver.ts'
import type { DriverName } from '../../drivers/contract/endpoint.ts'
import type { Reconciler } from '../../reconcilers/define-reconciler.ts'
import { type Identifiable, isStored } from '../../reconcilers/world.ts'
import { createClient } from '../api/client.ts'
import type { Feed, Following } from '../api/feed.ts'
import { secretReader } from '../api/secrets.ts'
import type { Transport } from '../api/transport.ts'
import { createEventRecorder } from '../events.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { createExecutor, type Executor } from '../observation/executor.ts'
import { createObservedCache, type ObservedCache } from '../observation/observed-cache.ts'
import { createObserver, type Observer } from '../observation/observer.ts'
import type { Recorder } from '../records/recorder.ts'
import type { Tracer } from '../traces/tracer.ts'
import { createWorkQueue, type WorkQueue } from '../work-queue.ts'
import { createAllocationCollector } from './allocation-collector.ts'
import { Controller } from './controller.ts'
import type { Judged } from './controller-options.ts'
import { Derivations } from './derivations.ts'
import { DesiredCache, type ObjectChange, type ObjectKey } from './desired-cache.ts'
import type { EffectTargets } from './effects.ts'
import { HoldingSums } from './holdings.ts'
import { Ownership } from './ownership.ts'
import { Queues } from './queues.ts'
import { type Collection, type Reader, Reads } from './reads.ts'
import type { Shard } from './shard.ts'
import { type ObjectStanding, standingOf } from './standing.ts'
import { createStrays } from './strays.ts'
import { wishChanged } from './wish-changed.ts'
import { createWorld, identityOf, type WorldSources } from './world.ts'
import { Writes } from './writes.ts'

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
  /** Where objects are read from. Whoever made it starts and stops it. */
  readonly feed: Feed
  /** Where objects are written to. */
  readonly transport: Transport
  /** What of the cloud it looks after. Left out: everything. */
  readonly shard?: Shard
  /** How often an object is judged though nothing has changed, in ms; ± 20 %. Infinity: never. Default 600,000. */
  readonly resyncInterval?: number
  readonly installation: string
  readonly environment: Environment
  readonly reconcilers: readonly Reconciler[]
  readonly kinds: readonly AnyKind[]
  readonly drivers: (name: DriverName) => Driver | undefined
  readonly logger: Logger
  readonly metrics: Metrics
  /** Asked just before an operation is dispatched: whether its shard is still held. Default: always. */
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
  /** Takes no more work, lets running passes end, and operations for so many ms (default 10,000); follows nothing more. */
  stop(grace?: number): Promise<void>
  readonly desired: DesiredCache
  readonly observed: ObservedCache
  readonly executor: Executor
  readonly observer: Observer
  /** Whether every cache has been filled. */
  isSynced(): boolean
  /** Whether it looks after an object. */
  owns(kind: AnyKind, key: ObjectKey): boolean
  /** The identity of an object. */
  identity(resource: Identifiable): string
  /** Judges an expression of the world outside any pass: for queries. Nothing is recorded. */
  inspect<T>(read: (world: ReturnType<typeof createWorld>) => T): T
  /** What an object's phases say at this moment, what they read, and when it is judged again: for queries. */
  standing(kind: AnyKind, key: ObjectKey): ObjectStanding
}

/** Puts an engine together. Nothing runs before `start`. */
export function createEngine(options: EngineOptions): Engine {
  const { feed, transport, shard, installation, environment, reconcilers, kinds, drivers, logger, metrics } = options
  const { clock, random } = environment
  const reads = new Reads()
  const controllers = new Map<string, Controller>()
  let flush: Timer | undefined
  const { resyncInterval = 600_000 } = options
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
  const ownership = new Ownership({ shard, desired, metrics, isJudged: kind => controllers.has(kind.kind) })
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
  const strays = createStrays({ installation, desired, observed, executor, observer })
  const collector = createAllocationCollector({
    client,
    writes,
    desired,
    observed,
    environment,
    logger,
    kinds,
    strays,
    mayFree: allocation => shard === undefined || inspect(world => ownership.mayFree(allocation, world)),
  })
  const following: Following[] = []

  function createController(reconciler: Reconciler): Controller {
    const idOf = (key: string) => `${reconciler.kind.kind}|${key}`
    return new Controller({
      reconciler,
      targets,
      clock,
      logger,
      metrics,
      declareEndpoints: (owner, endpoints) => observer.declare(owner, endpoints),
      judge: (key, judge) =>
        judgeRecorded(idOf(key), world => {
          // Recorded with the rest: the object is judged again when it may have come to be somebody else's.
          ownership.decide(reconciler.kind, key, world)
          return judge(world)
        }),
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

  function inspect<T>(read: (world: ReturnType<typeof createWorld>) => T): T {
    const nobody = reads.collect()
    return read(createWorld(sources, { recording: nobody, queued: () => nobody, wakeAfter: () => undefined }))
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
    const key = id.slice(separator + 1)
    if (!isOurs(controller, key)) return
    const started = clock.monotonic()
    const finish = metrics.reconcileStarted(kind)
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
      if (exists && Number.isFinite(resyncInterval))
        queue.add(id, { after: resyncInterval * (0.8 + 0.4 * random.next()), priority: -100 })
    } catch (error) {
      finish('error', clock.monotonic() - started)
      endSpan?.({ outcome: 'error', error })
      if (stopped) return
      logger.error({ err: error, object: id }, 'a pass failed')
      backOff(id)
    }
  }

  /** Whether the object is looked after here. What is not is left to whoever does. */
  function isOurs(controller: Controller, key: ObjectKey): boolean {
    const object = desired.get(controller.kind, key)
    if (shard === undefined || object === undefined) return true
    const id = `${controller.kind.kind}|${key}`
    if (judgeRecorded(id, world => ownership.decide(controller.kind, key, world)).result) return true
    held.delete(id)
    queue.forget(id)
    controller.leave(key, object, shard.zone === undefined)
    return false
  }

  function objectChanged(change: ObjectChange): void {
    const { kind, key, fromAPI, before, after } = change
    ownership.changed(change)
    holdings.claimChanged(change)
    const mayBeOurs = [before, after].some(object => object !== undefined && ownership.mayTake(kind, object))
    if (!controllers.has(kind.kind) || !mayBeOurs) return
    if (!fromAPI && !isAnswered(kind, before, after)) return
    queue.add(`${kind.kind}|${key}`, { priority: synced ? 0 : -100 })
  }

  function follow(kind: AnyKind): Following {
    return feed.follow(kind, {
      replace: (objects, version) => desired.replace(kind, objects, version),
      upsert: object => desired.upsert(kind, object),
      remove: object => desired.remove(kind, object.metadata),
    })
  }

  return {
    desired,
    observed,
    executor,
    observer,
    isSynced: () => synced,
    identity: resource => identityOf(desired, resource),
    owns: (kind, key) => ownership.has(kind, key),
    inspect,
    standing: (kind, key) =>
      standingOf(`${kind.kind}|${key}`, key, {
        controller: controllers.get(kind.kind),
        queue,
        queues,
        reads,
        world: sources,
      }),
    async start() {
      following.push(...kinds.map(follow))
      await Promise.all(following.map(each => each.synced))
      if (stopped) return
      queue.start()
      await queue.idle()
      await observer.primed()
      if (stopped) return
      synced = true
      for (const id of unreported) queue.add(id)
      unreported.clear()
      collector.start()
    },
    async stop(grace) {
      stopped = true
      flush?.cancel()
      queues.stop()
      collector.stop()
      await queue.stop()
      await writes.stop()
      await executor.stop(grace)
      await observer[Symbol.asyncDispose]()
      for (const each of following) each[Symbol.dispose]()
      ownership.end()
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

/**
 * Whether the answer to a write of ours has brought what the watch tells nothing new of afterwards: a child that is made, a
 * wish that is changed, an object that is being deleted, is gone, or is another one of the name.
 */
function isAnswered(kind: AnyKind, before: Resource | undefined, after: Resource | undefined): boolean {
  const [was, is] = [before, after].map(object => (object !== undefined && isStored(object) ? object : undefined))
  return wishChanged(kind, was, is)
}
