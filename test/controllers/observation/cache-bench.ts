/** An observed cache without an observer: listings, answers and operations by hand. */
import { createObservedCache, type ObservedCache } from '../../../controllers/observation/observed-cache.ts'
import type { Endpoint, EndpointKey } from '../../../drivers/contract/endpoint.ts'
import type { Inventory } from '../../../drivers/contract/facts.ts'
import type { Operation } from '../../../drivers/contract/operation.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { installation } from './samples.ts'

/** A cache, and what it tells. */
export interface Bench {
  readonly cache: ObservedCache
  /** Topics told since the last call. */
  readonly told: () => readonly string[]
}

/** A cache of these endpoints. */
export function bench(...endpoints: readonly Endpoint[]): Bench {
  let topicsTold: string[] = []
  const notify = (topic: string) => topicsTold.push(topic)
  const cache = createObservedCache({ installation, environment: virtualEnvironment(), notify })
  for (const endpoint of endpoints) cache.declare(endpoint)
  const told = () => {
    const since = topicsTold.sort()
    topicsTold = []
    return since
  }
  return { cache, told }
}

/** A listing begun and ended at once. */
export function list(cache: ObservedCache, key: EndpointKey, inventory: Inventory): void {
  begin(cache, key)(inventory)
}

/** A listing begun now; the answer ends it. */
export function begin(cache: ObservedCache, key: EndpointKey): (inventory: Inventory) => void {
  const begun = { moment: cache.moment(), monotonic: 0 }
  return inventory => cache.takeListing(key, begun, inventory)
}

/** Carries out an operation that is answered at once. */
export function operate(
  cache: ObservedCache,
  operation: Operation,
  answer: Parameters<ObservedCache['takeAnswer']>[2],
): void {
  cache.beginOperation(operation)
  cache.takeAnswer(operation, cache.moment(), answer)
  cache.endOperation(operation, { inDoubt: false })
}

/** Where a machine is seen, how, and whether that is how it is now. */
export const powers = (cache: ObservedCache, identity: string) =>
  cache.machines(identity).map(({ endpoint, facts, current }) => [endpoint, facts.powerState, current])
