import type { ServerContext } from '../scope.ts'
import { startDefinitionCleanup } from './definition-cleanup.ts'
import { startEventExpiry } from './event-expiry.ts'
import { startGarbageCollector } from './garbage-collector.ts'
import { startNamespaceDrain } from './namespace-drain.ts'
import { startRoleAggregation } from './role-aggregation.ts'

/** Starts what the server does on its own; the answer stops it. */
export function startBackground(context: ServerContext): () => void {
  const stops = [
    startGarbageCollector,
    startNamespaceDrain,
    startDefinitionCleanup,
    startEventExpiry,
    startRoleAggregation,
  ].map(start => start(context))
  return () => {
    for (const stop of stops) stop()
  }
}
