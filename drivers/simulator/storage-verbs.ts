import { DriverError } from '../contract/errors.ts'
import type { ImageFacts, VolumeFacts } from '../contract/facts.ts'
import { requireEpoch, requireOurs, requireWhole } from '../contract/guards.ts'
import type { Verbs } from '../contract/operation.ts'
import { type Caller, sameMark } from './caller.ts'
import { describeImage } from './images.ts'
import { defaultPoolBytes, type SimulatedPool, type SimulatedStore, type SimulatedVolume } from './places.ts'
import type { State } from './state.ts'

type Arguments<V extends keyof Verbs> = Verbs[V]['arguments']

/** Where a verb on volumes is carried out, and for whom. */
export interface PoolCall extends Caller {
  readonly state: State
  readonly pool: SimulatedPool
}

/** Where a verb on images is carried out, and for whom. */
export interface StoreCall extends Caller {
  readonly state: State
  readonly store: SimulatedStore
}

/** A pool promises up to this many times what it has: volumes are thin. */
const thinFactor = 10

/** What a pool has used up: a tenth of what it promised, so that it is full when it refuses. */
export function usedBytes(pool: SimulatedPool): number {
  return Math.ceil(pool.promisedBytes / thinFactor)
}

/** Makes a volume, empty or a clone. */
export function createVolume(call: PoolCall, args: Arguments<'CreateVolume'>): VolumeFacts {
  const { state, pool } = call
  const { identity, epoch, mark, image } = args
  requireWhole(args.sizeBytes, image === undefined ? 1 : 0, 'sizeBytes')
  const found = pool.volumes.get(identity)
  if (found !== undefined) return keepVolume(call, found, args)
  // A clone is at least as large as what it is cloned from.
  const sizeBytes = Math.max(args.sizeBytes, image === undefined ? 0 : describeImage(image).sizeBytes)
  requireRoom(pool, sizeBytes)
  const facts: VolumeFacts = { identity, mark, epoch, sizeBytes, format: 'QCOW2' }
  state.setVolume(pool, { facts, imageURL: image?.url })
  return facts
}

function keepVolume(call: PoolCall, volume: SimulatedVolume, args: Arguments<'CreateVolume'>): VolumeFacts {
  const { facts } = volume
  requireOurs(facts, 'volume', args.mark.installation)
  if (facts.mark?.kind !== args.mark.kind || facts.sizeBytes < args.sizeBytes) {
    throw new DriverError(
      'AlreadyExists',
      `Cannot create volume ${facts.identity} of ${args.sizeBytes} bytes for a ${args.mark.kind}: ` +
        `it exists with ${facts.sizeBytes} bytes for a ${facts.mark?.kind}`,
    )
  }
  requireEpoch(facts, 'volume', args.epoch)
  if (facts.trashedAt !== undefined) {
    throw new DriverError('FailedPrecondition', `Cannot create volume ${facts.identity}: it is in the trash`)
  }
  if (facts.epoch === args.epoch && sameMark(facts.mark, args.mark)) return facts
  return change(call, volume, { ...facts, mark: args.mark, epoch: args.epoch })
}

/** Grows a volume. */
export function resizeVolume(call: PoolCall, args: Arguments<'ResizeVolume'>): VolumeFacts {
  requireWhole(args.sizeBytes, 1, 'sizeBytes')
  const volume = requireVolume(call, args.identity, 'resize')
  const facts = claim(call, volume, args.epoch)
  if (facts.trashedAt !== undefined) {
    throw new DriverError('FailedPrecondition', `Cannot resize volume ${facts.identity}: it is in the trash`)
  }
  if (args.sizeBytes < facts.sizeBytes) {
    throw new DriverError(
      'InvalidArgument',
      `Cannot shrink volume ${facts.identity}: current size is ${facts.sizeBytes}, the wish is ${args.sizeBytes}`,
    )
  }
  if (args.sizeBytes > facts.sizeBytes) requireRoom(call.pool, args.sizeBytes - facts.sizeBytes)
  return settle(call, volume, { ...facts, sizeBytes: args.sizeBytes })
}

/** Moves a volume to the trash; one that is there keeps the time it went. */
export function trashVolume(call: PoolCall, args: Arguments<'TrashVolume'>): VolumeFacts | undefined {
  const volume = call.pool.volumes.get(args.identity)
  if (volume === undefined) return undefined
  const facts = claim(call, volume, args.epoch)
  if (facts.trashedAt === undefined) requireDetached(call, facts, 'trash')
  return settle(call, volume, { ...facts, trashedAt: facts.trashedAt ?? args.at })
}

