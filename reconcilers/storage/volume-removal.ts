import { parseDuration } from '../../crds/invariants/duration.ts'
import type { Volume } from '../../crds/storage/volume.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { attachmentClaim, identityClaim, noteOnClaim, volumeClaim } from '../claims.ts'
import { describeUser, otherUserOf } from '../compute/disk-user.ts'
import type { Phase } from '../define-reconciler.ts'
import { observe, operate, remove } from '../effect.ts'
import { settingsOf } from '../infrastructure/settings.ts'
import { quotedNamesOf } from '../names.ts'
import { isOurs } from '../ownership.ts'
import { hostsBeingRead } from '../placement/place.ts'
import { acting, satisfied, unknown, type Verdict, waiting } from '../verdict.ts'
import { isStored, type Wish, type World } from '../world.ts'
import { judgeDiskGivenBack } from './volume-adoption.ts'
import { claimedPool, volumeOnPool } from './volume-place.ts'

type VolumeWish = Wish<typeof Volume>

/** A volume is kept while a machine uses it. */
export const detachedFirst: Phase<typeof Volume> = {
  condition: 'Attached',
  judge: (self, world) => {
    const holder = attachmentClaim(world.identity(self), world)
    if (holder === undefined) return satisfied('Detached')
    return waiting(
      'InUse',
      `Machine "${holder.spec.holder.name}" uses the volume: take it out of its spec, or delete the machine`,
    )
  },
}

/** Its disk, its claim and an identity that it was given go with it. */
export const removed: Phase<typeof Volume> = { condition: 'Provisioned', needs: ['Attached'], judge: judgeRemoved }

/**
 * With a `Settings.expungeDelay` the disk goes to the trash, and the rest is its pool's. Without, it is destroyed, and its
 * claim goes once a listing proves it. That the volume is being deleted is noted before: only then is the trash emptied.
 * A disk that a machine is seen with stays: that machine may run, without a claim since the API's store was lost.
 */
function judgeRemoved(self: VolumeWish, world: World): Verdict {
  const identity = world.identity(self)
  const claim = volumeClaim(identity, world)
  if (claim === undefined) return judgeIdentityReturned(self, world)
  const pool = claimedPool(claim)
  if (pool === undefined) return acting('Releasing', 'The claim names no pool', remove(claim))
  const poolName = claim.spec.volume?.poolName ?? ''
  const state = world.observed.endpoint(pool)
  if (state.answers !== 'Yes' || !state.listed) {
    return unknown('PoolSilent', `Primary storage "${poolName}" does not answer: the disk is kept until it does`)
  }
  const { epoch } = claim.spec
  const claims = [claim.metadata.name]
  const seen = volumeOnPool(identity, claim, world)
  if (seen === undefined) {
    if (world.observed.provenAbsent(identity, pool)) return acting('Releasing', 'The disk is gone', remove(claim))
    return acting('ProvingAbsence', `Primary storage "${poolName}" is being listed`, observe(pool))
  }
  if (!isOurs(seen.facts, world)) return acting('Releasing', 'The disk there is not ours', remove(claim))
  if (self.spec.management.deletionPolicy === 'Orphan') return judgeDiskGivenBack(claim, seen)
  const user = otherUserOf(identity, undefined, world)
  if (user !== undefined) {
    return waiting(
      'InUse',
      `${describeUser(user, world)} is defined with the disk, and nothing here gives it that: remove the machine there, or apply its manifest and run "skystead adopt --rebind"`,
    )
  }
  const unread = hostsBeingRead(self.spec.zoneName, world)
  if (unread.length > 0) {
    const names = quotedNamesOf(unread)
    return unknown(
      'HostsNotRead',
      `Whether a machine is defined with the disk is not known yet: hosts ${names} are being read`,
    )
  }
  const delay = parseDuration(settingsOf(world).expungeDelay)
  const deletedAt = claim.spec.notes?.deletedAt
  if (delay > 0 && deletedAt === undefined) {
    const note = noteOnClaim(claim, { deletedAt: world.now() })
    return acting('Trashing', 'Noting that the volume is deleted', note)
  }
  if (deletedAt !== undefined && delay > 0 && seen.facts.trashedAt === undefined) {
    const trash = operation('TrashVolume', { endpoint: pool, identity }, { identity, epoch, at: deletedAt })
    return acting('Trashing', 'The disk goes to the trash of its pool', operate(trash, claims))
  }
  if (delay > 0) return judgeIdentityReturned(self, world)
  const deletion = operation('DeleteVolume', { endpoint: pool, identity }, { identity, epoch })
  return acting('Destroying', 'The disk is being destroyed', operate(deletion, claims))
}

/** An identity that was given to the volume goes with it, after the disk. */
function judgeIdentityReturned(self: VolumeWish, world: World): Verdict {
  const given = identityClaim(self, world)
  if (given === undefined) return satisfied('Removed')
  return acting('Returning', 'Giving back its identity', ...(isStored(given) ? [remove(given)] : []))
}
