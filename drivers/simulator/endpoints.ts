import type { Endpoint } from '../contract/endpoint.ts'
import { DriverError } from '../contract/errors.ts'
import type { Inventory } from '../contract/facts.ts'
import { migrationJobs } from './migrations.ts'
import { defaultPoolBytes, newHost, newPool, newStore, type Place, type SimulatedHost } from './places.ts'
import type { State } from './state.ts'
import { usedBytes } from './storage-verbs.ts'

/**
 * The place that an endpoint reaches, made where it is new. A host is known again by its name and address, a pool and
 * a store by their URL: the resources that declare them may be lost and made anew, what they describe stays.
 */
export function declare(state: State, endpoint: Endpoint): void {
  const { configuration, key, name } = endpoint
  if (configuration.type === 'Host') declareHost(state, endpoint)
  if (configuration.type === 'Host' || configuration.type === 'PowerController') return
  const { url } = configuration
  if (configuration.type === 'PrimaryStorage') {
    const totalBytes = configuration.capacityBytes ?? defaultPoolBytes
    const pool = state.pools.get(url) ?? newPool(url, totalBytes)
    const changed = !state.pools.has(url) || pool.totalBytes !== totalBytes
    pool.totalBytes = totalBytes
    if (changed) state.keepPool(pool)
  } else if (!state.stores.has(url)) {
    state.keepStore(newStore(url))
  }
  state.setAlias(key, { name, place: url })
}

function declareHost(state: State, endpoint: Endpoint): void {
  const { configuration, key, name } = endpoint
  if (configuration.type !== 'Host') return
  const { address, simulated: size } = configuration
  const place = `${name}@${address}`
  const host = state.hosts.get(place)
  if (host === undefined) {
    if (size === undefined) return
    state.keepHost(newHost(place, { name, address, size }))
  } else if (size !== undefined && !sameSize(host, size)) {
    host.size = size
    state.keepHost(host)
  }
  state.setAlias(key, { name, place })
}

function sameSize(host: SimulatedHost, size: SimulatedHost['size']): boolean {
  const { cores, clockMHz, memoryBytes } = host.size
  return cores === size.cores && clockMHz === size.clockMHz && memoryBytes === size.memoryBytes
}

/** The place that an endpoint reaches; throws `DriverError` where there is none. */
export function reach(state: State, endpoint: Endpoint): Place {
  const { configuration, key, name } = endpoint
  const type = configuration.type
  const alias = state.aliases.get(configuration.type === 'PowerController' ? configuration.host : key)?.place ?? ''
  if (type === 'PrimaryStorage') return found(state.pools.get(alias), name)
  if (type === 'SecondaryStorage') return found(state.stores.get(alias), name)
  const host = state.hosts.get(alias)
  if (type === 'PowerController') return found(host, `the host of ${name}`).controller
  if (host === undefined) {
    throw new DriverError(
      'InvalidArgument',
      `Cannot connect to host ${name}: a simulated host needs its size (simulated)`,
    )
  }
  return host
}

function found<T>(place: T | undefined, name: string): T {
  if (place !== undefined) return place
  throw new DriverError('Unavailable', `Cannot connect to ${name}: there is no such simulated endpoint yet`)
}

/** The complete listing of a place. */
export function listing(state: State, place: Place): Inventory {
  const jobs = [...place.jobs.values()]
  if (place.type === 'Host') {
    const host = found(state.hosts.get(place.key), place.key)
    const { cores, clockMHz, memoryBytes } = host.size
    const machines = Array.from(host.machines.values(), machine => machine.facts)
    const { capabilities } = host
    jobs.push(...migrationJobs(state, host))
    const facts = { hypervisorVersion: 'Simulator 1.0', cores, clockMHz, memoryBytes, capabilities }
    return { type: 'Host', host: facts, machines, jobs }
  }
  if (place.type === 'PrimaryStorage') {
    const pool = found(state.pools.get(place.key), place.key)
    const volumes = Array.from(pool.volumes.values(), volume => volume.facts)
    return { type: 'PrimaryStorage', totalBytes: pool.totalBytes, usedBytes: usedBytes(pool), volumes, jobs }
  }
  if (place.type === 'SecondaryStorage') {
    const store = found(state.stores.get(place.key), place.key)
    const images = [...store.images.values()]
    return { type: 'SecondaryStorage', totalBytes: defaultPoolBytes, usedBytes: store.usedBytes, images, jobs }
  }
  return { type: 'PowerController', power: found(state.hosts.get(place.key), place.key).power }
}
