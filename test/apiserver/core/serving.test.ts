import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { connect as connectHTTP2 } from 'node:http2'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect } from 'node:tls'
import { Worker } from 'node:worker_threads'
import { KubeConfig } from '@kubernetes/client-node'
import test from 'ava'
import { createAuthority, issueClient, issueServer } from '../../../apiserver/serving/certificates.ts'
import type { RunningServer } from '../../../apiserver/serving/serve.ts'
import { serve } from '../../../apiserver/serving/serve.ts'
import { realEnvironment } from '../../../cli/environment.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { serveForTest } from './serving.ts'

interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface Asked {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
  readonly cert?: string
  readonly key?: string
}

function authorityOf(server: { home: string }): string {
  return readFileSync(join(server.home, 'pki', 'ca.crt'), 'utf8')
}

function ask(server: RunningServer & { home: string }, path: string, asked: Asked = {}): Promise<Reply> {
  const { method = 'GET', headers = {}, body, cert, key } = asked
  const agent = new Agent({ ca: authorityOf(server), ...(cert && { cert }), ...(key && { key }) })
  return new Promise((resolve, reject) => {
    const call = request(`${server.url}${path}`, { method, headers, agent }, async response => {
      const reply = { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) }
      agent.destroy()
      resolve(reply)
    })
    call.on('error', reject)
    call.end(body)
  })
}

function credentialsOf(server: RunningServer): { cert: string; key: string; token: string } {
  const users = JSON.parse(readFileSync(server.kubeconfigPath, 'utf8')).users
  const plain = (base64: string) => Buffer.from(base64, 'base64').toString()
  const { 'client-certificate-data': cert, 'client-key-data': key } = users[0].user
  return { cert: plain(cert), key: plain(key), token: users[1].user.token }
}

test('the kubeconfig leads in by certificate and by token', async t => {
  const server = await serveForTest(t)
  const { cert, key, token } = credentialsOf(server)
  t.is((await ask(server, '/version', { cert, key })).status, 200)
  t.is((await ask(server, '/version', { headers: { authorization: `Bearer ${token}` } })).status, 200)
  const review = '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
  const { body } = await ask(server, path, { method: 'POST', cert, key, body: review })
  t.like(JSON.parse(body).status.userInfo, {
    username: 'skystead-admin',
    groups: ['system:masters', 'system:authenticated'],
  })
})

test('strangers are refused: no credentials, a wrong token, a certificate of another authority', async t => {
  const server = await serveForTest(t)
  const anonymous = await ask(server, '/api/v1/namespaces')
  t.is(anonymous.status, 401)
  t.like(JSON.parse(anonymous.body), { kind: 'Status', reason: 'Unauthorized', code: 401 })
  t.is((await ask(server, '/version', { headers: { authorization: 'Bearer wrong' } })).status, 401)
  t.is((await ask(server, '/version', { headers: { authorization: 'Basic eDp5' } })).status, 401)
  const other = issueClient(
    createAuthority(realEnvironment()),
    { name: 'x', groups: ['system:masters'] },
    realEnvironment(),
  )
  t.is((await ask(server, '/version', { cert: other.certificate, key: other.key })).status, 401)
})

test('secrets on disk are readable by their owner only', async t => {
  const { home, kubeconfigPath } = await serveForTest(t)
  const files = [
    kubeconfigPath,
    ...['ca.key', 'ca.crt', 'token'].map(name => join(home, 'pki', name)),
    join(home, 'objects.db'),
  ]
  for (const path of files) t.is(statSync(path).mode & 0o077, 0, path)
})

test('a body beyond the limit is refused with 413, announced or not', async t => {
  const server = await serveForTest(t)
  const { cert, key } = credentialsOf(server)
  const body = Buffer.alloc(3 * 1024 * 1024 + 1, 0x20)
  const path = '/api/v1/namespaces/default/configmaps'
  const headers = { 'content-type': 'application/json' }
  const announced = await ask(server, path, { method: 'POST', cert, key, headers, body })
  t.is(announced.status, 413)
  const chunked = { ...headers, 'transfer-encoding': 'chunked' }
  t.is((await ask(server, path, { method: 'POST', cert, key, headers: chunked, body })).status, 413)
  t.is((await ask(server, '/healthz', { cert, key })).status, 200)
})

test('garbage on the port harms nobody', async t => {
  const server = await serveForTest(t)
  const { cert, key } = credentialsOf(server)
  const socket = connect({
    port: Number(new URL(server.url).port),
    host: '127.0.0.1',
    ca: authorityOf(server),
    cert,
    key,
  })
  socket.write('NOT HTTP AT ALL\r\n\r\n')
  t.true((await text(socket)).startsWith('HTTP/1.1 400'))
  t.is((await ask(server, '/healthz', { cert, key })).status, 200)
})

