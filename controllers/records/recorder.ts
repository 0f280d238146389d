import type { Environment } from '../../crds/environment.ts'
import type { ArchivedEvent } from '../events.ts'
import type { Logger } from '../log.ts'
import type { AcceptedOperation, OperationEnd, OperationFollower, OperationListener } from '../observation/hooks.ts'
import {
  byTime,
  type GapRecord,
  type HistoryRecord,
  instant,
  isAskedFor,
  type OperationRecord,
  type RecordQuery,
} from './record.ts'
import type { RecordStore } from './record-store.ts'

/** Where figures of records go. */
export interface RecorderMetrics {
  recordsWritten(count: number): void
  recordsDropped(count: number): void
}

/** Options of a recorder. */
export interface RecorderOptions {
  readonly environment: Environment
  readonly logger: Pick<Logger, 'info' | 'warn'>
  /** Where records are kept. Left out: only the last ones, in memory. */
  readonly store?: RecordStore
  readonly metrics?: RecorderMetrics
  /** How long records are kept, in ms. Default 30 days. */
  readonly keep?: number
  /** How many records stay in memory for the questions of people. Default 2,000. */
  readonly remembered?: number
  /** How many records may wait for the store; the oldest go first. Default 20,000. */
  readonly mostPending?: number
}

/** What is known of the past. */
export interface History {
  /** The last records asked for, oldest first. */
  readonly records: readonly HistoryRecord[]
  /**
   * Ids of the operations among them that this process is carrying out. Any other without an end was begun by a process
   * that was killed before its end was written, or by another one that runs.
   */
  readonly running: readonly string[]
  /** Why there may be more than what is told; left out where there is not. */
  readonly incomplete?: string
}

/** How the writing of records fares. */
export interface RecorderState {
  readonly pending: number
  /** How long the oldest record has been waiting for the store, in ms. */
  readonly lagMs: number
  /** Whether the last attempt to write failed. */
  readonly failing: boolean
}

/** Keeps the journal of operations and the archive of events. Nobody waits for it, and nothing depends on it. */
export interface Recorder extends OperationListener {
  /** An event was told; told again, it takes the place of the one before. `name` is the event's own. */
  event(name: string, event: ArchivedEvent): void
  query(query: RecordQuery): Promise<History>
  state(): RecorderState
  /** Writes what is waiting, for two seconds at most, and closes the store. */
  stop(): Promise<void>
}

const day = 86_400_000
/** How long records are gathered before they are written, in ms: an operation that ends meanwhile is one record. */
const gathering = 1_000
/** How many records are written at once. */
const batchSize = 1_000
/** Pauses after writes that failed, in ms: doubled each time. */
const pauses = { first: 1_000, most: 60_000 }
/** How often old records are looked for, in ms, as long as there are new ones. */
const pruneInterval = 3_600_000
/** How long the last write may take, in ms. */
const stopGrace = 2_000

