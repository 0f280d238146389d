import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DriverError } from '../contract/errors.ts'
import type { MachineDisk, Mark, VolumeFacts } from '../contract/facts.ts'
import { volumeExtension } from './machine-facts.ts'
import { type ImageHeader, readImageHeader } from './qcow2.ts'

/**
 * The files of a pool's directory:
 *
 *     <identity>.qcow2                 a volume
 *     template-<hash>.qcow2            an image that volumes are clones of, read-only
 *     .skystead/pool.json              whose pool it is; without it the pool's file system is not there
 *     .skystead/<identity>.json        the record of a volume: its mark, claim and state
 *     .skystead/incoming-…             what is being made; whole files are moved to their names
 *
 * A volume is there when its record says `Ready` and its file exists. Every change is one rename.
 */
export interface VolumeRecord {
  readonly identity: string
  readonly mark: Mark
  readonly epoch: number
  /** `Building`: its file may be half of one; it is made anew. */
  readonly state: 'Building' | 'Ready'
  /** When it went to the trash (RFC 3339); left out while it is not there. */
  readonly trashedAt?: string
}

/** A volume as it was found. */
export interface FoundVolume {
  readonly header: ImageHeader
  /** Left out: not made by Skystead. */
  readonly record?: VolumeRecord
}

const ownDirectory = '.skystead'
const recordExtension = '.json'
const poolRecord = 'pool.json'
const templatePrefix = 'template-'
const incomingPrefix = 'incoming-'
const identityPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Path of a volume's file. Throws `InvalidArgument` for what is no UUID, which a path could be made of. */
export function volumePath(directory: string, identity: string): string {
  return join(directory, `${fileNameOf(identity)}${volumeExtension}`)
}

/** Path of the template with that hash. */
export function templatePath(directory: string, hash: string): string {
  return join(directory, `${templatePrefix}${hash}${volumeExtension}`)
}

/** A path for what is being made by the process of that session. */
export function incomingPath(directory: string, session: string, name: string): string {
  return join(directory, ownDirectory, `${incomingPrefix}${session}-${name}`)
}

/** Whose a pool's directory is. */
export interface PoolOwner {
  /** Identity of the pool. */
  readonly identity: string
  /** The installation that made it; left out where the maker has none. */
  readonly installation?: string
}

/** The owner of a directory; undefined where it is no pool (yet). */
export async function readPoolOwner(directory: string): Promise<PoolOwner | undefined> {
  const record = await readJson(join(directory, ownDirectory, poolRecord))
  if (typeof record?.identity !== 'string') return undefined
  const { identity, installation } = record
  return { identity, ...(typeof installation === 'string' ? { installation } : {}) }
}

/** Makes a directory a pool's. */
export async function writePoolOwner(directory: string, owner: PoolOwner): Promise<void> {
  await mkdir(join(directory, ownDirectory), { recursive: true, mode: 0o711 })
  await writeWhole(join(directory, ownDirectory, poolRecord), owner)
}

/** Makes a directory that holds nothing of ours any more nobody's. */
export async function removePoolOwner(directory: string): Promise<void> {
  await rm(join(directory, ownDirectory), { recursive: true, force: true })
}

/** Whether a directory holds nothing but the pool's own record. Throws where it cannot be read. */
export async function isEmptyPool(directory: string): Promise<boolean> {
  if ((await readdir(directory)).some(name => name !== ownDirectory)) return false
  return (await readdir(join(directory, ownDirectory))).every(name => name === poolRecord)
}

/** A volume; undefined where there is neither a file nor a record that matters. */
export async function findVolume(directory: string, identity: string): Promise<FoundVolume | undefined> {
  const record = await readRecord(directory, identity)
  if (record?.state === 'Building') return undefined
  const header = await headerIfThere(volumePath(directory, identity))
  if (header === undefined) return undefined
  return { header, ...(record === undefined ? {} : { record }) }
}

/** The record of a volume, whatever its state. */
export async function readRecord(directory: string, identity: string): Promise<VolumeRecord | undefined> {
  const json = await readJson(recordPath(directory, identity))
  return json === undefined ? undefined : toRecord(json)
}

/** Writes a volume's record: whole or not at all, and kept by the disk when this returns. */
export async function writeRecord(directory: string, record: VolumeRecord): Promise<void> {
  await writeWhole(recordPath(directory, record.identity), record)
}

/** Removes a volume's record. */
export async function removeRecord(directory: string, identity: string): Promise<void> {
  await rm(recordPath(directory, identity), { force: true })
}

