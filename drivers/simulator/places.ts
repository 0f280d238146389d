import type { Timer } from '../../crds/environment.ts'
import type { InventoryEvent } from '../contract/driver.ts'
import type { EndpointType } from '../contract/endpoint.ts'
import type { DriverError } from '../contract/errors.ts'
import type {
  Capability,
  ImageFacts,
  JobFacts,
  MachineDefinition,
  MachineFacts,
  VolumeFacts,
} from '../contract/facts.ts'

/** Somebody who listens to a place's events through an endpoint. */
export interface Subscription {
  readonly endpoint: string
  readonly name: string
  readonly listener: (event: InventoryEvent) => void
}

/**
 * Something that endpoints reach. `Answering`; `Frozen`: it lives but answers nothing;
 * `Down`: connections to it are refused.
 */
export interface Place {
  readonly type: EndpointType
  /** Its own key, which outlives the resources that declare it. */
  readonly key: string
  state: 'Answering' | 'Frozen' | 'Down'
  /** What becomes of requests that reach it while it is frozen. */
  frozenRequests: 'Lost' | 'Queued'
  /** Requests that wait for it to thaw. */
  readonly waiting: Set<() => void>
  /** Whether events were lost while it was frozen. */
  missedEvents: boolean
  readonly subscriptions: Set<Subscription>
  /** Fails every call that is under way to it, as when connections break. */
  readonly calls: Set<(error: DriverError) => void>
  /** How often it lost its power: what was under way then never happens. */
  powerLosses: number
  /** Long work it has at hand, by operation. */
  readonly jobs: Map<string, JobFacts>
}

/** The size of a simulated host: cores, MHz per core, memory in bytes. */
export interface HostSize {
  readonly cores: number
  readonly clockMHz: number
  readonly memoryBytes: number
}

/** A simulated host. */
export interface SimulatedHost extends Place {
  readonly type: 'Host'
  readonly name: string
  readonly address: string
  size: HostSize
  power: 'On' | 'Off'
  /** Powered on, not yet answering. */
  booting: boolean
  bootTimer: Timer | undefined
  /** While it is frozen: whether it is only cut off from the control plane, and otherwise well. */
  cutOff: boolean
  /** When it last gave a sign of life to others (wall clock, ms); undefined while it goes on giving them. */
  lastSignOfLife: number | undefined
  /** Keys of the pools that it cannot reach, with when it last did (wall clock, ms). */
  readonly lostStorages: Map<string, number>
  /** Until its connections notice that it has fallen silent. */
  silenceTimer: Timer | undefined
  /** Until its watchdog stops what outlives its lease. */
  watchdogTimer: Timer | undefined
  /** Whether its watchdog has stopped everything. */
  leaseLapsed: boolean
  capabilities: readonly Capability[]
  readonly machines: Map<string, SimulatedMachine>
  readonly controller: Place
  /** Memory of the machines that are not off, in bytes. */
  usedMemoryBytes: number
}

/** A machine on a simulated host. */
export interface SimulatedMachine {
  readonly host: SimulatedHost
  readonly identity: string
  facts: MachineFacts
  /** The definition it runs with; disks and NICs follow the facts at once, the rest at the next start. */
  active: MachineDefinition | undefined
  /** A guest that does not hear the power button. */
  ignoresACPI: boolean
  /** The guest is on its way down, and by whose wish. */
  goingDown: 'Guest' | 'Request' | undefined
  timer: Timer | undefined
  /** SHA-256 of the user data it was given, in hex. */
  userDataHash: string | undefined
  /** Its way to another host; only at the source. */
  migration: Migration | undefined
  /** The machine whose memory comes in here; only while it is `Incoming`. */
  incomingFrom: SimulatedMachine | undefined
}

/** A machine's way to another host. */
export interface Migration {
  readonly operationId: string
  /** The paused side at the target. */
  readonly incoming: SimulatedMachine
  /** How long it takes in all, in ms. */
  readonly milliseconds: number
  /** When it was begun, or taken up again, on the monotonic clock. */
  readonly since: number
  /** What a script has in store for it. */
  readonly fate: MigrationFate
  /** Memory is copied; the source is paused for the rest. */
  switching: boolean
  timer: Timer | undefined
}

/** `Fails` halfway, `FailsAtEnd` with the source paused already, or `Stalls` for good. */
export type MigrationFate = 'Arrives' | 'Fails' | 'FailsAtEnd' | 'Stalls'

/** A volume in a simulated pool. */
export interface SimulatedVolume {
  readonly facts: VolumeFacts
  /** What it is a clone of. */
  readonly imageURL: string | undefined
}

/** A simulated pool of disks. */
export interface SimulatedPool extends Place {
  readonly type: 'PrimaryStorage'
  totalBytes: number
  /** Sum of the sizes its volumes promise. */
  promisedBytes: number
  readonly volumes: Map<string, SimulatedVolume>
}

/** A simulated store of images. */
export interface SimulatedStore extends Place {
  readonly type: 'SecondaryStorage'
  readonly images: Map<string, ImageFacts>
  usedBytes: number
}

/** What every simulated host can do unless a test says otherwise. */
export const allCapabilities: readonly Capability[] = [
  'MachineDefine',
  'GracefulStop',
  'LiveAttach',
  'VirtualRouter',
  'SystemVM',
  'SegmentVLAN',
  'SegmentVXLAN',
  'UserData',
  'LiveMigration',
]

/** The size of a pool or store whose manifest grants no less: 10 TiB. */
export const defaultPoolBytes = 10 * 2 ** 40

function newPlace<T extends EndpointType>(type: T, key: string): Place & { readonly type: T } {
  return {
    type,
    key,
    state: 'Answering',
    frozenRequests: 'Lost',
    waiting: new Set(),
    missedEvents: false,
    subscriptions: new Set(),
    calls: new Set(),
    powerLosses: 0,
    jobs: new Map(),
  }
}

/** A new host, powered on and empty. */
export function newHost(key: string, described: { name: string; address: string; size: HostSize }): SimulatedHost {
  return {
    ...newPlace('Host', key),
    name: described.name,
    address: described.address,
    size: described.size,
    power: 'On',
    booting: false,
    bootTimer: undefined,
    cutOff: false,
    lastSignOfLife: undefined,
    lostStorages: new Map(),
    silenceTimer: undefined,
    watchdogTimer: undefined,
    leaseLapsed: false,
    capabilities: allCapabilities,
    machines: new Map(),
    controller: newPlace('PowerController', key),
    usedMemoryBytes: 0,
  }
}

/** A new, empty pool. */
export function newPool(url: string, totalBytes: number): SimulatedPool {
  return { ...newPlace('PrimaryStorage', url), totalBytes, promisedBytes: 0, volumes: new Map() }
}

/** A new, empty image store. */
export function newStore(url: string): SimulatedStore {
  return { ...newPlace('SecondaryStorage', url), images: new Map(), usedBytes: 0 }
}
