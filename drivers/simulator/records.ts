import type { Capability, ImageFacts, MachineDefinition, MachineFacts, VolumeFacts } from '../contract/facts.ts'
import {
  type HostSize,
  newHost,
  newPool,
  newStore,
  type Place,
  type SimulatedHost,
  type SimulatedMachine,
  type SimulatedPool,
  type SimulatedStore,
  type SimulatedVolume,
} from './places.ts'
import type { Alias, State } from './state.ts'
import type { WorldRecord } from './world-store.ts'

interface PlaceRecord {
  readonly key: string
  readonly state: Place['state']
  readonly frozenRequests: Place['frozenRequests']
}

interface HostRecord extends PlaceRecord {
  readonly name: string
  readonly address: string
  readonly size: HostSize
  readonly power: SimulatedHost['power']
  readonly booting: boolean
  readonly capabilities: readonly Capability[]
  readonly controller: PlaceRecord
}

interface MachineRecord {
  readonly host: string
  readonly facts: MachineFacts
  readonly active?: MachineDefinition | undefined
  readonly ignoresACPI: boolean
  readonly goingDown?: SimulatedMachine['goingDown']
  readonly userDataHash?: string | undefined
}

interface PoolRecord extends PlaceRecord {
  readonly totalBytes: number
}

interface VolumeRecord {
  readonly pool: string
  readonly facts: VolumeFacts
  readonly imageURL?: string | undefined
}

interface ImageRecord {
  readonly store: string
  readonly facts: ImageFacts
}

function placeRecord(place: Place): PlaceRecord {
  return { key: place.key, state: place.state, frozenRequests: place.frozenRequests }
}

/** A host as it is stored, without its machines. */
export function hostRecord(host: SimulatedHost): HostRecord {
  const { name, address, size, power, booting, capabilities } = host
  return {
    ...placeRecord(host),
    name,
    address,
    size,
    power,
    booting,
    capabilities,
    controller: placeRecord(host.controller),
  }
}

/** A machine as it is stored. */
export function machineRecord(machine: SimulatedMachine): MachineRecord {
  const { facts, active, ignoresACPI, goingDown, userDataHash } = machine
  // Mostly the same as the definition, which is then not written twice.
  return {
    host: machine.host.key,
    facts,
    active: active === facts.definition ? undefined : active,
    ignoresACPI,
    goingDown,
    userDataHash,
  }
}

/** A pool as it is stored, without its volumes. */
export function poolRecord(pool: SimulatedPool): PoolRecord {
  return { ...placeRecord(pool), totalBytes: pool.totalBytes }
}

/** A volume as it is stored. */
export function volumeRecord(pool: SimulatedPool, volume: SimulatedVolume): VolumeRecord {
  return { pool: pool.key, facts: volume.facts, imageURL: volume.imageURL }
}

/** An image store as it is stored, without its images. */
export function storeRecord(store: SimulatedStore): PlaceRecord {
  return placeRecord(store)
}

/** An image as it is stored. */
export function imageRecord(store: SimulatedStore, facts: ImageFacts): ImageRecord {
  return { store: store.key, facts }
}

/** Fills an empty world with what a store kept. Throws `Error` where the records do not fit together. */
export function restore(state: State, records: Iterable<WorldRecord>): void {
  const byKind = Map.groupBy(records, record => record.kind)
  // The casts are the edge to the disk: only this file wrote what is read here.
  for (const { key, value } of byKind.get('Alias') ?? []) state.aliases.set(key, value as Alias)
  for (const { value } of byKind.get('Host') ?? []) restoreHost(state, value as HostRecord)
  for (const { value } of byKind.get('Pool') ?? []) {
    const record = value as PoolRecord
    state.pools.set(record.key, restorePlace(newPool(record.key, record.totalBytes), record))
  }
  for (const { value } of byKind.get('Store') ?? []) {
    const record = value as PlaceRecord
    state.stores.set(record.key, restorePlace(newStore(record.key), record))
  }
  for (const { value } of byKind.get('Volume') ?? []) restoreVolume(state, value as VolumeRecord)
  for (const { value } of byKind.get('Image') ?? []) restoreImage(state, value as ImageRecord)
  for (const { value } of byKind.get('Machine') ?? []) restoreMachine(state, value as MachineRecord)
}

function restorePlace<P extends Place>(place: P, record: PlaceRecord): P {
  place.state = record.state
  place.frozenRequests = record.frozenRequests
  return place
}

function restoreHost(state: State, record: HostRecord): void {
  const host = restorePlace(newHost(record.key, record), record)
  restorePlace(host.controller, record.controller)
  host.power = record.power
  host.booting = record.booting
  host.capabilities = record.capabilities
  state.hosts.set(host.key, host)
}

function restoreVolume(state: State, record: VolumeRecord): void {
  const pool = found(state.pools.get(record.pool), 'volume', record.facts.identity)
  pool.volumes.set(record.facts.identity, { facts: record.facts, imageURL: record.imageURL })
  pool.promisedBytes += record.facts.sizeBytes
}

function restoreImage(state: State, record: ImageRecord): void {
  const store = found(state.stores.get(record.store), 'image', record.facts.identity)
  store.images.set(record.facts.identity, record.facts)
  store.usedBytes += record.facts.sizeBytes
}

function restoreMachine(state: State, record: MachineRecord): void {
  const { facts } = record
  const host = found(state.hosts.get(record.host), 'machine', facts.identity)
  const machine: SimulatedMachine = {
    host,
    identity: facts.identity,
    facts,
    active: facts.powerState === 'Off' ? undefined : (record.active ?? facts.definition),
    ignoresACPI: record.ignoresACPI,
    goingDown: record.goingDown,
    timer: undefined,
    userDataHash: record.userDataHash,
  }
  host.machines.set(machine.identity, machine)
  host.usedMemoryBytes += machine.active?.memoryBytes ?? 0
  state.machines.add(machine.identity, machine)
  for (const disk of facts.definition.disks) state.attachments.add(disk.identity, machine)
  if (facts.powerState === 'Running') state.invariants.entered(machine)
}

function found<T>(place: T | undefined, what: string, identity: string): T {
  if (place === undefined) throw new Error(`Cannot read the simulated world: ${what} ${identity} is nowhere`)
  return place
}
