import type { ObjectMeta } from '../../crds/meta.ts'
import { ApiError } from './api-error.ts'
import type { BuiltInKind } from './paths.ts'

/** coordination.k8s.io/v1 Lease, as far as it is looked at. */
export interface LeaseObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly spec?: LeaseSpec
}

/** What a lease says. */
export interface LeaseSpec {
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  readonly acquireTime?: string
  readonly renewTime?: string
  readonly leaseTransitions?: number
}

/** The leases of Kubernetes. */
export const Lease: BuiltInKind<LeaseObject> = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
}

/** What a lease says besides, for whoever looks for it. */
export type LeaseMarks = Required<Pick<ObjectMeta, 'labels' | 'annotations'>>

/** Whether a write of a lease was refused because somebody else was quicker. */
export function isLostRace(error: unknown): boolean {
  return error instanceof ApiError && ['Conflict', 'AlreadyExists', 'NotFound'].includes(error.reason)
}
