/**
 * Who read what. A topic names one value of the world; whoever read it is woken when that value changes, and by nothing
 * else. There are no hand-written watch lists.
 */

/** Somebody who reads: an object under reconciliation, a remembered computation, a queue. */
export interface Reader {
  readonly id: string
  /** Something it read has changed. Must not judge at once: only note it. */
  wake(): void
}

/** A value picked out of a larger one: compared before anybody is woken. */
interface Pick {
  readonly pick: () => unknown
  readonly value: unknown
  readonly equal: (left: unknown, right: unknown) => boolean
}

/** What one reader reads in one pass. */
export interface Recording {
  /** Notes a read of a topic. */
  topic(topic: string): void
  /** Notes a read of a value picked from the topic: a change of the topic that leaves the value equal wakes nobody. */
  picked(topic: string, pick: Pick): void
}

/** Reads collected before it is known who made them. */
export interface Collection extends Recording {
  /** What was read so far. */
  topics(): Iterable<string>
  /** These are now the reader's reads, in place of what it read before. */
  commit(reader: Reader): void
  /** These are the reader's reads as well. Any change of a topic wakes it, also of a value that others picked from it. */
  add(reader: Reader): void
}

interface ReaderState {
  readonly reader: Reader
  topics: Map<string, readonly Pick[] | undefined>
}

/** Collects reads, and wakes readers. */
export class Reads {
  readonly #readers = new Map<string, ReaderState>()
  readonly #byTopic = new Map<string, Set<ReaderState>>()

  /** Runs `read` and takes what it read in place of what the reader read before. */
  record<T>(reader: Reader, read: (recording: Recording) => T): T {
    const collection = this.collect()
    const result = read(collection)
    collection.commit(reader)
    return result
  }

  /** Collects reads whose reader is known only afterwards. */
  collect(): Collection {
    const topics = new Map<string, readonly Pick[] | undefined>()
    return {
      topic: topic => {
        topics.set(topic, undefined)
      },
      picked: (topic, pick) => {
        const picks = topics.get(topic)
        if (picks === undefined && topics.has(topic)) return
        topics.set(topic, [...(picks ?? []), pick])
      },
      topics: () => topics.keys(),
      commit: reader => this.#replace(reader, topics),
      add: reader => this.#add(reader, topics.keys()),
    }
  }

  /** Forgets a reader. */
  forget(id: string): void {
    const state = this.#readers.get(id)
    if (state === undefined) return
    for (const topic of state.topics.keys()) this.#drop(topic, state)
    this.#readers.delete(id)
  }

  /** The value of a topic has changed: wakes whoever read it. */
  notify(topic: string): void {
    const readers = this.#byTopic.get(topic)
    if (readers === undefined) return
    for (const state of readers) {
      const picks = state.topics.get(topic)
      if (picks?.every(({ pick, value, equal }) => equal(pick(), value))) continue
      state.reader.wake()
    }
  }

  /** Who reads the topic. */
  *readersOf(topic: string): Iterable<Reader> {
    for (const { reader } of this.#byTopic.get(topic) ?? []) yield reader
  }

  /** What a reader reads. */
  topicsOf(id: string): Iterable<string> {
    return this.#readers.get(id)?.topics.keys() ?? []
  }

  /** Whether anybody reads the topic. */
  isRead(topic: string): boolean {
    return this.#byTopic.has(topic)
  }

  #stateOf(reader: Reader): ReaderState {
    const known = this.#readers.get(reader.id)
    if (known !== undefined) return known
    const state: ReaderState = { reader, topics: new Map() }
    this.#readers.set(reader.id, state)
    return state
  }

  #listen(topic: string, state: ReaderState): void {
    const readers = this.#byTopic.get(topic)
    if (readers === undefined) this.#byTopic.set(topic, new Set([state]))
    else readers.add(state)
  }

  #add(reader: Reader, topics: Iterable<string>): void {
    const state = this.#stateOf(reader)
    for (const topic of topics) {
      if (!state.topics.has(topic)) this.#listen(topic, state)
      state.topics.set(topic, undefined)
    }
  }

  #replace(reader: Reader, topics: Map<string, readonly Pick[] | undefined>): void {
    const state = this.#stateOf(reader)
    let kept = 0
    for (const topic of topics.keys()) {
      if (state.topics.has(topic)) kept += 1
      else this.#listen(topic, state)
    }
    if (kept < state.topics.size) {
      for (const topic of state.topics.keys()) if (!topics.has(topic)) this.#drop(topic, state)
    }
    state.topics = topics
  }

  #drop(topic: string, state: ReaderState): void {
    const readers = this.#byTopic.get(topic)
    readers?.delete(state)
    if (readers?.size === 0) this.#byTopic.delete(topic)
  }
}
