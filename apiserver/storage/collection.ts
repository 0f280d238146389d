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
  #ordered: Entry[] = []
  #inOrder = true

  constructor(history: History) {
    this.history = history
  }

  apply(event: StoreEvent): void {
    const { entry } = event
    if (event.type === 'DELETED') this.entries.delete(entry.key)
    else this.entries.set(entry.key, entry)
    this.#inOrder = false
    this.history.add(event)
  }

  /** The objects in key order, as Kubernetes lists them; of one namespace, or of all when it is ''. */
  ordered(namespace: string): readonly Entry[] {
    if (!this.#inOrder) {
      // Nearly sorted input: the sort costs little more than one pass.
      this.#ordered = this.#merged()
      this.#inOrder = true
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

  #merged(): Entry[] {
    const merged: Entry[] = []
    const seen = new Set<string>()
    for (const { key } of this.#ordered) {
      const entry = this.entries.get(key)
      if (entry === undefined || seen.has(key)) continue
      merged.push(entry)
      seen.add(key)
    }
    if (merged.length === this.entries.size) return merged
    for (const entry of this.entries.values()) if (!seen.has(entry.key)) merged.push(entry)
    return merged.sort(byKey)
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

function byKey(left: Entry, right: Entry): number {
  if (left.key === right.key) return 0
  return left.key < right.key ? -1 : 1
}
