import { ApiError, apiErrorOf } from './api-error.ts'
import { parsed } from './in-process-transport.ts'
import {
  type AnyApiKind,
  collectionPath,
  isNamespaced,
  type ObjectName,
  type ObjectOf,
  objectPath,
  type Query,
} from './paths.ts'
import type { Transport, TransportRequest, WatchOptions } from './transport.ts'

export { ApiError } from './api-error.ts'

/** Options of every request. */
export interface RequestOptions {
  /** Gives the request up; it rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Options of every write. */
export interface WriteOptions extends RequestOptions {
  /** The server judges the write and keeps nothing of it. Default false. */
  readonly dryRun?: boolean
  /** Who owns the fields written. Default: `skystead`. */
  readonly fieldManager?: string
  /** What becomes of unknown fields. Default: the server's (a warning). */
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict'
}

/** What a list or watch shall hold. */
export interface Selection {
  /** Default: all namespaces. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

/** Options of one page. */
export interface PageOptions extends Selection, RequestOptions {
  /** How many objects a page holds at most. Default 500. */
  readonly limit?: number
  /** Where the page before ended. */
  readonly continue?: string
}

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly resourceVersion: string
  /** Where the next page begins; left out on the last one. */
  readonly continue?: string
}

/** Options of a watch. */
export interface ClientWatchOptions extends Selection, WatchOptions {
  /** The version after which events are wished. */
  readonly resourceVersion: string
  /** When the server shall close the stream, in seconds. */
  readonly timeoutSeconds: number
}

/** An object that is meant: by name, exactly this one by its uid, exactly this version by its resourceVersion. */
export interface Target {
  readonly metadata: ObjectName & { readonly uid: string; readonly resourceVersion?: string }
}

/** Options of a deletion. */
export interface RemoveOptions extends RequestOptions {
  readonly dryRun?: boolean
  /** Refused (`Conflict`) where the object is not of this version any more. */
  readonly resourceVersion?: string
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
}

/** One step of a JSON patch (RFC 6902). */
export type JSONPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }

/** Something written: without what only the server knows. */
export interface Writable {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectName
  readonly spec?: unknown
  readonly status?: unknown
}

/**
 * The Kubernetes API, typed by kind. Every failure is an `ApiError`; an aborted request rejects with its signal's reason.
 * Answers are plain values parsed once; from a server in this process they are frozen.
 */
export interface Client {
  /** The object, undefined where there is none. */
  get<K extends AnyApiKind>(
    kind: K,
    name: string,
    namespace?: string,
    options?: RequestOptions,
  ): Promise<ObjectOf<K> | undefined>
  /** All objects, page by page; begins again where the list expired midway. */
  list<K extends AnyApiKind>(kind: K, options?: Selection & RequestOptions): Promise<Page<ObjectOf<K>>>
  /** One page. */
  page<K extends AnyApiKind>(kind: K, options?: PageOptions): Promise<Page<ObjectOf<K>>>
  /** Follows the kind: see `Transport.watch`. Bookmarks are asked for. */
  watch(kind: AnyApiKind, options: ClientWatchOptions): Promise<void>
  /** Creates the object. `AlreadyExists` where one has its name. */
  create<K extends AnyApiKind>(kind: K, object: Writable, options?: WriteOptions): Promise<ObjectOf<K>>
  /** Replaces the object: compare-and-swap where its metadata carries a resourceVersion. */
  replace<K extends AnyApiKind>(kind: K, object: Writable, options?: WriteOptions): Promise<ObjectOf<K>>
  /** Deletes exactly the object of this uid. Undefined when it is gone, the object while finalizers hold it. */
  remove<K extends AnyApiKind>(
    kind: K,
    metadata: Target['metadata'],
    options?: RemoveOptions,
  ): Promise<ObjectOf<K> | undefined>
  /** Merges a patch into the status of exactly this version. `Conflict` where the object has moved on. */
  patchStatus<K extends AnyApiKind>(
    kind: K,
    target: Target,
    status: unknown,
    options?: WriteOptions,
  ): Promise<ObjectOf<K>>
  /** JSON-patches exactly this version: uid and resourceVersion are tested first. `Conflict` where a test fails. */
  patchMetadata<K extends AnyApiKind>(
    kind: K,
    target: Target,
    operations: readonly JSONPatchOperation[],
    options?: WriteOptions,
  ): Promise<ObjectOf<K>>
  /** Sets the finalizers of exactly this version. An object in deletion is gone after its last one. */
  patchFinalizers<K extends AnyApiKind>(
    kind: K,
    target: Target,
    finalizers: readonly string[],
    options?: WriteOptions,
  ): Promise<ObjectOf<K>>
  /** Server-side apply. With a uid in its metadata only that object is changed, none created. */
  apply<K extends AnyApiKind>(
    kind: K,
    object: Writable,
    options?: WriteOptions & { readonly force?: boolean },
  ): Promise<ObjectOf<K>>
}