test('a taken port is refused with one clear line, and leaves the home free', async t => {
  const first = await serveForTest(t)
  const second = await serveForTest(t)
  const home = join(second.home, 'inner')
  const port = Number(new URL(first.url).port)
  await t.throwsAsync(serve({ home, port, environment: realEnvironment() }), {
    message: `Cannot listen on 127.0.0.1:${port}: the port is in use`,
  })
  const third = await serve({ home, environment: realEnvironment() })
  await third.close()
})

test('a home in use is refused with one clear line', async t => {
  const { home } = await serveForTest(t)
  await t.throwsAsync(serve({ home, environment: realEnvironment() }), { message: /another process is using it/ })
})

test('old kubeconfigs keep working after a restart', async t => {
  const server = await serveForTest(t)
  const { cert, key, token } = credentialsOf(server)
  await server.close()
  const again = { ...(await serve({ home: server.home, environment: realEnvironment() })), home: server.home }
  t.is((await ask(again, '/version', { cert, key })).status, 200)
  t.is((await ask(again, '/version', { headers: { authorization: `Bearer ${token}` } })).status, 200)
  await again.close()
})

test('the published client reads, writes and watches with the kubeconfig', async t => {
  const server = await serveForTest(t)
  const config = new KubeConfig()
  config.loadFromFile(server.kubeconfigPath)
  const { CoreV1Api, Watch } = await import('@kubernetes/client-node')
  const api = config.makeApiClient(CoreV1Api)
  const seen: string[] = []
  const arrived = Promise.withResolvers<void>()
  const watching = await new Watch(config).watch(
    '/api/v1/namespaces/default/configmaps',
    {},
    (type, { metadata }) => {
      seen.push(`${type} ${metadata.name}`)
      if (type === 'DELETED') arrived.resolve()
    },
    () => arrived.resolve(),
  )
  await api.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'a' }, data: { x: '1' } } })
  t.deepEqual((await api.readNamespacedConfigMap({ namespace: 'default', name: 'a' })).data, { x: '1' })
  await api.deleteNamespacedConfigMap({ namespace: 'default', name: 'a' })
  await arrived.promise
  watching.abort()
  t.deepEqual(seen, ['ADDED a', 'DELETED a'])
})

test('the server runs in a worker', async t => {
  const { home } = await serveForTest(t)
  const worker = new Worker(new URL('serving-worker.ts', import.meta.url), {
    workerData: { home: join(home, 'inner') },
  })
  t.teardown(async () => {
    await worker.terminate()
  })
  const url = await new Promise(resolve => worker.once('message', resolve))
  t.regex(String(url), /^https:\/\/127\.0\.0\.1:\d+$/)
})

test('a certificate that ends while its connection is open lets nobody in any more', async t => {
  const { clock, random } = realEnvironment()
  let later = 0
  const server = await serveForTest(t, () => ({
    environment: { random, clock: { ...clock, now: () => clock.now() + later } },
  }))
  const { cert, key } = credentialsOf(server)
  const session = connectHTTP2(server.url, { ca: authorityOf(server), cert, key })
  t.teardown(() => session.destroy())
  const statusOf = async () => {
    const [headers] = await once(session.request({ ':path': '/version' }).resume(), 'response')
    return headers[':status']
  }
  t.is(await statusOf(), 200)
  later = 731 * 86_400_000
  t.is(await statusOf(), 401)
})

test('certificates name hosts, addresses and groups, and last as long as they say', t => {
  const environment = virtualEnvironment()
  const authority = createAuthority(environment)
  const root = new X509Certificate(authority.certificate)
  t.true(root.ca)
  t.true(root.verify(root.publicKey))
  const server = new X509Certificate(
    issueServer(authority, ['localhost', '127.0.0.1', '::1', 'fe80::12:1'], environment).certificate,
  )
  t.true(server.verify(root.publicKey))
  t.true(server.checkIssued(root))
  t.is(server.checkHost('localhost'), 'localhost')
  for (const address of ['127.0.0.1', '::1', 'fe80::12:1']) t.is(server.checkIP(address), address)
  t.is(server.validFromDate.toISOString(), '2025-12-31T23:00:00.000Z')
  t.is(root.validToDate.toISOString(), '2035-12-30T00:00:00.000Z')
  const client = new X509Certificate(
    issueClient(authority, { name: 'a', groups: ['g1', 'g2'] }, environment).certificate,
  )
  t.is(client.subject, 'O=g1\nO=g2\nCN=a')
  t.deepEqual(client.keyUsage, ['1.3.6.1.5.5.7.3.2'])
})
