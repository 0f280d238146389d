/** A large simulated cloud on the embedded API, for benchmarks: the real process layout, durable storage, no simulated delays. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiServerThread, startApiServer } from '../cli/api-server.ts'
import { realEnvironment } from '../cli/environment.ts'
import { projectPath } from '../cli/repository.ts'
import { Namespace } from '../controllers/api/built-in-kinds.ts'
import { type Client, createClient, type Writable } from '../controllers/api/client.ts'
import { kubernetesTransport } from '../controllers/api/kubernetes-transport.ts'
import type { AnyApiKind } from '../controllers/api/paths.ts'
import type { Transport } from '../controllers/api/transport.ts'
import { type ControlPlane, startControlPlane } from '../controllers/control-plane.ts'
import { readDefinitions } from '../controllers/install.ts'
import { createLogger } from '../controllers/log.ts'
import { createSQLiteStore } from '../controllers/records/sqlite-store.ts'
import type { AnyKind } from '../crds/define-kind.ts'
import { Zone } from '../crds/infrastructure/zone.ts'
import { kindOf } from '../crds/kinds.ts'
import { isTrue } from '../crds/meta.ts'
import { createSimulator, type Simulator } from '../drivers/simulator/simulator.ts'
import { until } from './measurement.ts'
import { WriteCounter } from './writes.ts'

/** The size of a cloud. */
export interface CloudSize {
  readonly hosts: number
  readonly machines: number
}

const environment = realEnvironment()
/** How many machines share a network and its namespace. */
export const machinesPerNetwork = 100
/** How many hosts share a cluster. */
const hostsPerCluster = 50
/** How many objects are being created at the same time. */
const parallel = 64
/** Roll-ups are written every 10 s at most: what was not written for so many ms is not to come. */
const longerThanRollUps = 12_000

/** A cloud under load. */
export class LargeCloud {
  readonly home: string
  readonly simulator: Simulator
  #api: ApiServerThread | undefined
  #plane: ControlPlane | undefined
  /** Counts what the control plane writes. */
  readonly writes = new WriteCounter()

  private constructor(home: string) {
    this.home = home
    this.simulator = createSimulator({ environment, timing: 'None', seed: 1 })
  }

  /** Starts an empty cloud in a home of its own. */
  static async start(): Promise<LargeCloud> {
    const cloud = new LargeCloud(await mkdtemp(join(tmpdir(), 'skystead-bench-')))
    await cloud.startServer()
    await cloud.startControllers()
    return cloud
  }

  /** Starts the API server on the home. */
  async startServer(): Promise<void> {
    const died = (error: Error) => {
      throw error
    }
    this.#api = await startApiServer({ home: this.home, port: 0, died })
  }

