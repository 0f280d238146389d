import equal from 'fast-deep-equal'
import PQueue from 'p-queue'
import type { Environment, Timer } from '../../crds/environment.ts'
import type { Connection, ConnectMeans, Driver, InventoryEvent } from '../../drivers/contract/driver.ts'
import { type DriverName, type Endpoint, type EndpointKey, endpointType } from '../../drivers/contract/endpoint.ts'
import { DriverError, type DriverErrorCode } from '../../drivers/contract/errors.ts'
import type { Inventory } from '../../drivers/contract/facts.ts'
import { ConnectionLease } from './connection-lease.ts'
import { asDriverError, callWithDeadline } from './deadline.ts'
import type { ListingMetrics, ObservationLogger } from './hooks.ts'
import { LifeWatch } from './life-watch.ts'
import { defaultIntervals, nextListing, type ObserverIntervals, type PowerSituation } from './listing-schedule.ts'
import type { ObservedCache } from './observed-cache.ts'

/** What the observer works with. */
export interface ObserverOptions {
  readonly cache: ObservedCache
  /** The driver of a name; undefined where this process has none. */
  readonly drivers: (name: DriverName) => Driver | undefined
  readonly environment: Environment
  /** Reads a Secret of the control plane by its name. Default: there are none. */
  readonly secrets?: (name: string) => Promise<Readonly<Record<string, string>>>
  /** Intervals that differ from the defaults. */
  readonly intervals?: Partial<ObserverIntervals>
  readonly logger: ObservationLogger
  readonly metrics?: ListingMetrics
  /** How many listings run at once. Default 32; as many again of endpoints that do not answer, so that these hold up nobody. */
  readonly concurrency?: number
}

/** An endpoint being watched. */
interface Watch {
  endpoint: Endpoint
  owner: string
  lease: ConnectionLease | undefined
  /** Set while a listing runs. */
  listing: AbortController | undefined
  isQueued: boolean
  /** Another listing was asked for while one runs. */
  again: boolean
  timer: Timer | undefined
  /** When the timer fires, on the monotonic clock. */
  due: number
  /** When the last listing ended, on the monotonic clock. */
  endedAt: number
  failures: number
  /** Whether it ever answered. */
  answered: boolean
  hasJobs: boolean
  /** Whether the last reading of a power controller came quickly after another. */
  wasConfirmation: boolean
}

/** Codes with which a listing fails because nobody is there. */
const silence: ReadonlySet<DriverErrorCode> = new Set<DriverErrorCode>(['Unavailable', 'Timeout'])

/** Looks at every declared endpoint: listings now and then, events as they come. */
export class Observer implements AsyncDisposable {
  readonly #options: ObserverOptions
  readonly #intervals: ObserverIntervals
  readonly #watches = new Map<EndpointKey, Watch>()
  readonly #owners = new Map<string, readonly Endpoint[]>()
  readonly #listings: PQueue
  readonly #probes: PQueue
  readonly #lives: LifeWatch
  /** Endpoints whose first listing has not ended. */
  readonly #unattempted = new Set<EndpointKey>()
  #awaitingPrimed: (() => void)[] = []

  constructor(options: ObserverOptions) {
    this.#options = options
    this.#intervals = { ...defaultIntervals, ...options.intervals }
    const concurrency = options.concurrency ?? 32
    this.#listings = new PQueue({ concurrency })
    this.#probes = new PQueue({ concurrency })
    const { cache, environment } = options
    this.#lives = new LifeWatch({ cache, environment, use: (key, call) => this.use(key, call) })
  }

