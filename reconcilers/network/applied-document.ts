import { VirtualRouter } from '../../crds/infrastructure/virtual-router.ts'
import type { RouterDocument } from '../../drivers/contract/facts.ts'
import { defineIndex, isStored, type World } from '../world.ts'
import { type NetworkKey, networkKey } from './network-plan.ts'

/** Routers by the network that they serve, by network key. */
export const routersByNetwork = defineIndex(VirtualRouter, 'routersByNetwork', ({ spec: { networkRef } }) => [
  networkKey(networkRef.kind, networkRef.name, networkRef.namespace),
])

/** What the router of a network holds now, as seen on its host; undefined while it has none that runs and answers. */
export function appliedDocument(network: NetworkKey, world: World): RouterDocument | undefined {
  for (const router of world.desired.list(routersByNetwork, network)) {
    if (!isStored(router)) continue
    for (const { facts, current } of world.observed.machines(world.identity(router))) {
      if (current && facts.powerState === 'Running' && facts.router !== undefined) return facts.router.document
    }
  }
  return undefined
}
