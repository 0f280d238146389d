import { rm } from 'node:fs/promises'
import { basename } from 'node:path'
import equal from 'fast-deep-equal'
import { DriverError } from '../contract/errors.ts'
import type { VolumeFacts } from '../contract/facts.ts'
import { requireClaim, requireWhole } from '../contract/guards.ts'
import type { Verbs } from '../contract/operation.ts'
import type { Hypervisor } from './hypervisor.ts'
import type { KeyedLock } from './keyed-lock.ts'
import type { Libvirt, PoolHandle } from './libvirt.ts'
import { isLibvirtError } from './libvirt-error.ts'
import { ensurePool, findAttachments, removeEmptyPool, renderVolume } from './pool.ts'
import type { PoolRegistry } from './pool-registry.ts'
import { errorNumber } from './procedures.ts'
import type { HeldTemplate, Templates } from './templates.ts'
import {
  findVolume,
  listLeftovers,
  readRecord,
  removeRecord,
  synchronize,
  type VolumeRecord,
  volumeFacts,
  volumePath,
  writeRecord,
} from './volume-files.ts'

type Arguments<V extends keyof Verbs> = Verbs[V]['arguments']

/** What carrying out an operation on a pool's volumes needs. */
export interface VolumeCall {
  readonly libvirt: Libvirt
  readonly signal: AbortSignal
  readonly operationId: string | undefined
  readonly installation: string | undefined
  /** Identity of the pool. */
  readonly pool: string
  readonly directory: string
  readonly hypervisors: readonly Hypervisor[]
  readonly templates: Templates
  readonly lock: KeyedLock
  readonly pools: PoolRegistry
  /** Names what this process makes. */
  readonly session: string
}

/** A volume of ours, as it was found, under the caller's claim. */
interface OwnVolume {
  readonly facts: VolumeFacts
  readonly record: VolumeRecord
}

/** Makes a volume, empty or a clone of an image. */
export async function createVolume(call: VolumeCall, args: Arguments<'CreateVolume'>): Promise<VolumeFacts> {
  const { directory } = call
  const { identity, image } = args
  requireWhole(args.sizeBytes, image === undefined ? 1 : 0, 'sizeBytes')
  const path = volumePath(directory, identity)
  const pool = await ownPool(call)
  const found = await findVolume(directory, identity)
  if (found !== undefined) return await keepVolume(call, volumeFacts(identity, found), args)
  const half = await readRecord(directory, identity)
  if (half !== undefined) {
    requireClaim(half, 'volume', { epoch: args.epoch, installation: args.mark.installation })
    await removeFile(call, pool, path)
  }
  using template = image === undefined ? undefined : await call.templates.hold(image, { ...call, identity })
  const record: VolumeRecord = { identity, mark: args.mark, epoch: args.epoch, state: 'Building' }
  await writeRecord(directory, record)
  const sizeBytes = Math.max(args.sizeBytes, template?.sizeBytes ?? 0)
  await buildFile(call, pool, path, sizeBytes, template)
  await synchronize(path)
  await writeRecord(directory, { ...record, state: 'Ready' })
  return (await requireVolume(call, identity, 'create')).facts
}

/** Grows a volume; under a running machine through it, so that its guest sees it. */
export async function resizeVolume(call: VolumeCall, args: Arguments<'ResizeVolume'>): Promise<VolumeFacts> {
  const { libvirt, directory, signal } = call
  requireWhole(args.sizeBytes, 1, 'sizeBytes')
  const { facts, record } = await claimVolume(call, args, 'resize')
  if (record.trashedAt !== undefined) {
    throw new DriverError('FailedPrecondition', `Cannot resize volume ${args.identity}: it is in the trash`)
  }
  if (args.sizeBytes < facts.sizeBytes) {
    throw new DriverError(
      'InvalidArgument',
      `Cannot shrink volume ${args.identity}: current size is ${facts.sizeBytes}, the wish is ${args.sizeBytes}`,
    )
  }
  if (args.sizeBytes > facts.sizeBytes) {
    const path = volumePath(directory, args.identity)
    const running = (await findAttachments(call.hypervisors, path, signal)).find(attachment => attachment.live)
    // Disks are counted in sectors.
    const sizeBytes = Math.ceil(args.sizeBytes / 512) * 512
    if (running !== undefined) await running.libvirt.resizeBlock(running.domain, path, sizeBytes, signal)
    else {
      const pool = await ownPool(call)
      await libvirt.resizeVolume(await volumeOf(call, pool, path), sizeBytes, signal)
    }
  }
  await note(call, record, { ...record, epoch: args.epoch })
  return (await requireVolume(call, args.identity, 'resize')).facts
}