  /** Says where to look on behalf of the owner; replaces what the owner said before. */
  declare(owner: string, endpoints: readonly Endpoint[]): void {
    const before = this.#owners.get(owner) ?? []
    if (equal(before, endpoints)) return
    if (endpoints.length === 0) this.#owners.delete(owner)
    else this.#owners.set(owner, endpoints)
    const kept = new Set(endpoints.map(({ key }) => key))
    for (const { key } of before) {
      if (!kept.has(key) && this.#watches.get(key)?.owner === owner) this.#unwatch(key)
    }
    for (const endpoint of endpoints) {
      const known = this.#watches.get(endpoint.key)
      if (known === undefined) this.#watch(owner, endpoint)
      else this.#rewatch(known, owner, endpoint)
      this.#lives.declare(endpoint)
    }
  }

  /** Asks for a complete listing begun from now on. Asked often, done once. */
  listSoon(key: EndpointKey): void {
    const watch = this.#watches.get(key)
    if (watch === undefined) return
    const { clock } = this.#options.environment
    const pause = watch.failures === 0 ? 0 : watch.endedAt + this.#intervals.firstProbe - clock.monotonic()
    const isSooner = watch.timer === undefined || watch.due > clock.monotonic() + pause
    if (watch.listing !== undefined || pause <= 0) this.#enqueue(watch, 1)
    else if (isSooner) this.#listAfter(watch, pause)
  }

  /** Resolves when the first listing of every endpoint declared so far has ended, well or not. */
  async primed(): Promise<void> {
    if (this.#unattempted.size === 0) return
    await new Promise<void>(resolve => this.#awaitingPrimed.push(resolve))
  }

  /** Name of the resource that declares an endpoint; undefined while nobody does. */
  nameOf(key: EndpointKey): string | undefined {
    return this.#watches.get(key)?.endpoint.name
  }

  /** Name of the driver that serves an endpoint; undefined while nobody declares it. */
  driverOf(key: EndpointKey): DriverName | undefined {
    return this.#watches.get(key)?.endpoint.driver
  }

  /** Runs a call on the connection to an endpoint. Rejects with `Unavailable` when there is none. */
  async use<T>(key: EndpointKey, call: (connection: Connection) => Promise<T>): Promise<T> {
    const watch = this.#watches.get(key)
    if (watch === undefined) throw new DriverError('Unavailable', `Cannot reach ${key}: current state is not declared`)
    return await this.#connected(watch).use(call)
  }

  /** Stops looking: listings under way are given up, connections closed. What was seen stays in the cache. */
  async [Symbol.asyncDispose](): Promise<void> {
    const leases = [...this.#watches.values()].map(watch => this.#stop(watch))
    this.#lives.stop()
    this.#watches.clear()
    this.#owners.clear()
    this.#unattempted.clear()
    this.#tellPrimed()
    await Promise.all(leases.map(lease => lease?.retire()))
  }

  #watch(owner: string, endpoint: Endpoint): void {
    const watch: Watch = {
      endpoint,
      owner,
      lease: undefined,
      listing: undefined,
      isQueued: false,
      again: false,
      timer: undefined,
      due: 0,
      endedAt: 0,
      failures: 0,
      answered: false,
      hasJobs: false,
      wasConfirmation: false,
    }
    this.#watches.set(endpoint.key, watch)
    this.#unattempted.add(endpoint.key)
    this.#options.cache.declare(endpoint)
    this.#enqueue(watch, 0)
  }

  #rewatch(watch: Watch, owner: string, endpoint: Endpoint): void {
    const before = watch.endpoint
    watch.owner = owner
    if (equal(before, endpoint)) return
    watch.endpoint = endpoint
    const retargeted = !sameTarget(before, endpoint)
    this.#options.cache.declare(endpoint, retargeted)
    if (!retargeted && equal(before.configuration, endpoint.configuration)) return
    void watch.lease?.retire()
    watch.lease = undefined
    watch.listing?.abort()
    if (retargeted) {
      watch.failures = 0
      watch.answered = false
    }
    this.#enqueue(watch, 1)
  }

  #unwatch(key: EndpointKey): void {
    const watch = this.#watches.get(key)
    if (watch === undefined) return
    this.#watches.delete(key)
    this.#lives.forget(key)
    void this.#stop(watch)?.retire()
    this.#options.cache.forget(key)
    this.#options.cache.lives.forget(key)
    this.#attempted(key)
  }

  #stop(watch: Watch): ConnectionLease | undefined {
    const { lease } = watch
    watch.lease = undefined
    watch.timer?.cancel()
    watch.listing?.abort()
    return lease
  }

