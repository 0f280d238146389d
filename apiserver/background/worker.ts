import type { Clock, Timer } from '../../crds/environment.ts'

/** Work that is done apart from any request, once for each key however often it was asked for meanwhile. */
export interface Worker {
  enqueue(key: string): void
  stop(): void
}

/** Milliseconds until work that failed (the disk may be full) is tried again. */
const retryDelay = 1_000

/** Starts a worker. All keys that wait together are worked on together, so that their writes share a commit. */
export function startWorker(clock: Clock, work: (key: string) => Promise<void>): Worker {
  const waiting = new Set<string>()
  const timers = new Set<Timer>()
  let running = false
  let stopped = false

  async function run(): Promise<void> {
    running = true
    while (waiting.size > 0 && !stopped) {
      const keys = [...waiting]
      waiting.clear()
      await Promise.all(keys.map(key => work(key).catch(() => retry(key))))
    }
    running = false
  }

  function retry(key: string): void {
    if (stopped) return
    const timer = clock.after(retryDelay, () => {
      timers.delete(timer)
      enqueue(key)
    })
    timers.add(timer)
  }

  function enqueue(key: string): void {
    if (stopped) return
    waiting.add(key)
    // After the commit that caused it has been told to everybody.
    if (!running) {
      running = true
      queueMicrotask(() => void run())
    }
  }

  return {
    enqueue,
    stop: () => {
      stopped = true
      waiting.clear()
      for (const timer of timers) timer.cancel()
    },
  }
}
