import type { APIObject } from '../api-object.ts'
import type { Writer } from '../authorization/escalation.ts'
import type { ResourceDefinition } from '../resource-definition.ts'

/** A write of an object; `old` is undefined on creation. */
export interface GuardedWrite {
  readonly definition: ResourceDefinition
  readonly writer: Writer
  readonly next: APIObject
  readonly old: APIObject | undefined
}
