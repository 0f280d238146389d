import { gunzipSync } from 'node:zlib'
import test from 'ava'
import type { APIObject } from '../../../apiserver/api-object.ts'
import { bytesOf, configMap, configMaps, namesOf, startServer, startWithThings, thing, things } from './harness.ts'

async function startWithLabels() {
  const server = await startServer()
  const { post } = server
  await post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } })
  await post(configMaps, configMap('b', {}, { labels: { app: 'web', tier: 'front' } }))
  await post(configMaps, configMap('a', {}, { labels: { app: 'web' } }))
  await post(configMaps, configMap('c', {}, { labels: { app: 'db' } }))
  await post('/api/v1/namespaces/other/configmaps', configMap('a'))
  return server
}

test('a list is in key order, of one namespace or of all', async t => {
  const { get } = await startWithLabels()
  t.deepEqual(namesOf(await get(configMaps)), ['a', 'b', 'c'])
  const all = await get('/api/v1/configmaps')
  t.deepEqual(namesOf(all), ['a', 'b', 'c', 'a'])
  t.like(all.body, { kind: 'ConfigMapList', apiVersion: 'v1' })
})

for (const [selector, expected] of [
  ['app=web', ['a', 'b']],
  ['app==web,tier=front', ['b']],
  ['app!=web', ['c']],
  ['tier', ['b']],
  ['!tier', ['a', 'c']],
  ['app in (web, db),!tier', ['a', 'c']],
  ['app notin (web)', ['c']],
  ['app in (none)', []],
  ['constructor', []],
] as const) {
  test(`labels are selected by ${selector}`, async t => {
    const { get } = await startWithLabels()
    t.deepEqual(namesOf(await get(`${configMaps}?labelSelector=${encodeURIComponent(selector)}`)), expected)
  })
}

for (const [selector, expected] of [
  ['metadata.name=a', ['a']],
  ['metadata.name!=a', ['b', 'c']],
  ['metadata.namespace=default,metadata.name==b', ['b']],
  ['metadata.namespace=other', []],
] as const) {
  test(`fields are selected by ${selector}`, async t => {
    const { get } = await startWithLabels()
    t.deepEqual(namesOf(await get(`${configMaps}?fieldSelector=${encodeURIComponent(selector)}`)), expected)
  })
}

test('a definition says which of its fields can be selected', async t => {
  const { post, get } = await startWithThings()
  await post(things, thing('a', { size: 1, mode: 'Slow' }))
  await post(things, thing('b'))
  t.deepEqual(namesOf(await get(`${things}?fieldSelector=spec.mode%3DSlow`)), ['a'])
  const { status, body } = await get(`${things}?fieldSelector=spec.size%3D1`)
  t.is(status, 400)
  t.true(body.message.endsWith('field label not supported: spec.size'))
})

test('selectors that cannot be read are refused', async t => {
  const { get } = await startServer()
  for (const selector of ['a b', 'a in b', '=x', 'a=!']) {
    t.is((await get(`${configMaps}?labelSelector=${encodeURIComponent(selector)}`)).status, 400, selector)
  }
  t.is((await get(`${configMaps}?fieldSelector=name`)).status, 400)
})

test('pages show the state of the first page, whatever happens meanwhile', async t => {
  const { post, get, remove, merge } = await startServer()
  for (const name of ['a', 'b', 'c', 'd', 'e']) await post(configMaps, configMap(name, { x: '1' }))
  const first = await get(`${configMaps}?limit=2`)
  t.deepEqual(namesOf(first), ['a', 'b'])
  t.is(first.body.metadata.remainingItemCount, 3)
  await remove(`${configMaps}/c`)
  await merge(`${configMaps}/d`, { data: { x: '2' } })
  await post(configMaps, configMap('bb'))
  const second = await get(`${configMaps}?limit=2&continue=${first.body.metadata.continue}`)
  t.deepEqual(namesOf(second), ['c', 'd'])
  t.is(second.body.items[1].data.x, '1')
  t.is(second.body.metadata.resourceVersion, first.body.metadata.resourceVersion)
  const third = await get(`${configMaps}?limit=2&continue=${second.body.metadata.continue}`)
  t.deepEqual(namesOf(third), ['e'])
  t.is(third.body.metadata.continue, undefined)
  t.deepEqual(namesOf(await get(configMaps)), ['a', 'b', 'bb', 'd', 'e'])
})

test('a page that goes on from what is forgotten is told to start again', async t => {
  const { post, get, merge } = await startServer({ store: { historyLimit: 5 } })
  for (const name of ['a', 'b', 'c']) await post(configMaps, configMap(name))
  const { body } = await get(`${configMaps}?limit=1`)
  for (let index = 0; index < 20; index++) await merge(`${configMaps}/a`, { data: { x: String(index) } })
  const late = await get(`${configMaps}?limit=1&continue=${body.metadata.continue}`)
  t.is(late.status, 410)
  t.is(late.body.reason, 'Expired')
  t.is((await get(`${configMaps}?continue=garbage`)).status, 400)
})

