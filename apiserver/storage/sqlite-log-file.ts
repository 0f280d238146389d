import { closeSync, existsSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../message-of.ts'
import type { LogRecord } from './durable-log.ts'
import { StorageError } from './durable-log.ts'
import { createMark, markPathOf, openMark } from './high-water-mark.ts'
import { digestOf, withDigest, withoutDigest } from './record-digest.ts'
import { attempt, damaged } from './sqlite-errors.ts'
import { createTables, type LogState, readState } from './sqlite-layout.ts'

/** The log's file, written synchronously: the thread around it waits for the disk, not the server. */
export interface SQLiteLogFile {
  append(records: readonly LogRecord[]): void
  forget(versions: readonly number[], horizon: number): void
  /** The size of the file in bytes, without space that is free in it. */
  usedBytes(): number
  close(): void
}

/** Pages given back to the disk at a time, 4 KiB each: writes that arrive meanwhile wait for no more than that. */
const vacuumBatch = 256

/** Pages of the write-ahead log that are moved to the file at a time: the writes of that moment wait for it. */
const checkpointPages = 250

/** The write-ahead log is cut back to this many bytes after it has grown. */
const walLimit = 16 * 1024 * 1024

/**
 * Opens or creates a log file and holds it for this process alone. `known` is what reading it has told: what was read
 * must be what is written on.
 */
export function openSQLiteLogFile(path: string, known: LogState): SQLiteLogFile {
  const database = attempt('open', path, () => open(path, known))
  const mark = openMark(markPathOf(path))
  const insert = database.prepare('INSERT INTO log (version, resource, key, value, digest) VALUES (?, ?, ?, ?, ?)')
  const remove = database.prepare('DELETE FROM log WHERE version = ? RETURNING digest')
  const save = database.prepare('UPDATE state SET last = ?, forgotten = ?, records = ?, digest = ?')
  const free = database.prepare('PRAGMA freelist_count')
  const pages = database.prepare('PRAGMA page_count')
  const pageSize = Number(database.prepare('PRAGMA page_size').get()?.page_size)
  let state = known

  /** Changes records and what the log says of itself together, or nothing. */
  function transaction(change: () => LogState): void {
    attempt('write', path, () => {
      database.exec('BEGIN IMMEDIATE')
      try {
        const next = change()
        save.run(next.last, next.forgotten, next.records, next.digest)
        database.exec('COMMIT')
        state = next
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK')
        throw error
      }
    })
  }

  function add(before: LogState, record: LogRecord): LogState {
    const { version, resource, key, value } = record
    const digest = digestOf(record)
    insert.run(version, resource, key, value ?? null, digest)
    const { records, digest: sum } = before
    return { ...before, last: Math.max(before.last, version), records: records + 1, digest: withDigest(sum, digest) }
  }

  function drop(before: LogState, version: number): LogState {
    const dropped = remove.get(version)
    if (dropped === undefined) return before
    const { records, digest: sum } = before
    return { ...before, records: records - 1, digest: withoutDigest(sum, Number(dropped.digest)) }
  }

  /** What is stored and cannot be told as answered must not be answered: only a restart sees it as it is. */
  function raise(version: number): void {
    try {
      mark.raise(version)
    } catch (error) {
      throw new StorageError('Unsafe', `Cannot write ${markPathOf(path)}: ${messageOf(error)}`)
    }
  }

  const freePages = () => Number(free.get()?.freelist_count)
  const usedPages = () => Number(pages.get()?.page_count) - freePages()

  return {
    append(records) {
      transaction(() => records.reduce(add, state))
      raise(state.last)
    },
    forget(versions, horizon) {
      const [last, forgotten] = [Math.max(state.last, horizon), Math.max(state.forgotten, horizon)]
      transaction(() => versions.reduce(drop, { ...state, last, forgotten }))
      raise(last)
      // A quarter may stay free: it is soon written again.
      if (freePages() <= usedPages() / 4 + vacuumBatch) return
      attempt('write', path, () => database.exec(`PRAGMA incremental_vacuum(${vacuumBatch})`))
    },
    usedBytes: () => usedPages() * pageSize,
    close() {
      database.close()
      mark.close()
    },
  }
}

function open(path: string, known: LogState): DatabaseSync {
  createMark(markPathOf(path))
  createPrivately(path)
  const database = new DatabaseSync(path, { timeout: 0 })
  database.exec('PRAGMA auto_vacuum = INCREMENTAL')
  // Exclusive: a second server on the same home would give out the same versions.
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
  database.exec(`PRAGMA journal_size_limit = ${walLimit}; PRAGMA wal_autocheckpoint = ${checkpointPages}`)
  database.exec('BEGIN IMMEDIATE')
  createTables(database)
  database.exec('COMMIT')
  const state = readState(database)
  if (state?.last === known.last && state.digest === known.digest) return database
  throw damaged(path, 'it was changed while it was read')
}

/** The log holds secrets. SQLite gives its other files the mode of this one. */
function createPrivately(path: string): void {
  // Never opened when it exists: closing a descriptor of a file drops this process's locks on it.
  if (existsSync(path)) return
  closeSync(openSync(path, 'wx', 0o600))
}