/** Moves a volume to the trash; one that is there keeps the time it went. */
export async function trashVolume(call: VolumeCall, args: Arguments<'TrashVolume'>): Promise<VolumeFacts | undefined> {
  if ((await findVolume(call.directory, args.identity)) === undefined) return undefined
  const { record } = await claimVolume(call, args, 'trash')
  if (record.trashedAt === undefined) await requireDetached(call, args.identity, 'trash')
  await note(call, record, { ...record, epoch: args.epoch, trashedAt: record.trashedAt ?? args.at })
  return (await requireVolume(call, args.identity, 'trash')).facts
}

/** Takes a volume back from the trash. */
export async function restoreVolume(call: VolumeCall, args: Arguments<'RestoreVolume'>): Promise<VolumeFacts> {
  const { record } = await claimVolume(call, args, 'restore')
  const { trashedAt: _trashedAt, ...rest } = record
  const mark = args.mark ?? rest.mark
  await note(call, record, { ...rest, epoch: args.epoch, ...(mark === undefined ? {} : { mark }) })
  return (await requireVolume(call, args.identity, 'restore')).facts
}

/** Destroys a volume, and the template it was the last clone of. */
export async function deleteVolume(call: VolumeCall, args: Arguments<'DeleteVolume'>): Promise<undefined> {
  const { directory } = call
  const path = volumePath(directory, args.identity)
  const found = await findVolume(directory, args.identity)
  const record = found?.record ?? (await readRecord(directory, args.identity))
  if (found === undefined && record === undefined) return undefined
  requireClaim({ identity: args.identity, mark: record?.mark, epoch: record?.epoch ?? 0 }, 'volume', {
    epoch: args.epoch,
    installation: call.installation,
  })
  await requireDetached(call, args.identity, 'delete')
  const pool = await ownPool(call)
  await removeFile(call, pool, path)
  await removeRecord(directory, args.identity)
  await call.templates.removeUnused()
  return undefined
}

/** Removes what a caller left that was killed half-way. */
export async function removeLeftovers(call: VolumeCall): Promise<void> {
  const { directory } = call
  const { volumes, files } = await listLeftovers(directory, call.session)
  for (const file of files) await rm(file, { force: true })
  if (volumes.length === 0) return
  const pool = await ownPool(call)
  for (const identity of volumes) {
    await call.lock.run(identity, async () => {
      // Finished meanwhile by another call.
      if ((await findVolume(directory, identity)) !== undefined) return
      await removeFile(call, pool, volumePath(directory, identity))
      await removeRecord(directory, identity)
    })
  }
}

/** The pool at libvirt, made where it is not there yet; by one call at a time. */
export function ownPool(call: VolumeCall): Promise<PoolHandle> {
  const { directory, installation, libvirt, lock, pool: identity, pools, signal } = call
  const isServed = (other: string) => pools.directoryOf(`PrimaryStorage/${other}`) === directory
  const pool = { identity, directory, isServed, ...(installation === undefined ? {} : { installation }) }
  return lock.run(lockOf(identity), () => ensurePool(libvirt, pool, signal))
}

/** Leaves nothing of a pool that holds nothing, unless something is being made in it. */
export async function leavePool(call: VolumeCall): Promise<void> {
  const { directory, libvirt, lock, pool: identity, pools, signal, templates } = call
  await lock.run(lockOf(identity), async () => {
    // Who begins a change from here on asks for the pool first, and waits for this to end.
    if (pools.changes(directory) > 1 || templates.isCopying) return
    await removeEmptyPool(libvirt, { identity, directory }, signal)
  })
}

function lockOf(pool: string): string {
  return `pool ${pool}`
}

