import { readFileSync, statSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { defaultAuditPolicy } from '../../../apiserver/audit/default-policy.ts'
import type { RunningServer } from '../../../apiserver/serving/serve.ts'
import { serveForTest } from '../core/serving.ts'

type Served = RunningServer & { readonly home: string }

const keeping = { maxSize: 1_000_000, maxAge: 0, maxBackups: 3 }

function ask(server: Served, method: string, path: string, { token = '', body = '' } = {}): Promise<string> {
  const ca = readFileSync(join(server.home, 'pki', 'ca.crt'))
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': body.length,
  }
  return new Promise((resolve, reject) => {
    const call = request(`${server.url}${path}`, { method, ca, headers }, response => resolve(text(response)))
    call.on('error', reject)
    call.end(body)
  })
}

test('by itself the log tells who wrote what over the network, and not what this process does', async t => {
  const server = await serveForTest(t, home => ({
    audit: { ...keeping, policy: defaultAuditPolicy, path: join(home, 'audit.log') },
  }))
  const token = readFileSync(join(server.home, 'pki', 'token'), 'utf8').trim()
  const configMaps = '/api/v1/namespaces/default/configmaps'
  const body = JSON.stringify({ metadata: { name: 'a' }, data: { x: 'kept to itself' } })
  await ask(server, 'POST', configMaps, { token, body })
  await ask(server, 'GET', configMaps, { token })
  await ask(server, 'DELETE', `${configMaps}/a`, { token: 'guessed' })
  await server.handle({ method: 'DELETE', path: `${configMaps}/a`, headers: {} })
  t.regex(await ask(server, 'GET', '/metrics', { token }), /^apiserver_audit_event_total 2$/m)
  await server.close()
  const path = join(server.home, 'audit.log')
  t.is(statSync(path).mode & 0o777, 0o600)
  const log = readFileSync(path, 'utf8')
  for (const secret of ['kept to itself', 'guessed', token]) t.false(log.includes(secret))
  const [created, refused, ...rest] = log
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  t.deepEqual(rest, [])
  t.like(created, {
    level: 'Metadata',
    verb: 'create',
    user: { username: 'skystead-admin' },
    sourceIPs: ['127.0.0.1'],
    objectRef: { resource: 'configmaps', namespace: 'default', name: 'a' },
    responseStatus: { code: 201 },
  })
  t.like(refused, { verb: 'delete', user: {}, responseStatus: { code: 401 } })
})
