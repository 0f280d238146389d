/** Schemas as OpenAPI documents hold them: structural ones, with references and with what clients are told besides. */

import type { StructuralSchema } from '../schema/structural-schema.ts'

/** Group, version and kind as documents name them. */
export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** One node of a schema. */
export interface DocumentSchema extends Omit<StructuralSchema, 'properties' | 'items' | 'additionalProperties'> {
  /** Name of another schema of the document, which stands here. */
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, DocumentSchema>>
  readonly items?: DocumentSchema
  readonly additionalProperties?: DocumentSchema | boolean
  readonly 'x-kubernetes-group-version-kind'?: readonly GroupVersionKind[]
  readonly 'x-kubernetes-selectable-fields'?: readonly { readonly fieldPath: string }[]
  readonly 'x-kubernetes-patch-strategy'?: 'merge'
  readonly 'x-kubernetes-patch-merge-key'?: string
}

/** Changes a node; `name` is that of the property that it describes, undefined where it is none's. */
export type Change = (node: DocumentSchema, name: string | undefined) => DocumentSchema

/** The schema with every node changed: a node first, then what is left below it. */
export function mapSchema(schema: DocumentSchema, change: Change, name?: string): DocumentSchema {
  const node = change(schema, name)
  const { properties, items, additionalProperties } = node
  return {
    ...node,
    ...(properties && { properties: mapProperties(properties, change) }),
    ...(items && { items: mapSchema(items, change) }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: mapSchema(additionalProperties, change) }),
  }
}

function mapProperties(properties: Readonly<Record<string, DocumentSchema>>, change: Change) {
  return Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, mapSchema(each, change, name)]))
}
