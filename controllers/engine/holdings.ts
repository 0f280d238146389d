import type { EndpointKey } from '../../drivers/contract/endpoint.ts'
import type { MachineFacts, VolumeFacts } from '../../drivers/contract/facts.ts'
import type { Amounts, Held, Holdings, Seen } from '../../reconcilers/world.ts'
import type { Sighting } from '../observation/hooks.ts'
import type { ObservedCache } from '../observation/observed-cache.ts'
import { type DesiredCache, type ObjectChange, objectKey } from './desired-cache.ts'
import { noAmounts } from './desired-indexes.ts'

/** The topic of what is held of a place. */
export function heldTopic(holdings: Holdings, place: EndpointKey): string {
  return `held/${holdings.name}/${place}`
}

/** Options of the sums. */
export interface HoldingSumsOptions {
  readonly installation: string
  readonly desired: Pick<DesiredCache, 'all' | 'get'>
  readonly observed: Pick<ObservedCache, 'machines' | 'volumes' | 'allMachines' | 'allVolumes'>
  /** A topic's value has changed. */
  readonly notify: (topic: string) => void
}

interface State {
  readonly holdings: Holdings
  readonly sums: Map<EndpointKey, Amounts>
}

/**
 * What is held of places, kept up as claims and sightings change: a change costs the same however much is there. Only
 * sums are remembered: what stands beside a claim or a sighting is found where it is kept.
 */
export class HoldingSums {
  readonly #options: HoldingSumsOptions
  readonly #states = new Map<string, State>()

  constructor(options: HoldingSumsOptions) {
    this.#options = options
  }

  /** What is held of a place. */
  of(holdings: Holdings, place: EndpointKey): Amounts {
    const state = this.#states.get(holdings.name) ?? this.#begin(holdings)
    return state.sums.get(place) ?? noAmounts
  }

  /** A claim came, changed or went. To be called after each change, before the next. */
  claimChanged({ kind, before, after }: Pick<ObjectChange, 'kind' | 'before' | 'after'>): void {
    for (const state of this.#states.values()) {
      const { holdings } = state
      if (holdings.kind.kind !== kind.kind) continue
      const moves = new Moves()
      for (const held of before === undefined ? [] : holdings.claimed(before)) {
        const seen = this.#seenOf(holdings, held)
        moves.add(held.place, larger(held.amounts, seen), seen)
      }
      for (const held of after === undefined ? [] : holdings.claimed(after)) {
        const seen = this.#seenOf(holdings, held)
        moves.add(held.place, seen, larger(held.amounts, seen))
      }
      this.#apply(state, moves)
    }
  }

  /** Something was seen otherwise than before. To be called after each change, before the next. */
  sightingChanged(sighting: Sighting): void {
    const seen = sighting.after ?? sighting.before
    if (seen === undefined) return
    for (const state of this.#states.values()) {
      const { holdings } = state
      const claimed = this.#claimedOf(holdings, seen.facts.identity, seen.endpoint)
      const [before, after] =
        sighting.sort === 'Machine'
          ? [this.#ofMachine(holdings, sighting.before), this.#ofMachine(holdings, sighting.after)]
          : [this.#ofVolume(holdings, sighting.before), this.#ofVolume(holdings, sighting.after)]
      const moves = new Moves()
      moves.add(seen.endpoint, larger(claimed, before), larger(claimed, after))
      this.#apply(state, moves)
    }
  }

  #begin(holdings: Holdings): State {
    const { desired, observed } = this.#options
    const state: State = { holdings, sums: new Map() }
    this.#states.set(holdings.name, state)
    const moves = new Moves()
    for (const claim of desired.all(holdings.kind)) {
      for (const held of holdings.claimed(claim)) {
        moves.add(held.place, noAmounts, larger(held.amounts, this.#seenOf(holdings, held)))
      }
    }
    const addUnclaimed = ({ endpoint, facts }: Seen<MachineFacts | VolumeFacts>, amounts: Amounts) => {
      if (this.#claimedOf(holdings, facts.identity, endpoint) === noAmounts) moves.add(endpoint, noAmounts, amounts)
    }
    for (const seen of observed.allMachines()) addUnclaimed(seen, this.#ofMachine(holdings, seen))
    for (const seen of observed.allVolumes()) addUnclaimed(seen, this.#ofVolume(holdings, seen))
    this.#apply(state, moves)
    return state
  }

  #apply({ holdings, sums }: State, moves: Moves): void {
    for (const [place, changes] of moves.changes) {
      const changed = Object.entries(changes).filter(([, change]) => change !== 0)
      if (changed.length === 0) continue
      const next: Record<string, number> = { ...sums.get(place) }
      for (const [name, change] of changed) next[name] = (next[name] ?? 0) + change
      if (Object.values(next).every(amount => amount === 0)) sums.delete(place)
      else sums.set(place, Object.freeze(next))
      this.#options.notify(heldTopic(holdings, place))
    }
  }

  /** What the thing of a claim is seen to hold where the claim has it. */
  #seenOf(holdings: Holdings, { identity, place }: Held): Amounts {
    const { observed } = this.#options
    const isThere = ({ endpoint }: { readonly endpoint: EndpointKey }) => endpoint === place
    const machine = observed.machines(identity).find(isThere)
    if (machine !== undefined) return this.#ofMachine(holdings, machine)
    return this.#ofVolume(holdings, observed.volumes(identity).find(isThere))
  }

  /** What the claim of a thing holds where the thing is seen. */
  #claimedOf(holdings: Holdings, identity: string, place: EndpointKey): Amounts {
    const claim = this.#options.desired.get(holdings.kind, objectKey(holdings.claimName(identity), undefined))
    const held = claim && holdings.claimed(claim).find(each => each.place === place)
    return held?.amounts ?? noAmounts
  }

  #ofMachine({ ofMachine }: Holdings, seen: Seen<MachineFacts> | undefined): Amounts {
    return (seen && ofMachine?.(seen, this.#isOurs(seen.facts))) ?? noAmounts
  }

  #ofVolume({ ofVolume }: Holdings, seen: Seen<VolumeFacts> | undefined): Amounts {
    return (seen && ofVolume?.(seen, this.#isOurs(seen.facts))) ?? noAmounts
  }

  #isOurs({ mark }: MachineFacts | VolumeFacts): boolean {
    return mark?.installation === this.#options.installation
  }
}

/** Changes of sums, gathered so that what stays the same in the end is no change. */
class Moves {
  readonly changes = new Map<EndpointKey, Record<string, number>>()

  add(place: EndpointKey, before: Amounts, after: Amounts): void {
    const changes = this.changes.get(place) ?? {}
    for (const [name, amount] of Object.entries(before)) changes[name] = (changes[name] ?? 0) - amount
    for (const [name, amount] of Object.entries(after)) changes[name] = (changes[name] ?? 0) + amount
    this.changes.set(place, changes)
  }
}

function larger(left: Amounts, right: Amounts): Amounts {
  if (left === noAmounts) return right
  if (right === noAmounts) return left
  const amounts: Record<string, number> = { ...left }
  for (const [name, amount] of Object.entries(right)) amounts[name] = Math.max(amounts[name] ?? 0, amount)
  return amounts
}
