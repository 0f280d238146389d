import type { Environment, Timer } from '../../crds/environment.ts'
import type { DriverError } from '../contract/errors.ts'
import { findDaemons } from './daemons.ts'
import { KeyedLock } from './keyed-lock.ts'
import { type Libvirt, readLifecycle } from './libvirt.ts'
import { Link } from './link.ts'
import { procedure } from './procedures.ts'
import { XdrError, type XdrReader } from './xdr.ts'

/** Who hears what happens at a hypervisor. Listeners do not throw. */
export interface HypervisorListener {
  /** Something happened in the life of a domain. */
  changed(uuid: string): void
  /** Events may have been missed: the connection was lost, or came back. */
  missed(message: string): void
}

/**
 * A host's daemons, shared by everything that works on that host: one connection for events and inventory, one for
 * calls, one for storage.
 */
export class Hypervisor {
  /** Lets one call at a time change a machine or a volume, whichever connection it came by. */
  readonly lock = new KeyedLock()
  readonly #environment: Environment
  readonly #listeners = new Set<HypervisorListener>()
  readonly #observing: Link
  readonly #calls: Link
  readonly #storage: Link
  #retry: Timer | undefined
  #closed = false

  constructor(environment: Environment, socketPath: string | undefined) {
    this.#environment = environment
    const daemons = () => findDaemons(socketPath)
    this.#observing = new Link({
      environment,
      address: () => daemons().hypervisor,
      onEvent: (number, body) => this.#heard(number, body),
      onLost: error => this.#lost(error),
      prepare: (libvirt, signal) => libvirt.registerLifecycle(signal),
    })
    this.#calls = new Link({ environment, address: () => daemons().hypervisor })
    this.#storage = new Link({ environment, address: () => daemons().storage })
  }

  /** The connection for listings, on which events come. */
  observing(signal: AbortSignal): Promise<Libvirt> {
    return this.#observing.get(signal)
  }

  /** The connection for operations on domains. */
  calls(signal: AbortSignal): Promise<Libvirt> {
    return this.#calls.get(signal)
  }

  /** The connection for operations on pools and volumes. */
  storage(signal: AbortSignal): Promise<Libvirt> {
    return this.#storage.get(signal)
  }

  /** Tells a listener of what happens; keeps trying to connect as long as there is one. */
  subscribe(listener: HypervisorListener): Disposable {
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#connect()
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** Ends all connections for good. */
  close(): void {
    this.#closed = true
    this.#retry?.cancel()
    this.#listeners.clear()
    for (const link of [this.#observing, this.#calls, this.#storage]) link.close()
  }

  #connect(afterLoss = false): void {
    if (this.#closed || this.#listeners.size === 0) return
    this.#observing.get(new AbortController().signal).then(
      () => {
        // What happened while nobody listened is only found by listing.
        if (afterLoss) this.#tellMissed('the connection to libvirt is back: events may have been missed')
      },
      () => {
        this.#retry?.cancel()
        const pause = Math.max(1, this.#observing.wait)
        this.#retry = this.#environment.clock.after(pause, () => this.#connect(true))
      },
    )
  }

  #heard(number: number, body: XdrReader): void {
    if (number !== procedure.domainEventCallbackLifecycle) return
    const uuid = lifecycleUUID(body)
    if (uuid === undefined) {
      this.#tellMissed('libvirt sent an event that could not be read')
      return
    }
    for (const listener of this.#listeners) listener.changed(uuid)
  }

  #lost(error: DriverError): void {
    this.#tellMissed(error.message)
    this.#connect(true)
  }

  #tellMissed(message: string): void {
    for (const listener of this.#listeners) listener.missed(message)
  }
}

function lifecycleUUID(body: XdrReader): string | undefined {
  try {
    return readLifecycle(body).domain.uuid
  } catch (error) {
    if (error instanceof XdrError) return undefined
    throw error
  }
}
