/** Objects of a kind by computed values, and sums over them, kept up with each change. */
import deepEqual from 'fast-deep-equal'
import type { Resource } from '../../crds/meta.ts'
import type { Amounts, Index, Totals } from '../../reconcilers/world.ts'

const nothing: readonly never[] = Object.freeze([])

/** The sums of a key that has none. */
export const noAmounts: Amounts = Object.freeze({})

/** Keys of objects by a value of an index. */
export class IndexState {
  readonly index: Index
  readonly members = new Map<string, Set<string>>()
  /** Answers given, kept until their value changes: the same reference while nothing changed. */
  readonly answers = new Map<string, readonly Resource[]>()

  constructor(index: Index) {
    this.index = index
  }

  /** An object has become another one. Answers with the values under which it was or is found. */
  change(key: string, before: Resource | undefined, after: Resource | undefined): readonly string[] {
    const old = before === undefined ? nothing : this.index.values(before)
    const next = after === undefined ? nothing : this.index.values(after)
    for (const value of old) {
      if (!next.includes(value)) {
        const members = this.members.get(value)
        members?.delete(key)
        if (members?.size === 0) this.members.delete(value)
      }
      this.answers.delete(value)
    }
    for (const value of next) {
      const members = this.members.get(value)
      if (members === undefined) this.members.set(value, new Set([key]))
      else members.add(key)
      this.answers.delete(value)
    }
    return next.length === 0 ? old : [...old, ...next.filter(value => !old.includes(value))]
  }
}

/** Sums of amounts by key. */
export class TotalsState {
  readonly totals: Totals
  readonly sums = new Map<string, Record<string, number>>()

  constructor(totals: Totals) {
    this.totals = totals
  }

  /** An object has become another one. Answers with the keys whose sums have changed. */
  change(before: Resource | undefined, after: Resource | undefined): readonly string[] {
    const touched = new Map<string, Amounts>()
    if (before !== undefined) this.#add(before, -1, touched)
    if (after !== undefined) this.#add(after, 1, touched)
    return [...touched].flatMap(([key, sums]) => {
      const now = this.sums.get(key)
      if (now !== undefined && Object.values(now).every(amount => amount === 0)) this.sums.delete(key)
      return deepEqual(sums, this.sums.get(key) ?? noAmounts) ? [] : [key]
    })
  }

  #add(resource: Resource, sign: 1 | -1, touched: Map<string, Amounts>): void {
    for (const { key, amounts } of this.totals.of(resource)) {
      const known = this.sums.get(key)
      if (!touched.has(key)) touched.set(key, known ?? noAmounts)
      const sums: Record<string, number> = { ...known }
      for (const [name, amount] of Object.entries(amounts)) sums[name] = (sums[name] ?? 0) + sign * amount
      this.sums.set(key, sums)
    }
  }
}
