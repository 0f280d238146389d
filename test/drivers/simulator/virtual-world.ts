import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../../crds/environment.ts'
import type { CallOptions, Connection, InventoryEvent } from '../../../drivers/contract/driver.ts'
import type { Endpoint } from '../../../drivers/contract/endpoint.ts'
import type { MachineDefinition, MachineFacts, Mark } from '../../../drivers/contract/facts.ts'
import { operation, type Verbs } from '../../../drivers/contract/operation.ts'
import { seededRandom } from '../../../drivers/simulator/seeded-random.ts'
import { createSimulator, type Simulator, type SimulatorOptions } from '../../../drivers/simulator/simulator.ts'
import { hostEndpoint, poolEndpoint } from './fixture.ts'

/** A clock that stands still until it is told to go on. */
export class VirtualClock implements Clock {
  #time = 0
  #order = 0
  #timers: { readonly at: number; readonly order: number; readonly action: () => void }[] = []

  now(): number {
    return Date.UTC(2026, 10, 20) + this.#time
  }

  monotonic(): number {
    return this.#time
  }

  after(milliseconds: number, action: () => void) {
    const timer = { at: this.#time + milliseconds, order: this.#order++, action }
    this.#timers.push(timer)
    return {
      cancel: () => {
        this.#timers = this.#timers.filter(each => each !== timer)
      },
    }
  }

  /** Lets that much time pass; everything that falls due happens in its order, with all that follows at once. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#time + milliseconds
    await turn()
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.at - b.at || a.order - b.order)[0]
      if (next === undefined || next.at > end) break
      this.#timers = this.#timers.filter(each => each !== next)
      this.#time = Math.max(this.#time, next.at)
      next.action()
      await turn()
    }
    this.#time = end
  }
}

/** The mark that these tests' machines bear. */
export const mark: Mark = { installation: 'test', kind: 'VirtualMachine', namespace: 'shop', name: 'web' }

/** A call that nobody gives up. */
export function patient(): CallOptions {
  return { signal: new AbortController().signal, installation: 'test' }
}

/** A machine of one core without disks and NICs, or with what is given. */
export function definition(change: Partial<MachineDefinition> = {}): MachineDefinition {
  const size = { cores: 1, clockMHz: 1000, memoryBytes: 512 * 2 ** 20 }
  return { role: 'Instance', ...size, guestHostName: 'web', disks: [], nics: [], ...change }
}

/** Defines a machine, off unless `power` says otherwise. */
export function define(at: Endpoint, identity: string, change: Partial<Verbs['DefineMachine']['arguments']> = {}) {
  const args = { identity, epoch: 1, mark, definition: definition(), ...change }
  return operation('DefineMachine', { endpoint: at.key, identity }, args)
}

/** Creates a volume of 1 GiB. */
export function create(at: Endpoint, identity: string, change: Partial<Verbs['CreateVolume']['arguments']> = {}) {
  const args = { identity, epoch: 1, mark: { ...mark, kind: 'Volume' }, sizeBytes: 2 ** 30, ...change }
  return operation('CreateVolume', { endpoint: at.key, identity }, args)
}

/** Stops a machine. */
export function stop(at: Endpoint, identity: string, mode: 'Graceful' | 'Forced') {
  return operation('StopMachine', { endpoint: at.key, identity }, { identity, epoch: 1, mode })
}

/** What a promise came to, as far as it has. */
export interface Watched<T> {
  outcome: 'Pending' | 'Done' | { readonly error: unknown }
  value: T | undefined
}

/** Watches a promise without waiting for it. */
export function watch<T>(promise: Promise<T>): Watched<T> {
  const watched: Watched<T> = { outcome: 'Pending', value: undefined }
  promise.then(
    value => {
      watched.value = value
      watched.outcome = 'Done'
    },
    (error: unknown) => {
      watched.outcome = { error }
    },
  )
  return watched
}

/** Two hosts and a pool on a clock that stands still. */
export interface VirtualWorld extends AsyncDisposable {
  readonly clock: VirtualClock
  readonly simulator: Simulator
  readonly hosts: readonly [Endpoint, Endpoint]
  readonly pool: Endpoint
  /** Connections to the first host, the second one and the pool. */
  readonly first: Connection
  readonly second: Connection
  readonly storage: Connection
  /** What the first host has told so far. */
  readonly events: InventoryEvent[]
  /** The facts of a machine, on whichever host it is. */
  facts(identity: string): MachineFacts | undefined
}

/** Makes such a world; without delays unless `timing` says otherwise. */
export function virtualWorld(options: Omit<SimulatorOptions, 'environment'> = {}): VirtualWorld {
  const clock = new VirtualClock()
  const environment = { clock, random: seededRandom(7) }
  const simulator = createSimulator({ environment, seed: 7, timing: 'None', ...options })
  const hosts = [hostEndpoint('host-1'), hostEndpoint('host-2')] as const
  const pool = poolEndpoint('primary-1')
  const first = simulator.driver.connect(hosts[0])
  const events: InventoryEvent[] = []
  first.subscribe?.(event => events.push(event))
  return {
    clock,
    simulator,
    hosts,
    pool,
    first,
    second: simulator.driver.connect(hosts[1]),
    storage: simulator.driver.connect(pool),
    events,
    facts: identity => simulator.world.list().machines.find(machine => machine.identity === identity)?.facts,
    [Symbol.asyncDispose]: () => simulator[Symbol.asyncDispose](),
  }
}
