import { basename } from 'node:path'
import { DriverError } from '../contract/errors.ts'
import { parseDomain } from './domain.ts'
import type { Hypervisor } from './hypervisor.ts'
import type { DomainHandle, Libvirt, PoolHandle } from './libvirt.ts'
import { isLibvirtError } from './libvirt-error.ts'
import { errorNumber, poolState } from './procedures.ts'
import { isEmptyPool, type PoolOwner, readPoolOwner, removePoolOwner, writePoolOwner } from './volume-files.ts'
import { attributes, escapeXml, parseXml } from './xml.ts'

/** The name of a pool at libvirt. */
export function poolName(identity: string): string {
  return `skystead-${identity}`
}

/** The XML of a directory pool. */
export function renderPool(identity: string, directory: string): string {
  const target = `<target><path>${escapeXml(directory)}</path></target>`
  return `<pool type="dir"><name>${escapeXml(poolName(identity))}</name>${target}</pool>`
}

/** The XML of a qcow2 volume; a linked clone where it lies upon a template. */
export function renderVolume(name: string, sizeBytes: number, template?: string): string {
  const backing =
    template === undefined
      ? ''
      : `<backingStore><path>${escapeXml(template)}</path><format type="qcow2"/></backingStore>`
  return [
    `<volume><name>${escapeXml(name)}</name>`,
    `<capacity${attributes({ unit: 'bytes' })}>${sizeBytes}</capacity><allocation>0</allocation>`,
    `<target><format type="qcow2"/><compat>1.1</compat></target>${backing}</volume>`,
  ].join('')
}

/** The directory of a pool, as libvirt has it defined; undefined where it is not. */
export async function definedDirectory(
  libvirt: Libvirt,
  identity: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const pool = await findPool(libvirt, identity, signal)
  if (pool === undefined) return undefined
  return parseXml(await libvirt.poolXML(pool, signal), 'pool')
    .child('target')
    ?.child('path')?.text
}

/** A pool at libvirt; undefined where it is not defined. */
export async function findPool(
  libvirt: Libvirt,
  identity: string,
  signal: AbortSignal,
): Promise<PoolHandle | undefined> {
  try {
    return await libvirt.pool(poolName(identity), signal)
  } catch (error) {
    if (isLibvirtError(error, errorNumber.noStoragePool)) return undefined
    throw error
  }
}

/** A pool, and the directory that is to be its own. */
export interface PoolPlace extends PoolOwner {
  readonly directory: string
  /** Whether another pool of that identity is in use there. */
  readonly isServed: (identity: string) => boolean
}

/**
 * Makes sure that the pool is defined and runs, and that the directory is its own. It takes over the directory of a
 * pool that its installation has no more: made anew, a resource finds what the one before it has left. Throws
 * `FailedPrecondition` where the directory belongs to another pool, `Unavailable` where its file system is not there.
 */
export async function ensurePool(libvirt: Libvirt, pool: PoolPlace, signal: AbortSignal): Promise<PoolHandle> {
  const { identity, directory, installation, isServed } = pool
  const found = await findPool(libvirt, identity, signal)
  if (found !== undefined) {
    await requirePresent(identity, directory)
    await startPool(libvirt, found, signal)
    return found
  }
  const owner = await readPoolOwner(directory)
  const isOther = owner !== undefined && owner.identity !== identity
  if (isOther) {
    if (owner.installation !== installation || isServed(owner.identity)) throw belongsToAnother(directory, owner)
    await forgetPool(libvirt, owner.identity, signal)
  }
  // First, so that a pool which libvirt knows always has it.
  if (isOther || owner === undefined) {
    await writePoolOwner(directory, { identity, ...(installation === undefined ? {} : { installation }) })
  }
  const defined = await definePool(libvirt, identity, directory, signal)
  await startPool(libvirt, defined, signal)
  return defined
}

/** Forgets a pool that holds nothing any more; the next volume makes it anew. Nothing happens to one that holds something. */
export async function removeEmptyPool(
  libvirt: Libvirt,
  { identity, directory }: { readonly identity: string; readonly directory: string },
  signal: AbortSignal,
): Promise<void> {
  const owner = await readPoolOwner(directory)
  if (owner?.identity !== identity || !(await isEmptyPool(directory))) return
  // First, so that a pool which libvirt knows always has its record.
  await forgetPool(libvirt, identity, signal)
  await removePoolOwner(directory)
}

