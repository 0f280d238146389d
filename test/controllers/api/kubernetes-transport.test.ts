import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { ApiError } from '../../../controllers/api/api-error.ts'
import { kubernetesTransport } from '../../../controllers/api/kubernetes-transport.ts'
import type { Transport } from '../../../controllers/api/transport.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import {
  type Authority,
  base64,
  type Cluster,
  kubeconfigText,
  makeAuthority,
  type Seen,
  startCluster,
} from './tls-cluster.ts'

const directory = await mkdtemp(join(tmpdir(), 'skystead-transport-'))
const authority = makeAuthority(1)
test.after.always(() => rm(directory, { recursive: true, force: true }))

let files = 0
async function written(text: string): Promise<string> {
  const path = join(directory, `kubeconfig-${++files}`)
  await writeFile(path, text)
  return path
}

interface Connected {
  readonly transport: Transport
  readonly cluster: Cluster
  readonly advance: (milliseconds: number) => Promise<void>
}

async function connected(
  t: ExecutionContext,
  answer: (response: ServerResponse, seen: Seen) => void,
  options: { readonly user?: Record<string, unknown>; readonly silence?: number; readonly trusted?: Authority } = {},
): Promise<Connected> {
  const cluster = await startCluster(authority, answer)
  const { clock, advance } = virtualEnvironment()
  const { user, silence, trusted = authority } = options
  const path = await written(
    kubeconfigText({ server: `${cluster.url}/`, authority: trusted.certificate, ...(user !== undefined && { user }) }),
  )
  const transport = kubernetesTransport({
    kubeconfig: path,
    environment: { clock },
    ...(silence !== undefined && { silence }),
  })
  t.teardown(async () => {
    await transport.close()
    await cluster.close()
  })
  return { transport, cluster, advance }
}

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function text(body: Uint8Array): string {
  return Buffer.from(body).toString('utf8')
}

test('requests go over kept connections with the client certificate of the kubeconfig', async t => {
  const { certificate, key } = authority.client('skystead')
  const user = { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) }
  const { transport, cluster } = await connected(t, (response, seen) => json(response, { url: seen.url }), { user })
  for (let count = 0; count < 20; count++)
    await transport.request({ method: 'GET', path: `/api/v1/things?limit=${count}` })
  const patched = await transport.request({
    method: 'PATCH',
    path: '/api/v1/things/ä',
    body: '{"ä":1}',
    contentType: 'application/merge-patch+json',
  })
  t.is(patched.status, 200)
  t.is(patched.headers['content-type'], 'application/json')
  t.is(text(patched.body), '{"url":"/api/v1/things/%C3%A4"}')
  t.like(cluster.seen.at(-1), {
    method: 'PATCH',
    contentType: 'application/merge-patch+json',
    client: 'skystead',
    body: '{"ä":1}',
  })
  t.is(cluster.seen.length, 21)
  // A second one is made when a request comes before the first is free again.
  t.true(cluster.connections() <= 2, `${cluster.connections()} connections`)
})

test('200 requests at the same time share 32 connections at most', async t => {
  const { transport, cluster } = await connected(t, response => json(response, {}))
  const answers = await Promise.all(Array.from({ length: 200 }, () => transport.request({ method: 'GET', path: '/' })))
  t.is(answers.length, 200)
  t.true(cluster.connections() <= 32, `${cluster.connections()} connections`)
})

test('a token of the kubeconfig goes with requests and watches', async t => {
  const { transport, cluster } = await connected(
    t,
    (response, { url }) => (url?.includes('watch') ? response.writeHead(200).end() : json(response, {})),
    { user: { token: 'secret-token' } },
  )
  await transport.request({ method: 'GET', path: '/' })
  await transport.watch('/things?watch=true', { signal: new AbortController().signal, onEvent: () => undefined })
  t.deepEqual(
    cluster.seen.map(({ authorization }) => authorization),
    ['Bearer secret-token', 'Bearer secret-token'],
  )
})

test('an exec plug-in gives the token', async t => {
  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: 'from-plug-in' },
  }
  const { transport, cluster } = await connected(t, response => json(response, {}), {
    user: { exec: { apiVersion: credential.apiVersion, command: '/bin/echo', args: [JSON.stringify(credential)] } },
  })
  await transport.request({ method: 'GET', path: '/' })
  t.is(cluster.seen[0]?.authorization, 'Bearer from-plug-in')
})

