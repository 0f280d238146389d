import { timestamp } from '../../crds/environment.ts'
import type { Endpoint } from '../../drivers/contract/endpoint.ts'
import type { Inventory } from '../../drivers/contract/facts.ts'
import type { EndpointState } from '../../reconcilers/world.ts'
import type { Engine } from '../engine/engine.ts'
import { type MeasuredDuration, mergedDurations } from '../observation/durations.ts'
import type { QueryRoute, QuerySources } from './route.ts'

/** An endpoint and everything that was last seen there. User data appears only as hashes. */
export interface ObservedEndpoint {
  readonly endpoint: Endpoint
  readonly state: EndpointState
  /** When its last complete listing was begun (RFC 3339); left out before the first. Events and answers are younger. */
  readonly listedAt?: string
  /** What is there, in the form of a listing; left out where it was never listed. */
  readonly inventory?: Inventory
  /** Identities on which an unanswered operation may still take effect here; left out where there is none. */
  readonly inDoubt?: readonly string[]
}

/** Everything observed at one instant. */
export interface ObservedWorld {
  readonly installation: string
  /** When it was told (RFC 3339). */
  readonly at: string
  /** In order of their keys. */
  readonly endpoints: readonly ObservedEndpoint[]
  /** How long operations took here lately. */
  readonly durations: readonly MeasuredDuration[]
}

/** `/observed`: everything that the controllers have seen, endpoint by endpoint. */
export const observedRoute: QueryRoute = { path: '/observed', answer: (_query, sources) => observedWorld(sources) }

/** Everything observed, at this instant. */
export function observedWorld(sources: Omit<QuerySources, 'recorder'>): ObservedWorld {
  const { engines, environment, installation } = sources
  const nothing = { installation, at: timestamp(environment.clock), endpoints: [], durations: [] }
  return mergedWorlds(engines().map(engine => observedBy(engine, sources))) ?? nothing
}

/** What several observe, as one: of an endpoint that two tell of, what answers, or else was listed last. */
export function mergedWorlds(worlds: readonly ObservedWorld[]): ObservedWorld | undefined {
  const [first, ...others] = worlds
  if (first === undefined || others.length === 0) return first
  const endpoints = new Map<string, ObservedEndpoint>()
  for (const told of worlds.flatMap(world => world.endpoints)) {
    const known = endpoints.get(told.endpoint.key)
    if (known === undefined || rank(told) > rank(known)) endpoints.set(told.endpoint.key, told)
  }
  const inOrder = [...endpoints.values()].sort((left, right) => (left.endpoint.key < right.endpoint.key ? -1 : 1))
  const at = worlds.map(world => world.at).sort()[0] ?? first.at
  return { ...first, at, endpoints: inOrder, durations: mergedDurations(worlds.flatMap(({ durations }) => durations)) }
}

function rank({ state, listedAt = '' }: ObservedEndpoint): string {
  return `${state.answers === 'Yes' ? 1 : 0} ${listedAt}`
}

function observedBy(
  engine: Engine,
  { environment, installation }: Pick<QuerySources, 'environment' | 'installation'>,
): ObservedWorld {
  const { clock } = environment
  const endpoints = engine.observed.endpoints().toSorted()
  return {
    installation,
    at: timestamp(clock),
    durations: engine.executor.durations(),
    endpoints: endpoints.flatMap(key => {
      const told = engine.observed.told(key)
      if (told === undefined) return []
      const { endpoint, state, listedAt, inventory, inDoubt } = told
      const listed = listedAt === undefined ? undefined : clock.now() - (clock.monotonic() - listedAt)
      return [
        {
          endpoint,
          state,
          ...(listed === undefined ? {} : { listedAt: momentOf(listed) }),
          ...(inventory === undefined ? {} : { inventory }),
          ...(inDoubt.length === 0 ? {} : { inDoubt }),
        },
      ]
    }),
  }
}

function momentOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
}
