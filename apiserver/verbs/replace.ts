import deepEqual from 'fast-deep-equal'
import { checkWrite } from '../admission/rules.ts'
import type { APIObject, MetadataChanges, ObjectMetadata } from '../api-object.ts'
import { keyOf, withMember, withMetadata } from '../api-object.ts'
import { invalidValue } from '../field-errors.ts'
import { validateMetadata, validateMetadataChange } from '../metadata.ts'
import { finalizerWarnings } from '../metadata-warnings.ts'
import type { Scope, WriteOptions } from '../scope.ts'
import { badRequest, foreignNamespace, invalid, notFound, staleVersion, unforeseen } from '../status-error.ts'
import { isFinished } from './delete.ts'
import { type Ownership, ownedAfterUpdate } from './ownership.ts'
import type { Pending } from './written.ts'
import { removed, staged, thought, unchanged } from './written.ts'

/**
 * Decides the replacement of an object by what `change` makes of the live one (both in the served version).
 * Throws StatusErrors: 404, 409, 422.
 */
export function replaceObject(
  scope: Scope,
  options: WriteOptions & { ownership: Ownership },
  change: (live: APIObject) => APIObject,
): Pending {
  const { context, resource } = scope
  const { store } = context
  const key = keyOf(scope.namespace, scope.name)
  const entry = store.latest(resource.collection, key)
  if (entry === undefined) throw notFound(resource.definition, scope.name)
  const live = resource.toServed(entry.object)
  const wished = change(live)
  checkIdentity(scope, wished, live)
  const next = decide(scope, options, wished, live)
  if (deepEqual(next, live)) return options.dryRun ? thought(entry.object) : unchanged(context, entry)
  const stored = resource.toStored(next)
  if (options.dryRun) return thought(stored)
  // The last finalizer has gone.
  if (isFinished(resource, next)) return removed(store.delete(resource.collection, key), stored)
  return staged(store.put(resource.collection, key, stored))
}

/** Refuses a body that bears another name than the path, or none. */
export function checkName(scope: Scope, { metadata: { name } }: APIObject): void {
  if (name === scope.name) return
  throw badRequest(
    name === undefined
      ? `the name of the object (${scope.name} based on URL) was undeterminable: name must be provided`
      : `the name of the object (${name}) does not match the name on the URL (${scope.name})`,
  )
}

function checkIdentity(scope: Scope, wished: APIObject, live: APIObject): void {
  const { definition, strategy } = scope.resource
  const { namespace, resourceVersion = '' } = wished.metadata
  if (namespace && namespace !== scope.namespace) throw foreignNamespace()
  if (!/^[0-9]*$/.test(resourceVersion)) {
    throw unforeseen(`strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`)
  }
  if (Number(resourceVersion) === 0) {
    if (strategy.unconditionalUpdate) return
    throw invalid({ group: definition.group, kind: definition.plural }, scope.name, [
      invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
    ])
  }
  if (resourceVersion !== live.metadata.resourceVersion) throw staleVersion(definition, scope.name)
}

function decide(
  scope: Scope,
  options: WriteOptions & { ownership: Ownership },
  wished: APIObject,
  live: APIObject,
): APIObject {
  const { resource, context } = scope
  const { clock } = context.environment
  const { definition, strategy } = resource
  const limited = limitToSubresource(scope, wished, live)
  const system = withMetadata(limited, systemMetadata(live.metadata))
  const prepared = strategy.prepare?.(system, live, clock) ?? system
  const writer = { user: scope.user, authorizer: context.authorizer }
  strategy.checkWriter?.(prepared, live, writer)
  const owned = options.ownership === 'applied' ? prepared : ownedBy(scope, options, prepared, live)
  validate(scope, owned, { live, wished })
  checkWrite(context.admission, { definition, writer, next: owned, old: live })
  if (!strategy.generation || !changesWish(owned, live, definition.subresources.status)) return owned
  return withMetadata(owned, { generation: (live.metadata.generation ?? 0) + 1 })
}

/** What the main resource may not change is status; what a subresource may change is its part alone. */
function limitToSubresource(scope: Scope, wished: APIObject, live: APIObject): APIObject {
  const { managedFields } = wished.metadata
  if (scope.subresource === 'status') {
    return withMetadata(withMember(live, 'status', wished.status), { managedFields })
  }
  if (scope.subresource === 'scale') return wished
  if (scope.subresource === 'finalize') return withMember(live, 'spec', wished.spec)
  if (!scope.resource.definition.subresources.status) return wished
  return wished.status === live.status ? wished : withMember(wished, 'status', live.status)
}

function systemMetadata(live: ObjectMetadata): MetadataChanges {
  const { name, namespace, uid, creationTimestamp, generation, resourceVersion } = live
  const { deletionTimestamp, deletionGracePeriodSeconds } = live
  return {
    name,
    namespace,
    uid,
    creationTimestamp,
    generation,
    resourceVersion,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    selfLink: undefined,
  }
}

function ownedBy(scope: Scope, options: WriteOptions, next: APIObject, live: APIObject): APIObject {
  const { managedFields } = next.metadata
  const sameManagers = managedFields === undefined || deepEqual(managedFields, live.metadata.managedFields)
  if (sameManagers && deepEqual(withManagersOf(next, live), live)) return live
  return ownedAfterUpdate(scope, options, next, live)
}

function withManagersOf(next: APIObject, live: APIObject): APIObject {
  return withMetadata(next, { managedFields: live.metadata.managedFields })
}

function validate(
  scope: Scope,
  next: APIObject,
  { live, wished }: { readonly live: APIObject; readonly wished: APIObject },
): void {
  const { definition, strategy } = scope.resource
  const errors = [
    ...validateMetadata(next.metadata, { namespaced: definition.namespaced, nameRule: strategy.nameRule }),
    ...validateMetadataChange(wished.metadata, live.metadata),
    ...(definition.compiled?.validate(next, live) ?? []),
    ...(strategy.validate?.(next, live) ?? []),
  ]
  if (errors.length > 0) throw invalid(definition, next.metadata.name, errors)
  if (!definition.builtin) scope.warnings.push(...finalizerWarnings(next.metadata, live.metadata))
}

/** Whether anything but metadata (and the status, where that is apart) differs. */
function changesWish(next: APIObject, live: APIObject, statusApart: boolean): boolean {
  const keys = new Set([...Object.keys(next), ...Object.keys(live)])
  keys.delete('metadata')
  if (statusApart) keys.delete('status')
  return [...keys].some(key => next[key] !== live[key] && !deepEqual(next[key], live[key]))
}
