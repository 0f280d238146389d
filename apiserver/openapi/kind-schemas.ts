/** What documents say of one kind: its schema and that of its lists. */

import { mergeKeys } from '../patch/strategic-merge-patch.ts'
import type { ResourceDefinition } from '../resource-definition.ts'
import { type DocumentSchema, mapSchema } from './document-schema.ts'
import {
  apiVersionProperty,
  kindProperty,
  listMetadataProperty,
  metadataProperty,
  moreAboutItems,
} from './meta-schemas.ts'

/** Names of the schemas of a kind. */
export interface KindNames {
  readonly kind: string
  readonly list: string
}

/** How documents name the schemas of a kind: `dev.skystead.compute.v1alpha1.VirtualMachine`, `io.k8s.api.core.v1.Secret`. */
export function kindNames(definition: ResourceDefinition): KindNames {
  const prefix = `${packageOf(definition)}.${definition.version}`
  return { kind: `${prefix}.${definition.kind}`, list: `${prefix}.${definition.listKind}` }
}

function packageOf({ group, builtin }: ResourceDefinition): string {
  if (!builtin) return group.split('.').reverse().join('.')
  const [first = ''] = group.split('.')
  if (first === 'apiextensions') return 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions'
  return `io.k8s.api.${group === '' ? 'core' : first}`
}

/** The schema of a kind; what only one version of OpenAPI knows is still in it. */
export function kindSchema(definition: ResourceDefinition): DocumentSchema {
  const schema: DocumentSchema = definition.schema ?? {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
  }
  const { properties, ...whole } = definition.builtin ? mapSchema(schema, builtinNode) : schema
  return {
    ...whole,
    type: 'object',
    properties: {
      ...properties,
      apiVersion: apiVersionProperty,
      kind: kindProperty,
      metadata: metadataProperty,
    },
    ...about(definition, definition.kind),
  }
}

/** The schema of lists of a kind. */
export function listSchema(definition: ResourceDefinition): DocumentSchema {
  const { kind, listKind, plural } = definition
  return {
    type: 'object',
    description: `${listKind} is a list of ${kind}`,
    required: ['items'],
    properties: {
      apiVersion: apiVersionProperty,
      kind: kindProperty,
      metadata: listMetadataProperty,
      items: {
        type: 'array',
        description: `List of ${plural}. ${moreAboutItems}`,
        items: { $ref: kindNames(definition).kind },
      },
    },
    ...about(definition, listKind),
  }
}

function about({ group, version, selectableFields }: ResourceDefinition, kind: string): DocumentSchema {
  const fields = selectableFields.map(path => ({ fieldPath: path.replace(/^\./, '') }))
  return {
    'x-kubernetes-group-version-kind': [{ group, kind, version }],
    ...(fields.length > 0 && { 'x-kubernetes-selectable-fields': fields }),
  }
}

/** Clients make strategic merge patches by what these schemas say of lists; that a field may be null is not told of them. */
export function builtinNode({ nullable, ...node }: DocumentSchema, name = ''): DocumentSchema {
  const mergeKey = node.type === 'array' ? mergeKeys[name] : undefined
  if (mergeKey === undefined) return node
  return {
    ...node,
    'x-kubernetes-patch-strategy': 'merge',
    ...(mergeKey !== '' && { 'x-kubernetes-patch-merge-key': mergeKey }),
  }
}
