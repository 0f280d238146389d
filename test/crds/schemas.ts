/** The schemas of the generated CRDs, as the API server uses them. */
import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { type CompiledSchema, compileSchema } from '../../apiserver/schema/compiled-schema.ts'
import type { StructuralSchema } from '../../apiserver/schema/structural-schema.ts'
import { projectPath } from '../../cli/repository.ts'
import { readDefinitions } from '../../controllers/install.ts'

/** An object as a manifest holds it. */
export interface WrittenObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec: Readonly<Record<string, unknown>>
}

interface CRD {
  readonly spec: {
    readonly names: { readonly kind: string }
    readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: StructuralSchema } }]
  }
}

const root = new URL('../../', import.meta.url)

/** The compiled schema of every kind, by kind. */
export const schemas: ReadonlyMap<string, CompiledSchema> = new Map(
  // The edge: the files hold definitions.
  (readDefinitions(projectPath('manifests/crds')) as unknown as readonly CRD[]).map(({ spec: { names, versions } }) => [
    names.kind,
    compileSchema(versions[0].schema.openAPIV3Schema),
  ]),
)

/** The objects of a file of manifests; the path is relative to the repository. */
export function objectsOf(path: string): readonly WrittenObject[] {
  return parseAllDocuments(readFileSync(new URL(path, root), 'utf8')).map(document => document.toJS())
}

/** The object with its defaults. */
export function defaulted(object: WrittenObject): WrittenObject {
  return schemaOf(object).applyDefaults(object)
}

/** What the API server would refuse an object for: `field: message`. With `before` it is an update. */
export function refusals(object: WrittenObject, before?: WrittenObject): readonly string[] {
  const schema = schemaOf(object)
  const unknown = schema.unknownFields(object).map(path => `${path}: unknown field`)
  const errors = schema.validate(defaulted(object), before === undefined ? undefined : defaulted(before))
  return [...unknown, ...errors.map(error => `${error.field}: ${error.message}`)]
}

function schemaOf(object: WrittenObject): CompiledSchema {
  const schema = schemas.get(object.kind)
  if (schema === undefined) throw new Error(`Cannot validate ${object.kind}: there is no such CRD`)
  return schema
}