/** Takes a volume back from the trash. */
export function restoreVolume(call: PoolCall, args: Arguments<'RestoreVolume'>): VolumeFacts {
  const volume = requireVolume(call, args.identity, 'restore')
  const { trashedAt: _trashedAt, ...facts } = claim(call, volume, args.epoch)
  return settle(call, volume, args.mark === undefined ? facts : { ...facts, mark: args.mark })
}

/** Destroys a volume. */
export function deleteVolume(call: PoolCall, args: Arguments<'DeleteVolume'>): undefined {
  const volume = call.pool.volumes.get(args.identity)
  if (volume === undefined) return undefined
  claim(call, volume, args.epoch)
  requireDetached(call, volume.facts, 'delete')
  call.state.removeVolume(call.pool, volume)
  return undefined
}

/** Fetches an image into the store. */
export function storeImage(call: StoreCall, args: Arguments<'StoreImage'>): ImageFacts {
  const { state, store } = call
  const found = store.images.get(args.identity)
  if (found !== undefined) {
    requireOurs(found, 'image', args.mark.installation)
    if (found.mark?.kind !== args.mark.kind || found.url !== args.url) {
      throw new DriverError(
        'AlreadyExists',
        `Cannot store ${args.url} as image ${args.identity}: it holds ${found.url}`,
      )
    }
    if (sameMark(found.mark, args.mark)) return found
  }
  const { sizeBytes } = describeImage(args)
  if (store.usedBytes + sizeBytes > defaultPoolBytes) {
    throw new DriverError('ResourceExhausted', `Cannot store ${args.url}: image store ${store.key} is full`)
  }
  const image: ImageFacts = { identity: args.identity, mark: args.mark, url: args.url, sizeBytes }
  state.setImage(store, image)
  return image
}

/** Removes an image from the store. */
export function deleteImage(call: StoreCall, args: Arguments<'DeleteImage'>): undefined {
  const image = call.store.images.get(args.identity)
  if (image === undefined) return undefined
  requireOurs(image, 'image', call.installation)
  call.state.removeImage(call.store, image)
  return undefined
}

export function requireVolume(call: PoolCall, identity: string, what: string): SimulatedVolume {
  const volume = call.pool.volumes.get(identity)
  if (volume !== undefined) return volume
  throw new DriverError('NotFound', `Cannot ${what} volume ${identity}: it is not in pool ${call.pool.key}`)
}

/** The facts of a volume under the caller's claim, which must be the newest. */
function claim(call: PoolCall, volume: SimulatedVolume, epoch: number): VolumeFacts {
  requireOurs(volume.facts, 'volume', call.installation)
  requireEpoch(volume.facts, 'volume', epoch)
  return volume.facts.epoch === epoch ? volume.facts : { ...volume.facts, epoch }
}

/** Changes a volume where the facts differ. */
function settle(call: PoolCall, volume: SimulatedVolume, facts: VolumeFacts): VolumeFacts {
  const before = volume.facts
  const same =
    before.epoch === facts.epoch && before.sizeBytes === facts.sizeBytes && before.trashedAt === facts.trashedAt
  return same ? before : change(call, volume, facts)
}

function change(call: PoolCall, volume: SimulatedVolume, facts: VolumeFacts): VolumeFacts {
  call.state.setVolume(call.pool, { ...volume, facts })
  return facts
}

function requireRoom(pool: SimulatedPool, bytes: number): void {
  if (pool.promisedBytes + bytes <= pool.totalBytes * thinFactor) return
  throw new DriverError('ResourceExhausted', `Cannot make room for ${bytes} bytes in pool ${pool.key}: it is full`)
}

/**
 * Refuses what machines still have. A machine that is off on a host without power does not count: no real pool could
 * see that definition, and a lost host would hold its volumes for ever.
 */
function requireDetached(call: PoolCall, facts: VolumeFacts, what: string): void {
  for (const machine of call.state.attachments.of(facts.identity)) {
    if (machine.host.power === 'Off') continue
    const here = machine.facts.definition.disks.some(
      disk => disk.identity === facts.identity && call.state.aliases.get(disk.pool)?.place === call.pool.key,
    )
    if (!here) continue
    throw new DriverError(
      'FailedPrecondition',
      `Cannot ${what} volume ${facts.identity}: machine ${machine.identity} on host ${machine.host.name} has it attached`,
    )
  }
}
