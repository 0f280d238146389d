/** What is noted about one request while it is answered, and told of it at each stage. */

import { type Clock, microTimestamp } from '../../crds/environment.ts'
import type { JSONObject } from '../api-object.ts'
import { isRecord } from '../api-object.ts'
import type { APIRequest, APIResponse, User, WatchEvent } from '../api-request.ts'
import type { Attributes } from '../authorization/attributes.ts'
import { contentType, decodeApply, decodeBody, decodePatch } from '../request/body.ts'
import { applyType } from '../verbs/patch.ts'
import type { AuditEvent } from './event.ts'
import { agentOf, auditedUser, cut, objectReference, sourcesOf } from './event.ts'
import type { Audited, Stage } from './policy.ts'
import { levels } from './policy.ts'
import { isSecretBody, isSecretPlace, withoutManagedFields } from './secrecy.ts'

/** Largest body that is told, in bytes. */
const bodyLimit = 1024 * 1024

/** Longest message that is told whole, in characters: a longer one is cut, and its details are left out. */
const messageLimit = 16 * 1024

/** What a trail is of. */
export interface TrailOf {
  readonly id: string
  readonly request: APIRequest
  /** Who asks; undefined: nobody is known. */
  readonly user: User | undefined
  readonly attributes: Attributes
  /** API version in the path; '' where it names none. */
  readonly version: string
  readonly audited: Audited
  readonly clock: Clock
  readonly tell: (event: AuditEvent) => void
}

type Told = Pick<AuditEvent, 'responseStatus' | 'requestObject' | 'responseObject' | 'impersonatedUser' | 'annotations'>

/** The trail of one request. */
export class Trail {
  readonly id: string
  readonly #of: TrailOf
  readonly #receivedAt: string
  readonly #bodies: boolean
  readonly #annotations: Record<string, string> = {}
  #impersonated: User | undefined
  #name = ''
  #panicked = false

  constructor(of: TrailOf) {
    this.id = of.id
    this.#of = of
    this.#receivedAt = microTimestamp(of.clock)
    this.#bodies = !isSecretPlace(of.attributes)
  }

  /** The request has come. */
  received(): void {
    this.#tell('RequestReceived', {})
  }

  /** Whom it acts as. */
  actsAs(user: User): void {
    this.#impersonated = user
  }

  /** Whether its user may do it, and what says so. */
  decided(decision: { readonly allowed: boolean; readonly reason: string }): void {
    this.#annotations['authorization.k8s.io/decision'] = decision.allowed ? 'allow' : 'forbid'
    this.#annotations['authorization.k8s.io/reason'] = decision.reason
  }

  /** Something went wrong that nobody had foreseen. What the error says is left out: it may quote what was sent. */
  panicked(error: unknown): void {
    this.#panicked = true
    const message = `APIServer panic'd: ${error instanceof Error ? error.name : typeof error}`
    const responseStatus = { metadata: {}, status: 'Failure', message, reason: 'InternalError', code: 500 }
    this.#tell('Panic', { responseStatus })
  }

  /** It is answered; the answer names the trail. A stream is told of at its start and its end. */
  answered(response: APIResponse): APIResponse {
    const headers = { ...response.headers, 'audit-id': this.id }
    if (this.#panicked) return { ...response, headers }
    if (response.body instanceof Uint8Array) {
      // Whoever is not known is told of once, as a real server does.
      const stage = response.status === 401 ? 'ResponseStarted' : 'ResponseComplete'
      this.#tell(stage, this.#answerOf(response, response.body.byteLength))
      return { ...response, headers }
    }
    const { body, events } = response
    // Only what goes on has a start of its own.
    if (this.#of.attributes.verb !== 'watch') {
      // A large list, put together while it is sent.
      const sent = (size: number) => this.#tell('ResponseComplete', this.#answerOf(response, size))
      return { ...response, headers, body: measured(body, sent) }
    }
    const told = { responseStatus: { metadata: {}, code: response.status } }
    this.#tell('ResponseStarted', told)
    const ended = () => this.#tell('ResponseComplete', told)
    return {
      ...response,
      headers,
      body: followed(body, ended),
      ...(events !== undefined && { events: followed<readonly WatchEvent[]>(events, ended) }),
    }
  }

  /** `size`: of the body in bytes. */
  #answerOf(response: APIResponse, size: number): Told {
    const { request } = this.#of
    const isFailure = response.status >= 400
    const needsValue = isFailure || this.#tells('RequestResponse') || this.#isNameless()
    const value = needsValue && size <= bodyLimit ? answeredValue(response) : undefined
    this.#name = nameIn(value)
    const sent = request.body?.byteLength ?? 0
    return {
      responseStatus: this.#statusOf(value, response.status),
      requestObject: this.#tells('Request') ? this.#told(sent, () => sentValue(request)) : undefined,
      responseObject: this.#tells('RequestResponse') ? this.#told(size, () => value) : undefined,
    }
  }

