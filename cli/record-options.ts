import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { createMongoStore } from '../controllers/records/mongo-store.ts'
import type { RecordStore } from '../controllers/records/record-store.ts'
import { createSQLiteStore } from '../controllers/records/sqlite-store.ts'
import { bytes, duration } from './option-values.ts'
import { UserError } from './user-error.ts'

/** Where history is kept. */
export interface RecordOptions {
  /** `mongodb://…`, `mongodb+srv://…` or `sqlite:FILE`. Left out: what the command uses by itself. */
  readonly url?: string
  /** How long it is kept, in ms. */
  readonly keep: number
  /** How large the records in SQLite may become, in bytes. */
  readonly mostBytes: number
}

/** The variable that names the record store where no option does. */
const variable = 'SKYSTEAD_RECORDS'

/** Adds the options of where history is kept. */
export function addRecordOptions(command: Command): Command {
  return command
    .option('--records <url>', 'where history is kept: mongodb://HOST/DATABASE or sqlite:FILE; without a password')
    .option('--records-url-file <file>', `a file that holds that URL, with its password; or set ${variable}`)
    .addOption(
      new Option('--records-keep <duration>', 'how long history is kept')
        .argParser(duration)
        .default(duration('720h'), '720h'),
    )
    .addOption(
      new Option('--records-size <quantity>', 'how large it may become in SQLite; then the oldest goes')
        .argParser(bytes)
        .default(bytes('1Gi'), '1Gi'),
    )
}

/** What a person has asked for. Secrets come from a file or the environment: arguments are seen by everybody. */
export function recordOptionsOf(given: {
  readonly records?: string
  readonly recordsUrlFile?: string
  readonly recordsKeep: number
  readonly recordsSize: number
}): RecordOptions {
  const { records, recordsUrlFile, recordsKeep: keep, recordsSize: mostBytes } = given
  if (records !== undefined && recordsUrlFile !== undefined) {
    throw new UserError('Cannot use --records and --records-url-file together: give one of them')
  }
  if (records !== undefined && /:\/\/[^/]*:[^/]*@/.test(records)) {
    throw new UserError(
      `Cannot take a password from --records: everybody on this machine can read arguments; use --records-url-file or ${variable}`,
    )
  }
  const url = records ?? (recordsUrlFile === undefined ? process.env[variable] : urlIn(recordsUrlFile))
  return { ...(url === undefined || url === '' ? {} : { url }), keep, mostBytes }
}

/** The store that was asked for; undefined where none was. */
export function recordStoreOf({ url, mostBytes }: RecordOptions): RecordStore | undefined {
  if (url === undefined) return undefined
  if (/^mongodb(\+srv)?:\/\//.test(url)) return createMongoStore({ url })
  if (url.startsWith('sqlite:')) return createSQLiteStore({ path: resolve(url.slice('sqlite:'.length)), mostBytes })
  throw new UserError('Cannot keep records there: the URL must begin with mongodb://, mongodb+srv:// or sqlite:')
}

/** The store of a home. */
export function homeStore(home: string, { mostBytes }: RecordOptions): RecordStore {
  return createSQLiteStore({ path: join(home, 'records.db'), mostBytes })
}

function urlIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new UserError(`Cannot read the URL of the record store: ${message}`, { cause: error })
  }
}
