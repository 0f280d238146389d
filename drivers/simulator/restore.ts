import { newHost, newPool, newStore, type Place, type SimulatedMachine } from './places.ts'
import type { HostRecord, ImageRecord, MachineRecord, PlaceRecord, PoolRecord, VolumeRecord } from './records.ts'
import type { Alias, State } from './state.ts'
import type { WorldRecord } from './world-store.ts'

/** Fills an empty world with what a store kept. Throws `Error` where the records do not fit together. */
export function restore(state: State, records: Iterable<WorldRecord>): void {
  const byKind = Map.groupBy(records, record => record.kind)
  // The casts are the edge to the disk: only records.ts wrote what is read here.
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
  const machines = Array.from(byKind.get('Machine') ?? [], ({ value }) => value as MachineRecord)
  for (const record of machines) restoreMachine(state, record)
  for (const record of machines) restoreMigration(state, record)
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
  host.cutOff = record.cutOff ?? false
  host.lastSignOfLife = record.lastSignOfLife
  for (const [pool, since] of record.lostStorages ?? []) host.lostStorages.set(pool, since)
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
    migration: undefined,
    incomingFrom: undefined,
  }
  host.machines.set(machine.identity, machine)
  host.usedMemoryBytes += machine.active?.memoryBytes ?? 0
  state.machines.add(machine.identity, machine)
  for (const disk of facts.definition.disks) state.attachments.add(disk.identity, machine)
  if (facts.powerState === 'Running') state.invariants.entered(machine)
}

/** How much of the memory had been copied is not kept: the copying begins again. */
function restoreMigration(state: State, { host, facts: { identity }, migration }: MachineRecord): void {
  if (migration === undefined) return
  const source = found(state.hosts.get(host)?.machines.get(identity), 'machine', identity)
  const incoming = found(state.hosts.get(migration.host)?.machines.get(identity), 'incoming machine', identity)
  const { operationId, milliseconds, fate, switching } = migration
  const since = state.clock.monotonic()
  source.migration = { operationId, incoming, milliseconds, since, fate, switching, timer: undefined }
  incoming.incomingFrom = source
}

function found<T>(place: T | undefined, what: string, identity: string): T {
  if (place === undefined) throw new Error(`Cannot read the simulated world: ${what} ${identity} is nowhere`)
  return place
}
