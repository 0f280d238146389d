import { ApiError, apiErrorOf, noAnswer, pathOnly } from './api-error.ts'
import {
  type HandledResponse,
  headersOf,
  type RequestHandler,
  type Transport,
  type WatchEventType,
  type WatchOptions,
} from './transport.ts'
import { createWatchParser } from './watch-stream.ts'

const nothing = new Uint8Array(0)

/**
 * A transport to an API server in this process: the same requests and answers, without sockets or TLS. Where the server
 * has the value of what it encodes, that is taken as it is (decision 0023).
 */
export function inProcessTransport(handle: RequestHandler): Transport {
  const closing = new AbortController()

  return {
    async request(request) {
      const { method, path, body, signal } = request
      signal?.throwIfAborted()
      const response = await answer(path, signal, () =>
        handle({
          method,
          path,
          headers: headersOf(request),
          ...(body !== undefined && { body: typeof body === 'string' ? Buffer.from(body) : body }),
          ...(signal !== undefined && { signal }),
        }),
      )
      const { status, headers, value } = response
      if (value === undefined) return { status, headers, body: await wholeBody(response.body) }
      // A large body is put together while it is read, which nobody does where its value is at hand.
      return { status, headers, body: response.body instanceof Uint8Array ? response.body : nothing, value }
    },
    async watch(path, { signal, onEvent }) {
      const ended = AbortSignal.any([signal, closing.signal])
      if (ended.aborted) return
      try {
        const response = await handle({ method: 'GET', path, headers: headersOf({}), signal: ended })
        if (response.status !== 200) throw await refusal(response)
        await tell(response, onEvent, ended)
      } catch (error) {
        if (ended.aborted) return
        throw error instanceof ApiError ? error : noAnswer(`a watch of ${pathOnly(path)}`, error)
      }
    },
    async close() {
      closing.abort(new Error('Cannot go on: the transport was closed'))
    },
  }
}

/** Tells the events of a watch until it ends. */
async function tell(
  { body, events }: HandledResponse,
  onEvent: WatchOptions['onEvent'],
  signal: AbortSignal,
): Promise<void> {
  if (events !== undefined) {
    const tellAll = (piece: readonly { readonly type: WatchEventType; readonly object: unknown }[]) => {
      for (const { type, object } of piece) onEvent(type, object)
    }
    return follow(events, tellAll, signal)
  }
  const parse = createWatchParser(onEvent)
  if (body instanceof Uint8Array) parse(body)
  else await follow(body, parse, signal)
}

/** Reads a stream to its end, or until the signal aborts, whether or not the stream notices that. */
async function follow<T>(stream: AsyncIterable<T>, take: (piece: T) => void, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const over = Promise.withResolvers<void>()
  const stop = () => over.resolve()
  signal.addEventListener('abort', stop, { once: true })

  async function read(): Promise<void> {
    for await (const piece of stream) {
      if (signal.aborted) return
      take(piece)
    }
  }

  try {
    read().then(over.resolve, over.reject)
    await over.promise
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Runs a request; what it throws becomes an `ApiError`, an abort keeps its reason. */
async function answer<T>(path: string, signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw noAnswer(pathOnly(path), error)
  }
}

async function refusal(response: HandledResponse): Promise<ApiError> {
  const body = await wholeBody(response.body)
  return apiErrorOf(response.status, parsed(body), response.headers)
}

/** The bytes of a body that may come in pieces. */
export async function wholeBody(body: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The JSON value of a body; undefined where it is none. */
export function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
}
