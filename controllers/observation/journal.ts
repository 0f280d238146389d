import type { EndpointKey } from '../../drivers/contract/endpoint.ts'
import type { Verb } from '../../drivers/contract/operation.ts'
import type { OperationOutcome } from './hooks.ts'

/** One operation that ended, for the records. Holds no arguments: they may be secret. */
export interface JournalEntry {
  /** The operation's id. */
  readonly id: string
  readonly verb: Verb
  readonly endpoint: EndpointKey
  readonly identity: string
  /** `<kind>/<namespace>/<name>` of the resource that wanted it. */
  readonly requestedBy: string
  /** When it was given to its driver (RFC 3339); when it was given up, where it never was. */
  readonly startedAt: string
  readonly outcome: OperationOutcome
  readonly durationMs: number
}

/** The last operations, oldest first; older ones go. */
export class Journal {
  readonly #size: number
  readonly #entries: JournalEntry[] = []
  #next = 0

  constructor(size: number) {
    this.#size = size
  }

  /** Adds an entry, in place of the oldest when the journal is full. */
  add(entry: JournalEntry): void {
    this.#entries[this.#next] = Object.freeze(entry)
    this.#next = (this.#next + 1) % this.#size
  }

  /** All entries, oldest first. */
  entries(): readonly JournalEntry[] {
    if (this.#entries.length < this.#size) return [...this.#entries]
    return [...this.#entries.slice(this.#next), ...this.#entries.slice(0, this.#next)]
  }
}
