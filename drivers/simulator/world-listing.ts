import type { ImageFacts, MachineDefinition, MachineFacts, VolumeFacts } from '../contract/facts.ts'
import type { HostSize, Place } from './places.ts'
import type { State } from './state.ts'

/** A host, seen from beside the world. */
export interface ListedHost {
  /** Its own key, which outlives the resources that declare it. */
  readonly key: string
  readonly name: string
  readonly address: string
  readonly size: HostSize
  readonly power: 'On' | 'Off'
  readonly state: Place['state'] | 'Booting'
  readonly powerController: Place['state']
  /** How many machines are defined on it. */
  readonly machines: number
}

/** A machine, seen from beside the world. */
export interface ListedMachine {
  readonly identity: string
  /** Name of its host. */
  readonly host: string
  readonly facts: MachineFacts
  /** The definition it runs with; left out while it is off. */
  readonly active?: MachineDefinition
  readonly ignoresACPI: boolean
  readonly shuttingDown: boolean
  /** SHA-256 in hex of the user data it was given. */
  readonly userDataHash?: string
}

/** A volume, seen from beside the world. */
export interface ListedVolume {
  readonly identity: string
  /** URL of its pool. */
  readonly pool: string
  readonly facts: VolumeFacts
  readonly imageURL?: string
  /** Identities of the machines that are defined with it, on any host. */
  readonly machines: readonly string[]
}

/** A pool or an image store, seen from beside the world. */
export interface ListedStorage {
  readonly url: string
  readonly state: Place['state']
}

/** Everything there is in a simulated world, in the order in which it came to be. */
export interface WorldListing {
  readonly hosts: readonly ListedHost[]
  readonly machines: readonly ListedMachine[]
  readonly pools: readonly (ListedStorage & { readonly totalBytes: number; readonly promisedBytes: number })[]
  readonly volumes: readonly ListedVolume[]
  readonly stores: readonly ListedStorage[]
  readonly images: readonly (ImageFacts & { readonly store: string })[]
}

/** Lists a world. Facts are shared with it, and never change. */
export function listWorld(state: State): WorldListing {
  const hosts = [...state.hosts.values()]
  const pools = [...state.pools.values()]
  const stores = [...state.stores.values()]
  return {
    hosts: hosts.map(({ key, name, address, size, power, booting, controller, machines, ...host }) => ({
      key,
      name,
      address,
      size,
      power,
      state: booting ? 'Booting' : host.state,
      powerController: controller.state,
      machines: machines.size,
    })),
    machines: hosts.flatMap(host =>
      Array.from(host.machines.values(), ({ identity, facts, active, ignoresACPI, goingDown, userDataHash }) => ({
        identity,
        host: host.name,
        facts,
        ...(active === undefined ? {} : { active }),
        ignoresACPI,
        shuttingDown: goingDown !== undefined,
        ...(userDataHash === undefined ? {} : { userDataHash }),
      })),
    ),
    pools: pools.map(({ key, state, totalBytes, promisedBytes }) => ({ url: key, state, totalBytes, promisedBytes })),
    volumes: pools.flatMap(pool =>
      Array.from(pool.volumes.values(), ({ facts, imageURL }) => ({
        identity: facts.identity,
        pool: pool.key,
        facts,
        ...(imageURL === undefined ? {} : { imageURL }),
        machines: state.attachments.of(facts.identity).map(machine => machine.identity),
      })),
    ),
    stores: stores.map(({ key, state }) => ({ url: key, state })),
    images: stores.flatMap(store => Array.from(store.images.values(), image => ({ ...image, store: store.key }))),
  }
}
