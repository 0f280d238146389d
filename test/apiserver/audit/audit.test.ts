import test from 'ava'
import { unauthorized } from '../../../apiserver/status-error.ts'
import { configMap, configMaps, startWatch, thing, things } from '../core/harness.ts'
import { startAudited } from './harness.ts'

const bob = { name: 'bob', groups: ['system:authenticated'] }
const admin = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }
const json = { 'content-type': 'application/json', 'user-agent': 'curl/7.88.1' }

test('a creation is told as a real server tells it', async t => {
  const { server, told } = await startAudited()
  const body = Buffer.from(JSON.stringify(configMap('a', { x: '1' })))
  const path = `${configMaps}?fieldManager=m`
  const answer = await server.handle({ method: 'POST', path, headers: json, body, user: admin, address: '127.0.0.1' })
  const [received, complete, ...rest] = told()
  t.deepEqual(rest, [])
  const { auditID, stageTimestamp, ...same } = received
  t.deepEqual(same, {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'RequestResponse',
    stage: 'RequestReceived',
    requestURI: path,
    verb: 'create',
    user: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
    sourceIPs: ['127.0.0.1'],
    userAgent: 'curl/7.88.1',
    objectRef: { resource: 'configmaps', namespace: 'default', apiVersion: 'v1' },
    requestReceivedTimestamp: stageTimestamp,
  })
  t.regex(stageTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  t.is(answer.headers['audit-id'], auditID)
  t.like(complete, {
    auditID,
    stage: 'ResponseComplete',
    objectRef: { resource: 'configmaps', namespace: 'default', name: 'a', apiVersion: 'v1' },
    responseStatus: { metadata: {}, code: 201 },
    requestObject: configMap('a', { x: '1' }),
    annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
  })
  t.deepEqual(complete.responseObject, JSON.parse(String(answer.body)))
})

test('levels add what was sent, and what was answered', async t => {
  const { call, told } = await startAudited(
    `- {level: None, resources: [{group: '', resources: [configmaps]}], verbs: [get]}
- {level: Metadata, resources: [{group: '', resources: [configmaps]}]}
- {level: Request}`,
  )
  await call('POST', configMaps, configMap('a'))
  await call('GET', `${configMaps}/a`)
  await call('PATCH', `${things}/b?fieldManager=m`, thing('b'), { 'content-type': 'application/apply-patch+yaml' })
  await call('DELETE', `${things}/b`)
  const complete = told().filter(({ stage }) => stage === 'ResponseComplete')
  t.deepEqual(
    complete.map(({ verb, level, objectRef, requestObject, responseObject, responseStatus }) => [
      verb,
      level,
      objectRef.name,
      requestObject?.spec,
      responseObject,
      responseStatus.code,
    ]),
    [
      ['create', 'Metadata', 'a', undefined, undefined, 201],
      ['patch', 'Request', 'b', { size: 1 }, undefined, 201],
      ['delete', 'Request', 'b', undefined, undefined, 200],
    ],
  )
})

test('a refusal says whom it was refused to, and to whom he acted', async t => {
  const { server, told } = await startAudited('- level: Metadata')
  await server.handle({ method: 'GET', path: configMaps, headers: {}, user: bob })
  const headers = { 'impersonate-user': 'carol', 'impersonate-group': 'g' }
  await server.handle({ method: 'GET', path: configMaps, headers, user: admin })
  const [first, second] = told().filter(({ stage }) => stage === 'ResponseComplete')
  t.like(first, {
    verb: 'list',
    user: { username: 'bob' },
    impersonatedUser: undefined,
    responseStatus: { status: 'Failure', reason: 'Forbidden', code: 403, details: { kind: 'configmaps' } },
    annotations: { 'authorization.k8s.io/decision': 'forbid' },
  })
  t.like(second, {
    user: { username: 'admin' },
    impersonatedUser: { username: 'carol', groups: ['g', 'system:authenticated'] },
    annotations: { 'authorization.k8s.io/decision': 'forbid' },
  })
})

test('a right is told with the binding that gives it', async t => {
  const { post, server, told } = await startAudited('- level: Metadata')
  const access = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'
  await post(access, {
    metadata: { name: 'readers' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'bob' }],
  })
  told()
  await server.handle({ method: 'GET', path: configMaps, headers: {}, user: bob })
  t.like(told().at(-1).annotations, {
    'authorization.k8s.io/decision': 'allow',
    'authorization.k8s.io/reason': 'RBAC: allowed by ClusterRoleBinding "readers" of ClusterRole "view" to User "bob"',
  })
})

test('a watch is told of at its start and its end', async t => {
  const { server, told, settle } = await startAudited()
  const watch = await startWatch(server, `${configMaps}?watch=true`)
  t.deepEqual(
    told().map(({ stage, verb, responseStatus }) => [stage, verb, responseStatus?.code]),
    [
      ['RequestReceived', 'watch', undefined],
      ['ResponseStarted', 'watch', 200],
    ],
  )
  watch.stop()
  await settle()
  t.like(told()[0], { stage: 'ResponseComplete', verb: 'watch', responseStatus: { code: 200 } })
})

