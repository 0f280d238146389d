import type { Capability, MachineDefinition, Mark, RouterFacts, VolumeFacts } from '../contract/facts.ts'
import type { Faults } from './faults.ts'
import {
  beHeard,
  bootHost,
  cutHostPower,
  type Simulation,
  shutDownGuest,
  startMachine,
  stopMachine,
  withPower,
} from './guests.ts'
import type { Violation } from './invariants.ts'
import type { Counters, Journal } from './journal.ts'
import { findHost, findMachine, findStorage, findVolume, type MachineAddress } from './lookup.ts'
import { endMigration } from './migrations.ts'
import type { Place } from './places.ts'
import { fallSilent, stall } from './silence.ts'
import type { State } from './state.ts'
import { listWorld, type WorldListing } from './world-listing.ts'

/** A machine that somebody made without Skystead, or that bears a mark of somebody else. */
export interface ForeignMachine {
  /** Default: made up. */
  readonly identity?: string
  readonly mark?: Mark
  /** Parts of the definition; one core, 256 MiB, no disk and no NIC where left out. */
  readonly definition?: Partial<MachineDefinition>
  /** Default `Running`. */
  readonly power?: 'Running' | 'Off'
}

/**
 * The simulated world as those see it who stand beside it: tests, and `skystead sim`. Hosts and storages are named by
 * name or by key, machines by identity or as `<namespace>/<name>` of their mark. What names nothing throws `RangeError`.
 */
export class World {
  /** Scripted faults. */
  readonly faults: Faults
  /** What was done, and by whom. */
  readonly journal: Journal
  readonly #simulation: Simulation
  readonly #state: State

  constructor(simulation: Simulation, parts: { faults: Faults; journal: Journal }) {
    this.faults = parts.faults
    this.journal = parts.journal
    this.#simulation = simulation
    this.#state = simulation.state
  }

  /** Everything there is. */
  list(): WorldListing {
    return listWorld(this.#state)
  }

  /** Every breach, since the simulator was made, of what must hold at every instant. */
  invariants(): readonly Violation[] {
    return this.#state.invariants.violations()
  }

  /** How often the control plane called, and what. */
  counters(): Counters {
    return this.journal.counters()
  }

  /** Resolves once every change so far is kept by the store. */
  settled(): Promise<void> {
    return this.#state.commit()
  }

  /** Takes a host's power: its machines are off for an unknown reason, its endpoint refuses, its power reads Off. */
  killHost(name: string): void {
    this.#outside('killHost', name, () => cutHostPower(this.#state, findHost(this.#state, name)))
  }

  /**
   * Lets a host answer no more, while its machines run on and its power reads On. Requests that reach it meanwhile
   * are lost, or carried out when it is revived (`Queued`). Default `Lost`.
   */
  freezeHost(name: string, requests: Place['frozenRequests'] = 'Lost'): void {
    this.#outside('freezeHost', name, () => {
      fallSilent(this.#simulation, findHost(this.#state, name), { requests, cutOff: false })
    })
  }

