/** A wish of the operating system or the person at the terminal that this process ends. */
export interface Termination {
  /** Aborted when the wish comes. */
  readonly signal: AbortSignal
  /** Resolves when the wish comes. */
  readonly received: Promise<void>
}

/** Listens for SIGINT and SIGTERM. The second one ends the process at once. */
export function terminationSignal(): Termination {
  const controller = new AbortController()
  const received = new Promise<void>(resolve => {
    const stop = () => {
      if (controller.signal.aborted) process.exit(130)
      controller.abort()
      resolve()
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
  return { signal: controller.signal, received }
}
