import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import type { CallOptions, Connection, Driver } from '../../drivers/contract/driver.ts'
import type { Endpoint } from '../../drivers/contract/endpoint.ts'
import { DriverError, type DriverErrorCode, driverErrorCodes } from '../../drivers/contract/errors.ts'
import type {
  HostInventory,
  MachineDefinition,
  MachineFacts,
  Mark,
  NetworkSegment,
  PrimaryStorageInventory,
  VolumeFacts,
} from '../../drivers/contract/facts.ts'
import { type Answer, type Operation, operation, type Verb, type Verbs } from '../../drivers/contract/operation.ts'

/** One world that the suite is run on. Made for each test; several may live side by side. */
export interface ConformanceFixture extends AsyncDisposable {
  readonly driver: Driver
  readonly host: Endpoint
  readonly pool: Endpoint
  /** Left out: the driver serves no image stores. */
  readonly store?: Endpoint
  /** Left out: the driver serves no power controllers. */
  readonly power?: Endpoint
  /** A host to which machines can be migrated; left out: the driver migrates none. */
  readonly otherHost?: Endpoint
  /** A segment that the host can plug NICs into. */
  readonly segment: NetworkSegment
  /** An image whose guest hears the power button; left out where none can be had. */
  readonly guestImage?: { readonly url: string; readonly format: string; readonly checksum?: string }
  /** An image store's image that exists, and one that does not. */
  readonly images?: { readonly present: string; readonly missing: string; readonly format: string }
  /** How long any one call may take, in ms. */
  readonly deadline: number
  /** How long a guest may take to come up and hear the power button, in ms. Default: the deadline. */
  readonly guestDeadline?: number
  /** Resolves once the guest in a machine that runs is up. Default: at once. */
  guestReady?(identity: string): Promise<void>
  /** Makes a machine behind the driver's back, off, with that mark or none; answers with its identity. */
  addForeignMachine(mark: Mark | undefined): Promise<string>
  /** Makes a volume behind the driver's back; left out where such a thing cannot be. */
  addForeignVolume?(mark: Mark | undefined): Promise<string>
  /** Takes a machine's power behind the driver's back. */
  destroyMachine(identity: string): Promise<void>
  /** Removes a volume behind the driver's back. */
  removeVolume(identity: string): Promise<void>
  /** Identities of all machines on the host, seen without the driver. */
  machines(): Promise<readonly string[]>
  /** Identities of all volumes in the pool, whole or half-made, seen without the driver. */
  volumes(): Promise<readonly string[]>
  /** Breaks every open connection to the host. New ones succeed. */
  breakConnections(): Promise<void>
  /**
   * Lets the host fall silent, connections unbroken, until the answer is disposed of. Left out: that cannot be had here.
   */
  silence?(): Promise<Disposable>
  /** Everything that the driver has logged. */
  logs(): readonly string[]
}

/** Makes the world for one test. */
export type SetUp = (t: ExecutionContext) => Promise<ConformanceFixture>

/** A world with connections to it, and short ways to say what tests do. Leaves nothing behind. */
export class Rig implements AsyncDisposable {
  readonly fixture: ConformanceFixture
  readonly host: Connection
  readonly pool: Connection
  readonly installation = `conformance-${randomUUID().slice(0, 8)}`
  /** The host that machines migrate to; the same one where the driver migrates none. */
  readonly other: Connection
  readonly #machines = new Set<string>()
  readonly #volumes = new Set<string>()

  constructor(fixture: ConformanceFixture) {
    this.fixture = fixture
    this.host = fixture.driver.connect(fixture.host)
    this.pool = fixture.driver.connect(fixture.pool)
    this.other = fixture.otherHost === undefined ? this.host : fixture.driver.connect(fixture.otherHost)
  }

  /** What a patient caller hands in. */
  options(): CallOptions {
    return { signal: AbortSignal.timeout(this.fixture.deadline), installation: this.installation }
  }

  mark(name: string, kind = 'VirtualMachine'): Mark {
    return { installation: this.installation, kind, namespace: 'shop', name }
  }

  /** A new identity that is cleaned up as a machine's and as a volume's. */
  identity(): string {
    const identity = randomUUID()
    this.#machines.add(identity)
    this.#volumes.add(identity)
    return identity
  }

  /** A definition that every host can take: one core, no disk, no NIC. */
  definition(change: Partial<MachineDefinition> = {}): MachineDefinition {
    return {
      role: 'Instance',
      cores: 1,
      clockMHz: 500,
      memoryBytes: 64 * 1024 ** 2,
      guestHostName: 'web',
      disks: [],
      nics: [],
      ...change,
    }
  }

  define(identity: string, change: Partial<Verbs['DefineMachine']['arguments']> = {}): Operation<'DefineMachine'> {
    return this.onHost('DefineMachine', identity, {
      identity,
      epoch: 1,
      mark: this.mark('web'),
      definition: this.definition(),
      ...change,
    })
  }

