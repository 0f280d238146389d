import { type Clock, type Environment, sleep } from '../../crds/environment.ts'

/** Options of rounds. */
export interface RoundsOptions {
  readonly environment: Environment
  /** How long the pause between two rounds is, in ms, ± 20 %. */
  readonly pause: number
  /** How long a round may take, in ms: a request that hangs must not keep us from the next one. */
  readonly limit: number
  readonly round: (signal: AbortSignal) => Promise<void>
  readonly onError: (error: unknown) => void
}

/** Something that is done again and again, one round at a time, whatever becomes of each. */
export interface Rounds {
  start(): void
  /** Whether there will be no other round. */
  isStopped(): boolean
  /** Breaks off the round that runs; resolves when it has ended. */
  stop(): Promise<void>
}

/** Makes rounds. Nothing happens before `start`. */
export function createRounds({ environment, pause, limit, round, onError }: RoundsOptions): Rounds {
  const { clock, random } = environment
  const stopping = new AbortController()
  const { signal } = stopping
  let running: Promise<void> | undefined

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await limited(clock, limit, limitSignal => round(AbortSignal.any([limitSignal, signal]))).catch(error => {
        if (!signal.aborted) onError(error)
      })
      await sleep(clock, pause * (0.8 + 0.4 * random.next()), signal).catch(() => undefined)
    }
  }

  return {
    start() {
      running ??= run()
    },
    isStopped: () => signal.aborted,
    async stop() {
      stopping.abort(new Error('stopped'))
      await running
    },
  }
}

/** Runs something whose signal aborts after so many ms at the latest. */
export async function limited<T>(
  clock: Clock,
  milliseconds: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController()
  const timer = clock.after(milliseconds, () => limit.abort(new Error(`no answer within ${milliseconds} ms`)))
  try {
    return await run(limit.signal)
  } finally {
    timer.cancel()
  }
}
