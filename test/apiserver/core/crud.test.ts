import test from 'ava'
import { configMap, configMaps, fieldsOf, namesOf, startServer, startWithThings, thing, things } from './harness.ts'

test('a created object gets uid, version, time and managers', async t => {
  const { post, get } = await startServer()
  const created = await post(configMaps, configMap('a', { x: '1' }))
  t.is(created.status, 201)
  const { metadata } = created.body
  t.regex(metadata.uid, /^[0-9a-f-]{36}$/)
  t.is(metadata.creationTimestamp, '2026-01-01T00:00:00Z')
  t.is(metadata.namespace, 'default')
  t.true(Number(metadata.resourceVersion) > 0)
  t.is(metadata.managedFields[0].manager, 'tester')
  t.deepEqual((await get(`${configMaps}/a`)).body, created.body)
})

test('generateName adds five letters and takes another name when one is taken', async t => {
  const { post } = await startServer()
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'part-' } }
  const names = new Set<string>()
  for (let index = 0; index < 20; index++) names.add((await post(configMaps, body)).body.metadata.name)
  t.is(names.size, 20)
  for (const name of names) t.regex(name, /^part-[b-z2-9]{5}$/)
})

test('creating what exists is refused with AlreadyExists', async t => {
  const { post } = await startServer()
  await post(configMaps, configMap('a'))
  const { status, body } = await post(configMaps, configMap('a'))
  t.is(status, 409)
  t.like(body, {
    kind: 'Status',
    status: 'Failure',
    reason: 'AlreadyExists',
    message: 'configmaps "a" already exists',
    details: { name: 'a', kind: 'configmaps' },
    code: 409,
  })
})

test('reading what is missing answers NotFound', async t => {
  const { get } = await startWithThings()
  const { status, body } = await get(`${things}/no`)
  t.is(status, 404)
  t.is(body.message, 'things.example.dev "no" not found')
  t.deepEqual(body.details, { name: 'no', group: 'example.dev', kind: 'things' })
})

test('an object in a missing namespace is refused', async t => {
  const { post } = await startServer()
  const { status, body } = await post('/api/v1/namespaces/nowhere/configmaps', configMap('a'))
  t.is(status, 404)
  t.is(body.message, 'namespaces "nowhere" not found')
  t.deepEqual(body.details, { name: 'nowhere', kind: 'namespaces' })
})

test('a body for another namespace, name, kind or version is refused', async t => {
  const { post, put } = await startServer()
  await post(configMaps, configMap('a'))
  t.is((await post(configMaps, configMap('b', {}, { namespace: 'other' }))).status, 400)
  t.is((await put(`${configMaps}/a`, configMap('b'))).status, 400)
  t.is((await post(configMaps, { ...configMap('b'), kind: 'Secret' })).status, 400)
  t.is((await post(configMaps, { ...configMap('b'), apiVersion: 'v2' })).status, 400)
})

test('a custom resource must say its kind, a built-in one may leave it to the path', async t => {
  const { post } = await startWithThings()
  const refused = await post(things, { metadata: { name: 'a' }, spec: { size: 1 } })
  t.is(refused.status, 400)
  t.true(refused.body.message.includes("'Kind' is missing"))
  const { status, body } = await post(configMaps, { metadata: { name: 'a' } })
  t.is(status, 201)
  t.like(body, { apiVersion: 'v1', kind: 'ConfigMap' })
})

for (const [name, wrong] of [
  ['Upper', 'a lowercase RFC 1123 subdomain'],
  ['-a', 'a lowercase RFC 1123 subdomain'],
  ['a'.repeat(254), 'must be no more than 253 bytes'],
] as const) {
  test(`the name ${name.slice(0, 10)} is refused`, async t => {
    const { post } = await startServer()
    const answer = await post(configMaps, configMap(name))
    t.is(answer.status, 422)
    t.is(answer.body.reason, 'Invalid')
    t.deepEqual(new Set(fieldsOf(answer)), new Set(['metadata.name']))
    t.true(answer.body.message.includes(wrong))
  })
}

