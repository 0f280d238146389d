import { abilityOf } from '../system/zone-capabilities.ts'
import { blocked, type Verdict } from '../verdict.ts'
import type { World } from '../world.ts'
import type { NetworkPlan } from './network-plan.ts'

/** Why the network can never have the router that its offering wants; undefined while it may. */
export function routerLacking({ offeringName, routed, zoneName }: NetworkPlan, world: World): Verdict | undefined {
  if (!routed || abilityOf(zoneName, 'VirtualRouter', world) !== 'Lacking') return undefined
  return blocked(
    'NotSupportedYet',
    `NetworkOffering "${offeringName}" spec.services[].provider: no host of zone "${zoneName}" can carry a VirtualRouter: choose an offering without it, or add such a host`,
  )
}
