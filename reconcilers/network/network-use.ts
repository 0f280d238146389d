import { parseDuration } from '../../crds/invariants/duration.ts'
import type { Network } from '../../crds/network/network.ts'
import { type Claim, machineClaim, noteOnClaim } from '../claims.ts'
import { settingsOf } from '../infrastructure/settings.ts'
import { acting, satisfied, type Verdict } from '../verdict.ts'
import { isStored, type Wish, type World } from '../world.ts'
import { routersByNetwork } from './applied-document.ts'
import { machinesByNetwork, type NetworkKey, networkKey, networkPlan, segmentClaim } from './network-plan.ts'
import { publicIPsByNetwork } from './public-addresses.ts'
import { sourceNATName } from './router-document.ts'

type NetworkWish = Wish<typeof Network>

/** The key of a tenant's network. */
export function keyOf({ metadata }: NetworkWish): NetworkKey {
  return networkKey('Network', metadata.name, metadata.namespace)
}

/** Whether anything uses the network now, or it is kept without. */
function isUsed(self: NetworkWish, world: World): boolean {
  const key = keyOf(self)
  if (self.spec.vlan !== undefined || world.derived(networkPlan, key)?.persistent === true) return true
  if (world.desired.list(machinesByNetwork, key).length > 0) return true
  const own = sourceNATName(key, world)
  return world.desired
    .list(publicIPsByNetwork, `${self.metadata.namespace}/${self.metadata.name}`)
    .some(({ metadata }) => metadata.name !== own)
}

/**
 * Whether the network has, or shall have, its segment and router: from its first use until `Settings.networkIdleDelay`
 * after its last (NET-050, NET-062).
 */
export function isImplemented(self: NetworkWish, world: World): boolean {
  if (isUsed(self, world)) return true
  const claim = idleClaim(self, world)
  if (claim === undefined) return false
  const since = claim.spec.notes?.idleSince
  return since === undefined || !world.elapsed(since, parseDuration(settingsOf(world).networkIdleDelay))
}

/** Notes since when nothing uses the network, and forgets it when something does. */
export function judgeIdleNote(self: NetworkWish, world: World): Verdict {
  const claim = idleClaim(self, world)
  if (claim === undefined) return satisfied('NotImplemented')
  const noted = claim.spec.notes?.idleSince !== undefined
  if (isUsed(self, world) !== noted) return satisfied('Noted')
  return acting('Noting', 'Its use has changed', noteOnClaim(claim, { idleSince: noted ? undefined : world.now() }))
}

/** Where the note is: on the network's segment, or on the place of its router where it has no segment. */
function idleClaim(self: NetworkWish, world: World): Claim | undefined {
  const segment = segmentClaim(self.metadata.uid, world)
  if (segment !== undefined) return segment
  const [router] = world.desired.list(routersByNetwork, keyOf(self))
  if (router === undefined || !isStored(router)) return undefined
  return machineClaim(world.identity(router), world)
}
