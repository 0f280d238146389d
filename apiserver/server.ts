/** The request core: Kubernetes' API without sockets. */

import type { Environment } from '../crds/environment.ts'
import { timestamp } from '../crds/environment.ts'
import type { APIRequest, APIResponse, User } from './api-request.ts'
import { jsonResponse, textResponse } from './api-request.ts'
import { startBackground } from './background/background.ts'
import { definitionCollection, register, serveDefinitions } from './custom-resources/definitions.ts'
import { documentResponse } from './discovery/document-response.ts'
import type { Document } from './discovery/documents.ts'
import { Documents, openAPIv2, versionDocument } from './discovery/documents.ts'
import type { TokenCheck } from './discovery/reviews.ts'
import { answerReview, mastersGroup, reviews } from './discovery/reviews.ts'
import { addAll } from './kinds/builtin.ts'
import { configMaps, secrets } from './kinds/configuration.ts'
import { leases, serviceAccounts } from './kinds/coordination.ts'
import { coreEvents, groupEvents } from './kinds/event.ts'
import { namespaces, systemNamespaces } from './kinds/namespace.ts'
import { Registry } from './registry.ts'
import { negotiate } from './request/accept.ts'
import { decodeObject } from './request/body.ts'
import type { ResourcePath } from './request/route.ts'
import { resourcePath, splitPath, watchQuery } from './request/route.ts'
import type { ResourceDefinition } from './resource-definition.ts'
import type { Scope, ServerContext } from './scope.ts'
import { internalError, methodNotAllowed, notFound, pathNotFound, StatusError } from './status-error.ts'
import type { DurableLog } from './storage/durable-log.ts'
import type { StoreOptions } from './storage/store.ts'
import { Store } from './storage/store.ts'
import { dispatch } from './verbs/dispatch.ts'

/** Where the server says what no client can be told. */
export interface Logger {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** What a server is made of. */
export interface APIServerOptions {
  /** Where writes are kept. `memoryLog()` forgets them with the process. */
  readonly log: DurableLog
  readonly environment: Environment
  /** Default: nothing is said. */
  readonly logger?: Logger
  readonly store?: StoreOptions
  /** The address that discovery names, as in `127.0.0.1:6443`. Default: none. */
  readonly address?: () => string
  /** Whom a bearer token belongs to, for TokenReviews. Default: no token is known. */
  readonly checkToken?: TokenCheck
}

/** A server without sockets. */
export interface APIServer {
  /** Answers a request; never rejects. */
  handle(request: APIRequest): Promise<APIResponse>
  /** Ends all watches, writes what is staged, closes the log. May be called again. */
  close(): Promise<void>
}

/** This process itself, which asks without a socket. */
const localUser: User = { name: 'system:skystead', groups: [mastersGroup, 'system:authenticated'] }

/** Opens the storage and makes a server; rejects with a StorageError when the storage cannot be opened. */
export async function createAPIServer(options: APIServerOptions): Promise<APIServer> {
  const { environment } = options
  const store = await Store.open(options.log, options.store)
  const registry = new Registry()
  const closing = new AbortController()
  const context: ServerContext = { store, registry, environment, closing: closing.signal }
  addAll(registry, [namespaces, configMaps, secrets, coreEvents, groupEvents, leases, serviceAccounts])
  registry.add(serveDefinitions(store))
  followDefinitions(context, options.logger)
  await createNamespaces(context)
  const stopBackground = startBackground(context)
  const core = new Core(context, options)
  const close = () => {
    closing.abort()
    stopBackground()
    return store.close()
  }
  let closed: Promise<void> | undefined
  return {
    handle: request => core.handle(request),
    close: () => {
      closed ??= close()
      return closed
    },
  }
}

class Core {
  readonly #context: ServerContext
  readonly #documents: Documents
  readonly #logger: Logger | undefined
  readonly #checkToken: TokenCheck

  constructor(context: ServerContext, options: APIServerOptions) {
    this.#context = context
    this.#documents = new Documents(context.registry, options.address ?? (() => ''))
    this.#logger = options.logger
    this.#checkToken = options.checkToken ?? (() => undefined)
  }

  async handle(request: APIRequest): Promise<APIResponse> {
    try {
      return await this.#answer(request)
    } catch (error) {
      return this.#failure(request, error)
    }
  }

  async #answer(request: APIRequest): Promise<APIResponse> {
    const { steps, query } = splitPath(request.path)
    const path = resourcePath(steps)
    const resource = path && this.#context.registry.find(path.group, path.version, path.plural)
    if (path === undefined || resource === undefined) return this.#plain({ ...request, user }, steps, path?.plural)
    if (resource === serviceAccounts && path.subresource === 'token') return this.#issueToken(request, path)
    const subresource = subresourceOf(path, resource.definition)
    if (!isPathOf(resource.definition, path)) return this.#nowhere(steps)
    if (path.watched && request.method !== 'GET') throw methodNotAllowed()
    const scope: Scope = {
      context: this.#context,
      resource,
      namespace: path.namespace,
      name: path.name,
      subresource,
      query,
      request,
      accept: negotiate(request.headers.accept),
      warnings: resource.warning === undefined ? [] : [resource.warning],
    }
    return dispatch(scope)
  }

