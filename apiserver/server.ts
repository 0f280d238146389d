/** The request core: Kubernetes' API without sockets. */

import type { Environment } from '../crds/environment.ts'
import { timestamp } from '../crds/environment.ts'
import { type AdmissionRules, noRules } from './admission/rules.ts'
import { deepFreeze } from './api-object.ts'
import type { APIRequest, APIResponse, User } from './api-request.ts'
import { jsonResponse, localUserName, textResponse } from './api-request.ts'
import type { Auditor } from './audit/auditor.ts'
import { AccountTokens } from './authentication/account-tokens.ts'
import { firstKnown, type TokenCheck } from './authentication/token-check.ts'
import { type Asked, authorize } from './authorization/authorize.ts'
import { Authorizer, mastersGroup } from './authorization/authorizer.ts'
import { createDefaultRoles } from './authorization/default-roles.ts'
import { answerReview, reviews } from './authorization/reviews.ts'
import { startBackground } from './background/background.ts'
import { backupOfStore, backupPath } from './backup/store-backup.ts'
import { definitionCollection, register, serveDefinitions } from './custom-resources/definitions.ts'
import { documentResponse } from './discovery/document-response.ts'
import type { Document } from './discovery/documents.ts'
import { Documents, versionDocument } from './discovery/documents.ts'
import type { Figures } from './figures.ts'
import { healthPaths } from './health-paths.ts'
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from './kinds/access.ts'
import { addAll } from './kinds/builtin.ts'
import { configMaps, secrets } from './kinds/configuration.ts'
import { leases, serviceAccounts } from './kinds/coordination.ts'
import { coreEvents, groupEvents } from './kinds/event.ts'
import { namespaces, systemNamespaces } from './kinds/namespace.ts'
import type { Logger } from './logger.ts'
import { messageOf } from './message-of.ts'
import { Registry } from './registry.ts'
import { negotiate, negotiateOpenAPIv2 } from './request/accept.ts'
import { decodeObject } from './request/body.ts'
import type { ResourcePath } from './request/route.ts'
import { resourcePath, splitPath, watchQuery } from './request/route.ts'
import type { ResourceDefinition } from './resource-definition.ts'
import type { Scope, ServerContext } from './scope.ts'
import { internalError, methodNotAllowed, notFound, notPermitted, pathNotFound, StatusError } from './status-error.ts'
import type { DurableLog } from './storage/durable-log.ts'
import { tellStorage } from './storage/figures.ts'
import type { StoreOptions } from './storage/store.ts'
import { Store } from './storage/store.ts'
import { dispatch } from './verbs/dispatch.ts'

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
  /** Whom a bearer token belongs to that is no service account's. Default: no such token is known. */
  readonly checkToken?: TokenCheck
  /** PEM of the key on P-256 that signs service accounts' tokens. Default: one that ends with this server. */
  readonly accountKey?: string
  /** What is refused of custom resources beside what their schemas say. Default: nothing. */
  readonly admission?: AdmissionRules
  /** Tells the audit log; closed with the server. Default: nothing is told. */
  readonly auditor?: Auditor
  /** What `/metrics` tells. Default: there is no such path. */
  readonly figures?: Figures
}

/** A server without sockets. */
export interface APIServer {
  /** Answers a request; never rejects. */
  handle(request: APIRequest): Promise<APIResponse>
  /** Whom a bearer token belongs to. */
  readonly checkToken: TokenCheck
  /** Ends all watches, writes what is staged, closes the log. May be called again. */
  close(): Promise<void>
}

/** This process itself, which asks without a socket. */
const localUser: User = { name: localUserName, groups: [mastersGroup, 'system:authenticated'] }

/** Opens the storage and makes a server; rejects with a StorageError when the storage cannot be opened. */
export async function createAPIServer(options: APIServerOptions): Promise<APIServer> {
  const { environment } = options
  const store = await Store.open(options.log, options.store)
  if (options.figures !== undefined) tellStorage(options.figures, store)
  const registry = new Registry()
  const closing = new AbortController()
  const authorizer = new Authorizer(store)
  const { admission = noRules } = options
  const context: ServerContext = { store, registry, environment, authorizer, admission, closing: closing.signal }
  addAll(registry, [namespaces, configMaps, secrets, coreEvents, groupEvents, leases, serviceAccounts])
  addAll(registry, [roles, roleBindings, clusterRoles, clusterRoleBindings])
  registry.add(serveDefinitions(store))
  followDefinitions(context, options.logger)
  await Promise.all([createNamespaces(context), createDefaultRoles(context)])
  const stopBackground = startBackground(context)
  const core = new Core(context, options)
  const close = async () => {
    closing.abort()
    stopBackground()
    await store.close()
    await options.auditor?.close()
  }
  let closed: Promise<void> | undefined
  return {
    handle: request => core.handle(request),
    checkToken: core.checkToken,
    close: () => {
      closed ??= close()
      return closed
    },
  }
}