test('a plug-in that fails is told without its output, which may hold a token', async t => {
  const { transport } = await connected(t, response => json(response, {}), {
    user: {
      exec: {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: '/bin/sh',
        args: ['-c', 'echo hunter2 >&2; exit 1'],
      },
    },
  })
  const error = await t.throwsAsync(transport.request({ method: 'GET', path: '/' }), { instanceOf: ApiError })
  t.is(error.reason, 'Unavailable')
  t.regex(error.message, /plug-in failed/)
  t.notRegex(`${error.message} ${error.stack} ${String(error.cause)}`, /hunter2/)
})

test('a renewed client certificate is used within ten seconds, without a restart', async t => {
  const paths = [join(directory, 'client.crt'), join(directory, 'client.key')] as const
  const renew = async (name: string) => {
    const { certificate, key } = authority.client(name)
    await writeFile(paths[0], certificate)
    await writeFile(paths[1], key)
  }
  await renew('before')
  const user = { 'client-certificate': paths[0], 'client-key': paths[1] }
  const { transport, cluster, advance } = await connected(t, response => json(response, {}), { user })
  await transport.request({ method: 'GET', path: '/1' })
  await renew('after')
  await transport.request({ method: 'GET', path: '/2' })
  await advance(10_000)
  await transport.request({ method: 'GET', path: '/3' })
  await transport.request({ method: 'GET', path: '/4' })
  t.deepEqual(
    cluster.seen.map(({ client }) => client),
    ['before', 'before', 'after', 'after'],
  )
})

test('a request refused for its credentials is tried once more with fresh ones', async t => {
  let refusals = 1
  const { transport, cluster } = await connected(t, response => {
    if (refusals-- > 0) return json(response, {}, 401)
    json(response, {})
  })
  t.is((await transport.request({ method: 'POST', path: '/', body: '{}' })).status, 200)
  refusals = 2
  t.is((await transport.request({ method: 'GET', path: '/' })).status, 401)
  t.is(cluster.seen.length, 4)
})

test('a reading request whose connection breaks is sent once more, a writing one is Unavailable', async t => {
  let breaks = 1
  const { transport, cluster } = await connected(t, response => {
    if (breaks-- > 0) return response.destroy()
    json(response, {})
  })
  t.is((await transport.request({ method: 'GET', path: '/' })).status, 200)
  breaks = 1
  await t.throwsAsync(transport.request({ method: 'POST', path: '/secret?x=1', body: '{}' }), {
    name: 'ApiError',
    message: /^Cannot reach the API for \/secret: /,
  })
  t.is(cluster.seen.length, 3)
})

test('a cluster that is not there, or not the one of the kubeconfig, is Unavailable and says why', async t => {
  const gone = await connected(t, response => json(response, {}))
  await gone.cluster.close()
  const refused = await t.throwsAsync(gone.transport.request({ method: 'GET', path: '/' }), { instanceOf: ApiError })
  t.is(refused.reason, 'Unavailable')
  t.regex(refused.message, /ECONNREFUSED/)

  const other = await connected(t, response => json(response, {}), { trusted: makeAuthority(2) })
  const untrusted = await t.throwsAsync(other.transport.request({ method: 'GET', path: '/' }), { instanceOf: ApiError })
  t.regex(untrusted.message, /certificate|signature/i)
  t.is(other.cluster.seen.length, 0)
})

test('an aborted request rejects with its reason, a closed transport answers no more', async t => {
  const { transport } = await connected(t, () => undefined)
  const controller = new AbortController()
  const request = transport.request({ method: 'GET', path: '/', signal: controller.signal })
  controller.abort(new Error('no longer needed'))
  await t.throwsAsync(request, { message: 'no longer needed' })
  const pending = transport.request({ method: 'GET', path: '/' })
  await transport.close()
  await t.throwsAsync(pending, { name: 'ApiError' })
})

