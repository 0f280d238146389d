import type { Entry } from './entry.ts'

/** What happened to an object. */
export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly version: number
  /** The object after the change; for DELETED its last state under the version of the deletion. */
  readonly entry: Entry
  readonly previous: Entry | undefined
  /** The event as watchers get it, by view: encoded once for all of them, when the first asks. */
  frames: Map<string, Buffer> | undefined
}

/** Events that stay ready for watchers, parsed and encoded: they are asked for soon after, or hardly ever. */
const warmEvents = 200

/** The latest events of one resource, bounded: a watch that starts before them is told to list again. */
export class History {
  #events: StoreEvent[] = []
  /** The highest version that is no longer in here. */
  #forgotten: number
  readonly #limit: number

  constructor(limit: number, forgotten: number) {
    this.#limit = limit
    this.#forgotten = forgotten
  }

  add(event: StoreEvent): void {
    this.#events.push(event)
    const old = this.#events.at(-warmEvents)
    old?.previous?.release()
    if (old !== undefined) old.frames = undefined
    // Cutting a quarter at a time keeps the cost of moving the rest small.
    if (this.#events.length < this.#limit * 1.25) return
    const dropped = this.#events.length - this.#limit
    this.#forgotten = this.#events[dropped - 1]?.version ?? this.#forgotten
    this.#events = this.#events.slice(dropped)
  }

  /** True when every event after `version` is still known. */
  knows(version: number): boolean {
    return version >= this.#forgotten
  }

  /** The events after `version`, oldest first, at most `limit` of them. */
  after(version: number, limit = Number.POSITIVE_INFINITY): readonly StoreEvent[] {
    const start = this.#indexAfter(version)
    return this.#events.slice(start, Math.min(this.#events.length, start + limit))
  }

  #indexAfter(version: number): number {
    let low = 0
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#events[middle]?.version ?? 0) <= version) low = middle + 1
      else high = middle
    }
    return low
  }
}
