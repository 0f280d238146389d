/** CustomResourceDefinitions as objects, and the resources that they add to the registry. */

import type { Clock } from '../../crds/environment.ts'
import { timestamp } from '../../crds/environment.ts'
import type { APIObject, JSONObject } from '../api-object.ts'
import { isRecord, valueAt, withMember, withMetadata } from '../api-object.ts'
import { builtinDefinition } from '../kinds/builtin.ts'
import type { Registry, ServedResource, Shape } from '../registry.ts'
import { serve } from '../registry.ts'
import { apiVersionOf, type ResourceDefinition } from '../resource-definition.ts'
import type { CompiledSchema } from '../schema/compiled-schema.ts'
import { forbidden } from '../status-error.ts'
import type { Collection } from '../storage/collection.ts'
import type { Store } from '../storage/store.ts'
import type { Strategy } from '../strategy.ts'
import type { DefinitionCondition } from './definition-kind.ts'
import { customResourceDefinitionKind } from './definition-kind.ts'
import { definitionsOf, specOf, storageVersion } from './definition-spec.ts'
import { hasCondition, isEstablished, validateDefinition } from './validate-definition.ts'

/** What keeps a definition until all its objects are gone. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

/** The collection of definitions. */
export const definitionCollection = 'customresourcedefinitions.apiextensions.k8s.io'

/** Serves the definitions themselves. Names are accepted against the other definitions of the store. */
export function serveDefinitions(store: Store): ServedResource {
  const strategy: Strategy = {
    nameRule: 'subdomain',
    generation: true,
    createOnUpdate: false,
    unconditionalUpdate: false,
    fields: {},
    prepare: (next, old, clock) => prepare(store.collection(definitionCollection), next, old, clock),
    validate: validateDefinition,
    markDeleted: (object, clock) => withCondition(object, terminating('InstanceDeletionPending', clock)),
  }
  const definition = builtinDefinition(customResourceDefinitionKind)
  return serve(definition, strategy, { collection: definitionCollection, storedVersion: apiVersionOf(definition) })
}

/** Makes the registry follow the definition of one resource: what is established is served. */
export function register(registry: Registry, definition: APIObject): void {
  const { group, names } = specOf(definition)
  const served = isEstablished(definition) ? handled(registry, definition) : []
  registry.replace(group, names.plural, served)
}

/** The served versions of a resource; of the others the registry learns how their objects are handled. */
function handled(registry: Registry, definition: APIObject): readonly ServedResource[] {
  const spec = specOf(definition)
  const { group, names } = spec
  const conversion = { collection: `${names.plural}.${group}`, storedVersion: `${group}/${storageVersion(spec)}` }
  const deleted = definition.metadata.deletionTimestamp !== undefined
  const versions = definitionsOf(definition)
  const stored = versions.find(version => version.definition.version === storageVersion(spec))?.definition.compiled
  return versions.flatMap(({ served, warning, definition: resource }) => {
    const shape = shapeOf(definition, stored, resource.compiled)
    const strategy = deleted ? { ...customStrategy, beforeCreate: refuseCreation(resource) } : customStrategy
    const version = serve(resource, strategy, { ...conversion, warning, ...(shape !== undefined && { shape }) })
    if (served) return [version]
    registry.addStored(version)
    return []
  })
}

/**
 * How objects that were written under an earlier schema, or in another version, are made to look as the schema of a
 * version has it; undefined where all are so already.
 */
function shapeOf(definition: APIObject, stored?: CompiledSchema, own?: CompiledSchema): Shape | undefined {
  const { generation = 1 } = definition.metadata
  if (stored === undefined || own === undefined || (generation === 1 && stored === own)) return undefined
  const shape = (object: APIObject) => stored.applyDefaults(stored.prune(object))
  return { name: String(generation), apply: once(stored === own ? shape : object => own.prune(shape(object))) }
}

/** What is stored does not change: it is shaped when it is first asked for, and not for every list again. */
function once(apply: (object: APIObject) => APIObject): (object: APIObject) => APIObject {
  const shaped = new WeakMap<APIObject, APIObject>()
  return object => {
    const known = shaped.get(object)
    if (known !== undefined) return known
    const made = apply(object)
    shaped.set(object, made)
    return made
  }
}

/** The definition with one condition set; its time of transition changes only with its status. */
function withCondition(definition: APIObject, condition: JSONObject & { type: DefinitionCondition }): APIObject {
  const known = valueAt(definition, ['status', 'conditions'])
  const conditions: readonly JSONObject[] = Array.isArray(known) ? known.filter(isRecord) : []
  const before = conditions.find(each => each.type === condition.type)
  const { lastTransitionTime } = before !== undefined && before.status === condition.status ? before : condition
  const after = { ...condition, lastTransitionTime }
  const others = conditions.filter(each => each.type !== condition.type)
  return withMember(definition, 'status', { ...record(definition.status), conditions: [...others, after] })
}

