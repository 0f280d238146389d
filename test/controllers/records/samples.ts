/** Records and a store for tests. */
import { byTime, type HistoryRecord, isAskedFor, type OperationRecord } from '../../../controllers/records/record.ts'
import type { RecordStore } from '../../../controllers/records/record-store.ts'

/** An operation that ended well. */
export function operationRecord(id: string, at: string, fields: Partial<OperationRecord> = {}): OperationRecord {
  return {
    type: 'Operation',
    id,
    at,
    kind: 'VirtualMachine',
    namespace: 'shop',
    name: 'web-1',
    uid: 'uid-1',
    generation: 2,
    changedBy: 'kubectl',
    operation: 'm/StartMachine/0000000000000000',
    verb: 'StartMachine',
    endpoint: 'Host/a',
    endpointName: 'host-1',
    identity: 'm',
    begunAt: at,
    endedAt: at,
    outcome: 'Succeeded',
    ...fields,
  }
}

/** A store in memory that can be broken. */
export class FakeStore implements RecordStore {
  readonly name = 'Fake'
  readonly records = new Map<string, HistoryRecord>()
  /** Every batch that was given, kept or not. */
  readonly batches: (readonly HistoryRecord[])[] = []
  readonly pruned: string[] = []
  broken = false
  /** The batch is kept and the answer is lost. */
  losesAnswers = false
  /** Appends never end. */
  hangs = false
  closed = false

  async append(records: readonly HistoryRecord[]): Promise<void> {
    this.batches.push(records)
    if (this.hangs) await new Promise(() => undefined)
    if (this.broken) throw new Error('the store is away')
    for (const record of records) this.records.set(record.id, record)
    if (this.losesAnswers) throw new Error('no answer')
  }

  async query(query: Parameters<RecordStore['query']>[0]): Promise<readonly HistoryRecord[]> {
    if (this.broken) throw new Error('the store is away')
    return [...this.records.values()]
      .filter(record => isAskedFor(record, query))
      .toSorted(byTime)
      .slice(-query.limit)
  }

  async prune(before: string): Promise<void> {
    this.pruned.push(before)
  }

  async close(): Promise<void> {
    this.closed = true
  }
}
