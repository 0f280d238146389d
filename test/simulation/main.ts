/** `npm run simulate`: runs seeds, and prints, replays and shrinks what fails. */
import { execFileSync, fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { projectPath } from '../../cli/repository.ts'
import { generate } from './generate/scenario.ts'
import { type TroubleClass, troubleClasses } from './generate/troubles.ts'
import { type PlantedBug, planted, plantedBugs } from './planted.ts'
import { type Outcome, run } from './run.ts'
import { describeStep, type Scenario } from './scenario.ts'
import { shrink } from './shrink.ts'

const usage = `npm run simulate -- [options]
  --seeds N      how many seeds to run (default 20)
  --seed S       the first of them (default 1)
  --minutes M    virtual minutes with faults of each (default 60)
  --hosts N      hosts of the cloud (default 20)
  --classes A,B  what may go wrong: ${troubleClasses.join(', ')} (default: all but Store)
  --workers W    processes that run seeds side by side (default 1)
  --planted BUG  plants a bug that must be found: ${plantedBugs.join(', ')}
  --shrink       makes the first failing scenario small, and prints its steps
  --record       writes bench/results/simulation.json
`

interface Options {
  readonly seeds: number
  readonly seed: number
  readonly minutes: number
  readonly hosts: number
  readonly workers: number
  readonly classes: readonly TroubleClass[] | undefined
  readonly planted: PlantedBug | undefined
  readonly shrink: boolean
  readonly record: boolean
}

/** What one seed came to. */
interface Result {
  readonly seed: number
  readonly outcome: Outcome
}

function readOptions(): Options {
  const whole = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({
    options: {
      seeds: whole,
      seed: whole,
      minutes: whole,
      hosts: whole,
      workers: whole,
      planted: whole,
      classes: whole,
      shrink: flag,
      record: flag,
    },
  })
  const number = (name: 'seeds' | 'seed' | 'minutes' | 'hosts' | 'workers', otherwise: number) => {
    const value = values[name] === undefined ? otherwise : Number(values[name])
    if (!(value > 0)) throw new RangeError(`Cannot simulate: --${name} is ${values[name]}, not a number above 0`)
    return value
  }
  const bug = plantedBugs.find(each => each === values.planted)
  if (values.planted !== undefined && bug === undefined)
    throw new RangeError(`Cannot plant ${values.planted}: there are ${plantedBugs.join(', ')}`)
  return {
    seeds: number('seeds', 20),
    seed: number('seed', 1),
    minutes: number('minutes', 60),
    hosts: number('hosts', 20),
    workers: number('workers', 1),
    classes: values.classes === undefined ? undefined : readClasses(values.classes),
    planted: bug,
    shrink: values.shrink,
    record: values.record,
  }
}

function readClasses(text: string): readonly TroubleClass[] {
  return text.split(',').map(name => {
    const known = troubleClasses.find(each => each === name)
    if (known === undefined) throw new RangeError(`Cannot simulate ${name}: there are ${troubleClasses.join(', ')}`)
    return known
  })
}

function scenarioOf(seed: number, { minutes, hosts, classes }: Options): Scenario {
  return generate(seed, { minutes, hosts, ...(classes === undefined ? {} : { classes }) })
}

/** The options that make the same scenarios again. */
function sameScenarios({ minutes, hosts, classes, planted: bug }: Options): readonly string[] {
  const others = [
    ...(classes === undefined ? [] : ['--classes', classes.join(',')]),
    ...(bug === undefined ? [] : ['--planted', bug]),
  ]
  return ['--minutes', String(minutes), '--hosts', String(hosts), ...others]
}

async function runSeeds(options: Options, tell: (result: Result) => void): Promise<void> {
  for (let seed = options.seed; seed < options.seed + options.seeds; seed++) {
    tell({ seed, outcome: await run(scenarioOf(seed, options), planted(options.planted)) })
  }
}

/** Runs the seeds in several processes, each a run of them. */
async function runInWorkers(options: Options, tell: (result: Result) => void): Promise<void> {
  const share = Math.ceil(options.seeds / options.workers)
  const parts = Array.from({ length: options.workers }, (_, index) => {
    const first = options.seed + index * share
    return { first, count: Math.min(share, options.seed + options.seeds - first) }
  }).filter(({ count }) => count > 0)
  await Promise.all(
    parts.map(
      ({ first, count }) =>
        new Promise<void>((resolve, reject) => {
          const given = ['--seed', String(first), '--seeds', String(count), ...sameScenarios(options)]
          const child = fork(import.meta.filename, given)
          child.on('message', message => tell(message as Result))
          child.on('exit', code => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))))
        }),
    ),
  )
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

