/** How requests reach a Kubernetes API: a real cluster over TLS, or the embedded one in this process or a worker of it. */

/** One request. */
export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path with query. */
  readonly path: string
  readonly body?: Uint8Array | string
  /** Media type of the body. Default `application/json`. */
  readonly contentType?: string
  /** Media type wished for. Default `application/json`. */
  readonly accept?: string
  /** Gives the request up; it then rejects with the signal's reason. That the server carried it out stays possible. */
  readonly signal?: AbortSignal
}

/** One answer, whatever its status: only a request without an answer rejects. */
export interface TransportResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** May be empty where there is a value. */
  readonly body: Uint8Array
  /** What the body says, deeply frozen, where it need not be parsed. */
  readonly value?: () => unknown
}

/** What a watch tells. */
export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'

/** Options of a watch. */
export interface WatchOptions {
  /** Ends the watch, which then resolves. */
  readonly signal: AbortSignal
  /** Told of every event, in order. `ERROR` carries a Status. Must not throw. */
  readonly onEvent: (type: WatchEventType, object: unknown) => void
}

/** The way to an API. */
export interface Transport {
  /** Sends a request. Rejects with an `ApiError` of status 0 when there was no answer. */
  request(request: TransportRequest): Promise<TransportResponse>
  /**
   * Follows a path (its query says `watch=true`). Resolves when the server closed the stream or the signal aborted;
   * rejects with an `ApiError` when it was refused or broke: reason `Silent` when nothing came for too long.
   */
  watch(path: string, options: WatchOptions): Promise<void>
  /** Ends all that is under way. */
  close(): Promise<void>
}

/** A request as the embedded API server takes it. */
export interface HandledRequest {
  readonly method: string
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body?: Uint8Array
  readonly signal?: AbortSignal
}

/** An answer as the embedded API server gives it. A stream is a watch. */
export interface HandledResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
  /** What the body says, deeply frozen: in the server's own process it need not be parsed. */
  readonly value?: () => unknown
  /** What the stream says, in its place. */
  readonly events?: AsyncIterable<readonly { readonly type: WatchEventType; readonly object: unknown }[]>
}

/** The embedded API server's request core. */
export type RequestHandler = (request: HandledRequest) => Promise<HandledResponse>

/** The headers of a request. */
export function headersOf(request: Pick<TransportRequest, 'body' | 'contentType' | 'accept'>): Record<string, string> {
  const headers: Record<string, string> = { accept: request.accept ?? 'application/json' }
  if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json'
  return headers
}
