import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { RecordKind, WorldRecord, WorldStore } from './world-store.ts'

const schemaVersion = 1

/** A change that waits for its commit; without `read` it is a removal. */
interface Change {
  readonly kind: RecordKind
  readonly key: string
  readonly read: (() => unknown) | undefined
}

/**
 * Opens a simulated world in a SQLite file, made with mode 0600 where it is new; `:memory:` is none. Changes of the
 * same tick are committed together. Throws `Error` when another process has it open or it is of another version.
 */
export function openDurableStore(path: string): WorldStore {
  const database = open(path)
  const put = database.prepare(
    'INSERT INTO record (kind, key, value) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value',
  )
  const remove = database.prepare('DELETE FROM record WHERE kind = ? AND key = ?')
  let changes = new Map<string, Change>()
  let pending: PromiseWithResolvers<void> | undefined

  function note(change: Change): void {
    const name = `${change.kind} ${change.key}`
    // What is removed and made again comes last again, as in the world itself.
    if (change.read === undefined) changes.delete(name)
    changes.set(change.read === undefined ? `${name} removed` : name, change)
  }

  function flush(): void {
    const waiting = pending
    const committed = changes
    pending = undefined
    changes = new Map()
    try {
      write(committed.values())
      waiting?.resolve()
    } catch (error) {
      waiting?.reject(error)
    }
  }

  function write(committed: Iterable<Change>): void {
    database.exec('BEGIN IMMEDIATE')
    try {
      for (const { kind, key, read } of committed) {
        if (read === undefined) remove.run(kind, key)
        else put.run(kind, key, JSON.stringify(read()))
      }
      database.exec('COMMIT')
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  return {
    *load() {
      for (const row of database.prepare('SELECT kind, key, value FROM record ORDER BY sequence').iterate()) {
        yield readRow(row)
      }
    },
    put: (kind, key, read) => note({ kind, key, read }),
    remove: (kind, key) => note({ kind, key, read: undefined }),
    commit() {
      if (pending === undefined) {
        if (changes.size === 0) return Promise.resolve()
        pending = Promise.withResolvers()
        setImmediate(flush)
      }
      return pending.promise
    },
    async close() {
      const last = pending?.promise
      if (changes.size > 0) flush()
      await last
      database.close()
    },
  }
}

function open(path: string): DatabaseSync {
  if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600))
  const database = new DatabaseSync(path)
  try {
    // Taken at once and held until the process ends, however it ends: two processes never share a world.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    database.exec('BEGIN IMMEDIATE')
    const version = database.prepare('PRAGMA user_version').get()?.user_version
    if (version !== 0 && version !== schemaVersion) {
      throw new Error(`its version is ${version}, this program reads ${schemaVersion}`)
    }
    database.exec(
      `CREATE TABLE IF NOT EXISTS record (
        sequence INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (kind, key));
      PRAGMA user_version = ${schemaVersion}; COMMIT`,
    )
    return database
  } catch (cause) {
    database.close()
    const why = cause instanceof Error ? cause.message : String(cause)
    const told = why.includes('locked') ? 'another process has it open' : why
    throw new Error(`Cannot open the simulated world ${path}: ${told}`, { cause })
  }
}

/** The edge to the disk: only this file wrote what is read here. */
function readRow(row: Record<string, unknown>): WorldRecord {
  return { kind: row.kind as RecordKind, key: String(row.key), value: JSON.parse(String(row.value)) }
}
