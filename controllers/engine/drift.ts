import type { Drift } from '../../crds/common.ts'
import type { Comparison, Difference } from '../../reconcilers/fields.ts'

/** What is remembered of an object's fields between passes: only while this process lives. */
export interface FieldMemory {
  /** What was found in the last pass. */
  readonly found: object
  /** The differences of the last pass, though its status may not be written yet. */
  readonly drift: readonly Drift[]
}

/** What the drift of an object is told from. */
export interface DriftInput {
  readonly comparison: Comparison
  readonly memory: FieldMemory | undefined
  /** What the status says. */
  readonly told: readonly Drift[]
  /** Whether the spec has changed since the status was written. */
  readonly isNewWish: boolean
  /** Whether operations are held back by wish. */
  readonly observing: boolean
  /** Whether nothing is being done because something must be changed first. */
  readonly stalled: boolean
  readonly now: string
}

/** The differences as the status tells them. One that is known keeps when it was first seen, and what it came from. */
export function driftFrom(input: DriftInput): readonly Drift[] {
  const known = input.memory?.drift ?? input.told
  return input.comparison.differences.map(difference => {
    const before = known.find(({ path }) => path === difference.path)
    const source = before?.source ?? sourceOf(difference, input)
    return { ...difference, source, since: before?.since ?? input.now, decision: decisionOn(difference, input) }
  })
}

function sourceOf({ path }: Difference, { comparison, memory, isNewWish }: DriftInput): Drift['source'] {
  if (memory !== undefined) return comparison.movedSince(memory.found, path) ? 'OutOfBand' : 'Wish'
  return isNewWish ? 'Wish' : 'Unknown'
}

function decisionOn(difference: Difference, { comparison, observing, stalled }: DriftInput): Drift['decision'] {
  if (observing) return 'Observing'
  const decision = comparison.decide(difference)
  return decision === 'Enforcing' && stalled ? 'Refused' : decision
}