test('an object without a name is refused', async t => {
  const { post } = await startServer()
  const { body } = await post(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} })
  t.is(body.message, 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required')
})

test('an update with a stale resourceVersion conflicts, the current one succeeds', async t => {
  const { post, put } = await startWithThings()
  const { body: first } = await post(things, thing('a'))
  const changed = { ...first, spec: { size: 2 } }
  const second = await put(`${things}/a`, changed)
  t.is(second.status, 200)
  const { status, body } = await put(`${things}/a`, { ...changed, spec: { size: 3 } })
  t.is(status, 409)
  t.is(body.reason, 'Conflict')
  t.is(
    body.message,
    'Operation cannot be fulfilled on things.example.dev "a": the object has been modified; please apply your changes to the latest version and try again',
  )
})

test('an update of a custom resource needs a resourceVersion, one of a built-in kind does not', async t => {
  const { post, put } = await startWithThings()
  await post(things, thing('a'))
  const refused = await put(`${things}/a`, thing('a', { size: 2 }))
  t.is(refused.status, 422)
  t.deepEqual(fieldsOf(refused), ['metadata.resourceVersion'])
  await post(configMaps, configMap('a'))
  t.is((await put(`${configMaps}/a`, configMap('a', { x: '1' }))).status, 200)
})

test('an update for another uid conflicts', async t => {
  const { post, put } = await startServer()
  await post(configMaps, configMap('a'))
  const { status, body } = await put(`${configMaps}/a`, configMap('a', {}, { uid: 'other' }))
  t.is(status, 409)
  t.true(body.message.includes('Precondition failed: UID in precondition: other'))
})

test('an update that changes nothing keeps the resourceVersion', async t => {
  const { post, put, merge } = await startWithThings()
  const { body: first } = await post(things, thing('a'))
  t.deepEqual((await put(`${things}/a`, first)).body, first)
  t.deepEqual((await merge(`${things}/a`, { spec: { size: 1 } })).body, first)
  t.deepEqual((await merge(`${things}/a/status`, {})).body, first)
})

test('identity and times cannot be changed by an update', async t => {
  const { post, put } = await startWithThings()
  const { body: first } = await post(things, thing('a'))
  const metadata = { ...first.metadata, creationTimestamp: '2000-01-01T00:00:00Z', generation: 77 }
  const { body } = await put(`${things}/a`, { ...first, metadata, spec: { size: 2 } })
  t.is(body.metadata.creationTimestamp, first.metadata.creationTimestamp)
  t.is(body.metadata.generation, 2)
  const deletionTimestamp = '2000-01-01T00:00:00Z'
  t.is((await put(`${things}/a`, { ...body, metadata: { ...body.metadata, deletionTimestamp } })).status, 422)
})

test('generation counts changes of the spec, not of labels or status', async t => {
  const { post, merge } = await startWithThings()
  t.is((await post(things, { ...thing('a'), status: { ready: true } })).body.metadata.generation, 1)
  t.is((await merge(`${things}/a`, { metadata: { labels: { a: 'b' } } })).body.metadata.generation, 1)
  t.is((await merge(`${things}/a/status`, { status: { ready: true } })).body.metadata.generation, 1)
  t.is((await merge(`${things}/a`, { spec: { size: 5 } })).body.metadata.generation, 2)
})

test('the status changes through its subresource only, and nothing else does there', async t => {
  const { post, merge, put } = await startWithThings()
  const { body: created } = await post(things, { ...thing('a'), status: { ready: true } })
  t.is(created.status, undefined)
  const { body: main } = await merge(`${things}/a`, { status: { ready: true } })
  t.is(main.status, undefined)
  const { body: sub } = await merge(`${things}/a/status`, {
    status: { ready: true },
    spec: { size: 9 },
    metadata: { labels: { a: 'b' } },
  })
  t.deepEqual(sub.status, { ready: true })
  t.is(sub.spec.size, 1)
  t.is(sub.metadata.labels, undefined)
  const { body: replaced } = await put(`${things}/a/status`, { ...sub, status: { ready: false, seen: 1 } })
  t.deepEqual(replaced.status, { ready: false, seen: 1 })
})

