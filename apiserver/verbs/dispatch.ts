/** Which verb a request means, and its answer. */

import { keyOf } from '../api-object.ts'
import type { APIResponse } from '../api-request.ts'
import { readBoolean } from '../request/query.ts'
import type { Verb } from '../resource-definition.ts'
import { qualifiedResource } from '../resource-definition.ts'
import type { Scope } from '../scope.ts'
import { badRequest, methodNotAllowed, methodNotSupported, StatusError } from '../status-error.ts'
import type { Deletion } from './delete.ts'
import { deleteObject, deleteOptions } from './delete.ts'
import { listPage } from './list.ts'
import { get, list, respondDeleted, respondPage, respondWritten, watch } from './respond.ts'
import { patchScale, updateScale } from './scale.ts'
import { create, patch, update } from './write-handlers.ts'
import type { Pending } from './written.ts'
import { deciding } from './written.ts'

/** Answers a request about a resource; throws StatusErrors. */
export async function dispatch(scope: Scope): Promise<APIResponse> {
  const verb = verbOf(scope)
  if (verb === undefined || !scope.resource.definition.verbs.includes(verb)) throw refusedMethod(scope)
  const { scale } = scope.resource.definition.subresources
  const paths = scope.subresource === 'scale' ? scale : undefined
  switch (verb) {
    case 'get':
      return get(scope)
    case 'list':
      return list(scope)
    case 'watch':
      return watch(scope)
    case 'create':
      return write(scope, create)
    case 'update':
      return write(scope, paths === undefined ? update : () => updateScale(scope, paths))
    case 'patch':
      return write(scope, paths === undefined ? patch : () => patchScale(scope, paths))
    case 'delete':
      return remove(scope)
    case 'deletecollection':
      return removeAll(scope)
  }
}

function verbOf({ request, name, namespace, resource, subresource, query }: Scope): Verb | undefined {
  const { method } = request
  const { builtin } = resource.definition
  const whole = name === ''
  if (method === 'GET' || method === 'HEAD') return whole ? (readBoolean(query, 'watch') ? 'watch' : 'list') : 'get'
  // Objects with a namespace are written below it; the path over all namespaces is for reading.
  if (resource.definition.namespaced && namespace === '') return undefined
  // The name in the path says nothing where a custom resource is created.
  if (method === 'POST') return whole || (subresource === '' && !builtin) ? 'create' : undefined
  if (whole && !builtin && (method === 'PUT' || method === 'PATCH')) throw badRequest('name must be provided')
  if (method === 'PUT') return whole ? undefined : 'update'
  if (method === 'PATCH') return whole ? undefined : 'patch'
  if (method !== 'DELETE' || subresource !== '') return undefined
  return whole ? 'deletecollection' : 'delete'
}

function refusedMethod({ request, resource, subresource }: Scope): StatusError {
  const { definition } = resource
  if (definition.builtin || subresource === '') return methodNotAllowed()
  const verb = request.method === 'POST' ? 'create' : request.method.toLowerCase()
  const kind = JSON.stringify(qualifiedResource(definition))
  return methodNotSupported(definition, `${verb} is not supported on resources of kind ${kind}`)
}

function write(scope: Scope, decide: (scope: Scope) => Pending): Promise<APIResponse> {
  return deciding(scope.context, async () => {
    const { written, created } = decide(scope)
    return respondWritten(scope, await written, created ? 201 : 200)
  })
}

function remove(scope: Scope): Promise<APIResponse> {
  const { context, resource, namespace, name } = scope
  return deciding(context, () => {
    const options = deleteOptions(scope)
    const deletion = deleteObject(context, resource, keyOf(namespace, name), options)
    // The old way to ask for deletion of dependents is answered as accepted when they are still to go.
    const code = !deletion.gone && options.orphanDependents === false ? 202 : 200
    return respondDeleted(scope, deletion, code)
  })
}

function removeAll(scope: Scope): Promise<APIResponse> {
  const { context, resource } = scope
  return deciding(context, async () => {
    const options = deleteOptions(scope)
    const page = listPage(scope)
    const deletions = page.entries.map(entry =>
      deleteIfThere(() => deleteObject(context, resource, entry.key, options)),
    )
    await Promise.all(deletions.map(deletion => deletion?.written))
    return respondPage(scope, page)
  })
}

function deleteIfThere(remove: () => Deletion): Deletion | undefined {
  try {
    return remove()
  } catch (error) {
    // Somebody else was faster.
    if (error instanceof StatusError && error.code === 404) return undefined
    throw error
  }
}
