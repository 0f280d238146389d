/** What `npm run simulate` may be told. */
import { parseArgs } from 'node:util'
import { type TroubleClass, troubleClasses } from './generate/troubles.ts'
import { type PlantedBug, plantedBugs } from './planted.ts'

/** How it is used. */
export const usage = `npm run simulate -- [options]
  --seeds N      how many seeds to run (default 20)
  --seed S       the first of them (default 1)
  --minutes M    virtual minutes with faults of each (default 60)
  --hosts N      hosts of the cloud (default: the seed draws 3 to 20)
  --classes A,B  what may go wrong: ${troubleClasses.join(', ')} (default: all)
  --workers W    processes that run seeds side by side (default 1)
  --planted BUG  plants a bug that must be found: ${plantedBugs.join(', ')}
  --scenario F   runs the scenario in a file instead: one of test/simulation/kept, or the last line that --shrink prints
  --shrink       makes the first failing scenario small, and prints its steps
  --record       begins a new run in bench/results/simulation.json, and keeps it up to date
  --resume       goes on with the runs there, after their last seed
`

/** The options, read. */
export interface Options {
  readonly seeds: number
  readonly seed: number
  readonly minutes: number
  readonly hosts: number | undefined
  readonly workers: number
  readonly classes: readonly TroubleClass[] | undefined
  readonly planted: PlantedBug | undefined
  /** The file of a scenario to be run instead of seeds. */
  readonly scenario: string | undefined
  readonly shrink: boolean
  readonly record: boolean
  readonly resume: boolean
}

/** Reads the command line. Throws RangeError or TypeError with what is wrong. */
export function readOptions(): Options {
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
      scenario: whole,
      shrink: flag,
      record: flag,
      resume: flag,
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
  if (bug !== undefined && (values.record || values.resume))
    throw new RangeError('Cannot record a run with a planted bug: leave out --record and --resume')
  if (values.scenario !== undefined && (values.record || values.resume))
    throw new RangeError('Cannot record a single scenario: leave out --record and --resume')
  return {
    seeds: values.scenario === undefined ? number('seeds', 20) : 1,
    seed: number('seed', 1),
    minutes: number('minutes', 60),
    hosts: values.hosts === undefined ? undefined : number('hosts', 1),
    workers: number('workers', 1),
    classes: values.classes === undefined ? undefined : readClasses(values.classes),
    planted: bug,
    scenario: values.scenario,
    shrink: values.shrink,
    record: values.record,
    resume: values.resume,
  }
}

function readClasses(text: string): readonly TroubleClass[] {
  return text.split(',').map(name => {
    const known = troubleClasses.find(each => each === name)
    if (known === undefined) throw new RangeError(`Cannot simulate ${name}: there are ${troubleClasses.join(', ')}`)
    return known
  })
}

/** The options that make the same scenarios again, but for their seed, as words of a command line. */
export function sameScenarios({ minutes, hosts, classes, planted, scenario }: Options): readonly string[] {
  if (scenario !== undefined) return ['--scenario', scenario]
  const others = [
    ...(hosts === undefined ? [] : ['--hosts', String(hosts)]),
    ...(classes === undefined ? [] : ['--classes', classes.join(',')]),
    ...(planted === undefined ? [] : ['--planted', planted]),
  ]
  return ['--minutes', String(minutes), ...others]
}
