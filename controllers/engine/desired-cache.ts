import type { AnyKind } from '../../crds/define-kind.ts'
import type { Manifest, ObjectMeta, Resource } from '../../crds/meta.ts'
import type { Amounts, Index, Totals } from '../../reconcilers/world.ts'
import { withoutManagedFields } from '../api/managed-fields.ts'
import { deepFreeze } from '../deep-freeze.ts'
import { IndexState, noAmounts, TotalsState } from './desired-indexes.ts'
import { wishChanged } from './wish-changed.ts'

/** The key of an object in its kind: `namespace/name`, `/name` where it has no namespace. */
export type ObjectKey = string

/** The key of a name. */
export function objectKey(name: string, namespace: string | undefined): ObjectKey {
  return `${namespace ?? ''}/${name}`
}

/** The key of an object. */
export function keyOf({ name, namespace }: Pick<ObjectMeta, 'name' | 'namespace'>): ObjectKey {
  return objectKey(name, namespace)
}

/** Topics of the desired world. */
export const desiredTopics = {
  wish: (kind: AnyKind, key: ObjectKey) => `wish/${kind.kind}/${key}`,
  status: (kind: AnyKind, key: ObjectKey) => `status/${kind.kind}/${key}`,
  index: (index: Index, value: string) => `index/${index.name}/${value}`,
  total: (totals: Totals, key: string) => `total/${totals.name}/${key}`,
}

interface Entry {
  readonly object: Resource
  /** A write of ours that the API has not decided yet. Left out: the API has confirmed the object as it stands. */
  readonly pending?: Pending | undefined
  /** The field manager that last changed the spec. */
  readonly changedBy?: string | undefined
}

/** A write on its way. */
interface Pending {
  readonly write: 'Create' | 'Update' | 'Delete'
  /** What stood here before an update. */
  readonly before?: Resource
}

const nothing: readonly never[] = Object.freeze([])

/** All objects of one kind, as the API last showed them or as we have just written them. */
class Store {
  readonly kind: AnyKind
  readonly entries = new Map<ObjectKey, Entry>()
  /** uids deleted by us, until the watch says so too: an older event must not bring them back. */
  readonly deleted = new Set<string>()
  readonly indexes = new Map<string, IndexState>()
  readonly totals = new Map<string, TotalsState>()

  constructor(kind: AnyKind) {
    this.kind = kind
  }
}

/** What happened to an object in the cache. */
export interface ObjectChange {
  readonly kind: AnyKind
  readonly key: ObjectKey
  readonly before: Resource | undefined
  readonly after: Resource | undefined
  /** Whether the API said so; false for what we assumed or wrote ourselves. */
  readonly fromAPI: boolean
}

/** Options of the cache. */
export interface DesiredCacheOptions {
  readonly kinds: readonly AnyKind[]
  /** A topic's value has changed. */
  readonly notify: (topic: string) => void
  /** An object has changed. */
  readonly changed: (change: ObjectChange) => void
}

/** The desired world: every object, found by name, index and sum, with what we wrote a moment ago already in it. */
export class DesiredCache {
  readonly #stores = new Map<string, Store>()
  readonly #notify: (topic: string) => void
  readonly #changed: (change: ObjectChange) => void

  constructor({ kinds, notify, changed }: DesiredCacheOptions) {
    for (const kind of kinds) this.#stores.set(kind.kind, new Store(kind))
    this.#notify = notify
    this.#changed = changed
  }

  /** The object of that key, assumed or confirmed. */
  get(kind: AnyKind, key: ObjectKey): Resource | undefined {
    return this.#store(kind).entries.get(key)?.object
  }

  /** The field manager that last changed the spec of an object, where the API tells. */
  changedBy(kind: AnyKind, key: ObjectKey): string | undefined {
    return this.#store(kind).entries.get(key)?.changedBy
  }

  /** Whether the object is there and the API has confirmed it as it stands. */
  isConfirmed(kind: AnyKind, key: ObjectKey): boolean {
    const entry = this.#store(kind).entries.get(key)
    return entry !== undefined && entry.pending === undefined
  }

