import type { Answer, Operation } from '../contract/operation.ts'
import type { Place } from './places.ts'
import type { State } from './state.ts'

/**
 * What a place with a stale cache answers: the facts from before the operation, where there were any. For what did
 * not exist before, it answers the truth with a power state it cannot tell, or half the size.
 */
export function wrongAnswer(state: State, place: Place, operation: Operation): (truth: Answer) => Answer {
  const { identity } = operation
  if (place.type === 'Host') {
    const before = state.hosts.get(place.key)?.machines.get(identity)?.facts
    return truth =>
      before ?? (truth !== undefined && 'powerState' in truth ? { ...truth, powerState: 'Unknown' } : truth)
  }
  const before = state.pools.get(place.key)?.volumes.get(identity)?.facts
  return truth =>
    before ??
    (truth !== undefined && 'sizeBytes' in truth ? { ...truth, sizeBytes: Math.floor(truth.sizeBytes / 2) } : truth)
}