  /**
   * Cuts a host off from the control plane, as a broken management network does: it answers nothing, while its machines
   * run, its heartbeats go on and its neighbours see it. Requests on their way are lost.
   */
  cutOffHost(name: string): void {
    this.#outside('cutOffHost', name, () => {
      fallSilent(this.#simulation, findHost(this.#state, name), { requests: 'Lost', cutOff: true })
    })
  }

  /** Ends a freeze at once; gives a host without power its power back, so that it answers once it has booted. */
  reviveHost(name: string): void {
    this.#outside('reviveHost', name, () => {
      const host = findHost(this.#state, name)
      if (host.power === 'Off') return bootHost(this.#simulation, host)
      if (host.state !== 'Frozen') return
      beHeard(this.#state, host)
      this.#state.keepHost(host)
    })
  }

  /** Lets a host's power controller refuse every connection. */
  killPowerController(name: string): void {
    this.#outside('killPowerController', name, () => {
      const host = findHost(this.#state, name)
      host.controller.state = 'Down'
      this.#state.keepHost(host)
      this.#state.disconnect(host.controller, `the power controller of ${host.name} is dead`)
    })
  }

  /** Lets a host's power controller answer again. */
  revivePowerController(name: string): void {
    this.#outside('revivePowerController', name, () => {
      const host = findHost(this.#state, name)
      this.#state.revive(host.controller)
      this.#state.keepHost(host)
    })
  }

  /** Lets a pool or an image store refuse every connection. What it holds stays. */
  killStorage(name: string): void {
    this.#outside('killStorage', name, () => {
      const storage = findStorage(this.#state, name)
      storage.state = 'Down'
      storage.missedEvents = true
      this.#keepStorage(storage)
      this.#state.disconnect(storage, `${storage.key} is down`)
    })
  }

  /**
   * Lets a pool or an image store answer no more without refusing anybody, as one that stalls. What runs with its disks
   * runs on. Requests that reach it meanwhile are carried out when it is revived, or are lost (`Lost`). Default `Queued`.
   */
  freezeStorage(name: string, requests: Place['frozenRequests'] = 'Queued'): void {
    this.#outside('freezeStorage', name, () => {
      const storage = findStorage(this.#state, name)
      stall(this.#simulation, storage, requests)
      this.#keepStorage(storage)
    })
  }

  /** Lets a pool or an image store answer again. */
  reviveStorage(name: string): void {
    this.#outside('reviveStorage', name, () => {
      const storage = findStorage(this.#state, name)
      this.#state.revive(storage)
      this.#keepStorage(storage)
    })
  }

  /** Breaks the connections to a host, as a switch does that reboots: calls under way are in doubt. */
  cutConnections(name: string): void {
    this.#outside('cutConnections', name, () => {
      const host = findHost(this.#state, name)
      this.#state.disconnect(host, `the connections to ${host.name} broke`)
    })
  }

  /** Takes a pool out of a host's reach: what runs there runs on, and nothing with a disk in the pool starts there. */
  cutOffStorage(hostName: string, storageName: string): void {
    this.#outside('cutOffStorage', hostName, () => {
      const host = findHost(this.#state, hostName)
      const { key } = findStorage(this.#state, storageName)
      if (!host.lostStorages.has(key)) host.lostStorages.set(key, this.#state.clock.now())
      this.#state.keepHost(host)
    })
  }

  /** Lets a host reach every pool again. */
  reconnectStorages(hostName: string): void {
    this.#outside('reconnectStorages', hostName, () => {
      const host = findHost(this.#state, hostName)
      host.lostStorages.clear()
      this.#state.keepHost(host)
    })
  }

  /** Says what a host can do from now on. */
  setCapabilities(name: string, capabilities: readonly Capability[]): void {
    this.#outside('setCapabilities', name, () => {
      const host = findHost(this.#state, name)
      host.capabilities = capabilities
      this.#state.keepHost(host)
    })
  }

  /** Lets a guest shut itself down, in its own time. */
  shutdownGuest(address: MachineAddress): void {
    const machine = findMachine(this.#state, address)
    this.#outside('shutdownGuest', machine.identity, () => shutDownGuest(this.#simulation, machine, 'Guest'))
  }

  /** Lets a guest crash: off with the cause `Crash`, or left as it is for a post-mortem (`Crashed`). Default `Off`. */
  crashGuest(address: MachineAddress, leaves: 'Off' | 'Crashed' = 'Off'): void {
    const machine = findMachine(this.#state, address)
    this.#outside('crashGuest', machine.identity, () => {
      if (machine.facts.powerState !== 'Running') {
        throw new RangeError(`Cannot crash machine ${machine.identity}: current state is ${machine.facts.powerState}`)
      }
      if (leaves === 'Off') return stopMachine(this.#state, machine, 'Crash')
      machine.timer?.cancel()
      machine.goingDown = undefined
      endMigration(this.#state, machine)
      this.#state.setMachine(machine, withPower(machine.facts, 'Crashed'))
    })
  }

  /** Says whether a guest does not hear the power button. */
  ignoreACPI(address: MachineAddress, ignores = true): void {
    const machine = findMachine(this.#state, address)
    this.#outside('ignoreACPI', machine.identity, () => {
      machine.ignoresACPI = ignores
      this.#state.keepMachine(machine)
    })
  }

  /** Takes a machine's power behind the control plane's back. */
  destroyMachine(address: MachineAddress): void {
    const machine = findMachine(this.#state, address)
    this.#outside('destroyMachine', machine.identity, () => stopMachine(this.#state, machine, 'Forced'))
  }

  /** Stops a machine's processors, so that it goes on where it was. */
  pauseMachine(address: MachineAddress): void {
    const machine = findMachine(this.#state, address)
    this.#outside('pauseMachine', machine.identity, () => {
      if (machine.facts.powerState !== 'Running') {
        throw new RangeError(`Cannot pause machine ${machine.identity}: current state is ${machine.facts.powerState}`)
      }
      this.#state.setMachine(machine, withPower(machine.facts, 'Paused'))
    })
  }

  /** Starts a machine behind the control plane's back. Throws `DriverError` where the host cannot. */
  startMachine(address: MachineAddress): void {
    const machine = findMachine(this.#state, address)
    this.#outside('startMachine', machine.identity, () => startMachine(this.#simulation, machine))
  }

  /** Removes a machine behind the control plane's back, running or not. Its volumes stay. */
  removeMachine(address: MachineAddress): void {
    const machine = findMachine(this.#state, address)
    this.#outside('removeMachine', machine.identity, () => {
      endMigration(this.#state, machine.incomingFrom ?? machine)
      if (machine.incomingFrom === undefined) this.#state.removeMachine(machine)
    })
  }

  /** Changes a machine's definition behind the control plane's back. */
  changeDefinition(address: MachineAddress, change: Partial<MachineDefinition>): void {
    const machine = findMachine(this.#state, address)
    this.#outside('changeDefinition', machine.identity, () =>
      this.#state.setMachine(machine, { ...machine.facts, definition: { ...machine.facts.definition, ...change } }),
    )
  }

  /** Makes a machine that is not ours; answers with its identity. */
  addForeignMachine(hostName: string, foreign: ForeignMachine = {}): string {
    const host = findHost(this.#state, hostName)
    const identity = foreign.identity ?? this.#simulation.random.uuid()
    if (host.machines.has(identity)) throw new RangeError(`Cannot add machine ${identity}: ${host.name} has it`)
    if (host.power === 'Off' && foreign.power !== 'Off')
      throw new RangeError(`Cannot run machine ${identity}: ${host.name} has no power`)
    this.#outside('addForeignMachine', identity, () => {
      const definition = { ...bareDefinition(identity), ...foreign.definition }
      const mark = foreign.mark === undefined ? {} : { mark: foreign.mark }
      const machine = this.#state.addMachine(host, { identity, ...mark, epoch: 0, powerState: 'Off', definition })
      if (foreign.power !== 'Off') startMachine(this.#simulation, machine)
    })
    return identity
  }

  /** Destroys a volume behind the control plane's back. */
  removeVolume(identity: string): void {
    const { pool, volume } = findVolume(this.#state, identity)
    this.#outside('removeVolume', identity, () => this.#state.removeVolume(pool, volume))
  }

  /** Changes a volume behind the control plane's back: its size, or that it is in the trash. */
  changeVolume(identity: string, change: Partial<Pick<VolumeFacts, 'sizeBytes' | 'trashedAt'>>): void {
    const { pool, volume } = findVolume(this.#state, identity)
    this.#outside('changeVolume', identity, () =>
      this.#state.setVolume(pool, { ...volume, facts: { ...volume.facts, ...change } }),
    )
  }

  /** Makes a volume that is not ours; answers with its identity. */
  addForeignVolume(poolName: string, foreign: { identity?: string; mark?: Mark; sizeBytes?: number } = {}): string {
    const place = findStorage(this.#state, poolName)
    const pool = this.#state.pools.get(place.key)
    if (pool === undefined) throw new RangeError(`Cannot add a volume: ${poolName} is no pool`)
    const identity = foreign.identity ?? this.#simulation.random.uuid()
    const mark = foreign.mark === undefined ? {} : { mark: foreign.mark }
    const facts = { identity, ...mark, epoch: 0, sizeBytes: foreign.sizeBytes ?? 1024 ** 3, format: 'RAW' as const }
    this.#outside('addForeignVolume', identity, () => this.#state.setVolume(pool, { facts, imageURL: undefined }))
    return identity
  }

  /** Changes what a running router holds, or takes it away. */
  setRouterDocument(address: MachineAddress, router: RouterFacts | undefined): void {
    const machine = findMachine(this.#state, address)
    this.#outside('setRouterDocument', machine.identity, () => {
      const { router: _router, ...facts } = machine.facts
      this.#state.setMachine(machine, router === undefined ? facts : { ...facts, router })
    })
  }

  #keepStorage(place: Place): void {
    const pool = this.#state.pools.get(place.key)
    const store = this.#state.stores.get(place.key)
    if (place === pool) this.#state.keepPool(pool)
    if (place === store) this.#state.keepStore(store)
  }

  #outside(action: string, subject: string, act: () => void): void {
    const { version } = this.#state
    act()
    const changed = this.#state.version !== version
    this.journal.record({ source: 'Outside', action, place: '', identity: subject, outcome: 'Done', changed })
    this.#state.keep()
  }
}

function bareDefinition(identity: string): MachineDefinition {
  return {
    role: 'Instance',
    cores: 1,
    clockMHz: 0,
    memoryBytes: 256 * 1024 ** 2,
    guestHostName: identity.slice(0, 8),
    disks: [],
    nics: [],
  }
}
