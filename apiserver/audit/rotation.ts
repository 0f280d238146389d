/** Old files of a log: how they are named, and which go. */

import { readdir, rename, unlink } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'

/** What is kept of a log. */
export interface Keeping {
  /** Largest size of a file, in bytes. */
  readonly maxSize: number
  /** How long old files are kept, in milliseconds; 0: for ever. */
  readonly maxAge: number
  /** How many old files are kept; 0: all. */
  readonly maxBackups: number
}

/** Puts the file aside: `audit.log` becomes `audit-2026-11-28T14-35-00.000.log`. Does nothing where there is none. */
export async function putAside(path: string, now: number): Promise<void> {
  const extension = extname(path)
  const time = new Date(now).toISOString().slice(0, -1).replaceAll(':', '-')
  try {
    await rename(path, join(dirname(path), `${basename(path, extension)}-${time}${extension}`))
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

/** Removes old files that are too many or too old. */
export async function removeOld(path: string, { maxAge, maxBackups }: Keeping, now: number): Promise<void> {
  const old = await oldFiles(path)
  const surplus = old.filter(({ at }, index) => {
    return (maxBackups > 0 && index >= maxBackups) || (maxAge > 0 && at < now - maxAge)
  })
  await Promise.all(surplus.map(({ name }) => removeFile(join(dirname(path), name))))
}

/** The newest first. */
async function oldFiles(path: string): Promise<readonly { readonly name: string; readonly at: number }[]> {
  const extension = extname(path)
  const prefix = `${basename(path, extension)}-`
  const names = await readdir(dirname(path))
  const dated = names.flatMap(name => {
    if (!name.startsWith(prefix) || !name.endsWith(extension)) return []
    const time = name.slice(prefix.length, name.length - extension.length)
    const at = Date.parse(`${time.slice(0, 10)}${time.slice(10).replaceAll('-', ':')}Z`)
    return Number.isNaN(at) ? [] : [{ name, at }]
  })
  return dated.sort((left, right) => right.at - left.at)
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
