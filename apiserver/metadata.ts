/** metav1.ObjectMeta: read from what a client sent, and validated as Kubernetes does. */

import type { JSONObject, ObjectMetadata, OwnerReference } from './api-object.ts'
import { isRecord } from './api-object.ts'
import { forbiddenField, invalidValue, requiredValue, tooLong } from './field-errors.ts'
import { labelValueWrongs, labelWrongs, pathSegmentWrongs, qualifiedNameWrongs, subdomainWrongs } from './names.ts'
import type { FieldError } from './schema/field-error.ts'
import { badRequest } from './status-error.ts'

/** What a kind asks of its names. */
export type NameRule = 'subdomain' | 'label' | 'path-segment'

type Shape = 'string' | 'number' | 'string map' | 'string list' | 'object list'

const shapes: Readonly<Record<string, Shape>> = {
  name: 'string',
  generateName: 'string',
  namespace: 'string',
  selfLink: 'string',
  uid: 'string',
  resourceVersion: 'string',
  generation: 'number',
  creationTimestamp: 'string',
  deletionTimestamp: 'string',
  deletionGracePeriodSeconds: 'number',
  labels: 'string map',
  annotations: 'string map',
  ownerReferences: 'object list',
  finalizers: 'string list',
  managedFields: 'object list',
}

/** Bytes that all annotations of an object may take together. */
const annotationLimit = 256 * 1024

/** Metadata as a client gave it: nulls and unknown fields left out. */
export interface ReadMetadata {
  readonly metadata: JSONObject
  /** Unknown fields, as paths. */
  readonly unknown: readonly string[]
}

/** Reads metadata; throws a 400 where a field has the wrong type. */
export function readMetadata(value: unknown): ReadMetadata {
  if (value === undefined || value === null) return { metadata: {}, unknown: [] }
  if (!isRecord(value)) throw wrongType('metadata', 'ObjectMeta')
  const entries = Object.entries(value)
  const unknown = entries.filter(([key]) => !Object.hasOwn(shapes, key)).map(([key]) => `metadata.${key}`)
  for (const [key, part] of entries) {
    const shape = Object.hasOwn(shapes, key) ? shapes[key] : undefined
    if (shape !== undefined && part !== null && !hasShape(part, shape)) throw wrongType(`metadata.${key}`, shape)
  }
  if (unknown.length === 0 && entries.every(([, part]) => part !== null)) return { metadata: value, unknown }
  const kept = entries.filter(([key, part]) => part !== null && Object.hasOwn(shapes, key))
  return { metadata: Object.fromEntries(kept), unknown }
}

/** What is wrong with the metadata of an object that is about to be stored. */
export function validateMetadata(
  metadata: ObjectMetadata,
  options: { namespaced: boolean; nameRule: NameRule },
): readonly FieldError[] {
  return [
    ...validateName(metadata, options.nameRule),
    ...validateNamespace(metadata, options.namespaced),
    ...validateLabels(metadata.labels),
    ...validateAnnotations(metadata.annotations),
    ...(metadata.finalizers ?? []).flatMap((finalizer, index) =>
      qualifiedNameWrongs(finalizer).map(wrong => invalidValue(`metadata.finalizers[${index}]`, finalizer, wrong)),
    ),
    ...validateOwners(metadata.ownerReferences ?? []),
  ]
}

/** What is wrong with a change of metadata. */
export function validateMetadataChange(next: ObjectMetadata, old: ObjectMetadata): readonly FieldError[] {
  if (old.deletionTimestamp === undefined) return []
  const added = (next.finalizers ?? []).filter(finalizer => !(old.finalizers ?? []).includes(finalizer))
  if (added.length === 0) return []
  const list = added.map(finalizer => JSON.stringify(finalizer)).join(', ')
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`
  return [forbiddenField('metadata.finalizers', detail)]
}

function validateName({ name, generateName }: ObjectMetadata, rule: NameRule): readonly FieldError[] {
  if (name === '' || name === undefined) {
    if (generateName === undefined || generateName === '') {
      return [requiredValue('metadata.name', 'name or generateName is required')]
    }
    return [requiredValue('metadata.name')]
  }
  return nameWrongs(name, rule).map(wrong => invalidValue('metadata.name', name, wrong))
}

function nameWrongs(name: string, rule: NameRule): readonly string[] {
  if (rule === 'label') return labelWrongs(name)
  if (rule === 'path-segment') return pathSegmentWrongs(name)
  return subdomainWrongs(name)
}

function validateNamespace({ namespace }: ObjectMetadata, namespaced: boolean): readonly FieldError[] {
  if (!namespaced) {
    return namespace ? [forbiddenField('metadata.namespace', 'not allowed on this type')] : []
  }
  if (!namespace) return [requiredValue('metadata.namespace')]
  return labelWrongs(namespace).map(wrong => invalidValue('metadata.namespace', namespace, wrong))
}

function validateLabels(labels: ObjectMetadata['labels'] = {}): readonly FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...qualifiedNameWrongs(key).map(wrong => invalidValue('metadata.labels', key, wrong)),
    ...labelValueWrongs(value).map(wrong => invalidValue('metadata.labels', value, wrong)),
  ])
}

function validateAnnotations(annotations: ObjectMetadata['annotations'] = {}): readonly FieldError[] {
  const entries = Object.entries(annotations)
  const errors = entries.flatMap(([key]) =>
    qualifiedNameWrongs(key.toLowerCase()).map(wrong => invalidValue('metadata.annotations', key, wrong)),
  )
  const size = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)
  return size > annotationLimit ? [...errors, tooLong('metadata.annotations', '', annotationLimit)] : errors
}

function validateOwners(owners: readonly OwnerReference[]): readonly FieldError[] {
  const errors = owners.flatMap((owner, index) =>
    (['apiVersion', 'kind', 'name', 'uid'] as const)
      .filter(field => typeof owner[field] !== 'string' || owner[field] === '')
      .map(field => requiredValue(`metadata.ownerReferences[${index}].${field}`, 'must not be empty')),
  )
  const controllers = owners.filter(owner => owner.controller === true)
  if (controllers.length < 2) return errors
  const names = controllers.slice(0, 2).map(owner => owner.name)
  const detail = `Only one reference can have Controller set to true. Found "true" in references for ${names.join(' and ')}`
  return [...errors, invalidValue('metadata.ownerReferences', owners, detail)]
}

function hasShape(value: unknown, shape: Shape): boolean {
  if (shape === 'string' || shape === 'number') return typeof value === shape
  if (shape === 'string map') return isRecord(value) && Object.values(value).every(part => typeof part === 'string')
  if (!Array.isArray(value)) return false
  return shape === 'string list' ? value.every(part => typeof part === 'string') : value.every(isRecord)
}

function wrongType(field: string, shape: string): Error {
  return badRequest(`unable to decode: json: cannot unmarshal the value of ${field} into a Go value of type ${shape}`)
}
