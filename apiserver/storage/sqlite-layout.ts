/** The log as SQLite keeps it. */

import type { DatabaseSync } from 'node:sqlite'

/** Another layout is refused rather than guessed at. */
export const layoutVersion = 2

/** What a log says of itself, apart from its records. */
export interface LogState {
  readonly layout: number
  /** The version of the last record that was ever added. */
  readonly last: number
  /** Up to which version it can no longer be told what happened. */
  readonly forgotten: number
  /** How many records there are, and the digest of all of them. */
  readonly records: number
  readonly digest: number
}

/** What a log says of itself before anything was written. */
export const emptyState: LogState = { layout: layoutVersion, last: 0, forgotten: 0, records: 0, digest: 0 }

/** Makes the tables of an empty log. Space that records leave can be given back to the disk a piece at a time. */
export function createTables(database: DatabaseSync): void {
  database.exec(`
    CREATE TABLE IF NOT EXISTS log (
      version INTEGER PRIMARY KEY, resource TEXT NOT NULL, key TEXT NOT NULL, value BLOB, digest INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS state (
      id INTEGER PRIMARY KEY CHECK (id = 1), layout INTEGER NOT NULL, last INTEGER NOT NULL,
      forgotten INTEGER NOT NULL, records INTEGER NOT NULL, digest INTEGER NOT NULL) STRICT;
    INSERT OR IGNORE INTO state VALUES (1, ${layoutVersion}, 0, 0, 0, 0);
  `)
}

/** Reads what a log says of itself; undefined where it has no tables yet. */
export function readState(database: DatabaseSync): LogState | undefined {
  const { count } = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get() ?? {}
  if (count === 0) return undefined
  const isKnown = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'state'").get() !== undefined
  if (!isKnown) return { ...emptyState, layout: 1 }
  const row = database.prepare('SELECT layout, last, forgotten, records, digest FROM state').get() ?? {}
  const number = (name: keyof LogState) => Number(row[name] ?? Number.NaN)
  return {
    layout: number('layout'),
    last: number('last'),
    forgotten: number('forgotten'),
    records: number('records'),
    digest: number('digest'),
  }
}
