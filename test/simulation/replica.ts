/** A replica of the controllers as a process that can be killed or put to sleep at any moment. */
import { noAnswer } from '../../controllers/api/api-error.ts'
import { createClient, type Writable } from '../../controllers/api/client.ts'
import { createLeadership, type Leadership } from '../../controllers/api/leader.ts'
import type { Transport } from '../../controllers/api/transport.ts'
import { type ControlPlane, startControlPlane } from '../../controllers/control-plane.ts'
import { createLogger, type LogLevel } from '../../controllers/log.ts'
import type { Environment } from '../../crds/environment.ts'
import type { Connection, Driver } from '../../drivers/contract/driver.ts'
import type { Death } from './scenario.ts'
import type { Wire } from './wire.ts'

/** What a replica lives in. */
export interface ReplicaOptions {
  readonly name: string
  readonly environment: Environment
  readonly transport: Transport
  readonly wire: Wire
  readonly driver: Driver
  /** Whether the installation was made for this start. */
  readonly isNewInstallation: boolean
  /** The CRDs to install; none where they are. */
  readonly definitions: readonly Writable[]
  /** Whether it asks for a lease before it does anything. */
  readonly sharesWork: boolean
  /** How long a request takes that arrives when its sender is dead, in ms. */
  readonly lateness: () => number
  readonly logLevel: LogLevel
  /** It died; to be replaced after so many ms. */
  readonly onDeath: (away: number) => void
}

/**
 * How often the lease is renewed, in ms: half as often as by default. Renewals were a third of the work of a run with two
 * replicas, and one that is lost weighs more this way.
 */
const retryPeriod = 4_000

/** A process with the controllers in it. */
export class Replica {
  readonly #options: ReplicaOptions
  readonly #environment: Environment
  readonly #connections = new Set<Connection>()
  readonly #watches = new AbortController()
  #isDead = false
  #sleepsUntil = 0
  #effects = 0
  #death: (Death & { readonly at: number }) | undefined
  #plane: Promise<ControlPlane> | undefined
  #leadership: Leadership | undefined

  constructor(options: ReplicaOptions) {
    this.#options = options
    const { clock, random } = options.environment
    const after = (milliseconds: number, action: () => void) => clock.after(milliseconds, () => this.#whenAwake(action))
    this.#environment = { clock: { now: clock.now, monotonic: clock.monotonic, after }, random }
  }

  get isDead(): boolean {
    return this.#isDead
  }

  /** Starts it; what goes wrong at the start ends it. */
  start(): void {
    if (!this.#options.sharesWork) {
      this.#startControllers(() => true)
      return
    }
    this.#leadership = createLeadership({
      client: createClient(this.#transport()),
      environment: this.#environment,
      name: 'simulation',
      identity: this.#options.name,
      retryPeriod,
      onAcquired: () => this.#startControllers(() => this.#leadership?.isHeld() ?? false),
      onLost: () => this.#stopControllers(),
    })
    this.#leadership.start()
  }

  /** Whether its caches are filled. */
  async isStarted(): Promise<boolean> {
    return this.#plane !== undefined && (await Promise.race([this.#plane.then(() => true), Promise.resolve(false)]))
  }

  /** Lets it die at one of its next effects. */
  dieAt(death: Death): void {
    this.#death ??= { ...death, at: this.#effects + death.after }
  }

  /** Puts it to sleep, as a machine that hangs. */
  sleep(milliseconds: number): void {
    this.#sleepsUntil = Math.max(this.#sleepsUntil, this.#environment.clock.monotonic() + milliseconds)
  }

