import type { Environment } from '../../crds/environment.ts'
import type { Driver } from '../contract/driver.ts'
import { SimulatedConnection } from './connection.ts'
import { Faults } from './faults.ts'
import { resume, type Simulation } from './guests.ts'
import { Journal } from './journal.ts'
import { resumeMigrations } from './migration-verbs.ts'
import { restore } from './restore.ts'
import { seededRandom } from './seeded-random.ts'
import { resumeWatchdogs } from './silence.ts'
import { State } from './state.ts'
import { defaultTiming, noTiming, type Timing } from './timing.ts'
import { World } from './world.ts'
import type { WorldStore } from './world-store.ts'

/** How a simulated world is made. */
export interface SimulatorOptions {
  readonly environment: Environment
  /** Keeps the world. Default: it is in memory only. */
  readonly store?: WorldStore
  /** Decides jitter, chances of faults and made-up identities. Default: drawn from the environment's chance. */
  readonly seed?: number
  /** How long things take, in ms; what is left out is small (`defaultTiming`). `None`: nothing takes any time. */
  readonly timing?: 'None' | Partial<Timing>
  /** Called once when the store fails; from then on every call fails. Default: nothing. */
  readonly onFailure?: (error: Error) => void
}

/** A simulated world with its driver. */
export interface Simulator extends AsyncDisposable {
  readonly driver: Driver
  readonly world: World
  /** The seed that makes the same world again from the same calls. */
  readonly seed: number
}

/** Makes a simulated world, or takes up the one that the store kept. Throws `Error` where that cannot be read. */
export function createSimulator(options: SimulatorOptions): Simulator {
  const { environment, store } = options
  const seed = options.seed ?? Math.floor(environment.random.next() * 2 ** 32)
  const random = seededRandom(seed)
  const timing = options.timing === 'None' ? noTiming : { ...defaultTiming, ...options.timing }
  const journal = new Journal(environment.clock)
  const faults = new Faults(random)
  const onFailure = options.onFailure ?? (() => undefined)
  const state = new State({ clock: environment.clock, journal, faults, store, onFailure })
  const simulation: Simulation = { state, timing, random }
  if (store !== undefined) {
    restore(state, store.load())
    resume(simulation)
    resumeMigrations(simulation)
    resumeWatchdogs(simulation)
  }
  return {
    driver: {
      name: 'Simulator',
      serves: ['Host', 'PrimaryStorage', 'SecondaryStorage', 'PowerController'],
      connect: endpoint => new SimulatedConnection(simulation, endpoint),
    },
    world: new World(simulation, { faults, journal }),
    seed,
    async [Symbol.asyncDispose]() {
      for (const host of state.hosts.values()) {
        host.bootTimer?.cancel()
        for (const { timer, migration } of host.machines.values()) {
          timer?.cancel()
          migration?.timer?.cancel()
        }
      }
      await store?.close()
    },
  }
}
