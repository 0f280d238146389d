/**
 * What a program otherwise takes from the process it runs in: time and chance.
 * Everything gets them from outside, so that tests and the simulation decide both.
 */

/** A timer that has been set and may be taken back. */
export interface Timer {
  cancel(): void
}

/** Time, wall and monotonic, in milliseconds. */
export interface Clock {
  /** Wall clock: milliseconds since the Unix epoch. Never used to measure a length of time. */
  now(): number
  /** Monotonic clock: milliseconds since some fixed moment. */
  monotonic(): number
  /** Calls `action` once, after at least `milliseconds`. */
  after(milliseconds: number, action: () => void): Timer
}

/** Chance. */
export interface Random {
  /** A number from 0 (included) to 1 (excluded). */
  next(): number
  /** A random UUID (version 4, lower case). */
  uuid(): string
}

/** Time and chance together, as every composition root hands them down. */
export interface Environment {
  readonly clock: Clock
  readonly random: Random
}

let written = { second: Number.NaN, text: '' }

/** The moment as Kubernetes writes it: RFC 3339, whole seconds, UTC. */
export function timestamp(clock: Clock): string {
  const second = Math.floor(clock.now() / 1000)
  if (second !== written.second) written = { second, text: `${new Date(second * 1000).toISOString().slice(0, 19)}Z` }
  return written.text
}

/** The moment as Kubernetes writes it in a MicroTime: RFC 3339 with microseconds, of which the clock knows the thousands. */
export function microTimestamp(clock: Clock): string {
  return `${new Date(clock.now()).toISOString().slice(0, -1)}000Z`
}

/** Resolves after at least `milliseconds`; rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const abort = () => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = clock.after(milliseconds, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    signal?.addEventListener('abort', abort, { once: true })
  })
}
