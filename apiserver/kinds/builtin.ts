import type { Registry, ServedResource } from '../registry.ts'
import { serve } from '../registry.ts'
import type { PrinterColumn, ResourceDefinition, Verb } from '../resource-definition.ts'
import { allVerbs, apiVersionOf, qualifiedResource } from '../resource-definition.ts'
import { compileSchema } from '../schema/compiled-schema.ts'
import type { StructuralSchema } from '../schema/structural-schema.ts'
import type { Strategy } from '../strategy.ts'

/** A built-in kind as its file states it. */
export interface BuiltinKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly namespaced: boolean
  readonly status?: boolean
  readonly columns?: readonly PrinterColumn[]
  readonly schema: StructuralSchema
  /** Default: all of them. */
  readonly verbs?: readonly Verb[]
}

/** The definition of a built-in kind. */
export function builtinDefinition(kind: BuiltinKind): ResourceDefinition {
  return Object.freeze({
    group: kind.group,
    version: kind.version,
    kind: kind.kind,
    listKind: `${kind.kind}List`,
    plural: kind.plural,
    singular: kind.kind.toLowerCase(),
    shortNames: kind.shortNames ?? [],
    categories: kind.categories ?? [],
    namespaced: kind.namespaced,
    subresources: { status: kind.status ?? false },
    columns: kind.columns ?? [],
    schema: kind.schema,
    compiled: compileSchema(kind.schema),
    verbs: kind.verbs ?? allVerbs,
    builtin: true,
    selectableFields: [],
  })
}

/** Serves a built-in kind from a collection of its own. */
export function serveBuiltin(kind: BuiltinKind, strategy: Strategy): ServedResource {
  const definition = builtinDefinition(kind)
  return serve(definition, strategy, {
    collection: qualifiedResource(definition),
    storedVersion: apiVersionOf(definition),
  })
}

/** Adds all of them. */
export function addAll(registry: Registry, resources: readonly ServedResource[]): void {
  for (const resource of resources) registry.add(resource)
}
