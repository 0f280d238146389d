import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Client } from '../api/client.ts'
import type { Logger } from '../log.ts'
import { accessOf } from './access.ts'
import { QueryError, type QueryRoute, type QuerySources } from './route.ts'

/** Where the query endpoint listens, and by what it is known. All are PEM. */
export interface QueryEndpoint {
  /** 0: any free port. */
  readonly port: number
  /** The address that it listens on and is found under. Default 127.0.0.1. */
  readonly host?: string
  /** Its certificate, for the name `skystead-query`. */
  readonly certificate: string
  readonly key: string
  /** Who signed that certificate: clients read it from the Lease and trust no other. */
  readonly authority: string
  /** Who signs the certificates of the API's users. Left out: bearer tokens only. */
  readonly clientAuthority?: string
}

/** The name in the endpoint's certificate: clients expect it whatever the address is. */
export const queryServerName = 'skystead-query'

/** Options of the query server. */
export interface QueryServerOptions extends QueryEndpoint {
  readonly routes: readonly QueryRoute[]
  readonly sources: QuerySources
  /** Asked who may ask. */
  readonly client: Client
  readonly logger: Logger
}

/** A running query server. */
export interface QueryServer {
  /** `https://host:port`. */
  readonly url: string
  close(): Promise<void>
}

/** Serves questions read-only over HTTPS. Rejects where the port is taken. */
export async function startQueryServer(options: QueryServerOptions): Promise<QueryServer> {
  const { port, host = '127.0.0.1', certificate, key, clientAuthority, logger } = options
  const server = createServer(
    {
      cert: certificate,
      key,
      minVersion: 'TLSv1.2',
      // Whoever has no certificate may have a token.
      ...(clientAuthority === undefined ? {} : { ca: clientAuthority, requestCert: true, rejectUnauthorized: false }),
    },
    (request, response) => {
      answer(request, response, options).catch(error => {
        logger.warn({ err: error, path: pathOf(request) }, 'a query could not be answered')
        refuse(response, 503, 'Cannot answer: the API could not be asked who may ask')
      })
    },
  )
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(new Error(`Cannot serve queries on ${host}:${port}: ${error.message}`)))
    server.listen(port, host, () => resolve())
  })
  const address = server.address() as AddressInfo
  return {
    url: `https://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, options: QueryServerOptions): Promise<void> {
  request.resume()
  const path = pathOf(request)
  if (request.method !== 'GET') return refuse(response, 405, 'Cannot answer: only GET is served')
  const access = await accessOf(request, path, options.client)
  if (access !== 'Allowed') return refuse(response, access.status, access.message)
  const route = options.routes.find(each => each.path === path)
  if (route === undefined) {
    return refuse(
      response,
      404,
      `Cannot answer ${path}: served are ${options.routes.map(each => each.path).join(', ')}`,
    )
  }
  const query = new URLSearchParams((request.url ?? '').split('?', 2)[1] ?? '')
  try {
    send(response, 200, await route.answer(query, options.sources))
  } catch (error) {
    if (error instanceof QueryError) return refuse(response, error.status, error.message)
    options.logger.error({ err: error, path }, 'a query could not be answered')
    refuse(response, 500, `Cannot answer ${path}: the controllers met an error of their own, and logged it`)
  }
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '/'
}

/** In the form in which the Kubernetes API refuses. */
function refuse(response: ServerResponse, status: number, message: string): void {
  send(response, status, { apiVersion: 'v1', kind: 'Status', status: 'Failure', code: status, message })
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}
