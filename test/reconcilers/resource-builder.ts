/** How tests build resources: whole ones, as the API server would give them. */
import { createHash } from 'node:crypto'
import type { Kind } from '../../crds/define-kind.ts'
import type { CommonStatus, ObjectMeta, Resource } from '../../crds/meta.ts'
import { type EndpointKey, type EndpointType, endpointKey } from '../../drivers/contract/endpoint.ts'

/** What a test changes of a builder's resource: fields of the spec (undefined takes a default away), and these few
 * beside it. */
export type Changes<Spec, Status = CommonStatus> = { readonly [Field in keyof Spec]?: Spec[Field] | undefined } & {
  readonly name?: string
  readonly namespace?: string
  readonly metadata?: Partial<ObjectMeta>
  readonly status?: Status
}

/** The uid that builders give an object: it follows from kind and name. */
export function uidOf(kind: string, name: string, namespace?: string): string {
  const hex = createHash('sha256')
    .update(`${kind}/${namespace ?? ''}/${name}`)
    .digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** The endpoint key of a builder's Host, PrimaryStorage or SecondaryStorage; of a Host's power controller as well. */
export function keyOf(type: EndpointType, name: string): EndpointKey {
  return endpointKey(type, uidOf(type === 'PowerController' ? 'Host' : type, name))
}

/** Freezes a value all the way down. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}

/** A resource of a kind: the defaults with the changes, and metadata as the API server gives it. */
export function resource<Spec, Status extends CommonStatus>(
  kind: Kind<Spec, Status>,
  defaults: { readonly name: string; readonly namespace?: string; readonly spec: Spec },
  changes: Changes<Spec, Status>,
): Resource<Spec, Status> {
  const { name = defaults.name, namespace = defaults.namespace, metadata, status, ...spec } = changes
  return deepFreeze({
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: uidOf(kind.kind, name, namespace),
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-11-01T00:00:00Z',
      ...metadata,
    },
    spec: withoutUndefined({ ...defaults.spec, ...spec }),
    ...(status === undefined ? {} : { status }),
  })
}

/** A test takes a default away by naming the field with the value undefined. */
function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T
}

/** The defaults of every kind with an outside presence. */
export const managed = { management: { mode: 'Enforce', deletionPolicy: 'Delete' }, protected: 'Disabled' } as const
/** The defaults of places and offerings. */
export const allocatable = { allocationState: 'Enabled' } as const
/** The defaults of places that can be emptied. */
export const maintainable = { allocationState: 'Enabled', lifecycle: 'Active' } as const
