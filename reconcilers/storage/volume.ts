import { PublicTemplate } from '../../crds/compute/public-template.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { formatQuantity, parseBytes } from '../../crds/invariants/quantity.ts'
import { DiskOffering, type DiskOfferingSpec } from '../../crds/storage/disk-offering.ts'
import { Volume } from '../../crds/storage/volume.ts'
import type { EndpointKey } from '../../drivers/contract/endpoint.ts'
import { endpointIdentity } from '../../drivers/contract/endpoint.ts'
import type { VolumeFacts } from '../../drivers/contract/facts.ts'
import { operation, type Verbs } from '../../drivers/contract/operation.ts'
import {
  attachmentClaim,
  type Claim,
  claimVolume,
  holderOf,
  isGiven,
  moveClaim,
  noteOnClaim,
  volumeClaim,
  volumeClaimName,
} from '../claims.ts'
import { identityConflict } from '../compute/machine-place.ts'
import { defineReconciler, type Phase, type Reference } from '../define-reconciler.ts'
import { operate, remove } from '../effect.ts'
import { decideByChange, defineFields } from '../fields.ts'
import { settingsOf } from '../infrastructure/settings.ts'
import { poolOfIdentity } from '../infrastructure/topology.ts'
import { isOurs, refusalToAdopt } from '../ownership.ts'
import { candidatePool } from '../placement/pools.ts'
import { acting, blocked, satisfied, unknown, type Verdict, waiting } from '../verdict.ts'
import { defineIndex, type Seen, type Wish, type World } from '../world.ts'
import { judgeDiskAdoption, volumeMark } from './volume-adoption.ts'
import { claimedPool, diskNotSeen, hypervisorOfPool, imageFor, volumeOnPool, volumeSize } from './volume-place.ts'
import { detachedFirst, removed } from './volume-removal.ts'

type VolumeWish = Wish<typeof Volume>

/** Volumes by the name of their disk offering. */
export const volumesByDiskOffering = defineIndex(Volume, 'volumesByDiskOffering', ({ spec }) =>
  spec.diskOfferingName === undefined ? [] : [spec.diskOfferingName],
)

/** Volumes by the name of their zone. */
export const volumesByZone = defineIndex(Volume, 'volumesByZone', ({ spec }) => [spec.zoneName])

/** Volumes by the name of their template. */
export const volumesByTemplate = defineIndex(Volume, 'volumesByTemplate', ({ spec }) =>
  spec.templateRef === undefined ? [] : [spec.templateRef.name],
)

/** The fields of volumes. A disk larger than wished is as wished: it never shrinks. */
const fields = defineFields(Volume, {
  fields: [
    {
      path: 'spec.size',
      desired: ({ size }: { readonly size: number }) => size,
      observed: ({ sizeBytes }: VolumeFacts) => sizeBytes,
      equal: (wished, found) => Number(found) >= Number(wished),
      tell: bytes => formatQuantity(Number(bytes), 'Bytes'),
      change: 'Live',
    },
    {
      path: 'status.trashed',
      desired: () => 'InUse',
      observed: ({ trashedAt }: VolumeFacts) => (trashedAt === undefined ? 'InUse' : 'InTrash'),
      change: 'Live',
    },
  ],
  wished: (self, world) => {
    const size = volumeSize(self, world)
    return size === undefined ? undefined : { size }
  },
  found: (self, world): VolumeFacts | undefined => {
    const identity = world.identity(self)
    const facts = volumeOnPool(identity, volumeClaim(identity, world), world)?.facts
    return facts === undefined || !isOurs(facts, world) ? undefined : facts
  },
  decide: (difference, self, world) => {
    const identity = world.identity(self)
    const seen = volumeOnPool(identity, volumeClaim(identity, world), world)
    return seen?.current === false ? 'WaitsForHost' : decideByChange(difference)
  },
})

const provisioned: Phase<typeof Volume> = { condition: 'Provisioned', judge: judgeProvisioned }

