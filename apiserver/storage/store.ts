import type { APIObject } from '../api-object.ts'
import { withMetadata } from '../api-object.ts'
import { Collection } from './collection.ts'
import type { DurableLog, LogRecord } from './durable-log.ts'
import { StorageError } from './durable-log.ts'
import { Entry } from './entry.ts'
import type { StoreEvent } from './history.ts'
import { History } from './history.ts'

/** How much a store keeps beside the objects themselves. */
export interface StoreOptions {
  /** Events kept per resource for watches that resume. Default 10,000: minutes of a large cloud's burst. */
  readonly historyLimit?: number
  /** Replaced records kept in the log before they are dropped. Default 20,000: a restart then reads little more than the objects. */
  readonly compactionThreshold?: number
  /**
   * How large the log may become, in bytes; above it nothing is created and nothing grows. Default 2 GiB, as in etcd: all
   * of it is in memory too.
   */
  readonly sizeLimit?: number
}

/** What a store takes. */
export interface StoreUsage {
  readonly usedBytes: number
  readonly sizeLimit: number
  /** Records in the log that later ones have replaced. */
  readonly replaced: number
  /** How many objects there are, by resource. */
  readonly objects: ReadonlyMap<string, number>
}

interface Staged {
  readonly resource: string
  readonly key: string
  readonly version: number
  /** Undefined: the write deletes. */
  readonly entry: Entry | undefined
  readonly resolve: (entry: Entry) => void
  readonly reject: (error: unknown) => void
}

/**
 * All objects, in memory, behind a durable log.
 *
 * Readers see committed objects only. Writers see what is staged too, so writes that wait for the disk together
 * still come one after the other; when a batch cannot be stored, everything staged on top of it fails with it.
 */
export class Store {
  readonly #log: DurableLog
  readonly #historyLimit: number
  readonly #compactionThreshold: number
  readonly #sizeLimit: number
  readonly #collections = new Map<string, Collection>()
  readonly #staged = new Map<string, Staged>()
  readonly #listeners = new Set<(events: readonly StoreEvent[]) => void>()
  #queue = new Batch()
  /** The batch that is being written. */
  #writing: Batch | undefined
  #flushing = false
  #assigned = 0
  #committed = 0
  #forgotten = 0
  /** Records in the log that a later one has replaced, in the order of the replacing ones. */
  #replaced: { readonly version: number; readonly by: number }[] = []
  #closed = false

  private constructor(log: DurableLog, options: StoreOptions) {
    this.#log = log
    this.#historyLimit = options.historyLimit ?? 10_000
    this.#compactionThreshold = options.compactionThreshold ?? 20_000
    this.#sizeLimit = options.sizeLimit ?? 2 * 1024 ** 3
  }

  /** Opens a store on its log; rejects with a StorageError when the log cannot be read. */
  static async open(log: DurableLog, options: StoreOptions = {}): Promise<Store> {
    const store = new Store(log, options)
    const records: LogRecord[] = []
    const extent = await log.load(record => records.push(record))
    store.#forgotten = extent.forgotten
    store.#replay(records)
    // What was dropped or came to nothing has used up its version all the same.
    store.#assigned = Math.max(extent.last, extent.forgotten)
    store.#committed = store.#assigned
    return store
  }

  /** The version of the latest committed write. */
  get version(): number {
    return this.#committed
  }

