/** Empties namespaces that are being deleted, then lets them go. */

import { timestamp } from '../../crds/environment.ts'
import type { APIObject, JSONObject } from '../api-object.ts'
import { isRecord, valueAt, withMember } from '../api-object.ts'
import { namespaceFinalizer, namespaces, specFinalizers } from '../kinds/namespace.ts'
import type { ServerContext } from '../scope.ts'
import type { StatusError } from '../status-error.ts'
import type { Entry } from '../storage/entry.ts'
import { changeObject, removeObject } from './change.ts'
import { startWorker } from './worker.ts'

/** Follows the store and drains namespaces; the answer stops it. */
export function startNamespaceDrain(context: ServerContext): () => void {
  const { store, environment } = context
  const worker = startWorker(environment.clock, name => drain(context, name))
  const isLeaving = (name: string) =>
    store.get(namespaces.collection, name)?.object.metadata.deletionTimestamp !== undefined
  for (const { name } of store.collection(namespaces.collection).ordered('')) if (isLeaving(name)) worker.enqueue(name)
  store.onCommit(events => {
    for (const { type, entry } of events) {
      if (entry.resource === namespaces.collection) {
        if (type !== 'DELETED' && isLeaving(entry.name)) worker.enqueue(entry.name)
      } else if (entry.namespace !== '' && isLeaving(entry.namespace) && (type === 'DELETED' || isFresh(entry))) {
        // What was protected from deletion may be protected no more.
        worker.enqueue(entry.namespace)
      }
    }
  })
  return () => worker.stop()
}

async function drain(context: ServerContext, name: string): Promise<void> {
  const namespace = context.store.get(namespaces.collection, name)
  if (namespace?.object.metadata.deletionTimestamp === undefined) return
  const left = contentOf(context, name)
  if (left.length === 0) return finalize(context, name)
  const fresh = left.filter(isFresh)
  const refusals = await Promise.all(fresh.map(entry => remove(context, entry)))
  const held = contentOf(context, name)
  const refused = refusals.filter(refusal => refusal !== undefined)
  if (held.length > 0) await report(context, name, { held, refused })
}

function isFresh({ object }: Entry): boolean {
  return object.metadata.deletionTimestamp === undefined
}

function contentOf({ store }: ServerContext, namespace: string): readonly Entry[] {
  return [...store.collections()].flatMap(collection => collection.ordered(namespace))
}

async function remove(context: ServerContext, entry: Entry): Promise<StatusError | undefined> {
  const resource = context.registry.ofCollection(entry.resource)
  if (resource === undefined) return undefined
  return removeObject(context, resource, entry.key, { uid: entry.uid, propagation: 'Background' })
}

function finalize(context: ServerContext, name: string): Promise<void> {
  return changeObject(context, namespaces, name, namespace => {
    const finalizers = specFinalizers(namespace).filter(finalizer => finalizer !== namespaceFinalizer)
    return withMember(namespace, 'spec', finalizers.length > 0 ? { finalizers } : {})
  })
}

/** What keeps a namespace. */
interface Remains {
  readonly held: readonly Entry[]
  /** What was said of those of them that are protected. */
  readonly refused: readonly StatusError[]
}

/** Says in the namespace's status what its deletion waits for. */
function report(context: ServerContext, name: string, { held, refused }: Remains): Promise<void> {
  const counts = new Map<string, number>()
  const finalizers = new Map<string, number>()
  for (const { resource, object } of held) {
    counts.set(resource, (counts.get(resource) ?? 0) + 1)
    for (const each of object.metadata.finalizers ?? []) finalizers.set(each, (finalizers.get(each) ?? 0) + 1)
  }
  // As Kubernetes says it: the plural, a dot, the group, which is '' for the core.
  const resources = [...counts].map(
    ([resource, count]) => `${resource.includes('.') ? resource : `${resource}.`} has ${count} resource instances`,
  )
  const waits = [...finalizers].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`)
  const time = timestamp(context.environment.clock)
  return changeObject(context, namespaces, name, namespace =>
    withConditions(namespace, [
      failure(refused, time),
      condition(
        'NamespaceContentRemaining',
        'SomeResourcesRemain',
        `Some resources are remaining: ${resources.join(', ')}`,
        time,
      ),
      condition(
        'NamespaceFinalizersRemaining',
        'SomeFinalizersRemain',
        `Some content in the namespace has finalizers remaining: ${waits.join(', ')}`,
        time,
      ),
    ]),
  )
}

function failure(refused: readonly StatusError[], time: string): JSONObject {
  const type = 'NamespaceDeletionContentFailure'
  if (refused.length === 0) {
    const message = 'All content successfully deleted, may be waiting on finalization'
    return { ...condition(type, 'ContentDeleted', message, time), status: 'False' }
  }
  const why = refused.map(({ message }) => message).join(', ')
  const message = `Failed to delete all resource types, ${refused.length} remaining: ${why}`
  return condition(type, 'ContentDeletionFailed', message, time)
}

function condition(type: string, reason: string, message: string, lastTransitionTime: string): JSONObject {
  return { type, status: 'True', lastTransitionTime, reason, message }
}

function withConditions(namespace: APIObject, conditions: readonly JSONObject[]): APIObject {
  const known = valueAt(namespace, ['status', 'conditions'])
  const before: readonly JSONObject[] = Array.isArray(known) ? known.filter(isRecord) : []
  const merged = conditions.map(next => {
    const old = before.find(each => each.type === next.type)
    return old !== undefined && old.status === next.status
      ? { ...next, lastTransitionTime: old.lastTransitionTime }
      : next
  })
  const others = before.filter(old => !conditions.some(next => next.type === old.type))
  const status = isRecord(namespace.status) ? namespace.status : {}
  return withMember(namespace, 'status', { ...status, conditions: [...others, ...merged] })
}
