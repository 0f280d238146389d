import type { EndpointKey } from '../../drivers/contract/endpoint.ts'
import { addTo, removeFrom } from './changes.ts'
import type { Place } from './place.ts'

/** What is known of when an endpoint was listed, and since when it does not answer. */
type Hearing = Pick<Place, 'listedFrom' | 'silentFrom' | 'state'>

interface Question {
  readonly asked: number
  readonly silentFrom: number | undefined
}

/**
 * Which of two endpoints was heard later, and which were not listed since something was asked. Of one that does not answer
 * nobody can say what it did last: what counts is when it was asked about in that silence.
 */
export class Questions {
  readonly #hear: (key: EndpointKey) => Hearing | undefined
  readonly #moment: () => number
  readonly #open = new Map<string, Question>()
  readonly #sought = new Map<string, number>()
  /** Asked for and not proven absent, by endpoint: only for these can a listing bring news of absence. */
  readonly #awaited = new Map<EndpointKey, Set<string>>()

  /** `moment` answers with a moment later than all before. */
  constructor(hear: (key: EndpointKey) => Hearing | undefined, moment: () => number) {
    this.#hear = hear
    this.#moment = moment
  }

  /** Whether the last listing of an endpoint tells also of what came there from the other one, for an identity. */
  isAnswered(identity: string, endpoint: EndpointKey, other: EndpointKey): boolean {
    const name = `${identity} ${endpoint} ${other}`
    const { listedFrom = 0 } = this.#hear(endpoint) ?? {}
    const source = this.#hear(other)
    if (source?.state.answers === 'Yes') {
      this.#open.delete(name)
      return listedFrom > source.listedFrom
    }
    const known = this.#open.get(name)
    if (known !== undefined && known.silentFrom === source?.silentFrom) return listedFrom > known.asked
    this.#open.set(name, { asked: this.#moment(), silentFrom: source?.silentFrom })
    return false
  }

  /** Somebody waits for a listing of the endpoint that proves an identity absent. */
  awaitAbsence(identity: string, endpoint: EndpointKey): void {
    addTo(this.#awaited, endpoint, identity)
  }

  /** The endpoint was listed: identities whose absence was waited for and is proven now. */
  takeProven(endpoint: EndpointKey, isProven: (identity: string) => boolean): readonly string[] {
    const proven = [...(this.#awaited.get(endpoint) ?? [])].filter(isProven)
    for (const identity of proven) removeFrom(this.#awaited, endpoint, identity)
    return proven
  }

  /** Those of the endpoints that were not listed since it was first asked where an identity is. */
  unlisted(identity: string, endpoints: readonly EndpointKey[]): readonly EndpointKey[] {
    const known = this.#sought.get(identity)
    const since = known ?? this.#moment()
    if (known === undefined) this.#sought.set(identity, since)
    return endpoints.filter(key => (this.#hear(key)?.listedFrom ?? 0) <= since)
  }
}
