/** `npm run simulate`: runs seeds, and prints, replays and shrinks what fails. */
import { type Options, readOptions, sameScenarios, usage } from './options.ts'
import { planted } from './planted.ts'
import { Recording } from './record.ts'
import { nothing, type Result, resultOf, scenarioOf, sumWith } from './result.ts'
import { run } from './run.ts'
import { describeStep } from './scenario.ts'
import { shrink } from './shrink.ts'
import { runInWorkers } from './workers.ts'

type Tell = (result: Result) => void

async function runSeeds(options: Options, tell: Tell): Promise<void> {
  if (options.workers > 1) return runInWorkers(options, tell)
  for (let seed = options.seed; seed < options.seed + options.seeds; seed++)
    tell(await resultOf(seed, options, planted(options.planted)))
}

function tellFailure({ seed, outcome: { failure, trace } }: Result, options: Options): void {
  if (failure === undefined) return
  process.stdout.write(
    `seed ${seed} broke ${failure.invariant} after ${failure.atMinute.toFixed(2)} minutes (trace ${trace})\n` +
      `${failure.message.replace(/^/gm, '  ')}\n` +
      `  replay: npm run simulate -- --seed ${seed} --seeds 1 ${sameScenarios(options).join(' ')} --shrink\n`,
  )
}

async function tellSmallest({ seed, outcome }: Result, options: Options): Promise<void> {
  const bug = planted(options.planted)
  const smallest = await shrink(scenarioOf(seed, options), outcome, { run: scenario => run(scenario, bug) })
  const { scenario } = smallest
  process.stdout.write(
    `smallest scenario: ${scenario.steps.length} steps, ${scenario.minutes.toFixed(1)} minutes, trace ${smallest.outcome.trace}\n` +
      `  ${smallest.outcome.failure?.message.replaceAll('\n', '\n  ')}\n` +
      `${scenario.steps.map(describeStep).join('\n')}\n${JSON.stringify(scenario)}\n`,
  )
}

function recordingFor(options: Options): Recording | undefined {
  if (options.resume) return Recording.resume(options)
  return options.record ? Recording.begin(options) : undefined
}

async function main(): Promise<void> {
  const given = readOptions()
  const recording = recordingFor(given)
  const options = { ...given, seed: recording?.nextSeed ?? given.seed }
  const began = performance.now()
  let sums = nothing
  let firstFailed: Result | undefined
  await runSeeds(options, result => {
    sums = sumWith(sums, result)
    recording?.note(result)
    tellFailure(result, options)
    if (result.outcome.failure !== undefined && result.seed <= (firstFailed?.seed ?? result.seed)) firstFailed = result
  })
  recording?.write()
  const seconds = (performance.now() - began) / 1000
  const rate = (per: number) => Math.round(sums.virtualMinutes / per)
  process.stdout.write(
    `${sums.seeds} seeds from ${options.seed}, ${Math.round(sums.virtualMinutes)} virtual minutes in ${seconds.toFixed(1)} s: ` +
      `${rate(seconds)} a second (${rate(sums.processorSeconds)} a second of processor time); ` +
      `${sums.writes} writes; ${sums.failedSeeds.length} failed\n`,
  )
  if (options.shrink && firstFailed !== undefined) await tellSmallest(firstFailed, options)
  if (firstFailed !== undefined) process.exitCode = 1
}

try {
  await main()
} catch (error) {
  if (!(error instanceof RangeError) && !(error instanceof TypeError)) throw error
  process.stderr.write(`${error.message}\n\n${usage}`)
  process.exitCode = 2
}
