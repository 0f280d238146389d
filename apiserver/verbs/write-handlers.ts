/** POST, PUT, PATCH and DELETE: from the request to the decided write. */

import type { APIObject, JSONObject } from '../api-object.ts'
import { isRecord, keyOf, withMember, withMetadata } from '../api-object.ts'
import { jsonPatch } from '../patch/json-patch.ts'
import { mergePatch } from '../patch/merge-patch.ts'
import { strategicMergePatch } from '../patch/strategic-merge-patch.ts'
import { contentType, decodeApply, decodeObject, decodePatch } from '../request/body.ts'
import type { Scope, WriteOptions } from '../scope.ts'
import { writeOptions } from '../scope.ts'
import { badRequest, unsupportedMediaType } from '../status-error.ts'
import { admit, checkDuplicates, checkKind, pruned, withDefaults } from './admit.ts'
import { checkAbsentPreconditions, createObject } from './create.ts'
import { applied } from './ownership.ts'
import { replaceObject } from './replace.ts'
import type { Pending } from './written.ts'

/** POST: creates an object. */
export function create(scope: Scope): Pending {
  const options = writeOptions(scope, 'CreateOptions')
  return createObject(scope, readObject(scope, options), options)
}

/** PUT: replaces an object. */
export function update(scope: Scope): Pending {
  const options = writeOptions(scope, 'UpdateOptions')
  const object = readObject(scope, options)
  const { name } = object.metadata
  if (name !== scope.name) {
    throw badRequest(`the name of the object (${name ?? ''}) does not match the name on the URL (${scope.name})`)
  }
  if (scope.resource.strategy.createOnUpdate && !exists(scope)) return createObject(scope, object, options)
  return replaceObject(scope, { ...options, ownership: 'update' }, () => object)
}

const applyType = 'application/apply-patch+yaml'
const jsonPatchType = 'application/json-patch+json'
const mergePatchType = 'application/merge-patch+json'
const strategicType = 'application/strategic-merge-patch+json'

/** PATCH: changes an object, or makes one (apply). */
export function patch(scope: Scope): Pending {
  const type = contentType(scope.request)
  if (type === applyType) return apply(scope)
  const makePatched = patcherOf(scope, type)
  const options = writeOptions(scope, 'PatchOptions')
  return replaceObject(scope, { ...options, ownership: 'update' }, live => {
    const value = makePatched(live)
    if (!isRecord(value)) throw badRequest('the patched value is not an object')
    return value === live ? live : admit(scope, value, options)
  })
}

function patcherOf(scope: Scope, type: string): (live: APIObject) => unknown {
  const { builtin } = scope.resource.definition
  if (type === jsonPatchType) {
    const body = decodePatch(scope.request)
    return live => jsonPatch(live, body)
  }
  if (type === mergePatchType) {
    const body = decodePatch(scope.request)
    if (!isRecord(body)) throw badRequest('error decoding patch: a merge patch is an object')
    return live => mergePatch(live, body)
  }
  if (type === strategicType && builtin) {
    const body = decodePatch(scope.request)
    return live => strategicMergePatch(live, body)
  }
  const supported = [jsonPatchType, mergePatchType, ...(builtin ? [strategicType] : []), applyType]
  throw unsupportedMediaType(supported)
}

function apply(scope: Scope): Pending {
  const options = writeOptions(scope, 'PatchOptions', true)
  const decoded = decodeApply(scope.request, { findDuplicates: options.fieldValidation !== 'Ignore' })
  checkDuplicates(scope, decoded, options)
  const configuration = readConfiguration(scope, decoded.value, options)
  if (exists(scope) || scope.subresource !== '') {
    return replaceObject(scope, { ...options, ownership: 'applied' }, live => {
      // Preconditions are checked on what the client sent; the merge keeps the live ones.
      const { uid, resourceVersion } = configuration.metadata
      const merged = withDefaults(scope, applied(scope, options, configuration, live))
      return withMetadata(merged, {
        uid: uid ?? live.metadata.uid,
        resourceVersion: resourceVersion ?? live.metadata.resourceVersion,
      })
    })
  }
  checkAbsentPreconditions(scope, configuration)
  return createObject(scope, withDefaults(scope, applied(scope, options, configuration)), options)
}

function readConfiguration(scope: Scope, value: JSONObject, options: WriteOptions): APIObject {
  checkKind(scope.resource, value)
  const configuration = pruned(scope, value, options)
  const { name, namespace, managedFields } = configuration.metadata
  if (managedFields !== undefined && managedFields.length > 0) throw badRequest('metadata.managedFields must be nil')
  if (name !== undefined && name !== scope.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${scope.name})`)
  }
  if (namespace && namespace !== scope.namespace) {
    throw badRequest(
      `the namespace of the object (${namespace}) does not match the namespace on the URL (${scope.namespace})`,
    )
  }
  const named = withMetadata(configuration, { name: scope.name, namespace: scope.namespace || undefined })
  return limited(scope, named)
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
  checkDuplicates(scope, decoded, options)
  return admit(scope, decoded.value, options)
}

function exists({ context, resource, namespace, name }: Scope): boolean {
  return context.store.latest(resource.collection, keyOf(namespace, name)) !== undefined
}
