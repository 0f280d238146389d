import test from 'ava'
import { configMap, configMaps, startServer, startWatch, startWithThings, thing, things } from './harness.ts'

test('a watch from a version tells everything after it, in order', async t => {
  const { post, merge, remove, watch, settle } = await startServer()
  const { body } = await post(configMaps, configMap('a'))
  await post(configMaps, configMap('b'))
  const events = await watch(`${configMaps}?watch=true&resourceVersion=${body.metadata.resourceVersion}`)
  await merge(`${configMaps}/a`, { data: { x: '1' } })
  await remove(`${configMaps}/b`)
  await settle()
  t.deepEqual(events.names(), ['ADDED b', 'MODIFIED a', 'DELETED b'])
  events.stop()
  await settle()
  t.true(events.ended())
})

test('a watch in the same process tells as values what others read as bytes', async t => {
  const { server, environment, post, merge, remove, settle } = await startWithThings()
  await post(things, thing('a'))
  await settle()
  const path = `${things}?watch=true&allowWatchBookmarks=true&timeoutSeconds=300`
  const told = await startWatch(server, path)
  const { events } = await server.handle({ method: 'GET', path, headers: {} })
  const values: unknown[] = []
  const read = async () => {
    for await (const piece of events ?? []) values.push(...piece)
  }
  void read()
  await settle()
  await merge(`${things}/a`, { metadata: { labels: { of: 'a' } } })
  await remove(`${things}/a`)
  await environment.advance(61_000)
  const expected = told.take()
  t.deepEqual(
    expected.map(({ type }) => type),
    ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'],
  )
  t.deepEqual(values, expected)
  t.true(values.every(event => Object.isFrozen((event as { readonly object: unknown }).object)))
})

test('a deleted object is told with the version of its deletion', async t => {
  const { post, remove, watch, settle } = await startServer()
  const { body } = await post(configMaps, configMap('a', { x: '1' }))
  const events = await watch(`${configMaps}?watch=true&resourceVersion=${body.metadata.resourceVersion}`)
  await remove(`${configMaps}/a`)
  await settle()
  const [event] = events.take()
  t.is(event?.object.data.x, '1')
  t.true(Number(event?.object.metadata.resourceVersion) > Number(body.metadata.resourceVersion))
})

test('a watch without a version begins with what is there', async t => {
  const { post, watch, settle } = await startServer()
  await post(configMaps, configMap('b'))
  await post(configMaps, configMap('a'))
  for (const version of ['', '&resourceVersion=0']) {
    const events = await watch(`${configMaps}?watch=true${version}`)
    await settle()
    t.deepEqual(events.names(), ['ADDED a', 'ADDED b'])
  }
})

test('a selector turns changes into comings and goings', async t => {
  const { post, merge, watch, settle } = await startServer()
  const events = await watch(`${configMaps}?watch=true&labelSelector=app%3Dweb`)
  await post(configMaps, configMap('a', {}, { labels: { app: 'db' } }))
  await merge(`${configMaps}/a`, { metadata: { labels: { app: 'web' } } })
  await merge(`${configMaps}/a`, { data: { x: '1' } })
  const { body } = await merge(`${configMaps}/a`, { metadata: { labels: { app: 'db' } } })
  await merge(`${configMaps}/a`, { data: { x: '2' } })
  await settle()
  const seen = events.take()
  t.deepEqual(
    seen.map(event => event.type),
    ['ADDED', 'MODIFIED', 'DELETED'],
  )
  t.is(seen[2]?.object.metadata.labels.app, 'web')
  t.is(seen[2]?.object.metadata.resourceVersion, body.metadata.resourceVersion)
})

test('a watch of one namespace or one name tells of nothing else', async t => {
  const { post, watch, settle } = await startServer()
  await post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } })
  const here = await watch(`${configMaps}?watch=true`)
  const named = await watch('/api/v1/configmaps?watch=true&fieldSelector=metadata.name%3Db')
  await post(configMaps, configMap('a'))
  await post('/api/v1/namespaces/other/configmaps', configMap('b'))
  await settle()
  t.deepEqual(here.names(), ['ADDED a'])
  t.deepEqual(named.names(), ['ADDED b'])
})

