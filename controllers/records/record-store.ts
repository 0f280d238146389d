import type { HistoryRecord, RecordQuery } from './record.ts'

/** Where records are kept. It opens itself when it is first used, and again after it was lost. */
export interface RecordStore {
  /** What it is, for people; without credentials. */
  readonly name: string
  /** Keeps records. One with the id of another takes its place, so that a batch may be given again after a lost answer. */
  append(records: readonly HistoryRecord[]): Promise<void>
  /** The last records asked for, oldest first. */
  query(query: RecordQuery): Promise<readonly HistoryRecord[]>
  /** Forgets what was before a moment (RFC 3339). */
  prune(before: string): Promise<void>
  close(): Promise<void>
}
