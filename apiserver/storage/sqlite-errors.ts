import { messageOf } from '../message-of.ts'
import { StorageError } from './durable-log.ts'

// Result codes of SQLite (https://sqlite.org/rescode.html): primary ones, and two extended ones.
const busy = 5
const ioError = 10
const corrupt = 11
const full = 13
const notADatabase = 26
const fsyncFailed = ioError | (4 << 8)
const directorySyncFailed = ioError | (5 << 8)

/** What to do about a log that is damaged. */
export const mend = 'restore a backup with "skystead restore"; docs/operating.md says what to do without one'

/** Does something with a log's file; what SQLite throws becomes a StorageError. */
export function attempt<T>(verb: string, path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw toStorageError(error, verb, path)
  }
}

/** That a log's file is not what was written. */
export function damaged(path: string, what: string): StorageError {
  return new StorageError('Corrupt', `Cannot open ${path}: ${what}; ${mend}`)
}

function toStorageError(error: unknown, verb: string, path: string): StorageError {
  if (error instanceof StorageError) return error
  const message = messageOf(error)
  const code = resultCode(error)
  // Extended codes carry the primary one in their low byte.
  const primary = code === undefined ? undefined : code & 0xff
  if (primary === busy) return new StorageError('Locked', `Cannot ${verb} ${path}: another process is using it`)
  if (primary === full) return new StorageError('Full', `Cannot ${verb} ${path}: the disk is full`)
  if (primary === corrupt || primary === notADatabase) {
    return new StorageError('Corrupt', `Cannot ${verb} ${path}: the file is damaged (${message}); ${mend}`)
  }
  if (code === fsyncFailed || code === directorySyncFailed) {
    return new StorageError('Unsafe', `Cannot ${verb} ${path}: the disk did not keep what was written (${message})`)
  }
  return new StorageError('Failed', `Cannot ${verb} ${path}: ${message}`)
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}
