import { VirtualRouter } from '../../crds/infrastructure/virtual-router.ts'
import type { RouterDocument } from '../../drivers/contract/facts.ts'
import { machineClaim } from '../claims.ts'
import { claimedHost, isFenced } from '../compute/whereabouts.ts'
import { satisfied, unknown, type Verdict, waiting } from '../verdict.ts'
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

/**
 * Whether a router of the network may still do something that is to go. Only what is seen to be gone, or a router that
 * is proven off, says `No`.
 */
export function stillServes(
  network: NetworkKey,
  does: (document: RouterDocument) => boolean,
  world: World,
): 'Yes' | 'No' | 'Unknown' {
  let isKnown = true
  for (const router of world.desired.list(routersByNetwork, network)) {
    if (!isStored(router)) continue
    const identity = world.identity(router)
    for (const { endpoint, facts, current } of world.observed.machines(identity)) {
      if (facts.powerState === 'Off' || isFenced(endpoint, world)) continue
      if (facts.router !== undefined && !does(facts.router.document)) continue
      if (current && facts.router !== undefined) return 'Yes'
      if (!current) isKnown = false
    }
    const home = machineClaim(identity, world)
    const host = home === undefined ? undefined : claimedHost(home)
    if (host !== undefined && !world.observed.endpoint(host).listed) isKnown = false
  }
  return isKnown ? 'No' : 'Unknown'
}

/** The verdict on something that is to go from a router. */
export function judgeWithdrawn(serves: ReturnType<typeof stillServes>, what: string): Verdict {
  if (serves === 'No') return satisfied('Removed')
  if (serves === 'Yes') return waiting('RouterNotConfigured', `The router still holds ${what}`)
  return unknown(
    'RouterSilent',
    `The router does not answer and may still hold ${what}: bring its host back, or fence it`,
  )
}
