import equal from 'fast-deep-equal'
import type { Endpoint, EndpointKey } from '../../drivers/contract/endpoint.ts'
import type { Activity } from './activity.ts'
import { addTo, removeFrom } from './changes.ts'
import type { Place } from './place.ts'
import { powerStateOf, provingSince } from './power-readings.ts'
import { topics } from './topics.ts'

/** What power controllers are judged by. */
export interface PowerControllersOptions {
  readonly placeOf: (key: EndpointKey) => Place | undefined
  readonly activity: Activity
  readonly tell: (topic: string) => void
}

const none: ReadonlySet<EndpointKey> = new Set()

/** Power controllers by the endpoint of the host they switch, and what they prove of it. */
export class PowerControllers {
  readonly #options: PowerControllersOptions
  readonly #byHost = new Map<EndpointKey, Set<EndpointKey>>()

  constructor(options: PowerControllersOptions) {
    this.#options = options
  }

  /** Those that switch the host. */
  of(host: EndpointKey): ReadonlySet<EndpointKey> {
    return this.#byHost.get(host) ?? none
  }

  /** Takes an endpoint in; one that is no power controller is nothing to it. */
  add({ key, configuration }: Endpoint): void {
    if (configuration.type === 'PowerController') addTo(this.#byHost, configuration.host, key)
  }

  /** Lets it go. */
  drop({ key, configuration }: Endpoint): void {
    if (configuration.type === 'PowerController') removeFrom(this.#byHost, configuration.host, key)
  }

  /** What power controllers say depends on how their host answers, and on what is done there. */
  refreshAround(key: EndpointKey): void {
    const { placeOf, activity, tell } = this.#options
    for (const each of [key, ...this.of(key)]) {
      const place = placeOf(each)
      if (place?.readings === undefined) continue
      const since = provingSince(place.endpoint, host => placeOf(host)?.silentFrom, activity)
      const power = powerStateOf(place.readings, since)
      if (equal(place.power, power)) continue
      place.power = power
      tell(topics.power(each))
    }
  }
}