test('a large list, which is put together while it is sent, is told of once, when it is sent', async t => {
  const { post, call, told } = await startAudited()
  await post(configMaps, configMap('large', { x: 'x'.repeat(200_000) }))
  told()
  const { body } = await call('GET', configMaps)
  const [received, complete, ...rest] = told()
  t.deepEqual(rest, [])
  t.like(received, { stage: 'RequestReceived', verb: 'list' })
  t.like(complete, { stage: 'ResponseComplete', verb: 'list', responseStatus: { code: 200 } })
  t.deepEqual(complete.responseObject, body)
})

test('whoever is not known is told of once, without a name', async t => {
  const { server, told } = await startAudited()
  const { status } = await server.handle({ method: 'GET', path: '/api', headers: {}, refused: unauthorized() })
  t.is(status, 401)
  const [only, ...rest] = told()
  t.deepEqual(rest, [])
  t.like(only, { stage: 'ResponseStarted', user: {}, responseStatus: { reason: 'Unauthorized', code: 401 } })
})

test('a flood of strangers does not flood the log', async t => {
  const { server, told } = await startAudited()
  for (let count = 0; count < 1_000; count++) {
    await server.handle({ method: 'POST', path: '/api', headers: {}, refused: unauthorized() })
  }
  t.true(told().length <= 100)
})

test('secrets and tokens are never told, whatever the policy says', async t => {
  const { post, merge, jsonPatch, call, told } = await startAudited()
  const secret = 'c2VjcmV0LXdvcmQ='
  const secrets = '/api/v1/namespaces/default/secrets'
  const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { x: secret } }
  await post(secrets, body)
  await post(secrets, { ...body, data: { x: `!${secret}` } })
  await post(secrets, { ...body, metadata: { name: 'bad' }, stringData: { [`! ${secret}`]: secret } })
  await call('GET', `${secrets}/s`)
  await call('GET', secrets)
  await merge(`${secrets}/s`, { data: { y: secret } })
  await jsonPatch(`${secrets}/s`, [{ op: 'add', path: '/data/z', value: secret }])
  await call(
    'PATCH',
    `${secrets}/t?fieldManager=m`,
    { ...body, metadata: { name: 't' } },
    {
      'content-type': 'application/apply-patch+yaml',
    },
  )
  await call('DELETE', secrets)
  // Sent to a wrong place, it is a secret all the same.
  await post(configMaps, body)
  await post(configMaps, { apiVersion: 'v1', kind: 'List', items: [body] })
  await post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'robot' } })
  const issued = await post('/api/v1/namespaces/default/serviceaccounts/robot/token', {})
  await post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: secret } })
  const log = JSON.stringify(told())
  t.true(log.length > 10_000)
  t.false(log.includes(secret))
  t.false(log.includes(issued.body.status.token))
})

test('managed fields are left out where the policy says so, bodies that are over-large always', async t => {
  const { post, call, told } = await startAudited('- {level: RequestResponse, omitManagedFields: true}')
  await post(configMaps, configMap('a', { x: '1' }))
  const { responseObject } = told().at(-1)
  t.is(responseObject.metadata.managedFields, undefined)
  t.is(responseObject.data.x, '1')
  await post(configMaps, configMap('large', { x: 'x'.repeat(1_048_500) }))
  await call('GET', configMaps)
  for (const event of told().filter(({ stage }) => stage === 'ResponseComplete')) {
    t.false('responseObject' in event)
    t.like(event.annotations, { 'audit.k8s.io/truncated': 'true' })
  }
})

test('proxies are named before the peer, and what is no address is not', async t => {
  const { server, told } = await startAudited('- level: Metadata')
  const headers = { 'x-forwarded-for': '1.2.3.4, <script>', 'x-real-ip': '::1', 'user-agent': 'x'.repeat(2_000) }
  await server.handle({ method: 'GET', path: '/version', headers, user: admin, address: '127.0.0.1' })
  const [{ sourceIPs, userAgent, requestURI, objectRef }] = told()
  t.deepEqual(sourceIPs, ['1.2.3.4', '::1', '127.0.0.1'])
  t.is(userAgent, `${'x'.repeat(1_024)}...TRUNCATED`)
  t.is(requestURI, '/version')
  t.is(objectRef, undefined)
})

test('a client may name its request', async t => {
  const { call, told } = await startAudited('- level: Metadata')
  const { headers } = await call('GET', '/version', undefined, { 'audit-id': 'mine' })
  t.is(headers['audit-id'], 'mine')
  t.is(told()[0].auditID, 'mine')
  await call('GET', '/version', undefined, { 'audit-id': 'x'.repeat(65) })
  t.regex(told()[0].auditID, /^[0-9a-f-]{36}$/)
})

test('nothing is told, and nothing is named, where the policy says None', async t => {
  const { call, told } = await startAudited(`- {level: None, userGroups: ['system:masters']}\n- level: Metadata`)
  const { headers } = await call('GET', '/version')
  t.is(headers['audit-id'], undefined)
  t.deepEqual(told(), [])
})
