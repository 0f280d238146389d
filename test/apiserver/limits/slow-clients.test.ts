/** Clients that are slow on purpose, against a served API whose patience runs a hundred times as fast. */

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectHTTP2 } from 'node:http2'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect, type TLSSocket } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import type { LimitOptions } from '../../../apiserver/limits/request-limits.ts'
import type { RunningServer } from '../../../apiserver/serving/serve.ts'
import { realEnvironment } from '../../../cli/environment.ts'
import type { Environment } from '../../../crds/environment.ts'
import { until } from '../../until.ts'
import { serveForTest } from '../core/serving.ts'

type Served = RunningServer & { readonly home: string }

const { clock, random } = realEnvironment()
const impatient: Environment = {
  clock: { ...clock, after: (milliseconds, action) => clock.after(milliseconds / 100, action) },
  random,
}

function serveImpatiently(t: ExecutionContext, limits: LimitOptions = {}): Promise<Served> {
  return serveForTest(t, () => ({ environment: impatient, limits }))
}

function caOf({ home }: Served): Buffer {
  return readFileSync(join(home, 'pki', 'ca.crt'))
}

function tokenOf({ home }: Served): string {
  return readFileSync(join(home, 'pki', 'token'), 'utf8').trim()
}

/** A connection of HTTP/1.1 on which the test writes by itself. */
function dial(t: ExecutionContext, server: Served): TLSSocket {
  const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1', ca: caOf(server) })
  socket.on('error', () => undefined)
  t.teardown(() => void socket.destroy())
  return socket
}

function head(server: Served, line: string, ...headers: readonly string[]): string {
  const all = [line, 'host: x', `authorization: Bearer ${tokenOf(server)}`, ...headers]
  return `${all.join('\r\n')}\r\n\r\n`
}

const configMaps = '/api/v1/namespaces/default/configmaps'

test('a body that trickles is answered with 408', async t => {
  const server = await serveImpatiently(t)
  const socket = dial(t, server)
  socket.write(head(server, `POST ${configMaps} HTTP/1.1`, 'content-type: application/json', 'content-length: 1000'))
  socket.write('{')
  t.regex(await text(socket), /^HTTP\/1\.1 408 .*"reason":"Timeout"/s)
})

test('a head that is over-large ends its connection, with 431 where the client still listens', async t => {
  const server = await serveImpatiently(t)
  const socket = dial(t, server)
  socket.write(head(server, 'GET /version HTTP/1.1', `x-long: ${'x'.repeat(70_000)}`))
  t.regex(await text(socket), /^(HTTP\/1\.1 431 .*)?$/s)
  const other = dial(t, server)
  other.write(head(server, 'GET /healthz HTTP/1.1', 'connection: close'))
  t.regex(await text(other), /^HTTP\/1\.1 200 /)
})

test('a connection of HTTP/2 on which nothing is asked is closed', async t => {
  const server = await serveImpatiently(t)
  const session = connectHTTP2(server.url, { ca: caOf(server) })
  session.on('error', () => undefined)
  t.teardown(() => session.destroy())
  await once(session, 'connect')
  t.false(session.closed)
  await once(session, 'close')
  t.true(session.destroyed)
})

test('a connection of HTTP/2 on which nothing is asked any more is closed; one with a watch is not', async t => {
  const server = await serveImpatiently(t)
  const headers = { authorization: `Bearer ${tokenOf(server)}` }
  const open = async (path: string) => {
    const session = connectHTTP2(server.url, { ca: caOf(server) })
    session.on('error', () => undefined)
    t.teardown(() => session.destroy())
    const [answer] = await once(session.request({ ':path': path, ...headers }).resume(), 'response')
    t.is(answer[':status'], 200)
    return session
  }
  const watching = await open(`${configMaps}?watch=true`)
  await once(await open('/version'), 'close')
  t.false(watching.closed)
})

test('a watch that is not read is ended, and costs the others nothing', async t => {
  const server = await serveImpatiently(t)
  const socket = dial(t, server)
  socket.write(head(server, `GET ${configMaps}?watch=true HTTP/1.1`))
  await once(socket, 'data')
  socket.pause()
  const closed = once(socket, 'close')
  const before = process.memoryUsage().rss
  const large = 'x'.repeat(500_000)
  for (let count = 0; count < 60; count++) {
    const body = Buffer.from(JSON.stringify({ metadata: { name: `a${count}` }, data: { large } }))
    const headers = { 'content-type': 'application/json' }
    t.is((await server.handle({ method: 'POST', path: configMaps, headers, body })).status, 201)
  }
  const figures = async () => String((await server.handle({ method: 'GET', path: '/metrics', headers: {} })).body)
  await until('the end of the watch', async () => /^apiserver_registered_watchers 0$/m.test(await figures()))
  t.true((process.memoryUsage().rss - before) / 1024 / 1024 < 500)
  socket.destroy()
  await closed
})

test('a watch too many is answered with 429 and when to try again', async t => {
  const server = await serveImpatiently(t, { maxWatches: 1 })
  const [first, second] = [dial(t, server), dial(t, server)]
  first.write(head(server, `GET ${configMaps}?watch=true HTTP/1.1`))
  await once(first, 'data')
  second.write(head(server, `GET ${configMaps}?watch=true HTTP/1.1`, 'connection: close'))
  const answer = await text(second)
  t.regex(answer, /^HTTP\/1\.1 429 /)
  t.regex(answer, /retry-after: 1\r\n/)
  t.regex(answer, /"reason":"TooManyRequests"/)
})
