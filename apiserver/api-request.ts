/** What the request core takes and gives: HTTP without sockets. */

import type { StatusError } from './status-error.ts'

/** Who asks, as the listener found out. */
export interface User {
  readonly name: string
  readonly groups: readonly string[]
}

/** The name of this process itself, which asks without a socket. */
export const localUserName = 'system:skystead'

/** One request. */
export interface APIRequest {
  readonly method: string
  /** Path with query, as it stands in the request line. */
  readonly path: string
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body?: Uint8Array
  /** Aborts when the client has gone: a watch then ends. */
  readonly signal?: AbortSignal
  /** Who asks. Default: this process itself, which may do everything. */
  readonly user?: User
  /** Address of the peer. Default: none, it is of this process. */
  readonly address?: string
  /** Why it must not be answered, where that was found on its way here. Without a user then, nobody is known. */
  readonly refused?: StatusError
}

/** What a watch tells, as a value: deeply frozen. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: unknown
}

/** One answer. A stream is a large list, or a watch, every chunk of which holds whole events. Streams are read once. */
export interface APIResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
  /** The value that the body encodes, deeply frozen: whoever asks in this process need not parse what was just encoded. */
  readonly value?: () => unknown
  /** The events that the stream encodes, in its place: only one of the two may be read. */
  readonly events?: AsyncIterable<readonly WatchEvent[]>
}

/** Encodes text into memory of exactly its size: pooled buffers would keep their neighbours alive. */
export function encode(text: string): Buffer {
  const buffer = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  buffer.write(text)
  return buffer
}

/** An answer with a JSON body. */
export function jsonResponse(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): APIResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(body)),
  }
}

/** An answer with a plain text body. */
export function textResponse(status: number, body: string): APIResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: Buffer.from(body) }
}
