import deepEqual from 'fast-deep-equal'
import type { AnyKind } from '../../crds/define-kind.ts'
import type { Manifest, ObjectMeta, Resource } from '../../crds/meta.ts'
import type { Amounts, Index, Totals } from '../../reconcilers/world.ts'
import { deepFreeze } from './deep-freeze.ts'
import { withoutManagedFields } from './managed-fields.ts'
import { wishChanged } from './wish-changed.ts'

/** The key of an object in its kind: `namespace/name`, `/name` where it has no namespace. */
export type ObjectKey = string

/** The key of a name. */
export function objectKey(name: string, namespace: string | undefined): ObjectKey {
  return `${namespace ?? ''}/${name}`
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
  /** Not yet confirmed by the API: written by us, or about to be. */
  readonly assumed: boolean
  /** What stood here before an assumed update. */
  readonly before?: Resource | undefined
  /** The field manager that last changed the spec. */
  readonly changedBy?: string | undefined
}

interface IndexState {
  readonly index: Index
  readonly members: Map<string, Set<ObjectKey>>
  /** Answers given, kept until their value changes: the same reference while nothing changed. */
  readonly answers: Map<string, readonly Resource[]>
}

interface TotalsState {
  readonly totals: Totals
  readonly sums: Map<string, Record<string, number>>
}

