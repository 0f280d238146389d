/** Makes a scenario from a seed. */
import { Chance } from '../chance.ts'
import type { Scenario } from '../scenario.ts'
import { Model } from './model.ts'
import { describePlaces } from './places.ts'
import { describeTenants } from './tenants.ts'

/** How large a scenario is. */
export interface GeneratorOptions {
  readonly minutes: number
  /** Default 20. */
  readonly hosts?: number
  /** Default 16. */
  readonly machines?: number
}

/** The scenario of a seed. */
export function generate(seed: number, { minutes, hosts = 20, machines = 16 }: GeneratorOptions): Scenario {
  const chance = new Chance(seed)
  const model = new Model(chance)
  describePlaces(model, { hosts })
  describeTenants(model, machines)
  const steps = model.steps.toSorted((left, right) => left.at - right.at)
  return { seed, minutes, replicas: 1, steps }
}