test('a list can be asked for as it was at a version', async t => {
  const { post, get, remove } = await startServer()
  await post(configMaps, configMap('a'))
  const { body } = await post(configMaps, configMap('b'))
  await remove(`${configMaps}/a`)
  const version = body.metadata.resourceVersion
  const exact = await get(`${configMaps}?resourceVersion=${version}&resourceVersionMatch=Exact`)
  t.deepEqual(namesOf(exact), ['a', 'b'])
  t.is(exact.body.metadata.resourceVersion, version)
  t.deepEqual(namesOf(await get(`${configMaps}?resourceVersion=${version}&resourceVersionMatch=NotOlderThan`)), ['b'])
  t.deepEqual(namesOf(await get(`${configMaps}?resourceVersion=0`)), ['b'])
})

test('a version of the future times out, a match without a version is refused', async t => {
  const { get } = await startServer()
  const future = await get(`${configMaps}?resourceVersion=999999`)
  t.is(future.status, 504)
  t.is(future.body.details.causes[0].reason, 'ResourceVersionTooLarge')
  t.is((await get(`${configMaps}?resourceVersionMatch=Exact`)).status, 422)
  t.is((await get(`${configMaps}?resourceVersionMatch=Newest&resourceVersion=1`)).status, 422)
})

test('a table shows the columns of the definition, or those of the kind', async t => {
  const { post, call } = await startWithThings()
  await post(things, thing('a', { size: 7 }))
  const accept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }
  const { body } = await call('GET', things, undefined, accept)
  t.is(body.kind, 'Table')
  t.deepEqual(
    body.columnDefinitions.map((column: { name: string }) => column.name),
    ['Name', 'Size', 'Age'],
  )
  t.deepEqual(body.rows[0].cells, ['a', 7, '0s'])
  t.is(body.rows[0].object.kind, 'PartialObjectMetadata')
  const whole = await call('GET', `${things}/a?includeObject=Object`, undefined, accept)
  t.is(whole.body.rows[0].object.kind, 'Thing')
})

test('a row carries the metadata without managedFields, the whole object, or nothing', async t => {
  const { post, call } = await startWithThings()
  const annotations = { metadata: '{"metadata":{}}', 'a/b': 'Zürich "\\" 🌍 }' }
  await post(things, thing('a', { size: 7 }, { annotations, labels: { app: 'web' } }))
  await post(things, thing('b'))
  const accept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
  const objects = (await call('GET', things)).body.items
  const carried = async (query: string) =>
    (await call('GET', `${things}${query}`, undefined, accept)).body.rows.map((row: { object?: unknown }) => row.object)
  const metadata = objects.map((object: { metadata: object }) => {
    const { managedFields: _, ...printed } = object.metadata as Record<string, unknown>
    return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: printed }
  })
  t.true(objects[0].metadata.managedFields.length > 0)
  t.is(objects[0].metadata.annotations['a/b'], annotations['a/b'])
  t.deepEqual(await carried(''), metadata)
  t.deepEqual(await carried('?includeObject=Metadata'), metadata)
  t.deepEqual(await carried('?includeObject=Object'), objects)
  t.deepEqual(await carried('?includeObject=None'), [undefined, undefined])
})

test('a table of one object has its version, one of a list that of the list, one of a dry run shows what would be', async t => {
  const { post, call, get } = await startWithThings()
  const accept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
  const { body: a } = await post(things, thing('a', { size: 7 }))
  await post(things, thing('b'))
  const one = await call('GET', `${things}/a`, undefined, accept)
  t.deepEqual(one.body.metadata, { resourceVersion: a.metadata.resourceVersion })
  const list = await call('GET', `${things}?limit=1`, undefined, accept)
  const { resourceVersion } = (await get(things)).body.metadata
  t.like(list.body.metadata, { resourceVersion, remainingItemCount: 1 })
  t.is(typeof list.body.metadata.continue, 'string')
  const tried = await call('POST', `${things}?dryRun=All`, thing('c', { size: 9 }), accept)
  t.deepEqual(tried.body.rows[0].cells, ['c', 9, '0s'])
  t.is(tried.body.rows[0].object.metadata.name, 'c')
})

