/** A served API for tests: a home of its own, real time, any free port. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunningServer, ServeOptions } from '../../../apiserver/serving/serve.ts'
import { serve } from '../../../apiserver/serving/serve.ts'
import { realEnvironment } from '../../../cli/environment.ts'

/** Serves a fresh home until the test ends. */
export async function serveForTest(
  t: { teardown(action: () => void | Promise<void>): void },
  options: (home: string) => Partial<ServeOptions> = () => ({}),
): Promise<RunningServer & { readonly home: string }> {
  const home = mkdtempSync(join(tmpdir(), 'skystead-serving-'))
  const server = await serve({ home, environment: realEnvironment(), ...options(home) })
  t.teardown(async () => {
    await server.close()
    rmSync(home, { recursive: true, force: true })
  })
  return { ...server, home }
}
