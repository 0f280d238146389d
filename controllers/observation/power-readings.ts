import type { Endpoint, EndpointKey } from '../../drivers/contract/endpoint.ts'
import type { PowerInventory } from '../../drivers/contract/facts.ts'
import type { PowerState } from '../../reconcilers/world.ts'
import type { Activity } from './activity.ts'

/** What a power controller said lately: its last word, and when the last two readings of an unbroken row of Off were begun. */
export interface PowerReadings {
  readonly power: PowerInventory['power']
  readonly offsBegun: readonly number[]
}

/** The readings with one more. */
export function withReading(
  readings: PowerReadings | undefined,
  power: PowerInventory['power'],
  begun: number,
): PowerReadings {
  if (power !== 'Off') return { power, offsBegun: [] }
  return { power, offsBegun: [...(readings?.offsBegun ?? []), begun].slice(-2) }
}

/** The readings after the controller fell silent: its last word stays, but counts as proof of nothing. */
export function withoutProof(readings: PowerReadings): PowerReadings {
  return { power: readings.power, offsBegun: [] }
}

/** What the readings say. `since`: the moment from which readings prove the host off; undefined while none can. */
export function powerStateOf(readings: PowerReadings, since: number | undefined): PowerState {
  const proving = since === undefined ? [] : readings.offsBegun.filter(begun => begun > since)
  return Object.freeze({ power: readings.power, confirmed: readings.power === 'Off' && proving.length >= 2 })
}

/**
 * From which moment on readings of a power controller prove its host off: later than the host's silence, which began at
 * `silentFrom`, and than everything that was done at either. Undefined while it answers, or something is being done.
 */
export function provingSince(
  { key, configuration }: Endpoint,
  silentFrom: (host: EndpointKey) => number | undefined,
  activity: Pick<Activity, 'isQuiet' | 'lastEnded'>,
): number | undefined {
  if (configuration.type !== 'PowerController') return undefined
  const { host } = configuration
  const since = silentFrom(host)
  if (since === undefined || !activity.isQuiet(host) || !activity.isQuiet(key)) return undefined
  return Math.max(since, activity.lastEnded(host), activity.lastEnded(key))
}
