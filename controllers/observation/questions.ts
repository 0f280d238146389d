import type { EndpointKey } from '../../drivers/contract/endpoint.ts'
import type { Place } from './place.ts'

/** What is known of when an endpoint was listed, and since when it does not answer. */
type Hearing = Pick<Place, 'listedFrom' | 'silentFrom' | 'state'>

interface Question {
  readonly asked: number
  readonly silentFrom: number | undefined
}

/**
 * Which of two endpoints was heard later. Of one that does not answer nobody can say what it did last: what counts is
 * when it was asked about in that silence.
 */
export class Questions {
  readonly #hear: (key: EndpointKey) => Hearing | undefined
  readonly #moment: () => number
  readonly #open = new Map<string, Question>()

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
}
