import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Random } from '../../crds/environment.ts'
import { DriverError } from '../contract/errors.ts'
import type { JobFacts } from '../contract/facts.ts'
import type { Verbs } from '../contract/operation.ts'
import { readImageHeader } from './qcow2.ts'
import { exists, incomingPath, listTemplates, synchronize, templatePath } from './volume-files.ts'

/** An image, as a CreateVolume names it. */
export type Image = NonNullable<Verbs['CreateVolume']['arguments']['image']>

/** A template that may be cloned until it is disposed of. */
export interface HeldTemplate extends Disposable {
  readonly path: string
  readonly sizeBytes: number
}

interface Copy {
  readonly finished: Promise<void>
  readonly operationId: string | undefined
  readonly targets: Set<string>
}

const run = promisify(execFile)
const formats: Readonly<Record<string, string>> = { QCOW2: 'qcow2', RAW: 'raw' }

/**
 * The templates of a pool: images copied once, uncompressed and read-only, known by the hash of where they come from
 * and what they sum up to. A copy goes on when its caller gives up, and the next caller joins it.
 */
export class Templates {
  readonly #directory: string
  readonly #random: Random
  readonly #session: string
  readonly #copies = new Map<string, Copy>()
  readonly #held = new Map<string, number>()
  readonly #ended = new AbortController()

  constructor(options: { readonly directory: string; readonly random: Random; readonly session: string }) {
    this.#directory = options.directory
    this.#random = options.random
    this.#session = options.session
  }

  /** The copies under way. */
  get jobs(): readonly JobFacts[] {
    return [...this.#copies.values()].flatMap(({ operationId, targets }) =>
      operationId === undefined ? [] : [{ operationId, targets: [...targets], progressPercent: 0 }],
    )
  }

  /** Whether anything is being copied. */
  get isCopying(): boolean {
    return this.#copies.size > 0
  }

  /** The template of an image, copied where the pool does not have it. Throws `Timeout` when the signal aborts first. */
  async hold(
    image: Image,
    caller: { readonly identity: string; readonly operationId: string | undefined; readonly signal: AbortSignal },
  ): Promise<HeldTemplate> {
    const source = sourcePath(image)
    const format = formats[image.format]
    if (format === undefined) {
      throw new DriverError(
        'Unsupported',
        `Cannot use image.format ${image.format}: the KVM driver reads QCOW2 and RAW`,
      )
    }
    const path = templatePath(this.#directory, templateHash(image))
    this.#held.set(path, (this.#held.get(path) ?? 0) + 1)
    const release = () => {
      const left = (this.#held.get(path) ?? 1) - 1
      if (left === 0) this.#held.delete(path)
      else this.#held.set(path, left)
    }
    try {
      if (this.#copies.has(path) || !(await exists(path))) {
        await this.#join(path, { source, format, checksum: image.checksum }, caller)
      }
      const { sizeBytes } = await readImageHeader(path)
      return { path, sizeBytes, [Symbol.dispose]: release }
    } catch (error) {
      release()
      throw error
    }
  }

  /** Removes templates that no volume is a clone of and nobody holds. */
  async removeUnused(): Promise<void> {
    for (const { path, used } of await listTemplates(this.#directory)) {
      if (used || this.#held.has(path)) continue
      await rm(path, { force: true })
    }
  }

  /** Ends the copies under way; what they made is removed by the next caller. */
  close(): void {
    this.#ended.abort()
  }

  async #join(
    path: string,
    what: { readonly source: string; readonly format: string; readonly checksum: string | undefined },
    caller: { readonly identity: string; readonly operationId: string | undefined; readonly signal: AbortSignal },
  ): Promise<void> {
    let copy = this.#copies.get(path)
    if (copy === undefined) {
      const finished = this.#copy(path, what).finally(() => this.#copies.delete(path))
      finished.catch(() => undefined)
      copy = { finished, operationId: caller.operationId, targets: new Set() }
      this.#copies.set(path, copy)
    }
    copy.targets.add(caller.identity)
    await orTimeout(copy.finished, caller.signal)
  }

  async #copy(
    path: string,
    what: { readonly source: string; readonly format: string; readonly checksum: string | undefined },
  ): Promise<void> {
    const { source, format, checksum } = what
    const signal = this.#ended.signal
    const draft = incomingPath(this.#directory, this.#session, this.#random.uuid())
    try {
      const before = await fingerprint(source)
      if (checksum !== undefined) await verify(source, checksum, signal)
      await requireSelfContained(source, format)
      await convert(source, format, draft, signal)
      // What was verified must be what was copied.
      if ((await fingerprint(source)) !== before) {
        throw new DriverError('Aborted', `Cannot use image ${source}: it changed while it was copied`)
      }
      await chmod(draft, 0o444)
      await synchronize(draft)
      await rename(draft, path)
      await synchronize(dirname(path))
    } finally {
      await rm(draft, { force: true })
    }
  }
}

/** What a template is known by: 32 hexadecimal digits. */
export function templateHash(image: Image): string {
  const parts = [image.url, image.format, image.checksum ?? '']
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32)
}

/** The file an image is in. Throws `Unsupported` for what has to be fetched. */
export function sourcePath(image: Image): string {
  if (!image.url.startsWith('file://')) {
    const scheme = image.url.slice(0, Math.max(0, image.url.indexOf(':')))
    throw new DriverError('Unsupported', `Cannot use image.url with ${scheme}: the KVM driver reads file:// only, yet`)
  }
  try {
    return fileURLToPath(image.url)
  } catch {
    // Neither the URL nor what is said of it goes on: its query may hold a signature.
    throw new DriverError('InvalidArgument', 'Cannot use image.url: it names no file of this host')
  }
}

async function fingerprint(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true })
    return `${ino} ${size} ${mtimeNs}`
  } catch (cause) {
    throw new DriverError('FailedPrecondition', `Cannot read image ${path}: there is no such file`, { cause })
  }
}

