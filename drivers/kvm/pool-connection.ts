import { readdir, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Random } from '../../crds/environment.ts'
import type { CallOptions, Connection } from '../contract/driver.ts'
import { DriverError } from '../contract/errors.ts'
import type { PrimaryStorageInventory } from '../contract/facts.ts'
import type { Answer, Operation, Verb } from '../contract/operation.ts'
import { adoptVolume, releaseVolume } from './adoption.ts'
import { requireOwn, settle } from './calls.ts'
import type { Hypervisor } from './hypervisor.ts'
import type { KeyedLock } from './keyed-lock.ts'
import type { Libvirt } from './libvirt.ts'
import { findPool, requirePresent } from './pool.ts'
import type { PoolRegistry } from './pool-registry.ts'
import { Templates } from './templates.ts'
import { exists, listVolumes } from './volume-files.ts'
import {
  createVolume,
  deleteVolume,
  leavePool,
  removeLeftovers,
  resizeVolume,
  restoreVolume,
  trashVolume,
  type VolumeCall,
} from './volumes.ts'

/** What a connection to a pool is made with. */
export interface PoolConnectionOptions {
  readonly key: string
  /** Identity of the pool. */
  readonly identity: string
  readonly directory: string
  /** What the manifest grants of the file system, in bytes. */
  readonly capacityBytes: number | undefined
  /** The hosts that reach it; the first that answers does the work. */
  readonly hypervisors: readonly Hypervisor[]
  /** Lets one call at a time change a volume. */
  readonly lock: KeyedLock
  readonly pools: PoolRegistry
  readonly random: Random
  /** Names what this process makes, so that it is not taken for the leftover of another. */
  readonly session: string
  /** Gives the hypervisors back. */
  readonly release: () => void
}

/** A connection of the KVM driver to a directory pool. */
export class PoolConnection implements Connection {
  readonly #options: PoolConnectionOptions
  readonly #templates: Templates
  #tidied: Promise<void> | undefined
  #open = true

  constructor(options: PoolConnectionOptions) {
    this.#options = options
    this.#templates = new Templates(options)
  }

  async inventory(options: CallOptions): Promise<PrimaryStorageInventory> {
    this.#requireOpen()
    const { identity, directory } = this.#options
    return await settle(options.signal, async () => {
      const libvirt = await this.#storage(options.signal)
      // A pool that libvirt knows was made: an empty directory is then no empty pool.
      const isKnown = async () => (await findPool(libvirt, identity, options.signal)) !== undefined
      if (await isKnown()) {
        await requirePresent(identity, directory).catch(async error => {
          // Given up meanwhile with its last volume, or really not there.
          if (await isKnown()) throw error
        })
      }
      const there = await exists(directory)
      const volumes = there ? await listVolumes(directory) : []
      return { type: 'PrimaryStorage', ...(await this.#sizes(there)), volumes, jobs: this.#templates.jobs }
    })
  }

  async perform<V extends Verb>(asked: Operation<V>, options: CallOptions): Promise<Answer<V>> {
    this.#requireOpen()
    // The verb decides the answer's type, which a choice between verbs cannot tell the compiler.
    const operation = asked as Operation
    requireOwn(operation, this.#options.key)
    return (await settle(options.signal, () => this.#perform(operation, options))) as Answer<V>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return
    this.#open = false
    this.#templates.close()
    this.#options.release()
  }

  async #perform(operation: Operation, options: CallOptions): Promise<Answer> {
    const call: VolumeCall = {
      libvirt: await this.#storage(options.signal),
      signal: options.signal,
      operationId: options.operationId,
      installation: options.installation,
      pool: this.#options.identity,
      directory: this.#options.directory,
      hypervisors: this.#options.hypervisors,
      templates: this.#templates,
      lock: this.#options.lock,
      pools: this.#options.pools,
      session: this.#options.session,
    }
    using _change = this.#options.pools.beginChange(call.directory)
    await this.#tidy(call)
    // Also when an earlier call was given up by its caller.
    return await this.#options.lock.run(operation.identity, () => carryOut(call, operation))
  }

  /** Once, before the first change: what an earlier process left half made. */
  async #tidy(call: VolumeCall): Promise<void> {
    this.#tidied ??= removeLeftovers(call)
    try {
      await this.#tidied
    } catch (error) {
      this.#tidied = undefined
      throw error
    }
  }

  async #storage(signal: AbortSignal): Promise<Libvirt> {
    let last: unknown = new DriverError('FailedPrecondition', `Cannot reach ${this.#options.key}: no host reaches it`)
    for (const hypervisor of this.#options.hypervisors) {
      try {
        return await hypervisor.storage(signal)
      } catch (error) {
        last = error
      }
    }
    throw last
  }

  async #sizes(there: boolean): Promise<{ totalBytes: number; usedBytes: number }> {
    const { directory, capacityBytes } = this.#options
    const system = await statfs(await nearest(directory))
    const total = system.blocks * system.bsize
    if (capacityBytes === undefined) return { totalBytes: total, usedBytes: total - system.bfree * system.bsize }
    // Of a granted part only what lies in the directory counts.
    return { totalBytes: Math.min(capacityBytes, total), usedBytes: there ? await allocatedBytes(directory) : 0 }
  }

  #requireOpen(): void {
    if (!this.#open) throw new DriverError('Unavailable', 'Cannot call the pool: the connection is closed')
  }
}

async function carryOut(call: VolumeCall, operation: Operation): Promise<Answer> {
  if (operation.verb === 'CreateVolume') {
    try {
      return await createVolume(call, operation.arguments)
    } catch (error) {
      // Why nothing was made matters more than what is left of the attempt: the next one that ends takes it away.
      await leavePool(call).catch(() => undefined)
      throw error
    }
  }
  if (operation.verb === 'ResizeVolume') return await resizeVolume(call, operation.arguments)
  if (operation.verb === 'AdoptVolume') return await adoptVolume(call, operation.arguments)
  if (operation.verb === 'ReleaseVolume') {
    const released = await releaseVolume(call, operation.arguments)
    await leavePool(call)
    return released
  }
  if (operation.verb === 'TrashVolume') return await trashVolume(call, operation.arguments)
  if (operation.verb === 'RestoreVolume') return await restoreVolume(call, operation.arguments)
  if (operation.verb === 'DeleteVolume') {
    await deleteVolume(call, operation.arguments)
    await leavePool(call)
    return undefined
  }
  throw new DriverError('Unsupported', `Cannot carry out ${operation.verb}: a pool has no such operation`)
}

/** The directory, or the nearest above it that is there. */
async function nearest(directory: string): Promise<string> {
  let at = directory
  while (at !== dirname(at) && !(await exists(at))) at = dirname(at)
  return at
}

async function allocatedBytes(directory: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (!entry.isFile()) continue
    const found = await stat(join(directory, entry.name)).catch(() => undefined)
    bytes += (found?.blocks ?? 0) * 512
  }
  return bytes
}
