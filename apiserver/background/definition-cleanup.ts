/** Deletes the objects of definitions that are being deleted, and gives freed names to definitions that wait. */

import { cleanupFinalizer, definitionCollection } from '../custom-resources/definitions.ts'
import { hasCondition } from '../custom-resources/validate-definition.ts'
import type { ServerContext } from '../scope.ts'
import { changeObject, removeFinalizer, removeObject } from './change.ts'
import { startWorker } from './worker.ts'

/** Follows the store and cleans up after definitions; the answer stops it. */
export function startDefinitionCleanup(context: ServerContext): () => void {
  const { store, environment } = context
  const definitions = store.collection(definitionCollection)
  const worker = startWorker(environment.clock, name => visit(context, name))
  const wakeWaiting = () => {
    for (const { name, object } of definitions.entries.values()) {
      if (!hasCondition(object, 'NamesAccepted')) worker.enqueue(name)
    }
  }
  for (const name of definitions.entries.keys()) worker.enqueue(name)
  store.onCommit(events => {
    for (const { type, entry } of events) {
      if (entry.resource !== definitionCollection) {
        // A definition is named like the collection of its objects.
        if (type === 'DELETED' && definitions.entries.has(entry.resource)) worker.enqueue(entry.resource)
      } else if (type === 'DELETED') wakeWaiting()
      else worker.enqueue(entry.name)
    }
  })
  return () => worker.stop()
}

async function visit(context: ServerContext, name: string): Promise<void> {
  const { store, registry, environment } = context
  const definition = store.get(definitionCollection, name)
  const resource = registry.ofCollection(definitionCollection)
  if (definition === undefined || resource === undefined) return
  if (definition.object.metadata.deletionTimestamp === undefined) {
    if (hasCondition(definition.object, 'NamesAccepted')) return
    const { prepare } = resource.strategy
    await changeObject(context, resource, name, object => prepare?.(object, object, environment.clock) ?? object)
    return
  }
  await removeObjects(context, name)
  if (store.collection(name).entries.size === 0) await removeFinalizer(context, resource, name, cleanupFinalizer)
}

async function removeObjects(context: ServerContext, collection: string): Promise<void> {
  const resource = context.registry.ofCollection(collection)
  if (resource === undefined) return
  const entries = [...context.store.collection(collection).entries.values()]
  const fresh = entries.filter(entry => entry.object.metadata.deletionTimestamp === undefined)
  await Promise.all(
    fresh.map(({ key, uid }) => removeObject(context, resource, key, { uid, propagation: 'Background' })),
  )
}
