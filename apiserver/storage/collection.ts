import { Audience } from './audience.ts'
import type { Entry } from './entry.ts'
import type { History, StoreEvent } from './history.ts'

/** All objects of one resource: by key, in key order, and what happened to them lately. */
export class Collection {
  readonly entries = new Map<string, Entry>()
  readonly history: History
  /** Called in every commit that touches the resource, before its writer is answered. */
  readonly listeners = new Set<() => void>()
  /** Whoever follows what happens to the resource. */
  readonly audience = new Audience()
  #ordered: readonly Entry[] = []
  /** What has changed since somebody asked for the order; undefined: it is gone. */
  readonly #unordered = new Map<string, Entry | undefined>()

  constructor(history: History) {
    this.history = history
  }

  apply(event: StoreEvent): void {
    const { entry } = event
    const isGone = event.type === 'DELETED'
    if (isGone) this.entries.delete(entry.key)
    else this.entries.set(entry.key, entry)
    this.#unordered.set(entry.key, isGone ? undefined : entry)
    this.history.add(event)
  }

  /** The objects in key order, as Kubernetes lists them; of one namespace, or of all when it is ''. */
  ordered(namespace: string): readonly Entry[] {
    if (this.#unordered.size > 0) {
      this.#ordered = merged(this.#ordered, this.#unordered)
      this.#unordered.clear()
    }
    if (namespace === '') return this.#ordered
    const start = this.#lowerBound(`${namespace}/`)
    return this.#ordered.slice(start, this.#lowerBound(`${namespace}0`))
  }

  /** The objects as they were at `version`, in key order; undefined when that is no longer known. */
  at(version: number, namespace: string): readonly Entry[] | undefined {
    if (!this.history.knows(version)) return undefined
    const changed = new Map<string, Entry | undefined>()
    for (const event of this.history.after(version)) {
      if (!changed.has(event.entry.key)) changed.set(event.entry.key, event.previous)
    }
    const now = this.ordered(namespace)
    if (changed.size === 0) return now
    const then = now.filter(entry => !changed.has(entry.key))
    for (const entry of changed.values()) {
      if (entry !== undefined && (namespace === '' || entry.namespace === namespace)) then.push(entry)
    }
    return then.sort(byKey)
  }

  #lowerBound(key: string): number {
    let low = 0
    let high = this.#ordered.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ordered[middle]?.key ?? '') < key) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Entries in key order with the changes made to them, in one pass. */
function merged(entries: readonly Entry[], changes: ReadonlyMap<string, Entry | undefined>): readonly Entry[] {
  const changed = [...changes].sort(([left], [right]) => compareKeys(left, right))
  const result: Entry[] = []
  let at = 0
  for (const [key, entry] of changed) {
    for (; at < entries.length; at++) {
      const before = entries[at]
      if (before === undefined || before.key >= key) break
      result.push(before)
    }
    if (entries[at]?.key === key) at++
    if (entry !== undefined) result.push(entry)
  }
  for (; at < entries.length; at++) {
    const rest = entries[at]
    if (rest !== undefined) result.push(rest)
  }
  return result
}

function byKey(left: Entry, right: Entry): number {
  return compareKeys(left.key, right.key)
}

function compareKeys(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
