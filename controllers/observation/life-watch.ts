import type { Environment, Timer } from '../../crds/environment.ts'
import type { Connection, SignOfLife } from '../../drivers/contract/driver.ts'
import type { Endpoint, EndpointKey } from '../../drivers/contract/endpoint.ts'
import { callWithDeadline } from './deadline.ts'
import type { ObservedCache } from './observed-cache.ts'

/** What looking for signs of life works with. */
export interface LifeWatchOptions {
  readonly cache: ObservedCache
  readonly environment: Environment
  /** Runs a call on the connection to an endpoint. */
  readonly use: <T>(key: EndpointKey, call: (connection: Connection) => Promise<T>) => Promise<T>
}

interface Search {
  witnesses: readonly EndpointKey[]
  readonly address: string
  /** When the host was first asked for, on the monotonic clock: only what is later is a sign. */
  readonly begun: number
  timer: Timer | undefined
}

/** Between two rounds of questions about one silent host, in ms. */
const roundInterval = 10_000
/** How long a witness may take, in ms. */
const answerDeadline = 5_000
/** A sign of life that is older, in ms, is none: three heartbeats were missed. */
const freshness = 30_000

/** Asks neighbours and pools for signs of life of hosts that are silent, for as long as they are. */
export class LifeWatch {
  readonly #options: LifeWatchOptions
  readonly #searches = new Map<EndpointKey, Search>()

  constructor(options: LifeWatchOptions) {
    this.#options = options
  }

  /** The host is declared, with whom to ask while it is silent; without witnesses nobody is asked any more. */
  declare({ key, configuration, witnesses }: Endpoint): void {
    if (witnesses === undefined || configuration.type !== 'Host') {
      this.forget(key)
      return
    }
    const known = this.#searches.get(key)
    if (known !== undefined) {
      known.witnesses = witnesses
      return
    }
    const { clock } = this.#options.environment
    const search: Search = { witnesses, address: configuration.address, begun: clock.monotonic(), timer: undefined }
    this.#searches.set(key, search)
    void this.#ask(key, search)
  }

  /** Asks nobody about the host any more. */
  forget(key: EndpointKey): void {
    this.#searches.get(key)?.timer?.cancel()
    this.#searches.delete(key)
  }

  /** Asks nobody about anybody. */
  stop(): void {
    for (const key of [...this.#searches.keys()]) this.forget(key)
  }

  async #ask(key: EndpointKey, search: Search): Promise<void> {
    const { cache, environment } = this.#options
    const asked = search.witnesses.filter(witness => cache.isReady(witness))
    const answers = await Promise.all(asked.map(witness => this.#answerOf(witness, key, search)))
    if (this.#searches.get(key) !== search) return
    const told = answers.filter(answer => answer !== undefined)
    const silence = environment.clock.monotonic() - search.begun
    const isSeen = told.some(({ age }) => age !== undefined && age <= Math.min(silence, freshness))
    const signs = isSeen ? 'Seen' : told.length > 0 ? 'None' : 'Unknown'
    const leaseExpired = !isSeen && told.some(({ lease }) => lease === 'Expired')
    if (cache.endpoint(key).answers === 'No') cache.lives.take(key, { signs, leaseExpired })
    search.timer = environment.clock.after(roundInterval, () => void this.#ask(key, search))
  }

  /** Undefined: the witness knows nothing of other hosts, or cannot tell now. */
  async #answerOf(witness: EndpointKey, host: EndpointKey, { address }: Search): Promise<SignOfLife | undefined> {
    const { clock } = this.#options.environment
    const { installation } = this.#options.cache
    const call = {
      clock,
      deadline: answerDeadline,
      controller: new AbortController(),
      what: `Asking ${witness} about ${host}`,
    }
    try {
      return await callWithDeadline(call, signal =>
        this.#options.use(
          witness,
          async connection => await connection.signOfLife?.({ host, address }, { signal, installation }),
        ),
      )
    } catch {
      // A witness that cannot tell is none: what it does not answer elsewhere is reported there.
      return undefined
    }
  }
}
