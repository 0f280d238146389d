import type { Effect } from './effect.ts'

/** A verdict says how far one wish is met. Each phase gives one on every pass, and it becomes the phase's condition. */
export type Verdict = Satisfied | Acting | Waiting | Unknown | Blocked

/** The wish is met. Condition True. */
export interface Satisfied {
  readonly is: 'satisfied'
  readonly reason: string
  readonly message: string
  /** Whether `Ready` takes over this reason: there is nothing left to do, and this says why (`Idle`, `NotYetAttached`). */
  readonly summary?: boolean
}

/** Not met, and this brings it nearer. Condition False. */
export interface Acting {
  readonly is: 'acting'
  readonly reason: string
  readonly message: string
  readonly effects: readonly Effect[]
  /** It was refused until somebody changes something, and is only asked for once more: the object stays `Stalled`. */
  readonly stalled?: boolean
}

/** Not met, and somebody else's turn. What was read wakes the object, or the recheck does. Condition False. */
export interface Waiting {
  readonly is: 'waiting'
  readonly reason: string
  readonly message: string
  readonly recheck?: number
  readonly queue?: string
  readonly priority?: number
}

/** Evidence is missing or too old to say. Condition Unknown. */
export interface Unknown {
  readonly is: 'unknown'
  readonly reason: string
  readonly message: string
  readonly recheck?: number
}

/** Not met until somebody changes something. Condition False, and the object is `Stalled`. */
export interface Blocked {
  readonly is: 'blocked'
  readonly reason: string
  readonly message: string
}

/** Whether somebody must change something. */
export function isStalled(verdict: Verdict): boolean {
  return verdict.is === 'blocked' || (verdict.is === 'acting' && verdict.stalled === true)
}

/** The wish is met. With `summary`, `Ready` takes over the reason. */
export function satisfied(reason: string, message = '', options: { readonly summary?: boolean } = {}): Satisfied {
  return { is: 'satisfied', reason, message, ...options }
}

/** The wish is not met; the effects bring it nearer. */
export function acting(reason: string, message: string, ...effects: readonly Effect[]): Acting {
  return { is: 'acting', reason, message, effects }
}

/** Options of a verdict that waits. */
export interface WaitingOptions {
  /** Judge again after so many milliseconds. Default: only when something read changes. */
  readonly recheck?: number
  /** The queue to stand in: its members are woken one by one, in order, until one is refused again. */
  readonly queue?: string
  /** Where in the queue: higher comes first, and of one priority the namespaces take turns. Default 0. */
  readonly priority?: number
}

/** The wish is not met and nothing is to be done now. */
export function waiting(reason: string, message: string, options: WaitingOptions = {}): Waiting {
  return { is: 'waiting', reason, message, ...options }
}

/** Nobody can say now whether the wish is met. */
export function unknown(reason: string, message: string, options: { readonly recheck?: number } = {}): Unknown {
  return { is: 'unknown', reason, message, ...options }
}

/** The wish cannot be met until it, or something it rests on, is changed. */
export function blocked(reason: string, message: string): Blocked {
  return { is: 'blocked', reason, message }
}
