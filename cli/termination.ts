import type { Clock } from '../crds/environment.ts'
import { oneLine } from './user-error.ts'

/** A wish of the operating system or the person at the terminal that this process ends. */
export interface Termination {
  /** Aborted when the wish comes. */
  readonly signal: AbortSignal
  /** Resolves when the wish comes. */
  readonly received: Promise<void>
}

/** A terminal sends Ctrl-C to npm and to us, and npm passes it on: for so many ms a second signal is the same wish. */
const sameWish = 500

/** Listens for SIGINT and SIGTERM. Whoever is in a hurry sends a second one: it ends the process at once. */
export function terminationSignal(clock: Pick<Clock, 'monotonic'>): Termination {
  const controller = new AbortController()
  const received = new Promise<void>(resolve => {
    let first = 0
    const stop = () => {
      if (!controller.signal.aborted) first = clock.monotonic()
      else if (clock.monotonic() - first > sameWish) process.exit(130)
      controller.abort()
      resolve()
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
  return { signal: controller.signal, received }
}

/** Ends the process at once, in one line: a part without which nothing goes on has failed. */
export function endProcess(error: unknown): never {
  process.stderr.write(`skystead: ${oneLine(error)}\n`)
  process.exit(1)
}
