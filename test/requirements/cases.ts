/** Kinds of cases in the tables of requirements: each proves one field, with its number where it has one. */
import type { SpecChanges } from '../crds/refused/refusal.ts'

/** Left out, the field takes this value. */
export interface DefaultCase {
  readonly title: string
  readonly kind: string
  readonly field: string
  readonly value: unknown
}

/** A manifest without the field is refused by name. */
export interface NeededCase {
  readonly title: string
  readonly kind: string
  readonly fields: readonly string[]
}

/** A manifest with these changes to its sample is accepted. */
export interface AcceptedCase {
  readonly title: string
  readonly kind: string
  readonly changes: readonly SpecChanges[]
}

/** A manifest with these changes to its sample is refused at the field, each of them. */
export interface RefusedCase {
  readonly title: string
  readonly kind: string
  readonly changes: readonly SpecChanges[]
  readonly field: string
  readonly message: RegExp
}

/** An edit of the sample is refused at the field (`spec` where a field without a default appears or goes). */
export interface FixedCase {
  readonly title: string
  readonly kind: string
  readonly edits: Readonly<Record<string, unknown>>
}