test('dryRun answers as if, and stores nothing', async t => {
  const { post, get, merge, call } = await startWithThings()
  t.is((await post(`${things}?dryRun=All`, thing('a'))).status, 201)
  t.is((await get(`${things}/a`)).status, 404)
  const { body: real } = await post(things, thing('a'))
  const dry = await merge(`${things}/a?dryRun=All`, { spec: { size: 4 } })
  t.is(dry.body.spec.size, 4)
  t.is((await call('DELETE', `${things}/a?dryRun=All`)).status, 200)
  t.deepEqual((await get(`${things}/a`)).body, real)
  t.is((await post(`${things}?dryRun=Some`, thing('b'))).status, 422)
})

test('unknown fields are dropped with a warning, refused when strict, dropped in silence when ignored', async t => {
  const { post } = await startWithThings()
  const wrong = (name: string) => ({ ...thing(name, { size: 1, colour: 'red' }), extra: 1 })
  const warned = await post(things, wrong('a'))
  t.is(warned.status, 201)
  t.deepEqual(warned.body.spec, { size: 1, mode: 'Fast' })
  t.true(warned.headers.warning?.includes('299 - "unknown field \\"spec.colour\\""'))
  const strict = await post(`${things}?fieldValidation=Strict`, wrong('b'))
  t.is(strict.status, 400)
  t.true(strict.body.message.startsWith('Thing in version "v1" cannot be handled as a Thing: strict decoding error: '))
  t.true(strict.body.message.includes('unknown field "spec.colour"'))
  const ignored = await post(`${things}?fieldValidation=Ignore`, wrong('c'))
  t.is(ignored.status, 201)
  t.is(ignored.headers.warning, undefined)
})

test('a field given twice is refused when strict', async t => {
  const { call } = await startWithThings()
  const body = '{"apiVersion":"example.dev/v1","kind":"Thing","metadata":{"name":"a"},"spec":{"size":1,"size":2}}'
  const strict = await call('POST', `${things}?fieldValidation=Strict`, body)
  t.is(strict.status, 400)
  t.true(strict.body.message.includes('duplicate field "spec.size"'))
  const warned = await call('POST', things, body)
  t.is(warned.body.spec.size, 2)
  t.true(warned.headers.warning?.includes('duplicate field'))
})

test('bodies may be YAML; other media types are refused', async t => {
  const { call } = await startServer()
  const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: "1"\n'
  t.is((await call('POST', configMaps, yaml, { 'content-type': 'application/yaml' })).status, 201)
  t.is((await call('POST', configMaps, yaml, { 'content-type': 'text/plain' })).status, 415)
  t.is((await call('POST', configMaps, yaml)).status, 400)
  t.is((await call('POST', configMaps, 'a: [', { 'content-type': 'application/yaml' })).status, 400)
})

test('what cannot be answered as asked is refused: media type, method, path', async t => {
  const { call, get } = await startServer()
  t.is((await call('GET', configMaps, undefined, { accept: 'application/vnd.kubernetes.protobuf' })).status, 406)
  t.is((await call('PUT', configMaps, {})).status, 405)
  t.is((await call('POST', `${configMaps}/a`, {})).status, 405)
  t.is((await call('POST', '/api/v1/configmaps', configMap('a'))).status, 405)
  t.is((await get('/api/v1/nothings')).status, 404)
  t.is((await get('/apis/no.dev/v1/things')).status, 404)
  t.is((await get(`${configMaps}/a/status`)).status, 404)
  t.is((await get('/%zz')).status, 400)
})

test('answers come as YAML when asked', async t => {
  const { post, call } = await startServer()
  await post(configMaps, configMap('a', { x: '1' }))
  const { headers, body } = await call('GET', `${configMaps}/a`, undefined, { accept: 'application/yaml' })
  t.is(headers['content-type'], 'application/yaml')
  t.true(body.includes('kind: ConfigMap'))
})

