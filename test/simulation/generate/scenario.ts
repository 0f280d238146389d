/** Makes a scenario from a seed. */
import { Chance } from '../chance.ts'
import type { Scenario } from '../scenario.ts'
import { edit } from './edits.ts'
import { Model } from './model.ts'
import { describePlaces } from './places.ts'
import { addForeigners } from './takeovers.ts'
import { describeTenants } from './tenants.ts'
import { type TroubleClass, trouble, troubleClasses } from './troubles.ts'

/** How large a scenario is. */
export interface GeneratorOptions {
  /** Virtual minutes until the faults stop. */
  readonly minutes: number
  /** Default: drawn by the seed, 3 to 20, few more often. */
  readonly hosts?: number
  /** How many machines there are at first. Default: drawn by the seed, 3 to 14, few more often. */
  readonly machines?: number
  /** What may go wrong. Default: every class. */
  readonly classes?: readonly TroubleClass[]
}

/** The mean pause between two bursts of edits and troubles, in ms. */
const meanPause = 180_000

/** The scenario of a seed. */
export function generate(seed: number, options: GeneratorOptions): Scenario {
  const { minutes, classes = troubleClasses } = options
  const chance = new Chance(seed)
  const { hosts = drawHosts(chance), machines = drawMachines(chance) } = options
  const model = new Model(chance)
  describePlaces(model, { hosts })
  describeTenants(model, machines)
  // Each scenario has a few classes of trouble: what one alone brings to light is easier to see.
  const troubled = chance.some(classes, chance.pick([0.3, 0.6, 1]))
  const replicas = classes.includes('Kills') && chance.happens(0.25) ? 2 : 1
  const end = minutes * 60_000
  model.at = chance.between(10_000, 30_000)
  addForeigners(model)
  while (model.at < end) {
    for (let count = chance.between(1, 4); count > 0; count--) {
      if (chance.happens(0.5)) edit(model)
      else trouble(model, troubled)
      model.at += chance.pick([0, 0, 5, 50, 500, 5_000])
    }
    model.at += chance.between(0, 2 * meanPause)
  }
  // By the seed alone: nothing else of a scenario changes with them.
  const eventLag = seed % 3 === 0 ? 0 : 1 + (seed % 40)
  return { seed, minutes, replicas, eventLag, withoutResync: seed % 2 === 1, steps: model.steps }
}

function drawHosts(chance: Chance): number {
  return chance.weighted([
    [6, chance.between(3, 6)],
    [3, chance.between(7, 12)],
    [1, chance.between(13, 20)],
  ])
}

function drawMachines(chance: Chance): number {
  return chance.weighted([
    [3, chance.between(3, 7)],
    [2, chance.between(8, 14)],
  ])
}
