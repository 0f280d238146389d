/** The objects of a test world. */
import type { AnyKind } from '../../crds/define-kind.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import type { Manifest, Resource } from '../../crds/meta.ts'
import type { ObjectIdentity } from '../../reconcilers/effect.ts'
import type { Amounts, Desired, Index, StatusOf, Totals, Wish } from '../../reconcilers/world.ts'
import type { Reads } from './remembered.ts'
import { deepFreeze } from './resource-builder.ts'

type Kept = { readonly wish: Omit<Resource, 'status'>; readonly status: unknown }

const none: readonly never[] = Object.freeze([])
const noAmounts: Amounts = Object.freeze({})

/** The objects, with indexes and totals that follow each change. */
export class Store implements Desired {
  readonly #objects = new Map<string, Map<string, Kept>>()
  readonly #indexes = new Map<string, { index: Index; members: Map<string, Map<string, Kept>> }>()
  readonly #totals = new Map<string, { totals: Totals; sums: Map<string, Record<string, number>> }>()
  readonly #identities = new Map<string, string>()
  readonly #reads: Reads

  constructor(reads: Reads) {
    this.#reads = reads
  }

  put(object: Resource): void {
    const { status, ...wish } = deepFreeze(object)
    const present = this.find(object)
    if (present !== undefined) this.drop(present)
    this.#ofKind(object.kind).set(nameOf(object), { wish: Object.freeze(wish), status })
    this.#count({ wish, status }, 1)
  }

  drop(object: ObjectIdentity): void {
    const kept = this.#ofKind(object.kind).get(nameOf(object))
    if (kept === undefined) return
    this.#ofKind(object.kind).delete(nameOf(object))
    this.#count(kept, -1)
  }

  find(
    object: Pick<Manifest, 'kind'> & { readonly metadata: { name: string; namespace?: string } },
  ): Resource | undefined {
    const kept = this.#ofKind(object.kind).get(nameOf(object))
    if (kept === undefined) return undefined
    return kept.status === undefined ? kept.wish : ({ ...kept.wish, status: kept.status } as Resource)
  }

  all<K extends AnyKind>(kind: K): readonly (Wish<K> & { readonly status?: StatusOf<K> })[] {
    const kept = oldestFirst([...this.#ofKind(kind.kind).values()])
    return kept.map(({ wish, status }) => (status === undefined ? wish : { ...wish, status })) as never
  }

  get<K extends AnyKind>(kind: K, name: string, namespace?: string): Wish<K> | undefined {
    this.#reads.read(kind.kind)
    return this.#ofKind(kind.kind).get(key(name, namespace))?.wish as Wish<K> | undefined
  }

  status<K extends AnyKind, T>(
    kind: K,
    name: string,
    namespace: string | undefined,
    pick: (status: StatusOf<K>) => T,
  ): T | undefined {
    this.#reads.read(kind.kind)
    const status = this.#ofKind(kind.kind).get(key(name, namespace))?.status
    return status === undefined ? undefined : pick(status as StatusOf<K>)
  }

  list<K extends AnyKind>(index: Index<K>, value: string): readonly Wish<K>[] {
    this.#reads.read(index.kind.kind)
    const name = `${index.kind.kind}/${index.name}`
    let entry = this.#indexes.get(name)
    if (entry === undefined) {
      entry = { index: index as unknown as Index, members: new Map() }
      this.#indexes.set(name, entry)
      for (const kept of this.#ofKind(index.kind.kind).values()) addMember(entry, kept)
    }
    if (entry.index !== (index as unknown as Index)) throw new Error(`Cannot list: two indexes are named ${name}`)
    const members = entry.members.get(value)
    return members === undefined ? none : (oldestFirst([...members.values()]).map(({ wish }) => wish) as never)
  }

  total<K extends AnyKind>(totals: Totals<K>, totalKey: string): Amounts {
    this.#reads.read(totals.kind.kind)
    const name = `${totals.kind.kind}/${totals.name}`
    let entry = this.#totals.get(name)
    if (entry === undefined) {
      entry = { totals: totals as unknown as Totals, sums: new Map() }
      this.#totals.set(name, entry)
      for (const kept of this.#ofKind(totals.kind.kind).values()) addAmounts(entry, kept, 1)
    }
    return entry.sums.get(totalKey) ?? noAmounts
  }

  exists(kind: AnyKind, name: string, namespace?: string): boolean {
    this.#reads.read(kind.kind)
    return this.#ofKind(kind.kind).has(key(name, namespace))
  }

  identity(uid: string): string {
    this.#reads.read('Identity')
    return this.#identities.get(uid) ?? uid
  }

  #ofKind(kind: string): Map<string, Kept> {
    const present = this.#objects.get(kind)
    if (present !== undefined) return present
    const made = new Map<string, Kept>()
    this.#objects.set(kind, made)
    return made
  }

  #count(kept: Kept, sign: 1 | -1): void {
    for (const entry of this.#indexes.values()) {
      if (entry.index.kind.kind !== kept.wish.kind) continue
      if (sign === 1) addMember(entry, kept)
      if (sign === -1)
        for (const value of entry.index.values(kept.wish)) entry.members.get(value)?.delete(nameOf(kept.wish))
    }
    for (const entry of this.#totals.values())
      if (entry.totals.kind.kind === kept.wish.kind) addAmounts(entry, kept, sign)
    if (kept.wish.kind !== Allocation.kind) return
    const { type, value, holder } = (kept.wish as Wish<typeof Allocation>).spec
    if (type === 'Identity') this.#reads.changed('Identity')
    if (type === 'Identity' && sign === 1) this.#identities.set(holder.uid, value)
    if (type === 'Identity' && sign === -1) this.#identities.delete(holder.uid)
  }
}

function addMember(entry: { index: Index; members: Map<string, Map<string, Kept>> }, kept: Kept): void {
  for (const value of entry.index.values(kept.wish)) {
    const members = entry.members.get(value) ?? new Map<string, Kept>()
    entry.members.set(value, members.set(nameOf(kept.wish), kept))
  }
}

function addAmounts(
  entry: { totals: Totals; sums: Map<string, Record<string, number>> },
  kept: Kept,
  sign: 1 | -1,
): void {
  for (const { key: totalKey, amounts } of entry.totals.of(kept.wish)) {
    const sums = { ...entry.sums.get(totalKey) }
    for (const [name, amount] of Object.entries(amounts)) sums[name] = (sums[name] ?? 0) + sign * amount
    entry.sums.set(totalKey, sums)
  }
}

function oldestFirst(kept: Kept[]): Kept[] {
  return kept.sort((left, right) => (orderOf(left) < orderOf(right) ? -1 : 1))
}

function orderOf({ wish }: Kept): string {
  return `${wish.metadata.creationTimestamp} ${nameOf(wish)}`
}

function nameOf(object: { readonly metadata: { readonly name: string; readonly namespace?: string } }): string {
  return key(object.metadata.name, object.metadata.namespace)
}

function key(name: string, namespace: string | undefined): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}
