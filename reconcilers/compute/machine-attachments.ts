import type { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { Volume } from '../../crds/storage/volume.ts'
import type { MachineDefinition } from '../../drivers/contract/facts.ts'
import {
  allocationsByHolder,
  attachmentClaim,
  type Claim,
  claimAttachment,
  holderOf,
  isGiven,
  machineClaim,
  noteOnClaim,
  volumeClaim,
} from '../claims.ts'
import { type Effect, remove, removeAfter } from '../effect.ts'
import { reachesOf, reachOf } from '../infrastructure/topology.ts'
import { whyUnknown } from '../placement/place.ts'
import { volumeOnPool } from '../storage/volume-place.ts'
import { isStored, type Wish, type World } from '../world.ts'
import type { DiskPlan } from './disk-plan.ts'
import { otherUserOf } from './disk-user.ts'
import { isOff } from './whereabouts.ts'

/**
 * The right to write to a disk. It is claimed when the disk was seen, never before: so the claim says as well that the
 * disk was made, and that a blank one must not take its place. Nobody writes to a disk without it.
 */

/** Whether a volume lies in a pool that the machine's host does not reach. */
export function isOutOfReach(volumeIdentity: string, machineIdentity: string, world: World): boolean {
  const place = machineClaim(machineIdentity, world)?.spec.machine
  const poolName = volumeClaim(volumeIdentity, world)?.spec.volume?.poolName
  const host = place === undefined ? undefined : world.desired.get(Host, place.hostName)
  const pool = poolName === undefined ? undefined : world.desired.get(PrimaryStorage, poolName)
  if (host === undefined || pool === undefined) return false
  return !reachesOf(host, world).includes(reachOf(pool.spec))
}

/** Takes the attachments that a machine lacks of disks that are there, where nobody else has them. */
export function claimAttachments(
  machine: Wish<typeof VirtualMachine>,
  disks: readonly DiskPlan[],
  world: World,
): readonly Effect[] {
  const identity = world.identity(machine)
  const seen = world.observed.machines(identity)
  const disksOf = (each: typeof seen) =>
    new Set(each.flatMap(({ facts }) => facts.definition.disks.map(disk => disk.identity)))
  const defined = disksOf(seen)
  // A definition that is off may have been left behind: whether the disk is in use elsewhere is not known from it.
  const inUse = disksOf(seen.filter(({ facts }) => !isOff(facts)))
  return disks.flatMap(({ identity: id, volume }) => {
    if (id === undefined || volume?.metadata.deletionTimestamp !== undefined) return []
    if (attachmentClaim(id, world) !== undefined || otherUserOf(id, identity, world) !== undefined) return []
    if (!defined.has(id) && isOutOfReach(id, identity, world)) return []
    if (!inUse.has(id) && isGiven(id, world) && whyUnknown(machine.spec.zoneName, world) !== undefined) return []
    const isThere = defined.has(id) || volumeOnPool(id, volumeClaim(id, world), world) !== undefined
    return isThere ? [claimAttachment(id, identity, holderOf(machine), world)] : []
  })
}

/**
 * Gives attachments back. What they say of their disk, that it was made, is noted on its volume's claim before: else a
 * disk lost in that moment would be replaced by a blank one. A volume that is being deleted has none made any more.
 */
export function releaseAttachments(attachments: readonly Claim[], world: World): readonly Effect[] {
  return attachments.filter(isStored).flatMap((attachment): readonly Effect[] => {
    const claim = volumeClaim(attachment.spec.attachment?.volumeIdentity ?? '', world)
    if (claim === undefined || isBeingDeleted(claim, world)) return [remove(attachment)]
    if (claim.spec.notes?.madeAt !== undefined) return [removeAfter(attachment, [claim.metadata.name])]
    return isStored(claim) ? [noteOnClaim(claim, { madeAt: world.now() })] : []
  })
}

function isBeingDeleted({ spec: { holder } }: Claim, world: World): boolean {
  const volume = world.desired.get(Volume, holder.name, holder.namespace)
  return volume?.metadata.uid === holder.uid && volume.metadata.deletionTimestamp !== undefined
}

/**
 * Whether a machine still holds every disk and address of a definition that its host has of it. While its host was proven
 * off they may have been given to others: as it is defined there it must not be started any more.
 */
export function holdsDefined(
  machine: Wish<typeof VirtualMachine>,
  definition: MachineDefinition,
  world: World,
): boolean {
  const identity = world.identity(machine)
  const holdsDisk = (volumeIdentity: string) => {
    const attachment = attachmentClaim(volumeIdentity, world)
    return attachment?.spec.attachment?.machineIdentity === identity && isStored(attachment)
  }
  const held = world.desired.list(allocationsByHolder, machine.metadata.uid).filter(({ spec }) => spec.type === 'IP')
  const addresses = new Set(held.map(({ spec }) => spec.value))
  return (
    definition.disks.every(disk => holdsDisk(disk.identity)) &&
    definition.nics.every(nic => nic.addresses.every(address => addresses.has(address)))
  )
}
