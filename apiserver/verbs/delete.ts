import { timestamp } from '../../crds/environment.ts'
import { checkDeletion } from '../admission/deletion-guards.ts'
import type { APIObject, JSONObject } from '../api-object.ts'
import { isRecord, withMetadata } from '../api-object.ts'
import { invalidValue, unsupportedValue } from '../field-errors.ts'
import type { ServedResource } from '../registry.ts'
import { decodeBody } from '../request/body.ts'
import type { Scope, ServerContext } from '../scope.ts'
import { checkDryRun, readDryRun } from '../scope.ts'
import { badRequest, conflict, invalid, notFound } from '../status-error.ts'
import type { Pending } from './written.ts'
import { staged, thought, unchanged } from './written.ts'

/** What happens to the objects that name the deleted one as their owner. */
export type Propagation = 'Background' | 'Foreground' | 'Orphan'

/** metav1.DeleteOptions as far as they matter here: there is no grace period. */
export interface DeleteOptions {
  readonly propagation: Propagation | undefined
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
  readonly dryRun: boolean
  /** The old way to ask for propagation: it changes the answer's code. */
  readonly orphanDependents: boolean | undefined
}

/** Deletes in the background, whatever the object's version. */
export const inBackground: DeleteOptions = {
  propagation: 'Background',
  uid: undefined,
  resourceVersion: undefined,
  dryRun: false,
  orphanDependents: undefined,
}

/** Finalizers that the garbage collector serves. */
export const foregroundFinalizer = 'foregroundDeletion'
export const orphanFinalizer = 'orphan'

/** A decided deletion. */
export interface Deletion extends Pending {
  /** False: the object stays, marked, until its finalizers are gone. */
  readonly gone: boolean
}

/** Decides the deletion of an object; throws StatusErrors: 404, 409, or what the kind or a guard refuses. */
export function deleteObject(
  context: ServerContext,
  resource: ServedResource,
  key: string,
  options: DeleteOptions,
): Deletion {
  const { store } = context
  const { collection, definition, strategy } = resource
  const entry = store.latest(collection, key)
  if (entry === undefined) throw notFound(definition, key.slice(key.indexOf('/') + 1))
  const live = entry.object
  checkPreconditions(resource, live, options)
  strategy.beforeDelete?.(live)
  checkDeletion(context.admission.deletionGuards, definition, live)
  const marked = mark(context, resource, live, options)
  if (isFinished(resource, marked)) {
    if (options.dryRun) return { ...thought(live), gone: true }
    return { ...staged(store.delete(collection, key)), gone: true }
  }
  if (marked === live) return { ...unchanged(context, entry), gone: false }
  if (options.dryRun) return { ...thought(marked), gone: false }
  return { ...staged(store.put(collection, key, marked)), gone: false }
}

/** True for an object that is marked for deletion and that nothing holds back. */
export function isFinished({ strategy }: ServedResource, object: APIObject): boolean {
  const { deletionTimestamp, finalizers = [] } = object.metadata
  return deletionTimestamp !== undefined && finalizers.length === 0 && strategy.holdsBack?.(object) !== true
}

/** Reads DeleteOptions from the body, or from the query where there is no body; throws 400 or 422. */
export function deleteOptions(scope: Scope): DeleteOptions {
  const { query, request } = scope
  if (request.body === undefined || request.body.byteLength === 0) {
    const orphan = orphanOf(query)
    return {
      propagation: propagationOf(query.get('propagationPolicy') ?? undefined, orphan),
      uid: query.get('preconditions.uid') ?? undefined,
      resourceVersion: undefined,
      dryRun: readDryRun(query, 'DeleteOptions'),
      orphanDependents: orphan,
    }
  }
  const body = decodeBody(request, { findDuplicates: false }).value
  if (!isRecord(body)) throw badRequest("couldn't get version/kind; json parse error: the body is not an object")
  checkOptionsKind(body)
  const preconditions = isRecord(body.preconditions) ? body.preconditions : {}
  const orphan = typeof body.orphanDependents === 'boolean' ? body.orphanDependents : undefined
  return {
    propagation: propagationOf(text(body.propagationPolicy), orphan),
    uid: text(preconditions.uid),
    resourceVersion: text(preconditions.resourceVersion),
    dryRun: checkDryRun(Array.isArray(body.dryRun) ? body.dryRun : [], 'DeleteOptions'),
    orphanDependents: orphan,
  }
}

/** Every group has a kind DeleteOptions; whoever says none means that too. */
function checkOptionsKind({ kind, apiVersion }: JSONObject): void {
  if (kind === undefined || kind === '' || kind === 'DeleteOptions') return
  throw badRequest(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion ?? '')}`)
}

function mark(context: ServerContext, resource: ServedResource, live: APIObject, options: DeleteOptions): APIObject {
  const finalizers = finalizersFor(live.metadata.finalizers ?? [], options.propagation)
  const wanted = finalizers.length > 0 ? finalizers : undefined
  const { deletionTimestamp, generation } = live.metadata
  if (deletionTimestamp !== undefined) {
    if (same(finalizers, live.metadata.finalizers ?? [])) return live
    return withMetadata(live, { finalizers: wanted })
  }
  const marked = withMetadata(live, {
    finalizers: wanted,
    deletionTimestamp: timestamp(context.environment.clock),
    deletionGracePeriodSeconds: 0,
    ...(generation !== undefined && { generation: generation + 1 }),
  })
  return resource.strategy.markDeleted?.(marked, context.environment.clock) ?? marked
}

function finalizersFor(finalizers: readonly string[], propagation: Propagation | undefined): readonly string[] {
  if (propagation === undefined) return finalizers
  const others = finalizers.filter(each => each !== foregroundFinalizer && each !== orphanFinalizer)
  if (propagation === 'Background') return others
  return [...others, propagation === 'Foreground' ? foregroundFinalizer : orphanFinalizer]
}

function checkPreconditions({ definition }: ServedResource, live: APIObject, options: DeleteOptions): void {
  const { name, uid, resourceVersion } = live.metadata
  // Named by its kind, as Kubernetes does only here.
  const named = { ...definition, plural: definition.kind }
  if (options.uid !== undefined && options.uid !== uid) {
    const message = `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`
    throw conflict(named, name, message)
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    const message = `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`
    throw conflict(named, name, message)
  }
}

const propagations: readonly Propagation[] = ['Foreground', 'Background', 'Orphan']

function propagationOf(value: string | undefined, orphan: boolean | undefined): Propagation | undefined {
  if (value === undefined || value === '') return orphan === undefined ? undefined : orphan ? 'Orphan' : 'Background'
  const propagation = propagations.find(each => each === value)
  if (propagation !== undefined && orphan === undefined) return propagation
  const kind = { group: 'meta.k8s.io', kind: 'DeleteOptions' }
  const wrong =
    propagation === undefined
      ? unsupportedValue('propagationPolicy', value, [...propagations, 'nil'])
      : invalidValue('propagationPolicy', value, 'orphanDependents and deletionPropagation cannot be both set')
  throw invalid(kind, '', [wrong])
}

function orphanOf(query: URLSearchParams): boolean | undefined {
  const value = query.get('orphanDependents')
  return value === null ? undefined : value !== 'false'
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function same(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index])
}
