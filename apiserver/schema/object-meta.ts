/** metav1.ObjectMeta as a schema: every kind has it, no kind declares it. */

import type { StructuralSchema } from './structural-schema.ts'

const text = (description: string): StructuralSchema => ({ type: 'string', description })
const time = (description: string): StructuralSchema => ({ type: 'string', format: 'date-time', description })
const textMap = (description: string): StructuralSchema => ({
  type: 'object',
  additionalProperties: { type: 'string' },
  description,
})

const ownerReference: StructuralSchema = {
  type: 'object',
  description: 'OwnerReference names an object that owns this one.',
  required: ['apiVersion', 'kind', 'name', 'uid'],
  properties: {
    apiVersion: text('API version of the owner.'),
    kind: text('Kind of the owner.'),
    name: text('Name of the owner.'),
    uid: text('UID of the owner.'),
    controller: { type: 'boolean', description: 'Whether the owner is the managing controller.' },
    blockOwnerDeletion: {
      type: 'boolean',
      description: 'Whether a foreground deletion of the owner waits for this object.',
    },
  },
  'x-kubernetes-map-type': 'atomic',
}

const managedFieldsEntry: StructuralSchema = {
  type: 'object',
  description: 'ManagedFieldsEntry says which fields one manager set, and when.',
  properties: {
    manager: text('Name of the manager.'),
    operation: text("'Apply' or 'Update'."),
    apiVersion: text('API version in which the fields are named.'),
    time: time('When the set of fields last changed.'),
    fieldsType: text("Always 'FieldsV1'."),
    fieldsV1: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      description: 'The set of fields as a trie.',
    },
    subresource: text('Name of the subresource that was used, empty for the object itself.'),
  },
}

/** The schema of `metadata`. */
export const objectMetaSchema: StructuralSchema = {
  type: 'object',
  description: 'ObjectMeta is what every persisted object has.',
  properties: {
    name: text('Name of the object, unique within its namespace and kind.'),
    generateName: text('Prefix of the name that the server makes up where none is given.'),
    namespace: text('Namespace of the object, empty for kinds of the whole cluster.'),
    selfLink: text('Deprecated, never set.'),
    uid: text('UID of the object, unique in time and space, set by the server.'),
    resourceVersion: text('Opaque version of the object, changed by every write.'),
    generation: {
      type: 'integer',
      format: 'int64',
      description: 'Sequence number of the desired state, raised by the server on every change of it.',
    },
    creationTimestamp: time('When the object was created.'),
    deletionTimestamp: time('When the object is to be gone: set by the server when a deletion is asked for.'),
    deletionGracePeriodSeconds: {
      type: 'integer',
      format: 'int64',
      description: 'Seconds the object may take to end before it is removed.',
    },
    labels: textMap('Labels of the object, usable in selectors.'),
    annotations: textMap('Annotations of the object, kept as they are.'),
    ownerReferences: {
      type: 'array',
      description: 'Objects that own this one: when all are gone it is collected.',
      items: ownerReference,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
    },
    finalizers: {
      type: 'array',
      description: 'Names that must be gone before the object is removed.',
      items: { type: 'string' },
      'x-kubernetes-list-type': 'set',
    },
    managedFields: {
      type: 'array',
      description: 'Which manager set which fields.',
      items: managedFieldsEntry,
      'x-kubernetes-list-type': 'atomic',
    },
  },
}
