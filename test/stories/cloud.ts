/** A whole cloud in one process on a virtual clock: API core, controllers, simulator. For stories. */

import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { projectPath } from '../../cli/repository.ts'
import { Namespace } from '../../controllers/api/built-in-kinds.ts'
import { type Client, createClient, type Writable } from '../../controllers/api/client.ts'
import type { AnyApiKind } from '../../controllers/api/paths.ts'
import type { Transport } from '../../controllers/api/transport.ts'
import { type ControlPlane, startControlPlane } from '../../controllers/control-plane.ts'
import type { ControllerProcessOptions } from '../../controllers/controller-process.ts'
import type { Engine } from '../../controllers/engine/engine.ts'
import { readDefinitions } from '../../controllers/install.ts'
import { createLogger } from '../../controllers/log.ts'
import type { Metrics } from '../../controllers/metrics.ts'
import type { RecordStore } from '../../controllers/records/record-store.ts'
import type { Recorder } from '../../controllers/records/recorder.ts'
import { type Replica, startReplica } from '../../controllers/sharding/replica.ts'
import type { SpanExporter } from '../../controllers/traces/tracer.ts'
import type { AnyKind, ResourceOf } from '../../crds/define-kind.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { kindOf, kinds } from '../../crds/kinds.ts'
import { conditionOf, type Resource } from '../../crds/meta.ts'
import { createSimulator, type Simulator } from '../../drivers/simulator/simulator.ts'
import type { VirtualEnvironment } from '../../drivers/simulator/virtual-clock.ts'
import { type StoryAPI, storyEnvironment } from './story-api.ts'

const definitions = readDefinitions(projectPath('manifests/crds'))

/** The quickstart's manifests. */
export const quickstart = readFileSync(projectPath('manifests/quickstart/quickstart.yaml'), 'utf8')

/** Settings that destroy disks at once: nothing waits in the trash. */
export const withoutTrash = `
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: Settings
metadata: {name: default}
spec: {expungeDelay: 0s}
`

/** Options of a cloud. */
export interface CloudOptions {
  readonly seed?: number
  /** Whether the installation is made with the first store. Default: it was there before. */
  readonly isNewInstallation?: boolean
  /** What the control plane logs, from this level on, goes to the test's output. Default silent. */
  readonly logLevel?: 'debug' | 'warn' | 'silent'
  /** Where log lines go instead. Default: standard error. */
  readonly logStream?: { write(line: string): void }
  /** Stands between the controllers and the API. Default: nothing does. */
  readonly between?: (transport: Transport) => Transport
  /** Where history is kept. Default: the last of it, in memory. */
  readonly records?: RecordStore
  /** Where traces are sent. Default: there are none. */
  readonly traces?: SpanExporter
}

/** A cloud under test. */
export class Cloud {
  readonly environment: VirtualEnvironment
  readonly simulator: Simulator
  readonly #options: CloudOptions
  readonly #openAPI: () => Promise<StoryAPI>
  #api: StoryAPI | undefined
  readonly #replicas = new Set<Replica>()
  #plane: ControlPlane | undefined
  #client: Client | undefined
  #isFirstStart = true

  private constructor(options: CloudOptions) {
    const { environment, openAPI } = storyEnvironment(options.seed ?? 1)
    this.environment = environment
    this.#openAPI = openAPI
    this.simulator = createSimulator({ environment, seed: options.seed ?? 1 })
    this.#options = options
  }

  /** A cloud that is up, with nothing described yet. */
  static async start(options: CloudOptions = {}): Promise<Cloud> {
    const cloud = await Cloud.withoutControllers(options)
    await cloud.startControllers()
    return cloud
  }

  /** The same without controllers: for replicas that share the work. */
  static async withoutControllers(options: CloudOptions = {}): Promise<Cloud> {
    const cloud = new Cloud(options)
    await cloud.startServer()
    return cloud
  }

  /** Starts an API server without any object. */
  async startServer(): Promise<void> {
    this.#api = await this.#openAPI()
    this.#client = createClient(this.#api.connect())
  }

  /** Starts the controllers, with empty caches. */
  async startControllers(): Promise<void> {
    this.#plane = await this.#complete(startControlPlane(this.#processOptions()))
  }

  /** Starts one of several replicas. It ends with the cloud at the latest. */
  async startReplica(identity: string, between = (transport: Transport) => transport): Promise<Replica> {
    const { transport, ...options } = this.#processOptions()
    const onFailure = (error: unknown) => {
      throw error
    }
    const starting = startReplica({ ...options, transport: between(transport), identity, onFailure })
    const replica = await this.#complete(starting)
    this.#replicas.add(replica)
    return replica
  }

  /** Stops a replica in peace. */
  async stopReplica(replica: Replica): Promise<void> {
    this.#replicas.delete(replica)
    await this.#complete(replica.stop())
  }