async function forgetPool(libvirt: Libvirt, identity: string, signal: AbortSignal): Promise<void> {
  const pool = await findPool(libvirt, identity, signal)
  if (pool === undefined) return
  const { state } = await libvirt.poolInfo(pool, signal)
  try {
    if (state !== poolState.inactive) await libvirt.stopPool(pool, signal)
    await libvirt.undefinePool(pool, signal)
  } catch (error) {
    // Somebody else was faster.
    if (!isLibvirtError(error, errorNumber.operationInvalid, errorNumber.noStoragePool)) throw error
  }
}

/**
 * Throws `Unavailable` where the directory lacks the pool's own record: an empty mount point is no proof that the
 * volumes are gone.
 */
export async function requirePresent(identity: string, directory: string): Promise<void> {
  const owner = await readPoolOwner(directory)
  if (owner?.identity === identity) return
  if (owner !== undefined) throw belongsToAnother(directory, owner)
  throw new DriverError(
    'Unavailable',
    `Cannot use ${directory}: it does not hold the pool; its file system may not be mounted`,
  )
}

async function definePool(
  libvirt: Libvirt,
  identity: string,
  directory: string,
  signal: AbortSignal,
): Promise<PoolHandle> {
  try {
    return await libvirt.definePool(renderPool(identity, directory), signal)
  } catch (error) {
    if (!isLibvirtError(error, errorNumber.operationFailed)) throw error
    const text = error instanceof Error ? error.message : String(error)
    throw new DriverError('FailedPrecondition', `Cannot make a pool of ${directory}: ${text}`, { cause: error })
  }
}

async function startPool(libvirt: Libvirt, pool: PoolHandle, signal: AbortSignal): Promise<void> {
  const { state } = await libvirt.poolInfo(pool, signal)
  if (state !== poolState.inactive) return
  try {
    await libvirt.startPool(pool, signal)
  } catch (error) {
    // Started by somebody else meanwhile.
    if (!isLibvirtError(error, errorNumber.operationInvalid)) throw error
  }
}

function belongsToAnother(directory: string, { identity }: PoolOwner): DriverError {
  return new DriverError('FailedPrecondition', `Cannot use ${directory}: it belongs to pool ${identity}`)
}

/** A machine that has a file as a disk, now or at its next start. */
export interface Attachment {
  readonly libvirt: Libvirt
  readonly domain: DomainHandle
  readonly uuid: string
  /** Whether the running machine has it. */
  readonly live: boolean
}

/** Every machine on these hosts that has the file. Throws where a host does not answer: silence proves nothing. */
export async function findAttachments(
  hypervisors: readonly Hypervisor[],
  path: string,
  signal: AbortSignal,
): Promise<Attachment[]> {
  const attachments: Attachment[] = []
  for (const hypervisor of hypervisors) {
    const libvirt = await hypervisor.calls(signal)
    const domains = await libvirt.domains(signal)
    // Asked for side by side, because a host has many machines and few have the file.
    const found = await Promise.all(domains.map(domain => attachmentOf(libvirt, domain, path, signal)))
    attachments.push(...found.filter(attachment => attachment !== undefined))
  }
  return attachments
}

async function attachmentOf(
  libvirt: Libvirt,
  domain: DomainHandle,
  path: string,
  signal: AbortSignal,
): Promise<Attachment | undefined> {
  const has = async (which: 'Current' | 'Inactive') => {
    const xml = await libvirt.domainXML(domain, which, signal)
    // Most XML need not be parsed to see that it does not name the file.
    return xml.includes(basename(path)) && parseDomain(xml).disks.some(disk => disk.path === path)
  }
  try {
    const live = domain.id !== -1 && (await has('Current'))
    if (!live && !(await has('Inactive'))) return undefined
    return { libvirt, domain, uuid: domain.uuid, live }
  } catch (error) {
    // Gone since the list was made.
    if (isLibvirtError(error, errorNumber.noDomain)) return undefined
    throw error
  }
}