/** Sums over all outcomes. */
function total(outcomes: readonly Outcome[]) {
  const met: Record<string, number> = {}
  const operations: Record<string, number> = {}
  for (const outcome of outcomes) {
    for (const [name, count] of Object.entries(outcome.met)) met[name] = (met[name] ?? 0) + count
    for (const [name, count] of Object.entries(outcome.operations)) operations[name] = (operations[name] ?? 0) + count
  }
  return {
    minutes: Math.round(outcomes.reduce((sum, { minutes }) => sum + minutes, 0)),
    writes: outcomes.reduce((sum, { writes }) => sum + writes, 0),
    operations,
    met,
  }
}

function sorted(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).sort(([left], [right]) => (left < right ? -1 : 1)))
}

async function main(): Promise<void> {
  const options = readOptions()
  const isWorker = process.send !== undefined
  const results: Result[] = []
  const began = { time: performance.now(), cpu: process.cpuUsage() }
  const tell = (result: Result) => {
    results.push(result)
    if (isWorker) process.send?.(result)
    else tellFailure(result, options)
  }
  await (options.workers > 1 ? runInWorkers(options, tell) : runSeeds(options, tell))
  if (isWorker) {
    process.disconnect?.()
    return
  }
  const seconds = (performance.now() - began.time) / 1000
  const { user, system } = process.cpuUsage(began.cpu)
  const sums = total(results.map(({ outcome }) => outcome))
  const failed = results.filter(({ outcome }) => outcome.failure !== undefined).sort((a, b) => a.seed - b.seed)
  const rate = Math.round(sums.minutes / seconds)
  const cpuRate = options.workers > 1 ? undefined : Math.round(sums.minutes / ((user + system) / 1e6))
  process.stdout.write(
    `${results.length} seeds from ${options.seed}, ${sums.minutes} virtual minutes in ${seconds.toFixed(1)} s: ${rate} a second${cpuRate === undefined ? '' : ` (${cpuRate} a second of processor time)`}; ${sums.writes} writes; ${failed.length} failed\n`,
  )
  if (options.record) record(options, { ...sums, seconds, rate, cpuRate, failed: failed.map(({ seed }) => seed) })
  const [first] = failed
  if (options.shrink && first !== undefined) await tellSmallest(first, options)
  if (failed.length > 0) process.exitCode = 1
}

function record(
  { seeds, seed, minutes, hosts, workers }: Options,
  figures: ReturnType<typeof total> & { seconds: number; rate: number; cpuRate: number | undefined; failed: number[] },
): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const result = {
    name: 'simulation',
    size: { seeds, firstSeed: seed, minutesWithFaults: minutes, hosts, workers },
    figures: {
      virtualMinutes: figures.minutes,
      seconds: Number(figures.seconds.toFixed(1)),
      virtualMinutesPerSecond: figures.rate,
      virtualMinutesPerProcessorSecond: figures.cpuRate,
      writes: figures.writes,
      failedSeeds: figures.failed,
      operations: sorted(figures.operations),
      faultsMet: sorted(figures.met),
    },
    machine: `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}`,
    commit,
  }
  writeFileSync(projectPath('bench/results/simulation.json'), `${JSON.stringify(result, undefined, 2)}\n`)
}

try {
  await main()
} catch (error) {
  if (!(error instanceof RangeError) && !(error instanceof TypeError)) throw error
  process.stderr.write(`${error.message}\n\n${usage}`)
  process.exitCode = 2
}
