import type { ArchivedEvent } from '../events.ts'
import type { OperationOutcome } from '../observation/hooks.ts'

/**
 * Records are history: what was done, and what was told. Nothing is ever decided by them, and losing them loses nothing
 * but the answer to "what happened".
 */

/** An object that a record is about. Cluster-scoped objects have no namespace. */
export interface RecordSubject {
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly uid: string
}

/** One operation of the journal. Never its arguments: they may be secret. */
export interface OperationRecord extends RecordSubject {
  readonly type: 'Operation'
  /** `<process>/<number>`: an operation that is tried again is another record. */
  readonly id: string
  /** When it was accepted (RFC 3339, milliseconds). */
  readonly at: string
  /** The generation of the spec that asked for it. */
  readonly generation: number
  /** The field manager that last changed that spec. Left out where the API does not tell. */
  readonly changedBy?: string
  /** The operation's id: `<identity>/<verb>/<hash>`. */
  readonly operation: string
  readonly verb: string
  /** Key of the endpoint, and the name of the resource that declares it. */
  readonly endpoint: string
  readonly endpointName: string
  readonly identity: string
  /** When it was given to its driver. Left out: it never was, or waits for its turn at its endpoint. */
  readonly begunAt?: string
  /** Left out: no end was recorded. It runs, or the process that began it was killed. */
  readonly endedAt?: string
  readonly outcome?: OperationOutcome
  /** What the driver said where it went wrong. */
  readonly message?: string
}

/** One event as it was told to the API. */
export interface EventRecord extends ArchivedEvent {
  readonly type: 'Event'
  /** `<process>/<name of the event>`. */
  readonly id: string
}

/** Records that were lost because the store could not be written for too long. */
export interface GapRecord {
  readonly type: 'Gap'
  readonly id: string
  /** The time of the first record that was lost, and of the last one. */
  readonly at: string
  readonly until: string
  /** How many were lost. An operation counts twice where its begin and its end were. */
  readonly lost: number
}

/** Anything that is kept. */
export type HistoryRecord = OperationRecord | EventRecord | GapRecord

/** Which records are asked for. */
export interface RecordQuery {
  readonly types?: readonly HistoryRecord['type'][]
  /** Records about this object; gaps are about every object. */
  readonly subject?: { readonly kind: string; readonly namespace?: string; readonly name: string }
  /** From this moment on (RFC 3339). */
  readonly since?: string
  /** Before this moment (RFC 3339). */
  readonly until?: string
  /** The last so many. */
  readonly limit: number
}

/** Whether a record is asked for. */
export function isAskedFor(record: HistoryRecord, { types, subject, since, until }: RecordQuery): boolean {
  if (types !== undefined && !types.includes(record.type)) return false
  if (since !== undefined && record.at < instant(since)) return false
  if (until !== undefined && record.at >= instant(until)) return false
  if (subject === undefined || record.type === 'Gap') return true
  return record.kind === subject.kind && record.namespace === subject.namespace && record.name === subject.name
}

/** A moment in the one form in which moments are compared: RFC 3339 with milliseconds, UTC. */
export function instant(moment: string | number): string {
  return new Date(moment).toISOString()
}

/** Records by time, and then by id. */
export function byTime(left: HistoryRecord, right: HistoryRecord): number {
  if (left.at !== right.at) return left.at < right.at ? -1 : 1
  return left.id < right.id ? -1 : 1
}
