/** A CustomResourceDefinition's spec, read into what the server works with. */

import type { APIObject, JSONObject } from '../api-object.ts'
import { isRecord, valueAt } from '../api-object.ts'
import type { PrinterColumn, ResourceDefinition, ScalePaths } from '../resource-definition.ts'
import { allVerbs } from '../resource-definition.ts'
import type { CompiledSchema } from '../schema/compiled-schema.ts'
import { compileSchema } from '../schema/compiled-schema.ts'
import type { StructuralSchema } from '../schema/structural-schema.ts'

/** Names of a resource, with Kubernetes' defaults. */
export interface Names {
  readonly plural: string
  readonly singular: string
  readonly kind: string
  readonly listKind: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
}

/** One version of a resource. */
export interface Version {
  readonly name: string
  readonly served: boolean
  readonly storage: boolean
  readonly deprecated: boolean
  readonly deprecationWarning: string | undefined
  readonly schema: StructuralSchema | undefined
  readonly status: boolean
  /** Paths are '' where they are missing. */
  readonly scale: ScalePaths | undefined
  readonly columns: readonly PrinterColumn[]
  /** The columns as they were given. */
  readonly givenColumns: readonly JSONObject[]
  readonly selectableFields: readonly string[]
}

/** The spec of a definition. */
export interface DefinitionSpec {
  readonly group: string
  readonly scope: string
  readonly names: Names
  readonly versions: readonly Version[]
}

/** Reads the spec of a definition; members that are missing read as empty. */
export function specOf(definition: APIObject): DefinitionSpec {
  const spec = record(definition.spec)
  return {
    group: string(spec.group),
    scope: string(spec.scope),
    names: namesOf(record(spec.names)),
    versions: records(spec.versions).map(versionOf),
  }
}

/** A version as the server handles it. */
export interface HandledVersion {
  readonly served: boolean
  /** What users of a deprecated version are told. */
  readonly warning: string | undefined
  readonly definition: ResourceDefinition
}

/** What the server must know about each version that is served or stored. */
export function definitionsOf(definition: APIObject): readonly HandledVersion[] {
  const { group, scope, names, versions } = specOf(definition)
  return versions
    .filter(version => version.served || version.storage)
    .map(version => {
      const { schema, served } = version
      const resource = Object.freeze({
        group,
        version: version.name,
        ...names,
        namespaced: scope === 'Namespaced',
        subresources: { status: version.status, ...(version.scale !== undefined && { scale: version.scale }) },
        columns: version.columns,
        ...(schema !== undefined && { schema, compiled: compiledSchema(schema) }),
        verbs: allVerbs,
        builtin: false,
        selectableFields: version.selectableFields,
      })
      return { served, warning: warningOf(version, group, names.kind), definition: resource }
    })
}

function warningOf({ name, deprecated, deprecationWarning }: Version, group: string, kind: string): string | undefined {
  return deprecated ? (deprecationWarning ?? `${group}/${name} ${kind} is deprecated`) : undefined
}

/** The name of the version in which objects are stored. */
export function storageVersion({ versions }: DefinitionSpec): string {
  return versions.find(version => version.storage)?.name ?? ''
}

const compiled = new WeakMap<StructuralSchema, CompiledSchema>()
/** The same by what they say: a definition that is applied again unchanged comes as another object. */
const compiledByText = new Map<string, WeakRef<CompiledSchema>>()
const dropped = new FinalizationRegistry<string>(text => {
  if (compiledByText.get(text)?.deref() === undefined) compiledByText.delete(text)
})

/** The schema, compiled once; throws a SchemaError where it is not structural. */
export function compiledSchema(schema: StructuralSchema): CompiledSchema {
  const known = compiled.get(schema)
  if (known !== undefined) return known
  const made = compiledText(JSON.stringify(schema), schema)
  compiled.set(schema, made)
  return made
}

function compiledText(text: string, schema: StructuralSchema): CompiledSchema {
  const known = compiledByText.get(text)?.deref()
  if (known !== undefined) return known
  const made = compileSchema(schema)
  compiledByText.set(text, new WeakRef(made))
  dropped.register(made, text)
  return made
}

function namesOf(names: JSONObject): Names {
  const kind = string(names.kind)
  return {
    plural: string(names.plural),
    singular: string(names.singular) || kind.toLowerCase(),
    kind,
    listKind: string(names.listKind) || `${kind}List`,
    shortNames: strings(names.shortNames),
    categories: strings(names.categories),
  }
}

function versionOf(version: JSONObject): Version {
  const schema = valueAt(version, ['schema', 'openAPIV3Schema'])
  return {
    name: string(version.name),
    served: version.served === true,
    storage: version.storage === true,
    deprecated: version.deprecated === true,
    deprecationWarning: typeof version.deprecationWarning === 'string' ? version.deprecationWarning : undefined,
    schema: isRecord(schema) ? schema : undefined,
    status: isRecord(valueAt(version, ['subresources', 'status'])),
    scale: scaleOf(valueAt(version, ['subresources', 'scale'])),
    columns: columnsOf(records(version.additionalPrinterColumns)),
    givenColumns: records(version.additionalPrinterColumns),
    selectableFields: records(version.selectableFields).map(field => string(field.jsonPath)),
  }
}

function scaleOf(scale: unknown): ScalePaths | undefined {
  if (!isRecord(scale)) return undefined
  return {
    spec: string(scale.specReplicasPath),
    status: string(scale.statusReplicasPath),
    selector: string(scale.labelSelectorPath) || undefined,
  }
}

/** Types of columns. */
export const columnTypes = ['string', 'integer', 'date', 'boolean', 'number'] as const

function columnsOf(columns: readonly JSONObject[]): readonly PrinterColumn[] {
  // A definition without columns shows the age, as Kubernetes does.
  if (columns.length === 0) return [{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', priority: 0 }]
  return columns.map(column => ({
    name: string(column.name),
    type: columnTypes.find(type => type === column.type) ?? 'string',
    jsonPath: string(column.jsonPath),
    ...(typeof column.description === 'string' && { description: column.description }),
    ...(typeof column.format === 'string' && { format: column.format }),
    priority: typeof column.priority === 'number' ? column.priority : 0,
  }))
}

function record(value: unknown): JSONObject {
  return isRecord(value) ? value : {}
}

function records(value: unknown): readonly JSONObject[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : []
}
