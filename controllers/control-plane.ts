import { type ControllerProcessOptions, openControllerProcess } from './controller-process.ts'
import type { Engine } from './engine/engine.ts'
import type { HealthServer } from './health-server.ts'
import type { Metrics } from './metrics.ts'
import type { QueryService } from './query/query.ts'
import type { Recorder } from './records/recorder.ts'

/** A control plane that runs: one process looks after everything. */
export interface ControlPlane {
  readonly engine: Engine
  readonly health: HealthServer | undefined
  readonly query: QueryService | undefined
  readonly metrics: Metrics
  readonly recorder: Recorder
  stop(): Promise<void>
}

/** Installs the CRDs and starts the controllers; resolves when the caches are filled and every endpoint was asked. */
export async function startControlPlane(options: ControllerProcessOptions): Promise<ControlPlane> {
  const engines: Engine[] = []
  const process = await openControllerProcess(options, () => engines)
  const engine = process.createEngine()
  engines.push(engine)
  await engine.start()
  const query = await process.serveQueries()
  await query?.publish()
  const { health, metrics, recorder } = process
  return {
    engine,
    health,
    query,
    metrics,
    recorder,
    async stop() {
      await query?.close()
      await engine.stop()
      await process.stop()
    },
  }
}
