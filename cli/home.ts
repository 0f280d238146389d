import { constants, existsSync } from 'node:fs'
import { access, mkdir, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { syncParents } from '../apiserver/storage/durable-file.ts'
import { unfinishedName } from './home-files.ts'
import { UserError } from './user-error.ts'

/** How many bytes the path of a UNIX socket may have (Linux: 108 with the end mark). */
const socketPathLimit = 107

/** Makes the directory of everything that lasts, where it is missing. Throws one clear line where it cannot be used. */
export async function prepareHome(home: string): Promise<void> {
  try {
    await makeDirectory(home)
    await access(home, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new UserError(`Cannot use the home ${home}: ${await problemOf(home, error)}`, { cause: error })
  }
  if (existsSync(join(home, unfinishedName))) {
    throw new UserError(
      `Cannot use the home ${home}: a restore was interrupted there; run "skystead restore FILE --home ${home} --replace" again`,
    )
  }
}

/** The path of the simulator's socket in a home. Throws where no socket can be made or reached under such a path. */
export function controlSocketOf(home: string): string {
  const path = join(resolve(home), 'simulator.sock')
  if (Buffer.byteLength(path) <= socketPathLimit) return path
  const fromHere = relative(process.cwd(), path)
  if (Buffer.byteLength(fromHere) <= socketPathLimit) return fromHere
  throw new UserError(
    `Cannot use the home ${home}: its path has ${Buffer.byteLength(path)} bytes with the socket in it, at most ${socketPathLimit} are possible; choose a shorter one`,
  )
}

async function makeDirectory(home: string): Promise<void> {
  try {
    const first = await mkdir(home, { recursive: true, mode: 0o700 })
    if (first !== undefined) syncParents(first, home)
  } catch (error) {
    // On a read-only file system Node's recursive way says only that nothing is there.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') await mkdir(home)
    throw error
  }
}

async function problemOf(home: string, error: unknown): Promise<string> {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EACCES' || code === 'EPERM') return 'its permissions do not allow it'
  if (code === 'EROFS') return 'its file system is read-only'
  if (code === 'ENOSPC') return 'the disk is full'
  const found = await stat(home).catch(() => undefined)
  if (code === 'ENOTDIR' || (found !== undefined && !found.isDirectory())) return 'it is not a directory'
  return error instanceof Error ? error.message : String(error)
}
