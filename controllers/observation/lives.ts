import { type Environment, timestamp } from '../../crds/environment.ts'
import type { EndpointKey } from '../../drivers/contract/endpoint.ts'
import type { Life } from '../../reconcilers/world.ts'

/** What others know of the lives of silent hosts. */
export class Lives {
  readonly #environment: Environment
  readonly #tell: (key: EndpointKey) => void
  readonly #lives = new Map<EndpointKey, Life>()

  /** `tell` hears of every host of which something else is known now. */
  constructor(environment: Environment, tell: (key: EndpointKey) => void) {
    this.#environment = environment
    this.#tell = tell
  }

  /** What is known. Undefined: the host is not silent, or nobody was asked yet. */
  of(key: EndpointKey): Life | undefined {
    return this.#lives.get(key)
  }

  /** Something was found out. The same again is no news. */
  take(key: EndpointKey, found: Omit<Life, 'since'>): void {
    const known = this.#lives.get(key)
    if (known?.signs === found.signs && known.leaseExpired === found.leaseExpired) return
    this.#lives.set(key, Object.freeze({ ...found, since: timestamp(this.#environment.clock) }))
    this.#tell(key)
  }

  /** The host speaks for itself again, or is no longer declared. */
  forget(key: EndpointKey): void {
    if (this.#lives.delete(key)) this.#tell(key)
  }
}
