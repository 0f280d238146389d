import { join, resolve } from 'node:path'
import type { LimitOptions } from '../apiserver/limits/request-limits.ts'
import type { AuditOptions } from '../apiserver/serving/serve.ts'
import { createClient } from '../controllers/api/client.ts'
import { startControlPlane } from '../controllers/control-plane.ts'
import { readDefinitions } from '../controllers/install.ts'
import { installationOfHome } from '../controllers/installation-id.ts'
import { createLogger, type LogLevel } from '../controllers/log.ts'
import { createIPMIDriver } from '../drivers/ipmi/driver.ts'
import { createKVMDriver } from '../drivers/kvm/driver.ts'
import { createRedfishDriver } from '../drivers/redfish/driver.ts'
import { serveControl } from '../drivers/simulator/control-socket.ts'
import { openDurableStore } from '../drivers/simulator/durable-store.ts'
import { createSimulator } from '../drivers/simulator/simulator.ts'
import { startApiServer } from './api-server.ts'
import { realEnvironment } from './environment.ts'
import { applyOnce } from './first-start.ts'
import { controlSocketOf, prepareHome } from './home.ts'
import { showProgress } from './progress.ts'
import { queryEndpointOfHome } from './query-endpoint.ts'
import { homeStore, type RecordOptions, recordStoreOf } from './record-options.ts'
import { projectPath } from './repository.ts'
import { endProcess, type Termination, terminationSignal } from './termination.ts'
import { collectorOf } from './trace-options.ts'
import { UserError } from './user-error.ts'

/** Options of `skystead up`. */
export interface UpOptions {
  readonly home: string
  /** Port of the API on 127.0.0.1; 0: any free one. */
  readonly port: number
  readonly metricsPort: number
  /** Port of the query endpoint on 127.0.0.1; 0: any free one. */
  readonly queryPort: number
  readonly quickstart: boolean
  readonly logLevel: LogLevel
  /** How large the objects of the API may become, in bytes. */
  readonly storageLimit: number
  /** Left out: there is no audit log. */
  readonly audit?: AuditOptions | undefined
  readonly limits: LimitOptions
  readonly records: RecordOptions
  /** Base URL of an OTLP/HTTP receiver. Left out: no traces. */
  readonly traces?: string
}

/** Runs everything on this machine until it is told to stop. */
export async function up(options: UpOptions): Promise<void> {
  const environment = realEnvironment()
  const stop = terminationSignal(environment.clock)
  // What is answered is durable at any instant: nothing is lost by leaving in the midst of a start.
  const leave = () => process.exit(0)
  stop.signal.addEventListener('abort', leave, { once: true })
  await using running = new AsyncDisposableStack()
  const started = await start(options, environment, running).catch(error => {
    throw explained(error, options.home)
  })
  stop.signal.removeEventListener('abort', leave)
  await follow(started, options, stop)
  process.stdout.write('skystead is stopping ...\n')
}

type Started = Awaited<ReturnType<typeof start>>

/** Starts one part after the other; `running` ends them in reverse, also where a later one cannot start. */
async function start(
  options: UpOptions,
  environment: ReturnType<typeof realEnvironment>,
  running: AsyncDisposableStack,
) {
  const home = resolve(options.home)
  const logger = createLogger({ level: options.logLevel, clock: environment.clock })
  const socketPath = controlSocketOf(home)
  await prepareHome(home)
  // The API's storage comes first: it holds the home for this process.
  const { port, logLevel, storageLimit, audit, limits } = options
  const api = await startApiServer({ home, port, logLevel, storageLimit, audit, limits, died: endProcess })
  running.defer(() => api.close())
  const store = openDurableStore(join(home, 'simulator.db'))
  const simulator = running.use(createSimulator({ environment, store, onFailure: endProcess }))
  running.use(await serveControl(simulator, socketPath))
  const controlPlane = await startControlPlane({
    transport: api.transport,
    installation: await installationOfHome(home, environment.random),
    environment,
    crds: readDefinitions(projectPath('manifests/crds')),
    drivers: {
      Simulator: simulator.driver,
      KVM: createKVMDriver({ environment }),
      IPMI: createIPMIDriver({ environment }),
      Redfish: createRedfishDriver({ environment }),
    },
    logger,
    metricsPort: options.metricsPort,
    query: queryEndpointOfHome(home, options.queryPort, environment),
    ...(options.traces === undefined ? {} : { traces: collectorOf(options.traces, environment) }),
    records: { store: recordStoreOf(options.records) ?? homeStore(home, options.records), keep: options.records.keep },
  })
  running.defer(() => controlPlane.stop())
  const client = createClient(api.transport)
  await applyOnce(client, home, 'defaults', projectPath('manifests/defaults'))
  return { environment, home, api, client, controlPlane }
}

/** What the operating system says without saying where. */
function explained(error: unknown, home: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOSPC') return new UserError(`Cannot start in ${resolve(home)}: the disk is full`, { cause: error })
  return error
}

/** Tells that it runs, shows how the example comes up, and stays until the wish to end comes. */
async function follow(started: Started, options: UpOptions, stop: Termination): Promise<void> {
  const { environment, home, api, client, controlPlane } = started
  const lines = ['skystead ready', `  API         ${api.url}`, `  kubeconfig  ${api.kubeconfigPath}`]
  if (controlPlane.health !== undefined) lines.push(`  metrics     ${controlPlane.health.url}/metrics`)
  process.stdout.write(`${lines.join('\n')}\n`)
  if (options.quickstart) {
    // The example's Settings, unless there are some: without a trash, so that what is deleted is gone at once.
    await applyOnce(client, home, 'first-start', projectPath('manifests/first-start'))
    await applyOnce(client, home, 'quickstart', projectPath('manifests/quickstart'))
    await showProgress(controlPlane.engine, environment, stop.signal)
    if (!stop.signal.aborted) tellNext(api.kubeconfigPath, options.home)
  }
  await stop.received
}

function tellNext(kubeconfigPath: string, home: string): void {
  const place = home === '.skystead' ? '' : ` --home ${home}`
  process.stdout.write(
    `
Try:
  export KUBECONFIG=${kubeconfigPath}
  kubectl get skystead -A
  kubectl describe vm web-1 -n shop
  npm run skystead -- status${place}
  npm run skystead -- sim kill-host HOST${place}    # a host that runs machines, as kubectl get vm -A says
Ctrl-C stops it; the next start carries on where it was.
`,
  )
}
