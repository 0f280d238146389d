import type { Clock, Timer } from '../../crds/environment.ts'
import { Turns } from '../turns.ts'
import type { Collection, Reader, Reads } from './reads.ts'

/** How long after one member the next behind the head is woken, in ms. */
const pace = 1_000
/** How long those behind wait for what a woken head finds, in ms: it may be paused, or the API slow. */
const patience = 10_000

/** How an object stands in a queue. */
export interface Standing {
  /** The queue's name. */
  readonly queue: string
  /** Higher comes first. Default 0. */
  readonly priority?: number | undefined
  /** Whose it is: of one priority, groups take turns. Left out: it comes after all that stand there already. */
  readonly group?: string | undefined
  /** What was read for it. */
  readonly read?: Collection | undefined
}

interface Member {
  readonly id: string
  readonly priority: number
  readonly group: string | undefined
  readonly turn: number
  readonly sequence: number
}

interface Queue {
  /** In their order. */
  readonly members: Member[]
  readonly byId: Map<string, Member>
  /** Turns by priority. */
  readonly turns: Map<number, Turns>
  readonly reader: Reader
  /** How many members behind the head have not been woken since the last change. */
  due: number
  /** The head that was woken, and when: it has neither left nor been refused again since. */
  asked?: { readonly id: string; readonly at: number } | undefined
  /** Who of them was woken last: the way goes on behind it, and round. */
  last?: Member | undefined
  timer?: Timer | undefined
}

/** What queues work with. */
export interface QueuesOptions {
  readonly reads: Reads
  readonly clock: Clock
  readonly wake: (id: string) => void
}

/**
 * Queues of objects that were refused something scarce. They stand by priority; of one priority, the groups take turns,
 * and within a group who came first is first. A change of what any of them has read wakes the head; when the head leaves,
 * the next one is woken, until one is refused again: freed capacity never wakes a herd. Then those behind it are asked as
 * well, in order but slowly: what is too little for the head may be enough for them.
 */
export class Queues {
  readonly #queues = new Map<string, Queue>()
  readonly #queueOf = new Map<string, string>()
  readonly #reads: Reads
  readonly #clock: Clock
  readonly #wake: (id: string) => void
  #sequence = 0

  constructor({ reads, clock, wake }: QueuesOptions) {
    this.#reads = reads
    this.#clock = clock
    this.#wake = wake
  }

  /** The object stands so from now on; undefined: it leaves the queue that it is in. */
  standIn(id: string, standing: Standing | undefined): void {
    const current = this.#queueOf.get(id)
    if (current !== undefined && current !== standing?.queue) this.#leave(id, current)
    if (standing === undefined) return
    const queue = this.#queue(standing.queue)
    this.#join(queue, id, standing)
    if (queue.asked?.id === id) queue.asked = undefined
    this.#queueOf.set(id, standing.queue)
    standing.read?.add(queue.reader)
  }

  /** Wakes nobody any more. */
  stop(): void {
    for (const queue of this.#queues.values()) queue.timer?.cancel()
  }

  /** Where an object stands, counted from 1; undefined where it stands in no queue. */
  placeOf(id: string): { readonly queue: string; readonly position: number; readonly length: number } | undefined {
    const name = this.#queueOf.get(id)
    if (name === undefined) return undefined
    const { members, byId } = this.#queue(name)
    const member = byId.get(id)
    if (member === undefined) return undefined
    return { queue: name, position: placeFor(member, members) + 1, length: members.length }
  }

  /** Who stands there already keeps its place while its priority stays. */
  #join(queue: Queue, id: string, { priority = 0, group }: Standing): void {
    const known = queue.byId.get(id)
    if (known?.priority === priority) return
    if (known !== undefined) queue.members.splice(placeFor(known, queue.members), 1)
    const member = { id, priority, group, turn: turnsOf(queue, priority).next(group), sequence: this.#sequence++ }
    queue.members.splice(placeFor(member, queue.members), 0, member)
    queue.byId.set(id, member)
  }

  #leave(id: string, name: string): void {
    const queue = this.#queue(name)
    const member = queue.byId.get(id)
    this.#queueOf.delete(id)
    if (member === undefined) return
    const place = placeFor(member, queue.members)
    queue.members.splice(place, 1)
    queue.byId.delete(id)
    const [head] = queue.members
    if (head === undefined) this.#close(name, queue)
    if (place === 0) turnsOf(queue, member.priority).served(member.turn, member.group)
    else forgetTurns(queue, member)
    if (place === 0) this.#ask(queue)
    if (queue.last === member && queue.due > 0) this.#wakeBehind(queue)
  }

  #close(name: string, queue: Queue): void {
    queue.timer?.cancel()
    this.#reads.forget(queue.reader.id)
    this.#queues.delete(name)
  }

  #changed(queue: Queue): void {
    this.#ask(queue)
    queue.due = queue.members.length - 1
    this.#arm(queue)
  }

  #ask(queue: Queue): void {
    const [head] = queue.members
    if (head === undefined) return
    if (queue.asked?.id !== head.id) queue.asked = { id: head.id, at: this.#clock.monotonic() }
    this.#wake(head.id)
  }

  /** Whether the head may still take what there is: before it is refused it is nobody else's turn. */
  #isHeadAsked({ asked }: Queue): boolean {
    return asked !== undefined && this.#clock.monotonic() - asked.at < patience
  }

  #arm(queue: Queue): void {
    if (queue.due <= 0) return
    queue.timer ??= this.#clock.after(pace, () => {
      queue.timer = undefined
      if (!this.#isHeadAsked(queue)) this.#wakeBehind(queue)
      this.#arm(queue)
    })
  }

  #wakeBehind(queue: Queue): void {
    const next = nextBehind(queue)
    queue.due = next === undefined ? 0 : queue.due - 1
    queue.last = next
    if (next !== undefined) this.#wake(next.id)
  }

  #queue(name: string): Queue {
    const known = this.#queues.get(name)
    if (known !== undefined) return known
    const queue: Queue = {
      members: [],
      byId: new Map(),
      turns: new Map(),
      reader: { id: `queue/${name}`, wake: () => this.#changed(queue) },
      due: 0,
    }
    this.#queues.set(name, queue)
    return queue
  }
}

function turnsOf({ turns }: Queue, priority: number): Turns {
  const known = turns.get(priority) ?? new Turns()
  turns.set(priority, known)
  return known
}

/** Who gave up waiting is not counted against those of the group who come later. */
function forgetTurns(queue: Queue, { group, priority }: Member): void {
  const isLast = !queue.members.some(other => other.group === group && other.priority === priority)
  if (group !== undefined && isLast) turnsOf(queue, priority).left(group)
}

/** Where the member stands, or would stand. */
function placeFor(member: Member, members: readonly Member[]): number {
  let [from, to] = [0, members.length]
  while (from < to) {
    const middle = (from + to) >> 1
    const other = members[middle]
    if (other !== undefined && isBefore(other, member)) from = middle + 1
    else to = middle
  }
  return from
}

function isBefore(left: Member, right: Member): boolean {
  if (left.priority !== right.priority) return left.priority > right.priority
  if (left.turn !== right.turn) return left.turn < right.turn
  return left.sequence < right.sequence
}

/** The next behind the head on the way round. Undefined: there is nobody but the head. */
function nextBehind({ members, last }: Queue): Member | undefined {
  if (last === undefined) return members[1]
  const place = placeFor(last, members)
  const next = members[place] === last ? place + 1 : place
  return members[Math.max(1, next)] ?? members[1]
}
