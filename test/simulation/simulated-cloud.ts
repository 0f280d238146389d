/** A whole cloud in one process: API core, replicas of the controllers, simulated world, and an operator who describes it. */

import { createHash } from 'node:crypto'
import { type APIServer, createAPIServer } from '../../apiserver/server.ts'
import { memoryLog } from '../../apiserver/storage/durable-log.ts'
import { projectPath } from '../../cli/repository.ts'
import { ApiError } from '../../controllers/api/api-error.ts'
import { Namespace } from '../../controllers/api/built-in-kinds.ts'
import { type Client, createClient } from '../../controllers/api/client.ts'
import { inProcessTransport } from '../../controllers/api/in-process-transport.ts'
import type { AnyApiKind } from '../../controllers/api/paths.ts'
import type { Transport } from '../../controllers/api/transport.ts'
import { readDefinitions } from '../../controllers/install.ts'
import type { LogLevel } from '../../controllers/log.ts'
import type { AllocationSpec } from '../../crds/infrastructure/allocation.ts'
import { kindOf, kinds } from '../../crds/kinds.ts'
import type { Resource } from '../../crds/meta.ts'
import type { Driver } from '../../drivers/contract/driver.ts'
import { createSimulator, type Simulator } from '../../drivers/simulator/simulator.ts'
import { type VirtualEnvironment, virtualEnvironment } from '../../drivers/simulator/virtual-clock.ts'
import { Broken } from './broken.ts'
import { settled } from './reality.ts'
import { Replica } from './replica.ts'
import { keyOf, type Manifest, type ObjectReference, type Scenario } from './scenario.ts'
import { Stored } from './stored.ts'
import { Wire } from './wire.ts'

const definitions = readDefinitions(projectPath('manifests/crds'))

/** What a cloud is made with. */
export interface SimulatedCloudOptions extends Pick<Scenario, 'seed' | 'replicas' | 'eventLag' | 'withoutResync'> {
  /** Called whenever everything has happened that follows from a timer. Throws where an invariant is broken. */
  readonly check: () => void
  readonly logLevel?: LogLevel
  /** Changes the way to the outside world: for planted bugs. */
  readonly plantDriver?: (driver: Driver) => Driver
  /** Changes the way to the API: for planted bugs. */
  readonly plantTransport?: (transport: Transport) => Transport
}

/** Kinds whose objects hold something outside that only they lead to. */
const holdingKinds: ReadonlySet<string> = new Set(['Host', 'PrimaryStorage', 'PublicTemplate'])

/** Writes that may follow one another while no time passes: a whole cloud is described with less. */
const mostAtOnce = 2_000

/** A cloud under simulation. */
export class SimulatedCloud {
  readonly environment: VirtualEnvironment
  readonly simulator: Simulator
  readonly wire: Wire
  /** What the API has stored. */
  readonly stored = new Stored()
  /** What the operator wishes to be there. */
  readonly wished = new Map<string, Manifest>()
  /** What the operator has deleted, and described before. */
  readonly #leaving = new Map<string, Manifest>()
  /** What the operator deleted before the control plane had put its finalizer there: nobody has heard of it. */
  readonly unheard = new Set<string>()
  /** What the API refused of what the operator wrote. */
  readonly refused: string[] = []
  /** A hash of everything written and done so far. */
  readonly #trace = createHash('sha256')
  readonly #options: SimulatedCloudOptions
  readonly #replicas: Replica[] = []
  readonly #pending = new Map<string, Manifest | ObjectReference>()
  /** Deletions that still wait, of what is described again meanwhile. */
  readonly #removals = new Map<string, ObjectReference>()
  #server: APIServer | undefined
  #client: Client | undefined
  #incarnations = 0
  #isClosed = false
  #isFirstStore = true
  /** How much was written at the latest moment. */
  #atOnce = { moment: 0, writes: 0 }