test('a secret is stored encoded, and its text is never read back', async t => {
  const { post, get } = await startServer()
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { password: 'hunter2' } }
  const { body } = await post('/api/v1/namespaces/default/secrets', secret)
  t.deepEqual(body.data, { password: Buffer.from('hunter2').toString('base64') })
  t.is(body.stringData, undefined)
  t.is(body.type, 'Opaque')
  t.false(JSON.stringify((await get('/api/v1/secrets')).body).includes('hunter2'))
})

test('secret data that is not base64 is refused without being repeated', async t => {
  const { post } = await startServer()
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { password: 'hunter2!' } }
  const { status, body } = await post('/api/v1/namespaces/default/secrets', secret)
  t.is(status, 422)
  t.false(JSON.stringify(body).includes('hunter2'))
})

test('an immutable ConfigMap keeps its data', async t => {
  const { post, merge } = await startServer()
  await post(configMaps, { ...configMap('a', { x: '1' }), immutable: true })
  const refused = await merge(`${configMaps}/a`, { data: { x: '2' } })
  t.is(refused.status, 422)
  t.deepEqual(fieldsOf(refused), ['data'])
  t.is((await merge(`${configMaps}/a`, { metadata: { labels: { a: 'b' } } })).status, 200)
})

test('events are one collection in two forms', async t => {
  const { post, get } = await startServer()
  const event = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'e1' },
    regarding: { kind: 'Thing', name: 'a', namespace: 'default' },
    note: 'grown',
    reason: 'Grown',
    type: 'Normal',
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'skystead.dev/thing',
    reportingInstance: 'one',
    action: 'Grow',
  }
  t.is((await post('/apis/events.k8s.io/v1/namespaces/default/events', event)).status, 201)
  const { body } = await get('/api/v1/namespaces/default/events/e1')
  t.like(body, {
    apiVersion: 'v1',
    message: 'grown',
    involvedObject: { name: 'a' },
    reportingComponent: 'skystead.dev/thing',
  })
  const chosen = await get('/api/v1/events?fieldSelector=involvedObject.name=a,involvedObject.kind=Thing')
  t.deepEqual(namesOf(chosen), ['e1'])
  const others = await get('/apis/events.k8s.io/v1/events?fieldSelector=regarding.name=b')
  t.deepEqual(namesOf(others), [])
})

test('an event without times has them as null, so that clients can sort by them', async t => {
  const { post, get } = await startServer()
  await post('/apis/events.k8s.io/v1/namespaces/default/events', {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'e1' },
    regarding: { kind: 'Thing', name: 'a' },
    eventTime: '2026-01-01T00:00:00.000000Z',
  })
  const { body } = await get('/api/v1/namespaces/default/events/e1')
  t.is(body.firstTimestamp, null)
  t.is(body.lastTimestamp, null)
  const { body: group } = await get('/apis/events.k8s.io/v1/namespaces/default/events/e1')
  t.is(group.deprecatedLastTimestamp, null)
  t.deepEqual(group.regarding, { kind: 'Thing', name: 'a' })
})

test('events are gone an hour after they last happened', async t => {
  const { post, get, environment } = await startServer()
  const event = (name: string, lastTimestamp: string) => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name },
    involvedObject: {},
    lastTimestamp,
  })
  await post('/api/v1/namespaces/default/events', event('old', '2026-01-01T00:00:00Z'))
  await post('/api/v1/namespaces/default/events', event('recent', '2026-01-01T00:50:00Z'))
  await environment.advance(70 * 60_000)
  t.deepEqual(namesOf(await get('/api/v1/events')), ['recent'])
})

test('a lease is created by PUT when it is missing', async t => {
  const { put } = await startServer()
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'l' },
    spec: { holderIdentity: 'a' },
  }
  const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases/l'
  const { status, body } = await put(path, lease)
  t.is(status, 201)
  t.is((await put(path, { ...body, spec: { holderIdentity: 'b' } })).status, 200)
})
