import type { Clock } from '../../crds/environment.ts'
import type { InventoryEvent } from '../contract/driver.ts'
import { DriverError } from '../contract/errors.ts'
import type { ImageFacts, MachineDefinition, MachineFacts } from '../contract/facts.ts'
import type { Faults } from './faults.ts'
import { Holders } from './holders.ts'
import { Invariants } from './invariants.ts'
import type { Journal } from './journal.ts'
import type {
  Place,
  SimulatedHost,
  SimulatedMachine,
  SimulatedPool,
  SimulatedStore,
  SimulatedVolume,
  Subscription,
} from './places.ts'
import { hostRecord, imageRecord, machineRecord, poolRecord, storeRecord, volumeRecord } from './records.ts'
import type { RecordKind, WorldStore } from './world-store.ts'

/** An endpoint that has been declared, and the place it reaches. */
export interface Alias {
  readonly name: string
  /** The place's own key. */
  readonly place: string
}

/**
 * The simulated world itself. Every change goes through one of its few methods, which keep the indexes and the
 * invariants, tell the listeners and put the change into the store.
 */
export class State {
  readonly clock: Clock
  readonly journal: Journal
  readonly faults: Faults
  readonly hosts = new Map<string, SimulatedHost>()
  readonly pools = new Map<string, SimulatedPool>()
  readonly stores = new Map<string, SimulatedStore>()
  /** Endpoint keys to places. Hosts' power controllers are found through their hosts. */
  readonly aliases = new Map<string, Alias>()
  readonly machines = new Holders<string, SimulatedMachine>()
  /** Volumes by identity to the machines that are defined with them, on any host. */
  readonly attachments = new Holders<string, SimulatedMachine>()
  readonly invariants = new Invariants()
  /** Counts every change of the world. */
  version = 0
  readonly #store: WorldStore | undefined
  readonly #onFailure: (error: Error) => void
  #failure: DriverError | undefined
  #events: { readonly place: Place; readonly identity: string; readonly event: InventoryEvent }[] = []
  #flushing = false

  constructor(parts: {
    clock: Clock
    journal: Journal
    faults: Faults
    store: WorldStore | undefined
    onFailure: (error: Error) => void
  }) {
    this.clock = parts.clock
    this.journal = parts.journal
    this.faults = parts.faults
    this.#store = parts.store
    this.#onFailure = parts.onFailure
  }

  /** Whether changes wait for a disk. */
  get durable(): boolean {
    return this.#store !== undefined
  }

  /** Why the world can no longer be kept; undefined while it can. */
  get failure(): DriverError | undefined {
    return this.#failure
  }

  /** Resolves once every change so far is kept; throws `DriverError` where that failed. */
  async commit(): Promise<void> {
    if (this.#store === undefined) return
    if (this.#failure !== undefined) throw this.#failure
    try {
      await this.#store.commit()
    } catch (cause) {
      // The world in memory is ahead of the one on disk now: nothing may be answered from it any more.
      const first = this.#failure === undefined
      this.#failure ??= new DriverError('Internal', `Cannot keep the simulated world: ${messageOf(cause)}`, {
        inDoubt: true,
        cause,
      })
      if (first) this.#onFailure(this.#failure)
      throw this.#failure
    }
  }

  /** Sees that every change so far is kept, for those who have nobody to answer: a failure ends in `failure`. */
  keep(): void {
    this.commit().catch(() => undefined)
  }

  /** Breaks every connection to a place. */
  disconnect(place: Place, message: string): void {
    place.waiting.clear()
    for (const fail of [...place.calls]) {
      fail(new DriverError('Unavailable', `Cannot hear the answer: ${message}`, { inDoubt: true }))
    }
    this.tell(place, '', { event: 'Disconnected', message })
  }

  /** Lets a place answer again. Requests that were queued reach it now. */
  revive(place: Place): void {
    const waiting = place.frozenRequests === 'Queued' ? [...place.waiting] : []
    place.state = 'Answering'
    place.waiting.clear()
    if (place.missedEvents) {
      place.missedEvents = false
      this.tell(place, '', { event: 'Disconnected', message: 'events were lost while it did not answer' })
    }
    for (const proceed of waiting) proceed()
  }

  /** Declares that an endpoint reaches a place. */
  setAlias(endpoint: string, alias: Alias): void {
    const known = this.aliases.get(endpoint)
    if (known?.name === alias.name && known.place === alias.place) return
    this.aliases.set(endpoint, alias)
    this.#put('Alias', endpoint, () => alias)
  }

  /** Adds a host, or keeps that one of its own fields has changed. */
  keepHost(host: SimulatedHost): void {
    this.version++
    this.hosts.set(host.key, host)
    this.#put('Host', host.key, () => hostRecord(host))
  }

  /** Adds a pool, or keeps that its size or state has changed. */
  keepPool(pool: SimulatedPool): void {
    this.pools.set(pool.key, pool)
    this.#put('Pool', pool.key, () => poolRecord(pool))
  }

  /** Adds an image store, or keeps that its state has changed. */
  keepStore(store: SimulatedStore): void {
    this.stores.set(store.key, store)
    this.#put('Store', store.key, () => storeRecord(store))
  }

  /** Adds a machine that is off, or comes in from another host. */
  addMachine(host: SimulatedHost, facts: MachineFacts, active?: MachineDefinition): SimulatedMachine {
    const machine: SimulatedMachine = {
      host,
      identity: facts.identity,
      facts,
      active,
      ignoresACPI: false,
      goingDown: undefined,
      timer: undefined,
      userDataHash: undefined,
      migration: undefined,
      incomingFrom: undefined,
    }
    host.usedMemoryBytes += active?.memoryBytes ?? 0
    host.machines.set(machine.identity, machine)
    this.machines.add(machine.identity, machine)
    for (const disk of facts.definition.disks) this.attachments.add(disk.identity, machine)
    this.keepMachine(machine)
    this.tell(host, machine.identity, { event: 'Machine', facts })
    return machine
  }

