/** Files and directories that are there after a loss of power, or not at all. */

import { closeSync, fchmodSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Replaces a file as a whole, readable by its owner only; it is on the disk when this returns. */
export function writeDurably(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.new`
  const file = openSync(temporary, 'w', 0o600)
  try {
    // One that was left there has its own mode.
    fchmodSync(file, 0o600)
    writeFileSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  syncDirectory(dirname(path))
}

/** Makes a directory that only its owner can enter, with those above it that are missing. */
export function makePrivateDirectory(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 })
  if (first !== undefined) syncParents(first, path)
}

/** Puts the names of new directories on the disk, from the first that was made down to the last. */
export function syncParents(first: string, last: string): void {
  const top = dirname(resolve(first))
  for (let each = dirname(resolve(last)); ; each = dirname(each)) {
    syncDirectory(each)
    if (each === top || each === dirname(each)) return
  }
}

/** Puts what was made, renamed and removed in a directory on the disk. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