const nothing: readonly never[] = Object.freeze([])
const noAmounts: Amounts = Object.freeze({})

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
    return this.#store(kind).entries.get(key)?.assumed === false
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
      present.add(objectKey(object.metadata.name, object.metadata.namespace))
      uids.add(object.metadata.uid)
      this.upsert(kind, object)
    }
    for (const uid of store.deleted) if (!uids.has(uid)) store.deleted.delete(uid)
    for (const [key, entry] of store.entries) {
      if (present.has(key) || entry.assumed) continue
      if (!isLater(entry.object.metadata.resourceVersion, resourceVersion)) this.#set(store, key, undefined, true)
    }
  }

  /** The API shows an object. One older than what is known changes nothing. */
  upsert(kind: AnyKind, object: Resource): void {
    const store = this.#store(kind)
    if (store.deleted.has(object.metadata.uid)) return
    const key = objectKey(object.metadata.name, object.metadata.namespace)
    const entry = store.entries.get(key)
    if (entry !== undefined && !isNewer(object.metadata, entry.object.metadata)) return
    this.#set(store, key, entryOf(object, entry), true)
  }

  /** The API says that an object is gone. */
  remove(kind: AnyKind, metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'uid'>): void {
    const store = this.#store(kind)
    store.deleted.delete(metadata.uid)
    const key = objectKey(metadata.name, metadata.namespace)
    const entry = store.entries.get(key)
    if (entry === undefined || entry.object.metadata.uid !== metadata.uid) return
    this.#set(store, key, undefined, true)
  }

  /** Takes a creation as done before the API has answered. Undefined when something of that name is there already. */
  assumeCreated(kind: AnyKind, manifest: Manifest, now: string): Assumption | undefined {
    const store = this.#store(kind)
    const key = objectKey(manifest.metadata.name, manifest.metadata.namespace)
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
    this.#set(store, key, { object, assumed: true }, false)
    return this.#assumption(store, key, object)
  }

  /** Takes an update of a spec as done before the API has answered. */
  assumeUpdated(
    kind: AnyKind,
    metadata: Pick<ObjectMeta, 'name' | 'namespace'>,
    spec: unknown,
  ): Assumption | undefined {
    const store = this.#store(kind)
    const key = objectKey(metadata.name, metadata.namespace)
    const entry = store.entries.get(key)
    if (entry === undefined || entry.assumed) return undefined
    const object = deepFreeze<Resource>({ ...entry.object, spec })
    this.#set(store, key, { object, assumed: true, before: entry.object, changedBy: entry.changedBy }, false)
    return this.#assumption(store, key, object)
  }

  /** An object as the API answered our write with. */
  written(kind: AnyKind, object: Resource): void {
    const store = this.#store(kind)
    const key = objectKey(object.metadata.name, object.metadata.namespace)
    const entry = store.entries.get(key)
    if (entry !== undefined && !isNewer(object.metadata, entry.object.metadata) && !isAnswer(object, entry)) return
    if (store.deleted.has(object.metadata.uid)) return
    this.#set(store, key, entryOf(object, entry), false)
  }

  /** A deletion that the API has carried out for us: gone at once, and no older event brings it back. */
  deleted(kind: AnyKind, metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'uid'>): void {
    const store = this.#store(kind)
    const key = objectKey(metadata.name, metadata.namespace)
    const entry = store.entries.get(key)
    if (entry === undefined || entry.object.metadata.uid !== metadata.uid) return
    store.deleted.add(metadata.uid)
    this.#set(store, key, undefined, false)
  }

  #assumption(store: Store, key: ObjectKey, object: Resource): Assumption {
    return {
      confirm: answer => this.written(store.kind, answer),
      withdraw: () => {
        const entry = store.entries.get(key)
        if (entry?.object !== object) return
        this.#set(store, key, entry.before && { ...entry, object: entry.before, assumed: false }, false)
      },
    }
  }

  #set(store: Store, key: ObjectKey, entry: Entry | undefined, fromAPI: boolean): void {
    const before = store.entries.get(key)
    if (entry === undefined) store.entries.delete(key)
    else store.entries.set(key, entry)
    const wish = wishChanged(store.kind, before?.object, entry?.object)
    const confirmed = before?.assumed !== entry?.assumed
    for (const state of store.indexes.values())
      this.#reindex(state, key, before?.object, entry?.object, wish || confirmed)
    if (wish) for (const state of store.totals.values()) this.#resum(state, before?.object, entry?.object)
    if (wish || confirmed) this.#notify(desiredTopics.wish(store.kind, key))
    if (before?.object.status !== entry?.object.status) this.#notify(desiredTopics.status(store.kind, key))
    this.#changed({ kind: store.kind, key, before: before?.object, after: entry?.object, fromAPI })
  }

  #reindex(
    state: IndexState,
    key: ObjectKey,
    before: Resource | undefined,
    after: Resource | undefined,
    notable: boolean,
  ): void {
    const old = before === undefined ? nothing : state.index.values(before)
    const next = after === undefined ? nothing : state.index.values(after)
    for (const value of old) {
      if (!next.includes(value)) {
        const members = state.members.get(value)
        members?.delete(key)
        if (members?.size === 0) state.members.delete(value)
      }
      state.answers.delete(value)
    }
    for (const value of next) {
      const members = state.members.get(value)
      if (members === undefined) state.members.set(value, new Set([key]))
      else members.add(key)
      state.answers.delete(value)
    }
    if (!notable) return
    for (const value of old) this.#notify(desiredTopics.index(state.index, value))
    for (const value of next) if (!old.includes(value)) this.#notify(desiredTopics.index(state.index, value))
  }

  #resum(state: TotalsState, before: Resource | undefined, after: Resource | undefined): void {
    const touched = new Map<string, Amounts>()
    const add = (resource: Resource, sign: 1 | -1) => {
      for (const { key, amounts } of state.totals.of(resource)) {
        const known = state.sums.get(key)
        if (!touched.has(key)) touched.set(key, known ?? noAmounts)
        const sums: Record<string, number> = { ...known }
        for (const [name, amount] of Object.entries(amounts)) sums[name] = (sums[name] ?? 0) + sign * amount
        state.sums.set(key, sums)
      }
    }
    if (before !== undefined) add(before, -1)
    if (after !== undefined) add(after, 1)
    for (const [key, sums] of touched) {
      const now = state.sums.get(key)
      if (now !== undefined && Object.values(now).every(amount => amount === 0)) state.sums.delete(key)
      if (!deepEqual(sums, state.sums.get(key) ?? noAmounts)) this.#notify(desiredTopics.total(state.totals, key))
    }
  }

  #index(index: Index): IndexState {
    const store = this.#store(index.kind)
    const known = store.indexes.get(index.name)
    if (known !== undefined) return known
    const state: IndexState = { index, members: new Map(), answers: new Map() }
    store.indexes.set(index.name, state)
    for (const [key, { object }] of store.entries) {
      for (const value of index.values(object)) {
        const members = state.members.get(value)
        if (members === undefined) state.members.set(value, new Set([key]))
        else members.add(key)
      }
    }
    return state
  }

  #totals(totals: Totals): TotalsState {
    const store = this.#store(totals.kind)
    const known = store.totals.get(totals.name)
    if (known !== undefined) return known
    const state: TotalsState = { totals, sums: new Map() }
    store.totals.set(totals.name, state)
    for (const { object } of store.entries.values()) this.#resum(state, undefined, object)
    return state
  }

  #store(kind: AnyKind): Store {
    const store = this.#stores.get(kind.kind)
    if (store === undefined) throw new Error(`Cannot read ${kind.kind}: the engine was not given this kind`)
    return store
  }
}

/** What we took as done, until the API has answered. */
export interface Assumption {
  /** The API has carried it out and shows this. */
  confirm(answer: Resource): void
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

/** The API answers an update that changes nothing with the version that was there. */
function isAnswer({ metadata }: Resource, { assumed, object }: Entry): boolean {
  return assumed && object.metadata.resourceVersion === metadata.resourceVersion
}

/** Of several made in the same second the first by name: who is older must not be chance, nor change with the answer's uid. */
function oldestFirst(left: Resource, right: Resource): number {
  const [a, b] = [left.metadata, right.metadata]
  if (a.creationTimestamp !== b.creationTimestamp) return a.creationTimestamp < b.creationTimestamp ? -1 : 1
  return objectKey(a.name, a.namespace) < objectKey(b.name, b.namespace) ? -1 : 1
}

function entryOf(object: Resource, known: Entry | undefined): Entry {
  if (Object.isFrozen(object)) return { object, assumed: false, changedBy: known?.changedBy }
  const { object: lean, changedBy = known?.changedBy } = withoutManagedFields(object)
  return { object: deepFreeze(lean), assumed: false, changedBy }
}