/** Makes a recorder. */
export function createRecorder(options: RecorderOptions): Recorder {
  const { environment, logger, store, metrics, keep = 30 * day, remembered = 2_000, mostPending = 20_000 } = options
  const { clock } = environment
  /** Names this process among all that ever wrote to the store. */
  const process = environment.random.uuid()
  const memory = new Map<string, HistoryRecord>()
  let pending = new Map<string, HistoryRecord>()
  /** What was given to the store and is not answered yet. */
  let given: ReadonlyMap<string, HistoryRecord> = new Map()
  let gap: GapRecord | undefined
  let lastNumber = 0
  let failures = 0
  let lostInOutage = 0
  let prunedAt = Number.NEGATIVE_INFINITY
  let planned: { cancel(): void } | undefined
  let writing: Promise<void> | undefined
  let stopped = false

  function add(record: HistoryRecord): void {
    memory.set(record.id, record)
    if (memory.size > remembered) forgetOldest()
    if (store === undefined || stopped) return
    pending.set(record.id, record)
    bound()
    plan(failures === 0 ? gathering : undefined)
  }

  /** Of operations under way the record is needed when they end: it is in the follower's hands. */
  function forgetOldest(): void {
    for (const id of memory.keys()) {
      memory.delete(id)
      return
    }
  }

  function bound(): void {
    while (pending.size > mostPending) {
      const [oldest] = pending.values()
      if (oldest === undefined) return
      pending.delete(oldest.id)
      drop(oldest)
    }
  }

  function drop({ at }: HistoryRecord): void {
    gap = joined(gap, { type: 'Gap', id: `${process}/gap-${++lastNumber}`, at, until: at, lost: 1 })
    lostInOutage++
    metrics?.recordsDropped(1)
  }

  /** Writes after so many ms, unless that is planned already; without a time only what is planned happens. */
  function plan(milliseconds: number | undefined): void {
    if (planned !== undefined || writing !== undefined || milliseconds === undefined) return
    planned = clock.after(milliseconds, () => {
      planned = undefined
      writing = writeAll().finally(() => {
        writing = undefined
        if (!stopped && pending.size > 0) plan(failures === 0 ? gathering : pauseAfter(failures))
      })
    })
  }

  async function writeAll(): Promise<void> {
    while (pending.size > 0) {
      if (!(await writeBatch())) return
      if (pending.size < batchSize && !stopped) return
    }
  }

  async function writeBatch(): Promise<boolean> {
    const batch = new Map<string, HistoryRecord>()
    for (const [id, record] of pending) {
      if (batch.size === batchSize) break
      batch.set(id, record)
      pending.delete(id)
    }
    const told = gap
    gap = undefined
    given = batch
    try {
      await store?.append([...(told === undefined ? [] : [told]), ...batch.values()])
      await prune()
    } catch (error) {
      gap = joined(told, gap)
      pending = new Map([...batch, ...pending])
      bound()
      failed(error)
      return false
    } finally {
      given = new Map()
    }
    metrics?.recordsWritten(batch.size)
    recovered()
    return true
  }

  async function prune(): Promise<void> {
    const now = clock.monotonic()
    if (now - prunedAt < pruneInterval) return
    prunedAt = now
    await store?.prune(instant(clock.now() - keep))
  }

  function failed(error: unknown): void {
    failures++
    // Once for an outage: nobody needs to be told every minute.
    if (failures === 1)
      logger.warn({ err: error, store: store?.name }, 'records cannot be written; the control plane goes on')
  }

  function recovered(): void {
    if (failures > 0) logger.info({ store: store?.name, lost: lostInOutage }, 'records are written again')
    failures = 0
    lostInOutage = 0
  }

  function accepted(operation: AcceptedOperation): OperationFollower {
    const { requester, ...what } = operation
    const { kind, namespace, name, uid, generation, changedBy } = requester
    let record: OperationRecord = {
      type: 'Operation',
      id: `${process}/${++lastNumber}`,
      at: instant(clock.now()),
      kind,
      ...(namespace === undefined ? {} : { namespace }),
      name,
      uid,
      generation,
      ...(changedBy === undefined ? {} : { changedBy }),
      ...what,
    }
    add(record)
    return {
      began() {
        record = { ...record, begunAt: instant(clock.now()) }
        add(record)
      },
      ended(end: OperationEnd) {
        record = { ...record, endedAt: instant(clock.now()), ...end }
        add(record)
      },
    }
  }

  function isRunning(record: HistoryRecord): boolean {
    return record.type === 'Operation' && record.endedAt === undefined && record.id.startsWith(`${process}/`)
  }

  async function query(asked: RecordQuery): Promise<History> {
    // What this process remembers is newer than what was written: an operation may have ended since.
    const own = [...given.values(), ...memory.values(), ...pending.values()]
    const merged = (kept: readonly HistoryRecord[]) => {
      const all = new Map([...kept, ...own].map(record => [record.id, record]))
      const wanted = [...all.values()].filter(record => isAskedFor(record, asked))
      const records = wanted.toSorted(byTime).slice(-asked.limit)
      return { records, running: records.filter(isRunning).map(({ id }) => id) }
    }
    if (store === undefined) {
      return { ...merged([]), incomplete: 'No record store is used: this is what the process remembers' }
    }
    try {
      return merged(await store.query(asked))
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return {
        ...merged([]),
        incomplete: `${store.name} cannot be read (${message}): this is what the process remembers`,
      }
    }
  }

  return {
    accepted,
    event: (name, event) => add({ type: 'Event', id: `${process}/${name}`, ...event }),
    query,
    state() {
      const oldest = given.values().next().value ?? pending.values().next().value
      const lagMs = oldest === undefined ? 0 : Math.max(0, clock.now() - Date.parse(oldest.at))
      return { pending: given.size + pending.size, lagMs, failing: failures > 0 }
    },
    async stop() {
      stopped = true
      planned?.cancel()
      if (store === undefined) return
      const last = (writing ?? Promise.resolve()).then(writeAll).then(() => store.close())
      await withinGrace(last, environment)
    },
  }
}

/** A gap that two gaps make: they have the same end in common, as the oldest go first. */
function joined(first: GapRecord | undefined, second: GapRecord | undefined): GapRecord | undefined {
  if (first === undefined || second === undefined) return first ?? second
  const at = [first.at, second.at].toSorted()[0] ?? first.at
  const until = [first.until, second.until].toSorted()[1] ?? first.until
  return { ...first, at, until, lost: first.lost + second.lost }
}

function pauseAfter(failures: number): number {
  return Math.min(pauses.most, pauses.first * 2 ** (failures - 1))
}

async function withinGrace(work: Promise<void>, { clock }: Environment): Promise<void> {
  await new Promise<void>(resolve => {
    const timer = clock.after(stopGrace, resolve)
    const end = () => {
      timer.cancel()
      resolve()
    }
    work.then(end, end)
  })
}