  /** A Status as it is, of secrets only what cannot quote them; of anything else the code. */
  #statusOf(value: unknown, code: number): JSONObject {
    if (!isRecord(value) || !isStatus(value)) return { metadata: {}, code }
    const { kind: _kind, apiVersion: _apiVersion, ...status } = value
    const { message, details, ...bare } = status
    if (!this.#bodies && (code === 400 || code === 422)) return { ...bare, code }
    // A refusal quotes what was asked for, which may be as long as a path.
    const isLong = typeof message === 'string' && message.length > messageLimit
    return isLong ? { ...bare, message: cut(message), code } : { ...status, code }
  }

  /** Objects get their names when they are created: the path does not tell them. */
  #isNameless(): boolean {
    const { attributes } = this.#of
    return attributes.verb === 'create' && 'plural' in attributes && attributes.name === ''
  }

  #tells(level: 'Request' | 'RequestResponse'): boolean {
    return this.#bodies && levels.indexOf(this.#of.audited.level) >= levels.indexOf(level)
  }

  #told(size: number, read: () => unknown): unknown {
    if (size > bodyLimit) {
      this.#annotations['audit.k8s.io/truncated'] = 'true'
      return undefined
    }
    const value = size === 0 ? undefined : read()
    if (isSecretBody(value)) return undefined
    return this.#of.audited.omitManagedFields ? withoutManagedFields(value) : value
  }

  #tell(stage: Stage, told: Told): void {
    const { id, request, user, attributes, version, audited, clock, tell } = this.#of
    if (audited.omitStages.has(stage)) return
    tell({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: this.#bodies ? audited.level : 'Metadata',
      auditID: id,
      stage,
      requestURI: cut(request.path),
      verb: attributes.verb,
      user: auditedUser(user),
      impersonatedUser: this.#impersonated && auditedUser(this.#impersonated),
      sourceIPs: sourcesOf(request),
      userAgent: agentOf(request),
      objectRef: objectReference(attributes, { version, name: this.#name }),
      ...told,
      requestReceivedTimestamp: this.#receivedAt,
      stageTimestamp: stage === 'RequestReceived' ? this.#receivedAt : microTimestamp(clock),
      annotations: Object.keys(this.#annotations).length > 0 ? { ...this.#annotations } : undefined,
    })
  }
}

async function* followed<T>(stream: AsyncIterable<T>, ended: () => void): AsyncGenerator<T> {
  try {
    yield* stream
  } finally {
    ended()
  }
}

/** Tells how many bytes were read when the end has come. */
async function* measured(pieces: AsyncIterable<Uint8Array>, ended: (size: number) => void): AsyncGenerator<Uint8Array> {
  let size = 0
  try {
    for await (const piece of pieces) {
      size += piece.byteLength
      yield piece
    }
  } finally {
    ended(size)
  }
}

/** What an answer says; undefined where it is no JSON, or told while it is put together. */
function answeredValue({ headers, value, body }: APIResponse): unknown {
  if (value !== undefined) return value()
  if (!(body instanceof Uint8Array)) return undefined
  const isJSON = headers['content-type']?.startsWith('application/json') && headers['content-encoding'] === undefined
  return isJSON ? parsed(() => JSON.parse(Buffer.from(body).toString())) : undefined
}

/** What was sent; undefined where it cannot be read: it is refused then. */
function sentValue(request: APIRequest): unknown {
  const type = contentType(request)
  const options = { findDuplicates: false }
  return parsed(() => {
    if (type === applyType) return decodeApply(request, options).value
    return (type.endsWith('patch+json') ? decodePatch(request, options) : decodeBody(request, options)).value
  })
}

function parsed(read: () => unknown): unknown {
  try {
    return read()
  } catch {
    return undefined
  }
}

function isStatus({ kind, apiVersion }: JSONObject): boolean {
  return kind === 'Status' && apiVersion === 'v1'
}

/** The name of the object that an answer holds, or speaks of. */
function nameIn(value: unknown): string {
  if (!isRecord(value)) return ''
  const named = isStatus(value) ? value.details : value.metadata
  return isRecord(named) && typeof named.name === 'string' ? named.name : ''
}