/** The disk exists in the pool of its claim, with the size wished for. Without a claim nothing is made. */
function judgeProvisioned(self: VolumeWish, world: World): Verdict {
  const identity = world.identity(self)
  const { name, namespace } = self.metadata
  const namesakes = world.observed.named(Volume.kind, namespace, name).filter(other => other !== identity)
  if (namesakes.length > 0) return identityConflict(Volume.kind, namesakes)
  const size = volumeSize(self, world)
  if (size === undefined) {
    const missing = references(self).find(({ kind, name }) => world.desired.get(kind, name) === undefined)
    if (missing !== undefined) return waiting('SizeUnknown', `${missing.kind.kind} "${missing.name}" says the size`)
    return blocked('SizeUnknown', 'spec.size is needed: neither the disk offering nor a template gives one')
  }
  const claim = volumeClaim(identity, world)
  if (claim !== undefined && claim.spec.notes?.deletedAt !== undefined) return judgeTakingBack(claim, world)
  const refusal = refusalOf(self, size, claim, world)
  if (refusal !== undefined) return refusal
  if (claim === undefined) return judgeUnclaimed(self, identity, world)
  return judgeOnPool({ self, identity, claim, size }, world)
}

/** A disk that exists already (the API's store was lost) is claimed where it lies: else nothing would ever remove it. */
function judgeUnclaimed(self: VolumeWish, identity: string, world: World): Verdict {
  const [seen, another] = world.observed.volumes(identity)
  const poolIdentity = seen && endpointIdentity(seen.endpoint)
  const pool = poolIdentity === undefined ? undefined : poolOfIdentity(poolIdentity, world)
  if (seen === undefined && isGiven(identity, world)) return diskNotSeen(identity, self.spec.zoneName, world)
  if (seen === undefined || another !== undefined || poolIdentity === undefined || pool === undefined) {
    return satisfied('NotNeededYet', 'The disk is made when a machine first attaches it')
  }
  const refusal = isOurs(seen.facts, world) ? undefined : refusalToAdopt('Disk', seen.facts, world)
  if (refusal !== undefined) return refusal
  const place = { poolName: pool.metadata.name, poolIdentity, sizeBytes: seen.facts.sizeBytes }
  return acting('Claiming', 'The disk exists already', claimVolume(identity, holderOf(self), place, world))
}

/** It was given the identity of a disk in the trash: what the volume that it was has left is claimed anew. */
function judgeTakingBack(claim: Claim, world: World): Verdict {
  const pool = claimedPool(claim)
  const poolName = claim.spec.volume?.poolName
  if (pool === undefined || volumeOnPool(claim.spec.value, claim, world) === undefined) {
    return unknown('NotInTrash', `The disk was not seen in the trash of primary storage "${poolName}"`)
  }
  return acting('TakingBack', `The disk in the trash of "${poolName}" is claimed`, remove(claim))
}

/** What no volume may wish for, or none that lies where this one does. */
function refusalOf(self: VolumeWish, size: number, claim: Claim | undefined, world: World): Verdict | undefined {
  const { diskOfferingName } = self.spec
  const { maximumVolumeSize } = settingsOf(world)
  const held = claim?.spec.volume
  if (size > parseBytes(maximumVolumeSize) && size > (held?.sizeBytes ?? 0)) {
    return blocked('SizeTooLarge', `spec.size: at most ${maximumVolumeSize} (Settings spec.maximumVolumeSize)`)
  }
  if (held !== undefined && size < held.sizeBytes) {
    const bytes = formatQuantity(held.sizeBytes, 'Bytes')
    return blocked(
      'CannotShrink',
      `The volume has ${bytes} and cannot shrink: set spec.size, or an offering, of at least that`,
    )
  }
  const offering = diskOfferingName === undefined ? undefined : world.desired.get(DiskOffering, diskOfferingName)?.spec
  return offering === undefined ? undefined : offeringRefusal(self, offering, held?.poolName, world)
}

function offeringRefusal(
  { spec: { diskOfferingName, size } }: VolumeWish,
  offering: DiskOfferingSpec,
  poolName: string | undefined,
  world: World,
): Verdict | undefined {
  const named = `DiskOffering "${diskOfferingName}"`
  if (offering.size !== undefined && size !== undefined && parseBytes(size) !== parseBytes(offering.size)) {
    return blocked(
      'SizeFixed',
      `spec.size: ${named} gives ${offering.size}: leave spec.size out, or choose a custom offering`,
    )
  }
  if (offering.limits !== undefined || offering.provisioningType !== 'Thin') {
    const what = offering.limits === undefined ? `provisioningType ${offering.provisioningType}` : 'limits'
    return blocked(
      'NotSupportedYet',
      `spec.diskOfferingName: ${named} has ${what}, which no driver keeps yet: choose another`,
    )
  }
  if (poolName === undefined && offering.allocationState === 'Disabled') {
    return blocked('OfferingDisabled', `spec.diskOfferingName: ${named} has allocationState Disabled: choose another`)
  }
  const tags = poolName === undefined ? undefined : world.desired.get(PrimaryStorage, poolName)?.spec.tags
  const missing = tags === undefined ? undefined : offering.tags.find(tag => !tags.includes(tag))
  if (missing === undefined) return undefined
  return blocked(
    'TagsDiffer',
    `spec.diskOfferingName: ${named} wants the tag "${missing}", which primary storage "${poolName}" has not: choose one with tags of that pool`,
  )
}