  #processOptions(): ControllerProcessOptions {
    const api = this.#api
    if (api === undefined) throw new Error('Cannot start controllers: there is no API server')
    const { logLevel = 'silent', logStream, between = transport => transport, records, traces } = this.#options
    const isNew = this.#isFirstStart && this.#options.isNewInstallation === true
    this.#isFirstStart = false
    const { clock } = this.environment
    return {
      transport: between(api.connect()),
      installation: { id: 'installation-1', isNew },
      environment: this.environment,
      crds: definitions,
      drivers: { Simulator: this.simulator.driver },
      ...(traces === undefined ? {} : { traces }),
      ...(records === undefined ? {} : { records: { store: records } }),
      logger: createLogger({ level: logLevel, clock, ...(logStream === undefined ? {} : { stream: logStream }) }),
    }
  }

  /** Stops the controllers; the API and the simulated world go on. */
  async stopControllers(): Promise<void> {
    if (this.#plane !== undefined) await this.#complete(this.#plane.stop())
    this.#plane = undefined
  }

  /** Loses the API with everything in it, and starts an empty one with new controllers. */
  async loseStore(): Promise<void> {
    await this.stopControllers()
    await this.#api?.close()
    await this.startServer()
    await this.startControllers()
  }

  /** Stops everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopControllers()
    for (const replica of this.#replicas) await this.stopReplica(replica)
    await this.#api?.close()
    await this.#complete(Promise.resolve(this.simulator[Symbol.asyncDispose]()))
  }

  get client(): Client {
    if (this.#client === undefined) throw new Error('Cannot ask the API: it has not been started')
    return this.#client
  }

  get engine(): Engine {
    return this.#controllers.engine
  }

  get metrics(): Metrics {
    return this.#controllers.metrics
  }

  get recorder(): Recorder {
    return this.#controllers.recorder
  }

  get #controllers(): ControlPlane {
    if (this.#plane === undefined) throw new Error('Cannot look at the control plane: the controllers do not run')
    return this.#plane
  }

  /** Applies manifests, each by server-side apply, in the order given. */
  async apply(...manifests: readonly (string | Writable)[]): Promise<void> {
    for (const object of manifests.flatMap(documentsOf)) {
      await this.#complete(this.client.apply(kindFor(object), object, { fieldManager: 'story', force: true }))
    }
  }

  /** Deletes an object by kind, name and namespace. */
  async delete(kind: AnyKind, name: string, namespace?: string): Promise<void> {
    const object = await this.#complete(this.client.get(kind, name, namespace))
    if (object !== undefined) await this.#complete(this.client.remove(kind, object.metadata))
  }

  /** Merges a patch into an object's spec. */
  async patch(kind: AnyKind, name: string, namespace: string | undefined, spec: object): Promise<void> {
    const object = await this.#complete(this.client.get(kind, name, namespace))
    if (object === undefined) throw new Error(`Cannot patch ${kind.kind} ${name}: it does not exist`)
    const next = { ...object, spec: { ...(object.spec as object), ...spec } } as Resource
    await this.#complete(this.client.replace(kind, next))
  }

  /** Empties the status of every object that has it as a subresource. */
  async wipeStatuses(): Promise<void> {
    for (const object of await this.everything()) {
      const kind = kindOf(object.apiVersion, object.kind)
      if (kind === undefined || object.status === undefined) continue
      const empty = Object.fromEntries(Object.keys(object.status).map(key => [key, null]))
      const { name, namespace, uid } = object.metadata
      const target = { metadata: { name, uid, ...(namespace === undefined ? {} : { namespace }) } }
      await this.#complete(this.client.patchStatus(kind, target, empty))
    }
  }

  /** An object as the API has it. */
  async get<K extends AnyKind>(kind: K, name: string, namespace?: string): Promise<ResourceOf<K> | undefined> {
    return (await this.#complete(this.client.get(kind, name, namespace))) as ResourceOf<K> | undefined
  }

  /** All objects of a kind as the API has them. */
  async list<K extends AnyKind>(kind: K): Promise<readonly ResourceOf<K>[]> {
    return (await this.#complete(this.client.list(kind))).items as unknown as readonly ResourceOf<K>[]
  }

  /** All objects of all kinds but Allocations. */
  async everything(): Promise<readonly Resource[]> {
    const { client } = this
    const described = kinds.filter(kind => kind !== Allocation)
    const lists = await this.#complete(Promise.all(described.map(kind => client.list(kind))))
    return lists.flatMap(({ items }) => items as unknown as readonly Resource[])
  }

  /** Lets virtual time pass until everything described is Ready. Fails with what is not, and why. */
  async untilReady(limit = 300_000): Promise<void> {
    await this.until(
      async () => notReady(await this.everything()).length === 0,
      limit,
      async () => notReady(await this.everything()).join('\n'),
    )
  }

  /** Lets virtual time pass until the predicate holds. Fails with `explain` after `limit` virtual ms. */
  async until(holds: () => Promise<boolean>, limit = 300_000, explain?: () => Promise<string>): Promise<void> {
    const end = this.environment.clock.monotonic() + limit
    for (;;) {
      if (await holds()) return
      if (this.environment.clock.monotonic() >= end) {
        throw new Error(`Not so after ${limit / 1000} virtual seconds:\n${(await explain?.()) ?? String(holds)}`)
      }
      await this.environment.advance(100)
    }
  }

  /** Lets virtual time pass. */
  async advance(milliseconds: number): Promise<void> {
    await this.environment.advance(milliseconds)
  }

  async #complete<T>(promise: Promise<T>): Promise<T> {
    return (await this.environment.until(promise)) as T
  }
}

/** What is not Ready, one line each. */
export function notReady(objects: readonly Resource[]): readonly string[] {
  return objects.flatMap(object => {
    const ready = conditionOf(object, 'Ready')
    if (ready?.status === 'True' && ready.observedGeneration === object.metadata.generation) return []
    const name = `${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`
    return [`${name}: ${ready === undefined ? 'no condition' : `${ready.status} ${ready.reason} ${ready.message}`}`]
  })
}

/** The objects of a manifest. */
export function documentsOf(manifest: string | Writable): readonly Writable[] {
  if (typeof manifest !== 'string') return [manifest]
  return parseAllDocuments(manifest).map(document => document.toJS() as Writable)
}

function kindFor({ apiVersion, kind }: Writable): AnyApiKind {
  if (kind === 'Namespace') return Namespace
  const known = kindOf(apiVersion, kind)
  if (known === undefined) throw new Error(`Cannot apply ${apiVersion} ${kind}: there is no such kind`)
  return known
}
