import type { Environment } from '../crds/environment.ts'
import { kinds } from '../crds/kinds.ts'
import type { Driver } from '../drivers/contract/driver.ts'
import type { DriverName } from '../drivers/contract/endpoint.ts'
import { reconcilers } from '../reconcilers/reconcilers.ts'
import { type Client, createClient, type Writable } from './api/client.ts'
import { createFeed, type Feed } from './api/feed.ts'
import { leasedTransport } from './api/leased-transport.ts'
import type { Transport } from './api/transport.ts'
import { createEngine, type Engine } from './engine/engine.ts'
import type { Shard } from './engine/shard.ts'
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

/** What a process of the controllers is put together from. */
export interface ControllerProcessOptions {
  readonly transport: Transport
  /** The installation's id; one that the API keeps is asked for when everything is installed. */
  readonly installation: Installation | ((client: Client) => Promise<Installation>)
  readonly environment: Environment
  /** The CRDs to install. */
  readonly crds: readonly Writable[]
  readonly drivers: Readonly<Partial<Record<DriverName, Driver>>>
  readonly logger: Logger
  /** How often an object is judged though nothing has changed, in ms. Infinity: never. Default 600,000. */
  readonly resyncInterval?: number
  /** Port of `/healthz`, `/readyz`, `/metrics`; 0: any free one. Left out: they are not served. */
  readonly metricsPort?: number
  /** Address that they are served at. Default 127.0.0.1. */
  readonly metricsHost?: string
  /** Where questions are answered. Left out: nowhere. */
  readonly query?: QueryOptions
  /** Where traces are sent. Left out: there are none, and they cost nothing. */
  readonly traces?: SpanExporter
  /** Where history is kept, and for how long in ms. Left out: the last of it, in memory. */
  readonly records?: { readonly store: RecordStore; readonly keep?: number }
}

/** What the engines of one process share. */
export interface ControllerProcess {
  readonly client: Client
  readonly feed: Feed
  readonly metrics: Metrics
  readonly recorder: Recorder
  readonly health: HealthServer | undefined
  /** Makes an engine for a part of the cloud, that acts only while it may. Left out: for everything, always. */
  createEngine(shard?: Shard, mayAct?: () => boolean): Engine
  /** Answers questions from now on, where that is wished; resolves with where. Whoever calls it closes what it answers. */
  serveQueries(): Promise<QueryService | undefined>
  /** Ends everything that was begun here. Call it when no engine runs any more. */
  stop(): Promise<void>
}

/**
 * Installs the CRDs and puts together what is there once in a process, however many engines run in it. `engines` are those
 * that run at this moment.
 */
export async function openControllerProcess(
  options: ControllerProcessOptions,
  engines: () => readonly Engine[],
): Promise<ControllerProcess> {
  const { transport, environment, drivers, logger, metricsPort, metricsHost = '127.0.0.1' } = options
  const metrics = createMetrics({ clock: environment.clock })
  const client = createClient(transport)
  await install(client, options.crds, environment)
  const { id: installation, isNew } =
    typeof options.installation === 'function' ? await options.installation(client) : options.installation
  if (isNew === true) await noteNewInstallation(client, installation, environment)
  const recorder = createRecorder({ environment, logger, metrics, ...options.records })
  const tracer =
    options.traces === undefined ? undefined : createTracer({ environment, export: options.traces, logger, metrics })
  const feed = createFeed({ client, kinds, environment, logger, metrics })
  metrics.sources({ ...metricSources({ engines, kinds, clock: environment.clock }), records: () => recorder.state() })
  const isReady = () => feed.isSynced() && engines().every(engine => engine.isSynced())
  const readiness = { caches: () => (isReady() ? undefined : 'the caches are being filled') }
  const health =
    metricsPort === undefined
      ? undefined
      : await startHealthServer({ host: metricsHost, port: metricsPort, readiness, metrics })
  feed.start()
  return {
    client,
    feed,
    metrics,
    recorder,
    health,
    createEngine: (shard, mayAct) =>
      createEngine({
        feed,
        transport: mayAct === undefined ? transport : leasedTransport(transport, mayAct),
        installation,
        environment,
        reconcilers,
        kinds,
        drivers: name => drivers[name],
        logger,
        metrics,
        recorder,
        ...(shard === undefined ? {} : { shard }),
        ...(options.resyncInterval === undefined ? {} : { resyncInterval: options.resyncInterval }),
        ...(tracer === undefined ? {} : { tracer }),
        ...(mayAct === undefined ? {} : { mayDispatch: mayAct }),
      }),
    async serveQueries() {
      if (options.query === undefined) return undefined
      const sources = { engines, environment, installation, recorder }
      return serveQueries(options.query, { sources, client, logger })
    },
    async stop() {
      await health?.close()
      await feed.stop()
      await recorder.stop()
      await tracer?.stop()
    },
  }
}