/** The condition Terminating, while objects are being deleted. */
function terminating(reason: string, clock: Clock): JSONObject & { type: DefinitionCondition } {
  return {
    type: 'Terminating',
    status: 'True',
    lastTransitionTime: timestamp(clock),
    reason,
    message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
  }
}

const customStrategy: Strategy = {
  nameRule: 'subdomain',
  generation: true,
  createOnUpdate: false,
  unconditionalUpdate: false,
  fields: {},
}

function refuseCreation(resource: ResourceDefinition): (name: string) => never {
  return name => {
    throw forbidden(resource, name, 'create not allowed while custom resource definition is terminating')
  }
}

function prepare(others: Collection, next: APIObject, old: APIObject | undefined, clock: Clock): APIObject {
  const completed = withDefaultNames(next)
  const kept = old === undefined ? withMetadata(completed, { finalizers: withCleanup(completed) }) : completed
  const versioned = withStoredVersions(kept)
  return withNameConditions(others, versioned, clock)
}

function withCleanup(definition: APIObject): readonly string[] {
  return [...new Set([...(definition.metadata.finalizers ?? []), cleanupFinalizer])]
}

function withDefaultNames(definition: APIObject): APIObject {
  const { spec } = definition
  if (!isRecord(spec) || !isRecord(spec.names) || !isString(spec.names.kind)) return definition
  const { singular, listKind } = specOf(definition).names
  const { names } = spec
  const conversion = isRecord(spec.conversion) ? spec.conversion : { strategy: 'None' }
  return withMember(definition, 'spec', { ...spec, conversion, names: { ...names, singular, listKind } })
}

function withStoredVersions(definition: APIObject): APIObject {
  const storage = storageVersion(specOf(definition))
  const status = record(definition.status)
  const stored = Array.isArray(status.storedVersions) ? status.storedVersions : []
  if (storage === '' || stored.includes(storage)) return definition
  return withMember(definition, 'status', { ...status, storedVersions: [...stored, storage] })
}

/** Names are accepted when no other definition of the group holds them; accepted names are served. */
function withNameConditions(others: Collection, definition: APIObject, clock: Clock): APIObject {
  const conflict = conflictOf(others, definition)
  const lastTransitionTime = timestamp(clock)
  if (conflict !== undefined) {
    const refused = { status: 'False', lastTransitionTime, ...conflict } as const
    const marked = withCondition(definition, { type: 'NamesAccepted', ...refused })
    if (isEstablished(definition)) return marked
    const waiting = { ...refused, reason: 'NotAccepted', message: 'not all names are accepted' }
    return withCondition(marked, { type: 'Established', ...waiting })
  }
  const accepted = withCondition(definition, {
    type: 'NamesAccepted',
    status: 'True',
    lastTransitionTime,
    reason: 'NoConflicts',
    message: 'no conflicts found',
  })
  const served = withCondition(accepted, {
    type: 'Established',
    status: 'True',
    lastTransitionTime,
    reason: 'InitialNamesAccepted',
    message: 'the initial names have been accepted',
  })
  const names = valueAt(definition, ['spec', 'names'])
  return withMember(served, 'status', { ...record(served.status), acceptedNames: names })
}

/** Why the names of a definition are not its own: what another definition of the group has already. */
function conflictOf(others: Collection, definition: APIObject): { reason: string; message: string } | undefined {
  const { group, names } = specOf(definition)
  const resources = new Set<string>()
  const kinds = new Set<string>()
  for (const { name, object } of others.entries.values()) {
    const other = specOf(object)
    if (name === definition.metadata.name || other.group !== group || !hasCondition(object, 'NamesAccepted')) continue
    for (const each of [other.names.plural, other.names.singular, ...other.names.shortNames]) resources.add(each)
    for (const each of [other.names.kind, other.names.listKind]) kinds.add(each)
  }
  const claims: readonly (readonly [string, readonly string[], ReadonlySet<string>])[] = [
    ['ListKindConflict', [names.listKind], kinds],
    ['KindConflict', [names.kind], kinds],
    ['ShortNamesConflict', names.shortNames, resources],
    ['SingularConflict', [names.singular], resources],
    ['PluralConflict', [names.plural], resources],
  ]
  for (const [reason, wished, taken] of claims) {
    const known = wished.filter(each => taken.has(each)).map(each => `${JSON.stringify(each)} is already in use`)
    if (known.length > 0) return { reason, message: known.length > 1 ? `[${known.join(', ')}]` : known.join('') }
  }
  return undefined
}

function record(value: unknown): JSONObject {
  return isRecord(value) ? value : {}
}

function isString(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