  /** Changes what is seen of a machine, and with it what it runs with. */
  setMachine(machine: SimulatedMachine, facts: MachineFacts): void {
    const before = machine.facts
    if (before.powerState === 'Running') this.invariants.left(machine)
    if (before.definition !== facts.definition) {
      for (const disk of before.definition.disks) this.attachments.remove(disk.identity, machine)
      for (const disk of facts.definition.disks) this.attachments.add(disk.identity, machine)
    }
    const activeMemory = machine.active?.memoryBytes ?? 0
    machine.facts = facts
    machine.active = activeDefinition(machine.active, facts)
    machine.host.usedMemoryBytes += (machine.active?.memoryBytes ?? 0) - activeMemory
    if (facts.powerState === 'Running') this.invariants.entered(machine)
    this.keepMachine(machine)
    this.tell(machine.host, machine.identity, { event: 'Machine', facts })
  }

  /** Keeps that something of a machine has changed that is no fact. */
  keepMachine(machine: SimulatedMachine): void {
    this.version++
    this.#put('Machine', machineKey(machine), () => machineRecord(machine))
  }

  /** Removes a machine. */
  removeMachine(machine: SimulatedMachine): void {
    if (machine.facts.powerState === 'Running') this.invariants.left(machine)
    machine.host.usedMemoryBytes -= machine.active?.memoryBytes ?? 0
    machine.timer?.cancel()
    machine.host.machines.delete(machine.identity)
    this.machines.remove(machine.identity, machine)
    for (const disk of machine.facts.definition.disks) this.attachments.remove(disk.identity, machine)
    this.version++
    this.#remove('Machine', machineKey(machine))
    this.tell(machine.host, machine.identity, { event: 'MachineGone', identity: machine.identity })
  }

  /** Adds or changes a volume. */
  setVolume(pool: SimulatedPool, volume: SimulatedVolume): void {
    const { identity, sizeBytes } = volume.facts
    pool.promisedBytes += sizeBytes - (pool.volumes.get(identity)?.facts.sizeBytes ?? 0)
    pool.volumes.set(identity, volume)
    this.version++
    this.#put('Volume', `${pool.key} ${identity}`, () => volumeRecord(pool, volume))
    this.tell(pool, identity, { event: 'Volume', facts: volume.facts })
  }

  /** Removes a volume. */
  removeVolume(pool: SimulatedPool, volume: SimulatedVolume): void {
    const { identity, sizeBytes } = volume.facts
    pool.promisedBytes -= sizeBytes
    pool.volumes.delete(identity)
    this.version++
    this.#remove('Volume', `${pool.key} ${identity}`)
    this.tell(pool, identity, { event: 'VolumeGone', identity })
  }

  /** Adds or changes an image. */
  setImage(store: SimulatedStore, image: ImageFacts): void {
    store.usedBytes += image.sizeBytes - (store.images.get(image.identity)?.sizeBytes ?? 0)
    store.images.set(image.identity, image)
    this.version++
    this.#put('Image', `${store.key} ${image.identity}`, () => imageRecord(store, image))
  }

  /** Removes an image. */
  removeImage(store: SimulatedStore, image: ImageFacts): void {
    store.usedBytes -= image.sizeBytes
    store.images.delete(image.identity)
    this.version++
    this.#remove('Image', `${store.key} ${image.identity}`)
  }

  /** Tells a place's listeners something, once it is kept. A frozen place tells nothing. */
  tell(place: Place, identity: string, event: InventoryEvent): void {
    if (place.state === 'Frozen') place.missedEvents = true
    if (place.subscriptions.size === 0) return
    if (event.event !== 'Disconnected' && place.state !== 'Answering') return
    this.#events.push({ place, identity, event })
    if (this.#flushing) return
    this.#flushing = true
    const flush = () => this.#flush()
    if (!this.durable) queueMicrotask(flush)
    // A failure is known where it counts already; here nothing is told that was not kept.
    else this.commit().then(flush, () => undefined)
  }

  #flush(): void {
    this.#flushing = false
    const events = this.#events
    this.#events = []
    for (const { place, identity, event } of events) {
      for (const subscription of [...place.subscriptions]) this.#deliver(subscription, identity, event)
    }
  }

  #deliver(subscription: Subscription, identity: string, event: InventoryEvent): void {
    const { endpoint, name } = subscription
    const fault = this.faults.take({ verb: 'Event', endpoint, name, identity })
    const send = () => {
      this.journal.delivered()
      subscription.listener(event)
    }
    if (fault?.effect === 'Delay') this.clock.after(fault.milliseconds ?? 0, send)
    if (fault === undefined || fault.effect === 'Duplicate') send()
    if (fault?.effect === 'Duplicate') send()
  }

  #put(kind: RecordKind, key: string, read: () => unknown): void {
    this.#store?.put(kind, key, read)
  }

  #remove(kind: RecordKind, key: string): void {
    this.#store?.remove(kind, key)
  }
}

function activeDefinition(active: MachineDefinition | undefined, facts: MachineFacts): MachineDefinition | undefined {
  if (facts.powerState === 'Off') return undefined
  if (active === undefined) return facts.definition
  const { disks, nics } = facts.definition
  return active.disks === disks && active.nics === nics ? active : { ...active, disks, nics }
}

function machineKey(machine: SimulatedMachine): string {
  return `${machine.identity} ${machine.host.key}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
