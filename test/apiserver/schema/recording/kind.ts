/** Kinds whose schema came after their objects: so objects may break it, and be changed from there. */
import type { StructuralSchema } from '../../../../apiserver/schema/structural-schema.ts'
import type { Answer, CallOptions } from '../../../conformance/api.ts'
import type { Bench } from '../../../conformance/case.ts'
import { definition } from '../../../conformance/definitions.ts'
import { definitionsPath } from '../../../conformance/installation.ts'

/** Objects of a kind, which are asked about and never changed. */
export interface RecordedKind {
  /** Answers a creation, or an update of an object that was there before: as a dry run. */
  propose(name: string, spec: object, isUpdate: boolean, query?: string): Promise<Answer>
}

/** The schema of an object the spec of which has these properties. */
export function specSchema(properties: Readonly<Record<string, StructuralSchema>>): StructuralSchema {
  return { type: 'object', properties: { spec: { type: 'object', properties } } }
}

/** Makes a kind with objects, then gives its specs these properties. */
export async function kindWith(
  bench: Bench,
  properties: Readonly<Record<string, StructuralSchema>>,
  before: Readonly<Record<string, object>>,
): Promise<RecordedKind> {
  const group = `${bench.name('record')}.skystead.test`
  const made = (schema?: StructuralSchema) =>
    definition('Thing', { group, scope: 'Cluster', ...(schema !== undefined && { schema }) })
  const path = await bench.install(made())
  const objectOf = (name: string, spec: object) => ({
    apiVersion: `${group}/v1`,
    kind: 'Thing',
    metadata: { name },
    spec,
  })
  for (const [name, spec] of Object.entries(before)) {
    const { status, text } = await bench.api.post(path, objectOf(name, spec))
    if (status !== 201) throw new Error(`Cannot make ${name}: ${text}`)
  }
  const { spec } = made(specSchema({ ...properties, sign: { type: 'string', maxLength: 1 } }))
  const { status, text } = await bench.api.patch(`${definitionsPath}/things.${group}`, 'merge', { spec })
  if (status !== 200) throw new Error(`Cannot give the kind its schema: ${text}`)
  const versions = new Map<string, string>()
  for (const name of Object.keys(before)) {
    const { body } = await bench.api.get(`${path}/${name}`)
    versions.set(name, body.metadata.resourceVersion)
  }
  const kind: RecordedKind = {
    async propose(name, proposed, isUpdate, query = '') {
      const object = objectOf(name, proposed)
      const options: CallOptions = { accept: 'application/json' }
      if (!isUpdate) return await bench.api.post(`${path}?dryRun=All${query}`, object, options)
      const metadata = { name, resourceVersion: versions.get(name) }
      return await bench.api.put(`${path}/${name}?dryRun=All${query}`, { ...object, metadata }, options)
    },
  }
  const isThere = async () => (await kind.propose('sign', { sign: 'long' }, false)).status === 422
  await bench.until('the schema', isThere)
  return kind
}
