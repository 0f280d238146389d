import { type Endpoint, endpointType } from '../../drivers/contract/endpoint.ts'
import type { Inventory } from '../../drivers/contract/facts.ts'
import type { EndpointState } from '../../reconcilers/world.ts'
import type { Activity } from './activity.ts'
import type { Inventories } from './inventories.ts'
import type { Place } from './place.ts'

/** Everything that is known of one endpoint, for whoever asks from outside. */
export interface Told {
  readonly endpoint: Endpoint
  readonly state: EndpointState
  /** When the last complete listing was begun, on the monotonic clock; undefined before the first. */
  readonly listedAt: number | undefined
  /** What is there, in the form of a listing and in order of identities; undefined where it was never listed. */
  readonly inventory: Inventory | undefined
  /** Since when this process has seen an identity there, on the monotonic clock; undefined while it does not. */
  readonly seenSince: (identity: string) => number | undefined
  /** Identities on which an unanswered operation may still take effect there. */
  readonly inDoubt: readonly string[]
}

/** Tells of one endpoint. */
export function told(place: Place, inventories: Inventories, activity: Activity): Told {
  const { endpoint, state, listedAt } = place
  const inventory = inventoryOf(place, inventories)
  const seenSince = (identity: string) => inventories.seenSince(endpoint.key, identity)
  return { endpoint, state, listedAt, inventory, seenSince, inDoubt: activity.doubtsAt(endpoint.key) }
}

function inventoryOf({ endpoint, host, space, power }: Place, inventories: Inventories): Inventory | undefined {
  const { key } = endpoint
  const type = endpointType(key)
  if (type === 'PowerController') return power && { type, power: power.power }
  const jobs = Array.from(inventories.jobs.at(key), ({ facts }) => facts)
  if (type === 'Host') return host && { type, host, machines: inOrder(inventories.machines.at(key)), jobs }
  if (space === undefined) return undefined
  if (type === 'PrimaryStorage') return { type, ...space, volumes: inOrder(inventories.volumes.at(key)), jobs }
  return { type, ...space, images: inOrder(inventories.images.at(key)), jobs }
}

function inOrder<T extends { readonly identity: string }>(seen: Iterable<{ readonly facts: T }>): readonly T[] {
  return Array.from(seen, ({ facts }) => facts).sort((left, right) => (left.identity < right.identity ? -1 : 1))
}
