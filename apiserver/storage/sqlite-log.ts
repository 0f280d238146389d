import { Worker } from 'node:worker_threads'
import type { DurableLog, LogExtent, LogRecord } from './durable-log.ts'
import { StorageError } from './durable-log.ts'
import type { LogAnswer, LogTask } from './sqlite-log-messages.ts'
import { pack, unpack } from './sqlite-log-messages.ts'

type Task = LogTask extends infer Each ? (Each extends LogTask ? Omit<Each, 'id'> : never) : never

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Records dropped in one transaction: writes that arrive meanwhile wait for no more than that. */
const forgetBatch = 1_000

/**
 * A log in a SQLite file, written by a thread of its own with a sync to disk before every answer.
 * Rejects with a StorageError: Locked (another process holds the file), Corrupt, Full, Failed.
 */
export function openSQLiteLog(path: string): Promise<DurableLog> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('./sqlite-log-thread.ts', import.meta.url), { workerData: { path } })
    const waiting = new Map<number, Waiting>()
    const loaded: LogRecord[] = []
    let lastId = 0
    let usedBytes = 0
    let gone: StorageError | undefined
    let closing = false
    const failed = Promise.withResolvers<StorageError>()

    function ask(task: Task, transfer: ArrayBuffer[] = []): Promise<void> {
      if (gone !== undefined) return Promise.reject(gone)
      const id = ++lastId
      return new Promise((done, refuse) => {
        waiting.set(id, { resolve: done, reject: refuse })
        thread.postMessage({ ...task, id }, transfer)
      })
    }

    function end(error: StorageError): void {
      gone = error
      reject(error)
      if (!closing) failed.resolve(error)
      for (const { reject: refuse } of waiting.values()) refuse(error)
      waiting.clear()
    }

    thread.on('message', (answer: LogAnswer) => {
      if (answer.type === 'loaded') return loaded.push(...unpack(answer.records, 'copies'))
      if (answer.type !== 'failed') usedBytes = answer.usedBytes
      if (answer.type === 'opened') {
        const log = logOf(loaded, answer.extent, ask)
        const close = () => {
          closing = true
          return log.close()
        }
        return resolve({ ...log, usedBytes: () => usedBytes, close, failed: failed.promise })
      }
      const waiter = waiting.get(answer.id)
      waiting.delete(answer.id)
      if (answer.type === 'done') return waiter?.resolve()
      const error = new StorageError(answer.code, answer.message)
      if (waiter === undefined) return end(error)
      return waiter.reject(error)
    })
    thread.on('error', error => end(new StorageError('Failed', `Cannot write ${path}: ${error.message}`)))
    thread.on('exit', () => end(new StorageError('Closed', `Cannot write ${path}: the log is closed`)))
  })
}

function logOf(
  loaded: LogRecord[],
  extent: LogExtent,
  ask: (task: Task, transfer?: ArrayBuffer[]) => Promise<void>,
): Omit<DurableLog, 'failed' | 'usedBytes'> {
  return {
    load: async accept => {
      for (const record of loaded.splice(0)) accept(record)
      return extent
    },
    append: records => {
      const packed = pack(records)
      return ask({ type: 'append', records: packed }, [packed.values.buffer])
    },
    forget: async (versions, horizon) => {
      for (let start = 0; start < versions.length; start += forgetBatch) {
        await ask({ type: 'forget', versions: versions.slice(start, start + forgetBatch), horizon })
      }
    },
    close: () => ask({ type: 'close' }),
  }
}
