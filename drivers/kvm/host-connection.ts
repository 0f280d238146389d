import type { Clock } from '../../crds/environment.ts'
import type { CallOptions, Connection, InventoryEvent } from '../contract/driver.ts'
import { DriverError } from '../contract/errors.ts'
import type { HostInventory, MachineFacts } from '../contract/facts.ts'
import type { Answer, Operation, Verb } from '../contract/operation.ts'
import { adoptMachine, releaseMachine } from './adoption.ts'
import { requireOwn, settle } from './calls.ts'
import type { DomainOptions } from './domain.ts'
import { bestDomainType, readHostFacts } from './host-facts.ts'
import type { Hypervisor, HypervisorListener } from './hypervisor.ts'
import type { Libvirt } from './libvirt.ts'
import { isLibvirtError } from './libvirt-error.ts'
import { machineFacts } from './machine-facts.ts'
import { defineMachine, locate, type MachineCall, read, removeMachine, startMachine, stopMachine } from './machines.ts'
import { definedDirectory } from './pool.ts'
import type { PoolRegistry } from './pool-registry.ts'
import { errorNumber } from './procedures.ts'

/** What a connection to a host is made with. */
export interface HostConnectionOptions {
  readonly key: string
  readonly clock: Clock
  readonly hypervisor: Hypervisor
  readonly pools: PoolRegistry
  /** Left out: what the host does best. */
  readonly domainType: DomainOptions['type'] | undefined
  readonly diskCache: DomainOptions['diskCache']
  readonly consoleDirectory: string
  /** Gives the hypervisor back. */
  readonly release: () => void
}

/** How long reading one machine after an event may take, in ms. */
const eventDeadline = 10_000
/** So many domains are read at a time: enough to keep libvirt busy, not so many that an operation waits. */
const readAtOnce = 8

/** A connection of the KVM driver to a host. */
export class HostConnection implements Connection {
  readonly #options: HostConnectionOptions
  readonly #subscriptions = new Set<Disposable>()
  #domainType: DomainOptions['type'] | undefined
  #open = true

  constructor(options: HostConnectionOptions) {
    this.#options = options
    this.#domainType = options.domainType
  }

