import { setTimeout as pause } from 'node:timers/promises'

/** How to wait. */
export interface Waiting {
  /** When it is given up, in ms. Default 90,000. */
  readonly limit?: number
  /** How long to pause between two questions, in ms. Default 50. */
  readonly every?: number
}

/** Asks again and again, in real time, until something comes back; rejects, saying what was waited for, at the limit. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  { limit = 90_000, every = 50 }: Waiting = {},
): Promise<T> {
  const end = performance.now() + limit
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > end) throw new Error(`Cannot go on: ${what} did not come within ${limit / 1000} s`)
    await pause(every)
  }
}
