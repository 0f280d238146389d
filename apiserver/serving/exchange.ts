/** One request and its answer, alike in HTTP/1.1 and HTTP/2. */

import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { Clock } from '../../crds/environment.ts'
import type { APIResponse } from '../api-request.ts'
import { bodyLimit } from '../request/body.ts'
import { bodyTimeout, requestTooLarge } from '../status-error.ts'

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

/** How long a body may take to come, in milliseconds. */
const bodyPatience = 30_000

/** How long a client may take nothing of what is sent to it, in milliseconds: then it is given up, as by a real server. */
const readingPatience = 60_000

/** Answers are handed over in pieces of this size, in bytes: whoever takes one in time is slow, and not gone. */
const pieceSize = 256 * 1024

/** Answers up to this size need not be waited for: the system takes them whole. */
const smallAnswer = 16 * 1024

/** Made once: an error of its own for every request would cost more than many requests do. */
const clientGone = new Error('the client has gone')

/** One request and its answer. */
export class Exchange {
  readonly request: Incoming
  readonly #response: Outgoing
  readonly #method: string
  readonly #clock: Clock
  #closed = false
  #gone: AbortController | undefined
  #wake: (() => void) | undefined
  #listens = false

  constructor(request: Incoming, response: Outgoing, clock: Clock) {
    this.request = request
    this.#clock = clock
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

  /**
   * The whole body. Rejects with a 413 when it is larger than the server takes, with a 408 when it does not come, and otherwise
   * when the client breaks it off.
   */
  body(): Promise<Buffer> {
    const { request } = this
    // Who has gone while the request waited for its turn is told of no more.
    if (this.#closed) return Promise.reject(clientGone)
    if (Number(request.headers['content-length'] ?? 0) > bodyLimit) return Promise.reject(requestTooLarge(bodyLimit))
    // By events: a request is too short for what an iterator costs to set up.
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let size = 0
      request.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= bodyLimit) chunks.push(chunk)
        else fail(requestTooLarge(bodyLimit))
      })
      request.on('end', () => {
        timer.cancel()
        resolve(chunks.length < 2 ? (chunks[0] ?? nothing) : Buffer.concat(chunks))
      })
      request.on('error', fail)
      request.on('close', () => fail(clientGone))
      const timer = this.#clock.after(bodyPatience, () => fail(bodyTimeout(bodyPatience / 1_000)))
      function fail(error: Error): void {
        timer.cancel()
        // What came is let go at once: more may be under way.
        chunks.length = 0
        reject(error)
      }
    })
  }

  /** Sends an answer; a stream as fast as the client takes it, until it ends or the client has gone. */
  async send({ status, headers, body }: APIResponse): Promise<void> {
    const response = this.#response
    if (body instanceof Uint8Array) {
      response.writeHead(status, { ...headers, 'content-length': body.byteLength })
      if (this.#method === 'HEAD') response.end()
      else if (body.byteLength <= smallAnswer) response.end(body)
      else await this.#sendLarge(body)
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

  async #sendLarge(body: Uint8Array): Promise<void> {
    const response = this.#response
    for (let start = 0; start + pieceSize < body.byteLength; start += pieceSize) {
      if (this.#closed) return
      if (!response.write(body.subarray(start, start + pieceSize))) await this.#drained()
    }
    const rest = body.byteLength % pieceSize || pieceSize
    response.end(body.subarray(body.byteLength - rest))
    while (!this.#closed) await this.#woken()
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
    if (!this.#listens) response.on('drain', () => this.#wake?.())
    this.#listens = true
    return this.#woken()
  }

  /** Resolves at the next drain or close. A client that takes nothing for long is given up, which closes too. */
  #woken(): Promise<void> {
    return new Promise(resolve => {
      const timer = this.#clock.after(readingPatience, () => this.abandon())
      this.#wake = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}
