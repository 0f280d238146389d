import { ServiceOffering } from '../../crds/compute/service-offering.ts'
import type { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import type { MachineClaim } from '../../crds/infrastructure/allocation.ts'
import { parseDuration } from '../../crds/invariants/duration.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import { fenceClaim } from '../claims.ts'
import { settingsOf } from '../infrastructure/settings.ts'
import { type Verdict, waiting } from '../verdict.ts'
import type { Wish, World } from '../world.ts'

/** Who comes first when machines leave a host, lost or to be emptied. `System`: the control plane's own, which others need. */
export type RestartPriority = 'System' | 'High' | 'Normal' | 'Low'

/** Priorities as numbers: higher comes first. */
export const restartRank: Readonly<Record<RestartPriority, number>> = { System: 4, High: 3, Normal: 2, Low: 1 }

/** The priority of a virtual machine, by its offering. */
export function machinePriority({ spec }: Wish<typeof VirtualMachine>, world: World): RestartPriority {
  return world.desired.get(ServiceOffering, spec.serviceOfferingName)?.spec.restartPriority ?? 'Normal'
}

/** How long after its host was proven off a machine lets those before it find a place, in ms. */
const headStart: Readonly<Record<RestartPriority, number>> = { System: 0, High: 1_000, Normal: 2_000, Low: 4_000 }
/** After so long nobody waits for its turn any more, whether or not it was noted when the host was proven off, in ms. */
const longestWait = 15_000

/**
 * Why a machine does not start elsewhere yet: those before it have a head start. Time alone decides, so that nobody waits for
 * one that finds no place. Undefined: it is its turn.
 */
export function awaitTurn(priority: RestartPriority, held: MachineClaim, world: World): Verdict | undefined {
  const start = headStart[priority]
  if (start === 0) return undefined
  const { silentSince } = world.observed.endpoint(endpointKey('Host', held.hostIdentity))
  const { hostLossDelay } = settingsOf(world)
  const fencedAt = fenceClaim(held.hostIdentity, world)?.spec.notes?.fencedAt
  if (fencedAt !== undefined && world.elapsed(fencedAt, start)) return undefined
  const lostLongAgo =
    silentSince === undefined || world.elapsed(silentSince, parseDuration(hostLossDelay) + longestWait)
  if (fencedAt === undefined && lostLongAgo) return undefined
  return waiting(
    'RestartQueued',
    `Host "${held.hostName}" is proven off; machines of a higher priority find a place first`,
  )
}
