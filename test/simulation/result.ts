/** What seeds come to. */
import { generate } from './generate/scenario.ts'
import { readScenario } from './kept.ts'
import type { Options } from './options.ts'
import { type Outcome, type RunOptions, run } from './run.ts'
import type { Scenario } from './scenario.ts'

/** What one seed came to. */
export interface Result {
  readonly seed: number
  readonly outcome: Outcome
  /** What it took of a processor, in seconds. */
  readonly processorSeconds: number
}

/** The scenario that the options make of a seed, or the one in the file that they name. */
export function scenarioOf(seed: number, { minutes, hosts, classes, scenario }: Options): Scenario {
  if (scenario !== undefined) return readScenario(scenario)
  return generate(seed, {
    minutes,
    ...(hosts === undefined ? {} : { hosts }),
    ...(classes === undefined ? {} : { classes }),
  })
}

/** Runs a seed. */
export async function resultOf(seed: number, options: Options, bug: RunOptions): Promise<Result> {
  const began = process.cpuUsage()
  const outcome = await run(scenarioOf(seed, options), bug)
  const { user, system } = process.cpuUsage(began)
  return { seed, outcome, processorSeconds: (user + system) / 1e6 }
}

/** Sums over seeds. */
export interface Sums {
  readonly seeds: number
  readonly virtualMinutes: number
  readonly processorSeconds: number
  readonly writes: number
  readonly failedSeeds: readonly number[]
  readonly operations: Readonly<Record<string, number>>
  readonly faultsMet: Readonly<Record<string, number>>
}

/** The sums before anything has run. */
export const nothing: Sums = {
  seeds: 0,
  virtualMinutes: 0,
  processorSeconds: 0,
  writes: 0,
  failedSeeds: [],
  operations: {},
  faultsMet: {},
}

/** The sums with one seed more. */
export function sumWith(sums: Sums, { seed, outcome, processorSeconds }: Result): Sums {
  const failed = outcome.failure === undefined ? [] : [seed]
  return {
    seeds: sums.seeds + 1,
    virtualMinutes: sums.virtualMinutes + outcome.minutes,
    processorSeconds: sums.processorSeconds + processorSeconds,
    writes: sums.writes + outcome.writes,
    failedSeeds: [...sums.failedSeeds, ...failed].sort((left, right) => left - right),
    operations: countsWith(sums.operations, outcome.operations),
    faultsMet: countsWith(sums.faultsMet, outcome.met),
  }
}

function countsWith(
  counts: Readonly<Record<string, number>>,
  more: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const sums = { ...counts }
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count
  return Object.fromEntries(Object.entries(sums).sort(([left], [right]) => (left < right ? -1 : 1)))
}
