import type { Mark } from '../contract/facts.ts'
import type { Place, SimulatedHost, SimulatedMachine, SimulatedPool, SimulatedVolume } from './places.ts'
import type { State } from './state.ts'

/** A machine by identity, or as `<namespace>/<name>` or `<name>` of its mark; with its host where several have it. */
export type MachineAddress = string | { readonly identity: string; readonly host: string }

/** The host of that name, endpoint key or own key. Throws `RangeError`. */
export function findHost(state: State, name: string): SimulatedHost {
  const direct = state.hosts.get(state.aliases.get(name)?.place ?? name)
  if (direct !== undefined) return direct
  const named = [...state.hosts.values()].filter(host => host.name === name)
  return only(named, `host ${name}`)
}

/** The pool or image store of that name, endpoint key or URL. Throws `RangeError`. */
export function findStorage(state: State, name: string): Place {
  const place = state.aliases.get(name)?.place ?? name
  const direct = state.pools.get(place) ?? state.stores.get(place)
  if (direct !== undefined) return direct
  const places = new Set<Place>()
  for (const alias of state.aliases.values()) {
    if (alias.name !== name) continue
    const storage = state.pools.get(alias.place) ?? state.stores.get(alias.place)
    if (storage !== undefined) places.add(storage)
  }
  return only([...places], `storage ${name}`)
}

/** The machine at that address; of several the one that runs. Throws `RangeError`. */
export function findMachine(state: State, address: MachineAddress): SimulatedMachine {
  if (typeof address !== 'string') {
    const host = findHost(state, address.host)
    const what = `machine ${address.identity} on host ${address.host}`
    const known = host.machines.get(address.identity)
    return only(known === undefined ? namedMachines([host], address.identity) : [known], what)
  }
  const known = state.machines.of(address)
  const found = known.length > 0 ? known : namedMachines([...state.hosts.values()], address)
  const running = found.filter(machine => machine.facts.powerState === 'Running')
  return only(running.length > 0 ? running : found, `machine ${address}`)
}

/** The volume of that identity, and its pool. Throws `RangeError`. */
export function findVolume(
  state: State,
  identity: string,
): { readonly pool: SimulatedPool; readonly volume: SimulatedVolume } {
  const found = [...state.pools.values()].flatMap(pool => {
    const volume = pool.volumes.get(identity)
    return volume === undefined ? [] : [{ pool, volume }]
  })
  return only(found, `volume ${identity}`)
}

function namedMachines(hosts: readonly SimulatedHost[], name: string): readonly SimulatedMachine[] {
  return hosts.flatMap(({ machines }) => [...machines.values()].filter(({ facts: { mark } }) => nameOf(mark) === name))
}

function nameOf(mark: Mark | undefined): string | undefined {
  return mark?.namespace === undefined ? mark?.name : `${mark.namespace}/${mark.name}`
}

function only<T>(found: readonly (T | undefined)[], what: string): T {
  const [first, second] = found
  if (first === undefined) throw new RangeError(`Cannot find ${what} in the simulated world`)
  if (second !== undefined) throw new RangeError(`Cannot choose ${what}: there are ${found.length} of them`)
  return first
}
