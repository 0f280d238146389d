/** What the server knows about one kind: how it is named, printed, validated and stored. */

import type { CompiledSchema } from './schema/compiled-schema.ts'
import type { StructuralSchema } from './schema/structural-schema.ts'

/** What a client may do with a resource, as discovery names it. */
export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch'

/** Every verb, in the order in which Kubernetes' discovery lists them. */
export const allVerbs: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]

/** A printer column as a CRD declares it. */
export interface PrinterColumn {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date' | 'boolean' | 'number'
  readonly jsonPath: string
  readonly description?: string
  readonly format?: string
  /** 0 is shown always, anything higher only with `-o wide`. */
  readonly priority: number
}

/** Where an object says how many replicas it wishes and has, as in `.spec.replicas`. */
export interface ScalePaths {
  readonly spec: string
  readonly status: string
  /** The label selector of the replicas, as text. */
  readonly selector: string | undefined
}

/** One version of one kind. Frozen: a changed CRD makes a new definition. */
export interface ResourceDefinition {
  /** API group, '' for the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly listKind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly subresources: { readonly status: boolean; readonly scale?: ScalePaths }
  /** Printer columns after Name; empty means that only Name and Age are shown. */
  readonly columns: readonly PrinterColumn[]
  /** OpenAPI v3 schema of the kind; undefined where the kind has none. */
  readonly schema?: StructuralSchema
  /** The same schema, ready to prune, default and validate. */
  readonly compiled?: CompiledSchema
  readonly verbs: readonly Verb[]
  /** True for kinds that the server itself brings, false for those of a CRD. */
  readonly builtin: boolean
  /** Paths (`.spec.zoneName`) usable in field selectors beside metadata.name and metadata.namespace. */
  readonly selectableFields: readonly string[]
}

/** `group/version` as objects carry it: `v1` for the core group. */
export function apiVersionOf(definition: Pick<ResourceDefinition, 'group' | 'version'>): string {
  return definition.group === '' ? definition.version : `${definition.group}/${definition.version}`
}

/** `plural.group` as error messages name a resource: `configmaps`, `zones.infrastructure.skystead.dev`. */
export function qualifiedResource(definition: Pick<ResourceDefinition, 'group' | 'plural'>): string {
  return definition.group === '' ? definition.plural : `${definition.plural}.${definition.group}`
}

/** `Kind.group` as error messages name a kind: `ConfigMap`, `Zone.infrastructure.skystead.dev`. */
export function qualifiedKind(definition: Pick<ResourceDefinition, 'group' | 'kind'>): string {
  return definition.group === '' ? definition.kind : `${definition.kind}.${definition.group}`
}