/** How often a list that expired midway begins again. */
const listAttempts = 3

/** A client that sends its requests through the transport. */
export function createClient(transport: Transport): Client {
  async function send<K extends AnyApiKind>(request: TransportRequest): Promise<ObjectOf<K>> {
    const { status, headers, body, value: known } = await transport.request(request)
    const value = known === undefined ? parsed(body) : known()
    if (status < 200 || status >= 300) throw apiErrorOf(status, value, headers)
    if (value === undefined) {
      throw new ApiError(`Cannot read the API's answer: it is no JSON`, { status, reason: 'Unavailable' })
    }
    // The edge: what the server of the kind's schema answers has the kind's type.
    return value as ObjectOf<K>
  }

  async function page<K extends AnyApiKind>(kind: K, options: PageOptions = {}): Promise<Page<ObjectOf<K>>> {
    const { namespace, labelSelector, fieldSelector, limit = 500, signal } = options
    const path = collectionPath(kind, namespace, { limit, continue: options.continue, labelSelector, fieldSelector })
    const value: unknown = await send({ method: 'GET', path, ...withSignal(signal) })
    return pageOf(kind, value)
  }

  async function list<K extends AnyApiKind>(
    kind: K,
    options: Selection & RequestOptions = {},
  ): Promise<Page<ObjectOf<K>>> {
    for (let attempt = 1; ; attempt++) {
      try {
        const items: ObjectOf<K>[] = []
        let next: Page<ObjectOf<K>> = await page(kind, options)
        for (;;) {
          for (const item of next.items) items.push(item)
          if (next.continue === undefined) return { items, resourceVersion: next.resourceVersion }
          next = await page(kind, { ...options, continue: next.continue })
        }
      } catch (error) {
        const expired = error instanceof ApiError && error.reason === 'Expired'
        if (!expired || attempt === listAttempts) throw error
      }
    }
  }

  function patch<K extends AnyApiKind>(
    kind: K,
    name: ObjectName,
    how: { readonly type: string; readonly body: unknown; readonly subresource?: 'status'; readonly query?: Query },
    options: WriteOptions = {},
  ): Promise<ObjectOf<K>> {
    const query = { ...writeQuery(options), ...how.query }
    return send({
      method: 'PATCH',
      path: objectPath(kind, name, query, how.subresource),
      contentType: how.type,
      body: JSON.stringify(how.body),
      ...withSignal(options.signal),
    })
  }

  async function patchMetadata<K extends AnyApiKind>(
    kind: K,
    { metadata }: Target,
    operations: readonly JSONPatchOperation[],
    options: WriteOptions = {},
  ): Promise<ObjectOf<K>> {
    const tests: JSONPatchOperation[] = [{ op: 'test', path: '/metadata/uid', value: metadata.uid }]
    if (metadata.resourceVersion !== undefined) {
      tests.push({ op: 'test', path: '/metadata/resourceVersion', value: metadata.resourceVersion })
    }
    try {
      return await patch(
        kind,
        metadata,
        { type: 'application/json-patch+json', body: [...tests, ...operations] },
        options,
      )
    } catch (error) {
      throw asConflict(error, kind, metadata)
    }
  }

  return {
    page,
    list,
    patchMetadata,
    async get<K extends AnyApiKind>(kind: K, name: string, namespace?: string, options: RequestOptions = {}) {
      try {
        return await send<K>({
          method: 'GET',
          path: objectPath(kind, { name, namespace }),
          ...withSignal(options.signal),
        })
      } catch (error) {
        if (error instanceof ApiError && error.reason === 'NotFound') return undefined
        throw error
      }
    },
    watch(kind, { namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds, signal, onEvent }) {
      const query = {
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion,
        timeoutSeconds,
        labelSelector,
        fieldSelector,
      }
      return transport.watch(collectionPath(kind, namespace, query), { signal, onEvent })
    },
    create(kind, object, options = {}) {
      const { name, namespace } = object.metadata
      if (isNamespaced(kind)) objectPath(kind, { name, namespace })
      return send({
        method: 'POST',
        path: collectionPath(kind, namespace, writeQuery(options)),
        body: JSON.stringify(object),
        ...withSignal(options.signal),
      })
    },
    replace(kind, object, options = {}) {
      return send({
        method: 'PUT',
        path: objectPath(kind, object.metadata, writeQuery(options)),
        body: JSON.stringify(object),
        ...withSignal(options.signal),
      })
    },
    async remove<K extends AnyApiKind>(kind: K, metadata: Target['metadata'], options: RemoveOptions = {}) {
      const { dryRun, resourceVersion, propagationPolicy, signal } = options
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid: metadata.uid, resourceVersion },
        propagationPolicy,
        // Where there is a body, the query is not looked at.
        ...(dryRun && { dryRun: ['All'] }),
      }
      const answer = await send<K>({
        method: 'DELETE',
        path: objectPath(kind, metadata),
        body: JSON.stringify(body),
        ...withSignal(signal),
      })
      return isHeld(answer) ? answer : undefined
    },
    patchStatus(kind, { metadata }, status, options) {
      const { uid, resourceVersion } = metadata
      const body = { metadata: { uid, resourceVersion }, status }
      return patch(kind, metadata, { type: 'application/merge-patch+json', body, subresource: 'status' }, options)
    },
    patchFinalizers(kind, target, finalizers, options) {
      // `add` replaces what is there, and works where nothing is.
      return patchMetadata(kind, target, [{ op: 'add', path: '/metadata/finalizers', value: finalizers }], options)
    },
    apply(kind, object, options = {}) {
      const query = { force: options.force }
      return patch(kind, object.metadata, { type: 'application/apply-patch+yaml', body: object, query }, options)
    },
  }
}

