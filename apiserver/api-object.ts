/** Objects as they travel: plain JSON values with Kubernetes' metadata. Stored ones are deeply frozen. */

/** A JSON object of unknown content. */
export interface JSONObject {
  readonly [key: string]: unknown
}

/** metav1.OwnerReference as far as the server reads it. */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

/** metav1.ObjectMeta as far as the server reads it. */
export interface ObjectMetadata extends JSONObject {
  readonly name: string
  readonly generateName?: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly deletionGracePeriodSeconds?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
  readonly ownerReferences?: readonly OwnerReference[]
  readonly managedFields?: readonly JSONObject[]
}

/** Any object of the API. */
export interface APIObject extends JSONObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMetadata
}

/** True for a JSON object: neither an array nor a scalar nor null. */
export function isRecord(value: unknown): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Freezes a JSON value in depth. Parts that are frozen already are taken to be so in depth. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}

/** Metadata to set; undefined leaves a member out. */
export type MetadataChanges = { readonly [Key in keyof ObjectMetadata]?: ObjectMetadata[Key] | undefined }

/** The same object with some of its metadata replaced; members given as undefined are left out. */
export function withMetadata(object: APIObject, changes: MetadataChanges): APIObject {
  // What is left has no undefined member, so it is metadata again.
  return { ...object, metadata: without({ ...object.metadata, ...changes }) as ObjectMetadata }
}

/** The same object with one member replaced, or left out when the value is undefined. */
export function withMember<T extends JSONObject>(object: T, key: string, value: unknown): T {
  return without({ ...object, [key]: value })
}

/** The key under which an object is stored: `namespace/name`, or `name` where it has no namespace. */
export function keyOf(namespace: string | undefined, name: string): string {
  return namespace ? `${namespace}/${name}` : name
}

/** The value at a dotted path of plain member names, undefined where a step is missing. */
export function valueAt(object: unknown, path: readonly string[]): unknown {
  let value = object
  for (const step of path) {
    if (!isRecord(value)) return undefined
    value = value[step]
  }
  return value
}

function without<T extends JSONObject>(object: T): T {
  if (!Object.values(object).includes(undefined)) return object
  // Copying beats deleting: an object with deleted members is slow for everybody after.
  const kept: Record<string, unknown> = {}
  for (const key in object) if (object[key] !== undefined) kept[key] = object[key]
  return kept as T
}
