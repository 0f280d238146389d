import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { createClient } from '../controllers/api/client.ts'
import { kubernetesTransport } from '../controllers/api/kubernetes-transport.ts'
import { startControlPlane } from '../controllers/control-plane.ts'
import { readDefinitions } from '../controllers/install.ts'
import { installationOfCluster } from '../controllers/installation-id.ts'
import { createLogger, type LogLevel } from '../controllers/log.ts'
import { createIPMIDriver } from '../drivers/ipmi/driver.ts'
import { createKVMDriver } from '../drivers/kvm/driver.ts'
import { createRedfishDriver } from '../drivers/redfish/driver.ts'
import { createSimulator } from '../drivers/simulator/simulator.ts'
import { explained } from './api-access.ts'
import { realEnvironment } from './environment.ts'
import { queryEndpointOfCluster } from './query-endpoint.ts'
import { type RecordOptions, recordStoreOf } from './record-options.ts'
import { projectPath } from './repository.ts'
import { terminationSignal } from './termination.ts'
import { collectorOf } from './trace-options.ts'

/** Options of `skystead controller`. */
export interface ControllerOptions {
  readonly kubeconfig: string
  readonly metricsPort: number
  /** The address of the query endpoint, under which clients find it. */
  readonly queryHost: string
  /** Its port; 0: any free one. */
  readonly queryPort: number
  readonly logLevel: LogLevel
  readonly records: RecordOptions
  /** Base URL of an OTLP/HTTP receiver. Left out: no traces. */
  readonly traces?: string
}

/** Runs the controllers against a Kubernetes API until it is told to stop. */
export async function controller(options: ControllerOptions): Promise<void> {
  const environment = realEnvironment()
  const stop = terminationSignal(environment.clock)
  const leave = () => process.exit(0)
  stop.signal.addEventListener('abort', leave, { once: true })
  await using running = new AsyncDisposableStack()
  const kubeconfigPath = resolve(options.kubeconfig)
  const logger = createLogger({ level: options.logLevel, clock: environment.clock })
  try {
    const transport = kubernetesTransport({ kubeconfig: kubeconfigPath, environment })
    running.defer(() => transport.close())
    const query = await queryEndpointOfCluster(createClient(transport), endpointOf(options), environment)
    const store = recordStoreOf(options.records)
    const simulator = running.use(createSimulator({ environment }))
    const controlPlane = await startControlPlane({
      transport,
      installation: client => installationOfCluster(client, environment.random),
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
      query,
      ...(options.traces === undefined ? {} : { traces: collectorOf(options.traces, environment) }),
      ...(store === undefined ? {} : { records: { store, keep: options.records.keep } }),
    })
    running.defer(() => controlPlane.stop())
    process.stdout.write(`skystead ready\n  metrics     ${controlPlane.health?.url}/metrics\n`)
  } catch (error) {
    throw explained(error, { kubeconfigPath })
  }
  stop.signal.removeEventListener('abort', leave)
  await stop.received
}

/** The same name after every restart, and another one for every replica on this host that has a port of its own. */
function endpointOf({ queryHost, queryPort }: ControllerOptions): { host: string; port: number; replica: string } {
  const name = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, '-')
  return { host: queryHost, port: queryPort, replica: queryPort === 0 ? name : `${name}-${queryPort}` }
}