  constructor(options: SimulatedCloudOptions) {
    const { seed, check } = options
    this.#options = options
    this.environment = virtualEnvironment(seed, async () => {
      await settled()
      this.#refuseCircle()
      check()
    })
    this.simulator = createSimulator({ environment: this.environment, seed: seed ^ 0x5eed })
    this.wire = new Wire(this.environment, options.eventLag)
  }

  /** Starts the API server and the replicas. */
  async start(): Promise<void> {
    await this.#startServer()
    for (let index = 0; index < this.#options.replicas; index++) this.#startReplica(index, definitions)
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const replica of this.#replicas) replica.kill()
    await this.#server?.close()
    await this.simulator[Symbol.asyncDispose]()
  }

  /** Every call of the operator goes this way; time runs meanwhile. */
  async complete<T>(promise: Promise<T>): Promise<T> {
    // It may be refused before anybody waits for it.
    promise.catch(() => undefined)
    return (await this.environment.until(promise, { limit: 600_000 })) as T
  }

  get client(): Client {
    if (this.#client === undefined) throw new Error('Cannot ask the API: it has not been started')
    return this.#client
  }

  /** The replicas that live. */
  get replicas(): readonly Replica[] {
    return this.#replicas
  }

  /** The hash of everything that was written to the API and done to the world. */
  trace(): string {
    return this.#trace.copy().digest('hex').slice(0, 16)
  }

  /** Notes something in the trace. */
  note(text: string): void {
    this.#trace.update(text)
  }

  /** Replaces every replica by a new one. */
  async restartControllers(): Promise<void> {
    for (const [index, replica] of this.#replicas.entries()) {
      replica.kill()
      this.#startReplica(index, [])
    }
    await settled()
  }

  /** Describes an object, now or as soon as its namesake is gone. */
  async apply(object: Manifest): Promise<void> {
    this.wished.set(keyOf(object), object)
    this.#leaving.delete(keyOf(object))
    const before = this.#pending.get(keyOf(object))
    if (before !== undefined && !('metadata' in before)) this.#removals.set(keyOf(object), before)
    this.#pending.set(keyOf(object), object)
    await this.retry()
  }

  /** Describes an object no more. What was lost with the store is described again before: only so it is seen that it goes. */
  async delete(object: ObjectReference): Promise<void> {
    await this.retry()
    const described = this.wished.get(keyOf(object))
    if (described !== undefined) this.#leaving.set(keyOf(object), described)
    this.wished.delete(keyOf(object))
    this.#pending.set(keyOf(object), object)
    await this.retry()
  }

  /** Describes an object no more, and does nothing about it. */
  forget(object: ObjectReference): void {
    this.wished.delete(keyOf(object))
    this.#pending.delete(keyOf(object))
    this.#removals.delete(keyOf(object))
  }

  /** Changes the spec of what is stored, described or not, against the writes of others. */
  async amend({ metadata, ...object }: Resource, spec: object): Promise<void> {
    const kind = apiKindOf(object)
    for (;;) {
      const stored = await this.complete(this.client.get(kind, metadata.name, metadata.namespace))
      if (stored === undefined) return
      const written = this.client.replace(kind, { ...stored, spec } as Resource)
      if (await this.complete(written.then(() => true).catch(unlessGone))) return
    }
  }

  /** Whether the operator still waits for something that is being deleted. */
  get isWaiting(): boolean {
    return this.#pending.size > 0
  }

  /** Tries once more what could not be written so far. */
  async retry(): Promise<void> {
    for (const [key, object] of this.#removals) if (await this.#remove(object)) this.#removals.delete(key)
    for (const [key, object] of this.#pending) {
      if (this.#removals.has(key)) continue
      if ('metadata' in object ? await this.#write(object) : await this.#remove(object)) this.#pending.delete(key)
    }
  }

  /**
   * Loses the API with everything in it; the operator applies everything again. That a place was to go, and still held
   * something, is lost too: it is described again, because what it holds is found nowhere else.
   */
  async loseStore(): Promise<void> {
    for (const object of this.stored.everything()) {
      const described = this.#leaving.get(keyOf(object))
      const isPlace = object.metadata.namespace === undefined && object.kind !== 'Allocation'
      if (described !== undefined && isPlace) this.wished.set(keyOf(object), described)
    }
    this.#leaving.clear()
    for (const replica of this.#replicas) replica.kill()
    await this.complete(this.#server?.close() ?? Promise.resolve())
    this.stored.clear()
    this.#isFirstStore = false
    await this.#startServer()
    for (const index of this.#replicas.keys()) this.#startReplica(index, definitions)
    this.#pending.clear()
    this.#removals.clear()
    for (const [key, object] of this.wished) this.#pending.set(key, object)
  }

  /** Empties every status. */
  async wipeStatuses(): Promise<void> {
    for (const object of await this.everything()) {
      const kind = kindOf(object.apiVersion, object.kind)
      if (kind === undefined || kind.statusSubresource === false || object.status === undefined) continue
      const empty = Object.fromEntries(Object.keys(object.status).map(key => [key, null]))
      const { name, namespace, uid } = object.metadata
      const target = { metadata: { name, uid, ...(namespace === undefined ? {} : { namespace }) } }
      await this.complete(this.client.patchStatus(kind, target, empty).catch(unlessGone))
    }
  }

  /** All objects of our kinds. */
  async everything(): Promise<readonly Resource[]> {
    const lists = await this.complete(Promise.all(kinds.map(kind => this.client.list(kind))))
    return lists.flatMap(({ items }) => items as unknown as readonly Resource[])
  }

  async #startServer(): Promise<void> {
    const log = memoryLog()
    const tapped = {
      ...log,
      append: async (records: Parameters<typeof log.append>[0]) => {
        for (const record of records) {
          this.stored.take(record)
          this.#countAtOnce()
          this.#trace.update(`${this.environment.clock.monotonic()} ${record.resource} ${record.key}`)
          if (record.value !== undefined) this.#trace.update(record.value)
        }
        await log.append(records)
      },
    }
    this.#server = await this.complete(createAPIServer({ log: tapped, environment: this.environment }))
    const { handle } = this.#server
    this.#client = createClient(inProcessTransport(request => handle(request)))
  }

  #startReplica(index: number, crds: typeof definitions): void {
    const server = this.#server
    if (server === undefined || this.#isClosed) return
    const {
      plantDriver = driver => driver,
      plantTransport = transport => transport,
      logLevel = 'silent',
    } = this.#options
    this.#incarnations++
    const replica = new Replica({
      name: `replica-${this.#incarnations}`,
      environment: this.environment,
      transport: plantTransport(inProcessTransport(request => server.handle(request))),
      wire: this.wire,
      driver: plantDriver(this.simulator.driver),
      definitions: crds,
      isNewInstallation: this.#isFirstStore && crds.length > 0,
      sharesWork: this.#options.replicas > 1,
      ...(this.#options.withoutResync ? { resyncInterval: Number.POSITIVE_INFINITY } : {}),
      lateness: () => this.environment.random.next() * 3_000,
      logLevel,
      onDeath: away =>
        void this.environment.clock.after(away, () => {
          const isInstalled = this.stored.definitions === definitions.length
          if (this.#replicas[index] === replica) this.#startReplica(index, isInstalled ? [] : definitions)
        }),
    })
    this.#replicas[index] = replica
    replica.start()
  }

  /** Whoever writes on and on while no time passes is stopped: else the run would not end. */
  #countAtOnce(): void {
    const now = this.environment.clock.monotonic()
    this.#atOnce =
      this.#atOnce.moment === now ? { moment: now, writes: this.#atOnce.writes + 1 } : { moment: now, writes: 1 }
    if (this.#atOnce.writes > mostAtOnce) for (const replica of this.#replicas) replica.kill()
  }

  #refuseCircle(): void {
    if (this.#atOnce.writes <= mostAtOnce) return
    const latest = this.stored.latest.slice(-8).join(', ')
    throw new Broken('Circle', `more than ${mostAtOnce} writes followed one another while no time passed: ${latest}`)
  }

  /** Whether it is written now. */
  async #write(object: Manifest): Promise<boolean> {
    const kind = apiKindOf(object)
    const { name, namespace } = object.metadata
    try {
      if (this.#isHolderGoing(object)) return false
      const existing = await this.complete(this.client.get(kind, name, namespace))
      const options = { fieldManager: 'operator' }
      if (existing === undefined) await this.complete(this.client.create(kind, object, options))
      else if (isGoing(existing as Resource, object)) return false
      else if (object.kind !== 'Namespace')
        await this.complete(this.client.replace(kind, withSpec(existing as Resource, object), options))
      return true
    } catch (error) {
      // Without its namespace, or against another's write, it is tried again.
      if (!(error instanceof ApiError)) throw error
      if (error.status === 422 || error.status === 400) this.refused.push(`${keyOf(object)}: ${error.message}`)
      return error.status === 422 || error.status === 400
    }
  }

  /** Whether the identity is given to a name whose object is being deleted: it would go with that. */
  #isHolderGoing({ kind, spec }: Manifest): boolean {
    if (kind !== 'Allocation') return false
    const { holder } = spec as unknown as AllocationSpec
    return this.stored
      .everything()
      .some(object => object.metadata.deletionTimestamp !== undefined && keyOf(object) === keyOf(holder))
  }

  /**
   * Whether it is deleted now. After a loss of the store nobody deletes a host, a pool or a template before the control plane
   * has heard of it: what runs or lies there would be out of sight, and be started a second time where its disks are rebound.
   */
  async #remove(object: ObjectReference): Promise<boolean> {
    const kind = apiKindOf(object)
    const existing = await this.complete(this.client.get(kind, object.name, object.namespace))
    if (existing === undefined) return true
    const { metadata } = existing as Resource
    if (metadata.finalizers === undefined) {
      if (!this.#isFirstStore && holdingKinds.has(object.kind)) return false
      this.unheard.add(keyOf(object))
    }
    await this.complete(this.client.remove(kind, metadata).catch(unlessGone))
    return true
  }
}

/** Whether the object goes soon: it is being deleted, or is an identity that is kept for one that is. */
function isGoing({ metadata, spec }: Resource, { kind, spec: wished }: Manifest): boolean {
  if (metadata.deletionTimestamp !== undefined) return true
  return kind === 'Allocation' && holderUID(spec) !== holderUID(wished)
}

function holderUID(spec: unknown): string | undefined {
  const { holder } = spec as { readonly holder?: { readonly uid?: string } }
  return holder?.uid
}

/** What is stored with what is described: what nobody describes stays. */
function withSpec(existing: Resource, { spec, metadata: { labels } }: Manifest): Resource {
  const metadata = labels === undefined ? existing.metadata : { ...existing.metadata, labels }
  // The notes in an Allocation are the control plane's.
  const { notes } = (existing.spec ?? {}) as { readonly notes?: unknown }
  return { ...existing, metadata, spec: notes === undefined ? spec : { ...spec, notes } } as Resource
}

function apiKindOf({ apiVersion, kind }: { apiVersion: string; kind: string }): AnyApiKind {
  if (kind === 'Namespace') return Namespace
  const known = kindOf(apiVersion, kind)
  if (known === undefined) throw new Error(`Cannot write ${apiVersion} ${kind}: there is no such kind`)
  return known
}

function unlessGone(error: unknown): undefined {
  if (error instanceof ApiError && ['NotFound', 'Conflict'].includes(error.reason)) return undefined
  throw error
}
