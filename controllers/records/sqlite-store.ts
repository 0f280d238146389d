import { Worker } from 'node:worker_threads'
import { type HistoryRecord, instant, type RecordQuery } from './record.ts'
import type { RecordStore } from './record-store.ts'
import type { Row } from './sqlite-file.ts'
import type { RecordAnswer, RecordTask, RecordThreadData } from './sqlite-messages.ts'

/** Options of the embedded store. */
export interface SQLiteStoreOptions {
  /** Path of the file; made when it is missing, put aside as `<path>.damaged` where it cannot be read. */
  readonly path: string
  /** How large the records may become; then the oldest tenth goes. Default 1 GiB. */
  readonly mostBytes?: number
}

type Task = RecordTask extends infer Each ? (Each extends RecordTask ? Omit<Each, 'id'> : never) : never

interface Waiting {
  readonly resolve: (bodies: readonly string[]) => void
  readonly reject: (error: Error) => void
}

interface Thread {
  ask(task: Task): Promise<readonly string[]>
}

/** Records in a SQLite file, written by a thread of its own. Nothing is opened before the first record. */
export function createSQLiteStore({ path, mostBytes = 2 ** 30 }: SQLiteStoreOptions): RecordStore {
  let thread: Thread | undefined

  function ask(task: Task): Promise<readonly string[]> {
    thread ??= startThread({ path, mostBytes }, () => {
      thread = undefined
    })
    return thread.ask(task)
  }

  return {
    name: 'SQLite',
    async append(records) {
      await ask({ type: 'append', rows: records.map(rowOf) })
    },
    async query(query) {
      const bodies = await ask({ type: 'query', query: normal(query) })
      // The edge: only records were given to the file.
      return bodies.map(body => JSON.parse(body) as HistoryRecord).reverse()
    },
    async prune(before) {
      await ask({ type: 'prune', before })
    },
    async close() {
      await thread?.ask({ type: 'close' })
    },
  }
}

function startThread(workerData: RecordThreadData, ended: () => void): Thread {
  const worker = new Worker(new URL('./sqlite-thread.ts', import.meta.url), { workerData })
  const waiting = new Map<number, Waiting>()
  let lastId = 0
  // Records hold nobody back: a process that has nothing else to do may end.
  worker.unref()
  worker.on('message', (answer: RecordAnswer) => {
    const waiter = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('failure' in answer) waiter?.reject(new Error(`Cannot use ${workerData.path}: ${answer.failure}`))
    else waiter?.resolve(answer.bodies)
  })
  worker.on('error', error => end(error instanceof Error ? error.message : String(error)))
  worker.on('exit', () => end('its thread ended'))

  function end(reason: string): void {
    ended()
    for (const { reject } of waiting.values()) reject(new Error(`Cannot use ${workerData.path}: ${reason}`))
    waiting.clear()
  }

  return {
    ask(task) {
      const id = ++lastId
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        worker.postMessage({ ...task, id })
      })
    },
  }
}

function rowOf(record: HistoryRecord): Row {
  const { id, at, type } = record
  const { kind = '', namespace = '', name = '' } = type === 'Gap' ? {} : record
  return { id, at, type, kind, namespace, name, body: JSON.stringify(record) }
}

/** Moments are compared as texts. */
function normal({ since, until, ...query }: RecordQuery): RecordQuery {
  return {
    ...query,
    ...(since === undefined ? {} : { since: instant(since) }),
    ...(until === undefined ? {} : { until: instant(until) }),
  }
}