  /** Ends it as `kill -9` does: nothing more goes out of it. */
  kill(): void {
    this.#isDead = true
    this.#watches.abort()
    for (const connection of this.#connections) void connection[Symbol.asyncDispose]()
    this.#connections.clear()
  }

  #startControllers(mayDispatch: () => boolean): void {
    const before = this.#plane
    const start = async () => {
      await before?.then(plane => plane.stop()).catch(() => undefined)
      return startControlPlane({
        transport: this.#transport(),
        installation: { id: 'installation-1', isNew: this.#options.isNewInstallation },
        environment: this.#environment,
        crds: this.#options.definitions,
        drivers: { Simulator: this.#driver() },
        logger: createLogger({ level: this.#options.logLevel, clock: this.#environment.clock }),
        mayDispatch,
      })
    }
    this.#plane = start()
    this.#plane.catch(() => {
      // As a process that could not start: whoever watches over it starts another one.
      if (!this.#isDead && mayDispatch()) this.#die(1_000)
    })
  }

  #stopControllers(): void {
    const plane = this.#plane
    this.#plane = undefined
    plane?.then(each => each.stop()).catch(() => undefined)
  }

  #die(away: number): void {
    if (this.#isDead) return
    this.kill()
    this.#options.onDeath(away)
  }

  #whenAwake(action: () => void): void {
    if (this.#isDead) return
    const { clock } = this.#options.environment
    const left = this.#sleepsUntil - clock.monotonic()
    if (left > 0) clock.after(left, () => this.#whenAwake(action))
    else action()
  }

  /** Resolves when it is awake; never, when it is dead. */
  #awake(): Promise<void> {
    return new Promise(resolve => this.#whenAwake(resolve))
  }

  /** One more effect goes out: answers what becomes of it, and dies where it is time. */
  #effect(): 'Goes' | Death['when'] {
    this.#effects++
    const death = this.#death
    if (death === undefined || this.#effects < death.at) return 'Goes'
    this.#die(death.away)
    return death.when
  }

  #transport(): Transport {
    const { transport: inner, wire, environment, lateness } = this.#options
    return {
      request: async request => {
        await this.#awake()
        const fate = request.method === 'GET' ? 'Goes' : this.#effect()
        if (fate === 'Before') return never()
        const { signal: _signal, ...rest } = request
        if (fate === 'After') void inner.request(rest)
        if (fate === 'Late') environment.clock.after(lateness(), () => void inner.request(rest))
        if (fate !== 'Goes') return never()
        const answer = await wire.request(request, () => inner.request(request), noAnswer)
        await this.#awake()
        return answer
      },
      watch: async (path, { signal, onEvent }) => {
        await this.#awake()
        const ends = AbortSignal.any([signal, this.#watches.signal])
        await wire.watch(
          path,
          { signal: ends, onEvent: (type, object) => this.#whenAwake(() => onEvent(type, object)) },
          options => inner.watch(path, options),
        )
        await this.#awake()
      },
      close: async () => undefined,
    }
  }

  #driver(): Driver {
    const { driver, environment, lateness } = this.#options
    return {
      ...driver,
      connect: endpoint => {
        const connection = driver.connect(endpoint)
        this.#connections.add(connection)
        const answered = async <T>(call: () => Promise<T>): Promise<T> => {
          try {
            return await call()
          } finally {
            await this.#awake()
          }
        }
        return {
          inventory: async options => {
            await this.#awake()
            return answered(() => connection.inventory(options))
          },
          perform: async (operation, options) => {
            await this.#awake()
            const fate = this.#effect()
            if (fate === 'Goes') return answered(() => connection.perform(operation, options))
            const send = () => {
              const { signal } = new AbortController()
              driver
                .connect(endpoint)
                .perform(operation, { ...options, signal })
                .catch(() => undefined)
            }
            if (fate === 'After') send()
            if (fate === 'Late') environment.clock.after(lateness(), send)
            return never()
          },
          ...(connection.signOfLife === undefined
            ? {}
            : {
                signOfLife: async (query, options) => {
                  await this.#awake()
                  return answered(async () => (await connection.signOfLife?.(query, options)) ?? {})
                },
              }),
          ...(connection.subscribe === undefined
            ? {}
            : {
                subscribe: listener =>
                  connection.subscribe?.(event => this.#whenAwake(() => listener(event))) ?? { [Symbol.dispose]() {} },
              }),
          [Symbol.asyncDispose]: async () => {
            this.#connections.delete(connection)
            await connection[Symbol.asyncDispose]()
          },
        }
      },
    }
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined)
}
