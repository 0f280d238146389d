/** The thread that writes the log: it waits for the disk, so that the server does not. */

import { parentPort, workerData } from 'node:worker_threads'
import type { LogRecord } from './durable-log.ts'
import { StorageError } from './durable-log.ts'
import type { SQLiteLogFile } from './sqlite-log-file.ts'
import { openSQLiteLogFile } from './sqlite-log-file.ts'
import type { LogAnswer, LogTask } from './sqlite-log-messages.ts'
import { pack, unpack } from './sqlite-log-messages.ts'

/** Records per message while loading: enough to make messages cheap, little enough to stay small. */
const loadBatch = 1_000

/** The id under which failing to open is reported. */
const opening = 0

function say(answer: LogAnswer): void {
  parentPort?.postMessage(answer, 'records' in answer ? [answer.records.values.buffer] : [])
}

function fail(id: number, error: unknown): void {
  const code = error instanceof StorageError ? error.code : 'Failed'
  say({ type: 'failed', id, code, message: error instanceof Error ? error.message : String(error) })
}

function load(file: SQLiteLogFile): void {
  let batch: LogRecord[] = []
  const forgotten = file.load(record => {
    batch.push(record)
    if (batch.length < loadBatch) return
    say({ type: 'loaded', records: pack(batch) })
    batch = []
  })
  say({ type: 'loaded', records: pack(batch) })
  say({ type: 'opened', forgotten })
}

function perform(file: SQLiteLogFile, task: LogTask): void {
  if (task.type === 'append') file.append(unpack(task.records, 'views'))
  if (task.type === 'forget') file.forget(task.versions, task.horizon)
  if (task.type === 'close') file.close()
}

function start(path: string): void {
  const file = openSQLiteLogFile(path)
  load(file)
  parentPort?.on('message', (task: LogTask) => {
    try {
      perform(file, task)
      say({ type: 'done', id: task.id })
    } catch (error) {
      fail(task.id, error)
    }
    if (task.type === 'close') parentPort?.close()
  })
}

try {
  start(workerData.path)
} catch (error) {
  fail(opening, error)
}
