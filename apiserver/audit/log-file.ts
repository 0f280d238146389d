/** The audit log on the disk: lines of JSON, written in batches, readable by their owner only. */

import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import type { Clock, Timer } from '../../crds/environment.ts'
import type { Logger } from '../logger.ts'
import type { AuditSink } from './auditor.ts'
import type { AuditEvent } from './event.ts'
import { type Keeping, putAside, removeOld } from './rotation.ts'

/** How long a batch is gathered, in milliseconds: what a kill may lose. */
const gathering = 100

/** How long to wait after a failure, in milliseconds. */
const pause = 1_000

/** A file is put aside at the latest after this time, in milliseconds, so that `maxAge` holds where little happens. */
const longestUse = 24 * 3_600_000

/** Bytes that wait for the disk, at most: what comes then is lost, and counted. */
const defaultPending = 16 * 1024 * 1024

const newline = 0x0a

/** Options of a log file. */
export interface AuditLogOptions extends Keeping {
  readonly path: string
  readonly clock: Clock
  readonly logger?: Logger | undefined
  /** Bytes that may wait for the disk. Default 16 MiB. */
  readonly maxPending?: number
}

/** A log file that rotates. A disk that fails loses events and harms nobody: it is tried again every second. */
export class AuditLogFile implements AuditSink {
  /** Events that were lost, since the start. */
  lost = 0
  /** Whether the last attempt to write failed. */
  failing = false
  readonly #options: AuditLogOptions
  #lines: Buffer[] = []
  #pending = 0
  /** What is being written, and how much of it has been. */
  #batch = Buffer.alloc(0)
  #written = 0
  #file: OpenFile | undefined
  #timer: Timer | undefined
  #writing: Promise<void> | undefined
  #closed = false

  constructor(options: AuditLogOptions) {
    this.#options = options
  }

  /** Bytes that wait for the disk. */
  get pending(): number {
    return this.#pending
  }

  write(event: AuditEvent): void {
    const line = Buffer.from(`${JSON.stringify(event)}\n`)
    const { maxPending = defaultPending } = this.#options
    if (this.#closed || this.#pending + line.length > maxPending) {
      this.lost++
      return
    }
    this.#lines.push(line)
    this.#pending += line.length
    this.#schedule(gathering)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    await this.#writing
    await this.#flush()
    this.lost += this.#lines.length + this.#batch.subarray(this.#written).filter(byte => byte === newline).length
    await this.#leave()
  }

  #schedule(milliseconds: number): void {
    if (this.#timer !== undefined || this.#writing !== undefined) return
    this.#timer = this.#options.clock.after(milliseconds, () => {
      this.#timer = undefined
      this.#writing = this.#flush().finally(() => {
        this.#writing = undefined
        if (this.#pending > 0 && !this.#closed) this.#schedule(this.failing ? pause : gathering)
      })
    })
  }

  async #flush(): Promise<void> {
    const { path, logger } = this.#options
    try {
      while (this.#pending > 0) await this.#writeSome()
      if (this.failing) logger?.error({ path, lost: this.lost }, 'the audit log can be written again')
      this.failing = false
    } catch (error) {
      if (!this.failing) logger?.error({ path, error }, 'cannot write the audit log: events may be lost')
      this.failing = true
      this.#repeatLine()
      // Opened anew at the next attempt: the way to it may be another by then. What closing says was said already.
      await this.#leave().catch(() => undefined)
    }
  }

  async #writeSome(): Promise<void> {
    if (this.#written === this.#batch.length) {
      this.#batch = Buffer.concat(this.#lines)
      this.#written = 0
      this.#lines = []
    }
    const file = await this.#fileFor(this.#batch.length - this.#written)
    const { bytesWritten } = await file.handle.write(this.#batch, this.#written)
    file.size += bytesWritten
    this.#written += bytesWritten
    this.#pending -= bytesWritten
  }

  /** A line that was written in part is written again as a whole. */
  #repeatLine(): void {
    const start = this.#batch.subarray(0, this.#written).lastIndexOf(newline) + 1
    this.#pending += this.#written - start
    this.#written = start
  }

  async #fileFor(bytes: number): Promise<OpenFile> {
    const { path, clock, maxSize } = this.#options
    const now = clock.now()
    const used = this.#file
    const isFull = used !== undefined && used.size > 0 && used.size + bytes > maxSize
    if (used !== undefined && !isFull && now - used.openedAt < longestUse) return used
    await this.#leave()
    if (used !== undefined) await putAside(path, now)
    let opened = await openForAppending(path, now)
    if (opened.size > 0 && opened.size + bytes > maxSize) {
      await opened.handle.close()
      await putAside(path, now)
      opened = await openForAppending(path, now)
    }
    this.#file = opened
    await removeOld(path, this.#options, now)
    return opened
  }

  async #leave(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.handle.close()
  }
}

interface OpenFile {
  readonly handle: FileHandle
  readonly openedAt: number
  size: number
}

async function openForAppending(path: string, now: number): Promise<OpenFile> {
  const handle = await open(path, 'a+', 0o600)
  const stats = await handle.stat()
  if (!stats.isFile()) return { handle, openedAt: now, size: 0 }
  if ((stats.mode & 0o077) !== 0) await handle.chmod(0o600)
  if (stats.size === 0) return { handle, openedAt: now, size: 0 }
  // A process that was killed may have left half a line.
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, stats.size - 1)
  const isWhole = buffer[0] === newline
  if (!isWhole) await handle.write('\n')
  return { handle, openedAt: now, size: stats.size + (isWhole ? 0 : 1) }
}
