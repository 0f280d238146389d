import { closeSync, existsSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { LogRecord } from './durable-log.ts'
import { StorageError } from './durable-log.ts'

/** The log's file, read and written synchronously: the thread around it waits for the disk, not the server. */
export interface SQLiteLogFile {
  /** Calls `accept` with each record in order; answers with the horizon of what was forgotten. */
  load(accept: (record: LogRecord) => void): number
  append(records: readonly LogRecord[]): void
  forget(versions: readonly number[], horizon: number): void
  close(): void
}

/** The layout of the file; another one is refused rather than guessed at. */
const layoutVersion = 1

/** Opens or creates a log file and holds it for this process alone. */
export function openSQLiteLogFile(path: string): SQLiteLogFile {
  const database = attempt('open', path, () => open(path))
  const insert = database.prepare('INSERT INTO log (version, resource, key, value) VALUES (?, ?, ?, ?)')
  const remove = database.prepare('DELETE FROM log WHERE version = ?')
  const remember = database.prepare("UPDATE facts SET value = max(value, ?) WHERE name = 'forgotten'")

  function transaction(action: () => void): void {
    attempt('write', path, () => {
      database.exec('BEGIN IMMEDIATE')
      try {
        action()
        database.exec('COMMIT')
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK')
        throw error
      }
    })
  }

  return {
    load: accept => attempt('read', path, () => load(database, accept)),
    append: records =>
      transaction(() => {
        for (const { version, resource, key, value } of records) insert.run(version, resource, key, value ?? null)
      }),
    forget: (versions, horizon) =>
      transaction(() => {
        for (const version of versions) remove.run(version)
        remember.run(horizon)
      }),
    close: () => database.close(),
  }
}

function open(path: string): DatabaseSync {
  createPrivately(path)
  const database = new DatabaseSync(path, { timeout: 0 })
  // Exclusive: a second server on the same home would give out the same versions.
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
  database.exec('BEGIN IMMEDIATE')
  database.exec(`
    CREATE TABLE IF NOT EXISTS log (version INTEGER PRIMARY KEY, resource TEXT NOT NULL, key TEXT NOT NULL, value BLOB) STRICT;
    CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    INSERT OR IGNORE INTO facts VALUES ('layout', ${layoutVersion}), ('forgotten', 0);
  `)
  database.exec('COMMIT')
  const layout = fact(database, 'layout')
  if (layout === layoutVersion) return database
  database.close()
  throw new StorageError('Corrupt', `Cannot open ${path}: its layout is ${layout}, this version reads ${layoutVersion}`)
}

/** The log holds secrets. SQLite gives its other files the mode of this one. */
function createPrivately(path: string): void {
  // Never opened when it exists: closing a descriptor of a file drops this process's locks on it.
  if (existsSync(path)) return
  closeSync(openSync(path, 'wx', 0o600))
}

function load(database: DatabaseSync, accept: (record: LogRecord) => void): number {
  const rows = database.prepare('SELECT version, resource, key, value FROM log ORDER BY version').iterate()
  for (const { version, resource, key, value } of rows) {
    const bytes = value instanceof Uint8Array ? value : undefined
    accept({ version: Number(version), resource: String(resource), key: String(key), value: bytes })
  }
  return fact(database, 'forgotten')
}

function fact(database: DatabaseSync, name: string): number {
  return Number(database.prepare('SELECT value FROM facts WHERE name = ?').get(name)?.value)
}

function attempt<T>(verb: string, path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw toStorageError(error, verb, path)
  }
}

// Primary result codes of SQLite.
const busy = 5
const full = 13
const corrupt = 11
const notADatabase = 26

function toStorageError(error: unknown, verb: string, path: string): StorageError {
  if (error instanceof StorageError) return error
  const message = error instanceof Error ? error.message : String(error)
  const code = sqliteCode(error)
  if (code === busy) return new StorageError('Locked', `Cannot ${verb} ${path}: another process is using it`)
  if (code === full) return new StorageError('Full', `Cannot ${verb} ${path}: the disk is full`)
  if (code === corrupt || code === notADatabase) {
    return new StorageError('Corrupt', `Cannot ${verb} ${path}: the file is damaged (${message}); restore a backup`)
  }
  return new StorageError('Failed', `Cannot ${verb} ${path}: ${message}`)
}

function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  // Extended codes carry the primary one in their low byte.
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}
