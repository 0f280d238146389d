import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createClient } from '../controllers/api/client.ts'
import { startControlPlane } from '../controllers/control-plane.ts'
import { installationOfHome } from '../controllers/installation-id.ts'
import { createLogger, type LogLevel } from '../controllers/log.ts'
import { createKVMDriver } from '../drivers/kvm/driver.ts'
import { serveControl } from '../drivers/simulator/control-socket.ts'
import { openDurableStore } from '../drivers/simulator/durable-store.ts'
import { createSimulator } from '../drivers/simulator/simulator.ts'
import { type ApiServerThread, startApiServer } from './api-server.ts'
import { realEnvironment } from './environment.ts'
import { applyOnce } from './first-start.ts'
import { showProgress } from './progress.ts'
import { projectPath } from './repository.ts'
import { terminationSignal } from './termination.ts'
import { oneLine, UserError } from './user-error.ts'

/** Options of `skystead up`. */
export interface UpOptions {
  readonly home: string
  readonly port: number
  readonly metricsPort: number
  readonly quickstart: boolean
  readonly logLevel: LogLevel
}

/** Runs everything on this machine until it is told to stop. */
export async function up(options: UpOptions): Promise<void> {
  const environment = realEnvironment()
  const home = resolve(options.home)
  const logger = createLogger({ level: options.logLevel, clock: environment.clock })
  const fail = (error: Error) => {
    process.stderr.write(`skystead: ${error.message}\n`)
    process.exit(1)
  }
  await prepareHome(home)
  const api = await startApiServer({ home, port: options.port, died: fail })
  const simulator = createSimulator({
    environment,
    store: openDurableStore(join(home, 'simulator.db')),
    onFailure: fail,
  })
  const control = await serveControl(simulator, join(home, 'simulator.sock'))
  const installation = await installationOfHome(home, environment.random)
  const controlPlane = await startControlPlane({
    transport: api.transport,
    installation,
    environment,
    crds: projectPath('manifests/crds'),
    drivers: { Simulator: simulator.driver, KVM: createKVMDriver({ environment }) },
    logger,
    metricsPort: options.metricsPort,
  }).catch(error => {
    throw new UserError(oneLine(error))
  })
  const client = createClient(api.transport)
  await applyOnce(client, home, 'defaults', projectPath('manifests/defaults'))
  const stop = terminationSignal()
  tell(api, controlPlane.health?.url)
  if (options.quickstart) {
    await applyOnce(client, home, 'quickstart', projectPath('manifests/quickstart'))
    await showProgress(controlPlane.engine, environment, stop.signal)
    if (!stop.signal.aborted) tellNext(api.kubeconfigPath)
  }
  await stop.received
  process.stdout.write('skystead is stopping ...\n')
  await controlPlane.stop()
  await control[Symbol.asyncDispose]()
  await simulator[Symbol.asyncDispose]()
  await api.close()
}

async function prepareHome(home: string): Promise<void> {
  try {
    await mkdir(home, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new UserError(`Cannot use the home ${home}: ${oneLine(error)}`)
  }
}

function tell({ url, kubeconfigPath }: ApiServerThread, health: string | undefined): void {
  const lines = ['skystead ready', `  API         ${url}`, `  kubeconfig  ${kubeconfigPath}`]
  if (health !== undefined) lines.push(`  metrics     ${health}/metrics`)
  process.stdout.write(`${lines.join('\n')}\n`)
}

function tellNext(kubeconfigPath: string): void {
  process.stdout.write(
    `
Try:
  export KUBECONFIG=${kubeconfigPath}
  kubectl get skystead -A
  kubectl describe vm web-1 -n shop
  npm run skystead -- status
  npm run skystead -- sim kill-host host-1
Ctrl-C stops it; the next start carries on where it was.
`,
  )
}
