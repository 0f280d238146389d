import { existsSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { LogRecord } from './durable-log.ts'
import { StorageError } from './durable-log.ts'
import { markPathOf, readMark } from './high-water-mark.ts'
import { digestOf, withDigest } from './record-digest.ts'
import { attempt, damaged } from './sqlite-errors.ts'
import { emptyState, type LogState, layoutVersion, readState } from './sqlite-layout.ts'

/**
 * Reads a whole log that nobody writes, and changes nothing, so that what is damaged stays as it was found. Calls `accept`
 * with each record in order. Throws a StorageError (`Corrupt`) unless every answered write is there as it was written:
 * SQLite itself drops the end of its write-ahead log where a checksum is wrong, and has none for the rest.
 */
export function readSQLiteLog(path: string, accept: (record: LogRecord) => void): LogState {
  const mark = readMark(markPathOf(path))
  // Nothing was answered: whatever a first start has left half made may be ended.
  if (mark === 0) attempt('open', path, () => settle(path))
  const state = hasContent(path) ? attempt('open', path, () => readWhole(path, accept)) : emptyState
  if (mark === undefined && (state.last > 0 || existsSync(`${path}-wal`))) {
    throw damaged(path, `${markPathOf(path)} is missing, which tells whether all that was answered is there`)
  }
  if (mark !== undefined && mark > state.last) throw damaged(path, missing(path, state.last, mark))
  return state
}

/** Whether another process holds a log. Changes nothing; what is damaged is held by nobody. */
export function isLocked(path: string): boolean {
  try {
    const database = new DatabaseSync(path, { readOnly: true, timeout: 0 })
    try {
      attempt('open', path, () => database.prepare('SELECT count(*) FROM sqlite_schema').get())
    } finally {
      database.close()
    }
  } catch (error) {
    return error instanceof StorageError && error.code === 'Locked'
  }
  return false
}

function settle(path: string): void {
  if (!existsSync(path)) return
  const database = new DatabaseSync(path, { timeout: 0 })
  readState(database)
  database.close()
}

/** SQLite takes one byte for none, and removes the write-ahead log of a file that has none. */
function hasContent(path: string): boolean {
  return existsSync(path) && statSync(path).size > 1
}

function missing(path: string, last: number, mark: number): string {
  if (last === 0) return `it is missing or empty, and ${mark} versions were answered`
  const where = existsSync(`${path}-wal`) ? `${path}-wal` : 'it'
  return `writes that were answered are missing (versions ${last + 1} to ${mark}): ${where} is cut off or damaged`
}

function readWhole(path: string, accept: (record: LogRecord) => void): LogState {
  // Read-only: to close a file that was opened for writing would take over the write-ahead log, and drop its damaged rest.
  const database = new DatabaseSync(path, { readOnly: true, timeout: 0 })
  try {
    const state = readState(database)
    if (state === undefined) return emptyState
    if (state.layout !== layoutVersion) throw otherLayout(path, state.layout)
    checkStructure(database, path)
    checkRecords(database, path, { state, accept })
    return state
  } finally {
    database.close()
  }
}

function otherLayout(path: string, layout: number): StorageError {
  if (!Number.isInteger(layout)) return damaged(path, 'what it says of itself cannot be read')
  return new StorageError(
    'Corrupt',
    `Cannot open ${path}: its layout is ${layout}, this version reads ${layoutVersion}`,
  )
}

/** Pages that are used twice or not at all would be damage of tomorrow. */
function checkStructure(database: DatabaseSync, path: string): void {
  const found = database.prepare('PRAGMA quick_check(1)').get()?.quick_check
  if (found !== 'ok') throw damaged(path, `its structure is damaged (${found})`)
}

function checkRecords(
  database: DatabaseSync,
  path: string,
  { state, accept }: { readonly state: LogState; readonly accept: (record: LogRecord) => void },
): void {
  let records = 0
  let sum = 0
  const rows = database.prepare('SELECT version, resource, key, value, digest FROM log ORDER BY version').iterate()
  for (const { version, resource, key, value, digest } of rows) {
    const bytes = value instanceof Uint8Array ? value : undefined
    const record = { version: Number(version), resource: String(resource), key: String(key), value: bytes }
    if (digestOf(record) !== digest) {
      throw damaged(path, `the write with version ${record.version} (${record.resource} ${record.key}) is damaged`)
    }
    records += 1
    sum = withDigest(sum, digest)
    accept(record)
  }
  if (records !== state.records) throw damaged(path, `it holds ${records} writes where there were ${state.records}`)
  if (sum !== state.digest) throw damaged(path, 'some of its writes are not those that were answered')
}
