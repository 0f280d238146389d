import type { Clock, Timer } from '../../crds/environment.ts'
import type { Collection, Reader, Reads } from './reads.ts'

/** How long after one member the next behind the head is woken, in ms. */
const pace = 1_000

interface Queue {
  /** Members by id, in the order in which they came. */
  readonly members: Set<string>
  readonly reader: Reader
  /** How many members behind the head have not been woken since the last change. */
  due: number
  /** Who of them was woken last, and where the way goes on. Goes round; what leaves or comes is seen. */
  last?: string | undefined
  way?: Iterator<string> | undefined
  timer?: Timer | undefined
}

/** What queues work with. */
export interface QueuesOptions {
  readonly reads: Reads
  readonly clock: Clock
  readonly wake: (id: string) => void
}

/**
 * Queues of objects that were refused something scarce. A change of what any of them has read wakes the head; when the
 * head leaves, the next one is woken, until one is refused again: freed capacity never wakes a herd. Those behind it are
 * asked as well, in order but slowly: what is too little for the head may be enough for them.
 */
export class Queues {
  readonly #queues = new Map<string, Queue>()
  readonly #queueOf = new Map<string, string>()
  readonly #reads: Reads
  readonly #clock: Clock
  readonly #wake: (id: string) => void

  constructor({ reads, clock, wake }: QueuesOptions) {
    this.#reads = reads
    this.#clock = clock
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
    read?.add(queue.reader)
  }

  /** Wakes nobody any more. */
  stop(): void {
    for (const queue of this.#queues.values()) queue.timer?.cancel()
  }

  /** Where an object stands, counted from 1; undefined where it stands in no queue. */
  placeOf(id: string): { readonly queue: string; readonly position: number; readonly length: number } | undefined {
    const queue = this.#queueOf.get(id)
    if (queue === undefined) return undefined
    const members = [...this.#queue(queue).members]
    return { queue, position: members.indexOf(id) + 1, length: members.length }
  }

  #leave(id: string, name: string): void {
    const queue = this.#queue(name)
    const wasHead = headOf(queue) === id
    queue.members.delete(id)
    this.#queueOf.delete(id)
    const head = headOf(queue)
    if (head === undefined) this.#close(name, queue)
    if (wasHead && head !== undefined) this.#wake(head)
    if (queue.last === id && queue.due > 0) this.#wakeBehind(queue)
  }

  #close(name: string, queue: Queue): void {
    queue.timer?.cancel()
    this.#reads.forget(queue.reader.id)
    this.#queues.delete(name)
  }

  #changed(queue: Queue): void {
    const head = headOf(queue)
    if (head !== undefined) this.#wake(head)
    queue.due = queue.members.size - 1
    this.#arm(queue)
  }

  #arm(queue: Queue): void {
    if (queue.due <= 0) return
    queue.timer ??= this.#clock.after(pace, () => {
      queue.timer = undefined
      this.#wakeBehind(queue)
      this.#arm(queue)
    })
  }

  #wakeBehind(queue: Queue): void {
    const next = nextBehind(queue)
    queue.due = next === undefined ? 0 : queue.due - 1
    queue.last = next
    if (next !== undefined) this.#wake(next)
  }

  #queue(name: string): Queue {
    const known = this.#queues.get(name)
    if (known !== undefined) return known
    const queue: Queue = {
      members: new Set(),
      reader: { id: `queue/${name}`, wake: () => this.#changed(queue) },
      due: 0,
    }
    this.#queues.set(name, queue)
    return queue
  }
}

function headOf({ members }: Queue): string | undefined {
  return members.values().next().value
}

/** The next behind the head on the way round. Undefined: there is nobody but the head. */
function nextBehind(queue: Queue): string | undefined {
  const head = headOf(queue)
  for (let round = 0; round < 2; round++) {
    queue.way ??= queue.members.values()
    for (let step = queue.way.next(); step.done !== true; step = queue.way.next()) {
      if (step.value !== head) return step.value
    }
    queue.way = undefined
  }
  return undefined
}