test('a watch tells events as they come, resolves when the server closes it, and reuses connections', async t => {
  const { transport, cluster } = await connected(t, response => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('{"type":"ADDED","object":{"n":1}}\n{"type":"MODI')
    setImmediate(() => response.end('FIED","object":{"n":2}}\n'))
  })
  const events: unknown[] = []
  const options = {
    signal: new AbortController().signal,
    onEvent: (type: string, object: unknown) => events.push([type, object]),
  }
  await transport.watch('/things?watch=true&resourceVersion=5&labelSelector=a%3Db', options)
  t.deepEqual(events, [
    ['ADDED', { n: 1 }],
    ['MODIFIED', { n: 2 }],
  ])
  for (let count = 0; count < 9; count++) await transport.watch('/things?watch=true', options)
  const query = new URL(cluster.seen[0]?.url ?? '', cluster.url).searchParams
  t.deepEqual(Object.fromEntries(query), { watch: 'true', resourceVersion: '5', labelSelector: 'a=b' })
  t.true(cluster.connections() <= 2, `${cluster.connections()} connections`)
})

test('a watch that is refused, or whose connection breaks, rejects with the reason', async t => {
  const { transport } = await connected(t, (response, { url }) => {
    if (url?.startsWith('/gone')) return json(response, { reason: 'Expired' }, 410)
    response.writeHead(200)
    response.write('{"type":"ADDED","object":{}}\n')
    setImmediate(() => response.destroy())
  })
  const options = { signal: new AbortController().signal, onEvent: () => undefined }
  const refused = await t.throwsAsync(transport.watch('/gone?watch=true', options), { instanceOf: ApiError })
  t.is(refused.reason, 'Expired')
  const broken = await t.throwsAsync(transport.watch('/things?watch=true', options), { instanceOf: ApiError })
  t.is(broken.reason, 'Unavailable')
})

test('a watch on which nothing comes is Silent', async t => {
  const { transport } = await connected(
    t,
    response => {
      response.writeHead(200)
      response.flushHeaders()
    },
    { silence: 50 },
  )
  const error = await t.throwsAsync(
    transport.watch('/things?watch=true', { signal: new AbortController().signal, onEvent: () => undefined }),
    { instanceOf: ApiError },
  )
  t.is(error.reason, 'Silent')
})

test('an aborted watch resolves, tells nothing more, and is closed on the server', async t => {
  const closed = Promise.withResolvers<void>()
  const { transport } = await connected(t, response => {
    response.on('close', () => closed.resolve())
    response.writeHead(200)
    response.write('{"type":"ADDED","object":{}}\n')
  })
  const controller = new AbortController()
  const events: unknown[] = []
  await transport.watch('/things?watch=true', {
    signal: controller.signal,
    onEvent: (...event) => {
      events.push(event)
      controller.abort()
    },
  })
  await closed.promise
  t.is(events.length, 1)
})

test('a watcher that throws ends its watch with that error: no event is lost in silence', async t => {
  const { transport } = await connected(t, response => {
    response.writeHead(200)
    response.write('{"type":"ADDED","object":{}}\n')
  })
  await t.throwsAsync(
    transport.watch('/things?watch=true', {
      signal: new AbortController().signal,
      onEvent: () => {
        throw new Error('no room')
      },
    }),
    { message: 'no room' },
  )
})

const { clock } = virtualEnvironment()
const base = { apiVersion: 'v1', kind: 'Config' }
for (const [what, content, message] of [
  ['is no YAML', 'users: [{token: hunter2', /it is not a kubeconfig in YAML or JSON$/],
  ['is something else', '"hunter2"', /Cannot use kubeconfig/],
  ['is empty', '', /Cannot use kubeconfig/],
  [
    'has no current context',
    JSON.stringify({ ...base, clusters: [], contexts: [], users: [] }),
    /it names no current-context$/,
  ],
  [
    'names a context that is missing',
    JSON.stringify({ ...base, clusters: [], contexts: [], users: [], 'current-context': 'x' }),
    /its current-context x is not among its contexts$/,
  ],
  ['has a server that is no URL', kubeconfigText({ server: 'nowhere' }), /the server of its cluster c is no URL$/],
] as const) {
  test(`a kubeconfig that ${what} is refused in one line that quotes nothing of it`, async t => {
    const path = await written(content)
    const error = t.throws(() => kubernetesTransport({ kubeconfig: path, environment: { clock } }))
    t.regex(error.message, message)
    t.true(error.message.startsWith(`Cannot use kubeconfig ${path}`))
    t.notRegex(error.message, /hunter2|\n/)
  })
}

test('a kubeconfig that is not there is refused in one line', t => {
  t.throws(() => kubernetesTransport({ kubeconfig: '/nowhere/kubeconfig', environment: { clock } }), {
    message: 'Cannot read kubeconfig /nowhere/kubeconfig: there is no such file',
  })
})
