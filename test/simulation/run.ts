/** Runs a scenario: steps with faults first, then a closing phase without, in which everything must come to rest. */

import type { Transport } from '../../controllers/api/transport.ts'
import type { LogLevel } from '../../controllers/log.ts'
import type { Clock } from '../../crds/environment.ts'
import type { Driver } from '../../drivers/contract/driver.ts'
import { Broken } from './broken.ts'
import { Chance } from './chance.ts'
import { close } from './closing.ts'
import { Watchman } from './invariants.ts'
import { perform } from './perform.ts'
import { Places } from './places.ts'
import { withoutReality } from './reality.ts'
import type { Scenario } from './scenario.ts'
import { SimulatedCloud } from './simulated-cloud.ts'

/** What a run came to. */
export interface Outcome {
  /** The first broken invariant; left out where none was. */
  readonly failure?: Failure
  /** Hash of everything written and done: the same scenario gives the same. */
  readonly trace: string
  /** Virtual minutes that passed, the closing phase included. */
  readonly minutes: number
  /** Writes to the API. */
  readonly writes: number
  /** Operations that changed the world, by verb. */
  readonly operations: Readonly<Record<string, number>>
  /** Faults that were met. */
  readonly met: Readonly<Record<string, number>>
}

/** A broken invariant. */
export interface Failure {
  readonly invariant: string
  readonly message: string
  /** Virtual minutes from the beginning. */
  readonly atMinute: number
}

/** How to run. */
export interface RunOptions {
  readonly logLevel?: LogLevel
  readonly plantDriver?: (driver: Driver) => Driver
  readonly plantTransport?: (transport: Transport) => Transport
  /** Told of every step as it is done. */
  readonly onStep?: (index: number, cloud: SimulatedCloud) => void
  /** Skips the closing phase. */
  readonly opening?: boolean
}

/** Runs a scenario with nothing real at hand. */
export async function run(scenario: Scenario, options: RunOptions = {}): Promise<Outcome> {
  let clock: Clock = stillClock
  const chance = new Chance(scenario.seed)
  const substitute = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    chance: () => chance.between(0, 999_999) / 1_000_000,
  }
  const { result, escapes } = await withoutReality(substitute, () =>
    play(scenario, options, cloud => {
      clock = cloud.environment.clock
    }),
  )
  const [first] = escapes
  if (first === undefined) return result
  return {
    ...result,
    failure: { invariant: 'Reality', message: `${first.what} was used\n${first.stack}`, atMinute: 0 },
  }
}

/** Before there is a cloud, no time passes. */
const stillClock: Clock = { now: () => 0, monotonic: () => 0, after: () => ({ cancel() {} }) }

async function play(scenario: Scenario, options: RunOptions, made: (cloud: SimulatedCloud) => void): Promise<Outcome> {
  const watchman = new Watchman(() => cloud)
  const cloud: SimulatedCloud = new SimulatedCloud({ ...scenario, ...options, check: () => watchman.check() })
  const places = new Places(cloud)
  const stage = { cloud, watchman, places }
  made(cloud)
  const began = cloud.environment.clock.monotonic()
  const minutes = () => (cloud.environment.clock.monotonic() - began) / 60_000
  let failure: Failure | undefined
  const faults = new Map<string, number>()
  try {
    await cloud.start()
    for (const [index, step] of scenario.steps.entries()) {
      const pause = began + step.at - cloud.environment.clock.monotonic()
      if (pause > 0) await cloud.environment.advance(pause)
      options.onStep?.(index, cloud)
      if (step.do !== 'Apply' && step.do !== 'Delete') await cloud.retry()
      await perform(step, stage)
      const name = nameOf(step)
      if (name !== undefined) faults.set(name, (faults.get(name) ?? 0) + 1)
    }
    const left = began + scenario.minutes * 60_000 - cloud.environment.clock.monotonic()
    if (left > 0) await cloud.environment.advance(left)
    const [refused] = cloud.refused
    if (refused !== undefined) throw new Broken('InvalidManifest', refused)
    if (!options.opening) await close(stage)
  } catch (error) {
    failure = failureOf(error, minutes())
  }
  const outcome = {
    ...(failure === undefined ? {} : { failure }),
    trace: cloud.trace(),
    minutes: minutes(),
    writes: cloud.stored.writes,
    operations: watchman.done,
    met: { ...Object.fromEntries(faults), ...cloud.wire.met },
  }
  await cloud.close().catch(() => undefined)
  return outcome
}

function failureOf(error: unknown, atMinute: number): Failure {
  if (error instanceof Broken) return { invariant: error.invariant, message: error.message, atMinute }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { invariant: 'Crash', message, atMinute }
}

function nameOf(step: Scenario['steps'][number]): string | undefined {
  if (step.do === 'Place') return step.trouble
  if (step.do === 'Outside') return step.change
  if (step.do === 'Fault') return `${step.fault.effect} ${step.fault.when ?? 'Before'}`
  if (step.do === 'Kill') return `Kill ${step.when}`
  if (['Apply', 'Delete', 'Forget', 'Wire'].includes(step.do)) return undefined
  return step.do
}
