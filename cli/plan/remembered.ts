import type { ObservedCache } from '../../controllers/observation/observed-cache.ts'
import type { ObservedEndpoint, ObservedWorld } from '../../controllers/query/observed.ts'
import type { Clock } from '../../crds/environment.ts'

/**
 * Tells the controllers of a fork what those of the present know of endpoints that do not answer: what was there when
 * they last did, since when they are silent, and what may still take effect there. No listing of the fork could.
 */
export function rememberSilent(cache: ObservedCache, { endpoints }: ObservedWorld, clock: Clock): void {
  for (const told of endpoints) if (told.state.answers !== 'Yes') cache.change(() => rememberOne(cache, told, clock))
}

function rememberOne(cache: ObservedCache, told: ObservedEndpoint, clock: Clock): void {
  const { endpoint, state, listedAt, inventory, inDoubt = [] } = told
  const { key } = endpoint
  if (inventory !== undefined && listedAt !== undefined) {
    const monotonic = clock.monotonic() - (clock.now() - Date.parse(listedAt))
    cache.takeListing(key, { moment: cache.moment(), monotonic }, inventory)
  }
  for (const identity of inDoubt) {
    cache.beginOperation({ endpoint: key, identity })
    cache.endOperation({ endpoint: key, identity }, { inDoubt: true })
  }
  const { answers, message = '', silentSince } = state
  if (answers === 'No') cache.fallSilent(key, message, silentSince)
  if (answers === 'Unknown') cache.becomeUnreadable(key, message)
}
