import type { Condition } from '../crds/meta.ts'

/** What one count is of. */
export type ConditionLabels = Record<'kind' | 'place' | 'condition' | 'status' | 'reason', string>

interface Count {
  readonly labels: ConditionLabels
  count: number
}

/** How many objects have which condition with which status and reason, kept up change by change. */
export class ConditionCounts {
  readonly #counts = new Map<string, Count>()

  /** An object's conditions changed: appeared (no before), moved, or went with it (no after). */
  change(
    kind: string,
    place: string,
    before: readonly Condition[] | undefined = [],
    after: readonly Condition[] | undefined = [],
  ): void {
    // Most changes move one condition of many: what counts the same before and after is left alone.
    before.forEach((condition, index) => {
      if (!countsAs(condition, after[index])) this.#add(kind, place, condition, -1)
    })
    after.forEach((condition, index) => {
      if (!countsAs(condition, before[index])) this.#add(kind, place, condition, 1)
    })
  }

  /** All counts that are not 0. */
  all(): Iterable<{ readonly labels: ConditionLabels; readonly count: number }> {
    return this.#counts.values()
  }

  #add(kind: string, place: string, { type, status, reason }: Condition, change: number): void {
    const key = `${kind}\n${place}\n${type}\n${status}\n${reason}`
    const known = this.#counts.get(key)
    if (known === undefined) {
      this.#counts.set(key, { labels: { kind, place, condition: type, status, reason }, count: change })
      return
    }
    known.count += change
    if (known.count === 0) this.#counts.delete(key)
  }
}

function countsAs(left: Condition, right: Condition | undefined): boolean {
  return right !== undefined && left.type === right.type && left.status === right.status && left.reason === right.reason
}
