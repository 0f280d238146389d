import { PublicTemplate } from '../../crds/compute/public-template.ts'
import { ServiceOffering } from '../../crds/compute/service-offering.ts'
import type { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { finalizerOf } from '../../crds/finalizer.ts'
import type { Manifest } from '../../crds/meta.ts'
import { Volume, type VolumeSpec } from '../../crds/storage/volume.ts'
import type { MachineDisk } from '../../drivers/contract/facts.ts'
import {
  attachmentClaim,
  attachmentsByMachine,
  claimVolume,
  holderOf,
  isGiven,
  machineClaim,
  volumeClaim,
} from '../claims.ts'
import { create, type Effect } from '../effect.ts'
import { heldByMachine } from '../holdings.ts'
import { placeNew, whyUnknown } from '../placement/place.ts'
import { claimedPool, volumeOnPool } from '../storage/volume-place.ts'
import { acting, blocked, satisfied, unknown, type Verdict, waiting } from '../verdict.ts'
import { isStored, type Wish, type World } from '../world.ts'
import { type DiskPlan, judgeKnown, planDisks, rootVolumeName } from './disk-plan.ts'
import { describeUser, otherUserOf } from './disk-user.ts'
import { claimAttachments, isOutOfReach, releaseAttachments } from './machine-attachments.ts'
import { definitionsHeld } from './machine-power.ts'
import { isDiskMissing, machineRequest } from './machine-request.ts'
import { isStorageClosed } from './storage-maintenance.ts'
import { whereSeen } from './whereabouts.ts'

type Machine = Wish<typeof VirtualMachine>

/** Why the machine cannot use one of its disks yet; undefined when it can use them all. */
export function diskObstacle(machine: Machine, disks: readonly DiskPlan[], world: World): Verdict | undefined {
  for (const disk of disks) {
    const obstacle = obstacleOf(machine, disk, world)
    if (obstacle !== undefined) return obstacle
  }
  return undefined
}

/**
 * The disks of a definition: those that the machine holds the attachment of and that can be used. One that the host has
 * defined already stays, whatever speaks against using it anew and even before the attachment is claimed (a machine that
 * is taken over runs on it): it goes when it is no longer wished, or another machine's.
 */
export function definedDisks(machine: Machine, disks: readonly DiskPlan[], world: World): readonly MachineDisk[] {
  const seen = world.observed.machines(world.identity(machine))
  const present = new Map(seen.flatMap(({ facts }) => facts.definition.disks.map(disk => [disk.identity, disk.pool])))
  const defined: MachineDisk[] = []
  for (const disk of disks) {
    const { name, identity } = disk
    if (identity === undefined) continue
    const pool = claimedPool(volumeClaim(identity, world)) ?? present.get(identity)
    if (pool === undefined) continue
    const usable = present.has(identity)
      ? !isAnothers(machine, identity, world)
      : obstacleOf(machine, disk, world) === undefined
    if (usable) defined.push({ name, identity, pool })
  }
  return defined
}

function isAnothers(machine: Machine, volumeIdentity: string, world: World): boolean {
  const holder = attachmentClaim(volumeIdentity, world)?.spec.attachment?.machineIdentity
  return holder !== undefined && holder !== world.identity(machine)
}

/** Whether every disk exists and is attached; makes the root volume and takes the claims. */
export function judgeVolumesAttached(machine: Machine, world: World): Verdict {
  const root = judgeRootVolume(machine, world)
  if (root !== undefined) return root
  const disks = planDisks(machine, world)
  const detaching = judgeDetaching(machine, disks, world)
  if (detaching?.is === 'acting') return detaching
  // A machine that is off lets a disk go with its next definition, which waits for the places of its new disks.
  const claiming = claimDisks(machine, disks, world)
  if (claiming.length > 0) return acting('Attaching', 'Claiming the disks', ...claiming)
  if (detaching !== undefined) return detaching
  const obstacle = diskObstacle(machine, disks, world)
  if (obstacle !== undefined && !isIdle(machine, world)) return obstacle
  const identity = world.identity(machine)
  const seen = whereSeen(identity, machineClaim(identity, world), world)
  const present = new Set(seen?.facts.definition.disks.map(disk => disk.identity))
  const missing = seen === undefined ? undefined : disks.find(disk => disk.identity && !present.has(disk.identity))
  if (missing !== undefined) return waiting('Attaching', `Disk "${missing.name}" is not attached on the host yet`)
  return satisfied('Attached')
}

/** A machine that is off and holds no place wants nothing of its disks. */
function isIdle(machine: Machine, world: World): boolean {
  return machine.spec.runStrategy === 'Halted' && machineClaim(world.identity(machine), world) === undefined
}

function judgeRootVolume(machine: Machine, world: World): Verdict | undefined {
  const name = rootVolumeName(machine)
  const existing = world.desired.get(Volume, name, machine.metadata.namespace)
  if (machine.spec.rootVolume?.volumeName !== undefined) return undefined
  if (existing === undefined) {
    const manifest = rootVolume(machine, name, world)
    if (manifest === undefined) return waiting('OfferingNotFound', 'The size of the root disk is not known yet')
    return acting('CreatingRootVolume', `Creating Volume "${name}"`, create(manifest))
  }
  if (existing.metadata.deletionTimestamp !== undefined) {
    return waiting('RootVolumeDeleting', `Volume "${name}" of an earlier machine is still being deleted`)
  }
  if (!isStored(existing)) return waiting('CreatingRootVolume', `Creating Volume "${name}"`)
  const owner = existing.metadata.ownerReferences?.find(({ controller }) => controller === true)
  if (owner?.uid === machine.metadata.uid) return undefined
  return blocked(
    'NameTaken',
    `Volume "${name}" exists and belongs to something else: rename it, or set spec.rootVolume.volumeName`,
  )
}

function rootVolume(machine: Machine, name: string, world: World): Manifest<Partial<VolumeSpec>> | undefined {
  const { zoneName, templateRef, rootVolume: wished, serviceOfferingName } = machine.spec
  const offering = world.desired.get(ServiceOffering, serviceOfferingName)
  const template = templateRef === undefined ? undefined : world.desired.get(PublicTemplate, templateRef.name)
  const offered = wished?.diskOfferingName === undefined ? offering?.spec.rootDiskSize : undefined
  const size = wished?.size ?? offered ?? (wished?.diskOfferingName === undefined ? template?.spec.size : undefined)
  if (offering === undefined || template === undefined || templateRef === undefined) return undefined
  const { uid } = machine.metadata
  return {
    apiVersion: Volume.apiVersion,
    kind: Volume.kind,
    metadata: {
      name,
      ...(machine.metadata.namespace === undefined ? {} : { namespace: machine.metadata.namespace }),
      finalizers: [finalizerOf(Volume)],
      ownerReferences: [
        {
          apiVersion: machine.apiVersion,
          kind: machine.kind,
          name: machine.metadata.name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      zoneName,
      templateRef,
      ...(size === undefined ? {} : { size }),
      ...(wished?.diskOfferingName === undefined ? {} : { diskOfferingName: wished.diskOfferingName }),
    },
  }
}

/** Disks that are no longer wished for: their attachment goes once it is proven that no definition has them. */
function judgeDetaching(machine: Machine, disks: readonly DiskPlan[], world: World): Verdict | undefined {
  const identity = world.identity(machine)
  const wished = new Set(disks.map(disk => disk.identity))
  const freed = world.desired
    .list(attachmentsByMachine, identity)
    .filter(({ spec }) => !wished.has(spec.attachment?.volumeIdentity))
  if (freed.length === 0) return undefined
  const definitions = definitionsHeld(identity, world)
  if (definitions === undefined) return waiting('Detaching', 'Whether a host still has the disk is not known')
  const held = new Set(definitions.flatMap(({ disks: defined }) => defined.map(disk => disk.identity)))
  const free = freed.filter(({ spec }) => !held.has(spec.attachment?.volumeIdentity ?? ''))
  if (free.length === 0) return waiting('Detaching', 'A disk is being detached from the machine')
  return acting('Detaching', 'Giving back a disk', ...releaseAttachments(free, world))
}

function claimDisks(machine: Machine, disks: readonly DiskPlan[], world: World): readonly Effect[] {
  const identity = world.identity(machine)
  const place = machineClaim(identity, world)
  if (place === undefined) return []
  const effects = claimAttachments(machine, disks, world)
  const unplaced = disks.flatMap(({ identity: id, volume }) => {
    if (id === undefined || volume?.metadata.deletionTimestamp !== undefined) return []
    return volumeClaim(id, world) === undefined ? [id] : []
  })
  return unplaced.length === 0 ? effects : [...effects, ...claimPools(machine, disks, unplaced, world)]
}

/** Pools for disks that came after the machine had its place: reachable from where it is. */
function claimPools(
  machine: Machine,
  disks: readonly DiskPlan[],
  unplaced: readonly string[],
  world: World,
): readonly Effect[] {
  const request = machineRequest(machine, disks, world)
  const held = machineClaim(world.identity(machine), world)?.spec.machine
  if (request === undefined || held === undefined) return []
  const freed = heldByMachine(world.identity(machine), held, world)
  const volumes = request.volumes.filter(volume => unplaced.includes(volume.identity) && !isDiskMissing(volume, world))
  const placed = placeNew({ ...request, volumes, hostIdentity: held.hostIdentity, freed }, world)
  if (!placed.ok) return []
  return unplaced.flatMap(identity => {
    const pool = placed.pools[identity]
    const volume = disks.find(disk => disk.identity === identity)?.volume
    const sizeBytes = request.volumes.find(wished => wished.identity === identity)?.sizeBytes
    if (pool === undefined || volume === undefined || sizeBytes === undefined) return []
    return [claimVolume(identity, holderOf(volume), { ...pool, sizeBytes }, world)]
  })
}

function obstacleOf(machine: Machine, disk: DiskPlan, world: World): Verdict | undefined {
  const { name, volumeName, volume, identity } = disk
  if (volume === undefined || identity === undefined) return judgeKnown(disk)
  if (volume.metadata.deletionTimestamp !== undefined) {
    return waiting('VolumeDeleting', `Volume "${volumeName}" (disk "${name}") is being deleted`)
  }
  const holder = attachmentClaim(identity, world)
  if (holder !== undefined && holder.spec.attachment?.machineIdentity !== world.identity(machine)) {
    return waiting('VolumeInUse', `Volume "${volumeName}" is attached to machine "${holder.spec.holder.name}"`)
  }
  const user = holder === undefined ? otherUserOf(identity, world.identity(machine), world) : undefined
  if (user !== undefined) {
    return waiting(
      'DiskUsedElsewhere',
      `${describeUser(user, world)} is defined with the disk of Volume "${volumeName}" and does not hold it: run "skystead adopt --rebind" to take that machine over, or remove it there`,
    )
  }
  if (isOutOfReach(identity, world.identity(machine), world)) {
    return blocked(
      'VolumesApart',
      `Volume "${volumeName}" lies in primary storage "${volumeClaim(identity, world)?.spec.volume?.poolName}", which the machine's host does not reach: take it out of the spec`,
    )
  }
  const why = holder === undefined && isGiven(identity, world) ? whyUnknown(machine.spec.zoneName, world) : undefined
  if (why !== undefined) return unknown('HostsNotRead', `Volume "${volumeName}" is not attached: ${why}`)
  const claim = volumeClaim(identity, world)
  if (claim === undefined) return waiting('VolumeNotPlaced', `Volume "${volumeName}" has no pool yet`)
  const seen = volumeOnPool(identity, claim, world)
  if (seen === undefined) return waiting('VolumeNotProvisioned', `The disk of Volume "${volumeName}" is being made`)
  if (holder === undefined || !isStored(holder)) {
    return waiting('VolumeNotClaimed', `Volume "${volumeName}" is not claimed yet`)
  }
  if (seen.facts.trashedAt !== undefined) return waiting('VolumeTrashed', `Volume "${volumeName}" is in the trash`)
  const pool = claim.spec.volume?.poolName
  if (pool === undefined || !isStorageClosed(pool, world)) return undefined
  return waiting(
    'StorageMaintenance',
    `Volume "${volumeName}" lies in primary storage "${pool}", which is in maintenance`,
  )
}
