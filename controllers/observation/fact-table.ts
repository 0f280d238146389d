import equal from 'fast-deep-equal'
import type { EndpointKey } from '../../drivers/contract/endpoint.ts'
import type { Seen } from '../../reconcilers/world.ts'
import { deepFreeze } from '../deep-freeze.ts'

/** How facts of one sort are named and who is told of a change. */
export interface FactTableOptions<Facts> {
  /** The key of a fact at its endpoint. */
  readonly keyOf: (facts: Facts) => string
  /** The identities under which it is found. */
  readonly identitiesOf: (facts: Facts) => readonly string[]
  /** The present moment on the monotonic clock: when a fact is first seen. */
  readonly now: () => number
  /** Called after a fact came, changed or went. */
  readonly changed: (endpoint: EndpointKey, before: Seen<Facts> | undefined, after: Seen<Facts> | undefined) => void
}

/** A complete list of the facts at an endpoint. */
export interface FactListing<Facts> {
  readonly endpoint: EndpointKey
  /** The moment at which the listing was begun. */
  readonly begun: number
  readonly facts: readonly Facts[]
  readonly current: boolean
}

interface Entry<Facts> {
  seen: Seen<Facts>
  /** The moment at which it was learned; of a listed fact, that at which its listing was begun. */
  learned: number
  /** When it was first seen, on the monotonic clock. */
  readonly first: number
}

interface Place<Facts> {
  readonly entries: Map<string, Entry<Facts>>
  /** What an answer or event said is gone, and when: a listing begun before that cannot bring it back. */
  readonly gone: Map<string, number>
}

const nothing: readonly never[] = Object.freeze([])

/**
 * Facts of one sort, by endpoint and by identity. Moments are numbers of one growing count, so that of two pieces of
 * evidence always one is the later. Lists are frozen and stay the same reference while nothing in them changes.
 */
export class FactTable<Facts> {
  readonly #options: FactTableOptions<Facts>
  readonly #places = new Map<EndpointKey, Place<Facts>>()
  readonly #index = new Map<string, readonly Seen<Facts>[]>()

  constructor(options: FactTableOptions<Facts>) {
    this.#options = options
  }

  /** Everywhere the identity is seen, by endpoint. */
  of(identity: string): readonly Seen<Facts>[] {
    return this.#index.get(identity) ?? nothing
  }

  /** Whether the identity is seen at the endpoint. */
  isAt(endpoint: EndpointKey, identity: string): boolean {
    return this.of(identity).some(seen => seen.endpoint === endpoint)
  }

  /** When an answer or event said that the key is gone; undefined once a later listing has settled it. */
  goneAt(endpoint: EndpointKey, key: string): number | undefined {
    return this.#places.get(endpoint)?.gone.get(key)
  }

  /** When the fact was learned; undefined while it is not known. */
  learned(endpoint: EndpointKey, key: string): number | undefined {
    return this.#places.get(endpoint)?.entries.get(key)?.learned
  }

  /** When it was first seen there, on the monotonic clock; undefined while it is not. */
  firstSeen(endpoint: EndpointKey, key: string): number | undefined {
    return this.#places.get(endpoint)?.entries.get(key)?.first
  }

  /** The fact itself. */
  get(endpoint: EndpointKey, key: string): Seen<Facts> | undefined {
    return this.#places.get(endpoint)?.entries.get(key)?.seen
  }

  /** How many facts there are at an endpoint. */
  count(endpoint: EndpointKey): number {
    return this.#places.get(endpoint)?.entries.size ?? 0
  }