  /** All objects of a kind. */
  all(kind: AnyKind): Iterable<Resource> {
    return iterate(this.#store(kind).entries.values())
  }

  /** How many objects of a kind there are. */
  count(kind: AnyKind): number {
    return this.#store(kind).entries.size
  }

  /** Objects by a value of an index, oldest first. The same reference while none of them has changed. */
  list(index: Index, value: string): readonly Resource[] {
    const state = this.#index(index)
    const known = state.answers.get(value)
    if (known !== undefined) return known
    const members = state.members.get(value)
    if (members === undefined) return nothing
    const store = this.#store(index.kind)
    const objects: Resource[] = []
    for (const key of members) {
      const entry = store.entries.get(key)
      if (entry !== undefined) objects.push(entry.object)
    }
    objects.sort(oldestFirst)
    const answer = Object.freeze(objects)
    state.answers.set(value, answer)
    return answer
  }

  /** The same by the index's name, as topics have it; nothing where no kind has such an index. */
  listNamed(name: string, value: string): readonly Resource[] {
    for (const { indexes } of this.#stores.values()) {
      const state = indexes.get(name)
      if (state !== undefined) return this.list(state.index, value)
    }
    return nothing
  }

  /** The sums of a key. */
  total(totals: Totals, key: string): Amounts {
    return this.#totals(totals).sums.get(key) ?? noAmounts
  }

  /**
   * A complete list of a kind has come, as of that version. Assumed objects stay, as their answer is still to come, and
   * so does what is younger than the list: we wrote it while the list was on its way.
   */
  replace(kind: AnyKind, objects: readonly Resource[], resourceVersion: string): void {
    const store = this.#store(kind)
    const present = new Set<ObjectKey>()
    const uids = new Set<string>()
    for (const object of objects) {
      present.add(keyOf(object.metadata))
      uids.add(object.metadata.uid)
      this.upsert(kind, object)
    }
    for (const uid of store.deleted) if (!uids.has(uid)) store.deleted.delete(uid)
    for (const [key, entry] of store.entries) {
      if (present.has(key) || entry.pending !== undefined) continue
      if (!isLater(entry.object.metadata.resourceVersion, resourceVersion)) this.#set(store, key, undefined, true)
    }
  }

  /** The API shows an object. One older than what is known changes nothing. */
  upsert(kind: AnyKind, object: Resource): void {
    const store = this.#store(kind)
    if (store.deleted.has(object.metadata.uid)) return
    const key = keyOf(object.metadata)
    const entry = store.entries.get(key)
    if (entry !== undefined && !isNewer(object.metadata, entry.object.metadata)) return
    this.#set(store, key, entryOf(object, entry), true)
  }

  /** The API says that an object is gone. */
  remove(kind: AnyKind, metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'uid'>): void {
    const store = this.#store(kind)
    store.deleted.delete(metadata.uid)
    const key = keyOf(metadata)
    const entry = store.entries.get(key)
    if (entry === undefined || entry.object.metadata.uid !== metadata.uid) return
    this.#set(store, key, undefined, true)
  }

  /** Takes a creation as done before the API has answered. Undefined when something of that name is there already. */
  assumeCreated(kind: AnyKind, manifest: Manifest, now: string): Assumption | undefined {
    const store = this.#store(kind)
    const key = keyOf(manifest.metadata)
    if (store.entries.has(key)) return undefined
    const object = deepFreeze<Resource>({
      ...manifest,
      metadata: {
        ...manifest.metadata,
        uid: `assumed-${kind.kind}-${key}`,
        resourceVersion: '',
        generation: 1,
        creationTimestamp: now,
      },
    })
    return this.#assume(store, key, { object, pending: { write: 'Create' } })
  }

  /** Takes an update of a spec as done before the API has answered. */
  assumeUpdated(
    kind: AnyKind,
    metadata: Pick<ObjectMeta, 'name' | 'namespace'>,
    spec: unknown,
  ): Assumption | undefined {
    const store = this.#store(kind)
    const key = keyOf(metadata)
    const entry = store.entries.get(key)
    if (entry === undefined || entry.pending !== undefined) return undefined
    const object = deepFreeze<Resource>({ ...entry.object, spec })
    return this.#assume(store, key, { ...entry, object, pending: { write: 'Update', before: entry.object } })
  }

  /** Takes note that a deletion is on its way: the object is still there, and nothing rests on it any more. */
  assumeDeleted(kind: AnyKind, metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'uid'>): Assumption | undefined {
    const store = this.#store(kind)
    const key = keyOf(metadata)
    const entry = store.entries.get(key)
    if (entry === undefined || entry.pending !== undefined) return undefined
    if (entry.object.metadata.uid !== metadata.uid) return undefined
    return this.#assume(store, key, { ...entry, pending: { write: 'Delete' } })
  }

  /** An object as the API answered our write with. */
  written(kind: AnyKind, object: Resource): void {
    this.#answered(this.#store(kind), object, undefined)
  }

  /** A deletion that the API has carried out for us: gone at once, and no older event brings it back. */
  deleted(kind: AnyKind, metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'uid'>): void {
    const store = this.#store(kind)
    const key = keyOf(metadata)
    const entry = store.entries.get(key)
    if (entry === undefined || entry.object.metadata.uid !== metadata.uid) return
    store.deleted.add(metadata.uid)
    this.#set(store, key, undefined, false)
  }

  #answered(store: Store, object: Resource, to: Pending | undefined): void {
    const key = keyOf(object.metadata)
    const entry = store.entries.get(key)
    // An update that changes nothing is answered with the version that was there.
    const isAnswer = to !== undefined && entry?.pending === to && !isNewer(entry.object.metadata, object.metadata)
    if (entry !== undefined && !isAnswer && !isNewer(object.metadata, entry.object.metadata)) return
    if (store.deleted.has(object.metadata.uid)) return
    this.#set(store, key, entryOf(object, entry, to), false)
  }

