/** HTTPS in front of the request core. */

import { once } from 'node:events'
import { createSecureServer } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { APIRequest } from '../api-request.ts'
import { bodyLimit } from '../request/body.ts'
import type { APIServer } from '../server.ts'
import { requestTooLarge, unauthorized } from '../status-error.ts'
import { authenticate } from './authentication.ts'
import type { Credentials } from './certificates.ts'
import { Exchange } from './exchange.ts'

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

/** Requests that one connection of HTTP/2 may have under way, watches among them: what kube-apiserver allows. */
const maximumStreams = 1_000

/** Listens, for HTTP/2 and HTTP/1.1 as the client chooses; rejects with one clear line when the port is taken. */
export async function listen(server: APIServer, options: ListenerOptions): Promise<Listener> {
  const { host, port, credentials, authority } = options
  const listener = createSecureServer(
    {
      allowHTTP1: true,
      http1Options: { keepAliveTimeout: keepAlive },
      settings: { maxConcurrentStreams: maximumStreams },
      cert: credentials.certificate,
      key: credentials.key,
      ca: authority,
      // Clients without a certificate may still have a token.
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      noDelay: true,
    },
    (request, response) => {
      const exchange = new Exchange(request, response)
      serve(server, exchange).catch(() => exchange.abandon())
    },
  )
  listener.on('tlsClientError', (_error, socket) => socket.destroy())
  const sockets = new Set<Socket>()
  listener.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
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
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

async function serve(server: APIServer, exchange: Exchange): Promise<void> {
  const { request } = exchange
  const { method = 'GET', url: path = '/' } = request
  const bare: APIRequest = {
    method,
    path,
    headers: request.headers as APIRequest['headers'],
    address: request.socket.remoteAddress ?? '',
    // Nothing but what is read takes long enough to be given up.
    ...(method === 'GET' && { signal: exchange.signal }),
  }
  const user = await authenticate(request, server.checkToken)
  if (user === undefined) return exchange.refuse(await server.handle({ ...bare, refused: unauthorized() }))
  const body = await exchange.body()
  if (body === undefined) {
    return exchange.refuse(await server.handle({ ...bare, user, refused: requestTooLarge(bodyLimit) }))
  }
  await exchange.send(await server.handle({ ...bare, user, ...(body.length > 0 && { body }) }))
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
