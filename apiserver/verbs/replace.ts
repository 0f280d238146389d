import deepEqual from 'fast-deep-equal'
import type { APIObject, MetadataChanges, ObjectMetadata } from '../api-object.ts'
import { keyOf, withMember, withMetadata } from '../api-object.ts'
import { invalidValue } from '../field-errors.ts'
import { validateMetadata, validateMetadataChange } from '../metadata.ts'
import type { Scope, WriteOptions } from '../scope.ts'
import { badRequest, conflict, invalid, notFound, staleVersion } from '../status-error.ts'
import { isFinished } from './delete.ts'
import { ownedAfterUpdate } from './ownership.ts'
import type { Pending } from './written.ts'
import { staged, thought, unchanged } from './written.ts'

/** How the managers of fields are kept for this write. */
export type Ownership = 'update' | 'applied'

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
  // The last finalizer has gone: what the client changed besides is of no interest any more.
  if (isFinished(resource, next)) return staged(store.delete(resource.collection, key))
  return staged(store.put(resource.collection, key, stored))
}

function checkIdentity(scope: Scope, wished: APIObject, live: APIObject): void {
  const { definition, strategy } = scope.resource
  const { name, namespace, uid, resourceVersion } = wished.metadata
  if (name !== undefined && name !== scope.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${scope.name})`)
  }
  if (namespace && namespace !== scope.namespace) {
    const wrong = `the namespace of the object (${namespace}) does not match the namespace on the request (${scope.namespace})`
    throw badRequest(wrong)
  }
  if (uid && uid !== live.metadata.uid) {
    const message = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`
    throw conflict(definition, scope.name, message)
  }
  if (!resourceVersion) {
    if (strategy.unconditionalUpdate) return
    throw invalid(definition, scope.name, [
      invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
    ])
  }
  if (!/^[0-9]+$/.test(resourceVersion)) {
    throw invalid(definition, scope.name, [
      invalidValue('metadata.resourceVersion', resourceVersion, 'must be a whole number'),
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
  const owned = options.ownership === 'applied' ? prepared : ownedBy(scope, options, prepared, live)
  validate(scope, owned, live)
  if (!strategy.generation || !changesWish(owned, live, definition.subresources.status)) return owned
  return withMetadata(owned, { generation: (live.metadata.generation ?? 0) + 1 })
}

/** What the main resource may not change is status; what a subresource may change is its part alone. */
function limitToSubresource(scope: Scope, wished: APIObject, live: APIObject): APIObject {
  const { managedFields } = wished.metadata
  if (scope.subresource === 'status') {
    return withMetadata(withMember(live, 'status', wished.status), { managedFields })
  }
  if (scope.subresource === 'finalize') return withMember(live, 'spec', wished.spec)
  if (!scope.resource.definition.subresources.status) return wished
  return wished.status === live.status ? wished : withMember(wished, 'status', live.status)
}

function systemMetadata(live: ObjectMetadata): MetadataChanges {
  const { name, namespace, generateName, uid, creationTimestamp, generation, resourceVersion } = live
  const { deletionTimestamp, deletionGracePeriodSeconds } = live
  return {
    name,
    namespace,
    ...(generateName !== undefined && { generateName }),
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

function validate(scope: Scope, next: APIObject, live: APIObject): void {
  const { definition, strategy } = scope.resource
  const errors = [
    ...validateMetadata(next.metadata, { namespaced: definition.namespaced, nameRule: strategy.nameRule }),
    ...validateMetadataChange(next.metadata, live.metadata),
    ...(definition.compiled?.validate(next, live) ?? []),
    ...(strategy.validate?.(next, live) ?? []),
  ]
  if (errors.length > 0) throw invalid(definition, next.metadata.name, errors)
}

/** Whether anything but metadata (and the status, where that is apart) differs. */
function changesWish(next: APIObject, live: APIObject, statusApart: boolean): boolean {
  const keys = new Set([...Object.keys(next), ...Object.keys(live)])
  keys.delete('metadata')
  if (statusApart) keys.delete('status')
  return [...keys].some(key => next[key] !== live[key] && !deepEqual(next[key], live[key]))
}
