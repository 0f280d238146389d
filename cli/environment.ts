import { randomUUID } from 'node:crypto'
import type { Environment } from '../crds/environment.ts'

/** Real time and real chance. This is the only file that takes them from the process. */
export function realEnvironment(): Environment {
  return {
    clock: {
      now: () => Date.now(),
      monotonic: () => performance.now(),
      after: (milliseconds, action) => {
        const timer = setTimeout(action, Math.min(Math.max(0, milliseconds), 2 ** 31 - 1))
        return { cancel: () => clearTimeout(timer) }
      },
    },
    random: { next: () => Math.random(), uuid: () => randomUUID() },
  }
}
