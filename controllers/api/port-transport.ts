import type { MessagePort } from 'node:worker_threads'
import { inProcessTransport } from './in-process-transport.ts'
import { createBatcher, onMessages, type PortMessage } from './port-messages.ts'
import type { HandledRequest, HandledResponse, RequestHandler, Transport } from './transport.ts'

interface Call {
  readonly answer: PromiseWithResolvers<HandledResponse>
  readonly chunks: ChunkQueue
}

/** A transport to an API server in a worker: the same requests and bytes as over TLS, across a port. */
export function portTransport(port: MessagePort): Transport {
  const calls = new Map<number, Call>()
  const post = createBatcher(port)
  let lastId = 0
  let closed = false

  onMessages(port, message => {
    const call = calls.get(message.id)
    if (call !== undefined) hear(call, message)
  })
  port.on('close', () => {
    closed = true
    for (const call of calls.values()) fail(call, 'the worker of the API server has ended')
    calls.clear()
  })

  function hear(call: Call, message: PortMessage): void {
    switch (message.type) {
      case 'Response':
        call.answer.resolve({ status: message.status, headers: message.headers, body: message.body })
        calls.delete(message.id)
        break
      case 'Stream':
        call.answer.resolve({ status: message.status, headers: message.headers, body: call.chunks })
        break
      case 'Chunk':
        call.chunks.push(message.body)
        break
      case 'End':
        call.chunks.end()
        calls.delete(message.id)
        break
      case 'Failure':
        fail(call, message.message)
        calls.delete(message.id)
        break
      default:
    }
  }

  function fail(call: Call, message: string): void {
    const error = new Error(message)
    call.answer.reject(error)
    call.chunks.end(error)
  }

  /** The request core as it would be in this process: the port lies in between. */
  async function handle({ method, path, headers, body, signal }: HandledRequest): Promise<HandledResponse> {
    if (closed) throw new Error('the worker of the API server has ended')
    const id = ++lastId
    const call: Call = { answer: Promise.withResolvers(), chunks: new ChunkQueue() }
    calls.set(id, call)
    const cancel = () => {
      if (!calls.delete(id)) return
      if (!closed) post({ type: 'Cancel', id })
      call.answer.reject(signal?.reason)
      call.chunks.end()
    }
    signal?.addEventListener('abort', cancel, { once: true })
    const said = Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    )
    post({ type: 'Request', id, method, path, headers: said, ...(body !== undefined && { body }) })
    try {
      const response = await call.answer.promise
      if (response.body instanceof Uint8Array) signal?.removeEventListener('abort', cancel)
      else call.chunks.onEnd = () => signal?.removeEventListener('abort', cancel)
      return response
    } catch (error) {
      signal?.removeEventListener('abort', cancel)
      throw error
    }
  }

  const transport = inProcessTransport(handle)
  return {
    request: transport.request,
    watch: transport.watch,
    async close() {
      await transport.close()
      for (const [id, call] of calls) {
        fail(call, 'the transport was closed')
        calls.delete(id)
      }
      port.close()
    },
  }
}

/** Chunks that came and are not read yet. Read once. */
class ChunkQueue implements AsyncIterable<Uint8Array> {
  onEnd: (() => void) | undefined
  #chunks: Uint8Array[] = []
  #ended = false
  #error: Error | undefined
  #wake: (() => void) | undefined

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#wake?.()
  }

  end(error?: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    this.#wake?.()
    this.onEnd?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunks = this.#chunks
      this.#chunks = []
      yield* chunks
      if (this.#chunks.length > 0) continue
      if (this.#error !== undefined) throw this.#error
      if (this.#ended) return
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }
}

/** The worker's side: answers the requests of a port. Returns what ends it. */
export function servePort(port: MessagePort, handle: RequestHandler): { close(): void } {
  const running = new Map<number, AbortController>()
  const post = createBatcher(port)

  onMessages(port, message => {
    if (message.type === 'Cancel') running.get(message.id)?.abort(new Error('the client gave the request up'))
    if (message.type === 'Request') void answer(message)
  })
  port.on('close', () => {
    for (const controller of running.values()) controller.abort(new Error('the client has gone'))
  })

  async function answer({ id, method, path, headers, body }: Extract<PortMessage, { type: 'Request' }>): Promise<void> {
    const controller = new AbortController()
    running.set(id, controller)
    try {
      const { signal } = controller
      const response = await handle({
        method,
        path,
        headers,
        signal,
        ...(body !== undefined && body.length > 0 && { body }),
      })
      await send(id, response, signal)
    } catch (error) {
      post({ type: 'Failure', id, message: error instanceof Error ? error.message : String(error) })
    } finally {
      running.delete(id)
    }
  }

  async function send(id: number, { status, headers, body }: HandledResponse, signal: AbortSignal): Promise<void> {
    if (body instanceof Uint8Array) return post({ type: 'Response', id, status, headers, body })
    post({ type: 'Stream', id, status, headers })
    for await (const chunk of body) {
      if (signal.aborted) return
      post({ type: 'Chunk', id, body: chunk })
    }
    post({ type: 'End', id })
  }

  return {
    close() {
      for (const controller of running.values()) controller.abort(new Error('the API server is stopping'))
      port.close()
    },
  }
}
