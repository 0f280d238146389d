/** Every error that a client can see: metav1.Status with Kubernetes' codes, reasons and wording. */

import type { ResourceDefinition } from './resource-definition.ts'
import { qualifiedKind, qualifiedResource } from './resource-definition.ts'
import type { FieldError } from './schema/field-error.ts'

/** metav1.StatusCause. */
export interface StatusCause {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}

/** metav1.StatusDetails. */
export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly StatusCause[]
  readonly retryAfterSeconds?: number
}

/** metav1.Status. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Readonly<Record<string, unknown>>
  readonly status: 'Success' | 'Failure'
  readonly message?: string
  readonly reason?: string
  readonly details?: StatusDetails
  readonly code?: number
}

/** An error that answers the request with its Status. */
export class StatusError extends Error {
  readonly status: Status
  readonly code: number

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message)
    this.name = 'StatusError'
    this.code = code
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason !== '' && { reason }),
      ...(details !== undefined && { details }),
      code,
    }
  }
}

type Named = Pick<ResourceDefinition, 'group' | 'plural' | 'kind'>

function resourceDetails(definition: Named, name: string): StatusDetails {
  return detailsOf({ group: definition.group, kind: definition.plural }, name)
}

/** Details leave out what is empty. */
function detailsOf({ group, kind }: { group: string; kind: string }, name: string): StatusDetails {
  return { ...(name !== '' && { name }), ...(group !== '' && { group }), ...(kind !== '' && { kind }) }
}

/** 404: there is no such object. */
export function notFound(definition: Named, name: string): StatusError {
  const details = resourceDetails(definition, name)
  return new StatusError(404, 'NotFound', `${qualifiedResource(definition)} "${name}" not found`, details)
}

/** 404: there is no such path. */
export function pathNotFound(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {})
}

/** 409: an object of that name exists. */
export function alreadyExists(definition: Named, name: string): StatusError {
  const details = resourceDetails(definition, name)
  return new StatusError(409, 'AlreadyExists', `${qualifiedResource(definition)} "${name}" already exists`, details)
}

/** 409: a precondition does not hold. */
export function conflict(definition: Named, name: string, message: string): StatusError {
  const text = `Operation cannot be fulfilled on ${qualifiedResource(definition)} "${name}": ${message}`
  return new StatusError(409, 'Conflict', text, resourceDetails(definition, name))
}

/** 409: the object is not the version that the client wanted to change. */
export function staleVersion(definition: Named, name: string): StatusError {
  const message = 'the object has been modified; please apply your changes to the latest version and try again'
  return conflict(definition, name, message)
}

/** 409: fields of an apply belong to other managers. */
export function applyConflict(message: string, causes: readonly StatusCause[]): StatusError {
  return new StatusError(409, 'Conflict', message, { causes })
}

/** 422: the object is not valid; every field error becomes a cause. */
export function invalid(
  kind: { group: string; kind: string },
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const texts = [...new Set(errors.map(error => `${error.field}: ${error.message}`))]
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  return new StatusError(422, 'Invalid', `${qualifiedKind(kind)} ${JSON.stringify(name)} is invalid: ${text}`, {
    ...detailsOf(kind, name),
    causes: errors.map(error => ({ reason: error.type, message: error.message, field: error.field })),
  })
}

/** 400: the request cannot be understood. */
export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message)
}

/** 400: the body speaks of another namespace than the path. */
export function foreignNamespace(): StatusError {
  return badRequest('the namespace of the provided object does not match the namespace sent on the request')
}

/** 401: the client did not say who it is. */
export function unauthorized(): StatusError {
  return new StatusError(401, 'Unauthorized', 'Unauthorized')
}

/** 403: the operation is not allowed, here and now. */
export function forbidden(
  definition: Named,
  name: string,
  message: string,
  causes: readonly StatusCause[] = [],
): StatusError {
  const text = `${qualifiedResource(definition)} "${name}" is forbidden: ${message}`
  const details = { ...resourceDetails(definition, name), ...(causes.length > 0 && { causes }) }
  return new StatusError(403, 'Forbidden', text, details)
}

/** 403: the user has no right to it. */
export function notPermitted(
  wish: { group: string; plural: string; name: string } | object,
  message: string,
): StatusError {
  if (!('plural' in wish)) return new StatusError(403, 'Forbidden', `forbidden: ${message}`, {})
  const { group, plural, name } = wish
  const named = name === '' ? '' : ` ${JSON.stringify(name)}`
  const details = { ...(name !== '' && { name }), ...(group !== '' && { group }), kind: plural }
  const text = `${qualifiedResource(wish)}${named} is forbidden: ${message}`
  return new StatusError(403, 'Forbidden', text, details)
}

/** 405: the resource exists but not with this verb. */
export function methodNotAllowed(): StatusError {
  return new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
}

/** 405: the resource does not support the verb, at all or now. */
export function methodNotSupported(definition: Named, message: string): StatusError {
  const details = { ...(definition.group !== '' && { group: definition.group }), kind: definition.plural }
  return new StatusError(405, 'MethodNotAllowed', message, details)
}

/** 406: none of the accepted media types can be served. */
export function notAcceptable(accepted: readonly string[]): StatusError {
  const message = `only the following media types are accepted: ${accepted.join(', ')}`
  return new StatusError(406, 'NotAcceptable', message)
}

/** 410: the version asked for is no longer known. */
export function expired(message: string): StatusError {
  return new StatusError(410, 'Expired', message)
}

/** 413: the body is larger than the server takes. */
export function requestTooLarge(limit: number): StatusError {
  return new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`)
}

/** 413: a JSON patch has more operations than the server takes. */
export function tooManyOperations(limit: number, given: number): StatusError {
  const message = `The allowed maximum operations in a JSON patch is ${limit}, got ${given}`
  return new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`)
}

/** 415: the body's media type is not one the operation takes. */
export function unsupportedMediaType(supported: readonly string[]): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${supported.join(', ')}`
  return new StatusError(415, 'UnsupportedMediaType', message)
}

/** 422 without a word: a JSON patch that does not fit the object. */
export function unprocessablePatch(): StatusError {
  return new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
}

/** 408: the body does not come. */
export function bodyTimeout(seconds: number): StatusError {
  return new StatusError(408, 'Timeout', `Timeout: the body of the request did not arrive within ${seconds} seconds`)
}

/** 429: there is no room now, neither under way nor in the queue. */
export function tooManyRequests(): StatusError {
  const message = 'Too many requests, please try again later.'
  return new StatusError(429, 'TooManyRequests', message, { retryAfterSeconds: 1 })
}

/** 500 without a reason: what Kubernetes answers where it did not foresee that a client is wrong. */
export function unforeseen(message: string): StatusError {
  return new StatusError(500, '', message)
}

/** 500: a defect of the server, or a storage that fails. */
export function internalError(message: string): StatusError {
  return new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] })
}

/** 504: the client asks for a version that the server has not reached. */
export function versionTooLarge(asked: number, current: number): StatusError {
  const message = `Too large resource version: ${asked}, current: ${current}`
  return new StatusError(504, 'Timeout', `Timeout: ${message}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })
}
