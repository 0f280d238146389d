import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { createAuthority, issueClient, issueServer } from '../../../apiserver/serving/certificates.ts'
import type { Environment } from '../../../crds/environment.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'

/** A certificate with its key, as PEM. */
export interface Pair {
  readonly certificate: string
  readonly key: string
}

/** An authority that signs. */
export interface Authority {
  readonly certificate: string
  /** For a client of that name. */
  client(name: string): Pair
  /** For a server on the loopback. */
  server(): Pair
}

/** Makes an authority of the test's own, valid from now: TLS looks at the real time. */
export function makeAuthority(seed: number): Authority {
  const { clock, random } = virtualEnvironment(seed)
  const environment: Environment = { clock: { ...clock, now: () => Date.now() }, random }
  const authority = createAuthority(environment)
  return {
    certificate: authority.certificate,
    client: name => issueClient(authority, { name }, environment),
    server: () => issueServer(authority, ['127.0.0.1'], environment),
  }
}

/** A request as the cluster saw it. */
export interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  /** The name in the client's certificate. */
  readonly client: string | undefined
  readonly body: string
}

/** A TLS server that stands for a cluster. */
export interface Cluster {
  readonly url: string
  readonly seen: Seen[]
  /** How many TLS connections were made. */
  connections(): number
  close(): Promise<void>
}

/** Starts a cluster that answers as told; what the answer leaves open is a watch. */
export async function startCluster(
  authority: Authority,
  answer: (response: ServerResponse, seen: Seen, request: IncomingMessage) => void,
): Promise<Cluster> {
  const { certificate, key } = authority.server()
  const seen: Seen[] = []
  let connections = 0
  const server: Server = createServer(
    { cert: certificate, key, ca: authority.certificate, requestCert: true, rejectUnauthorized: false },
    async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      const { method, url, headers } = request
      const peer = (request.socket as TLSSocket).getPeerCertificate()
      const one: Seen = {
        method,
        url,
        authorization: headers.authorization,
        contentType: headers['content-type'],
        client: peer.subject?.CN as string | undefined,
        body,
      }
      seen.push(one)
      answer(response, one, request)
    },
  )
  server.on('secureConnection', () => {
    connections++
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as AddressInfo
  return {
    url: `https://127.0.0.1:${port}`,
    seen,
    connections: () => connections,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A kubeconfig as text. */
export function kubeconfigText(options: {
  readonly server: string
  readonly authority?: string
  readonly user?: Readonly<Record<string, unknown>>
}): string {
  const authority = options.authority === undefined ? {} : { 'certificate-authority-data': base64(options.authority) }
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: options.server, ...authority } }],
    users: [{ name: 'u', user: options.user ?? {} }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })
}

/** Text in base64. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
