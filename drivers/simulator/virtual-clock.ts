/** Virtual time and seeded chance: a whole cloud runs on it in one process, in tests, simulation and plans. */
import type { Environment, Timer } from '../../crds/environment.ts'

/** How far a virtual run may go before it counts as stuck. */
export interface RunOptions {
  /** Virtual milliseconds after which the run gives up and rejects. Default 86,400,000 (a day): far beyond any back-off. */
  readonly limit?: number
  /**
   * Idle means: no timer is due within this many virtual milliseconds. Default Infinity (no timer is left at all);
   * give one wherever something periodic (relists, probes) runs for ever.
   */
  readonly quiet?: number
}

/** Time that moves only when told to, and chance from a seed. */
export interface VirtualEnvironment extends Environment {
  /** Moves time on by `milliseconds`, firing what falls due on the way in order, each with everything that follows from it. */
  advance(milliseconds: number): Promise<void>
  /** Fires timers, in order, until nothing is due any more (see `RunOptions.quiet`). */
  runUntilIdle(options?: RunOptions): Promise<void>
  /** Lets time run until the promise settles or the predicate answers true; resolves with the promise's value. */
  until<T>(goal: Promise<T> | (() => boolean), options?: Pick<RunOptions, 'limit'>): Promise<T | undefined>
  /** Lets all microtasks and immediates run; time stands still. */
  flush(): Promise<void>
  /** Moves the wall clock alone, as an operator or NTP would; monotonic time and timers do not notice. */
  shiftWall(milliseconds: number): void
  /** How many timers are set. */
  timers(): number
}

interface Entry {
  readonly due: number
  readonly sequence: number
  action: (() => void) | undefined
}

const DAY = 86_400_000
const WALL_START = Date.UTC(2026, 0, 1)
/** Not 0 and not the wall's: code that mixes the two up, or takes 0 for "never", shows. */
const MONOTONIC_START = 1_000_000
/** An endless chain of immediates is left to itself after so many turns. */
const MOST_TURNS = 10_000

/** What the process waits for while it opens, reads or closes files. */
const fileRequests: ReadonlySet<string> = new Set(['FSReqPromise', 'FSReqCallback', 'FileHandleCloseReq'])

/** Immediates that `flush` of any virtual environment has pending: they are nobody's work. */
let ownImmediates = 0

/**
 * A clock and chance; the same seed gives the same run. `settle` lets everything happen that follows from
 * what has just happened: where no file is read and all immediates are known, that can be had for less.
 */
export function virtualEnvironment(seed: number | string = 1, settle = flush): VirtualEnvironment {
  const heap: Entry[] = []
  const next = numbers(typeof seed === 'number' ? seed : hash(seed))
  let monotonic = MONOTONIC_START
  let wall = WALL_START
  let sequence = 0
  let live = 0
  let running = false

  function after(milliseconds: number, action: () => void): Timer {
    if (Number.isNaN(milliseconds)) throw new TypeError('Cannot set a timer: its milliseconds are not a number')
    const entry: Entry = { due: monotonic + Math.max(0, milliseconds), sequence: sequence++, action }
    push(heap, entry)
    live++
    return {
      cancel() {
        if (entry.action === undefined) return
        entry.action = undefined
        live--
      },
    }
  }

  function nextDue(): number {
    while (heap[0] !== undefined && heap[0].action === undefined) pop(heap)
    return heap[0]?.due ?? Number.POSITIVE_INFINITY
  }

  function moveTo(moment: number): void {
    if (moment <= monotonic) return
    wall += moment - monotonic
    monotonic = moment
  }

  async function fireNext(): Promise<void> {
    const entry = pop(heap)
    if (entry?.action === undefined) return
    moveTo(entry.due)
    const action = entry.action
    entry.action = undefined
    live--
    action()
    await settle()
  }

  async function exclusively<T>(run: () => Promise<T>): Promise<T> {
    if (running) throw new Error('Cannot run the virtual clock: current state is already running')
    running = true
    try {
      await settle()
      return await run()
    } finally {
      running = false
    }
  }

  return {
    clock: { now: () => Math.floor(wall), monotonic: () => monotonic, after },
    random: { next: () => next() / 2 ** 32, uuid: () => uuid(next) },
    flush: settle,
    timers: () => live,
    shiftWall(milliseconds) {
      wall += milliseconds
    },
    advance(milliseconds) {
      return exclusively(async () => {
        const target = monotonic + milliseconds
        while (nextDue() <= target) await fireNext()
        moveTo(target)
        await settle()
      })
    },
    runUntilIdle({ limit = DAY, quiet = Number.POSITIVE_INFINITY } = {}) {
      return exclusively(async () => {
        const start = monotonic
        for (let due = nextDue(); due !== Number.POSITIVE_INFINITY && due - monotonic <= quiet; due = nextDue()) {
          if (due - start > limit) throw new Error(`Cannot become idle: ${live} timers still set after ${limit} ms`)
          await fireNext()
        }
      })
    },
    until<T>(goal: Promise<T> | (() => boolean), { limit = DAY } = {}) {
      return exclusively(async () => {
        const start = monotonic
        let settled = false
        const note = () => {
          settled = true
        }
        if (typeof goal !== 'function') goal.then(note, note)
        await settle()
        while (!(typeof goal === 'function' ? goal() : settled)) {
          const due = nextDue()
          if (due - start > limit)
            throw new Error(`Cannot reach the goal: not there after ${monotonic - start} ms, ${live} timers set`)
          await fireNext()
        }
        return typeof goal === 'function' ? undefined : await goal
      })
    },
  }
}

/**
 * At least two turns of the event loop, and more while code under test has immediates of its own pending, or waits for
 * a file: no virtual time passes meanwhile, however slow the disk is.
 */
export async function flush(): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    ownImmediates++
    await new Promise<void>(resolve => setImmediate(resolve))
    ownImmediates--
    const { immediates, files } = pendingWork()
    if (files > 0) turn = 0
    else if (turn > 0 && immediates <= ownImmediates) return
  }
}

function pendingWork(): { readonly immediates: number; readonly files: number } {
  let [immediates, files] = [0, 0]
  for (const resource of process.getActiveResourcesInfo()) {
    if (resource === 'Immediate') immediates++
    if (fileRequests.has(resource)) files++
  }
  return { immediates, files }
}

/** Unsigned 32-bit numbers, well mixed (splitmix32). */
function numbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value >>> 0
}

function uuid(next: () => number): string {
  const hex = Array.from({ length: 4 }, () => next().toString(16).padStart(8, '0')).join('')
  const variant = '89ab'.charAt(next() & 3)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
}

function before(left: Entry, right: Entry): boolean {
  return left.due < right.due || (left.due === right.due && left.sequence < right.sequence)
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.length
  heap.push(entry)
  while (index > 0) {
    const parent = (index - 1) >> 1
    const above = heap[parent]
    if (above === undefined || !before(entry, above)) break
    heap[index] = above
    index = parent
  }
  heap[index] = entry
}

function pop(heap: Entry[]): Entry | undefined {
  const top = heap[0]
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return top
  let index = 0
  for (;;) {
    const left = heap[2 * index + 1]
    const right = heap[2 * index + 2]
    const useRight = left !== undefined && right !== undefined && before(right, left)
    const child = useRight ? right : left
    if (child === undefined || !before(child, last)) break
    heap[index] = child
    index = 2 * index + (useRight ? 2 : 1)
  }
  heap[index] = last
  return top
}
