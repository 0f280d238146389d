/** A served API for tests: a home of its own, real time, any free port. */

import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunningServer, ServeOptions } from '../../../apiserver/serving/serve.ts'
import { serve } from '../../../apiserver/serving/serve.ts'
import type { Environment } from '../../../crds/environment.ts'

/** Time and chance as they are. */
export const realEnvironment: Environment = {
  clock: {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after: (milliseconds, action) => {
      const timer = setTimeout(action, milliseconds)
      return { cancel: () => clearTimeout(timer) }
    },
  },
  random: { next: () => Math.random(), uuid: () => randomUUID() },
}

/** Serves a fresh home until the test ends. */
export async function serveForTest(
  t: { teardown(action: () => void | Promise<void>): void },
  options: (home: string) => Partial<ServeOptions> = () => ({}),
): Promise<RunningServer & { readonly home: string }> {
  const home = mkdtempSync(join(tmpdir(), 'skystead-serving-'))
  const server = await serve({ home, environment: realEnvironment, ...options(home) })
  t.teardown(async () => {
    await server.close()
    rmSync(home, { recursive: true, force: true })
  })
  return { ...server, home }
}
