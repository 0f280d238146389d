/** Scenarios that once broke an invariant, kept as they were: of their seeds a generator that has changed makes others. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectPath } from '../../cli/repository.ts'
import type { Scenario } from './scenario.ts'

/** A scenario that is kept. */
export interface KeptScenario {
  /** What it once found. */
  readonly found: string
  readonly scenario: Scenario
}

/** All of them, by the names of their files. */
export function keptScenarios(): ReadonlyMap<string, KeptScenario> {
  const directory = projectPath('test/simulation/kept')
  const names = readdirSync(directory).filter(name => name.endsWith('.json'))
  return new Map(names.toSorted().map(name => [name.replace('.json', ''), readKept(join(directory, name))]))
}

function readKept(path: string): KeptScenario {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** Reads a scenario from a file: one that is kept, or what `--shrink` printed. Throws RangeError where it is none. */
export function readScenario(path: string): Scenario {
  const scenario = scenarioIn(readFileSync(path, 'utf8'))
  const { seed, minutes, replicas, steps } = scenario
  if (seed === undefined || minutes === undefined || replicas === undefined || !Array.isArray(steps)) {
    throw new RangeError(`Cannot run ${path}: a scenario is JSON with seed, minutes, replicas and steps`)
  }
  return { ...scenario, seed, minutes, replicas, steps }
}

function scenarioIn(text: string): Partial<Scenario> {
  try {
    const read: Partial<KeptScenario> & Partial<Scenario> = JSON.parse(text)
    return read.scenario ?? read
  } catch {
    return {}
  }
}
