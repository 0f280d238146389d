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
  /**
   * type names the condition.
   * @minLength 1
   * @maxLength 316
   * @pattern ^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$
   */
  readonly type: string
  /** status says whether the condition holds: 'True', 'False' or 'Unknown'. */
  readonly status: 'True' | 'False' | 'Unknown'
  /**
   * observedGeneration is the metadata.generation that the condition was judged by.
   * @integer
   * @minimum 0
   * @maximum 9007199254740991
   */
  readonly observedGeneration?: number
  /**
   * lastTransitionTime is when status last changed.
   * @format date-time
   * @maxLength 40
   */
  readonly lastTransitionTime: string
  /**
   * reason says in one word why; programs may rely on it.
   * @minLength 1
   * @maxLength 1024
   * @pattern ^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$
   */
  readonly reason: string
  /**
   * message says for people what holds and what to do about it. May be empty.
   * @maxLength 32768
   */
  readonly message: string
}

/** What the status of every kind holds beside its own fields. */
export interface CommonStatus {
  /**
   * observedGeneration is the metadata.generation that this status was made from; -1 before any was made.
   * @integer
   * @minimum -1
   * @maximum 9007199254740991
   */
  readonly observedGeneration?: number
  /**
   * conditions say which wishes are met, and why the others are not. 'Ready' summarises them.
   * @listType map
   * @listMapKey type
   * @maxItems 32
   */
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
