/** The parts that every resource has: Kubernetes' metadata and conditions, and what Skystead adds to each spec. */

/** ObjectMeta as the API serves it (only the fields that Skystead reads or writes). */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly generation: number
  readonly creationTimestamp: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
  readonly ownerReferences?: readonly OwnerReference[]
}

/** metav1.OwnerReference. */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

/** metav1.Condition (KEP-1623). */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly observedGeneration?: number
  readonly lastTransitionTime: string
  readonly reason: string
  readonly message: string
}

/** What the status of every kind holds beside its own fields. */
export interface CommonStatus {
  readonly observedGeneration?: number
  readonly conditions?: readonly Condition[]
}

/** An object of the API: any kind's, with its spec and status types. */
export interface Resource<Spec = unknown, Status extends CommonStatus = CommonStatus> {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly spec: Spec
  readonly status?: Status
}

/** A resource as one writes it: the API server adds the rest of the metadata. */
export interface Manifest<Spec = unknown> {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Pick<
    ObjectMeta,
    'name' | 'namespace' | 'labels' | 'annotations' | 'finalizers' | 'ownerReferences'
  > & { readonly uid?: string }
  readonly spec: Spec
}

/** The condition of a type, where the object has one. */
export function conditionOf(object: { readonly status?: CommonStatus }, type: string): Condition | undefined {
  return object.status?.conditions?.find(condition => condition.type === type)
}

/** Whether the object's condition of that type is True. */
export function isTrue(object: { readonly status?: CommonStatus }, type: string): boolean {
  return conditionOf(object, type)?.status === 'True'
}