  /** Everything stored of one resource. */
  collection(resource: string): Collection {
    const known = this.#collections.get(resource)
    if (known !== undefined) return known
    const collection = new Collection(new History(this.#historyLimit, this.#forgotten))
    this.#collections.set(resource, collection)
    return collection
  }

  /** Every collection that has ever held an object. */
  collections(): Iterable<Collection> {
    return this.#collections.values()
  }

  /** The committed object under a key. */
  get(resource: string, key: string): Entry | undefined {
    return this.#collections.get(resource)?.entries.get(key)
  }

  /** What the next write of this key comes after: the staged object if there is one, else the committed one. */
  latest(resource: string, key: string): Entry | undefined {
    const staged = this.#staged.get(`${resource} ${key}`)
    return staged === undefined ? this.get(resource, key) : staged.entry
  }

  /** What the log takes on the disk, and how it may grow; for figures. */
  get usage(): StoreUsage {
    const objects = new Map([...this.#collections].map(([resource, { entries }]) => [resource, entries.size]))
    const [usedBytes, replaced] = [this.#log.usedBytes(), this.#replaced.length]
    return { usedBytes, sizeLimit: this.#sizeLimit, replaced, objects }
  }

  /** Calls the listener with every committed batch, before its writers are answered. */
  onCommit(listener: (events: readonly StoreEvent[]) => void): void {
    this.#listeners.add(listener)
  }

  /** Resolves when all that is staged now is either committed or refused. */
  settled(): Promise<void> {
    const last = this.#queue.writes.length > 0 ? this.#queue : this.#writing
    return last === undefined ? Promise.resolve() : last.settled.promise
  }

  /** Stages an object; resolves with its entry once it is durable and visible. */
  put(resource: string, key: string, object: APIObject): Promise<Entry> {
    const version = ++this.#assigned
    const versioned = withMetadata(object, { resourceVersion: String(version) })
    const entry = new Entry(resource, key, version, { object: versioned })
    if (this.#log.usedBytes() > this.#sizeLimit && this.#grows(entry)) return Promise.reject(this.#exceeded())
    return this.#stage(resource, key, version, entry)
  }

  /** Stages a deletion; resolves with the object's last state, under the version of the deletion. */
  delete(resource: string, key: string): Promise<Entry> {
    return this.#stage(resource, key, ++this.#assigned, undefined)
  }

  /** Writes what is staged and closes the log. */
  async close(): Promise<void> {
    this.#closed = true
    await this.settled()
    await this.#log.close()
  }

  /** What is being deleted may always be written: that is how room is made. */
  #grows(entry: Entry): boolean {
    if (entry.object.metadata.deletionTimestamp !== undefined) return false
    return entry.bytes.length > (this.latest(entry.resource, entry.key)?.bytes.length ?? 0)
  }

  #exceeded(): StorageError {
    const mebibytes = (bytes: number) => `${Math.ceil(bytes / 1024 ** 2)} MiB`
    const use = `the objects take ${mebibytes(this.#log.usedBytes())}, and may take ${mebibytes(this.#sizeLimit)}`
    // The end is how clients of a real server know it.
    const message = `Cannot write: ${use}; delete some, or raise --storage-limit (mvcc: database space exceeded)`
    return new StorageError('Full', message)
  }

  #stage(resource: string, key: string, version: number, entry: Entry | undefined): Promise<Entry> {
    if (this.#closed) return Promise.reject(new StorageError('Closed', 'Cannot write: the storage is closed'))
    const { promise, resolve, reject } = Promise.withResolvers<Entry>()
    // Whoever waits hears of a failure; a write that nobody waits for must not end the process.
    promise.catch(() => {})
    const staged: Staged = { resource, key, version, entry, resolve, reject }
    this.#staged.set(`${resource} ${key}`, staged)
    this.#queue.writes.push(staged)
    if (!this.#flushing) void this.#flush()
    return promise
  }

  async #flush(): Promise<void> {
    this.#flushing = true
    // One turn of the event loop, so that the writes of all requests that arrived together share one commit.
    await new Promise(setImmediate)
    while (this.#queue.writes.length > 0) await this.#write(this.#takeQueue())
    this.#flushing = false
  }

  async #write(batch: Batch): Promise<void> {
    this.#writing = batch
    const failure = await this.#append(batch)
    if (failure === undefined) {
      this.#commit(batch.writes)
      this.#compact()
    } else {
      const following = this.#takeQueue()
      this.#refuse([...batch.writes, ...following.writes], failure.error)
      following.settled.resolve()
    }
    this.#writing = undefined
    batch.settled.resolve()
  }

  async #append({ writes }: Batch): Promise<{ readonly error: unknown } | undefined> {
    try {
      await this.#log.append(writes.map(toRecord))
      return undefined
    } catch (error) {
      return { error }
    }
  }

  #takeQueue(): Batch {
    const batch = this.#queue
    this.#queue = new Batch()
    return batch
  }

  #commit(batch: readonly Staged[]): void {
    const events = batch.map(staged => this.#apply(staged.resource, staged.key, staged.version, staged.entry))
    for (const staged of batch) {
      const address = `${staged.resource} ${staged.key}`
      if (this.#staged.get(address) === staged) this.#staged.delete(address)
    }
    const touched = new Set<Collection>()
    for (const event of events) if (event !== undefined) touched.add(this.collection(event.entry.resource))
    const happened = events.filter(event => event !== undefined)
    for (const listener of this.#listeners) listener(happened)
    for (const { listeners, audience } of touched) {
      for (const listener of listeners) listener()
      audience.ring()
    }
    for (const [index, staged] of batch.entries()) {
      const event = events[index]
      if (event !== undefined) staged.resolve(event.entry)
      else staged.reject(new StorageError('Failed', `Cannot delete ${staged.resource} ${staged.key}: it is not stored`))
    }
  }

  #refuse(batch: readonly Staged[], error: unknown): void {
    this.#staged.clear()
    for (const staged of batch) staged.reject(error)
  }

  #apply(resource: string, key: string, version: number, entry: Entry | undefined): StoreEvent | undefined {
    const collection = this.collection(resource)
    const previous = collection.entries.get(key)
    this.#committed = version
    if (previous !== undefined) this.#replaced.push({ version: previous.version, by: version })
    const event = toEvent(version, entry, previous)
    if (event === undefined) return undefined
    // A deletion's record holds nothing that a restart needs beside its version.
    if (event.type === 'DELETED') this.#replaced.push({ version, by: version })
    collection.apply(event)
    return event
  }

  #replay(records: readonly LogRecord[]): void {
    for (const { resource, key, version, value } of records) {
      const bytes = value === undefined ? undefined : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      this.#apply(resource, key, version, bytes && new Entry(resource, key, version, { bytes }))
    }
  }

  #compact(): void {
    if (this.#closed || this.#replaced.length < this.#compactionThreshold) return
    const keep = Math.floor(this.#compactionThreshold / 2)
    const dropped = this.#replaced.slice(0, this.#replaced.length - keep)
    this.#replaced = this.#replaced.slice(dropped.length)
    const versions = dropped.map(({ version }) => version)
    // Failing to drop old records harms nobody: they are dropped with the next ones.
    this.#log.forget(versions, dropped.at(-1)?.by ?? 0).catch(() => {
      this.#replaced = [...dropped, ...this.#replaced]
    })
  }
}

/** Writes that are stored together, or not at all. */
class Batch {
  readonly writes: Staged[] = []
  /** Resolved when the batch is either committed or refused. */
  readonly settled = Promise.withResolvers<void>()
}

function toRecord(staged: Staged): LogRecord {
  return { version: staged.version, resource: staged.resource, key: staged.key, value: staged.entry?.bytes }
}

function toEvent(version: number, entry: Entry | undefined, previous: Entry | undefined): StoreEvent | undefined {
  if (entry !== undefined) {
    return { type: previous === undefined ? 'ADDED' : 'MODIFIED', version, entry, previous, frames: undefined }
  }
  if (previous === undefined) return undefined
  const object = withMetadata(previous.object, { resourceVersion: String(version) })
  const last = new Entry(previous.resource, previous.key, version, { object })
  return { type: 'DELETED', version, entry: last, previous, frames: undefined }
}
