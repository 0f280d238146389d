/** A replica of the controllers as a process that can be killed or put to sleep at any moment. */
import { noAnswer } from '../../controllers/api/api-error.ts'
import type { Writable } from '../../controllers/api/client.ts'
import type { Transport } from '../../controllers/api/transport.ts'
import { startControlPlane } from '../../controllers/control-plane.ts'
import type { ControllerProcessOptions } from '../../controllers/controller-process.ts'
import { createLogger, type LogLevel } from '../../controllers/log.ts'
import { startReplica } from '../../controllers/sharding/replica.ts'
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
  /** Whether it shares the work with others. */
  readonly sharesWork: boolean
  /** See `ControllerProcessOptions`. */
  readonly resyncInterval?: number
  /** How long a request takes that arrives when its sender is dead, in ms. */
  readonly lateness: () => number
  readonly logLevel: LogLevel
  /** It died; to be replaced after so many ms. */
  readonly onDeath: (away: number) => void
}

/**
 * How often leases are renewed, in ms: half as often as by default. Renewals were a third of the work of a run with two
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

  constructor(options: ReplicaOptions) {
    this.#options = options
    const { clock, random } = options.environment
    const after = (milliseconds: number, action: () => void) => clock.after(milliseconds, () => this.#whenAwake(action))
    this.#environment = { clock: { now: clock.now, monotonic: clock.monotonic, after }, random }
  }

  get isDead(): boolean {
    return this.#isDead
  }

  /** Starts it; what goes wrong ends it. */
  start(): void {
    const { name, isNewInstallation, definitions, sharesWork, logLevel, resyncInterval } = this.#options
    const options: ControllerProcessOptions = {
      transport: this.#transport(),
      installation: { id: 'installation-1', isNew: isNewInstallation },
      environment: this.#environment,
      crds: definitions,
      drivers: { Simulator: this.#driver() },
      logger: createLogger({ level: logLevel, clock: this.#environment.clock }),
      ...(resyncInterval === undefined ? {} : { resyncInterval }),
    }
    // As a process that cannot go on: whoever watches over it starts another one.
    const fail = () => this.#die(1_000)
    const starting = sharesWork
      ? startReplica({ ...options, identity: name, retryPeriod, onFailure: fail })
      : startControlPlane(options)
    starting.catch(fail)
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
