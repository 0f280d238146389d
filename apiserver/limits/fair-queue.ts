/** Lets so many requests in at a time, and those that wait one of each user in turn. */

import type { Clock, Timer } from '../../crds/environment.ts'
import { tooManyRequests } from '../status-error.ts'

/** How much a queue lets in. */
export interface FairQueueOptions {
  readonly clock: Clock
  /** How many may be under way. */
  readonly seats: number
  /** The part of the seats that users may take who are none of the system's, from 0 to 1. Default 0.8. */
  readonly share?: number
  /** How many requests of one user may wait. Default 50, as in Kubernetes. */
  readonly userQueue?: number
  /** How many requests may wait in all. Default 1,000. */
  readonly totalQueue?: number
  /** How long a request may wait, in milliseconds. Default 15,000, as in Kubernetes. */
  readonly patience?: number
}

/** Who wants in. */
export interface Applicant {
  readonly user: string
  /** Of the system: he comes first, and may take every seat. */
  readonly isSystem: boolean
}

/** A seat, which is given back once. */
export type Leave = () => void

interface Waiting {
  readonly applicant: Applicant
  readonly enter: (leave: Leave) => void
  readonly timer: Timer
}

/** A queue for each user, and seats for all. */
export class FairQueue {
  readonly #clock: Clock
  readonly #seats: number
  readonly #userSeats: number
  readonly #workloadSeats: number
  readonly #userQueue: number
  readonly #totalQueue: number
  readonly #patience: number
  /** In the order in which their turns come; only users who wait. */
  readonly #queues = { system: new Map<string, Waiting[]>(), workload: new Map<string, Waiting[]>() }
  readonly #usedBy = new Map<string, number>()
  #used = 0
  #usedByWorkload = 0
  #waiting = 0
  #isPumping = false
  /** Refused requests, since the start, by why. */
  readonly refused = { queueFull: 0, timeOut: 0 }

  constructor(options: FairQueueOptions) {
    const { clock, seats, share = 0.8, userQueue = 50, totalQueue = 1_000, patience = 15_000 } = options
    this.#clock = clock
    this.#seats = seats
    this.#workloadSeats = Math.max(1, Math.floor(seats * share))
    // Nobody takes everything that others may need at once.
    this.#userSeats = Math.max(1, Math.floor(this.#workloadSeats / 2))
    this.#userQueue = userQueue
    this.#totalQueue = totalQueue
    this.#patience = patience
  }

  /** How many are under way. */
  get used(): number {
    return this.#used
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting
  }

  /** Lets a request in, at once or when its turn comes; throws or rejects with a 429 where it waits too long. */
  enter(applicant: Applicant): Leave | Promise<Leave> {
    const isFirst = this.#waiting === 0 || (applicant.isSystem && this.#queues.system.size === 0)
    if (isFirst && this.#hasSeat(applicant)) return this.#seated(applicant)
    const queues = this.#queuesOf(applicant)
    const queue = queues.get(applicant.user) ?? []
    if (queue.length >= this.#userQueue || this.#waiting >= this.#totalQueue) {
      this.refused.queueFull++
      throw tooManyRequests()
    }
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(this.#patience, () => {
        this.refused.timeOut++
        this.#forget(waiting)
        reject(tooManyRequests())
      })
      const waiting: Waiting = { applicant, enter: resolve, timer }
      queue.push(waiting)
      queues.set(applicant.user, queue)
      this.#waiting++
      this.#pump()
    })
  }

  #hasSeat({ user, isSystem }: Applicant): boolean {
    if (this.#used >= this.#seats) return false
    if (isSystem) return true
    return this.#usedByWorkload < this.#workloadSeats && (this.#usedBy.get(user) ?? 0) < this.#userSeats
  }

  #seated({ user, isSystem }: Applicant): Leave {
    this.#count(user, isSystem, 1)
    let isIn = true
    return () => {
      if (!isIn) return
      isIn = false
      this.#count(user, isSystem, -1)
      if (this.#waiting > 0) this.#pump()
    }
  }

  #count(user: string, isSystem: boolean, change: number): void {
    this.#used += change
    if (isSystem) return
    this.#usedByWorkload += change
    const used = (this.#usedBy.get(user) ?? 0) + change
    if (used === 0) this.#usedBy.delete(user)
    else this.#usedBy.set(user, used)
  }

  /** One of each user in a turn of the event loop: what a request takes of this one thread is thereby shared, too. */
  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    setImmediate(() => {
      this.#isPumping = false
      const before = this.#waiting
      for (const queues of [this.#queues.system, this.#queues.workload]) {
        for (const queue of [...queues.values()]) this.#letIn(queue)
      }
      if (this.#waiting > 0 && this.#waiting < before) this.#pump()
    })
  }

  #letIn([first]: readonly Waiting[]): void {
    if (first === undefined || !this.#hasSeat(first.applicant)) return
    this.#forget(first)
    first.timer.cancel()
    first.enter(this.#seated(first.applicant))
  }

  /** Takes a request out of its queue, which then stands behind the others. */
  #forget(waiting: Waiting): void {
    const { user } = waiting.applicant
    const queues = this.#queuesOf(waiting.applicant)
    const rest = (queues.get(user) ?? []).filter(each => each !== waiting)
    queues.delete(user)
    if (rest.length > 0) queues.set(user, rest)
    this.#waiting--
  }

  #queuesOf({ isSystem }: Applicant): Map<string, Waiting[]> {
    return isSystem ? this.#queues.system : this.#queues.workload
  }
}
