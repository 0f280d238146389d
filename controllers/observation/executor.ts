import PQueue from 'p-queue'
import type { Environment, Timer } from '../../crds/environment.ts'
import { type EndpointKey, type EndpointType, endpointType } from '../../drivers/contract/endpoint.ts'
import { DriverError, driverErrorCodes } from '../../drivers/contract/errors.ts'
import type { Answer, Operation } from '../../drivers/contract/operation.ts'
import type { OperationState } from '../../reconcilers/world.ts'
import { whyNotAnswer } from './answers.ts'
import { addTo } from './changes.ts'
import { asDriverError, callWithDeadline } from './deadline.ts'
import { Durations, type MeasuredDuration } from './durations.ts'
import { Failures, type OperationFailure, type ToldFailure } from './failures.ts'
import type {
  ObservationLogger,
  OperationFollower,
  OperationListener,
  OperationMetrics,
  OperationOutcome,
  Requester,
} from './hooks.ts'
import type { ObservedCache } from './observed-cache.ts'
import type { Observer } from './observer.ts'
import { operationId } from './operation-id.ts'
import { Repetitions, type Sight } from './repetitions.ts'
import { topics } from './topics.ts'

/** What the executor works with. */
export interface ExecutorOptions {
  readonly cache: ObservedCache
  readonly observer: Pick<Observer, 'use' | 'listSoon' | 'driverOf' | 'nameOf'>
  readonly environment: Environment
  readonly logger: ObservationLogger
  readonly metrics?: OperationMetrics
  /** Whether this process may still act: asked just before each operation is given to its driver. Default: it may. */
  readonly mayDispatch?: () => boolean
  /** How many operations run at once at an endpoint of a type. Default 8, storage 16. */
  readonly concurrency?: Partial<Record<EndpointType, number>>
  /** Who is told of every operation. Default: nobody. */
  readonly listeners?: readonly OperationListener[]
}

/**
 * What became of a wish to operate. `Started`: it is on its way. `Running`: it already was. `Held`: another operation
 * has one of its identities, it failed lately, or it succeeded lately and changed nothing. `Refused`: its endpoint does not answer, was not listed yet, or this
 * process may not act. After `Held` and `Refused` the topic `operations/<identity>` tells when to judge again.
 */
export type Submission = 'Started' | 'Running' | 'Held' | 'Refused'

interface Run {
  readonly id: string
  readonly operation: Operation
  readonly followers: readonly OperationFollower[]
  readonly locks: readonly string[]
  readonly state: OperationState
  readonly controller: AbortController
  /** What was seen of its identity when it began. */
  readonly before: Sight
}

interface Ending {
  readonly outcome: OperationOutcome
  /** What the driver said, where it went wrong. */
  readonly message?: string
  readonly durationMs: number
  readonly inDoubt: boolean
  /** Whether only a listing can tell what is there now. */
  readonly lookAgain: boolean
}

const defaultDeadline = 60_000
const defaultConcurrency: Record<EndpointType, number> = {
  Host: 8,
  PrimaryStorage: 16,
  SecondaryStorage: 16,
  PowerController: 8,
}
/** How soon to ask again whether this process may act, in ms. */
const leaseRecheck = 1_000
const noOperations: readonly OperationState[] = Object.freeze([])

/** Gives operations to drivers: one at a time for an identity, a bounded number at an endpoint, failures held back. */
export class Executor {
  readonly #options: ExecutorOptions
  readonly #runs = new Map<string, Run>()
  /** Runs by every identity they lock. */
  readonly #locks = new Map<string, Run>()
  /** Identities that were refused because of a lock, by the locked identity. */
  readonly #waiting = new Map<string, Set<string>>()
  readonly #queues = new Map<EndpointKey, PQueue>()
  readonly #states = new Map<string, readonly OperationState[]>()
  readonly #failures: Failures
  readonly #repetitions: Repetitions
  readonly #durations = new Durations()
  /** Identities that were refused because this process may not act; undefined while none was. */
  #leaseless: Set<string> | undefined
  #stopped = false
  #idle: (() => void) | undefined

  constructor(options: ExecutorOptions) {
    this.#options = options
    this.#failures = new Failures(options.environment, identity => this.#changed(identity))
    this.#repetitions = new Repetitions(options.environment, options.cache, identity => this.#changed(identity))
  }