/** A request that its user may make. */
interface AskedBy extends Asked {
  readonly user: User
}

class Core {
  readonly #context: ServerContext
  readonly #documents: Documents
  readonly #logger: Logger | undefined
  readonly #accounts: AccountTokens
  readonly #auditor: Auditor | undefined
  readonly #figures: Figures | undefined
  readonly checkToken: TokenCheck

  constructor(context: ServerContext, options: APIServerOptions) {
    this.#context = context
    this.#documents = new Documents(context.registry, options.address ?? (() => ''))
    this.#logger = options.logger
    this.#auditor = options.auditor
    this.#figures = options.figures
    const { store, environment } = context
    const { accountKey: key, checkToken } = options
    this.#accounts = new AccountTokens({ store, environment, ...(key !== undefined && { key }) })
    const checkAccount: TokenCheck = token => this.#accounts.check(token)
    this.checkToken = checkToken === undefined ? checkAccount : firstKnown(checkToken, checkAccount)
  }

  async handle(request: APIRequest): Promise<APIResponse> {
    const url = readURL(request)
    // What is no URL is refused before anybody looks who sends it, as by a real server.
    if (url instanceof StatusError) return statusResponse(url)
    const user = request.user ?? (request.refused === undefined ? localUser : undefined)
    const trail = this.#auditor?.begin({ request, user, ...url })
    const answer = await this.#answered({ request, ...url, trail })
    return trail === undefined ? answer : trail.answered(answer)
  }