async function keepVolume(call: VolumeCall, facts: VolumeFacts, args: Arguments<'CreateVolume'>): Promise<VolumeFacts> {
  const caller = { epoch: args.epoch, installation: args.mark.installation }
  requireClaim({ ...facts, epoch: 0 }, 'volume', caller)
  if (facts.mark?.kind !== args.mark.kind || facts.sizeBytes < args.sizeBytes) {
    throw new DriverError(
      'AlreadyExists',
      `Cannot create volume ${facts.identity} of ${args.sizeBytes} bytes for a ${args.mark.kind}: ` +
        `it exists with ${facts.sizeBytes} bytes for a ${facts.mark?.kind}`,
    )
  }
  requireClaim(facts, 'volume', caller)
  if (facts.trashedAt !== undefined) {
    throw new DriverError('FailedPrecondition', `Cannot create volume ${facts.identity}: it is in the trash`)
  }
  const { record } = await requireVolume(call, facts.identity, 'create')
  await note(call, record, { ...record, mark: args.mark, epoch: args.epoch })
  return (await requireVolume(call, facts.identity, 'create')).facts
}

async function buildFile(
  call: VolumeCall,
  pool: PoolHandle,
  path: string,
  sizeBytes: number,
  template: HeldTemplate | undefined,
): Promise<void> {
  const { libvirt, signal } = call
  const xml = renderVolume(basename(path), sizeBytes, template?.path)
  try {
    await libvirt.createVolume(pool, xml, signal)
  } catch (error) {
    if (!isLibvirtError(error, errorNumber.storageVolumeExists)) throw error
    // The file is gone, but libvirt has not noticed yet.
    await libvirt.refreshPool(pool, signal)
    await libvirt.createVolume(pool, xml, signal)
  }
}

async function removeFile(call: VolumeCall, pool: PoolHandle, path: string): Promise<void> {
  const { libvirt, signal } = call
  try {
    await libvirt.deleteVolume(await libvirt.volume(pool, basename(path), signal), signal)
  } catch (error) {
    // libvirt knows nothing of a file that came behind its back, and cannot delete one that went.
    if (!isLibvirtError(error, errorNumber.noStorageVolume, errorNumber.systemError)) throw error
  }
  await rm(path, { force: true })
}

async function volumeOf(call: VolumeCall, pool: PoolHandle, path: string) {
  const { libvirt, signal } = call
  try {
    return await libvirt.volume(pool, basename(path), signal)
  } catch (error) {
    if (!isLibvirtError(error, errorNumber.noStorageVolume)) throw error
    await libvirt.refreshPool(pool, signal)
    return await libvirt.volume(pool, basename(path), signal)
  }
}

async function requireVolume(call: VolumeCall, identity: string, what: string): Promise<OwnVolume> {
  const found = await findVolume(call.directory, identity)
  if (found === undefined) {
    throw new DriverError('NotFound', `Cannot ${what} volume ${identity}: it is not in ${call.directory}`)
  }
  const facts = volumeFacts(identity, found)
  if (found.record !== undefined) return { facts, record: found.record }
  throw new DriverError('FailedPrecondition', `Cannot ${what} volume ${identity}: it bears no mark of ours`)
}

async function claimVolume(
  call: VolumeCall,
  args: { readonly identity: string; readonly epoch: number },
  what: string,
): Promise<OwnVolume> {
  const own = await requireVolume(call, args.identity, what)
  requireClaim(own.facts, 'volume', { epoch: args.epoch, installation: call.installation })
  return own
}

async function requireDetached(call: VolumeCall, identity: string, what: string): Promise<void> {
  const [attachment] = await findAttachments(call.hypervisors, volumePath(call.directory, identity), call.signal)
  if (attachment === undefined) return
  throw new DriverError(
    'FailedPrecondition',
    `Cannot ${what} volume ${identity}: machine ${attachment.uuid} has it attached`,
  )
}

/** Writes a record where it changes. */
async function note(call: VolumeCall, record: VolumeRecord, changed: VolumeRecord): Promise<void> {
  if (!equal(changed, record)) await writeRecord(call.directory, changed)
}
