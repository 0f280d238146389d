/** HTTPS in front of the request core. */

import { once } from 'node:events'
import { createSecureServer, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { Clock } from '../../crds/environment.ts'
import type { APIRequest } from '../api-request.ts'
import { authenticate } from '../authentication/authenticate.ts'
import type { Leave } from '../limits/fair-queue.ts'
import type { RequestLimits } from '../limits/request-limits.ts'
import type { APIServer } from '../server.ts'
import { StatusError, unauthorized } from '../status-error.ts'
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
  readonly clock: Clock
  readonly limits: RequestLimits
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

/** How long a handshake, and the head of a request, may take, in milliseconds. */
const headPatience = 10_000

/** How long a connection of HTTP/2 may be without a request under way, in milliseconds: as long as with a real server. */
const idlePatience = 90_000

/** Largest head of a request, in bytes. */
const headLimit = 64 * 1024

/** Connections that are open at a time, at most. */
const connectionLimit = 10_000

/** How soon the system looks whether a silent peer is still there, in milliseconds. */
const silence = 30_000

/** Listens, for HTTP/2 and HTTP/1.1 as the client chooses; rejects with one clear line when the port is taken. */
export async function listen(server: APIServer, options: ListenerOptions): Promise<Listener> {
  const { host, port, credentials, authority, clock, limits } = options
  const listener = createSecureServer(
    {
      allowHTTP1: true,
      http1Options: { keepAliveTimeout: keepAlive },
      settings: { maxConcurrentStreams: maximumStreams, maxHeaderListSize: headLimit },
      handshakeTimeout: headPatience,
      cert: credentials.certificate,
      key: credentials.key,
      ca: authority,
      // Clients without a certificate may still have a token.
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: silence,
    },
    (request, response) => {
      const exchange = new Exchange(request, response, clock)
      serve({ server, limits, clock }, exchange).catch(() => exchange.abandon())
    },
  )
  // What HTTP/1.1 has; the types know it of servers of HTTP/1.1 only.
  const heads = {
    headersTimeout: headPatience,
    connectionsCheckingInterval: headPatience / 4,
    maxHeaderSize: headLimit,
  }
  Object.assign(listener, heads)
  listener.maxConnections = connectionLimit
  listener.on('session', session => endIdle(session, clock))
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

/** A connection of HTTP/2 on which nothing is asked, or nothing any more, takes up room: it is closed. */
function endIdle(session: ServerHttp2Session, clock: Clock): void {
  let open = 0
  let timer = clock.after(headPatience, () => session.destroy())
  // Told first, so that nothing is asked on it at the same moment; whoever does not answer to that is not waited for.
  const leave = () => {
    session.goaway()
    timer = clock.after(headPatience, () => session.destroy())
  }
  session.on('stream', stream => {
    timer.cancel()
    open++
    stream.once('close', () => {
      open--
      if (open === 0 && !session.destroyed) timer = clock.after(idlePatience, leave)
    })
  })
  session.once('close', () => timer.cancel())
}

interface Serving {
  readonly server: APIServer
  readonly clock: Clock
  readonly limits: RequestLimits
}

async function serve({ server, limits, clock }: Serving, exchange: Exchange): Promise<void> {
  const { request } = exchange
  const { method = 'GET', url: path = '/' } = request
  const address = request.socket.remoteAddress ?? ''
  const bare: APIRequest = {
    method,
    path,
    headers: request.headers as APIRequest['headers'],
    address,
    // Nothing but what is read takes long enough to be given up.
    ...(method === 'GET' && { signal: exchange.signal }),
  }
  const user = await authenticate(request, { checkToken: server.checkToken, clock })
  if (user === undefined) {
    if (request.headers.authorization !== undefined) await limits.refused(address)
    return exchange.refuse(await server.handle({ ...bare, refused: unauthorized() }))
  }
  limits.authentications.success++
  let leave: Leave | undefined
  try {
    const entered = limits.enter(user, bare)
    leave = typeof entered === 'function' ? entered : await entered
    const body = await exchange.body()
    await exchange.send(await server.handle({ ...bare, user, ...(body.length > 0 && { body }) }))
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    await exchange.refuse(await server.handle({ ...bare, user, refused: error }))
  } finally {
    leave?.()
  }
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
