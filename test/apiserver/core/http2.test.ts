import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { bodyLimit } from '../../../apiserver/request/body.ts'
import { serveForTest } from './serving.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'

/** One connection of HTTP/2 to a server of its own, by token. */
async function connection(t: ExecutionContext) {
  const server = await serveForTest(t)
  const { token } = JSON.parse(readFileSync(server.kubeconfigPath, 'utf8')).users[1].user
  const session = connect(server.url, { ca: readFileSync(join(server.home, 'pki', 'ca.crt')) })
  await once(session, 'connect')
  t.teardown(() => session.destroy())
  return { session, authorization: `Bearer ${token}` }
}

function open(session: ClientHttp2Session, headers: Record<string, string>, body?: string | Buffer) {
  const stream = session.request({ 'content-type': 'application/json', ...headers })
  stream.end(body)
  return stream
}

async function answerOf(stream: ClientHttp2Stream) {
  const [headers] = await once(stream, 'response')
  return { status: headers[':status'], body: await text(stream) }
}

test('over HTTP/2 one connection carries many watches, and requests beside them', async t => {
  const { session, authorization } = await connection(t)
  t.is(session.alpnProtocol, 'h2')
  const watches = Array.from({ length: 300 }, () =>
    open(session, { ':path': `${configMaps}?watch=true&resourceVersion=0`, authorization }),
  )
  await Promise.all(watches.map(watch => once(watch, 'response')))
  const told = watches.map(async watch => JSON.parse((await once(createInterface(watch), 'line'))[0]))
  const body = JSON.stringify({ metadata: { name: 'a' }, data: { x: '1' } })
  const created = await answerOf(open(session, { ':method': 'POST', ':path': configMaps, authorization }, body))
  t.is(created.status, 201)
  const object = JSON.parse(created.body)
  for (const event of await Promise.all(told)) t.deepEqual(event, { type: 'ADDED', object })
})

test('over HTTP/2 strangers and bodies beyond the limit are refused, and the connection lives on', async t => {
  const { session, authorization } = await connection(t)
  t.is((await answerOf(open(session, { ':path': configMaps }))).status, 401)
  const large = open(session, { ':method': 'POST', ':path': configMaps, authorization }, Buffer.alloc(bodyLimit + 1))
  t.is((await answerOf(large)).status, 413)
  t.is((await answerOf(open(session, { ':path': '/healthz', authorization }))).body, 'ok')
})

test('over HTTP/2 an answer to HEAD has its length and no body', async t => {
  const { session, authorization } = await connection(t)
  const stream = open(session, { ':method': 'HEAD', ':path': '/healthz', authorization })
  const [headers] = await once(stream, 'response')
  t.is(headers['content-length'], '2')
  t.is(await text(stream), '')
})
