import type { Host } from '../../crds/infrastructure/host.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import type { SecondaryStorage } from '../../crds/infrastructure/secondary-storage.ts'
import { parseBytes } from '../../crds/invariants/quantity.ts'
import { type DriverName, type Endpoint, endpointKey } from '../../drivers/contract/endpoint.ts'
import { defineDerived, defineIndex, type Wish, type World } from '../world.ts'
import { hostConfiguration, hostDriver, hostKey } from './host-endpoint.ts'
import { hostsInReach, reachOf } from './topology.ts'

/** The drivers of pools, by the scheme of the URL. */
const poolDrivers: Readonly<Record<string, DriverName>> = { sim: 'Simulator', file: 'KVM' }

/** The drivers of image stores, by the scheme of the URL. */
const storeDrivers: Readonly<Record<string, DriverName>> = { sim: 'Simulator' }

/** The scheme of a URL: `sim` of `sim://primary-1`. */
export function schemeOf(url: string): string {
  return url.slice(0, url.indexOf(':'))
}

/** The driver of a pool. Undefined: none serves its kind of storage yet. */
export function poolDriver({ spec }: Wish<typeof PrimaryStorage>): DriverName | undefined {
  return poolDrivers[schemeOf(spec.url)]
}

/** The driver of an image store. Undefined: none serves its kind of storage yet. */
export function storeDriver({ spec }: Wish<typeof SecondaryStorage>): DriverName | undefined {
  return storeDrivers[schemeOf(spec.url)]
}

/** Pools by the place they stand for: their URL, and for directories of hosts also whose. */
const poolsByPlace = defineIndex(PrimaryStorage, 'poolsByPlace', ({ spec }) => [
  schemeOf(spec.url) === 'file' ? `${reachOf(spec)} ${spec.url}` : spec.url,
])

/** The older pool at the same place: two pools there would each take the other's volumes for their own. */
export function olderPoolAt(pool: Wish<typeof PrimaryStorage>, world: World): Wish<typeof PrimaryStorage> | undefined {
  const [place = ''] = poolsByPlace.values(pool)
  const [oldest] = world.desired.list(poolsByPlace, place)
  return oldest === undefined || oldest.metadata.uid === pool.metadata.uid ? undefined : oldest
}

/** What reaches a pool. Remembered, because pools of a whole zone have many hosts and are judged with every claim. */
export interface PoolReach {
  /** How many hosts are in its scope. */
  readonly hosts: number
  /** How many of them the pool's driver serves. */
  readonly served: number
  readonly endpoints: readonly Endpoint[]
}

/** What reaches a pool, by its name. It has an endpoint where there is a driver for it and a host that reaches it. */
export const poolReach = defineDerived('poolReach', (poolName, world): PoolReach => {
  const pool = world.desired.get(PrimaryStorage, poolName)
  if (pool === undefined) return { hosts: 0, served: 0, endpoints: [] }
  const hosts = hostsInReach(pool, world)
  const driver = poolDriver(pool)
  const served = hosts.filter(host => driver !== undefined && hostDriver(host, world) === driver)
  // A simulated pool answers by itself: its volumes can be given back when the hosts have gone before them.
  const isCallable = driver === 'Simulator' || served.length > 0
  const isReachable = driver !== undefined && isCallable && olderPoolAt(pool, world) === undefined
  const endpoints = isReachable ? [poolEndpoint(pool, driver, served, world)] : []
  return { hosts: hosts.length, served: served.length, endpoints }
})

function poolEndpoint(
  pool: Wish<typeof PrimaryStorage>,
  driver: DriverName,
  hosts: readonly Wish<typeof Host>[],
  world: World,
): Endpoint {
  const { capacity, url } = pool.spec
  return {
    key: endpointKey('PrimaryStorage', world.identity(pool)),
    driver,
    name: pool.metadata.name,
    configuration: {
      type: 'PrimaryStorage',
      url,
      ...(capacity === undefined ? {} : { capacityBytes: parseBytes(capacity) }),
      // A simulated pool stands for itself: it need not be declared anew with every host that comes or goes.
      hosts:
        driver === 'Simulator'
          ? []
          : hosts.map(host => ({ endpoint: hostKey(host, world), configuration: hostConfiguration(host) })),
    },
  }
}

/** The endpoint of an image store, where there is a driver for it. */
export function storeEndpoints(store: Wish<typeof SecondaryStorage>, world: World): readonly Endpoint[] {
  const driver = storeDriver(store)
  if (driver === undefined) return []
  return [
    {
      key: endpointKey('SecondaryStorage', world.identity(store)),
      driver,
      name: store.metadata.name,
      configuration: { type: 'SecondaryStorage', url: store.spec.url },
    },
  ]
}