  /** Starts the controllers; resolves when caches are filled and every endpoint was asked. */
  async startControllers(): Promise<void> {
    this.#plane = await startControlPlane({
      transport: this.writes.counted(this.api.transport),
      installation: { id: 'bench', isNew: true },
      environment,
      crds: readDefinitions(projectPath('manifests/crds')),
      drivers: { Simulator: this.simulator.driver },
      logger: createLogger({ level: 'error', clock: environment.clock }),
      // As `skystead up` does: what is measured includes its history.
      records: { store: createSQLiteStore({ path: join(this.home, 'records.db') }) },
    })
  }

  /** Stops the controllers and the API server; the home stays. */
  async stopAll(): Promise<void> {
    await this.#plane?.stop()
    await this.#api?.close()
  }

  /** Stops everything and removes the home. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAll()
    await this.simulator[Symbol.asyncDispose]()
    await rm(this.home, { recursive: true, force: true })
  }

  get client(): Client {
    return createClient(this.api.transport)
  }

  /** A way to the API over TLS, as programs outside this process have it. Whoever asks closes it. */
  outside(): Transport {
    return kubernetesTransport({ kubeconfig: this.api.kubeconfigPath, environment })
  }

  /** The API's version: it grows with every write, whoever makes it. */
  async version(): Promise<number> {
    const { resourceVersion } = await this.client.page(Zone, { limit: 1 })
    return Number(resourceVersion)
  }

  /** Waits until so many objects of a kind are Ready. */
  async untilReady(kind: AnyKind, count: number): Promise<void> {
    const { desired } = this.plane.engine
    await until(`${count} objects of ${kind.kind} are Ready`, () => {
      let ready = 0
      for (const object of desired.all(kind)) if (isTrue(object, 'Ready')) ready += 1
      return ready >= count
    })
  }

  /**
   * Waits until every endpoint was listed anew, so that nothing is left to be learned, and nothing was written for so
   * many ms.
   */
  async untilQuiet(quietTime = longerThanRollUps): Promise<void> {
    const { observed, observer } = this.plane.engine
    const begun = environment.clock.monotonic()
    const endpoints = observed.endpoints()
    for (const key of endpoints) observer.listSoon(key)
    await until('every endpoint is listed', () => endpoints.every(key => (observed.listedAt(key) ?? 0) >= begun))
    let version = await this.version()
    let since = environment.clock.monotonic()
    await until('nothing is written', async () => {
      const next = await this.version()
      if (next !== version) since = environment.clock.monotonic()
      version = next
      return environment.clock.monotonic() - since >= quietTime
    })
  }

  get api(): ApiServerThread {
    if (this.#api === undefined) throw new Error('Cannot ask the API: it does not run')
    return this.#api
  }

  get plane(): ControlPlane {
    if (this.#plane === undefined) throw new Error('Cannot look at the control plane: it does not run')
    return this.#plane
  }

  /** Creates many objects, some at a time. */
  async create(objects: readonly Writable[]): Promise<void> {
    const { client } = this
    const queue = objects[Symbol.iterator]()
    const workers = Array.from({ length: parallel }, async () => {
      for (const object of queue) await client.create(kindFor(object), object)
    })
    await Promise.all(workers)
  }
}

/** The infrastructure of a zone with so many hosts. */
export function infrastructure({ hosts }: CloudSize): readonly Writable[] {
  const group = 'infrastructure.skystead.dev/v1alpha1'
  const object = (apiVersion: string, kind: string, name: string, spec: object) => ({
    apiVersion,
    kind,
    metadata: { name },
    spec,
  })
  const clusters = Math.ceil(hosts / hostsPerCluster)
  return [
    object(group, 'Zone', 'zone', {
      networkType: 'Advanced',
      guestCIDR: '10.1.0.0/16',
      publicDNS: ['192.0.2.53'],
      internalDNS: ['172.16.0.53'],
    }),
    object(group, 'PhysicalNetwork', 'fabric', {
      zoneName: 'zone',
      isolation: 'VXLAN',
      segments: ['10000-90000'],
      traffic: [
        { type: 'Guest', label: 'guest0' },
        { type: 'Public', label: 'public0' },
      ],
    }),
    object(group, 'HostPod', 'pod', {
      zoneName: 'zone',
      cidr: '172.16.0.0/16',
      gateway: '172.16.0.1',
      systemIPRanges: [{ addresses: '172.16.0.10-172.16.0.250' }],
    }),
    object(group, 'PrimaryStorage', 'pool', { scope: 'Zone', zoneName: 'zone', url: 'sim://pool', capacity: '900Ti' }),
    object(group, 'PublicIPRange', 'public', {
      zoneName: 'zone',
      cidr: '198.18.0.0/16',
      gateway: '198.18.0.1',
      addresses: ['198.18.1.0-198.18.250.250'],
    }),
    object('compute.skystead.dev/v1alpha1', 'ServiceOffering', 'small', { cores: 1, clockMHz: 500, memory: '512Mi' }),
    object('compute.skystead.dev/v1alpha1', 'PublicTemplate', 'tiny', {
      osType: 'Linux',
      images: [{ hypervisor: 'Simulator', format: 'QCOW2', url: 'sim://images/tiny' }],
    }),
    object('network.skystead.dev/v1alpha1', 'NetworkOffering', 'isolated', {
      guestType: 'Isolated',
      services: ['DHCP', 'DNS', 'SourceNAT'].map(name => ({ name, provider: 'VirtualRouter' })),
    }),
    ...Array.from({ length: clusters }, (_, index) =>
      object(group, 'HostCluster', `cluster-${index}`, { podName: 'pod', hypervisor: 'Simulator' }),
    ),
    ...Array.from({ length: hosts }, (_, index) =>
      object(group, 'Host', `host-${index}`, {
        clusterName: `cluster-${index % clusters}`,
        address: `172.16.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`,
        simulator: { cores: 32, clockMHz: 2500, memory: '256Gi' },
        powerControl: { driver: 'Simulator' },
      }),
    ),
  ]
}

/** The namespaces and networks of so many machines. */
export function networks({ machines }: CloudSize): readonly (readonly Writable[])[] {
  const count = Math.ceil(machines / machinesPerNetwork)
  const names = Array.from({ length: count }, (_, index) => `tenant-${index}`)
  return [
    names.map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    names.map(namespace => ({
      apiVersion: 'network.skystead.dev/v1alpha1',
      kind: 'Network',
      metadata: { name: 'net', namespace },
      spec: { zoneName: 'zone', networkOfferingName: 'isolated', cidr: '10.1.0.0/16' },
    })),
  ]
}

/** One machine, by number. */
export function machine(index: number): Writable {
  const namespace = `tenant-${Math.floor(index / machinesPerNetwork)}`
  return {
    apiVersion: 'compute.skystead.dev/v1alpha1',
    kind: 'VirtualMachine',
    metadata: { name: `m-${index}`, namespace },
    spec: {
      zoneName: 'zone',
      serviceOfferingName: 'small',
      templateRef: { kind: 'PublicTemplate', name: 'tiny' },
      nics: [{ name: 'eth0', networkName: 'net' }],
    },
  } as Writable
}

function kindFor({ apiVersion, kind }: Writable): AnyApiKind {
  const known = kind === 'Namespace' ? Namespace : kindOf(apiVersion, kind)
  if (known === undefined) throw new Error(`Cannot create ${kind}: there is no such kind`)
  return known
}
