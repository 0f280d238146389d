import type { Clock } from '../../crds/environment.ts'
import { DriverError } from '../../drivers/contract/errors.ts'

/** How long a call may take. */
export interface DeadlineOptions {
  readonly clock: Clock
  /** Milliseconds until the call's signal is aborted. */
  readonly deadline: number
  /** Aborting it ends the call before its deadline, for example because nobody wants its answer any more. */
  readonly controller: AbortController
  /** What is called, for the message. */
  readonly what: string
}

/**
 * How long after its signal was aborted a call may still run, in ms. The contract says that it rejects at once; one that
 * does not must not hold its locks and its place in the queue for ever.
 */
const abortGrace = 5_000

/**
 * Calls a driver under a deadline. An answer that comes after the abort all the same is taken: it is evidence.
 * Rejects with `DriverError` only; what a driver throws besides is `Internal` and in doubt.
 */
export function callWithDeadline<T>(options: DeadlineOptions, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { clock, deadline, controller, what } = options
  const { signal } = controller
  return new Promise<T>((resolve, reject) => {
    let grace: ReturnType<Clock['after']> | undefined
    const timer = clock.after(deadline, () =>
      controller.abort(new DriverError('Timeout', `${what} was not answered within ${deadline} ms`)),
    )
    const aborted = () => {
      timer.cancel()
      grace = clock.after(abortGrace, () => settle(() => reject(reasonOf(signal, what))))
    }
    const settle = (outcome: () => void) => {
      timer.cancel()
      grace?.cancel()
      signal.removeEventListener('abort', aborted)
      outcome()
    }
    if (signal.aborted) return settle(() => reject(reasonOf(signal, what)))
    signal.addEventListener('abort', aborted, { once: true })
    callSafely(call, signal).then(
      answer => settle(() => resolve(answer)),
      error => settle(() => reject(signal.aborted ? reasonOf(signal, what) : asDriverError(error, what))),
    )
  })
}

/** Any error as a driver's error: one that breaks the contract says nothing of what took effect. */
export function asDriverError(error: unknown, what: string): DriverError {
  if (error instanceof DriverError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new DriverError('Internal', `${what} failed: ${message}`, { inDoubt: true, cause: error })
}

async function callSafely<T>(call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  return await call(signal)
}

function reasonOf(signal: AbortSignal, what: string): DriverError {
  if (signal.reason instanceof DriverError) return signal.reason
  return new DriverError('Aborted', `${what} was given up`, { inDoubt: true })
}
