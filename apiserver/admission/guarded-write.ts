import type { APIObject } from '../api-object.ts'
import type { Writer } from '../authorization/escalation.ts'
import type { ResourceDefinition } from '../resource-definition.ts'
import { forbidden } from '../status-error.ts'

/** A write of an object; `old` is undefined on creation. */
export interface GuardedWrite {
  readonly definition: ResourceDefinition
  readonly writer: Writer
  readonly next: APIObject
  readonly old: APIObject | undefined
}

/** A right that a write takes: to use the verb on the object, or on a subresource of it. */
export interface Right {
  readonly verb: string
  readonly subresource?: string
  /** What a writer is told who does not have it; the resource's plural is given. */
  readonly refusal: (plural: string) => string
}

/** Throws a 403 where the writer does not have the right. */
export function requireRight({ definition, writer, next }: GuardedWrite, right: Right): void {
  const { verb, subresource = '', refusal } = right
  const { group, plural } = definition
  const { namespace = '', name } = next.metadata
  const asked = { verb, group, plural, subresource, namespace, name }
  if (!writer.authorizer.decide(writer.user, asked).allowed) throw forbidden(definition, name, refusal(plural))
}