  #assume(store: Store, key: ObjectKey, assumed: Entry & { readonly pending: Pending }): Assumption {
    const { pending } = assumed
    const own = () => {
      const entry = store.entries.get(key)
      return entry?.pending === pending ? entry : undefined
    }
    this.#set(store, key, assumed, false)
    return {
      isOpen: () => own() !== undefined,
      confirm: answer => {
        if (answer === undefined) this.deleted(store.kind, assumed.object.metadata)
        else this.#answered(store, answer, pending)
      },
      withdraw: () => {
        const entry = own()
        if (entry === undefined) return
        const { pending: _, ...shown } = entry
        const stays = {
          Create: undefined,
          Delete: shown,
          Update: pending.before && { ...shown, object: pending.before },
        }
        this.#set(store, key, stays[pending.write], false)
      },
    }
  }

  #set(store: Store, key: ObjectKey, entry: Entry | undefined, fromAPI: boolean): void {
    const before = store.entries.get(key)
    if (entry === undefined) store.entries.delete(key)
    else store.entries.set(key, entry)
    const wish = wishChanged(store.kind, before?.object, entry?.object)
    // Who was held back by a write on its way goes on when it is decided; that one begins tells nobody anything.
    const confirmed = before?.pending !== undefined && entry?.pending === undefined
    for (const state of store.indexes.values())
      for (const value of state.change(key, before?.object, entry?.object))
        if (wish || confirmed) this.#notify(desiredTopics.index(state.index, value))
    if (wish)
      for (const state of store.totals.values())
        for (const sum of state.change(before?.object, entry?.object))
          this.#notify(desiredTopics.total(state.totals, sum))
    if (wish || confirmed) this.#notify(desiredTopics.wish(store.kind, key))
    if (before?.object.status !== entry?.object.status) this.#notify(desiredTopics.status(store.kind, key))
    this.#changed({ kind: store.kind, key, before: before?.object, after: entry?.object, fromAPI })
  }

  #index(index: Index): IndexState {
    const store = this.#store(index.kind)
    const known = store.indexes.get(index.name)
    if (known !== undefined) return known
    const state = new IndexState(index)
    store.indexes.set(index.name, state)
    for (const [key, { object }] of store.entries) state.change(key, undefined, object)
    return state
  }

  #totals(totals: Totals): TotalsState {
    const store = this.#store(totals.kind)
    const known = store.totals.get(totals.name)
    if (known !== undefined) return known
    const state = new TotalsState(totals)
    store.totals.set(totals.name, state)
    for (const { object } of store.entries.values()) state.change(undefined, object)
    return state
  }

  #store(kind: AnyKind): Store {
    const store = this.#stores.get(kind.kind)
    if (store === undefined) throw new Error(`Cannot read ${kind.kind}: the engine was not given this kind`)
    return store
  }
}

/** A write of ours, taken as done until the API has decided. */
export interface Assumption {
  /** Whether it is still undecided: neither its answer nor a watch event has told. */
  isOpen(): boolean
  /** This is what there is since; undefined: there is no such object. */
  confirm(answer: Resource | undefined): void
  /** The API has refused it: what stood there before stands there again. */
  withdraw(): void
}

function* iterate(entries: Iterable<Entry>): Iterable<Resource> {
  for (const { object } of entries) yield object
}

/** Resource versions of one API server are numbers that grow; others are only ever compared for equality. */
function isNewer(metadata: ObjectMeta, known: ObjectMeta): boolean {
  if (known.resourceVersion === metadata.resourceVersion) return false
  const numbers = !Number.isNaN(Number(metadata.resourceVersion)) && !Number.isNaN(Number(known.resourceVersion))
  return !numbers || isLater(metadata.resourceVersion, known.resourceVersion)
}

function isLater(left: string, right: string): boolean {
  return Number(left) > Number(right)
}

/**
 * Whether a newer version that the watch shows says what became of a write on its way. One of ours was of the version
 * before and can no longer take effect; a deletion is of whatever version is there, until the object is being deleted.
 */
function decides({ metadata }: Resource, entry: Entry | undefined): boolean {
  if (entry?.pending?.write !== 'Delete') return true
  return metadata.uid !== entry.object.metadata.uid || metadata.deletionTimestamp !== undefined
}

/** Of several made in the same second the first by name: who is older must not be chance, nor change with the answer's uid. */
function oldestFirst(left: Resource, right: Resource): number {
  const [a, b] = [left.metadata, right.metadata]
  if (a.creationTimestamp !== b.creationTimestamp) return a.creationTimestamp < b.creationTimestamp ? -1 : 1
  return keyOf(a) < keyOf(b) ? -1 : 1
}

/** What stands where an object is shown. A deletion on its way stays so, unless this answers or decides it. */
function entryOf(object: Resource, known: Entry | undefined, answered?: Pending): Entry {
  const pending = known?.pending === answered || decides(object, known) ? undefined : known?.pending
  const { object: lean, changedBy = known?.changedBy } = withoutManagedFields(object)
  return { object: deepFreeze(lean), pending, changedBy }
}
