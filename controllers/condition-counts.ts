import type { Condition } from '../crds/meta.ts'

/** What one count is of. */
export type ConditionLabels = Record<'kind' | 'zone' | 'condition' | 'status' | 'reason', string>

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
    zone: string,
    before: readonly Condition[] | undefined,
    after: readonly Condition[] | undefined,
  ): void {
    for (const condition of before ?? []) this.#add(kind, zone, condition, -1)
    for (const condition of after ?? []) this.#add(kind, zone, condition, 1)
  }

  /** All counts that are not 0. */
  all(): Iterable<{ readonly labels: ConditionLabels; readonly count: number }> {
    return this.#counts.values()
  }

  #add(kind: string, zone: string, { type, status, reason }: Condition, change: number): void {
    const key = `${kind}\n${zone}\n${type}\n${status}\n${reason}`
    const known = this.#counts.get(key)
    if (known === undefined) {
      this.#counts.set(key, { labels: { kind, zone, condition: type, status, reason }, count: change })
      return
    }
    known.count += change
    if (known.count === 0) this.#counts.delete(key)
  }
}
