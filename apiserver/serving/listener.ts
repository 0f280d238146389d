/** HTTPS in front of the request core. */

import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { APIRequest, APIResponse } from '../api-request.ts'
import { bodyLimit } from '../request/body.ts'
import type { APIServer } from '../server.ts'
import { statusResponse } from '../server.ts'
import { requestTooLarge, unauthorized } from '../status-error.ts'
import { authenticate } from './authentication.ts'
import type { Credentials } from './certificates.ts'

/** Where and how to listen. */
export interface ListenerOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly credentials: Credentials
  /** PEM of the authority that signs clients' certificates. */
  readonly authority: string
}

/** A listening server. */
export interface Listener {
  readonly port: number
  /** Ends open connections and stops listening. */
  close(): Promise<void>
}

/** How long an idle connection is kept, in milliseconds: longer than clients keep theirs. */
const keepAlive = 120_000

/** Made once: an error of its own for every request would cost more than many requests do. */
const clientGone = new Error('the client has gone')

/** Listens; rejects with one clear line when the port is taken. */
export async function listen(server: APIServer, options: ListenerOptions): Promise<Listener> {
  const { host, port, credentials, authority } = options
  const listener = createServer(
    {
      cert: credentials.certificate,
      key: credentials.key,
      ca: authority,
      // Clients without a certificate may still have a token.
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      keepAliveTimeout: keepAlive,
      noDelay: true,
    },
    (request, response) => {
      serve(server, request, response).catch(() => response.destroy())
    },
  )
  listener.on('tlsClientError', (_error, socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    listener.once('error', error => reject(listenError(error, host, port)))
    listener.listen(port, host, resolve)
  })
  const address = listener.address()
  return {
    port: isAddress(address) ? address.port : port,
    close: async () => {
      const closed = once(listener, 'close')
      listener.close()
      listener.closeAllConnections()
      await closed
    },
  }
}

async function serve(server: APIServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort(clientGone))
  const user = await authenticate(request, server.checkToken)
  if (user === undefined) return refuse(request, response, statusResponse(unauthorized()))
  const body = await readBody(request)
  if (body === undefined) return refuse(request, response, statusResponse(requestTooLarge(bodyLimit)))
  const asked: APIRequest = {
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers: request.headers as APIRequest['headers'],
    ...(body.length > 0 && { body }),
    signal: gone.signal,
    user,
  }
  await send(await server.handle(asked), asked, response)
}

async function send(
  { status, headers, body }: APIResponse,
  request: APIRequest,
  response: ServerResponse,
): Promise<void> {
  if (body instanceof Uint8Array) {
    response.writeHead(status, { ...headers, 'content-length': body.byteLength })
    response.end(request.method === 'HEAD' ? undefined : body)
    return
  }
  response.writeHead(status, headers)
  response.flushHeaders()
  for await (const chunk of body) {
    if (response.destroyed) break
    if (!response.write(chunk)) await drained(response)
  }
  response.end()
}

/** Resolves when the client has taken what was written, or has gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.once('drain', done)
    response.once('close', done)
    if (response.destroyed) done()
  })
}

/** The whole body; undefined when it is larger than the server takes. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > bodyLimit) return undefined
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > bodyLimit) return undefined
    chunks.push(chunk)
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
}

/** Answers without having read the body: the connection cannot be used again. */
async function refuse(request: IncomingMessage, response: ServerResponse, answer: APIResponse): Promise<void> {
  const unread = !request.complete
  const headers = unread ? { ...answer.headers, connection: 'close' } : answer.headers
  await send({ ...answer, headers }, { method: request.method ?? '', path: '', headers: {} }, response)
  if (unread) request.resume()
}

function isAddress(address: unknown): address is AddressInfo {
  return typeof address === 'object' && address !== null && 'port' in address
}

function listenError(error: Error, host: string, port: number): Error {
  const code = 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') return new Error(`Cannot listen on ${host}:${port}: the port is in use`)
  if (code === 'EACCES') return new Error(`Cannot listen on ${host}:${port}: permission denied`)
  return new Error(`Cannot listen on ${host}:${port}: ${error.message}`)
}
