/** The record of long runs: `bench/results/simulation.json`, kept up to date while one goes on. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { globSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { projectPath } from '../../cli/repository.ts'
import type { Options } from './options.ts'
import { nothing, type Result, type Sums, sumWith } from './result.ts'

/** Where the record is kept. */
export const recordFile = projectPath('bench/results/simulation.json')

/** What decides what a seed comes to. */
const sources = '{apiserver,cli,controllers,crds,drivers,reconcilers,test/simulation}/**/*.ts'

/** What makes the scenarios of a run. */
type Size = Pick<Options, 'seed' | 'minutes' | 'hosts' | 'classes'>

/** A run of seeds, one after the other without a gap, on the same sources. */
export interface RecordedRun {
  readonly firstSeed: number
  readonly minutesWithFaults: number
  readonly hosts: number | 'drawn by the seed'
  readonly classes?: readonly string[]
  readonly figures: Sums
  readonly machine: string
  readonly commit: string
  /** A hash of all that decides what a seed comes to. */
  readonly sources: string
}

interface Recorded {
  readonly name: 'simulation'
  readonly total: {
    readonly seeds: number
    readonly virtualMinutes: number
    readonly virtualMinutesPerProcessorSecond: number
    readonly failedSeeds: readonly number[]
  }
  readonly runs: readonly RecordedRun[]
}

/** Takes results in any order, and records those that leave no gap. */
export class Recording {
  readonly #before: readonly RecordedRun[]
  readonly #waiting = new Map<number, Result>()
  readonly #file: string
  #run: RecordedRun

  private constructor(file: string, before: readonly RecordedRun[], run: RecordedRun) {
    this.#file = file
    this.#before = before
    this.#run = run
  }

  /** Begins a record, in which no older run stays. */
  static begin(options: Size, file = recordFile): Recording {
    return new Recording(file, [], runOf(options))
  }

  /** Goes on after the last recorded seed; as the same run where the sources and sizes are the same. */
  static resume(options: Size, file = recordFile): Recording {
    const { runs } = JSON.parse(readFileSync(file, 'utf8')) as Recorded
    const last = runs.at(-1)
    if (last === undefined) return Recording.begin(options, file)
    const next = runOf({ ...options, seed: last.firstSeed + last.figures.seeds })
    if (!isContinued(last, next)) return new Recording(file, runs, next)
    return new Recording(file, runs.slice(0, -1), { ...last, commit: next.commit })
  }

  /** The seed after the last recorded one. */
  get nextSeed(): number {
    return this.#run.firstSeed + this.#run.figures.seeds
  }

  /** Notes a result; every so many seeds the file is written. */
  note(result: Result): void {
    this.#waiting.set(result.seed, result)
    for (let next = this.#waiting.get(this.nextSeed); next !== undefined; next = this.#waiting.get(this.nextSeed)) {
      this.#waiting.delete(next.seed)
      this.#run = { ...this.#run, figures: sumWith(this.#run.figures, next) }
      if (this.#run.figures.seeds % 20 === 0) this.write()
    }
  }

  /** Writes the file. */
  write(): void {
    const runs = [...this.#before, this.#run].filter(({ figures }) => figures.seeds > 0).map(rounded)
    const sum = (of: (run: RecordedRun) => number) => runs.reduce((all, run) => all + of(run), 0)
    const virtualMinutes = sum(({ figures }) => figures.virtualMinutes)
    const recorded: Recorded = {
      name: 'simulation',
      total: {
        seeds: sum(({ figures }) => figures.seeds),
        virtualMinutes,
        virtualMinutesPerProcessorSecond: Math.round(virtualMinutes / sum(({ figures }) => figures.processorSeconds)),
        failedSeeds: runs.flatMap(({ figures }) => figures.failedSeeds),
      },
      runs,
    }
    writeFileSync(`${this.#file}.new`, `${JSON.stringify(recorded, undefined, 2)}\n`)
    renameSync(`${this.#file}.new`, this.#file)
  }
}

function runOf({ seed, minutes, hosts, classes }: Size): RecordedRun {
  return {
    firstSeed: seed,
    minutesWithFaults: minutes,
    hosts: hosts ?? 'drawn by the seed',
    ...(classes === undefined ? {} : { classes }),
    figures: nothing,
    machine: `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}`,
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', cwd: projectPath('.') }).trim(),
    sources: sourcesHash(),
  }
}

function isContinued(last: RecordedRun, next: RecordedRun): boolean {
  const shape = ({ minutesWithFaults, hosts, classes, machine, sources }: RecordedRun) =>
    JSON.stringify([minutesWithFaults, hosts, classes, machine, sources])
  return shape(last) === shape(next)
}

function sourcesHash(): string {
  const hash = createHash('sha256')
  for (const file of [...globSync(sources, { cwd: projectPath('.') }), 'package-lock.json'].sort())
    hash.update(file).update(readFileSync(projectPath(file)))
  return hash.digest('hex').slice(0, 16)
}

function rounded(run: RecordedRun): RecordedRun {
  const { virtualMinutes, processorSeconds } = run.figures
  const figures = {
    ...run.figures,
    virtualMinutes: Math.round(virtualMinutes),
    processorSeconds: Math.round(processorSeconds),
  }
  return { ...run, figures }
}
