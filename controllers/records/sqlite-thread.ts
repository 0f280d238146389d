/** The thread that writes records: it waits for the disk, so that the control plane does not. */

import { existsSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { openRecordFile, type RecordFile } from './sqlite-file.ts'
import type { RecordAnswer, RecordTask, RecordThreadData } from './sqlite-messages.ts'

const { path, mostBytes } = workerData as RecordThreadData
let file: RecordFile | undefined

parentPort?.on('message', (task: RecordTask) => {
  try {
    say({ id: task.id, bodies: perform(task) })
  } catch (error) {
    say({ id: task.id, failure: error instanceof Error ? error.message : String(error) })
  }
  if (task.type === 'close') parentPort?.close()
})

/** A file that could not be opened is tried again with the next task. */
function perform(task: RecordTask): readonly string[] {
  if (task.type === 'close') {
    file?.close()
    return []
  }
  if (file !== undefined && !existsSync(path)) {
    // Somebody removed it: what is written from now on is to be found again.
    file.close()
    file = undefined
  }
  file ??= openRecordFile(path, mostBytes)
  if (task.type === 'query') return file.query(task.query)
  if (task.type === 'append') file.append(task.rows)
  if (task.type === 'prune') file.prune(task.before)
  return []
}

function say(answer: RecordAnswer): void {
  parentPort?.postMessage(answer)
}
