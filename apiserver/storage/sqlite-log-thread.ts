/** The thread that writes the log: it waits for the disk, so that the server does not. */

import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../message-of.ts'
import type { LogRecord } from './durable-log.ts'
import { StorageError } from './durable-log.ts'
import type { SQLiteLogFile } from './sqlite-log-file.ts'
import { openSQLiteLogFile } from './sqlite-log-file.ts'
import type { LogAnswer, LogTask } from './sqlite-log-messages.ts'
import { pack, unpack } from './sqlite-log-messages.ts'
import { readSQLiteLog } from './sqlite-log-reader.ts'

/** Records per message while loading: enough to make messages cheap, little enough to stay small. */
const loadBatch = 1_000

/** The id under which it is reported that nothing can be opened or written. */
const everything = 0

function say(answer: LogAnswer): void {
  parentPort?.postMessage(answer, 'records' in answer ? [answer.records.values.buffer] : [])
}

function fail(id: number, error: unknown): void {
  const code = error instanceof StorageError ? error.code : 'Failed'
  say({ type: 'failed', id, code, message: messageOf(error) })
}

function open(path: string): SQLiteLogFile {
  let batch: LogRecord[] = []
  const known = readSQLiteLog(path, record => {
    batch.push(record)
    if (batch.length < loadBatch) return
    say({ type: 'loaded', records: pack(batch) })
    batch = []
  })
  say({ type: 'loaded', records: pack(batch) })
  const file = openSQLiteLogFile(path, known)
  const { last, forgotten } = known
  say({ type: 'opened', extent: { last, forgotten }, usedBytes: file.usedBytes() })
  return file
}

function perform(file: SQLiteLogFile, task: LogTask): number {
  if (task.type === 'append') file.append(unpack(task.records, 'views'))
  if (task.type === 'forget') file.forget(task.versions, task.horizon)
  const usedBytes = file.usedBytes()
  if (task.type === 'close') file.close()
  return usedBytes
}

function start(path: string): void {
  const file = open(path)
  parentPort?.on('message', (task: LogTask) => {
    try {
      say({ type: 'done', id: task.id, usedBytes: perform(file, task) })
    } catch (error) {
      fail(task.id, error)
      if (error instanceof StorageError && error.code === 'Unsafe') end(error)
    }
    if (task.type === 'close') parentPort?.close()
  })
}

/** What the disk has lost it may lose again, unnoticed: nothing is written any more. */
function end(error: StorageError): void {
  fail(everything, error)
  parentPort?.close()
}

try {
  start(workerData.path)
} catch (error) {
  fail(everything, error)
}