  #isWatched(watch: Watch): boolean {
    return this.#watches.get(watch.endpoint.key) === watch
  }

  #listAfter(watch: Watch, milliseconds: number): void {
    const { clock } = this.#options.environment
    watch.timer?.cancel()
    watch.due = clock.monotonic() + milliseconds
    watch.timer = clock.after(milliseconds, () => this.#enqueue(watch, watch.failures === 0 ? 0 : 1))
  }

  #enqueue(watch: Watch, priority: number): void {
    watch.timer?.cancel()
    watch.timer = undefined
    if (watch.listing !== undefined) watch.again = true
    if (watch.listing !== undefined || watch.isQueued) return
    watch.isQueued = true
    const queue = watch.failures === 0 ? this.#listings : this.#probes
    void queue.add(() => this.#list(watch), { priority })
  }

  async #list(watch: Watch): Promise<void> {
    watch.isQueued = false
    if (!this.#isWatched(watch)) return
    const { environment, cache, metrics } = this.#options
    const { key, driver } = watch.endpoint
    const type = endpointType(key)
    const begun = { moment: cache.moment(), monotonic: environment.clock.monotonic() }
    watch.listing = new AbortController()
    watch.again = false
    let outcome: 'Succeeded' | DriverErrorCode = 'Succeeded'
    let lease: ConnectionLease | undefined
    try {
      lease = this.#connected(watch)
      const inventory = await this.#read(watch.endpoint, lease, watch.listing)
      if (this.#isWatched(watch) && watch.lease === lease) this.#answered(watch, begun, inventory)
    } catch (error) {
      const failure = asDriverError(error, `Listing ${key}`)
      outcome = failure.code
      if (this.#isWatched(watch) && watch.lease === lease) this.#failed(watch, failure)
    }
    watch.listing = undefined
    watch.endedAt = environment.clock.monotonic()
    metrics?.listingEnded({ driver, type, outcome, durationMs: watch.endedAt - begun.monotonic })
    if (!this.#isWatched(watch)) return
    this.#attempted(key)
    // After a failure the pauses decide: whoever asked cannot be served sooner.
    if (watch.again && watch.failures === 0) {
      this.#enqueue(watch, 1)
      return
    }
    const situation = { ...watch, tellsEvents: lease?.connection.subscribe !== undefined, power: this.#power(watch) }
    watch.wasConfirmation = situation.power?.wantsConfirmation ?? false
    this.#listAfter(watch, nextListing(situation, this.#intervals, environment.random))
  }

  async #read({ key }: Endpoint, lease: ConnectionLease, controller: AbortController): Promise<Inventory> {
    const { cache, environment } = this.#options
    const { clock } = environment
    const { installation } = cache
    const call = { clock, deadline: this.#intervals.listingDeadline, controller, what: `Listing ${key}` }
    const inventory = await callWithDeadline(call, signal =>
      lease.use(connection => connection.inventory({ signal, installation })),
    )
    if (inventory.type === endpointType(key)) return inventory
    throw new DriverError('Internal', `Listing ${key} was answered with a listing of a ${inventory.type}`)
  }

  #answered(watch: Watch, begun: { moment: number; monotonic: number }, inventory: Inventory): void {
    const { cache, logger } = this.#options
    const { key, name } = watch.endpoint
    watch.failures = 0
    watch.answered = true
    watch.hasJobs = inventory.type !== 'PowerController' && inventory.jobs.length > 0
    if (cache.endpoint(key).answers !== 'Yes') logger.info({ endpoint: key, name }, 'Endpoint answers')
    cache.takeListing(key, begun, inventory)
  }

  /** The first failure of an endpoint that answered until now may be chance: it is tried again before anybody is told. */
  #failed(watch: Watch, { code, message }: DriverError): void {
    const { cache, logger } = this.#options
    const { key, name } = watch.endpoint
    watch.failures += 1
    if (watch.failures === 1 && watch.answered) return
    const before = cache.endpoint(key).answers
    if (silence.has(code)) cache.fallSilent(key, message)
    else cache.becomeUnreadable(key, message)
    if (cache.endpoint(key).answers === before && watch.failures > 1) return
    logger.warn({ endpoint: key, name, code, reason: message }, 'Endpoint does not answer with a listing')
    for (const controller of cache.controllersOf(key)) this.listSoon(controller)
  }

  #connected(watch: Watch): ConnectionLease {
    if (watch.lease !== undefined) return watch.lease
    const { drivers, logger } = this.#options
    const { key, driver: name } = watch.endpoint
    const driver = drivers(name)
    if (driver === undefined)
      throw new DriverError('Unavailable', `Cannot reach ${key}: driver ${name} is not available here`)
    const lease = new ConnectionLease(driver.connect(watch.endpoint, this.#means(watch.endpoint)), error =>
      logger.warn(
        { endpoint: key, reason: asDriverError(error, 'Closing').message },
        'Connection was not closed cleanly',
      ),
    )
    watch.lease = lease
    lease.hold(lease.connection.subscribe?.(event => this.#heard(watch, lease, event)))
    return lease
  }

  #means({ configuration, key }: Endpoint): ConnectMeans {
    const name = configuration.type === 'PowerController' ? configuration.credentials?.secretName : undefined
    const { secrets } = this.#options
    return {
      secret: async () => {
        if (name !== undefined && secrets !== undefined) return await secrets(name)
        throw new DriverError('Unauthenticated', `Cannot sign in at ${key}: it names no Secret`)
      },
    }
  }

  #heard(watch: Watch, lease: ConnectionLease, event: InventoryEvent): void {
    if (!this.#isWatched(watch) || watch.lease !== lease) return
    const { key, name } = watch.endpoint
    this.#options.cache.takeEvent(key, event)
    if (event.event === 'Disconnected')
      this.#options.logger.info({ endpoint: key, name, reason: event.message }, 'Endpoint lost its connection')
    if (event.event === 'Disconnected' || watch.failures > 0) this.listSoon(key)
  }

  #power({ endpoint, wasConfirmation }: Watch): PowerSituation | undefined {
    if (endpoint.configuration.type !== 'PowerController') return undefined
    const { cache } = this.#options
    const power = cache.power(endpoint.key)
    const hostIsSilent = cache.endpoint(endpoint.configuration.host).answers === 'No'
    const isUnproven = hostIsSilent && power?.power === 'Off' && !power.confirmed
    return { hostIsSilent, wantsConfirmation: isUnproven && !wasConfirmation }
  }

  #attempted(key: EndpointKey): void {
    this.#unattempted.delete(key)
    this.#tellPrimed()
  }

  #tellPrimed(): void {
    if (this.#unattempted.size > 0) return
    const awaiting = this.#awaitingPrimed
    this.#awaitingPrimed = []
    for (const tell of awaiting) tell()
  }
}

/** Makes an observer that looks nowhere yet. */
export function createObserver(options: ObserverOptions): Observer {
  return new Observer(options)
}

/** Whether two declarations of one endpoint lead to the same outside thing, perhaps by another way. */
function sameTarget(left: Endpoint, right: Endpoint): boolean {
  if (left.driver !== right.driver) return false
  return equal(targetOf(left), targetOf(right))
}

function targetOf({ configuration }: Endpoint): unknown {
  if (configuration.type === 'PrimaryStorage') return configuration.url
  return configuration
}
