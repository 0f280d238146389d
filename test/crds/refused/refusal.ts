import { objectsOf, type WrittenObject } from '../schemas.ts'

/** Fields of a spec; undefined takes a field away. */
export type SpecChanges = Readonly<Record<string, unknown>>

/** What is changed in a kind's sample, and what is said of it: the field, and words of the message. */
export type Refusal = readonly [title: string, kind: string, changes: SpecChanges, field: string, message: RegExp]

/** What is changed in a kind's sample. */
export type Edit = readonly [title: string, kind: string, changes: SpecChanges]

/** The sample of a kind. */
export function sample(kind: string): WrittenObject {
  const [object] = objectsOf(`manifests/samples/${kind.toLowerCase()}.yaml`)
  if (object === undefined) throw new Error(`Cannot find the sample of ${kind}`)
  return object
}

/** The object with other fields in its spec. */
export function changed(object: WrittenObject, changes: SpecChanges): WrittenObject {
  const spec = Object.entries({ ...object.spec, ...changes }).filter(([, value]) => value !== undefined)
  return { ...object, spec: Object.fromEntries(spec) }
}