test('a table asked for by five hundred rows has up to ten thousand; other lists keep to their limit', async t => {
  const { post, call } = await startServer()
  for (let index = 0; index < 501; index++) await post(configMaps, configMap(`c${index}`))
  const accept = { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' }
  const table = await call('GET', `${configMaps}?limit=500`, undefined, accept)
  t.is(table.body.rows.length, 501)
  t.is(table.body.metadata.continue, undefined)
  t.is((await call('GET', `${configMaps}?limit=499`, undefined, accept)).body.rows.length, 499)
  t.is((await call('GET', `${configMaps}?limit=500`)).body.items.length, 500)
})

test('metadata alone is the same in every version that is served', async t => {
  const { post, call } = await startServer()
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e', annotations: { app: 'wöb' } },
    involvedObject: { kind: 'Thing', name: 'a', namespace: 'default' },
    message: 'It runs.',
    type: 'Normal',
  }
  const { body: stored } = await post('/api/v1/namespaces/default/events', event)
  const path = '/apis/events.k8s.io/v1/namespaces/default/events'
  const whole = await call('GET', path)
  t.like(whole.body.items[0], { apiVersion: 'events.k8s.io/v1', note: 'It runs.', metadata: stored.metadata })
  const accept = { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' }
  const { body } = await call('GET', path, undefined, accept)
  t.deepEqual(body.items, [{ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: stored.metadata }])
  const table = await call('GET', `${path}?includeObject=Object`, undefined, {
    accept: 'application/json;as=Table;g=meta.k8s.io;v=v1',
  })
  t.like(table.body.rows[0].object, { apiVersion: 'events.k8s.io/v1', note: 'It runs.', metadata: stored.metadata })
})

test('metadata alone can be asked for, of one object and of a list', async t => {
  const { post, call } = await startServer()
  await post(configMaps, configMap('a', { x: '1' }))
  const one = await call('GET', `${configMaps}/a`, undefined, {
    accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
  })
  t.like(one.body, { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'a' } })
  t.is(one.body.data, undefined)
  const list = await call('GET', configMaps, undefined, {
    accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
  })
  t.is(list.body.kind, 'PartialObjectMetadataList')
  t.like(list.body.items[0], { kind: 'PartialObjectMetadata', metadata: { name: 'a' } })
})

test('large answers are compressed when the client takes it, lists while they are sent', async t => {
  const { post, get, server } = await startServer()
  for (const name of ['a', 'b']) await post(configMaps, configMap(name, { x: 'x'.repeat(150_000) }))
  const headers = { 'accept-encoding': 'gzip, deflate' }
  for (const path of [configMaps, `${configMaps}/a`]) {
    const packed = await server.handle({ method: 'GET', path, headers })
    t.is(packed.headers['content-encoding'], 'gzip')
    const bytes = await bytesOf(packed)
    t.true(bytes.length < 10_000)
    t.deepEqual(JSON.parse(gunzipSync(bytes).toString()), (await get(path)).body)
  }
  const small = await server.handle({ method: 'GET', path: '/api/v1/namespaces', headers })
  t.is(small.headers['content-encoding'], undefined)
})

test('a large list shows the state in which it was asked for, whatever is written while it is sent', async t => {
  const { post, merge, remove, server } = await startServer()
  const names = Array.from({ length: 20 }, (_, index) => `m-${index}`).sort()
  for (const name of names) await post(configMaps, configMap(name, { x: 'x'.repeat(100_000) }))
  const { body, value } = await server.handle({ method: 'GET', path: configMaps, headers: {} })
  t.false(body instanceof Uint8Array)
  const pieces: Uint8Array[] = []
  for await (const piece of body as AsyncIterable<Uint8Array>) {
    pieces.push(piece)
    const name = names[names.length - pieces.length] ?? ''
    await (pieces.length % 2 === 0
      ? remove(`${configMaps}/${name}`)
      : merge(`${configMaps}/${name}`, { data: { y: '' } }))
  }
  t.true(pieces.length > 4)
  const list = JSON.parse(Buffer.concat(pieces).toString())
  t.deepEqual(value?.(), list)
  const items: readonly APIObject[] = list.items
  t.deepEqual(
    items.map(({ metadata, data }) => [metadata.name, Object.keys(data ?? {})]),
    names.map(name => [name, ['x']]),
  )
})

test('the order of a list follows from all that came and went since the last one', async t => {
  const { post, merge, remove, get } = await startServer()
  const there = new Set<string>()
  const add = async (name: string) => {
    there.add(name)
    await post(configMaps, configMap(name))
  }
  const take = async (name: string) => {
    there.delete(name)
    await remove(`${configMaps}/${name}`)
  }
  const rounds = [['m', 'c', 'z'], ['a', 'n', 'zz'], ['b', 'a1'], []]
  for (const round of rounds) {
    for (const name of round) await add(name)
    const [first = '', last = ''] = [[...there].sort()[0], [...there].sort().at(-1)]
    await merge(`${configMaps}/${first}`, { data: { round: String(round) } })
    await take(last)
    await add(last)
    await take(first)
    t.deepEqual(
      (await get(configMaps)).body.items.map(({ metadata }: APIObject) => metadata.name),
      [...there].sort(),
    )
  }
})