/** Every volume in a directory, ours and others'. Throws where the directory cannot be read completely. */
export async function listVolumes(directory: string): Promise<VolumeFacts[]> {
  const volumes: VolumeFacts[] = []
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith('.') || entry.name.startsWith(templatePrefix)) continue
    const identity = entry.name.endsWith(volumeExtension) ? entry.name.slice(0, -volumeExtension.length) : entry.name
    const ours = identityPattern.test(identity)
    const record = ours ? await readRecord(directory, identity) : undefined
    if (record?.state === 'Building') continue
    const header = await headerIfThere(join(directory, entry.name))
    if (header === undefined) continue
    // What is not ours goes by its file's name: it has no other.
    volumes.push(volumeFacts(ours ? identity : entry.name, { header, ...(record === undefined ? {} : { record }) }))
  }
  return volumes
}

/** The facts of a volume. */
export function volumeFacts(identity: string, found: FoundVolume): VolumeFacts {
  const { header, record } = found
  return {
    identity,
    ...(record === undefined ? {} : { mark: record.mark }),
    epoch: record?.epoch ?? 0,
    sizeBytes: header.sizeBytes,
    format: header.format,
    ...(record?.trashedAt === undefined ? {} : { trashedAt: record.trashedAt }),
  }
}

/** Throws `FailedPrecondition` where a machine's disk is not there to be used. */
export async function requireUsable(directory: string, disk: MachineDisk, machine: string): Promise<void> {
  const found = await findVolume(directory, disk.identity)
  if (found !== undefined && found.record?.trashedAt === undefined) return
  const why = found === undefined ? `is not in ${disk.pool}` : 'is in the trash'
  throw new DriverError(
    'FailedPrecondition',
    `Cannot start machine ${machine}: disk ${disk.name} (volume ${disk.identity}) ${why}`,
  )
}

/** The templates in a directory and which of them some volume is a clone of. */
export async function listTemplates(directory: string): Promise<{ path: string; used: boolean }[]> {
  const names = (await readdir(directory)).filter(name => name.endsWith(volumeExtension) && !name.startsWith('.'))
  const templates = names.filter(name => name.startsWith(templatePrefix)).map(name => join(directory, name))
  if (templates.length === 0) return []
  const used = new Set<string>()
  for (const name of names.filter(each => !each.startsWith(templatePrefix))) {
    const backing = (await headerIfThere(join(directory, name)))?.backingFile
    if (backing !== undefined) used.add(backing)
  }
  return templates.map(path => ({ path, used: used.has(path) }))
}

/**
 * What a caller left that was killed: half-made files, and records whose file is missing or half. The answer has the
 * identities of volumes to be removed and the paths of files to be removed.
 */
export async function listLeftovers(
  directory: string,
  session: string,
): Promise<{ volumes: string[]; files: string[] }> {
  const names = await readdir(join(directory, ownDirectory)).catch(absent)
  const others = (name: string) => name.startsWith(incomingPrefix) && !name.startsWith(`${incomingPrefix}${session}-`)
  const files = (names ?? []).filter(others)
  const volumes: string[] = []
  for (const name of names ?? []) {
    const identity = name.slice(0, -recordExtension.length)
    if (!name.endsWith(recordExtension) || !identityPattern.test(identity)) continue
    if ((await findVolume(directory, identity)) === undefined) volumes.push(identity)
  }
  return { volumes, files: files.map(name => join(directory, ownDirectory, name)) }
}

/** Has the disk keep a file's or a directory's content. */
export async function synchronize(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Whether a path is there. */
export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(absent)) !== undefined
}

function recordPath(directory: string, identity: string): string {
  return join(directory, ownDirectory, `${fileNameOf(identity)}${recordExtension}`)
}

function fileNameOf(identity: string): string {
  if (identityPattern.test(identity)) return identity
  throw new DriverError('InvalidArgument', `Cannot use "${identity}" as an identity: it is no UUID in lower case`)
}

async function headerIfThere(path: string): Promise<ImageHeader | undefined> {
  return await readImageHeader(path).catch(absent)
}

async function readJson(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const text = await readFile(path, 'utf8').catch(absent)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch {
    // Told below, with the path.
  }
  throw new DriverError('Internal', `Cannot read ${path}: it is no JSON object`)
}

function toRecord(json: Readonly<Record<string, unknown>>): VolumeRecord {
  return json as unknown as VolumeRecord
}

async function writeWhole(path: string, value: unknown): Promise<void> {
  const draft = `${path}.new`
  let file: FileHandle | undefined
  try {
    file = await open(draft, 'w', 0o600)
    await file.writeFile(`${JSON.stringify(value)}\n`)
    await file.sync()
  } finally {
    await file?.close()
  }
  await rename(draft, path)
  await synchronize(join(path, '..'))
}

/** Turns "no such file" into undefined and throws everything else. */
function absent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}