  async #answered(asked: Asked): Promise<APIResponse> {
    try {
      if (asked.request.refused !== undefined) throw asked.request.refused
      return await this.#answer(asked)
    } catch (error) {
      if (error instanceof StatusError) return statusResponse(error)
      asked.trail?.panicked(error)
      return this.#failure(asked.request, error)
    }
  }

  async #answer(asked: Asked): Promise<APIResponse> {
    const { request, steps, query } = asked
    const user = authorize(this.#context.authorizer, request.user ?? localUser, asked)
    const path = resourcePath(steps)
    const resource = path && this.#context.registry.find(path.group, path.version, path.plural)
    if (path === undefined || resource === undefined) return this.#plain({ ...asked, user }, path)
    if (resource === serviceAccounts && path.subresource === 'token') return this.#issueToken(request, path)
    const subresource = subresourceOf(path, resource.definition)
    if (!isPathOf(resource.definition, path)) return this.#nowhere(steps)
    if (path.watched && request.method !== 'GET') throw methodNotAllowed()
    const scope: Scope = {
      context: this.#context,
      resource,
      namespace: path.namespace,
      name: path.watched ? '' : path.name,
      subresource,
      query: path.watched ? watchQuery(query, path.name) : query,
      request,
      user,
      accept: negotiate(request.headers.accept),
      warnings: resource.warning === undefined ? [] : [resource.warning],
    }
    return dispatch(scope)
  }

  async #plain(asked: AskedBy, path: ResourcePath | undefined): Promise<APIResponse> {
    const { request, steps } = asked
    if (path !== undefined && path.plural !== '') return this.#review(asked, path)
    const answer = this.#fixed(steps) ?? (await this.#measured(steps)) ?? this.#backup(asked) ?? this.#described(asked)
    if (answer === undefined) return this.#nowhere(steps)
    if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed()
    return answer
  }

  /** What is answered the same whoever asks: the paths, the version, that the server lives. */
  #fixed(steps: readonly string[]): APIResponse | undefined {
    const [first = '', check = 'ping'] = steps
    if (steps.length === 0) return jsonResponse(200, { paths: this.#paths() })
    if (first === 'version' && steps.length === 1) return jsonResponse(200, versionDocument)
    const healthy = healthPaths.includes(`/${first}`) && check === 'ping' && steps.length < 3
    return healthy ? textResponse(200, 'ok') : undefined
  }

  #paths(): readonly string[] {
    const measured = this.#figures === undefined ? [] : [metricsPath]
    return [...this.#documents.paths(), ...healthPaths, ...measured, '/version']
  }

  async #measured(steps: readonly string[]): Promise<APIResponse | undefined> {
    if (this.#figures === undefined || `/${steps.join('/')}` !== metricsPath) return undefined
    const { status, body } = textResponse(200, await this.#figures.text())
    return { status, body, headers: { 'content-type': this.#figures.contentType } }
  }

  /** Only for those who may do everything: it holds every secret. */
  #backup({ steps, user, request: { method } }: AskedBy): APIResponse | undefined {
    if (`/${steps.join('/')}` !== backupPath) return undefined
    if (!user.groups.includes(mastersGroup)) throw notPermitted({}, `only group ${mastersGroup} may make a backup`)
    if (method !== 'GET') throw methodNotAllowed()
    const { store, environment } = this.#context
    const headers = { 'content-type': 'application/jsonl', 'cache-control': 'no-store' }
    return { status: 200, headers, body: backupOfStore(store, timestamp(environment.clock)) }
  }

  #described(asked: AskedBy): APIResponse | undefined {
    const { request, steps } = asked
    if (steps[0] !== 'openapi')
      return this.#documented(asked, this.#documents.find(steps, negotiate(request.headers.accept)))
    // OpenAPI has media types of its own; version 3 is JSON whatever the client prefers.
    if (steps[1] !== 'v2' || steps.length > 2)
      return this.#documented(asked, this.#documents.find(steps, negotiate(undefined)))
    const form = negotiateOpenAPIv2(request.headers.accept)
    if (form === undefined) return textResponse(406, '')
    return this.#documented(asked, this.#documents.openAPIv2(form))
  }

  #documented({ request, query }: AskedBy, document: Document | undefined): APIResponse | undefined {
    return document && documentResponse(document, request, { query, now: this.#context.environment.clock.now() })
  }

  /** Only below the groups of built-in kinds is a Status the answer to a path that is not there. */
  #nowhere([root, first = '']: readonly string[]): APIResponse {
    const group = root === 'api' ? '' : first
    const isBuiltin = this.#context.registry
      .all()
      .some(({ definition }) => definition.builtin && definition.group === group)
    const isReviewed = reviews.some(review => review.group === group)
    if (root === 'api' || (root === 'apis' && (isBuiltin || isReviewed))) throw pathNotFound()
    return textResponse(404, '404 page not found\n')
  }

  async #review({ request, steps, user }: AskedBy, path: ResourcePath): Promise<APIResponse> {
    const { group, version, plural, name, namespace } = path
    const review = reviews.find(each => each.group === group && each.version === version && each.plural === plural)
    if (review === undefined || name !== '') return this.#nowhere(steps)
    if (request.method !== 'POST') throw methodNotAllowed()
    const { value } = decodeObject(request, { findDuplicates: false })
    const { authorizer } = this.#context
    const reviewers = { user, authorizer, checkToken: this.checkToken, namespace }
    return jsonResponse(201, await answerReview(review, value, reviewers))
  }

  async #issueToken(request: APIRequest, { namespace, name }: ResourcePath): Promise<APIResponse> {
    if (request.method !== 'POST') throw methodNotAllowed()
    const { value } = decodeObject(request, { findDuplicates: false })
    return jsonResponse(201, await this.#accounts.issue(namespace, name, value))
  }

  #failure(request: APIRequest, error: unknown): APIResponse {
    this.#logger?.error({ method: request.method, path: request.path.split('?')[0], error }, 'request failed')
    return statusResponse(internalError(messageOf(error)))
  }
}

function statusResponse(error: StatusError): APIResponse {
  const wait = error.status.details?.retryAfterSeconds
  const headers = { 'cache-control': 'no-cache, private', ...(wait !== undefined && { 'retry-after': String(wait) }) }
  return { ...jsonResponse(error.code, error.status, headers), value: () => deepFreeze(error.status) }
}

function readURL({ path }: APIRequest): ReturnType<typeof splitPath> | StatusError {
  try {
    return splitPath(path)
  } catch (error) {
    if (error instanceof StatusError) return error
    throw error
  }
}

const metricsPath = '/metrics'

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
      const dot = entry.name.indexOf('.')
      if (type !== 'DELETED') follow(entry.object)
      else registry.replace(entry.name.slice(dot + 1), entry.name.slice(0, dot), [])
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
