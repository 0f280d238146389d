import { closeSync, existsSync, fdatasync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { writeDurably } from './durable-file.ts'
import { StorageError } from './durable-log.ts'

/**
 * Up to which version writes were answered, kept beside the log. A log whose end is cut off looks whole by itself: this
 * is what tells that something is missing.
 */
export interface HighWaterMark {
  /**
   * Says that everything up to `version` is safe in the log, before anybody is answered. It outlives the process at
   * once, a loss of power a moment later: waiting for a second sync would make each write wait twice (decision 0029).
   */
  raise(version: number): void
  close(): void
}

/** Two places in sectors of their own, written in turns: a torn one leaves the other. */
const places = [0, 4_096]
const placeSize = 512

/** Where the mark of a log is kept. */
export function markPathOf(path: string): string {
  return `${path}-mark`
}

/** Reads a mark; undefined where there is none. Throws a StorageError (`Corrupt`) where it cannot be read. */
export function readMark(path: string): number | undefined {
  if (!existsSync(path)) return undefined
  const bytes = readFileSync(path)
  const versions = places.flatMap(place => versionIn(bytes.subarray(place, place + placeSize)))
  if (versions.length > 0) return Math.max(...versions)
  throw new StorageError('Corrupt', `Cannot open ${path}: it is damaged and does not tell what was answered`)
}

/** Opens a mark to be raised. */
export function openMark(path: string): HighWaterMark {
  const file = openSync(path, 'r+')
  let turn = 0
  let isSyncing = false
  let isDirty = false
  let isClosed = false

  function sync(): void {
    isDirty = false
    isSyncing = true
    fdatasync(file, error => {
      // Nobody waits for it: the thread ends, and with it the server.
      if (error !== null) throw error
      isSyncing = false
      if (isClosed) closeSync(file)
      else if (isDirty) sync()
    })
  }

  return {
    raise(version) {
      writeSync(file, encoded(version), 0, placeSize, places[turn++ % places.length])
      isDirty = true
      if (!isSyncing) sync()
    },
    close() {
      fdatasyncSync(file)
      isClosed = true
      if (!isSyncing) closeSync(file)
    },
  }
}

/** Makes the mark of a log, with nothing answered, where it is missing. */
export function createMark(path: string): void {
  if (existsSync(path)) return
  const bytes = Buffer.alloc(Math.max(...places) + placeSize)
  for (const place of places) encoded(0).copy(bytes, place)
  // Whole or not at all: an empty one would be taken for damaged.
  writeDurably(path, bytes)
}

function encoded(version: number): Buffer {
  const text = String(version)
  const line = `${text} ${crc32(text).toString(16).padStart(8, '0')}\n`
  return Buffer.alloc(placeSize).fill(line, 0, line.length)
}

function versionIn(bytes: Buffer): readonly number[] {
  const [, text, digest] = /^(\d{1,16}) ([0-9a-f]{8})\n/.exec(bytes.toString('latin1')) ?? []
  if (text === undefined || digest === undefined || crc32(text) !== Number.parseInt(digest, 16)) return []
  return [Number(text)]
}
