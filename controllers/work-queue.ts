import type { Environment, Timer } from '../crds/environment.ts'
import { Heap, type HeapItem } from './heap.ts'
import { Turns } from './turns.ts'

/** When and how urgently a key is to be worked on. */
export interface AddOptions {
  /** Not before so many ms have passed. Of several adds the shortest wait holds. Default 0. */
  readonly after?: number
  /** Higher comes first. Of several adds the highest holds. Default 0, a user's change; −100 is a resync. */
  readonly priority?: number
}

/** Where a queue's figures go. Times are in ms. */
export interface WorkQueueMetrics {
  /** A key was added that was not waiting already. */
  added(): void
  /** A key was added again after a failure. */
  retried(): void
  /** How many keys are ready to be worked on. */
  depth(keys: number): void
  /** Work on a key began, so long after it was ready. */
  started(waitedMs: number): void
  finished(workedMs: number): void
}

/** Options of a queue. */
export interface WorkQueueOptions {
  readonly environment: Environment
  /** How many keys are worked on at the same time, at most. */
  readonly concurrency: number
  /** Works on a key. What it throws is told to `onError`, and the key comes back with back-off. */
  readonly handler: (key: string) => Promise<void> | void
  readonly onError?: (error: unknown, key: string) => void
  /**
   * Whose a key is: of one priority, groups take turns, so that nobody waits for all that another has. A key of no group
   * comes after those that are ready already. Default: no key has one.
   */
  readonly groupOf?: (key: string) => string | undefined
  readonly metrics?: WorkQueueMetrics
}

/**
 * Keys to be worked on, with controller-runtime's semantics: a key stands in it once, is never worked on twice at the
 * same time, and comes back after its work when it was added meanwhile.
 */
export interface WorkQueue {
  add(key: string, options?: AddOptions): void
  /** Adds with the key's back-off: 5 ms, doubled each time up to 1,000 s, ± 25 %. */
  addRateLimited(key: string, options?: Pick<AddOptions, 'priority'>): void
  /** Resets the key's back-off. */
  forget(key: string): void
  /** In how many ms the key is to be worked on; 0: now or already; undefined: it does not wait. */
  due(key: string): number | undefined
  /** How often the key has failed in a row. */
  failures(key: string): number
  /** Begins to work; keys may be added before. */
  start(): void
  /** Resolves when nothing is ready or worked on; keys may still wait for their time. */
  idle(): Promise<void>
  /** Works on nothing more; resolves when what is running has ended. */
  stop(): Promise<void>
  /** How many keys there are. */
  counts(): { readonly ready: number; readonly waiting: number; readonly running: number }
}

interface Entry extends HeapItem {
  readonly key: string
  readonly sequence: number
  turn: number
  priority: number
  readyAt: number
  place: 'Ready' | 'Waiting' | 'Parked'
}

const backoff = { first: 5, most: 1_000_000 }
/** After so many ms of work in one go the event loop gets its turn: probes, watches and answers must not wait. */
const slice = 10

