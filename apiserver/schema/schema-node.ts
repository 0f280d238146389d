/** A schema with its look-ups prepared: what the walks over objects work on. */

import { copyJSON } from './json.ts'
import { objectMetaSchema } from './object-meta.ts'
import type { StructuralSchema } from './structural-schema.ts'

/** One node of a prepared schema. */
export interface SchemaNode {
  readonly schema: StructuralSchema
  readonly properties: ReadonlyMap<string, SchemaNode>
  /** The schema of values under other keys; undefined where other keys are unknown fields. */
  readonly additional: SchemaNode | undefined
  readonly items: SchemaNode | undefined
  /** Unknown fields are kept here. */
  readonly preserves: boolean
  /** A whole resource: apiVersion, kind and metadata belong to it without being declared. */
  readonly embedded: boolean
  readonly nullable: boolean
  /** The default, copied by whoever sets it; undefined where there is none. */
  readonly default: unknown
  /** Properties that have a default, in the order of the schema. */
  readonly defaulted: readonly (readonly [string, SchemaNode])[]
  /** Whether a resource is at or below the node. */
  readonly hasEmbedded: boolean
  /** Whether lists with unique elements or keys occur at or below the node. */
  readonly hasUniqueLists: boolean
}

const none: ReadonlyMap<string, SchemaNode> = new Map()

/** Knows no field at all, and below lists neither. */
export const closedNode: SchemaNode = {
  schema: {},
  properties: none,
  additional: undefined,
  items: undefined,
  preserves: false,
  embedded: false,
  nullable: true,
  default: undefined,
  defaulted: [],
  hasEmbedded: false,
  hasUniqueLists: false,
}

/** Prepares a schema; `root` says that it describes a whole resource. */
export function prepareSchema(schema: StructuralSchema, root = false): SchemaNode {
  const properties = new Map<string, SchemaNode>()
  for (const [name, property] of Object.entries(schema.properties ?? {})) properties.set(name, prepareSchema(property))
  const { additionalProperties } = schema
  const listType = schema['x-kubernetes-list-type']
  const items = schema.items ? prepareSchema(schema.items) : undefined
  // `true` allows any key, but what is below is still unknown (as in Kubernetes).
  const openNode = additionalProperties === true ? closedNode : undefined
  const additional = typeof additionalProperties === 'object' ? prepareSchema(additionalProperties) : openNode
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true
  const children = [...properties.values(), items, additional]
  return {
    schema,
    properties,
    additional,
    items,
    preserves: schema['x-kubernetes-preserve-unknown-fields'] === true,
    embedded: root || isEmbedded,
    nullable: schema.nullable === true,
    default: schema.default,
    defaulted: [...properties].filter(([, property]) => property.default !== undefined),
    hasEmbedded: isEmbedded || children.some(child => child?.hasEmbedded),
    hasUniqueLists: listType === 'set' || listType === 'map' || children.some(child => child?.hasUniqueLists),
  }
}

/** A copy of the node's default; undefined where it has none. */
export function defaultOf(node: SchemaNode): unknown {
  return copyJSON(node.default)
}

const objectMetaNode: SchemaNode = prepareSchema(objectMetaSchema)

/** The node of a field that belongs to a whole resource without being declared; undefined for any other. */
export function embeddedFieldNode(name: string): SchemaNode | undefined {
  if (name === 'metadata') return objectMetaNode
  if (name === 'apiVersion' || name === 'kind') return closedNode
  return undefined
}
