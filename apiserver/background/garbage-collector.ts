/** Deletes what its owners have left behind, and holds owners until their dependents are gone (or let go). */

import deepEqual from 'fast-deep-equal'
import { isGuarded } from '../admission/deletion-guards.ts'
import type { APIObject, OwnerReference } from '../api-object.ts'
import { keyOf, withMetadata } from '../api-object.ts'
import type { ServedResource } from '../registry.ts'
import type { ServerContext } from '../scope.ts'
import type { Entry } from '../storage/entry.ts'
import type { StoreEvent } from '../storage/history.ts'
import { foregroundFinalizer, orphanFinalizer } from '../verbs/delete.ts'
import { changeObject, removeFinalizer, removeObject } from './change.ts'
import type { Worker } from './worker.ts'
import { startWorker } from './worker.ts'

const noOwners: readonly OwnerReference[] = []

/** How an owner that an object names stands. */
type OwnerState = 'solid' | 'dangling' | 'waiting'

/** Follows the store and collects garbage; the answer stops it. */
export function startGarbageCollector(context: ServerContext): () => void {
  const collector = new GarbageCollector(context)
  return () => collector.stop()
}

class GarbageCollector {
  readonly #context: ServerContext
  /** Addresses of the objects that name an owner, by the owner's UID. */
  readonly #dependents = new Map<string, Set<string>>()
  readonly #worker: Worker

  constructor(context: ServerContext) {
    this.#context = context
    this.#worker = startWorker(context.environment.clock, address => this.#visit(address))
    for (const collection of context.store.collections()) {
      for (const entry of collection.entries.values()) {
        this.#link(entry)
        this.#consider(entry)
      }
    }
    context.store.onCommit(events => {
      for (const event of events) this.#observe(event)
    })
  }

  stop(): void {
    this.#worker.stop()
  }

  #observe({ type, entry, previous }: StoreEvent): void {
    if (type === 'DELETED') for (const address of this.#dependents.get(entry.uid) ?? []) this.#worker.enqueue(address)
    if (isCollectorsToFinish(entry.object)) this.#worker.enqueue(addressOf(entry))
    const before = previous === undefined ? noOwners : ownersOf(previous)
    const after = type === 'DELETED' ? noOwners : ownersOf(entry)
    if (before === after || deepEqual(before, after)) {
      // Nearly every event: nothing about owners has changed.
      if (after.length > 0 && previous !== undefined && this.#isFreed(previous, entry)) this.#consider(entry)
      return
    }
    if (previous !== undefined) this.#unlink(previous)
    if (after.length > 0) this.#link(entry)
    if (type !== 'DELETED') this.#consider(entry)
    // An owner may be waiting for this very dependent to go or to let go.
    for (const owner of before) this.#wakeOwner(entry, owner)
  }

  /** Whether it was protected from deletion, and is no more. */
  #isFreed(before: Entry, after: Entry): boolean {
    const { admission, registry } = this.#context
    const group = registry.ofCollection(after.resource)?.definition.group ?? ''
    const isKept = ({ object }: Entry) => isGuarded(admission.deletionGuards, group, object)
    return isKept(before) && !isKept(after)
  }

