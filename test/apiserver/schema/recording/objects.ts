/** What becomes of objects, by a Kubernetes API. */
import type { StructuralSchema } from '../../../../apiserver/schema/structural-schema.ts'
import type { Bench } from '../../../conformance/case.ts'
import { kindWith } from './kind.ts'

/** A value of a schema, and what it was before where it is changed. */
export interface Proposal {
  readonly schema: StructuralSchema
  readonly value: object
  readonly old?: object
}

/** What became of it. */
export interface RecordedObject extends Proposal {
  /** Paths of fields that the schema does not know. */
  readonly unknown: readonly string[]
  /** `reason|field|message`, in the order of the alphabet. */
  readonly errors: readonly string[]
  /** What would be stored; missing where there are errors. */
  readonly stored?: object
}

/** Asks about objects. */
export async function recordObjects(bench: Bench, proposals: readonly Proposal[]): Promise<readonly RecordedObject[]> {
  const named = proposals.map((proposal, index) => [`part${index}`, proposal] as const)
  const kind = await kindWith(
    bench,
    Object.fromEntries(named.map(([name, { schema }]) => [name, schema])),
    Object.fromEntries(named.flatMap(([name, { old }]) => (old === undefined ? [] : [[name, { [name]: old }]]))),
  )
  const recorded: RecordedObject[] = []
  for (const [name, { schema, value, old }] of named) {
    const propose = (validation: string) =>
      kind.propose(name, { [name]: value }, old !== undefined, `&fieldValidation=${validation}`)
    const plain = (text: string) => text.replaceAll(`spec.${name}`, 'spec')
    const strict = (await propose('Strict')).body
    const { status, body } = await propose('Ignore')
    const causes: readonly { reason: string; field: string; message: string }[] = body.details?.causes ?? []
    const unknown: readonly string[] = plain(strict.message ?? '').match(/(?<=unknown field ")[^"]+/g) ?? []
    recorded.push({
      schema,
      value,
      ...(old !== undefined && { old }),
      unknown: unknown.toSorted(),
      errors: causes.map(({ reason, field, message }) => plain(`${reason}|${field}|${message}`)).sort(),
      ...(status < 300 && { stored: body.spec[name] }),
    })
  }
  return recorded
}
