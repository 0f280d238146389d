/** What the server and the thread that writes its log say to each other. */

import type { LogExtent, LogRecord, StorageErrorCode } from './durable-log.ts'

/** Many records in one piece of memory, so that a batch crosses to the thread as one transfer. */
export interface PackedRecords {
  readonly versions: readonly number[]
  readonly resources: readonly string[]
  readonly keys: readonly string[]
  /** Length of each value in bytes; -1: deleted. */
  readonly lengths: readonly number[]
  readonly values: Uint8Array<ArrayBuffer>
}

/** A task for the thread; answered under the same id. */
export type LogTask = { readonly id: number } & (
  | { readonly type: 'append'; readonly records: PackedRecords }
  | { readonly type: 'forget'; readonly versions: readonly number[]; readonly horizon: number }
  | { readonly type: 'close' }
)

/** What the thread says. */
export type LogAnswer =
  | { readonly type: 'loaded'; readonly records: PackedRecords }
  | { readonly type: 'opened'; readonly extent: LogExtent; readonly usedBytes: number }
  | { readonly type: 'done'; readonly id: number; readonly usedBytes: number }
  | { readonly type: 'failed'; readonly id: number; readonly code: StorageErrorCode; readonly message: string }

/** Packs records into one piece of memory. */
export function pack(records: readonly LogRecord[]): PackedRecords {
  const lengths = records.map(record => record.value?.byteLength ?? -1)
  const values = new Uint8Array(lengths.reduce((sum, length) => sum + Math.max(0, length), 0))
  let offset = 0
  for (const { value } of records) {
    if (value === undefined) continue
    values.set(value, offset)
    offset += value.byteLength
  }
  return {
    versions: records.map(record => record.version),
    resources: records.map(record => record.resource),
    keys: records.map(record => record.key),
    lengths,
    values,
  }
}

/** The records of a packed batch; their values are views into its memory, or copies that may be kept one by one. */
export function unpack(packed: PackedRecords, values: 'views' | 'copies'): readonly LogRecord[] {
  let offset = 0
  return packed.versions.map((version, index) => {
    const length = packed.lengths[index] ?? -1
    const end = offset + Math.max(0, length)
    const value = values === 'views' ? packed.values.subarray(offset, end) : packed.values.slice(offset, end)
    offset = end
    const [resource = '', key = ''] = [packed.resources[index], packed.keys[index]]
    return { version, resource, key, value: length < 0 ? undefined : value }
  })
}
