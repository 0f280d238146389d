/** Writes of the server itself. */

import deepEqual from 'fast-deep-equal'
import type { APIObject } from '../api-object.ts'
import { withMetadata } from '../api-object.ts'
import type { ServedResource } from '../registry.ts'
import type { ServerContext } from '../scope.ts'
import { StatusError } from '../status-error.ts'
import type { Propagation } from '../verbs/delete.ts'
import { deleteObject, inBackground, isFinished } from '../verbs/delete.ts'

/** Changes a stored object, if it is still there; deletes it when nothing holds it back any more. */
export async function changeObject(
  { store }: ServerContext,
  resource: ServedResource,
  key: string,
  change: (object: APIObject) => APIObject,
): Promise<void> {
  const entry = store.latest(resource.collection, key)
  if (entry === undefined) return
  const next = change(entry.object)
  if (deepEqual(next, entry.object)) return
  await (isFinished(resource, next)
    ? store.delete(resource.collection, key)
    : store.put(resource.collection, key, next))
}

/** Takes a finalizer from a stored object. */
export function removeFinalizer(
  context: ServerContext,
  resource: ServedResource,
  key: string,
  finalizer: string,
): Promise<void> {
  return changeObject(context, resource, key, object => {
    const finalizers = (object.metadata.finalizers ?? []).filter(each => each !== finalizer)
    return withMetadata(object, { finalizers: finalizers.length > 0 ? finalizers : undefined })
  })
}

/**
 * Deletes a stored object, if it is still there and still the same. Answers with the refusal where it is protected: trying
 * again changes nothing until the object changes.
 */
export async function removeObject(
  context: ServerContext,
  resource: ServedResource,
  key: string,
  options: { uid: string; propagation: Propagation | undefined },
): Promise<StatusError | undefined> {
  try {
    await deleteObject(context, resource, key, { ...inBackground, ...options }).written
    return undefined
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    // Else gone, or replaced by another of the name.
    return error.code === 403 ? error : undefined
  }
}
