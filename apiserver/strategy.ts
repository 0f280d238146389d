import type { Clock } from '../crds/environment.ts'
import type { APIObject } from './api-object.ts'
import type { Writer } from './authorization/escalation.ts'
import type { NameRule } from './metadata.ts'
import type { FieldError } from './schema/field-error.ts'

/** How one kind is written, beyond what its schema says. */
export interface Strategy {
  readonly nameRule: NameRule
  /** Whether metadata.generation counts the changes of what is wished. */
  readonly generation: boolean
  /** Whether PUT of a missing object creates it. */
  readonly createOnUpdate: boolean
  /** Whether PUT may leave resourceVersion out. */
  readonly unconditionalUpdate: boolean
  /** Fields usable in field selectors beside metadata.name and metadata.namespace. */
  readonly fields: Readonly<Record<string, (object: APIObject) => string>>
  /** Completes an object before it is validated; `old` is undefined on creation. */
  readonly prepare?: (next: APIObject, old: APIObject | undefined, clock: Clock) => APIObject
  /** What is wrong beyond the schema. */
  readonly validate?: (next: APIObject, old: APIObject | undefined) => readonly FieldError[]
  /** Marks an object whose deletion waits for finalizers. */
  readonly markDeleted?: (object: APIObject, clock: Clock) => APIObject
  /** Finalizers outside metadata that hold back the deletion. */
  readonly holdsBack?: (object: APIObject) => boolean
  /** Throws when the object must not be deleted. */
  readonly beforeDelete?: (object: APIObject) => void
  /** Throws a 403 when the writer may not write just this; `old` is undefined on creation. */
  readonly checkWriter?: (next: APIObject, old: APIObject | undefined, writer: Writer) => void
  /** Throws when no object of the kind may be created now. */
  readonly beforeCreate?: (name: string) => void
}

/** What holds for most built-in kinds. */
export const plainStrategy: Strategy = {
  nameRule: 'subdomain',
  generation: false,
  createOnUpdate: false,
  unconditionalUpdate: true,
  fields: {},
}
