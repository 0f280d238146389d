import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { createClient } from '../controllers/api/client.ts'
import { kubeConfigOfPod } from '../controllers/api/kube-config.ts'
import { kubernetesTransport } from '../controllers/api/kubernetes-transport.ts'
import { readDefinitions } from '../controllers/install.ts'
import { installationOfCluster } from '../controllers/installation-id.ts'
import { createLogger, type LogLevel } from '../controllers/log.ts'
import { startReplica } from '../controllers/sharding/replica.ts'
import type { Environment } from '../crds/environment.ts'
import { createIPMIDriver } from '../drivers/ipmi/driver.ts'
import { createKVMDriver } from '../drivers/kvm/driver.ts'
import { createRedfishDriver } from '../drivers/redfish/driver.ts'
import { createSimulator } from '../drivers/simulator/simulator.ts'
import { explained } from './api-access.ts'
import { realEnvironment } from './environment.ts'
import { queryEndpointOfCluster } from './query-endpoint.ts'
import { type RecordOptions, recordStoreOf } from './record-options.ts'
import { projectPath } from './repository.ts'
import { endProcess, terminationSignal } from './termination.ts'
import { collectorOf } from './trace-options.ts'

/** Options of `skystead controller`. */
export interface ControllerOptions {
  /** Left out: that of the Pod's service account. */
  readonly kubeconfig?: string
  readonly metricsHost: string
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
  const kubeconfigPath = options.kubeconfig === undefined ? undefined : resolve(options.kubeconfig)
  const logger = createLogger({ level: options.logLevel, clock: environment.clock })
  try {
    const transport = kubernetesTransport({ kubeconfig: kubeconfigPath ?? kubeConfigOfPod(), environment })
    running.defer(() => transport.close())
    const identity = identityOf(environment)
    const endpoint = { host: options.queryHost, port: options.queryPort, replica: identity }
    const query = await queryEndpointOfCluster(createClient(transport), endpoint, environment)
    const store = recordStoreOf(options.records)
    const simulator = running.use(createSimulator({ environment }))
    const replica = await startReplica({
      identity,
      // Another replica, or the next process of this one, takes the work.
      onFailure: endProcess,
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
      metricsHost: options.metricsHost,
      metricsPort: options.metricsPort,
      query,
      ...(options.traces === undefined ? {} : { traces: collectorOf(options.traces, environment) }),
      ...(store === undefined ? {} : { records: { store, keep: options.records.keep } }),
    })
    running.defer(() => replica.stop())
    process.stdout.write(`skystead ready\n  metrics     ${replica.health?.url}/metrics\n`)
  } catch (error) {
    throw explained(error, { kubeconfigPath: kubeconfigPath ?? 'of the service account' })
  }
  stop.signal.removeEventListener('abort', leave)
  await stop.received
}

/** Another name for every process, that tells the host and can be part of an object's name. */
function identityOf({ random }: Environment): string {
  const name = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .slice(0, 60)
  return `${name}-${random.uuid().slice(0, 8)}`
}