  create(identity: string, change: Partial<Verbs['CreateVolume']['arguments']> = {}): Operation<'CreateVolume'> {
    return this.onPool('CreateVolume', identity, {
      identity,
      epoch: 1,
      mark: this.mark('web-root', 'Volume'),
      sizeBytes: 64 * 1024 ** 2,
      ...change,
    })
  }

  onHost<V extends Verb>(verb: V, identity: string, args: Verbs[V]['arguments']): Operation<V> {
    return operation(verb, { endpoint: this.fixture.host.key, identity }, args)
  }

  onPool<V extends Verb>(verb: V, identity: string, args: Verbs[V]['arguments']): Operation<V> {
    return operation(verb, { endpoint: this.fixture.pool.key, identity }, args)
  }

  /** Carries an operation out, at the host or the pool. */
  perform<V extends Verb>(wish: Operation<V>, options: CallOptions = this.options()): Promise<Answer<V>> {
    const connection = wish.endpoint === this.fixture.pool.key ? this.pool : this.host
    return connection.perform(wish, options)
  }

  /** As a control plane does: again and again while the code says that this may help. */
  async converge<V extends Verb>(wish: Operation<V>): Promise<Answer<V>> {
    const { signal } = this.options()
    for (;;) {
      try {
        return await this.perform(wish)
      } catch (error) {
        const again = error instanceof DriverError && driverErrorCodes[error.code] === 'retry' && !signal.aborted
        if (!again) throw error
        await pause(5)
      }
    }
  }

  /** Removes this rig's machines from a host. */
  async #clear(connection: Connection, { key: endpoint }: Endpoint): Promise<void> {
    const { installation: _installation, ...options } = this.options()
    for (const { identity, epoch, mark, powerState } of (await this.hostListing(connection)).machines) {
      if (!this.#machines.has(identity) || mark?.installation !== this.installation) continue
      if (powerState === 'Incoming') continue
      const target = { endpoint, identity }
      await connection.perform(operation('StopMachine', target, { identity, epoch, mode: 'Forced' }), options)
      await connection.perform(operation('RemoveMachine', target, { identity, epoch }), options)
    }
  }

  async hostListing(connection = this.host): Promise<HostInventory> {
    const inventory = await connection.inventory(this.options())
    if (inventory.type !== 'Host') throw new TypeError(`a host answered a listing of type ${inventory.type}`)
    return inventory
  }

  async poolListing(): Promise<PrimaryStorageInventory> {
    const inventory = await this.pool.inventory(this.options())
    if (inventory.type !== 'PrimaryStorage') throw new TypeError(`a pool answered a listing of ${inventory.type}`)
    return inventory
  }

  async machine(identity: string, connection = this.host): Promise<MachineFacts | undefined> {
    return (await this.hostListing(connection)).machines.find(machine => machine.identity === identity)
  }

  async volume(identity: string): Promise<VolumeFacts | undefined> {
    return (await this.poolListing()).volumes.find(volume => volume.identity === identity)
  }

  /** Reads until it is as wished; throws when that does not come in time. */
  async eventually<T>(read: () => Promise<T> | T, wished: (value: T) => boolean, within?: number): Promise<T> {
    const signal = AbortSignal.timeout(within ?? this.fixture.deadline)
    for (;;) {
      const value = await read()
      if (wished(value)) return value
      if (signal.aborted) throw new Error(`still ${JSON.stringify(value)}`)
      await pause(5)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ours = new Set([...this.#machines, ...this.#volumes])
    const { installation: _installation, ...options } = this.options()
    const { host, otherHost } = this.fixture
    await this.#clear(this.host, host)
    if (otherHost !== undefined) await this.#clear(this.other, otherHost)
    for (const { identity, epoch, mark } of (await this.poolListing()).volumes) {
      if (!ours.has(identity) || mark?.installation !== this.installation) continue
      await this.pool.perform(this.onPool('DeleteVolume', identity, { identity, epoch }), options)
    }
    if (this.other !== this.host) await this.other[Symbol.asyncDispose]()
    await this.host[Symbol.asyncDispose]()
    await this.pool[Symbol.asyncDispose]()
    await this.fixture[Symbol.asyncDispose]()
  }
}

/** Asserts that a call is refused with one of these codes; answers with the error. */
export async function refused(
  t: ExecutionContext,
  call: Promise<unknown>,
  ...codes: readonly DriverErrorCode[]
): Promise<DriverError | undefined> {
  const error = await call.then(
    answer => t.fail(`was not refused, answered ${JSON.stringify(answer)}`),
    (reason: unknown) => reason,
  )
  if (!(error instanceof DriverError)) {
    t.fail(`was refused with no DriverError: ${String(error)}`)
    return undefined
  }
  t.true(codes.includes(error.code), `refused with ${error.code} (${error.message}), not ${codes.join(' or ')}`)
  return error
}

/** A test of one rule. */
export type Rule = (title: string, run: (t: ExecutionContext, rig: Rig) => Promise<void>) => void
