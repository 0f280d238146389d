import { explainRoute } from './explain.ts'
import { inventoryRoute } from './inventory.ts'
import { observedRoute } from './observed.ts'
import { operationsRoute } from './operations.ts'
import type { QueryRoute } from './route.ts'

/** Everything that the controllers can be asked. */
export const queryRoutes: readonly QueryRoute[] = [explainRoute, inventoryRoute, observedRoute, operationsRoute]
