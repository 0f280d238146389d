import type { Capability, ImageFacts, MachineDefinition, MachineFacts, VolumeFacts } from '../contract/facts.ts'
import type {
  HostSize,
  Migration,
  MigrationFate,
  Place,
  SimulatedHost,
  SimulatedMachine,
  SimulatedPool,
  SimulatedStore,
  SimulatedVolume,
} from './places.ts'

/** What is stored of every place. */
export interface PlaceRecord {
  readonly key: string
  readonly state: Place['state']
  readonly frozenRequests: Place['frozenRequests']
}

/** A host as it is stored. */
export interface HostRecord extends PlaceRecord {
  readonly name: string
  readonly address: string
  readonly size: HostSize
  readonly power: SimulatedHost['power']
  readonly booting: boolean
  readonly cutOff?: boolean
  readonly lastSignOfLife?: number | undefined
  readonly lostStorages?: readonly (readonly [string, number])[]
  readonly capabilities: readonly Capability[]
  readonly controller: PlaceRecord
}

/** A machine as it is stored. */
export interface MachineRecord {
  readonly host: string
  readonly facts: MachineFacts
  readonly active?: MachineDefinition | undefined
  readonly ignoresACPI: boolean
  readonly goingDown?: SimulatedMachine['goingDown']
  readonly userDataHash?: string | undefined
  readonly migration?: MigrationRecord | undefined
}

/** A migration as it is stored, with its source. */
export interface MigrationRecord {
  readonly operationId: string
  /** Key of the target host. */
  readonly host: string
  readonly milliseconds: number
  readonly fate: MigrationFate
  readonly switching: boolean
}

/** A pool as it is stored. */
export interface PoolRecord extends PlaceRecord {
  readonly totalBytes: number
}

/** A volume as it is stored. */
export interface VolumeRecord {
  readonly pool: string
  readonly facts: VolumeFacts
  readonly imageURL?: string | undefined
}

/** An image as it is stored. */
export interface ImageRecord {
  readonly store: string
  readonly facts: ImageFacts
}

function placeRecord(place: Place): PlaceRecord {
  return { key: place.key, state: place.state, frozenRequests: place.frozenRequests }
}

/** A host as it is stored, without its machines. */
export function hostRecord(host: SimulatedHost): HostRecord {
  const { name, address, size, power, booting, capabilities, cutOff, lastSignOfLife, lostStorages } = host
  return {
    ...placeRecord(host),
    name,
    address,
    size,
    power,
    booting,
    cutOff,
    lastSignOfLife,
    lostStorages: [...lostStorages],
    capabilities,
    controller: placeRecord(host.controller),
  }
}

/** A machine as it is stored. */
export function machineRecord(machine: SimulatedMachine): MachineRecord {
  const { facts, active, ignoresACPI, goingDown, userDataHash, migration } = machine
  // Mostly the same as the definition, which is then not written twice.
  return {
    host: machine.host.key,
    facts,
    active: active === facts.definition ? undefined : active,
    ignoresACPI,
    goingDown,
    userDataHash,
    migration: migration === undefined ? undefined : migrationRecord(migration),
  }
}

function migrationRecord({ operationId, incoming, milliseconds, fate, switching }: Migration): MigrationRecord {
  return { operationId, host: incoming.host.key, milliseconds, fate, switching }
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
