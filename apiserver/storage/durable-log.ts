/** What keeps writes over a restart. The store knows nothing of files. */

/** One write. */
export interface LogRecord {
  /** The write's resourceVersion: grows from record to record. */
  readonly version: number
  readonly resource: string
  readonly key: string
  /** The encoded object; undefined: it was deleted. */
  readonly value: Uint8Array | undefined
}

/** How far a log has come. */
export interface LogExtent {
  /** The version of the last record that was ever appended; 0: none. */
  readonly last: number
  /** The highest horizon given to `forget`; 0: none. */
  readonly forgotten: number
}

/** An append-only log of writes. */
export interface DurableLog {
  /** Hands over every record in order. */
  load(accept: (record: LogRecord) => void): Promise<LogExtent>
  /**
   * Resolves once all records are safe; rejects with a StorageError when none of them is stored, or (`Unsafe`) when that
   * can only be known after a restart.
   */
  append(records: readonly LogRecord[]): Promise<void>
  /** Drops records that others up to `horizon` have replaced: what happened until then can no longer be told. */
  forget(versions: readonly number[], horizon: number): Promise<void>
  /** How large it is, in bytes. */
  usedBytes(): number
  close(): Promise<void>
  /** Resolves when the log can write nothing any more, ever; stays open otherwise. */
  readonly failed: Promise<StorageError>
}

/** Why storage cannot do what it was asked. */
export type StorageErrorCode = 'Locked' | 'Full' | 'Corrupt' | 'Failed' | 'Unsafe' | 'Closed'

/** A storage that cannot be opened or written. */
export class StorageError extends Error {
  readonly code: StorageErrorCode

  constructor(code: StorageErrorCode, message: string) {
    super(message)
    this.name = 'StorageError'
    this.code = code
  }
}

/** A log that forgets everything with the process: for tests, simulation and plans. */
export function memoryLog(): DurableLog {
  return {
    load: async () => ({ last: 0, forgotten: 0 }),
    append: async () => {},
    forget: async () => {},
    usedBytes: () => 0,
    close: async () => {},
    failed: new Promise(() => {}),
  }
}