  /** Everything at an endpoint. */
  *at(endpoint: EndpointKey): Generator<Seen<Facts>> {
    for (const { seen } of this.#places.get(endpoint)?.entries.values() ?? []) yield seen
  }

  /** Everything everywhere. */
  *all(): Generator<Seen<Facts>> {
    for (const { entries } of this.#places.values()) for (const { seen } of entries.values()) yield seen
  }

  /** Takes in one fact from an answer or event. */
  put(endpoint: EndpointKey, facts: Facts, learned: number, current: boolean): void {
    const place = this.#place(endpoint)
    place.gone.delete(this.#options.keyOf(facts))
    this.#put(place, endpoint, facts, learned, current)
  }

  /** Takes in from an answer or event that something is gone. */
  remove(endpoint: EndpointKey, key: string, learned: number): void {
    const place = this.#place(endpoint)
    place.gone.set(key, learned)
    this.#drop(place, endpoint, key)
  }

  /** Takes in a complete listing: it decides about everything that was learned before it was begun. */
  list({ endpoint, begun, facts, current }: FactListing<Facts>): void {
    const place = this.#place(endpoint)
    const listed = new Set<string>()
    for (const each of facts) {
      const key = this.#options.keyOf(each)
      listed.add(key)
      if ((place.gone.get(key) ?? 0) > begun || (place.entries.get(key)?.learned ?? 0) > begun) continue
      this.#put(place, endpoint, each, begun, current)
    }
    for (const [key, { learned }] of place.entries) {
      if (!listed.has(key) && learned < begun) this.#drop(place, endpoint, key)
    }
    for (const [key, learned] of place.gone) if (learned < begun) place.gone.delete(key)
  }

  /** Marks everything at an endpoint as what is, or merely what was. */
  setCurrent(endpoint: EndpointKey, current: boolean): void {
    for (const entry of this.#places.get(endpoint)?.entries.values() ?? []) {
      if (entry.seen.current !== current) this.#replace(entry, { ...entry.seen, current })
    }
  }

  /** Forgets everything about an endpoint. */
  forget(endpoint: EndpointKey): void {
    const place = this.#places.get(endpoint)
    if (place === undefined) return
    for (const key of place.entries.keys()) this.#drop(place, endpoint, key)
    this.#places.delete(endpoint)
  }

  #place(endpoint: EndpointKey): Place<Facts> {
    const known = this.#places.get(endpoint)
    if (known !== undefined) return known
    const place: Place<Facts> = { entries: new Map(), gone: new Map() }
    this.#places.set(endpoint, place)
    return place
  }

  #put(place: Place<Facts>, endpoint: EndpointKey, facts: Facts, learned: number, current: boolean): void {
    const key = this.#options.keyOf(facts)
    const known = place.entries.get(key)
    if (known === undefined) {
      const seen = Object.freeze({ endpoint, facts: deepFreeze(facts), current })
      place.entries.set(key, { seen, learned, first: this.#options.now() })
      this.#reindex(undefined, seen)
      this.#options.changed(endpoint, undefined, seen)
      return
    }
    known.learned = learned
    const same = equal(known.seen.facts, facts)
    if (same && known.seen.current === current) return
    this.#replace(known, { endpoint, facts: same ? known.seen.facts : deepFreeze(facts), current })
  }

  #replace(entry: Entry<Facts>, next: Seen<Facts>): void {
    const before = entry.seen
    entry.seen = Object.freeze(next)
    this.#reindex(before, entry.seen)
    this.#options.changed(next.endpoint, before, entry.seen)
  }

  #drop(place: Place<Facts>, endpoint: EndpointKey, key: string): void {
    const entry = place.entries.get(key)
    if (entry === undefined) return
    place.entries.delete(key)
    this.#reindex(entry.seen, undefined)
    this.#options.changed(endpoint, entry.seen, undefined)
  }

  #reindex(before: Seen<Facts> | undefined, after: Seen<Facts> | undefined): void {
    const { identitiesOf } = this.#options
    const left = before === undefined ? [] : identitiesOf(before.facts)
    const joined = after === undefined ? [] : identitiesOf(after.facts)
    for (const identity of left) if (!joined.includes(identity)) this.#reindexOne(identity, before, undefined)
    for (const identity of joined) this.#reindexOne(identity, before, after)
  }

  #reindexOne(identity: string, before: Seen<Facts> | undefined, after: Seen<Facts> | undefined): void {
    const seen = this.of(identity).filter(each => each !== before)
    if (after !== undefined) seen.push(after)
    if (seen.length > 1) seen.sort((left, right) => (left.endpoint < right.endpoint ? -1 : 1))
    if (seen.length === 0) this.#index.delete(identity)
    else this.#index.set(identity, Object.freeze(seen))
  }
}
