/** POST, PUT, PATCH and DELETE: from the request to the decided write. */

import type { APIObject } from '../api-object.ts'
import { keyOf, withMember, withMetadata } from '../api-object.ts'
import { readMetadata } from '../metadata.ts'
import { contentType, decodeApply, decodeObject, yamlErrors } from '../request/body.ts'
import type { Scope, WriteOptions } from '../scope.ts'
import { writeOptions } from '../scope.ts'
import { badRequest, conflict, foreignNamespace } from '../status-error.ts'
import { admitBody, admitConfiguration, withDefaults } from './admit.ts'
import { createObject } from './create.ts'
import { applied } from './ownership.ts'
import { applyType, patcherOf } from './patch.ts'
import { checkName, replaceObject } from './replace.ts'
import type { Pending } from './written.ts'

/** POST: creates an object. */
export function create(scope: Scope): Pending {
  const options = writeOptions(scope, 'CreateOptions')
  return createObject(scope, readObject(scope, options), { ...options, ownership: 'update' })
}

/** PUT: replaces an object. */
export function update(scope: Scope): Pending {
  const options = writeOptions(scope, 'UpdateOptions')
  const object = readObject(scope, options)
  checkName(scope, object)
  if (scope.resource.strategy.createOnUpdate && !exists(scope)) {
    return createObject(scope, object, { ...options, ownership: 'update' })
  }
  return replaceObject(scope, { ...options, ownership: 'update' }, live => {
    checkUID(scope, object, live)
    return object
  })
}

/** A body with a uid means that object only. */
function checkUID({ resource, name }: Scope, object: APIObject, live: APIObject): void {
  const { uid } = object.metadata
  if (!uid || uid === live.metadata.uid) return
  const message = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`
  throw conflict(resource.definition, name, message)
}

/** PATCH: changes an object, or makes one (apply). */
export function patch(scope: Scope): Pending {
  if (contentType(scope.request) === applyType) return apply(scope)
  const makePatched = patcherOf(scope)
  const options = writeOptions(scope, 'PatchOptions')
  return replaceObject(scope, { ...options, ownership: 'update' }, live => {
    const patched = makePatched(scope, live, options)
    checkName(scope, patched)
    return patched
  })
}

function apply(scope: Scope): Pending {
  const options = writeOptions(scope, 'PatchOptions', true)
  const configuration = readConfiguration(scope, options)
  if (exists(scope) || scope.subresource !== '') {
    return replaceObject(scope, { ...options, ownership: 'applied' }, live => {
      // Preconditions are checked on what the client sent; the merge keeps the live ones.
      const { uid, resourceVersion } = configuration.metadata
      const merged = afterApply(scope, applied(scope, options, configuration, live))
      return withMetadata(merged, {
        uid: uid ?? live.metadata.uid,
        resourceVersion: resourceVersion ?? live.metadata.resourceVersion,
      })
    })
  }
  const { uid } = configuration.metadata
  if (uid) {
    const message = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`
    throw conflict(scope.resource.definition, scope.name, message)
  }
  const made = afterApply(scope, applied(scope, options, configuration))
  return createObject(scope, made, { ...options, ownership: 'applied' })
}

/**
 * What an apply has emptied is null. In metadata and in built-in kinds that is no value; in others the schema sets a default in
 * its place, or refuses it.
 */
function afterApply(scope: Scope, object: APIObject): APIObject {
  const { metadata } = readMetadata(object.metadata)
  const read = metadata === object.metadata ? object : withMember(object, 'metadata', metadata)
  return withDefaults(scope, read, scope.resource.definition.builtin ? 'dropped' : 'kept')
}

function readConfiguration(scope: Scope, options: WriteOptions): APIObject {
  const { resource, request, name, namespace } = scope
  const { value, duplicates } = decodeApply(request, { findDuplicates: options.fieldValidation !== 'Ignore' })
  if (duplicates.length > 0 && options.fieldValidation === 'Strict') {
    throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${yamlErrors(duplicates)}`)
  }
  scope.warnings.push(...duplicates)
  const configuration = admitConfiguration(resource, value)
  if (configuration.metadata.name !== undefined) checkName(scope, configuration)
  const own = configuration.metadata.namespace
  if (own && own !== namespace) throw foreignNamespace()
  return limited(scope, withMetadata(configuration, { name }))
}

/** An apply owns only what its resource may set: the status belongs to the subresource, and nothing else does. */
function limited(scope: Scope, configuration: APIObject): APIObject {
  if (scope.subresource !== '') {
    const { apiVersion, kind, metadata, status } = configuration
    const { name, namespace, uid, resourceVersion } = metadata
    const bare = { apiVersion, kind, metadata: { name }, ...(status !== undefined && { status }) }
    return withMetadata(bare, { namespace, uid, resourceVersion })
  }
  const { subresources } = scope.resource.definition
  return subresources.status && 'status' in configuration
    ? withMember(configuration, 'status', undefined)
    : configuration
}

function readObject(scope: Scope, options: WriteOptions): APIObject {
  const decoded = decodeObject(scope.request, { findDuplicates: options.fieldValidation !== 'Ignore' })
  return admitBody(scope, decoded, options)
}

function exists({ context, resource, namespace, name }: Scope): boolean {
  return context.store.latest(resource.collection, keyOf(namespace, name)) !== undefined
}