  #plain(request: APIRequest, steps: readonly string[], plural: string | undefined): APIResponse {
    const [first = ''] = steps
    const reading = request.method === 'GET' || request.method === 'HEAD'
    if (plural !== undefined && plural !== '') return this.#review(request, steps)
    if (!reading) throw steps.length === 0 ? methodNotAllowed() : pathNotFound()
    if (first === 'version' && steps.length === 1) return jsonResponse(200, versionDocument)
    if (healthPaths.has(first)) return textResponse(200, 'ok')
    if (steps.length === 0)
      return jsonResponse(200, { paths: ['/api', '/apis', '/healthz', '/openapi/v3', '/version'] })
    const document = this.#find(request, steps)
    if (document === undefined) throw pathNotFound()
    const { query } = splitPath(request.path)
    return documentResponse(document, request, { query, now: this.#context.environment.clock.now() })
  }

  #find({ headers }: APIRequest, steps: readonly string[]): Document | undefined {
    if (steps[0] !== 'openapi') return this.#documents.find(steps, negotiate(headers.accept))
    // OpenAPI has media types of its own; version 3 is JSON whatever the client prefers.
    if (steps[1] === 'v2' && steps.length === 2) return openAPIv2(headers.accept)
    return this.#documents.find(steps, negotiate(undefined))
  }

  #review(request: APIRequest, steps: readonly string[]): APIResponse {
    const path = resourcePath(steps)
    const review = reviews.find(
      each => each.group === path?.group && each.version === path.version && each.plural === path.plural,
    )
    if (review === undefined || path?.name !== '') throw pathNotFound()
    if (request.method !== 'POST') throw methodNotAllowed()
    const { value } = decodeObject(request, { findDuplicates: false })
    return jsonResponse(201, answerReview(review, value, request.user ?? localUser, this.#checkToken))
  }

  #failure(request: APIRequest, error: unknown): APIResponse {
    if (error instanceof StatusError) return statusResponse(error)
    const message = error instanceof Error ? error.message : String(error)
    this.#logger?.error({ method: request.method, path: request.path.split('?')[0], error }, 'request failed')
    return statusResponse(internalError(message))
  }
}

/** The answer that tells of an error. */
export function statusResponse(error: StatusError): APIResponse {
  const wait = error.status.details?.retryAfterSeconds
  return jsonResponse(error.code, error.status, wait === undefined ? {} : { 'retry-after': String(wait) })
}

const healthPaths: ReadonlySet<string> = new Set(['healthz', 'livez', 'readyz'])

/** Objects with a namespace are found below it, all others outside. */
function isPathOf({ namespaced }: { namespaced: boolean }, { namespace, name }: ResourcePath): boolean {
  return namespaced ? namespace !== '' || name === '' : namespace === ''
}

function subresourceOf({ name, subresource }: ResourcePath, definition: ResourceDefinition): Scope['subresource'] {
  if (subresource === '') return ''
  if (subresource === 'status' && definition.subresources.status) return 'status'
  if (subresource === 'scale' && definition.subresources.scale !== undefined) return 'scale'
  if (subresource === 'finalize' && definition.plural === 'namespaces') return 'finalize'
  throw definition.builtin ? pathNotFound() : notFound(definition, name)
}

/** Serves what the stored definitions say, now and after every change of them. */
function followDefinitions({ store, registry }: ServerContext, logger: Logger | undefined): void {
  const follow = (definition: Parameters<typeof register>[1]) => {
    try {
      register(registry, definition)
    } catch (error) {
      // It was valid when it was stored: a newer server must start all the same.
      logger?.error({ name: definition.metadata.name, error }, 'cannot serve a stored definition')
    }
  }
  for (const entry of store.collection(definitionCollection).ordered('')) follow(entry.object)
  store.onCommit(events => {
    for (const { entry, type } of events) {
      if (entry.resource !== definitionCollection) continue
      if (type !== 'DELETED') follow(entry.object)
      else registry.remove(entry.name.slice(entry.name.indexOf('.') + 1), entry.name.slice(0, entry.name.indexOf('.')))
    }
  })
}

async function createNamespaces({ store, environment }: ServerContext): Promise<void> {
  const missing = systemNamespaces.filter(name => store.get(namespaces.collection, name) === undefined)
  const creations = missing.map(name =>
    store.put(namespaces.collection, name, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name,
        uid: environment.random.uuid(),
        creationTimestamp: timestamp(environment.clock),
        labels: { 'kubernetes.io/metadata.name': name },
      },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    }),
  )
  await Promise.all(creations)
}
