/** Seeds that once broke an invariant, kept as regression tests with what each found. */
import type { GeneratorOptions } from './generate/scenario.ts'

/** A seed that is kept. A generator that has changed since may make something else of it: stories tell each finding too. */
export interface KeptSeed {
  readonly seed: number
  readonly options: GeneratorOptions
  readonly found: string
}

/** All of them. */
export const keptSeeds: readonly KeptSeed[] = []
