import type { Manifest, ObjectMeta } from '../crds/meta.ts'
import type { EndpointKey } from '../drivers/contract/endpoint.ts'
import type { Operation } from '../drivers/contract/operation.ts'

/** Effects are data: what a verdict wants done. The engine does it. */

/** An object as one names it: enough to find it and to be sure it is the one meant. */
export interface ObjectIdentity {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'uid' | 'resourceVersion'>
}

/** Carries out a driver operation once every claim named is stored (not merely assumed). */
export interface OperateEffect {
  readonly effect: 'Operate'
  readonly operation: Operation
  /** Names of the Allocations under which it acts. */
  readonly claims: readonly string[]
}

/** Creates an object: a claim or a child. One that exists already with the same holder or owner is a success. */
export interface CreateEffect {
  readonly effect: 'Create'
  readonly object: Manifest & { readonly status?: unknown }
}

/** Replaces the spec of an object of ours by compare-and-swap on the version that was read. */
export interface UpdateEffect {
  readonly effect: 'Update'
  readonly object: ObjectIdentity & { readonly spec: unknown }
}

/** Deletes exactly this object (its uid is a precondition). One that is gone is a success. */
export interface DeleteEffect {
  readonly effect: 'Delete'
  readonly object: ObjectIdentity
  /** Names of Allocations that must be stored as they stand (not merely assumed) before it goes. */
  readonly after?: readonly string[]
}

/** Asks for a complete listing of an endpoint, begun from now on. Asked often, done once. */
export interface ObserveEffect {
  readonly effect: 'Observe'
  readonly endpoint: EndpointKey
}

/** Tells of something worth an event that no condition's change tells. */
export interface EventEffect {
  readonly effect: 'Event'
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly action: string
  readonly note: string
}

/** Anything a verdict may want done. */
export type Effect = OperateEffect | CreateEffect | UpdateEffect | DeleteEffect | ObserveEffect | EventEffect

/** A driver operation under the named claims. */
export function operate(operation: Operation, claims: readonly string[]): OperateEffect {
  return { effect: 'Operate', operation, claims }
}

/** Creation of a claim or child. */
export function create(object: CreateEffect['object']): CreateEffect {
  return { effect: 'Create', object }
}

/** Replacement of the spec of an object of ours. */
export function update(object: ObjectIdentity, spec: unknown): UpdateEffect {
  const { apiVersion, kind, metadata } = object
  return { effect: 'Update', object: { apiVersion, kind, metadata, spec } }
}

/** Deletion of exactly this object. */
export function remove(object: ObjectIdentity): DeleteEffect {
  const { apiVersion, kind, metadata } = object
  return { effect: 'Delete', object: { apiVersion, kind, metadata } }
}

/** Deletion of exactly this object, once the Allocations named are stored as they stand. */
export function removeAfter(object: ObjectIdentity, after: readonly string[]): DeleteEffect {
  return { ...remove(object), after }
}

/** A fresh complete listing of an endpoint. */
export function observe(endpoint: EndpointKey): ObserveEffect {
  return { effect: 'Observe', endpoint }
}
