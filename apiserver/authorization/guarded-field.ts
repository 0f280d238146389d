/** A field of custom resources that only those may set who may use a verb on the object. */
export interface GuardedField {
  /** API groups of the kinds that have it. */
  readonly groups: readonly string[]
  /** As in `['spec', 'placement']`. */
  readonly path: readonly string[]
  /** Only setting this value takes the right. Left out: every change does. */
  readonly value?: string
  readonly verb: string
}