/** Makes a queue. */
export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { environment, concurrency, handler, onError = () => undefined, groupOf = () => undefined, metrics } = options
  const { clock, random } = environment
  const entries = new Map<string, Entry>()
  const running = new Set<string>()
  const failed = new Map<string, number>()
  const turns = new Map<number, Turns>()
  const ready = new Heap<Entry>(isMoreUrgent)
  const waiting = new Heap<Entry>((left, right) => left.readyAt < right.readyAt)
  let idlers: (() => void)[] = []
  let timer: Timer | undefined
  let timerAt = Number.POSITIVE_INFINITY
  let sequence = 0
  let toldDepth = 0
  let started = false
  let stopped = false
  let pumpScheduled = false
  let sliceBegan: number | undefined

  function add(key: string, { after = 0, priority = 0 }: AddOptions = {}): void {
    if (stopped) return
    const readyAt = clock.monotonic() + Math.max(0, after)
    const known = entries.get(key)
    if (known !== undefined) {
      hasten(known, readyAt, priority)
      return
    }
    const entry: Entry = { key, sequence: sequence++, turn: 0, priority, readyAt, place: 'Parked', position: -1 }
    entries.set(key, entry)
    metrics?.added()
    if (!running.has(key)) place(entry)
  }

  function hasten(entry: Entry, readyAt: number, priority: number): void {
    if (readyAt >= entry.readyAt && priority <= entry.priority) return
    entry.readyAt = Math.min(entry.readyAt, readyAt)
    if (entry.place === 'Ready' && priority > entry.priority) entry.turn = turnsOf(priority).next(groupOf(entry.key))
    entry.priority = Math.max(entry.priority, priority)
    if (entry.place === 'Ready') ready.update(entry)
    if (entry.place !== 'Waiting') return
    waiting.delete(entry)
    place(entry)
  }

  function place(entry: Entry): void {
    if (entry.readyAt <= clock.monotonic()) {
      entry.place = 'Ready'
      entry.turn = turnsOf(entry.priority).next(groupOf(entry.key))
      ready.push(entry)
      tellDepth()
      schedulePump()
      return
    }
    entry.place = 'Waiting'
    waiting.push(entry)
    arm()
  }

  function turnsOf(priority: number): Turns {
    const known = turns.get(priority) ?? new Turns()
    turns.set(priority, known)
    return known
  }

  /** One timer for all: at the earliest moment somebody waits for. */
  function arm(): void {
    const earliest = waiting.peek()?.readyAt
    if (earliest === undefined || earliest >= timerAt) return
    timer?.cancel()
    timerAt = earliest
    timer = clock.after(earliest - clock.monotonic(), () => {
      timerAt = Number.POSITIVE_INFINITY
      timer = undefined
      promote()
      arm()
    })
  }

  function promote(): void {
    const now = clock.monotonic()
    for (let next = waiting.peek(); next !== undefined && next.readyAt <= now; next = waiting.peek()) {
      waiting.pop()
      place(next)
    }
  }

  /** In a microtask: what one piece of code adds is ordered before the first of it starts. */
  function schedulePump(): void {
    if (pumpScheduled || !started) return
    pumpScheduled = true
    queueMicrotask(pump)
  }

  function pump(): void {
    pumpScheduled = false
    while (!stopped && running.size < concurrency && ready.size > 0) {
      if (isSliceUsedUp()) return
      const entry = ready.pop()
      if (entry === undefined) return
      entries.delete(entry.key)
      turnsOf(entry.priority).served(entry.turn, groupOf(entry.key))
      running.add(entry.key)
      void work(entry)
    }
    tellDepth()
    tellIdlers()
  }

  /** Whether this turn of the event loop has had its share. The pump goes on in the next one. */
  function isSliceUsedUp(): boolean {
    const now = clock.monotonic()
    if (sliceBegan === undefined) {
      sliceBegan = now
      setImmediate(() => {
        sliceBegan = undefined
        if (ready.size > 0) schedulePump()
      })
    }
    return now - sliceBegan >= slice
  }

  async function work(entry: Entry): Promise<void> {
    const { key } = entry
    const began = clock.monotonic()
    metrics?.started(began - entry.readyAt)
    try {
      await handler(key)
    } catch (error) {
      onError(error, key)
      addRateLimited(key, { priority: entry.priority })
    }
    metrics?.finished(clock.monotonic() - began)
    running.delete(key)
    const again = entries.get(key)
    if (again !== undefined && !stopped) place(again)
    schedulePump()
  }

  function addRateLimited(key: string, { priority = 0 }: Pick<AddOptions, 'priority'> = {}): void {
    const count = failed.get(key) ?? 0
    failed.set(key, count + 1)
    metrics?.retried()
    const delay = backoff.first * 2 ** count * (0.75 + 0.5 * random.next())
    add(key, { after: Math.min(backoff.most, delay), priority })
  }

  function tellDepth(): void {
    if (ready.size === toldDepth) return
    toldDepth = ready.size
    metrics?.depth(toldDepth)
  }

  function tellIdlers(): void {
    if (idlers.length === 0 || running.size > 0 || (ready.size > 0 && !stopped)) return
    const told = idlers
    idlers = []
    for (const resolve of told) resolve()
  }

  return {
    add,
    addRateLimited,
    forget: key => void failed.delete(key),
    due(key) {
      const entry = entries.get(key)
      if (entry === undefined) return running.has(key) ? 0 : undefined
      return Math.max(0, entry.readyAt - clock.monotonic())
    },
    failures: key => failed.get(key) ?? 0,
    start() {
      started = true
      schedulePump()
    },
    idle() {
      return new Promise(resolve => {
        idlers.push(resolve)
        schedulePump()
      })
    },
    async stop() {
      stopped = true
      timer?.cancel()
      ready.clear()
      waiting.clear()
      entries.clear()
      tellDepth()
      if (running.size > 0) await new Promise<void>(resolve => idlers.push(resolve))
      tellIdlers()
    },
    counts: () => ({ ready: ready.size, waiting: waiting.size, running: running.size }),
  }
}

function isMoreUrgent(left: Entry, right: Entry): boolean {
  if (left.priority !== right.priority) return left.priority > right.priority
  if (left.turn !== right.turn) return left.turn < right.turn
  if (left.readyAt !== right.readyAt) return left.readyAt < right.readyAt
  return left.sequence < right.sequence
}