  async inventory(options: CallOptions): Promise<HostInventory> {
    this.#requireOpen()
    const { signal } = options
    return await settle(signal, async () => {
      const libvirt = await this.#options.hypervisor.observing(signal)
      const host = await readHostFacts(libvirt, signal)
      return { type: 'Host', host, machines: await this.#machines(libvirt, signal), jobs: [] }
    })
  }

  async perform<V extends Verb>(asked: Operation<V>, options: CallOptions): Promise<Answer<V>> {
    this.#requireOpen()
    // The verb decides the answer's type, which a choice between verbs cannot tell the compiler.
    const operation = asked as Operation
    requireOwn(operation, this.#options.key)
    const { lock } = this.#options.hypervisor
    const work = () => lock.run(operation.identity, () => this.#perform(operation, options))
    return (await settle(options.signal, work)) as Answer<V>
  }

  subscribe(listener: (event: InventoryEvent) => void): Disposable {
    const reader = new EventReader(this.#options, listener)
    const subscription = this.#options.hypervisor.subscribe(reader)
    const disposable = {
      [Symbol.dispose]: () => {
        subscription[Symbol.dispose]()
        reader.end()
        this.#subscriptions.delete(disposable)
      },
    }
    this.#subscriptions.add(disposable)
    return disposable
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return
    this.#open = false
    for (const subscription of [...this.#subscriptions]) subscription[Symbol.dispose]()
    this.#options.release()
  }

  async #machines(libvirt: Libvirt, signal: AbortSignal): Promise<MachineFacts[]> {
    const { pools } = this.#options
    const handles = await libvirt.domains(signal)
    const facts: (MachineFacts | undefined)[] = []
    for (let at = 0; at < handles.length; at += readAtOnce) {
      const some = handles.slice(at, at + readAtOnce).map(async handle => {
        try {
          return machineFacts((await read(libvirt, handle, signal)).found, pools.keyOf)
        } catch (error) {
          // Gone since the list was made: it is no longer part of it.
          if (isLibvirtError(error, errorNumber.noDomain)) return undefined
          throw error
        }
      })
      facts.push(...(await Promise.all(some)))
    }
    return facts.filter(each => each !== undefined)
  }

  async #perform(operation: Operation, options: CallOptions): Promise<Answer> {
    if (operation.verb === 'DefineMachine') return await defineMachine(await this.#call(options), operation.arguments)
    if (operation.verb === 'AdoptMachine') return await adoptMachine(await this.#call(options), operation.arguments)
    if (operation.verb === 'ReleaseMachine') return await releaseMachine(await this.#call(options), operation.arguments)
    if (operation.verb === 'StartMachine') return await startMachine(await this.#call(options), operation.arguments)
    if (operation.verb === 'StopMachine') return await stopMachine(await this.#call(options), operation.arguments)
    if (operation.verb === 'RemoveMachine') return await removeMachine(await this.#call(options), operation.arguments)
    if (operation.verb === 'MigrateMachine' || operation.verb === 'CancelMigration') {
      throw new DriverError('Unsupported', `Cannot carry out ${operation.verb}: LiveMigration is not there for KVM yet`)
    }
    throw new DriverError('Unsupported', `Cannot carry out ${operation.verb}: a KVM host has no such operation`)
  }

  async #call(options: CallOptions): Promise<MachineCall> {
    const { hypervisor, pools, diskCache, consoleDirectory } = this.#options
    const { signal, installation } = options
    const libvirt = await hypervisor.calls(signal)
    this.#domainType ??= bestDomainType(await libvirt.capabilities(signal))
    return {
      libvirt,
      signal,
      installation,
      domainType: this.#domainType,
      diskCache,
      consoleDirectory,
      poolOf: pools.keyOf,
      poolDirectory: pool => this.#poolDirectory(pool, signal),
    }
  }

  async #poolDirectory(pool: string, signal: AbortSignal): Promise<string> {
    const { hypervisor, pools } = this.#options
    const known = pools.directoryOf(pool)
    if (known !== undefined) return known
    const libvirt = await hypervisor.storage(signal)
    const directory = await definedDirectory(libvirt, pool.slice(pool.indexOf('/') + 1), signal)
    if (directory !== undefined) return directory
    throw new DriverError('FailedPrecondition', `Cannot find a disk: pool ${pool} is not known on this host`)
  }

  #requireOpen(): void {
    if (!this.#open) throw new DriverError('Unavailable', 'Cannot call the host: the connection is closed')
  }
}

/** Turns what a hypervisor says into facts: it tells what changed, and the machine is read as it is now. */
class EventReader implements HypervisorListener {
  readonly #options: HostConnectionOptions
  readonly #listener: (event: InventoryEvent) => void
  readonly #ended = new AbortController()
  /** Machines being read; `again` where more has happened since the reading began. */
  readonly #reading = new Map<string, 'once' | 'again'>()

  constructor(options: HostConnectionOptions, listener: (event: InventoryEvent) => void) {
    this.#options = options
    this.#listener = listener
  }

  changed(uuid: string): void {
    if (this.#reading.has(uuid)) {
      this.#reading.set(uuid, 'again')
      return
    }
    this.#reading.set(uuid, 'once')
    void this.#read(uuid)
  }

  missed(message: string): void {
    this.#tell({ event: 'Disconnected', message })
  }

  end(): void {
    this.#ended.abort()
  }

  async #read(uuid: string): Promise<void> {
    const { clock, hypervisor, pools } = this.#options
    const abort = new AbortController()
    const end = () => abort.abort()
    const timer = clock.after(eventDeadline, end)
    this.#ended.signal.addEventListener('abort', end, { once: true })
    try {
      do {
        this.#reading.set(uuid, 'once')
        const libvirt = await hypervisor.observing(abort.signal)
        const located = await locate(libvirt, uuid, abort.signal)
        if (located === undefined) this.#tell({ event: 'MachineGone', identity: uuid })
        else this.#tell({ event: 'Machine', facts: machineFacts(located.found, pools.keyOf) })
      } while (this.#reading.get(uuid) === 'again')
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.#tell({ event: 'Disconnected', message: `machine ${uuid} changed and could not be read: ${message}` })
    } finally {
      timer.cancel()
      this.#ended.signal.removeEventListener('abort', end)
      this.#reading.delete(uuid)
    }
  }

  #tell(event: InventoryEvent): void {
    if (!this.#ended.signal.aborted) this.#listener(event)
  }
}
