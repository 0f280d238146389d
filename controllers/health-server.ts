import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Metrics } from './metrics.ts'

/** A check: undefined when all is well, else what is wrong, in words without secrets. */
export type Check = () => string | undefined | Promise<string | undefined>

/** Options of the health server. */
export interface HealthServerOptions {
  /** 0 takes any free port. */
  readonly port: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Whether the process works, by name: a failure asks for a restart. */
  readonly health?: Readonly<Record<string, Check>>
  /** Whether it is fit for service, by name. */
  readonly readiness?: Readonly<Record<string, Check>>
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>
}

/** A running health server. */
export interface HealthServer {
  readonly port: number
  /** `http://host:port`. */
  readonly url: string
  close(): Promise<void>
}

/** Serves `/healthz`, `/readyz` (200 or 503 with a line per check) and `/metrics`. Rejects where the port is taken. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { port, host = '127.0.0.1', health = {}, readiness = {}, metrics } = options

  async function answer(path: string, response: ServerResponse): Promise<void> {
    if (path === '/healthz') return tell(response, await run(health))
    if (path === '/readyz') return tell(response, await run(readiness))
    if (path !== '/metrics') return send(response, 404, 'text/plain; charset=utf-8', 'not found\n')
    send(response, 200, metrics.contentType, await metrics.text())
  }

  const server = createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      send(response, 405, 'text/plain; charset=utf-8', 'only GET is served\n')
      return
    }
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    answer(path, response).catch(error => {
      send(response, 500, 'text/plain; charset=utf-8', `Cannot answer ${path}: ${messageOf(error)}\n`)
    })
  })
  await listen(server, port, host)
  const address = server.address() as AddressInfo
  return {
    port: address.port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', error => reject(listenError(error, port, host)))
    server.listen(port, host, () => resolve())
  })
}

function listenError(error: Error, port: number, host: string): Error {
  const code = 'code' in error ? error.code : undefined
  const states: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the port is taken by another program',
    EACCES: 'the port is reserved for root',
    EADDRNOTAVAIL: 'this machine has no such address',
  }
  const state = states[String(code)] ?? error.message
  return new Error(`Cannot serve metrics and health on ${host}:${port}: ${state}`, { cause: error })
}

interface Finding {
  readonly name: string
  readonly problem: string | undefined
}

async function run(checks: Readonly<Record<string, Check>>): Promise<readonly Finding[]> {
  return Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      try {
        return { name, problem: await check() }
      } catch (error) {
        return { name, problem: messageOf(error) }
      }
    }),
  )
}

function tell(response: ServerResponse, findings: readonly Finding[]): void {
  const failed = findings.some(({ problem }) => problem !== undefined)
  const lines = findings.map(({ name, problem }) =>
    problem === undefined ? `[+]${name} ok` : `[-]${name}: ${problem}`,
  )
  const body = failed || lines.length > 0 ? `${lines.join('\n')}\n${failed ? 'failed' : 'ok'}\n` : 'ok\n'
  send(response, failed ? 503 : 200, 'text/plain; charset=utf-8', body)
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  if (response.headersSent) return
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