interface Placement {
  readonly self: VolumeWish
  readonly identity: string
  readonly claim: Claim
  readonly size: number
}

function judgeOnPool(placement: Placement, world: World): Verdict {
  const { identity, claim, size } = placement
  const pool = claimedPool(claim)
  if (pool === undefined) return blocked('ClaimUnusable', `Allocation "${claim.metadata.name}" names no pool`)
  const poolName = claim.spec.volume?.poolName ?? ''
  const state = world.observed.endpoint(pool)
  if (state.answers === 'No')
    return unknown('PoolSilent', `Primary storage "${poolName}" does not answer: ${state.message ?? ''}`)
  if (!state.listed) return unknown('PoolNotListed', `Primary storage "${poolName}" has not been read yet`)
  const held = claim.spec.volume
  if (held !== undefined && held.sizeBytes < size) {
    const full = noRoomToGrow(poolName, size - held.sizeBytes, world)
    if (full !== undefined) return full
    return acting('Growing', 'Claiming more space', moveClaim(claim, { volume: { ...held, sizeBytes: size } }))
  }
  const seen = volumeOnPool(identity, claim, world)
  if (seen === undefined) return judgeMissing(placement, pool, world)
  return judgeThere(placement, seen, world)
}

/** Growing takes room of the pool as a new volume would; who waits for it stands in one queue. */
function noRoomToGrow(poolName: string, bytes: number, world: World): Verdict | undefined {
  const queue = `growth/${poolName}`
  const room = Math.max(0, world.queued(queue).derived(candidatePool, poolName)?.roomBytes ?? 0)
  if (bytes <= room) return undefined
  return waiting(
    'StorageExhausted',
    `spec.size: ${formatQuantity(bytes, 'Bytes')} more is wished, and primary storage "${poolName}" has ${formatQuantity(room, 'Bytes')} left: free space there, or wish for less`,
    { queue },
  )
}

function judgeMissing(placement: Placement, pool: EndpointKey, world: World): Verdict {
  const { self, identity, claim, size } = placement
  const doubtful = world.observed.inDoubt(identity)
  if (doubtful.length > 0)
    return unknown('InDoubt', `An unanswered operation may still take effect at ${doubtful.join(', ')}`)
  const elsewhere = world.observed.volumes(identity)
  if (elsewhere.length > 0) {
    return blocked(
      'DiskElsewhere',
      `The disk lies at ${elsewhere.map(({ endpoint }) => endpoint).join(', ')}, its claim says "${claim.spec.volume?.poolName}": nothing is made anew`,
    )
  }
  const wasMade = claim.spec.notes?.madeAt !== undefined || attachmentClaim(identity, world) !== undefined
  // An identity that was given is that of a disk there is: none is made under it.
  if (wasMade || identity !== self.metadata.uid) {
    return blocked(
      'DiskLost',
      'The disk was made and is no longer in its pool: restore it there, or delete this Volume; a blank one is never put in its place',
    )
  }
  const image = imageOf(self, claim, world)
  if (image === 'none') {
    return blocked(
      'NoImageForHypervisor',
      `Template "${self.spec.templateRef?.name}" has no image for the hypervisor of the pool: add one to spec.images`,
    )
  }
  const args: Verbs['CreateVolume']['arguments'] = {
    identity,
    epoch: claim.spec.epoch,
    mark: volumeMark(self, world),
    sizeBytes: size,
    ...(image === undefined ? {} : { image }),
  }
  const creation = operation('CreateVolume', { endpoint: pool, identity, deadline: 600_000 }, args)
  return acting(
    'Creating',
    `The disk is being made in "${claim.spec.volume?.poolName}"`,
    operate(creation, [claim.metadata.name]),
  )
}

