/** One request and its answer, alike in HTTP/1.1 and HTTP/2. */

import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { APIResponse } from '../api-request.ts'
import { bodyLimit } from '../request/body.ts'

/** A request as it comes. */
export type Incoming = IncomingMessage | Http2ServerRequest

/** Where its answer goes: what the responses of both protocols have in common. */
export interface Outgoing {
  readonly writableNeedDrain: boolean
  writeHead(status: number, headers: Readonly<Record<string, string | number>>): unknown
  /** In HTTP/1.1 only: sends the head before there is a body. */
  flushHeaders?(): void
  /** False: enough is under way, `drain` tells when there is room. */
  write(chunk: Uint8Array): boolean
  end(): unknown
  end(chunk: Uint8Array): unknown
  destroy(): unknown
  on(event: 'drain' | 'close', listener: () => void): unknown
}

const nothing = Buffer.alloc(0)

/** Made once: an error of its own for every request would cost more than many requests do. */
const clientGone = new Error('the client has gone')

/** One request and its answer. */
export class Exchange {
  readonly request: Incoming
  readonly #response: Outgoing
  readonly #method: string
  #closed = false
  #gone: AbortController | undefined
  #wake: (() => void) | undefined

  constructor(request: Incoming, response: Outgoing) {
    this.request = request
    this.#response = response
    this.#method = request.method ?? 'GET'
    response.on('close', () => {
      this.#closed = true
      this.#gone?.abort(clientGone)
      this.#wake?.()
    })
  }

  /** Aborts when the answer is complete, or the client has gone. */
  get signal(): AbortSignal {
    this.#gone ??= new AbortController()
    if (this.#closed) this.#gone.abort(clientGone)
    return this.#gone.signal
  }

  /** The whole body; undefined when it is larger than the server takes. Rejects when the client breaks it off. */
  body(): Promise<Buffer | undefined> {
    const { request } = this
    if (Number(request.headers['content-length'] ?? 0) > bodyLimit) return Promise.resolve(undefined)
    // By events: a request is too short for what an iterator costs to set up.
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let size = 0
      request.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= bodyLimit) chunks.push(chunk)
        else resolve(undefined)
      })
      request.on('end', () => resolve(chunks.length < 2 ? (chunks[0] ?? nothing) : Buffer.concat(chunks)))
      request.on('error', reject)
      request.on('close', () => reject(clientGone))
    })
  }

  /** Sends an answer; a stream as fast as the client takes it, until it ends or the client has gone. */
  async send({ status, headers, body }: APIResponse): Promise<void> {
    const response = this.#response
    if (body instanceof Uint8Array) {
      response.writeHead(status, { ...headers, 'content-length': body.byteLength })
      if (this.#method === 'HEAD') response.end()
      else response.end(body)
      return
    }
    response.writeHead(status, headers)
    if (this.#method === 'HEAD') return void response.end()
    response.flushHeaders?.()
    for await (const chunk of body) {
      if (this.#closed) break
      if (!response.write(chunk)) await this.#drained()
    }
    response.end()
  }

  /** Answers without having read the body: a connection of HTTP/1.1 cannot be used again. */
  async refuse(answer: APIResponse): Promise<void> {
    const { request } = this
    const closing = !request.complete && request.httpVersionMajor === 1
    await this.send(closing ? { ...answer, headers: { ...answer.headers, connection: 'close' } } : answer)
    if (!request.complete) request.resume()
  }

  /** The answer cannot be given: the client sees a broken connection. */
  abandon(): void {
    this.#response.destroy()
  }

  /** Resolves when the client has taken what was written, or has gone. */
  #drained(): Promise<void> {
    const response = this.#response
    if (this.#closed || !response.writableNeedDrain) return Promise.resolve()
    if (this.#wake === undefined) response.on('drain', () => this.#wake?.())
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }
}
