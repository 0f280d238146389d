import test from 'ava'
import { mergePatch } from '../../../apiserver/patch/merge-patch.ts'
import { configMap, configMaps, fieldsOf, startServer, startWithThings, thing, things } from './harness.ts'

test('a merge patch sets, replaces and removes', async t => {
  const { post, merge } = await startServer()
  await post(configMaps, configMap('a', { x: '1', y: '2' }))
  const { body } = await merge(`${configMaps}/a`, { data: { x: null, y: '3', z: '4' } })
  t.deepEqual(body.data, { y: '3', z: '4' })
})

test('a merge patch that changes nothing answers with the same reference', t => {
  const target = Object.freeze({ a: Object.freeze({ b: 1 }), c: Object.freeze([1]) })
  t.is(mergePatch(target, { a: { b: 1 } }), target)
  t.is(mergePatch(target, { d: null }), target)
  t.deepEqual(mergePatch(target, { a: { e: { f: null } } }), { a: { b: 1, e: {} }, c: [1] })
})

test('a JSON patch adds, replaces, removes, moves, copies and tests', async t => {
  const { post, jsonPatch } = await startWithThings()
  await post(things, thing('a', { size: 1, parts: [{ name: 'x' }, { name: 'y' }] }))
  const { status, body } = await jsonPatch(`${things}/a`, [
    { op: 'test', path: '/spec/size', value: 1 },
    { op: 'replace', path: '/spec/size', value: 2 },
    { op: 'add', path: '/spec/parts/-', value: { name: 'z' } },
    { op: 'remove', path: '/spec/parts/0' },
    { op: 'add', path: '/metadata/labels', value: {} },
    { op: 'add', path: '/metadata/labels/example.dev~1role', value: 'web' },
    { op: 'copy', from: '/metadata/labels/example.dev~1role', path: '/metadata/labels/copy' },
    { op: 'move', from: '/metadata/labels/copy', path: '/metadata/labels/moved' },
  ])
  t.is(status, 200)
  t.like(body.spec, { size: 2, parts: [{ name: 'y' }, { name: 'z' }] })
  t.deepEqual(body.metadata.labels, { 'example.dev/role': 'web', moved: 'web' })
})

for (const [name, patch, status] of [
  ['a failed test', [{ op: 'test', path: '/spec/size', value: 7 }], 422],
  ['a missing path', [{ op: 'replace', path: '/spec/no/more', value: 7 }], 422],
  ['an index beyond the list', [{ op: 'add', path: '/spec/parts/9', value: {} }], 422],
  ['a removal of what is missing', [{ op: 'remove', path: '/spec/no' }], 422],
  ['an unknown operation', [{ op: 'twist', path: '/spec' }], 422],
  ['no list', { op: 'add' }, 400],
  ['an operation without a path', [{ op: 'add', value: 1 }], 422],
] as const) {
  test(`a JSON patch with ${name} changes nothing and answers ${status}`, async t => {
    const { post, jsonPatch, get } = await startWithThings()
    const { body: before } = await post(things, thing('a', { size: 1, parts: [] }))
    const first = { op: 'add', path: '/spec/size', value: 2 }
    const refused = await jsonPatch(`${things}/a`, Array.isArray(patch) ? [first, ...patch] : patch)
    t.is(refused.status, status)
    t.deepEqual((await get(`${things}/a`)).body, before)
  })
}

test('a patch is validated, and may carry the version that it expects', async t => {
  const { post, merge } = await startWithThings()
  const { body } = await post(things, thing('a', { size: 3 }))
  t.deepEqual(fieldsOf(await merge(`${things}/a`, { spec: { size: 0 } })), ['spec.size', 'spec'])
  t.is(
    (await merge(`${things}/a`, { spec: { size: 2 } })).body.message,
    'Thing.example.dev "a" is invalid: spec: Invalid value: size cannot shrink',
  )
  const version = { resourceVersion: body.metadata.resourceVersion }
  t.is((await merge(`${things}/a`, { metadata: version, spec: { size: 4 } })).status, 200)
  t.is((await merge(`${things}/a`, { metadata: version, spec: { size: 5 } })).status, 409)
})

test('a patch of a missing object answers NotFound', async t => {
  const { merge } = await startWithThings()
  t.is((await merge(`${things}/a`, { spec: {} })).status, 404)
})

test('a strategic merge patch merges lists by key for built-in kinds and is refused for custom ones', async t => {
  const { post, call } = await startWithThings()
  const type = { 'content-type': 'application/strategic-merge-patch+json' }
  await post(configMaps, configMap('a', { x: '1' }, { finalizers: ['a.dev/one', 'a.dev/two'] }))
  const { body } = await call(
    'PATCH',
    `${configMaps}/a`,
    {
      metadata: {
        finalizers: ['a.dev/three'],
        '$deleteFromPrimitiveList/finalizers': ['a.dev/one'],
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: 'u1' }],
      },
      data: { $patch: 'replace', y: '2' },
    },
    type,
  )
  t.deepEqual(body.metadata.finalizers, ['a.dev/three', 'a.dev/two'])
  t.is(body.metadata.ownerReferences.length, 1)
  t.deepEqual(body.data, { y: '2' })
  await post(things, thing('a'))
  const refused = await call('PATCH', `${things}/a`, {}, type)
  t.is(refused.status, 415)
  t.is(refused.body.reason, 'UnsupportedMediaType')
})

test('a key that would change prototypes is dropped', async t => {
  const { post, call } = await startServer()
  await post(configMaps, configMap('a'))
  const patch = '{"metadata":{"labels":{"__proto__":{"polluted":"yes"},"ok":"yes"}}}'
  const { body } = await call('PATCH', `${configMaps}/a`, patch, { 'content-type': 'application/merge-patch+json' })
  t.deepEqual(body.metadata.labels, { ok: 'yes' })
  t.is(Reflect.get({}, 'polluted'), undefined)
})
