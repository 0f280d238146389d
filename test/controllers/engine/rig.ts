/** One engine with a tiny kind of the tests' own, on the real API core, a fake driver and a virtual clock. */

import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { createAPIServer } from '../../../apiserver/server.ts'
import { memoryLog } from '../../../apiserver/storage/durable-log.ts'
import { projectPath } from '../../../cli/repository.ts'
import { CustomResourceDefinition } from '../../../controllers/api/built-in-kinds.ts'
import { type Client, createClient, type Writable } from '../../../controllers/api/client.ts'
import { createFeed } from '../../../controllers/api/feed.ts'
import { inProcessTransport } from '../../../controllers/api/in-process-transport.ts'
import type { Transport, TransportRequest, TransportResponse } from '../../../controllers/api/transport.ts'
import { createEngine, type Engine } from '../../../controllers/engine/engine.ts'
import { createLogger } from '../../../controllers/log.ts'
import { createMetrics } from '../../../controllers/metrics.ts'
import type { ResourceOf } from '../../../crds/define-kind.ts'
import { sleep } from '../../../crds/environment.ts'
import { Allocation } from '../../../crds/infrastructure/allocation.ts'
import { conditionOf } from '../../../crds/meta.ts'
import type { MachineFacts } from '../../../drivers/contract/facts.ts'
import type { Answer, Operation } from '../../../drivers/contract/operation.ts'
import { type VirtualEnvironment, virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { allocationName, holderOf } from '../../../reconcilers/claims.ts'
import { defineReconciler, type Reconciler } from '../../../reconcilers/define-reconciler.ts'
import { type CreateEffect, create } from '../../../reconcilers/effect.ts'
import type { Wish } from '../../../reconcilers/world.ts'
import { type FakeEndpoint, fakeDriver } from '../observation/fake-driver.ts'
import { hostA, hostEndpoint, hostListing, installation, machine } from '../observation/samples.ts'
import { Widget, type WidgetSpec, widgetManifest } from './samples.ts'

/** The tests' kind as the reconcilers see it. */
export type WidgetWish = Wish<typeof Widget>

/** What happens to a request on its way. `forward` sends it on. */
export type Intercept = (
  request: TransportRequest,
  forward: () => Promise<TransportResponse>,
) => Promise<TransportResponse> | undefined

/** Options of a rig. */
export interface RigOptions {
  readonly mayDispatch?: () => boolean
  /** How long watch events are on their way, in ms. Default 0. */
  readonly watchDelay?: number
  /** Of which resource, in its plural. Default: of all. */
  readonly delayed?: string
  /** Default: every operation answers after 50 ms that the machine of its identity runs. */
  readonly perform?: FakeEndpoint['perform']
  /** The environment that the engine gets. Default: the virtual one as it is. */
  readonly environment?: (virtual: VirtualEnvironment) => VirtualEnvironment
}

/** An engine under test. */
export class Rig implements AsyncDisposable {
  readonly environment: VirtualEnvironment
  /** A client of the test's own, which nothing intercepts. */
  readonly client: Client
  readonly engine: Engine
  readonly host: FakeEndpoint
  /** Writes of the engine and operations at the host, in order: `POST allocations`, `StartMachine a`. */
  readonly journal: string[]
  readonly #wire: { intercept: Intercept }
  readonly #close: () => Promise<void>

  private constructor(parts: Pick<Rig, 'environment' | 'client' | 'engine' | 'host' | 'journal'>, wire: Wire) {
    this.environment = parts.environment
    this.client = parts.client
    this.engine = parts.engine
    this.host = parts.host
    this.journal = parts.journal
    this.#wire = wire
    this.#close = wire.close
  }

  /** Starts an engine with one reconciler: of widgets, with the parts given. */
  static async start(parts: Omit<Reconciler<typeof Widget>, 'kind'>, options: RigOptions = {}): Promise<Rig> {
    const virtual = virtualEnvironment()
    const environment = options.environment?.(virtual) ?? virtual
    const server = await complete(virtual, createAPIServer({ log: memoryLog(), environment: virtual }))
    const direct = inProcessTransport(request => server.handle(request))
    const client = createClient(direct)
    await complete(virtual, installKinds(client))
    await virtual.advance(1_000)
    const journal: string[] = []
    const wire: Wire = {
      intercept: () => undefined,
      close: async () => {
        await feed.stop()
        await server.close()
      },
    }
    const fake = fakeDriver(virtual.clock)
    const host = fake.at(hostA)
    const machines = new Map<string, MachineFacts>()
    host.inventory = hostListing([])
    async function carryOut({ identity, verb }: Operation): Promise<Answer> {
      await sleep(virtual.clock, 50)
      if (verb === 'RemoveMachine') machines.delete(identity)
      else machines.set(identity, machine(identity))
      host.inventory = hostListing([...machines.values()])
      return machines.get(identity)
    }
    const perform = options.perform ?? carryOut
    host.perform = (operation, signal) => {
      journal.push(`${operation.verb} ${operation.identity}`)
      return perform(operation, signal)
    }
    const logger = createLogger({ level: 'silent', clock: virtual.clock })
    const transport = intercepting(delayed(direct, virtual, options), wire, journal)
    const [apiKinds, metrics] = [[Widget, Allocation], createMetrics({ clock: virtual.clock })]
    const feed = createFeed({ client: createClient(transport), kinds: apiKinds, environment, logger, metrics })
    feed.start()
    const engine = createEngine({
      feed,
      transport,
      installation,
      environment,
      reconcilers: [
        defineReconciler(Widget, { endpoints: () => [hostEndpoint(hostA)], ...parts }),
      ] as readonly Reconciler[],
      kinds: apiKinds,
      drivers: () => fake.driver,
      logger,
      metrics,
      ...(options.mayDispatch === undefined ? {} : { mayDispatch: options.mayDispatch }),
    })
    await complete(virtual, engine.start())
    return new Rig({ environment: virtual, client, engine, host, journal }, wire)
  }

  /** From now on every request of the engine but watches passes here. */
  set intercept(intercept: Intercept) {
    this.#wire.intercept = intercept
  }

  /** Applies a widget. */
  async apply(name: string, spec: WidgetSpec = {}): Promise<void> {
    const manifest: Writable = widgetManifest(name, spec)
    await this.wait(this.client.apply(Widget, manifest, { fieldManager: 'test', force: true }))
  }

  /** Deletes a widget. */
  async delete(name: string): Promise<void> {
    const object = await this.get(name)
    if (object !== undefined) await this.wait(this.client.remove(Widget, object.metadata))
  }

  /** A widget as the API has it. */
  async get(name: string): Promise<ResourceOf<typeof Widget> | undefined> {
    return (await this.wait(this.client.get(Widget, name))) as ResourceOf<typeof Widget> | undefined
  }

  /** `True/Reason` of a widget's condition. */
  async condition(name: string, type: string): Promise<string> {
    const condition = conditionOf((await this.get(name)) ?? {}, type)
    return `${condition?.status}/${condition?.reason}`
  }

  /** Names of all Allocations. */
  async claims(): Promise<readonly string[]> {
    return (await this.wait(this.client.list(Allocation))).items.map(({ metadata }) => metadata.name)
  }

  /** How often something stands in the journal. */
  count(entry: string | RegExp): number {
    return this.journal.filter(each => (typeof entry === 'string' ? each === entry : entry.test(each))).length
  }

  /** Lets virtual time pass. */
  advance(milliseconds: number): Promise<void> {
    return this.environment.advance(milliseconds)
  }

  /** Lets virtual time pass until the promise is settled. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return complete(this.environment, promise)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.intercept = () => undefined
    await this.wait(this.engine.stop())
    await this.wait(this.#close())
  }
}

interface Wire {
  intercept: Intercept
  readonly close: () => Promise<void>
}

/** The claim of a value for a widget. */
export function claimFor(self: WidgetWish, value: string): CreateEffect {
  const spec = { type: 'IP', realm: 'test', value, holder: holderOf(self), epoch: 1 } as const
  return create({
    apiVersion: Allocation.apiVersion,
    kind: Allocation.kind,
    metadata: { name: claimName(value) },
    spec,
  })
}

/** The name of the claim of a value. */
export function claimName(value: string): string {
  return allocationName('IP', value, 'test')
}

function intercepting(direct: Transport, wire: Wire, journal: string[]): Transport {
  return {
    ...direct,
    request(request) {
      const [path = ''] = request.path.split('?')
      const parts = path.split('/')
      const resource = parts.find(part => part === 'widgets' || part === 'allocations') ?? 'other'
      const status = path.endsWith('/status') ? ' status' : ''
      if (request.method !== 'GET' && resource !== 'other') journal.push(`${request.method} ${resource}${status}`)
      const forward = () => direct.request(request)
      return wire.intercept(request, forward) ?? forward()
    },
  }
}

function delayed(direct: Transport, { clock }: VirtualEnvironment, options: RigOptions): Transport {
  const { watchDelay: milliseconds = 0, delayed: resource = '' } = options
  if (milliseconds === 0) return direct
  return {
    ...direct,
    watch(path, { signal, onEvent }) {
      if (!path.includes(resource)) return direct.watch(path, { signal, onEvent })
      const later: typeof onEvent = (type, object) => {
        clock.after(milliseconds, () => onEvent(type, object))
      }
      return direct.watch(path, { signal, onEvent: later })
    },
  }
}

async function installKinds(client: Client): Promise<void> {
  const allocations = parse(
    readFileSync(projectPath('manifests/crds/allocations.infrastructure.skystead.dev.yaml'), 'utf8'),
  )
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const version = {
    name: Widget.version,
    served: true,
    storage: true,
    subresources: { status: {} },
    schema: { openAPIV3Schema: { type: 'object', properties: { spec: open, status: open } } },
  }
  const widgets = {
    apiVersion: CustomResourceDefinition.apiVersion,
    kind: CustomResourceDefinition.kind,
    metadata: { name: `${Widget.plural}.${Widget.group}` },
    spec: {
      group: Widget.group,
      scope: Widget.scope,
      names: { kind: Widget.kind, plural: Widget.plural, singular: 'widget', listKind: 'WidgetList' },
      versions: [version],
    },
  }
  for (const definition of [allocations, widgets]) {
    await client.apply(CustomResourceDefinition, definition, { fieldManager: 'test', force: true })
  }
}

async function complete<T>(environment: VirtualEnvironment, promise: Promise<T>): Promise<T> {
  return (await environment.until(promise)) as T
}