test('a watch from before the history is told with a 410 to list again, and ends', async t => {
  const { post, merge, watch, settle } = await startServer({ store: { historyLimit: 5 } })
  const { body } = await post(configMaps, configMap('a'))
  for (let index = 0; index < 20; index++) await merge(`${configMaps}/a`, { data: { x: String(index) } })
  const events = await watch(`${configMaps}?watch=true&resourceVersion=${body.metadata.resourceVersion}`)
  await settle()
  const [only, ...rest] = events.take()
  t.like(only, { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
  t.deepEqual(rest, [])
  t.true(events.ended())
})

test('a watch from a version that this storage has not reached is told with a 410 to list again', async t => {
  const { watch, settle } = await startServer()
  const events = await watch(`${configMaps}?watch=true&resourceVersion=123456`)
  await settle()
  t.like(events.take()[0], { type: 'ERROR', object: { code: 410, reason: 'Expired' } })
})

test('bookmarks come every minute, to those who want them', async t => {
  const { post, watch, environment } = await startServer()
  const wanting = await watch(`${configMaps}?watch=true&allowWatchBookmarks=true&timeoutSeconds=300`)
  const other = await watch(`${configMaps}?watch=true&timeoutSeconds=300`)
  const { body } = await post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } })
  await environment.advance(61_000)
  const [bookmark, ...rest] = wanting.take()
  t.deepEqual(rest, [])
  t.like(bookmark, { type: 'BOOKMARK', object: { kind: 'ConfigMap', apiVersion: 'v1' } })
  t.is(bookmark?.object.metadata.resourceVersion, body.metadata.resourceVersion)
  t.deepEqual(other.take(), [])
})

test('a watch ends when its time is over', async t => {
  const { watch, environment } = await startServer()
  const events = await watch(`${configMaps}?watch=true&timeoutSeconds=30`)
  await environment.advance(29_000)
  t.false(events.ended())
  await environment.advance(2_000)
  t.true(events.ended())
  t.is(environment.timers(), 1, 'only the expiry of events is left')
})

test('a streamed list ends with a bookmark that says so', async t => {
  const { post, watch, settle } = await startServer()
  await post(configMaps, configMap('a'))
  const events = await watch(
    `${configMaps}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan`,
  )
  await settle()
  const [first, second] = events.take()
  t.is(first?.type, 'ADDED')
  t.is(second?.type, 'BOOKMARK')
  t.deepEqual(second?.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' })
  await post(configMaps, configMap('b'))
  await settle()
  t.deepEqual(events.names(), ['ADDED b'])
})

test('a streamed list needs its options', async t => {
  const { get } = await startServer()
  t.is((await get(`${configMaps}?watch=true&sendInitialEvents=true`)).status, 422)
})

test('pieces of a watch stay small, however large the objects are, and leave nothing out', async t => {
  const { post, server } = await startServer()
  const large = 'x'.repeat(400_000)
  const { body: before } = await post(configMaps, configMap('first'))
  const names = Array.from({ length: 8 }, (_, index) => `large-${index}`)
  for (const name of names) await post(configMaps, configMap(name, { large }))
  for (const version of ['0', before.metadata.resourceVersion]) {
    const path = `${configMaps}?watch=true&resourceVersion=${version}`
    const { body } = await server.handle({ method: 'GET', path, headers: {} })
    const seen: string[] = []
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      t.true(piece.length < 2 ** 21, `a piece of ${piece.length} bytes`)
      const lines = Buffer.from(piece).toString().split('\n').filter(Boolean)
      seen.push(...lines.map(line => JSON.parse(line).object.metadata.name))
      if (seen.at(-1) === 'large-7') break
    }
    t.deepEqual(seen, version === '0' ? ['first', ...names] : names)
  }
})

test('a watch as a table names its columns once', async t => {
  const { post, server, settle } = await startWithThings()
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  const events = await startWatch(server, `${things}?watch=true`, accept)
  await post(things, thing('a'))
  await post(things, thing('b'))
  await settle()
  const [first, second] = events.take()
  t.true(first?.object.columnDefinitions.length > 0)
  t.is(second?.object.columnDefinitions, undefined)
  t.is(second?.object.rows[0].cells[0], 'b')
})

test('a slow watcher that falls out of the history is told to list again', async t => {
  const { post, merge, server } = await startServer({ store: { historyLimit: 5 } })
  const response = await server.handle({ method: 'GET', path: `${configMaps}?watch=true`, headers: {} })
  if (response.body instanceof Uint8Array) return t.fail()
  await post(configMaps, configMap('a'))
  for (let index = 0; index < 20; index++) await merge(`${configMaps}/a`, { data: { x: String(index) } })
  const lines: string[] = []
  for await (const chunk of response.body) lines.push(...Buffer.from(chunk).toString().trim().split('\n'))
  const last = JSON.parse(lines.at(-1) ?? '')
  t.is(last.type, 'ERROR')
  t.is(last.object.code, 410)
})

test('closing the server ends its watches', async t => {
  const { watch, server, settle } = await startServer()
  const events = await watch(`${configMaps}?watch=true`)
  await server.close()
  await settle()
  t.true(events.ended())
})
