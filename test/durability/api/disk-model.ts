/**
 * What a disk may hold after a loss of power, from the system calls that were recorded. What was synced is there. Of the
 * rest each write may be there, or not, or in part; so may each name that was made, replaced or removed.
 */
import { dirname } from 'node:path'
import type { Call } from './trace.ts'

/** A disk writes sectors as a whole. */
const sector = 512

/** A change of a file's content, or of a name; `durable` is when it was safe, Infinity where never. */
interface Change<T> {
  readonly start: number
  readonly end: number
  readonly what: T
  durable: number
}

type ContentChange = { readonly offset: number; readonly data: Buffer } | { readonly size: number }
type NameChange = { readonly path: string; readonly inode: Inode | undefined; readonly from?: string }

class Inode {
  readonly changes: Change<ContentChange>[] = []
}

interface OpenFile {
  readonly inode: Inode
  position: number
}

/** A disk, as the calls on a home have changed it. */
export class DiskModel {
  readonly #home: string
  readonly #names = new Map<string, Inode>()
  readonly #nameChanges: Change<NameChange>[] = []
  readonly #open = new Map<string, OpenFile>()

  constructor(home: string, calls: readonly Call[]) {
    this.#home = home
    for (const call of calls) this.#apply(call)
  }

  /**
   * The files by path after a loss of power at `time`. `chance` gives numbers between 0 and 1; `kept` is how likely what
   * was not synced is there.
   */
  after(time: number, kept: number, chance: () => number): ReadonlyMap<string, Buffer> {
    const isThere = (change: Change<unknown>) => change.durable <= time || chance() < kept
    const names = new Map<string, Inode>()
    for (const change of this.#nameChanges) {
      if (change.start > time) break
      if (!isThere(change)) continue
      const { path, inode, from } = change.what
      if (from !== undefined) names.delete(from)
      if (inode === undefined) names.delete(path)
      else names.set(path, inode)
    }
    return new Map([...names].map(([path, inode]) => [path, contentOf(inode, { time, isThere, chance })]))
  }

  #apply(call: Call): void {
    const { name, paths } = call
    if (name === 'openat') this.#opened(call)
    else if (name === 'unlink') this.#rename(call, paths[0] ?? '', undefined)
    else if (name === 'rename') this.#renamed(call, paths[0] ?? '', paths[1] ?? '')
    else if (name === 'fsync' || name === 'fdatasync') this.#synced(call)
    else this.#changed(call, this.#open.get(this.#key(call)))
  }

  #changed(call: Call, file: OpenFile | undefined): void {
    if (file === undefined) return
    if (call.name === 'pwrite64') this.#written(file.inode, call, call.number)
    if (call.name === 'ftruncate') this.#note(file.inode, call, { size: call.number })
    if (call.name !== 'write') return
    this.#written(file.inode, call, file.position)
    file.position += call.result
  }

  #isOurs(path: string): boolean {
    return path === this.#home || path.startsWith(`${this.#home}/`) || path === dirname(this.#home)
  }

  #key({ descriptor, target }: Call): string {
    return `${descriptor} ${target}`
  }

  #opened(call: Call): void {
    const { target, flags } = call
    if (!this.#isOurs(target)) return
    const known = this.#names.get(target)
    // What is there, and was not made, is a directory.
    if (known === undefined && !flags.includes('O_CREAT')) return
    const inode = known ?? new Inode()
    if (known === undefined) this.#rename(call, target, inode)
    if (known !== undefined && flags.includes('O_TRUNC')) this.#note(inode, call, { size: 0 })
    this.#open.set(this.#key(call), { inode, position: 0 })
  }

  #rename({ start, end }: Call, path: string, inode: Inode | undefined, from?: string): void {
    if (!this.#isOurs(path)) return
    if (from !== undefined) this.#names.delete(from)
    if (inode === undefined) this.#names.delete(path)
    else this.#names.set(path, inode)
    const what = { path, inode, ...(from !== undefined && { from }) }
    this.#nameChanges.push({ start, end, what, durable: Number.POSITIVE_INFINITY })
  }

  #renamed(call: Call, from: string, to: string): void {
    const inode = this.#names.get(from)
    if (inode !== undefined) this.#rename(call, to, inode, from)
  }

  #written(inode: Inode, call: Call, offset: number): void {
    this.#note(inode, call, { offset, data: call.data.subarray(0, call.result) })
  }

  #note(inode: Inode, { start, end }: Call, what: ContentChange): void {
    inode.changes.push({ start, end, what, durable: Number.POSITIVE_INFINITY })
  }

  /** A sync makes safe what was done before it began, from when it has ended. */
  #synced(call: Call): void {
    const inode = this.#open.get(this.#key(call))?.inode
    const ofNames = this.#nameChanges.filter(change => dirname(change.what.path) === call.target)
    for (const change of inode?.changes ?? ofNames) {
      if (change.end <= call.start) change.durable = Math.min(change.durable, call.end)
    }
  }
}

interface Loss {
  readonly time: number
  readonly isThere: (change: Change<unknown>) => boolean
  readonly chance: () => number
}

function contentOf(inode: Inode, { time, isThere, chance }: Loss): Buffer {
  const content = Buffer.alloc(largestSize(inode))
  let length = 0
  for (const change of inode.changes) {
    if (change.start > time) break
    if (!isThere(change)) continue
    const { what } = change
    if ('size' in what) {
      content.fill(0, what.size)
      length = what.size
      continue
    }
    for (const { offset, data } of change.durable <= time ? [what] : torn(what, chance)) {
      data.copy(content, offset)
      length = Math.max(length, offset + data.length)
    }
  }
  return content.subarray(0, length)
}

function largestSize({ changes }: Inode): number {
  return Math.max(0, ...changes.map(({ what }) => ('size' in what ? what.size : what.offset + what.data.length)))
}

interface Piece {
  readonly offset: number
  readonly data: Buffer
}

/** Half of the time whole, else each of its sectors by chance. */
function torn(write: Piece, chance: () => number): readonly Piece[] {
  if (chance() < 0.5) return [write]
  const pieces: Piece[] = []
  const end = write.offset + write.data.length
  for (let from = write.offset; from < end; from = Math.floor(from / sector + 1) * sector) {
    const to = Math.min(end, Math.floor(from / sector + 1) * sector)
    const data = write.data.subarray(from - write.offset, to - write.offset)
    if (chance() < 0.5) pieces.push({ offset: from, data })
  }
  return pieces
}
