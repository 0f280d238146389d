import { closeSync, existsSync, openSync, renameSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { RecordQuery } from './record.ts'

/** A record as the file has it: what it is looked for by, and all of it as JSON. */
export interface Row {
  readonly id: string
  readonly at: string
  readonly type: string
  /** '' where the record is about no object, or the object has no namespace. */
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly body: string
}

/** A file of records, read and written synchronously: a thread around it waits for the disk. */
export interface RecordFile {
  /** Keeps rows, and lets the oldest go while there are more bytes than wanted. */
  append(rows: readonly Row[]): void
  /** The last bodies asked for, newest first. */
  query(query: RecordQuery): readonly string[]
  prune(before: string): void
  close(): void
}

/** The layout of the file. Another one is put aside: history is not worth a refusal to start. */
const layoutVersion = 1
/** How much is let go when there is too much, as a share of all rows. */
const share = 0.1

/** Primary result codes of SQLite for a file that is none of ours. */
const damaged: readonly number[] = [11, 26]

/** Opens or makes a file of records. A damaged one is put aside as `<path>.damaged`, and a new one is begun. */
export function openRecordFile(path: string, mostBytes: number): RecordFile {
  try {
    return fileOf(open(path), mostBytes)
  } catch (error) {
    if (!isDamage(error)) throw error
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(`${path}${suffix}`)) renameSync(`${path}${suffix}`, `${path}.damaged${suffix}`)
    }
    return fileOf(open(path), mostBytes)
  }
}

function open(path: string): DatabaseSync {
  // Made before SQLite opens it: SQLite gives its other files the mode of this one.
  if (!existsSync(path)) closeSync(openSync(path, 'wx', 0o600))
  const database = new DatabaseSync(path, { timeout: 5_000 })
  try {
    // A loss of the last records with the power is no loss of control: no sync for each of them.
    database.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;')
    const found = pragma(database, 'user_version')
    if (found !== 0 && found !== layoutVersion) throw new LayoutError(`Cannot read ${path}: its layout is ${found}`)
    database.exec(`
      BEGIN IMMEDIATE;
      CREATE TABLE IF NOT EXISTS records (id TEXT PRIMARY KEY, at TEXT NOT NULL, type TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL) STRICT;
      CREATE INDEX IF NOT EXISTS recordsByTime ON records (at);
      CREATE INDEX IF NOT EXISTS recordsBySubject ON records (kind, namespace, name, at);
      PRAGMA user_version = ${layoutVersion};
      COMMIT;
    `)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

class LayoutError extends Error {}

function fileOf(database: DatabaseSync, mostBytes: number): RecordFile {
  const upsert = database.prepare(
    'INSERT INTO records (id, at, type, kind, namespace, name, body) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at, body = excluded.body',
  )

  function transaction(action: () => void): void {
    database.exec('BEGIN IMMEDIATE')
    try {
      action()
      database.exec('COMMIT')
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  function usedBytes(): number {
    const pages = pragma(database, 'page_count') - pragma(database, 'freelist_count')
    return pages * pragma(database, 'page_size')
  }

  function release(): void {
    database.exec('PRAGMA incremental_vacuum')
  }

  return {
    append(rows) {
      transaction(() => {
        for (const { id, at, type, kind, namespace, name, body } of rows)
          upsert.run(id, at, type, kind, namespace, name, body)
      })
      if (usedBytes() <= mostBytes) return
      const count = Number(database.prepare('SELECT count(*) AS rows FROM records').get()?.rows)
      const surplus = Math.max(1, Math.ceil(count * share))
      const oldest = 'SELECT id FROM records ORDER BY at LIMIT ?'
      transaction(() => database.prepare(`DELETE FROM records WHERE id IN (${oldest})`).run(surplus))
      release()
    },
    query(query) {
      const { conditions, values } = conditionsOf(query)
      const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
      const statement = database.prepare(`SELECT body FROM records ${where} ORDER BY at DESC, id DESC LIMIT ?`)
      return statement.all(...values, query.limit).map(({ body }) => String(body))
    },
    prune(before) {
      transaction(() => database.prepare('DELETE FROM records WHERE at < ?').run(before))
      release()
    },
    close: () => database.close(),
  }
}

function conditionsOf({ types, subject, since, until }: RecordQuery) {
  const conditions: string[] = []
  const values: SQLInputValue[] = []
  const add = (condition: string, ...given: readonly SQLInputValue[]) => {
    conditions.push(condition)
    values.push(...given)
  }
  if (types !== undefined) add(`type IN (${types.map(() => '?').join(', ')})`, ...types)
  if (subject !== undefined) {
    const { kind, namespace = '', name } = subject
    add(`(type = 'Gap' OR (kind = ? AND namespace = ? AND name = ?))`, kind, namespace, name)
  }
  if (since !== undefined) add('at >= ?', since)
  if (until !== undefined) add('at < ?', until)
  return { conditions, values }
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name])
}

function isDamage(error: unknown): boolean {
  if (error instanceof LayoutError) return true
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false
  // Extended codes carry the primary one in their low byte.
  return damaged.includes(error.errcode & 0xff)
}
