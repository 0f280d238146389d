/** What a world consists of, as a store keeps it. */
export type RecordKind = 'Alias' | 'Host' | 'Machine' | 'Pool' | 'Volume' | 'Store' | 'Image'

/** One thing of the world, as a store keeps it. The value is JSON data. */
export interface WorldRecord {
  readonly kind: RecordKind
  readonly key: string
  readonly value: unknown
}

/** Keeps a simulated world. Puts and removals take effect together, at the next commit. */
export interface WorldStore {
  /** Everything that was committed. */
  load(): Iterable<WorldRecord>
  /** `read` is called at the commit, so that what changes often is written once. */
  put(kind: RecordKind, key: string, read: () => unknown): void
  remove(kind: RecordKind, key: string): void
  /** Resolves once everything put or removed before is on the disk. */
  commit(): Promise<void>
  close(): Promise<void>
}