  /** Starts an operation unless something speaks against it. */
  submit(operation: Operation, requester: Requester): Submission {
    const { cache } = this.#options
    const { identity, endpoint, alsoLocks = [] } = operation
    const id = operationId(operation)
    if (this.#runs.has(id)) return 'Running'
    if (this.#stopped) return 'Refused'
    if (!this.#mayDispatch()) {
      this.#tellWhenLeased(identity)
      return 'Refused'
    }
    if (!cache.isReady(endpoint)) {
      cache.tellWhenReady(endpoint, topics.operations(identity))
      return 'Refused'
    }
    const locks = [...new Set([identity, ...alsoLocks])]
    const taken = locks.find(lock => this.#locks.has(lock))
    if (taken !== undefined) {
      addTo(this.#waiting, taken, identity)
      return 'Held'
    }
    if (this.#failures.holds(id, operation) || this.#repetitions.holds(id, operation)) return 'Held'
    this.#start(id, operation, locks, requester)
    return 'Started'
  }

  /** What is running for the identity, also as a companion of another, and what failed lately. */
  operations(identity: string): readonly OperationState[] {
    return this.#states.get(identity) ?? noOperations
  }

  /** Why exactly this operation failed last, until it succeeds or its arguments change. */
  failureOf(operation: Operation): OperationFailure | undefined {
    // Asked on every pass of everybody: the id is a hash, and mostly there is nothing to look up.
    if (this.operations(operation.identity).length === 0) return undefined
    return this.#failures.of(operationId(operation), operation)
  }

  /** What failed for the identity and is held back, for people. */
  failuresOf(identity: string): readonly ToldFailure[] {
    return this.#failures.told(identity)
  }

  /** Whether nothing is queued or running for the identity at the endpoint. */
  idle(identity: string, endpoint: EndpointKey): boolean {
    return this.#locks.get(identity)?.operation.endpoint !== endpoint
  }

  /** How long operations took lately, by verb. */
  durations(): readonly MeasuredDuration[] {
    return this.#durations.measured()
  }

  /** Gives nothing to drivers any more and waits for what is running; after `grace` ms that is aborted. Default 10,000. */
  async stop(grace = 10_000): Promise<void> {
    this.#stopped = true
    if (this.#runs.size > 0) {
      const timer = this.#options.environment.clock.after(grace, () => this.#abortAll())
      await new Promise<void>(resolve => {
        this.#idle = resolve
      })
      timer.cancel()
    }
    this.#failures.clear()
    this.#repetitions.clear()
  }

  #mayDispatch(): boolean {
    return this.#options.mayDispatch?.() ?? true
  }

  #start(id: string, operation: Operation, locks: readonly string[], requester: Requester): void {
    const { cache, observer, listeners = [] } = this.#options
    const { verb, endpoint, identity } = operation
    const state: OperationState = Object.freeze({ verb, endpoint, state: 'Running' })
    const before = this.#repetitions.sight(operation)
    const endpointName = observer.nameOf(endpoint) ?? endpoint
    const accepted = { operation: id, verb, endpoint, endpointName, identity, requester }
    const followers = listeners.map(listener => listener.accepted(accepted))
    const run: Run = { id, operation, followers, locks, state, controller: new AbortController(), before }
    this.#runs.set(id, run)
    for (const lock of locks) this.#locks.set(lock, run)
    cache.change(() => {
      if (this.#failures.of(id, operation) === undefined) this.#failures.supersede(operation)
      cache.beginOperation(operation)
      for (const lock of locks) this.#changed(lock)
    })
    void this.#queue(endpoint).add(() => this.#run(run))
  }

  #queue(endpoint: EndpointKey): PQueue {
    const known = this.#queues.get(endpoint)
    if (known !== undefined) return known
    const type = endpointType(endpoint)
    const queue = new PQueue({ concurrency: this.#options.concurrency?.[type] ?? defaultConcurrency[type] })
    queue.addEventListener('idle', () => this.#queues.delete(endpoint))
    this.#queues.set(endpoint, queue)
    return queue
  }

  async #run(run: Run): Promise<void> {
    const { cache, environment } = this.#options
    const { endpoint } = run.operation
    const { clock } = environment
    if (this.#stopped || !this.#mayDispatch() || !cache.isReady(endpoint)) {
      this.#end(run, { outcome: 'NotDispatched', durationMs: 0, inDoubt: false, lookAgain: false })
      return
    }
    for (const follower of run.followers) follower.began()
    const started = clock.monotonic()
    const given = cache.moment()
    try {
      const answer = await this.#perform(run, given)
      this.#succeeded(run, { given, durationMs: clock.monotonic() - started }, answer)
    } catch (error) {
      const failure = asDriverError(error, `${run.operation.verb} at ${endpoint}`)
      this.#failed(run, { given, durationMs: clock.monotonic() - started }, failure)
    }
  }

  async #perform(run: Run, given: number): Promise<Answer> {
    const { id, operation, controller } = run
    const { cache, environment, observer } = this.#options
    const { installation } = cache
    const { verb, endpoint, deadline = defaultDeadline } = operation
    const what = `${verb} at ${endpoint}`
    const watch = deadline > defaultDeadline ? this.#watch(run, given) : undefined
    const answer = await callWithDeadline({ clock: environment.clock, deadline, controller, what }, signal =>
      observer.use(endpoint, connection => connection.perform(operation, { signal, operationId: id, installation })),
    ).finally(() => watch?.cancel())
    const complaint = whyNotAnswer(operation, answer)
    if (complaint === undefined) return answer
    throw new DriverError('Internal', `${what} was not answered as the contract says: ${complaint}`, { inDoubt: true })
  }

  /** Looks now and then whether somebody is still going to answer an operation that may take long. */
  #watch({ operation, controller }: Run, given: number): Timer {
    const { cache, environment } = this.#options
    const { verb, endpoint } = operation
    const look = () => {
      timer = environment.clock.after(defaultDeadline, look)
      if (!cache.isUnheard(operation, given)) return
      const why = `${verb} at ${endpoint} is not answered: the connection was lost, and no work on it is listed`
      controller.abort(new DriverError('Timeout', why))
    }
    let timer = environment.clock.after(defaultDeadline, look)
    return { cancel: () => timer.cancel() }
  }

  #succeeded(run: Run, times: { given: number; durationMs: number }, answer: Answer): void {
    const { cache, logger } = this.#options
    const { operation, id, locks, before } = run
    const { given, durationMs } = times
    logger.debug({ operation: id, endpoint: operation.endpoint, durationMs }, 'Operation succeeded')
    cache.change(() => {
      const taken = cache.takeAnswer(operation, given, answer)
      this.#failures.supersede(operation)
      for (const lock of locks) this.#failures.stopWaiting(lock)
      if (this.#repetitions.succeeded(id, operation, before))
        logger.warn({ operation: id }, 'Operation changed nothing')
      // A migration is a job from now on, whose progress listings alone show.
      const lookAgain = taken === 'Contradicted' || operation.verb === 'SetPower' || operation.verb === 'MigrateMachine'
      this.#end(run, { outcome: 'Succeeded', durationMs, inDoubt: false, lookAgain })
    })
  }

  /** A call on a connection that was lost meanwhile may have arrived all the same. */
  #failed(run: Run, times: { given: number; durationMs: number }, failure: DriverError): void {
    const { cache, logger } = this.#options
    const { operation, id } = run
    const { given, durationMs } = times
    const { code, message } = failure
    const isAnswer = driverErrorCodes[code] !== 'retry'
    const inDoubt = failure.inDoubt || (!isAnswer && cache.disconnectedSince(operation.endpoint, given))
    const fields = { operation: id, endpoint: operation.endpoint, code, reason: message, inDoubt, durationMs }
    logger.warn(fields, 'Operation failed')
    cache.change(() => {
      this.#failures.add(id, operation, failure)
      const lookAgain = inDoubt || code === 'Unavailable'
      this.#end(run, { outcome: code, message, durationMs, inDoubt, lookAgain })
    })
  }

  #end(run: Run, { outcome, message, durationMs, inDoubt, lookAgain }: Ending): void {
    const { cache, observer, metrics } = this.#options
    const { id, operation, locks, followers } = run
    const { verb, endpoint } = operation
    this.#runs.delete(id)
    for (const lock of locks) this.#locks.delete(lock)
    cache.change(() => {
      cache.endOperation(operation, { inDoubt })
      for (const lock of locks) {
        this.#changed(lock)
        for (const waiting of this.#waiting.get(lock) ?? []) cache.tell(topics.operations(waiting))
        this.#waiting.delete(lock)
      }
    })
    if (lookAgain) observer.listSoon(endpoint)
    if (outcome === 'Succeeded') this.#durations.add(verb, durationMs)
    for (const follower of followers) follower.ended({ outcome, ...(message === undefined ? {} : { message }) })
    metrics?.operationEnded({
      driver: observer.driverOf(endpoint) ?? '',
      verb,
      type: endpointType(endpoint),
      outcome,
      durationMs,
    })
    if (this.#runs.size === 0) this.#idle?.()
  }

  /** What `operations` answers for the identity changed, or what held it back does so no longer. */
  #changed(identity: string): void {
    const run = this.#locks.get(identity)
    const states = [...(run === undefined ? [] : [run.state]), ...this.#failures.statesOf(identity)]
    if (states.length === 0) this.#states.delete(identity)
    else this.#states.set(identity, Object.freeze(states))
    this.#options.cache.tell(topics.operations(identity))
  }

  #tellWhenLeased(identity: string): void {
    const { environment, cache } = this.#options
    if (this.#leaseless !== undefined) {
      this.#leaseless.add(identity)
      return
    }
    const waiting = new Set([identity])
    this.#leaseless = waiting
    environment.clock.after(leaseRecheck, () => {
      this.#leaseless = undefined
      for (const each of waiting) cache.tell(topics.operations(each))
    })
  }

  #abortAll(): void {
    for (const { controller } of this.#runs.values())
      controller.abort(new DriverError('Aborted', 'The control plane is stopping', { inDoubt: true }))
  }
}

/** Makes an executor with nothing to do. */
export function createExecutor(options: ExecutorOptions): Executor {
  return new Executor(options)
}
