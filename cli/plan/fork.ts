import { createAPIServer } from '../../apiserver/server.ts'
import { type Client, createClient, type Writable } from '../../controllers/api/client.ts'
import { inProcessTransport } from '../../controllers/api/in-process-transport.ts'
import type { RequestHandler } from '../../controllers/api/transport.ts'
import { type ControlPlane, startControlPlane } from '../../controllers/control-plane.ts'
import type { Engine } from '../../controllers/engine/engine.ts'
import { createLogger } from '../../controllers/log.ts'
import type { ObservedCache } from '../../controllers/observation/observed-cache.ts'
import { kinds } from '../../crds/kinds.ts'
import type { Resource } from '../../crds/meta.ts'
import type { Operation } from '../../drivers/contract/operation.ts'
import { createSimulator, type Simulator } from '../../drivers/simulator/simulator.ts'
import type { Timing } from '../../drivers/simulator/timing.ts'
import { type VirtualEnvironment, virtualEnvironment } from '../../drivers/simulator/virtual-clock.ts'
import { keyOf } from './object-name.ts'
import type { Present } from './present.ts'
import { type RecordedOperation, type RecordingListener, recordingDriver } from './recorder.ts'
import { rememberSilent } from './remembered.ts'
import { seededLog } from './seeded-log.ts'
import { seededWorld } from './seeded-world.ts'

/** How long a fork may go on, in virtual ms. What takes longer (a disk in the trash) is told as what waits. */
const patience = 3_600_000

/** Options of a fork. */
export interface ForkOptions {
  /** The CRDs of the fork's API. */
  readonly definitions: readonly Writable[]
  /** How long operations take, in ms, as far as it is known better than the simulator guesses. */
  readonly timing?: Partial<Timing>
}

/**
 * The present, continued elsewhere: the same reconcilers over an API and a world in memory, on a virtual clock. What is
 * done here is done nowhere else.
 */
export class Fork implements AsyncDisposable {
  readonly client: Client
  /** Every operation given to a driver so far, in order. */
  readonly operations: readonly RecordedOperation[]
  /** The virtual moment at which it began. */
  readonly start: number
  readonly #environment: VirtualEnvironment
  readonly #simulator: Simulator
  readonly #server: Awaited<ReturnType<typeof createAPIServer>>
  readonly #plane: ControlPlane
  readonly #activity: Activity

  private constructor(parts: {
    environment: VirtualEnvironment
    simulator: Simulator
    server: Awaited<ReturnType<typeof createAPIServer>>
    plane: ControlPlane
    activity: Activity
    start: number
  }) {
    this.#environment = parts.environment
    this.#simulator = parts.simulator
    this.#server = parts.server
    this.#plane = parts.plane
    this.#activity = parts.activity
    this.operations = parts.activity.operations
    this.start = parts.start
    this.client = createClient(inProcessTransport(parts.activity.noting(request => parts.server.handle(request))))
  }

  /** Continues the present. */
  static async start({ objects, observed }: Present, options: ForkOptions): Promise<Fork> {
    const { definitions, timing = {} } = options
    // The same present gives the same plan, and no id that it has already.
    const environment = virtualEnvironment(`plan of ${observed.installation}`)
    const { clock } = environment
    const start = clock.monotonic()
    environment.shiftWall(Date.parse(observed.at) - clock.now())
    const simulator = createSimulator({ environment, timing, store: seededWorld(observed) })
    const server = await done(environment, createAPIServer({ log: seededLog(objects), environment }))
    const activity = new Activity(environment)
    const driver = recordingDriver(simulator.driver, clock, activity)
    const plane = await done(
      environment,
      startControlPlane({
        transport: inProcessTransport(activity.noting(request => server.handle(request))),
        installation: { id: observed.installation },
        environment,
        crds: definitions,
        // Whatever drivers serve the present: here the simulator takes every endpoint's place.
        drivers: { Simulator: driver, KVM: driver, IPMI: driver, Redfish: driver },
        logger: createLogger({ level: 'silent', clock }),
      }),
    )
    activity.observed = plane.engine.observed
    rememberSilent(plane.engine.observed, observed, clock)
    return new Fork({ environment, simulator, server, plane, activity, start })
  }

  get engine(): Engine {
    return this.#plane.engine
  }

  /** The virtual moment, in ms on the monotonic clock. */
  now(): number {
    return this.#environment.clock.monotonic()
  }

  /** Lets virtual time pass until nothing has happened for `quiet` ms. False: something still did after an hour. */
  async settle(quiet: number): Promise<boolean> {
    const { clock } = this.#environment
    const end = clock.monotonic() + patience
    const isQuiet = () => this.#activity.running === 0 && clock.monotonic() - this.#activity.last >= quiet
    this.#activity.happened()
    await this.#environment.until(() => isQuiet() || clock.monotonic() >= end)
    return isQuiet()
  }

  /** Lets virtual time pass until that moment. */
  async continueUntil(moment: number): Promise<void> {
    await this.#environment.advance(Math.max(0, moment - this.now()))
  }

  /** Awaits something that the fork does; virtual time passes. */
  async complete<T>(promise: Promise<T>): Promise<T> {
    return done(this.#environment, promise)
  }

  /** All objects of Skystead's kinds, as the controllers of the fork know them, by kind, namespace and name. */
  objects(): ReadonlyMap<string, Resource> {
    const found = new Map<string, Resource>()
    for (const kind of kinds) {
      for (const object of this.engine.desired.all(kind))
        found.set(keyOf({ kind: kind.kind, ...object.metadata }), object)
    }
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.complete(this.#plane.stop())
    await this.complete(this.#server.close())
    await this.complete(Promise.resolve(this.#simulator[Symbol.asyncDispose]()))
  }
}

/** What goes on in a fork, and when something last did. */
class Activity implements RecordingListener {
  readonly operations: RecordedOperation[] = []
  running = 0
  last = 0
  /** Set as soon as there is one. */
  observed: ObservedCache | undefined
  readonly #environment: VirtualEnvironment

  constructor(environment: VirtualEnvironment) {
    this.#environment = environment
  }

  readonly happened = (): void => {
    this.last = this.#environment.clock.monotonic()
  }

  readonly look = ({ identity, endpoint }: Operation): RecordedOperation['before'] => {
    const { observed } = this
    if (observed === undefined) return undefined
    const seen = [...observed.machines(identity), ...observed.volumes(identity), ...observed.images(identity)]
    return seen.find(each => each.endpoint === endpoint)?.facts
  }

  readonly started = (recorded: RecordedOperation): void => {
    this.operations.push(recorded)
    this.running++
    this.happened()
  }

  readonly ended = (): void => {
    this.running--
    this.happened()
  }

  /** A handler of requests under which every write counts as something that happens; events are nobody's work. */
  noting(handle: RequestHandler): RequestHandler {
    return request => {
      if (request.method !== 'GET' && !/\/(events|leases)\b/.test(request.path)) this.happened()
      return handle(request)
    }
  }
}

async function done<T>(environment: VirtualEnvironment, promise: Promise<T>): Promise<T> {
  // What is refused at once is heard below, and nobody's fault meanwhile.
  promise.catch(() => undefined)
  return (await environment.until(promise)) as T
}