  #consider(entry: Entry): void {
    if (ownersOf(entry).length > 0 || isCollectorsToFinish(entry.object)) this.#worker.enqueue(addressOf(entry))
  }

  #wakeOwner(dependent: Entry, reference: OwnerReference): void {
    const owner = this.#find(dependent, reference)
    if (owner !== undefined && isCollectorsToFinish(owner.object)) this.#worker.enqueue(addressOf(owner))
  }

  #link(entry: Entry): void {
    for (const { uid } of ownersOf(entry)) {
      const dependents = this.#dependents.get(uid) ?? new Set()
      this.#dependents.set(uid, dependents.add(addressOf(entry)))
    }
  }

  #unlink(entry: Entry): void {
    for (const { uid } of ownersOf(entry)) {
      const dependents = this.#dependents.get(uid)
      dependents?.delete(addressOf(entry))
      if (dependents?.size === 0) this.#dependents.delete(uid)
    }
  }

  async #visit(address: string): Promise<void> {
    const entry = this.#read(address)
    const resource = entry && this.#context.registry.ofCollection(entry.resource)
    if (entry === undefined || resource === undefined) return
    if (isCollectorsToFinish(entry.object)) await this.#finish(resource, entry)
    else if (entry.object.metadata.deletionTimestamp === undefined) await this.#judge(resource, entry)
  }

  /** Serves the finalizers `orphan` and `foregroundDeletion`. */
  async #finish(resource: ServedResource, entry: Entry): Promise<void> {
    const { finalizers = [] } = entry.object.metadata
    const dependents = this.#dependentsOf(entry)
    if (finalizers.includes(orphanFinalizer)) {
      await Promise.all(dependents.map(dependent => this.#disown(dependent, new Set([entry.uid]))))
      await removeFinalizer(this.#context, resource, entry.key, orphanFinalizer)
      return
    }
    if (!dependents.some(dependent => isBlocking(dependent, entry.uid))) {
      await removeFinalizer(this.#context, resource, entry.key, foregroundFinalizer)
    }
    for (const dependent of dependents) this.#worker.enqueue(addressOf(dependent))
  }

  /** Decides by its owners whether an object stays. */
  async #judge(resource: ServedResource, entry: Entry): Promise<void> {
    const owners = ownersOf(entry)
    if (owners.length === 0) return
    const states = owners.map(owner => ({ uid: owner.uid, state: this.#stateOf(entry, owner) }))
    const gone = states.filter(({ state }) => state !== 'solid')
    if (gone.length === 0) return
    if (gone.length < owners.length) return this.#disown(entry, new Set(gone.map(({ uid }) => uid)))
    const waited = states.some(({ state }) => state === 'waiting')
    // A dependent with dependents of its own must go before its owner does, and after them.
    const foreground = waited && this.#dependents.has(entry.uid)
    const propagation = foreground ? 'Foreground' : undefined
    await removeObject(this.#context, resource, entry.key, { uid: entry.uid, propagation })
  }

  #stateOf(entry: Entry, reference: OwnerReference): OwnerState {
    const resource = this.#context.registry.ofKind(reference.apiVersion, reference.kind)
    // Nothing is deleted on missing evidence: the kind may be served again.
    if (resource === undefined) return 'solid'
    // A cluster-scoped object cannot be owned by one in a namespace: the reference means nothing.
    if (resource.definition.namespaced && entry.namespace === '') return 'solid'
    const owner = this.#find(entry, reference)
    if (owner === undefined) return 'dangling'
    const { deletionTimestamp, finalizers = [] } = owner.object.metadata
    return deletionTimestamp !== undefined && finalizers.includes(foregroundFinalizer) ? 'waiting' : 'solid'
  }

  #find(entry: Entry, { apiVersion, kind, name, uid }: OwnerReference): Entry | undefined {
    const resource = this.#context.registry.ofKind(apiVersion, kind)
    if (resource === undefined) return undefined
    const key = keyOf(resource.definition.namespaced ? entry.namespace : '', name)
    const owner = this.#context.store.get(resource.collection, key)
    return owner?.uid === uid ? owner : undefined
  }

  #dependentsOf(entry: Entry): readonly Entry[] {
    const addresses = [...(this.#dependents.get(entry.uid) ?? [])]
    return addresses.map(address => this.#read(address)).filter(dependent => dependent !== undefined)
  }

  async #disown(entry: Entry, uids: ReadonlySet<string>): Promise<void> {
    const resource = this.#context.registry.ofCollection(entry.resource)
    if (resource === undefined) return
    await changeObject(this.#context, resource, entry.key, object => {
      const kept = (object.metadata.ownerReferences ?? []).filter(owner => !uids.has(owner.uid))
      return withMetadata(object, { ownerReferences: kept.length > 0 ? kept : undefined })
    })
  }

  #read(address: string): Entry | undefined {
    const space = address.indexOf(' ')
    return this.#context.store.get(address.slice(0, space), address.slice(space + 1))
  }
}

function addressOf(entry: Entry): string {
  return `${entry.resource} ${entry.key}`
}

function ownersOf(entry: Entry): readonly OwnerReference[] {
  return entry.object.metadata.ownerReferences ?? noOwners
}

function isBlocking(dependent: Entry, owner: string): boolean {
  return ownersOf(dependent).some(reference => reference.uid === owner && reference.blockOwnerDeletion === true)
}

/** True for an object whose deletion waits for the collector. */
function isCollectorsToFinish({ metadata }: APIObject): boolean {
  const { deletionTimestamp, finalizers = [] } = metadata
  if (deletionTimestamp === undefined) return false
  return finalizers.includes(foregroundFinalizer) || finalizers.includes(orphanFinalizer)
}
