/** The OpenAPI v3 document of one API group and version. */

import { apiVersionOf, type ResourceDefinition } from '../resource-definition.ts'
import { objectMetaSchema } from '../schema/object-meta.ts'
import type { StructuralSchema } from '../schema/structural-schema.ts'
import { pathsOf } from './operations.ts'

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'

const apiVersionProperty: StructuralSchema = {
  type: 'string',
  description:
    'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources',
}

const kindProperty: StructuralSchema = {
  type: 'string',
  description:
    'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
}

function reference(name: string, description: string): object {
  return { description, allOf: [{ $ref: `#/components/schemas/${name}` }] }
}

/** `compute.skystead.dev` as schemas are named: `dev.skystead.compute`. */
function reversed(group: string): string {
  return group === '' ? 'io.k8s.api.core' : group.split('.').reverse().join('.')
}

function kindSchema(definition: ResourceDefinition): object {
  const { group, version, kind } = definition
  const schema: StructuralSchema = definition.schema ?? {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
  }
  return {
    ...schema,
    type: 'object',
    properties: {
      ...schema.properties,
      apiVersion: apiVersionProperty,
      kind: kindProperty,
      metadata: reference(
        `${meta}.ObjectMeta`,
        "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
      ),
    },
    'x-kubernetes-group-version-kind': [{ group, kind, version }],
  }
}

function listSchema(definition: ResourceDefinition, item: string): object {
  const { group, version, kind, listKind, plural } = definition
  return {
    type: 'object',
    description: `${listKind} is a list of ${kind}`,
    required: ['items'],
    properties: {
      apiVersion: apiVersionProperty,
      kind: kindProperty,
      metadata: reference(`${meta}.ListMeta`, 'Standard list metadata.'),
      items: {
        type: 'array',
        description: `List of ${plural}.`,
        items: { $ref: `#/components/schemas/${item}` },
      },
    },
    'x-kubernetes-group-version-kind': [{ group, kind: listKind, version }],
  }
}

const commonSchemas: Readonly<Record<string, object>> = {
  [`${meta}.ObjectMeta`]: objectMetaSchema,
  [`${meta}.ListMeta`]: {
    type: 'object',
    description: 'ListMeta is what every list has.',
    properties: {
      continue: { type: 'string', description: 'Where the next page begins; empty on the last one.' },
      remainingItemCount: { type: 'integer', format: 'int64', description: 'Number of objects on later pages.' },
      resourceVersion: { type: 'string', description: 'Version of the list: watch from here.' },
    },
  },
  [`${meta}.Status`]: {
    type: 'object',
    description: 'Status is the answer of calls that return no other object.',
    properties: {
      apiVersion: apiVersionProperty,
      kind: kindProperty,
      metadata: reference(`${meta}.ListMeta`, 'Standard list metadata.'),
      status: { type: 'string', description: "'Success' or 'Failure'." },
      code: { type: 'integer', format: 'int32', description: 'The HTTP status.' },
      reason: { type: 'string', description: 'Why the call failed, in one word.' },
      message: { type: 'string', description: 'What happened, for people.' },
      details: {
        type: 'object',
        description: 'What the reason is about.',
        'x-kubernetes-preserve-unknown-fields': true,
      },
    },
  },
  [`${meta}.DeleteOptions`]: {
    type: 'object',
    description: 'DeleteOptions say how an object is to be deleted.',
    properties: {
      apiVersion: apiVersionProperty,
      kind: kindProperty,
      dryRun: { type: 'array', items: { type: 'string' }, description: "'All' deletes nothing." },
      gracePeriodSeconds: { type: 'integer', format: 'int64', description: 'Seconds before the object is removed.' },
      preconditions: {
        type: 'object',
        description: 'What must hold for the object to be deleted.',
        properties: {
          resourceVersion: { type: 'string', description: 'The version it must have.' },
          uid: { type: 'string', description: 'The UID it must have.' },
        },
      },
      propagationPolicy: {
        type: 'string',
        description: "What happens to dependents: 'Orphan', 'Background' or 'Foreground'.",
      },
    },
  },
  [`${meta}.Patch`]: {
    type: 'object',
    description: 'Patch is a change of an object, in the form that the content type names.',
  },
}

/**
 * The document served as `/openapi/v3/apis/<group>/<version>` (`/openapi/v3/api/v1` for the core group, whose name is '').
 * Definitions of other groups and versions are left out.
 */
export function openAPIv3(group: string, version: string, definitions: readonly ResourceDefinition[]): object {
  const paths: Record<string, object> = {}
  const schemas: Record<string, object> = {}
  for (const definition of definitions) {
    if (definition.group !== group || definition.version !== version) continue
    const prefix = `${reversed(group)}.${version}`
    const kind = `${prefix}.${definition.kind}`
    const list = `${prefix}.${definition.listKind}`
    schemas[kind] = kindSchema(definition)
    schemas[list] = listSchema(definition, kind)
    Object.assign(
      paths,
      pathsOf(definition, {
        kind,
        list,
        status: `${meta}.Status`,
        deleteOptions: `${meta}.DeleteOptions`,
        patch: `${meta}.Patch`,
      }),
    )
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Skystead', version: apiVersionOf({ group, version }) },
    paths,
    components: { schemas: { ...schemas, ...commonSchemas } },
  }
}
