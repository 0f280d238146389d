import type { Collection, Reader, Reads } from './reads.ts'

interface Queue {
  /** Members by id, in the order in which they came. */
  readonly members: Set<string>
  readonly reader: Reader
}

/**
 * Queues of objects that were refused something scarce. A change wakes the head only; when the head leaves, the next one
 * is woken, until one is refused again: freed capacity never wakes a herd.
 */
export class Queues {
  readonly #queues = new Map<string, Queue>()
  readonly #queueOf = new Map<string, string>()
  readonly #reads: Reads
  readonly #wake: (id: string) => void

  constructor(reads: Reads, wake: (id: string) => void) {
    this.#reads = reads
    this.#wake = wake
  }

  /** The object stands in the queue from now on, with what was read for it; without a queue it leaves the one it is in. */
  standIn(id: string, name: string | undefined, read: Collection | undefined): void {
    const current = this.#queueOf.get(id)
    if (current !== undefined && current !== name) this.#leave(id, current)
    if (name === undefined) return
    const queue = this.#queue(name)
    queue.members.add(id)
    this.#queueOf.set(id, name)
    if (this.#head(queue) === id) read?.commit(queue.reader)
  }

  #leave(id: string, name: string): void {
    const queue = this.#queue(name)
    const wasHead = this.#head(queue) === id
    queue.members.delete(id)
    this.#queueOf.delete(id)
    const next = this.#head(queue)
    if (next !== undefined) {
      if (wasHead) this.#wake(next)
      return
    }
    this.#reads.forget(queue.reader.id)
    this.#queues.delete(name)
  }

  #head(queue: Queue): string | undefined {
    return queue.members.values().next().value
  }

  #queue(name: string): Queue {
    const known = this.#queues.get(name)
    if (known !== undefined) return known
    const members = new Set<string>()
    const queue: Queue = {
      members,
      reader: {
        id: `queue/${name}`,
        wake: () => {
          const head = members.values().next().value
          if (head !== undefined) this.#wake(head)
        },
      },
    }
    this.#queues.set(name, queue)
    return queue
  }
}
