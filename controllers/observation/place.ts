import type { Endpoint } from '../../drivers/contract/endpoint.ts'
import type { HostFacts } from '../../drivers/contract/facts.ts'
import type { EndpointState, Observed, PowerState } from '../../reconcilers/world.ts'
import type { Counts } from './inventories.ts'
import type { PowerReadings } from './power-readings.ts'

/** Space of a pool or store, in bytes. */
export type Space = NonNullable<ReturnType<Observed['space']>>

/** What is known about a declared endpoint as a whole. Moments are the cache's own count. */
export interface Place {
  endpoint: Endpoint
  state: EndpointState
  /** When the last listing taken in was begun; 0 while there is none. */
  listedFrom: number
  /** The same on the monotonic clock, for figures. */
  listedAt: number | undefined
  /** When it fell silent; undefined while it answers. */
  silentFrom: number | undefined
  /** When it last said that it may have missed something; 0 when never. */
  disconnectedAt: number
  host: HostFacts | undefined
  space: Space | undefined
  readings: PowerReadings | undefined
  power: PowerState | undefined
  counts: Counts
}

/** The state of an endpoint that nothing was heard of yet. */
export const unknownState: EndpointState = Object.freeze({ answers: 'Unknown', listed: false })

/** The state of an endpoint that has just been listed. */
export const listedState: EndpointState = Object.freeze({ answers: 'Yes', listed: true })

/** The counts at an endpoint where nothing was seen yet. */
export const noCounts: Counts = Object.freeze({ things: 0, foreign: 0 })

/** A place of which nothing is known yet. */
export function emptyPlace(endpoint: Endpoint): Place {
  return {
    endpoint,
    state: unknownState,
    listedFrom: 0,
    listedAt: undefined,
    silentFrom: undefined,
    disconnectedAt: 0,
    host: undefined,
    space: undefined,
    readings: undefined,
    power: undefined,
    counts: noCounts,
  }
}

/** Space with what is used rounded up to thousandths of the total: small changes do not tick, and a restart shows the same. */
export function roundedSpace(totalBytes: number, usedBytes: number): Space {
  const step = Math.max(1, Math.ceil(totalBytes / 1000))
  return Object.freeze({ totalBytes, usedBytes: Math.min(totalBytes, Math.ceil(usedBytes / step) * step) })
}
