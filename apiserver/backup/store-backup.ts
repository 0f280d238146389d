import { inPieces } from '../parts.ts'
import type { LogExtent, LogRecord } from '../storage/durable-log.ts'
import { openSQLiteLogFile } from '../storage/sqlite-log-file.ts'
import { readSQLiteLog } from '../storage/sqlite-log-reader.ts'
import type { Store } from '../storage/store.ts'
import { type Backup, encodeBackup, type StoredObject } from './backup-format.ts'

/** The path under which a running server answers with a backup of its store, to those who may do everything. */
export const backupPath = '/skystead/backup'

/**
 * How far versions jump in a store that was restored. Writes since the backup have used up versions that nobody knows
 * any more; what was given out once must never mean something else.
 */
export const versionJump = 1_000_000_000

/** The state of a store at this instant, as a backup without files; writes go on meanwhile. */
export function backupOfStore(store: Store, createdAt: string): AsyncGenerator<Uint8Array> {
  // Objects are never changed in place: to hold on to them is to hold on to the state.
  const objects = [...store.collections()].flatMap(({ entries }) => [...entries.values()])
  return inPieces(encodeBackup({ createdAt, last: store.version }, new Map(), objects))
}

/** The objects of a log that no server writes. Throws a StorageError (`Locked`, `Corrupt`). */
export function readStoppedStore(path: string): { readonly objects: readonly StoredObject[]; readonly last: number } {
  const objects = new Map<string, StoredObject>()
  const { last } = readSQLiteLog(path, ({ resource, key, version, value }) => {
    const address = `${resource} ${key}`
    if (value === undefined) objects.delete(address)
    else objects.set(address, { resource, key, version, bytes: value })
  })
  return { objects: [...objects.values()], last }
}

/** Records written in one transaction. */
const batchSize = 1_000

/**
 * Makes a log of a backup's objects. They keep their versions; the next write gets one that lies beyond `used` and
 * beyond all that may have been given out since, and whoever asks for what happened before is told that it is expired.
 */
export function writeStore(path: string, { objects, last }: Backup, used: number): LogExtent {
  const file = openSQLiteLogFile(
    path,
    readSQLiteLog(path, () => {}),
  )
  const horizon = Math.max(last, used) + versionJump
  try {
    for (let start = 0; start < objects.length; start += batchSize) {
      file.append(objects.slice(start, start + batchSize).map(recordOf))
    }
    file.forget([], horizon)
  } finally {
    file.close()
  }
  return { last: horizon, forgotten: horizon }
}

function recordOf({ resource, key, version, bytes }: StoredObject): LogRecord {
  return { resource, key, version, value: bytes }
}
