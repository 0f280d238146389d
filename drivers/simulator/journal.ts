import type { Clock } from '../../crds/environment.ts'

/** Who acted: the control plane, a guest (or a host's timer), or somebody behind its back. */
export type Source = 'Operation' | 'Guest' | 'Outside'

/** One thing that was done to the simulated world, or tried. */
export interface JournalEntry {
  /** Counts from 1. */
  readonly sequence: number
  /** Wall clock, in ms since the Unix epoch. */
  readonly at: number
  readonly source: Source
  /** The verb, or the name of the action. */
  readonly action: string
  /** Where: the endpoint's key, or the place's own. */
  readonly place: string
  readonly identity: string
  readonly operationId?: string
  /** `Done`, or the code it was refused with. */
  readonly outcome: string
  /** Whether the world was different afterwards. */
  readonly changed: boolean
}

/** Counts since the simulator was made. */
export interface Counters {
  /** Calls that the control plane made, by verb; `Inventory` and `Subscribe` among them. */
  readonly calls: Readonly<Record<string, number>>
  /** Operations that were asked for, whatever came of them. */
  readonly operations: number
  /** Operations that changed the world. */
  readonly changingOperations: number
  /** Events delivered to listeners. */
  readonly events: number
}

const keptEntries = 20_000

/** What happened, newest 20,000 entries, and how often. */
export class Journal {
  readonly #clock: Clock
  readonly #calls = new Map<string, number>()
  #entries: JournalEntry[] = []
  #sequence = 0
  #operations = 0
  #changingOperations = 0
  #events = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The number of the newest entry; a later `since` with it tells what happened after now. */
  get sequence(): number {
    return this.#sequence
  }

  /** Counts a call of the control plane. */
  called(verb: string): void {
    this.#calls.set(verb, (this.#calls.get(verb) ?? 0) + 1)
    if (verb !== 'Inventory' && verb !== 'SignOfLife' && verb !== 'Subscribe') this.#operations++
  }

  /** Counts an event that was delivered. */
  delivered(): void {
    this.#events++
  }

  /** Writes an entry. */
  record(entry: Omit<JournalEntry, 'sequence' | 'at'>): void {
    this.#sequence++
    if (entry.changed && entry.source === 'Operation') this.#changingOperations++
    this.#entries.push({ sequence: this.#sequence, at: this.#clock.now(), ...entry })
    // Cut in halves, so that keeping the bound costs nothing per entry.
    if (this.#entries.length >= 2 * keptEntries) this.#entries = this.#entries.slice(-keptEntries)
  }

  /** The entries after that number, oldest first. Throws where the journal no longer reaches back so far. */
  since(sequence: number): readonly JournalEntry[] {
    const first = this.#entries[0]?.sequence ?? this.#sequence + 1
    if (sequence + 1 < first) {
      throw new RangeError(`Cannot read the journal since ${sequence}: it begins at ${first}`)
    }
    return this.#entries.slice(sequence + 1 - first)
  }

  /** The newest entries, oldest first. */
  latest(count: number): readonly JournalEntry[] {
    return count <= 0 ? [] : this.#entries.slice(-count)
  }

  /** The counts up to now. */
  counters(): Counters {
    return {
      calls: Object.fromEntries(this.#calls),
      operations: this.#operations,
      changingOperations: this.#changingOperations,
      events: this.#events,
    }
  }
}
