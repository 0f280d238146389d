import type { EndpointKey } from '../../drivers/contract/endpoint.ts'

interface Place {
  /** Operations running there by identity; any identity has at most one. */
  readonly running: Set<string>
  /** When the last operation on an identity there ended. Kept until a listing begun later has settled it. */
  readonly ended: Map<string, number>
  /** When the last operation on anything there ended. */
  lastEnded: number
  /** Identities on which an operation there went unanswered. */
  readonly doubts: Set<string>
}

const nowhere: readonly EndpointKey[] = Object.freeze([])

/** What this process has been doing where, as far as evidence must be newer than it. */
export class Activity {
  readonly #places = new Map<EndpointKey, Place>()
  readonly #doubts = new Map<string, readonly EndpointKey[]>()

  /** An operation on the identity is given to the endpoint. */
  begin(endpoint: EndpointKey, identity: string): void {
    this.#place(endpoint).running.add(identity)
  }

  /** It ended, one way or the other. */
  end(endpoint: EndpointKey, identity: string, moment: number): void {
    const place = this.#place(endpoint)
    place.running.delete(identity)
    place.ended.set(identity, moment)
    place.lastEnded = moment
  }

  /** Whether nothing is running for the identity at the endpoint. */
  isIdle(endpoint: EndpointKey, identity: string): boolean {
    return !(this.#places.get(endpoint)?.running.has(identity) ?? false)
  }

  /** Whether nothing at all is running at the endpoint. */
  isQuiet(endpoint: EndpointKey): boolean {
    return (this.#places.get(endpoint)?.running.size ?? 0) === 0
  }

  /** When the last operation on the identity at the endpoint ended; 0 when there was none, or a later listing settled it. */
  endedAt(endpoint: EndpointKey, identity: string): number {
    return this.#places.get(endpoint)?.ended.get(identity) ?? 0
  }

  /** When the last operation at the endpoint ended; 0 when there was none. */
  lastEnded(endpoint: EndpointKey): number {
    return this.#places.get(endpoint)?.lastEnded ?? 0
  }

  /** Endpoints where an operation on the identity may still take effect. */
  doubtsOf(identity: string): readonly EndpointKey[] {
    return this.#doubts.get(identity) ?? nowhere
  }

  /** Identities on which an operation at the endpoint may still take effect, in order. */
  doubtsAt(endpoint: EndpointKey): readonly string[] {
    return [...(this.#places.get(endpoint)?.doubts ?? [])].sort()
  }

  /** An operation went unanswered. Answers whether that is news. */
  doubt(endpoint: EndpointKey, identity: string): boolean {
    const { doubts } = this.#place(endpoint)
    if (doubts.has(identity)) return false
    doubts.add(identity)
    this.#doubts.set(identity, Object.freeze([...this.doubtsOf(identity), endpoint].sort()))
    return true
  }

  /**
   * A complete listing begun at the moment has been taken in. It settles everything that had ended before; `stillOpen`
   * says for whom it does not (a job at the endpoint works on it). Answers with the identities no longer in doubt.
   */
  settle(endpoint: EndpointKey, begun: number, stillOpen: (identity: string) => boolean): readonly string[] {
    const place = this.#places.get(endpoint)
    if (place === undefined) return []
    const settled: string[] = []
    for (const identity of place.doubts) {
      if (place.running.has(identity) || (place.ended.get(identity) ?? 0) > begun || stillOpen(identity)) continue
      this.#clear(place, endpoint, identity)
      settled.push(identity)
    }
    for (const [identity, moment] of place.ended) if (moment < begun) place.ended.delete(identity)
    return settled
  }

  /** Forgets an endpoint, as far as nothing is running there. Answers with the identities no longer in doubt. */
  forget(endpoint: EndpointKey): readonly string[] {
    const place = this.#places.get(endpoint)
    if (place === undefined) return []
    const doubted = [...place.doubts]
    for (const identity of doubted) this.#clear(place, endpoint, identity)
    if (place.running.size === 0) this.#places.delete(endpoint)
    return doubted
  }

  #clear(place: Place, endpoint: EndpointKey, identity: string): void {
    place.doubts.delete(identity)
    const left = this.doubtsOf(identity).filter(key => key !== endpoint)
    if (left.length === 0) this.#doubts.delete(identity)
    else this.#doubts.set(identity, Object.freeze(left))
  }

  #place(endpoint: EndpointKey): Place {
    const known = this.#places.get(endpoint)
    if (known !== undefined) return known
    const place: Place = { running: new Set(), ended: new Map(), lastEnded: 0, doubts: new Set() }
    this.#places.set(endpoint, place)
    return place
  }
}
