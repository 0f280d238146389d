import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Syncs that are timed. */
const rounds = 300
/** Bytes written before each: about what a batch of writes comes to. */
const size = 32 * 1024

/** What the disk takes to make a write safe while nothing of ours runs, in ms: no durable answer can come sooner. */
export function disk(directory: string) {
  const path = join(directory, `skystead-sync-${process.pid}`)
  const file = openSync(path, 'w')
  const bytes = Buffer.alloc(size, 1)
  const times = Array.from({ length: rounds }, () => {
    writeSync(file, bytes)
    const began = performance.now()
    fdatasyncSync(file)
    return performance.now() - began
  })
  closeSync(file)
  rmSync(path)
  times.sort((left, right) => left - right)
  const share = (part: number) => Math.round((times[Math.floor(rounds * part)] ?? 0) * 10) / 10
  return { diskSyncP50Ms: share(0.5), diskSyncP99Ms: share(0.99) }
}
