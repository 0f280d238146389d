/** Why the API did not do what it was asked: Kubernetes' reasons, and two of our own for requests without an answer. */
export type ApiErrorReason =
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Expired'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'Invalid'
  | 'TooManyRequests'
  | 'InternalError'
  | 'Unavailable'
  | 'Timeout'
  /** A watch on which nothing came for too long. Nothing is known to be wrong. */
  | 'Silent'

/** One field that was refused. */
export interface ApiErrorCause {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}

/** Options of an `ApiError`. */
export interface ApiErrorOptions {
  /** The HTTP status, 0 when there was no answer. */
  readonly status: number
  readonly reason: ApiErrorReason
  /** What the server asks to wait before the next try, in ms. */
  readonly retryAfterMs?: number
  readonly causes?: readonly ApiErrorCause[]
  /** What was thrown below. */
  readonly cause?: unknown
}

/** An API request that failed. */
export class ApiError extends Error {
  readonly status: number
  readonly reason: ApiErrorReason
  readonly retryAfterMs: number | undefined
  /** The fields that were refused, for `Invalid`. */
  readonly causes: readonly ApiErrorCause[]

  constructor(message: string, options: ApiErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ApiError'
    this.status = options.status
    this.reason = options.reason
    this.retryAfterMs = options.retryAfterMs
    this.causes = options.causes ?? []
  }

  /** Whether the same request may succeed later though nobody changes anything. */
  get transient(): boolean {
    return transientReasons.has(this.reason)
  }
}

const transientReasons: ReadonlySet<ApiErrorReason> = new Set([
  'TooManyRequests',
  'InternalError',
  'Unavailable',
  'Timeout',
  'Silent',
])

const reasonByStatus: Readonly<Record<number, ApiErrorReason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  502: 'Unavailable',
  503: 'Unavailable',
  504: 'Timeout',
}

/** The error of an HTTP status and its body, which is a metav1.Status where Kubernetes itself answered. */
export function apiErrorOf(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): ApiError {
  const parts = isRecord(body) ? body : {}
  const details = isRecord(parts.details) ? parts.details : {}
  const message = typeof parts.message === 'string' && parts.message !== '' ? parts.message : `HTTP status ${status}`
  const seconds = Number(headers['retry-after'] ?? details.retryAfterSeconds)
  return new ApiError(message, {
    status,
    reason: reasonOf(status, parts.reason),
    causes: Array.isArray(details.causes) ? details.causes.filter(isRecord) : [],
    ...(Number.isFinite(seconds) && { retryAfterMs: seconds * 1000 }),
  })
}

/** The error of a Status that came as an event of a watch. */
export function apiErrorOfStatus(object: unknown): ApiError {
  const code = isRecord(object) && typeof object.code === 'number' ? object.code : 500
  return apiErrorOf(code, object)
}

/** The error of a request that got no answer. */
export function noAnswer(what: string, cause: unknown): ApiError {
  return new ApiError(`Cannot reach the API for ${what}: ${causeText(cause)}`, {
    status: 0,
    reason: 'Unavailable',
    cause,
  })
}

/** The error of a watch on which nothing came for so many ms. */
export function silentWatch(path: string, milliseconds: number): ApiError {
  const message = `Cannot go on watching ${pathOnly(path)}: nothing came for ${Math.round(milliseconds / 1000)} s`
  return new ApiError(message, { status: 0, reason: 'Silent' })
}

/** A path without its query. */
export function pathOnly(path: string): string {
  return path.split('?', 1)[0] ?? path
}

function reasonOf(status: number, said: unknown): ApiErrorReason {
  if (status === 409 && said === 'AlreadyExists') return 'AlreadyExists'
  return reasonByStatus[status] ?? (status >= 500 ? 'InternalError' : 'BadRequest')
}

function causeText(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  // fetch hides what happened one level below its "fetch failed".
  const inner = cause.cause instanceof Error ? cause.cause : cause
  const code = 'code' in inner && typeof inner.code === 'string' ? ` (${inner.code})` : ''
  return `${inner.message || inner.name}${code}`
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
