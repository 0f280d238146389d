import type { Verb } from '../../drivers/contract/operation.ts'

/** How long a verb's operations took that succeeded lately. */
export interface MeasuredDuration {
  readonly verb: Verb
  /** Of how many operations, at most the last 32. */
  readonly count: number
  readonly medianMs: number
}

/** What several have measured: of each verb what the most operations say, in order of names. */
export function mergedDurations(measured: readonly MeasuredDuration[]): readonly MeasuredDuration[] {
  const most = new Map<Verb, MeasuredDuration>()
  for (const each of measured) if (each.count > (most.get(each.verb)?.count ?? 0)) most.set(each.verb, each)
  return [...most.values()].sort((left, right) => (left.verb < right.verb ? -1 : 1))
}

/** How many of each verb are remembered. */
const remembered = 32

/** What operations took lately, by verb: for those who want to know what another would take. */
export class Durations {
  readonly #last = new Map<Verb, number[]>()

  /** An operation succeeded after so many ms. */
  add(verb: Verb, milliseconds: number): void {
    const last = this.#last.get(verb)
    if (last === undefined) this.#last.set(verb, [milliseconds])
    else if (last.push(milliseconds) > remembered) last.shift()
  }

  /** Every verb that was seen, in order of names. */
  measured(): readonly MeasuredDuration[] {
    return [...this.#last.keys()].sort().map(verb => {
      const sorted = (this.#last.get(verb) ?? []).toSorted((left, right) => left - right)
      return { verb, count: sorted.length, medianMs: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0) }
    })
  }
}