async function verify(path: string, checksum: string, signal: AbortSignal): Promise<void> {
  const [algorithm = '', digits = ''] = checksum.split(':')
  if (!['md5', 'sha1', 'sha256', 'sha512'].includes(algorithm)) {
    throw new DriverError('InvalidArgument', `Cannot check image.checksum ${checksum}: ${algorithm} is not known`)
  }
  const hash = createHash(algorithm)
  await pipeline(createReadStream(path), hash, { signal })
  const actual = hash.digest('hex')
  if (actual === digits.toLowerCase()) return
  throw new DriverError('InvalidArgument', `Cannot use image ${path}: its ${algorithm} is ${actual}, not ${digits}`)
}

/** An image that points to other files could bring any file of the host into a guest. */
async function requireSelfContained(path: string, format: string): Promise<void> {
  const header = await readImageHeader(path)
  if (format === 'raw') return
  if (header.format !== 'QCOW2')
    throw new DriverError('InvalidArgument', `Cannot use image ${path}: it is no qcow2 file`)
  if (header.backingFile === undefined && !header.externalData) return
  throw new DriverError('InvalidArgument', `Cannot use image ${path}: it refers to other files`)
}

async function convert(source: string, format: string, target: string, signal: AbortSignal): Promise<void> {
  try {
    await run('qemu-img', ['convert', '-q', '-f', format, '-O', 'qcow2', source, target], { signal })
  } catch (error) {
    throw explain(error, source)
  }
}

function explain(error: unknown, source: string): DriverError {
  const { code, stderr } = error as { code?: unknown; stderr?: unknown }
  const text = typeof stderr === 'string' ? stderr.trim() : ''
  if (code === 'ENOENT')
    return new DriverError('FailedPrecondition', 'Cannot copy the image: qemu-img is not installed')
  if (code === 'ABORT_ERR') return new DriverError('Aborted', `Cannot copy image ${source}: the connection was closed`)
  if (text.includes('No space left on device')) {
    return new DriverError('ResourceExhausted', `Cannot copy image ${source}: the pool is full`)
  }
  return new DriverError('Internal', `Cannot copy image ${source}: ${text || String(code)}`, { cause: error })
}

function orTimeout<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new DriverError('Timeout', 'Copying the image takes longer than the operation may'))
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