function judgeThere(placement: Placement, seen: Seen<VolumeFacts>, world: World): Verdict {
  const { self, identity, claim, size } = placement
  const { endpoint, facts } = seen
  const adopting = judgeDiskAdoption(self, claim, seen, world)
  if (adopting !== undefined) return adopting
  const { epoch } = claim.spec
  const claims = [claim.metadata.name]
  if (claim.spec.notes?.madeAt === undefined && !isOtherwiseNoted(self, identity, world)) {
    return acting(
      'Creating',
      'The disk is there: noting that it must never be made anew',
      noteOnClaim(claim, { madeAt: world.now() }),
    )
  }
  if (facts.trashedAt !== undefined) {
    const restore = operation(
      'RestoreVolume',
      { endpoint, identity },
      { identity, epoch, mark: volumeMark(self, world) },
    )
    return acting('Restoring', 'The disk is being taken back from the trash', operate(restore, claims))
  }
  if (facts.sizeBytes < size) {
    const growth = operation('ResizeVolume', { endpoint, identity }, { identity, epoch, sizeBytes: size })
    return acting('Growing', `The disk is being grown to ${formatQuantity(size, 'Bytes')}`, operate(growth, claims))
  }
  return satisfied('Provisioned')
}

/**
 * Whether an attachment says that the disk was made, or the machine that it was made for is about to claim one: until
 * then nobody has written to it. That saves a write for every machine.
 */
function isOtherwiseNoted({ metadata }: VolumeWish, identity: string, world: World): boolean {
  if (attachmentClaim(identity, world) !== undefined) return true
  const owner = metadata.ownerReferences?.find(({ kind, controller }) => kind === VirtualMachine.kind && controller)
  if (owner === undefined) return false
  const machine = world.desired.get(VirtualMachine, owner.name, metadata.namespace)
  return machine?.metadata.uid === owner.uid && machine.metadata.deletionTimestamp === undefined
}

function imageOf(self: VolumeWish, claim: Claim, world: World): Verbs['CreateVolume']['arguments']['image'] | 'none' {
  const { templateRef } = self.spec
  if (templateRef === undefined) return undefined
  const hypervisor = hypervisorOfPool(claim.spec.volume?.poolName ?? '', world)
  const image = hypervisor === undefined ? undefined : imageFor(templateRef.name, hypervisor, world)
  if (image === undefined) return 'none'
  const { url, format, checksum } = image
  return { url, format, ...(checksum === undefined ? {} : { checksum }) }
}

const attached: Phase<typeof Volume> = {
  condition: 'Attached',
  judge: (self, world) => {
    const identity = world.identity(self)
    const holder = attachmentClaim(identity, world)
    if (holder !== undefined) return satisfied('Attached', `Machine "${holder.spec.holder.name}"`)
    return satisfied('NotYetAttached', 'No machine uses the volume', { summary: true })
  },
}

function references({ spec }: VolumeWish): readonly Reference[] {
  const found: Reference[] = [{ kind: Zone, name: spec.zoneName, field: 'spec.zoneName' }]
  if (spec.diskOfferingName !== undefined) {
    found.push({ kind: DiskOffering, name: spec.diskOfferingName, field: 'spec.diskOfferingName' })
  }
  if (spec.templateRef !== undefined) {
    found.push({ kind: PublicTemplate, name: spec.templateRef.name, field: 'spec.templateRef.name' })
  }
  return found
}

/** The reconciler of volumes: a disk in the pool of its claim, kept whatever its machines do. */
export const volumeReconciler = defineReconciler(Volume, {
  references,
  fields,
  phases: [provisioned, attached],
  teardown: [detachedFirst, removed],
  report: (status, self, world) => {
    const identity = world.identity(self)
    const claim = world.desired.get(Allocation, volumeClaimName(identity))
    const seen = volumeOnPool(identity, claim, world)
    const size = seen?.facts.sizeBytes ?? volumeSize(self, world)
    const holder = attachmentClaim(identity, world)
    set(status, 'size', size === undefined ? undefined : formatQuantity(size, 'Bytes'))
    set(status, 'poolName', claim?.spec.volume?.poolName)
    set(status, 'virtualMachineName', holder?.spec.holder.name)
    set(status, 'format', seen?.facts.format)
  },
})

function set<T extends object, Key extends keyof T>(target: T, key: Key, value: T[Key] | undefined): void {
  if (value === undefined) delete target[key]
  else target[key] = value
}
