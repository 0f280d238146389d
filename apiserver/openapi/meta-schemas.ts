/** Schemas that every document has: what kinds and operations refer to. */

import { objectMetaSchema } from '../schema/object-meta.ts'
import type { DocumentSchema } from './document-schema.ts'

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const autoscaling = 'io.k8s.api.autoscaling.v1'

/** Names of schemas that every document has. */
export const names = {
  objectMeta: `${meta}.ObjectMeta`,
  listMeta: `${meta}.ListMeta`,
  status: `${meta}.Status`,
  deleteOptions: `${meta}.DeleteOptions`,
  patch: `${meta}.Patch`,
  scale: `${autoscaling}.Scale`,
}

const conventions = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md'

/** `apiVersion` of every object. */
export const apiVersionProperty: DocumentSchema = {
  description: `APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: ${conventions}#resources`,
  type: 'string',
}

/** `kind` of every object. */
export const kindProperty: DocumentSchema = {
  description: `Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: ${conventions}#types-kinds`,
  type: 'string',
}

/** `metadata` of every object. */
export const metadataProperty: DocumentSchema = {
  description: `Standard object's metadata. More info: ${conventions}#metadata`,
  $ref: names.objectMeta,
}

/** `metadata` of every list. */
export const listMetadataProperty: DocumentSchema = {
  description: `Standard list metadata. More info: ${conventions}#types-kinds`,
  $ref: names.listMeta,
}

const embeddedProperties: Readonly<Record<string, DocumentSchema>> = {
  apiVersion: {
    description: `apiVersion defines the versioned schema of this representation of an object. More info: ${conventions}#resources`,
    type: 'string',
  },
  kind: {
    description: `kind is a string value representing the type of this object. In CamelCase. More info: ${conventions}#types-kinds`,
    type: 'string',
  },
  metadata: metadataProperty,
}

/** With what an embedded object has and its definition need not say. */
export function embedded(schema: DocumentSchema): DocumentSchema {
  return {
    ...schema,
    properties: { ...schema.properties, ...embeddedProperties },
    required: [...new Set([...(schema.required ?? []), 'kind', 'apiVersion'])],
  }
}

/** Where the description of items of a list leads to. */
export const moreAboutItems = `More info: ${conventions}`

/** The schemas by their names. */
export const metaSchemas: Readonly<Record<string, DocumentSchema>> = {
  [names.objectMeta]: objectMetaSchema,
  [names.listMeta]: {
    type: 'object',
    description: 'ListMeta is what every list has.',
    properties: {
      continue: { type: 'string', description: 'Where the next page begins; empty on the last one.' },
      remainingItemCount: { type: 'integer', format: 'int64', description: 'Number of objects on later pages.' },
      resourceVersion: { type: 'string', description: 'Version of the list: watch from here.' },
    },
  },
  [names.status]: {
    type: 'object',
    description: 'Status is the answer of calls that return no other object.',
    properties: {
      apiVersion: apiVersionProperty,
      kind: kindProperty,
      metadata: listMetadataProperty,
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
    'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind: 'Status' }],
  },
  [names.deleteOptions]: {
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
    'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind: 'DeleteOptions' }],
  },
  [names.patch]: {
    type: 'object',
    description: 'Patch is a change of an object, in the form that the content type names.',
  },
  [names.scale]: {
    type: 'object',
    description: 'Scale says how many replicas an object wishes and has.',
    properties: {
      apiVersion: apiVersionProperty,
      kind: kindProperty,
      metadata: metadataProperty,
      spec: {
        type: 'object',
        description: 'What is wished.',
        properties: { replicas: { type: 'integer', format: 'int32', description: 'Number of replicas wished for.' } },
      },
      status: {
        type: 'object',
        description: 'What there is.',
        required: ['replicas'],
        properties: {
          replicas: { type: 'integer', format: 'int32', description: 'Number of replicas that are there.' },
          selector: { type: 'string', description: 'Label selector of the replicas, as text.' },
        },
      },
    },
    'x-kubernetes-group-version-kind': [{ group: 'autoscaling', version: 'v1', kind: 'Scale' }],
  },
}
