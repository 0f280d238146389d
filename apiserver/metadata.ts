/** metav1.ObjectMeta: read from what a client sent, and validated as Kubernetes does. */

import type { JSONObject, ObjectMetadata, OwnerReference } from './api-object.ts'
import { isRecord } from './api-object.ts'
import { forbiddenField, invalidValue, requiredValue, tooLong } from './field-errors.ts'
import { labelValueWrongs, labelWrongs, pathSegmentWrongs, qualifiedNameWrongs, subdomainWrongs } from './names.ts'
import type { FieldError } from './schema/field-error.ts'
import { mistyped, typeName, UndecodableError } from './undecodable-error.ts'

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

/** Metadata as a client gave it: what is empty and unknown fields left out. */
export interface ReadMetadata {
  readonly metadata: JSONObject
  /** Unknown fields, as paths. */
  readonly unknown: readonly string[]
}

/** Reads metadata; throws an UndecodableError where a field has the wrong type. */
export function readMetadata(value: unknown): ReadMetadata {
  if (value === undefined || value === null) return { metadata: {}, unknown: [] }
  if (!isRecord(value))
    throw new UndecodableError(`json: cannot unmarshal ${typeName(value)} into Go value of type v1.ObjectMeta`)
  const entries = Object.entries(value)
  const unknown = entries.filter(([key]) => !Object.hasOwn(shapes, key)).map(([key]) => `metadata.${key}`)
  for (const [key, part] of entries) {
    const shape = Object.hasOwn(shapes, key) ? shapes[key] : undefined
    if (shape !== undefined && part !== null && !hasShape(part, shape)) throw wrongType(key, part, shape)
  }
  if (unknown.length === 0 && entries.every(([, part]) => !isEmpty(part))) return { metadata: value, unknown }
  const kept = entries.filter(([key, part]) => !isEmpty(part) && Object.hasOwn(shapes, key))
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
    ...validateFinalizers(metadata.finalizers ?? []),
    ...validateOwners(metadata.ownerReferences ?? []),
  ]
}

/** What is wrong with a change of metadata. */
export function validateMetadataChange(next: ObjectMetadata, old: ObjectMetadata): readonly FieldError[] {
  const immutable = [...immutableErrors(next, old, 'uid'), ...immutableErrors(next, old, 'deletionTimestamp')]
  if (old.deletionTimestamp === undefined) return immutable
  const before = new Set(old.finalizers)
  const added = (next.finalizers ?? []).filter(finalizer => !before.has(finalizer))
  if (added.length === 0) return immutable
  const list = added.map(finalizer => JSON.stringify(finalizer)).join(', ')
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`
  return [...immutable, forbiddenField('metadata.finalizers', detail)]
}

/** Only the server sets these: whoever says otherwise means another object. */
function immutableErrors(
  next: ObjectMetadata,
  old: ObjectMetadata,
  field: 'uid' | 'deletionTimestamp',
): readonly FieldError[] {
  if (next[field] === undefined || next[field] === old[field]) return []
  return [invalidValue(`metadata.${field}`, next[field], 'field is immutable')]
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
  const errors = owners.flatMap(owner => [
    ...(['apiVersion', 'kind', 'name', 'uid'] as const)
      .filter(field => typeof owner[field] !== 'string' || owner[field] === '')
      .map(field => invalidValue(`metadata.ownerReferences.${field}`, '', 'must not be empty')),
    ...(owner.apiVersion === 'v1' && owner.kind === 'Event'
      ? [invalidValue('metadata.ownerReferences', owner, '/v1, Kind=Event is disallowed from being an owner')]
      : []),
  ])
  const controllers = owners.filter(owner => owner.controller === true)
  if (controllers.length < 2) return errors
  const names = controllers.slice(0, 2).map(owner => `${owner.kind}/${owner.name}`)
  const detail = `Only one reference can have Controller set to true. Found "true" in references for ${names.join(' and ')}`
  return [...errors, invalidValue('metadata.ownerReferences', owners, detail)]
}

function validateFinalizers(finalizers: readonly string[]): readonly FieldError[] {
  const errors = finalizers.flatMap(finalizer =>
    qualifiedNameWrongs(finalizer).map(wrong => invalidValue('metadata.finalizers', finalizer, wrong)),
  )
  if (!finalizers.includes('orphan') || !finalizers.includes('foregroundDeletion')) return errors
  const detail = 'finalizer orphan and foregroundDeletion cannot be both set'
  return [...errors, invalidValue('metadata.finalizers', finalizers, detail)]
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  return value === null || value === '' || (isRecord(value) && Object.keys(value).length === 0)
}

function hasShape(value: unknown, shape: Shape): boolean {
  if (shape === 'string' || shape === 'number') return typeof value === shape
  if (shape === 'string map') return isRecord(value) && Object.values(value).every(part => typeof part === 'string')
  if (!Array.isArray(value)) return false
  return shape === 'string list' ? value.every(part => typeof part === 'string') : value.every(isRecord)
}

const goTypes: Readonly<Record<Shape, string>> = {
  string: 'string',
  number: 'int64',
  'string map': 'map[string]string',
  'string list': '[]string',
  'object list': '[]v1.OwnerReference',
}

function wrongType(field: string, value: unknown, shape: Shape): Error {
  const parts = shape.startsWith('string ') && typeof value === 'object' ? Object.values(value ?? {}) : []
  const wrong = parts.find(part => typeof part !== 'string')
  return wrong === undefined
    ? mistyped(value, `ObjectMeta.${field}`, goTypes[shape])
    : mistyped(wrong, `ObjectMeta.${field}`, 'string')
}
