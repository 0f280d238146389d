/** A small world in memory for tests of reconcilers: what is wished, what is observed, and a clock that tests move. */
import type { AnyKind } from '../../crds/define-kind.ts'
import type { Manifest, Resource } from '../../crds/meta.ts'
import type { Operation } from '../../drivers/contract/operation.ts'
import type { Effect, ObjectIdentity } from '../../reconcilers/effect.ts'
import type { StatusOf, Wish, World } from '../../reconcilers/world.ts'
import { Store } from './desired-store.ts'
import { heldOf } from './held.ts'
import { type ObservedParts, ObservedTables } from './observed-tables.ts'
import { Reads } from './remembered.ts'
import { uidOf } from './resource-builder.ts'

/** What a test world begins with. */
export interface WorldParts extends ObservedParts {
  readonly objects?: readonly Resource[]
  /** Default `installation-1`. */
  readonly installation?: string
  /** The present moment. Default 2026-11-02T12:00:00Z. */
  readonly now?: string
}

/** The world of a test. */
export interface TestWorld extends World {
  /** Creates or replaces objects. */
  put(...objects: readonly Resource[]): void
  /** Takes objects away. */
  drop(...objects: readonly ObjectIdentity[]): void
  /** Changes what is observed. */
  see(parts: ObservedParts): void
  /** Moves the clock. */
  advance(milliseconds: number): void
  /** All objects of a kind, with their status, oldest first. */
  all<K extends AnyKind>(kind: K): readonly (Wish<K> & { readonly status?: StatusOf<K> })[]
  /**
   * Does the API's part of the effects: creates, replaces and deletes objects. An object with finalizers is marked as
   * being deleted. Answers with the driver operations, which the test carries out as it likes.
   */
  apply(effects: readonly Effect[]): readonly Operation[]
  /** Names of the queues through which something was read. */
  readonly queues: ReadonlySet<string>
}

const none: readonly never[] = Object.freeze([])

/** A world of these parts. */
export function worldOf(parts: WorldParts = {}): TestWorld {
  const installation = parts.installation ?? 'installation-1'
  const reads = new Reads()
  const store = new Store(reads)
  const observed = new ObservedTables(reads, installation)
  const queues = new Set<string>()
  let now = Date.parse(parts.now ?? '2026-11-02T12:00:00Z')

  function put(...objects: readonly Resource[]): void {
    for (const object of objects) {
      store.put(object)
      reads.changed(object.kind)
    }
  }

  function drop(...objects: readonly ObjectIdentity[]): void {
    for (const object of objects) {
      store.drop(object)
      reads.changed(object.kind)
    }
  }

  function see(changes: ObservedParts): void {
    observed.see(changes)
    reads.changed('observed')
  }

  function apply(effects: readonly Effect[]): readonly Operation[] {
    const operations: Operation[] = []
    for (const effect of effects) {
      if (effect.effect === 'Operate') operations.push(effect.operation)
      if (effect.effect === 'Create') create(effect.object)
      if (effect.effect === 'Update') replaceSpec(effect.object, effect.object.spec)
      if (effect.effect === 'Delete') remove(effect.object)
    }
    return operations
  }

  function create(manifest: Manifest): void {
    if (store.find(manifest) !== undefined) return
    const { kind, metadata } = manifest
    const moment = world.now()
    const uid = uidOf(kind, metadata.name, metadata.namespace)
    put({ ...manifest, metadata: { uid, resourceVersion: '1', generation: 1, creationTimestamp: moment, ...metadata } })
  }

  function replaceSpec(identity: ObjectIdentity, spec: unknown): void {
    const present = store.find(identity)
    if (present === undefined) throw new Error(`Cannot update ${identity.kind} ${identity.metadata.name}: it is gone`)
    const { resourceVersion, generation } = present.metadata
    if (identity.metadata.resourceVersion !== resourceVersion) throw new Error('Cannot update: the object has changed')
    const metadata = {
      ...present.metadata,
      resourceVersion: `${Number(resourceVersion) + 1}`,
      generation: generation + 1,
    }
    put({ ...present, metadata, spec })
  }

  function remove(identity: ObjectIdentity): void {
    const present = store.find(identity)
    if (present === undefined || present.metadata.uid !== identity.metadata.uid) return
    const kept = (present.metadata.finalizers ?? []).length > 0
    if (kept) put({ ...present, metadata: { ...present.metadata, deletionTimestamp: world.now() } })
    if (!kept) drop(identity)
  }

  const world: TestWorld = {
    installation,
    desired: store,
    observed,
    identity: resource => store.identity(resource.metadata.uid),
    held: (holdings, place) => {
      reads.read(holdings.kind.kind)
      const claims = store.all(holdings.kind)
      return heldOf(holdings, place, {
        installation,
        claims,
        machines: observed.allMachines(),
        volumes: observed.allVolumes(),
      })
    },
    operations: identity => observed.operations.get(identity) ?? none,
    elapsed(since, limit) {
      reads.read('time')
      return now - Date.parse(since) >= limit
    },
    now: () => `${new Date(now).toISOString().slice(0, 19)}Z`,
    derived: (definition, name) => reads.remember(definition, name, passOf(world)),
    queued(queue) {
      queues.add(queue)
      return world
    },
    put,
    drop,
    see,
    apply,
    advance(milliseconds) {
      now += milliseconds
      reads.changed('time')
    },
    all: kind => store.all(kind),
    queues,
  }
  put(...(parts.objects ?? []))
  see(parts)
  return world
}

/** The world as one pass has it: what is computed once a pass is computed anew. Hand this to whatever judges. */
export function passOf(world: TestWorld): World {
  return { ...world }
}
