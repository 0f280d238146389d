import type { Environment } from '../crds/environment.ts'
import { kinds } from '../crds/kinds.ts'
import type { Driver } from '../drivers/contract/driver.ts'
import type { DriverName } from '../drivers/contract/endpoint.ts'
import { reconcilers } from '../reconcilers/reconcilers.ts'
import { type Client, createClient, type Writable } from './api/client.ts'
import { leasedTransport } from './api/leased-transport.ts'
import type { Transport } from './api/transport.ts'
import { createEngine, type Engine } from './engine/engine.ts'
import { type HealthServer, startHealthServer } from './health-server.ts'
import { install } from './install.ts'
import { type Installation, noteNewInstallation } from './installation-id.ts'
import type { Logger } from './log.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { metricSources } from './metrics-sources.ts'
import { type QueryOptions, type QueryService, serveQueries } from './query/query.ts'
import type { RecordStore } from './records/record-store.ts'
import { createRecorder, type Recorder } from './records/recorder.ts'
import { createTracer, type SpanExporter } from './traces/tracer.ts'

/** What a control plane is put together from. */
export interface ControlPlaneOptions {
  readonly transport: Transport
  /** The installation's id; one that the API keeps is asked for when everything is installed. */
  readonly installation: Installation | ((client: Client) => Promise<Installation>)
  readonly environment: Environment
  /** The CRDs to install. */
  readonly crds: readonly Writable[]
  readonly drivers: Readonly<Partial<Record<DriverName, Driver>>>
  readonly logger: Logger
  /** Port of `/healthz`, `/readyz`, `/metrics`; 0: any free one. Left out: they are not served. */
  readonly metricsPort?: number
  /** Where questions are answered. Left out: nowhere. */
  readonly query?: QueryOptions
  /** Whether this process may still write and operate: it holds its lease. Default: it may. */
  readonly mayDispatch?: () => boolean
  /** Where traces are sent. Left out: there are none, and they cost nothing. */
  readonly traces?: SpanExporter
  /** Where history is kept, and for how long in ms. Left out: the last of it, in memory. */
  readonly records?: { readonly store: RecordStore; readonly keep?: number }
}

/** A control plane that runs. */
export interface ControlPlane {
  readonly engine: Engine
  readonly health: HealthServer | undefined
  readonly query: QueryService | undefined
  readonly metrics: Metrics
  readonly recorder: Recorder
  stop(): Promise<void>
}

/** Installs the CRDs and starts the controllers; resolves when the caches are filled and every endpoint was asked. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { environment, drivers, logger, metricsPort, mayDispatch } = options
  const transport = mayDispatch === undefined ? options.transport : leasedTransport(options.transport, mayDispatch)
  const metrics = createMetrics({ clock: environment.clock })
  const client = createClient(transport)
  await install(client, options.crds, environment)
  const { id: installation, isNew } =
    typeof options.installation === 'function' ? await options.installation(client) : options.installation
  if (isNew === true) await noteNewInstallation(client, installation, environment)
  const recorder = createRecorder({ environment, logger, metrics, ...options.records })
  const tracer =
    options.traces === undefined ? undefined : createTracer({ environment, export: options.traces, logger, metrics })
  const engine = createEngine({
    transport,
    installation,
    environment,
    reconcilers,
    kinds,
    drivers: name => drivers[name],
    logger,
    metrics,
    recorder,
    ...(tracer === undefined ? {} : { tracer }),
    ...(mayDispatch === undefined ? {} : { mayDispatch }),
  })
  metrics.sources(
    metricSources({ desired: engine.desired, observed: engine.observed, kinds, clock: environment.clock }),
  )
  metrics.sources({ records: () => recorder.state() })
  const readiness = { caches: () => (engine.isSynced() ? undefined : 'the caches are being filled') }
  const health =
    metricsPort === undefined ? undefined : await startHealthServer({ port: metricsPort, readiness, metrics })
  await engine.start()
  const sources = { engine, environment, installation, recorder }
  // Whoever asks is reviewed by writing, which needs no lease.
  const reviewing = createClient(options.transport)
  const query =
    options.query === undefined ? undefined : await serveQueries(options.query, { sources, client: reviewing, logger })
  return {
    engine,
    health,
    query,
    metrics,
    recorder,
    async stop() {
      await query?.close()
      await health?.close()
      await engine.stop()
      await recorder.stop()
      await tracer?.stop()
    },
  }
}
