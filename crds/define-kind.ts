import type { CommonStatus, Resource } from './meta.ts'

/** A printer column of `kubectl get`. */
export interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date' | 'boolean' | 'number'
  readonly jsonPath: string
  /** 0 is shown always, 1 only with `-o wide`. Default 0. */
  readonly priority?: number
}

/** What a kind is apart from its types: everything that exists at run time. */
export interface KindDefinition {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly scope: 'Cluster' | 'Namespaced'
  readonly shortNames: readonly string[]
  /** Columns between Name and Ready; Ready, Reason (wide) and Age are added to every kind. */
  readonly columns: readonly Column[]
  /** Each condition type of the kind, and what True says. `Ready` is added to every kind. */
  readonly conditions: Readonly<Record<string, string>>
  /**
   * How replicas share the kind: by the immutable `spec.zoneName`; by the zone of what its spec names (a cluster's pod, a
   * rule's address); or one replica for all.
   */
  readonly shard: 'zone' | 'place' | 'global'
  /** Whether the status is a subresource. False only where the maker writes the whole object once. Default true. */
  readonly statusSubresource?: boolean
  /** Fields that a list can be filtered by (`--field-selector`), as JSON paths. */
  readonly selectableFields?: readonly string[]
}

/** A kind with its spec and status types. */
export interface Kind<Spec = unknown, Status extends CommonStatus = CommonStatus> extends KindDefinition {
  readonly apiVersion: string
  /** Type only: never set. Lets `ResourceOf<typeof VirtualMachine>` name the resource's type. */
  readonly resource?: Resource<Spec, Status>
}

/** The resource type of a kind's definition. */
export type ResourceOf<K> = K extends Kind<infer Spec, infer Status> ? Resource<Spec, Status> : never

/** Any kind, where spec and status do not matter. */
// biome-ignore lint/suspicious/noExplicitAny: a kind is invariant in its types; a table of kinds holds them all
export type AnyKind = Kind<any, any>

/** The category that lists all kinds together: `kubectl get skystead -A`. */
export const category = 'skystead'

/** Defines a kind. The generator reads its types from the same file; the engine reads this value. */
export function defineKind<Spec, Status extends CommonStatus>(definition: KindDefinition): Kind<Spec, Status> {
  return Object.freeze({ ...definition, apiVersion: `${definition.group}/${definition.version}` })
}
