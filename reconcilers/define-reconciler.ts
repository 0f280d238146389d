import type { AnyKind } from '../crds/define-kind.ts'
import type { Endpoint } from '../drivers/contract/endpoint.ts'
import type { Fields } from './fields.ts'
import type { HostVerdict, PlacementRequest } from './placement/request.ts'
import type { Verdict } from './verdict.ts'
import type { Index, StatusOf, Wish, World } from './world.ts'

/** Removes readonly all the way down: the shape of an immer draft. */
export type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
    : T

/** One step towards what a resource wishes, owner of one condition. */
export interface Phase<K extends AnyKind> {
  readonly condition: string
  /** Conditions that must be True before its effects are carried out. It is judged all the same. */
  readonly needs?: readonly string[]
  /** `Ready` does not depend on it. Default: it does. */
  readonly informational?: boolean
  readonly judge: (self: Wish<K>, world: World) => Verdict
}

/** A resource that the spec refers to, and the field that does. */
export interface Reference {
  readonly kind: AnyKind
  readonly name: string
  readonly namespace?: string | undefined
  readonly field: string
}

/** Who may be using a resource: objects found by an index. It is kept until there are none. */
export interface Usage<K extends AnyKind> {
  readonly index: Index
  readonly value: (self: Wish<K>) => string
}

/** What each host says to something that needs a place, and how one is chosen among those that say nothing. */
export interface PlaceView {
  readonly planner: PlacementRequest['planner']
  readonly hosts: readonly HostVerdict[]
}

/** One kind's reconciler: pure. The engine owns everything else. */
export interface Reconciler<K extends AnyKind = AnyKind> {
  readonly kind: K
  /** References of the spec. The engine gives the condition `ReferencesResolved` where the kind has it. */
  readonly references?: (self: Wish<K>) => readonly Reference[]
  /** Outside things that this resource declares, for the observer. */
  readonly endpoints?: (self: Wish<K>, world: World) => readonly Endpoint[]
  /**
   * Whoever looks after what is in no zone looks at these endpoints too: something of all zones is kept there. Default:
   * only who looks after the resource does.
   */
  readonly endpointsOfAll?: true
  readonly phases: readonly Phase<K>[]
  /** What deletion does, in order. All satisfied: the finalizer goes. */
  readonly teardown?: readonly Phase<K>[]
  readonly usedBy?: readonly Usage<K>[]
  /** What of the wish can be seen outside. The engine writes the differences into `status.drift`. */
  readonly fields?: Fields<K>
  /** What every host says to it, made only when somebody asks. Undefined: it needs no place, or not all is known. */
  readonly place?: (self: Wish<K>, world: World) => PlaceView | undefined
  /** Writes what is seen into the status: a recipe on a draft. Conditions are the engine's. */
  readonly report?: (status: Mutable<StatusOf<K>>, self: Wish<K>, world: World) => void
}

/** Defines a reconciler, checked against its kind's types. */
export function defineReconciler<K extends AnyKind>(kind: K, parts: Omit<Reconciler<K>, 'kind'>): Reconciler<K> {
  return Object.freeze({ kind, ...parts })
}