function withSignal(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

function writeQuery({ dryRun, fieldManager = 'skystead', fieldValidation }: WriteOptions): Query {
  return { dryRun: dryRun ? 'All' : undefined, fieldManager, fieldValidation }
}

/** A failed test of a JSON patch comes as 422 without causes; one field's refusal always names the field. */
function asConflict(error: unknown, kind: AnyApiKind, { name }: ObjectName): unknown {
  if (!(error instanceof ApiError) || error.reason !== 'Invalid' || error.causes.length > 0) return error
  const message = `Cannot patch ${kind.kind} ${name}: it is not the version that was read (${error.message})`
  return new ApiError(message, { status: 409, reason: 'Conflict', cause: error })
}

/** A deletion answers with a Status when the object is gone, with the object while something holds it. */
function isHeld(answer: {
  readonly kind: string
  readonly metadata?: { readonly finalizers?: readonly string[] }
}): boolean {
  return answer.kind !== 'Status' && (answer.metadata?.finalizers?.length ?? 0) > 0
}

function pageOf<K extends AnyApiKind>(kind: K, value: unknown): Page<ObjectOf<K>> {
  const list = value as {
    readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string }
    readonly items?: readonly ObjectOf<K>[] | null
  }
  const items = list.items ?? []
  // Built-in lists leave out what every item would repeat.
  const named = items.map(item =>
    item.kind === undefined ? { ...item, apiVersion: kind.apiVersion, kind: kind.kind } : item,
  )
  return {
    items: named,
    resourceVersion: list.metadata?.resourceVersion ?? '',
    ...(list.metadata?.continue ? { continue: list.metadata.continue } : {}),
  }
}
