import test from 'ava'
import { configMap, configMaps, startServer, startWithThings, thing, things } from './harness.ts'

test('an apply creates what is missing, and changes nothing when repeated', async t => {
  const { apply } = await startWithThings()
  const created = await apply(`${things}/a`, thing('a', { size: 2 }))
  t.is(created.status, 201)
  t.like(created.body.metadata.managedFields[0], {
    manager: 'applier',
    operation: 'Apply',
    apiVersion: 'example.dev/v1',
  })
  t.is(created.body.spec.mode, 'Fast')
  const repeated = await apply(`${things}/a`, thing('a', { size: 2 }))
  t.is(repeated.status, 200)
  t.deepEqual(repeated.body, created.body)
})

test('a field of another manager conflicts until forced', async t => {
  const { apply } = await startWithThings()
  await apply(`${things}/a`, thing('a', { size: 2 }), 'one')
  const { status, body } = await apply(`${things}/a`, thing('a', { size: 3 }), 'two')
  t.is(status, 409)
  t.like(body, { reason: 'Conflict', message: 'Apply failed with 1 conflict: conflict with "one": .spec.size' })
  t.deepEqual(body.details.causes, [
    { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.size' },
  ])
  t.is((await apply(`${things}/a`, thing('a', { size: 3 }), 'two', true)).body.spec.size, 3)
})

test('several conflicts are listed by manager', async t => {
  const { apply } = await startServer()
  await apply(`${configMaps}/a`, configMap('a', { x: '1', y: '1' }), 'one')
  const { body } = await apply(`${configMaps}/a`, configMap('a', { x: '2', y: '2' }), 'two')
  t.is(body.message, 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.x\n- .data.y')
})

test('what an applier leaves out is removed, what others set stays', async t => {
  const { apply, merge } = await startServer()
  await apply(`${configMaps}/a`, configMap('a', { x: '1', y: '1' }), 'one')
  await merge(`${configMaps}/a`, { data: { z: '1' } })
  const { body } = await apply(`${configMaps}/a`, configMap('a', { x: '1' }), 'one')
  t.deepEqual(body.data, { x: '1', z: '1' })
})

test('items of a keyed list belong to who applied them', async t => {
  const { apply } = await startWithThings()
  await apply(`${things}/a`, thing('a', { size: 1, parts: [{ name: 'x', color: 'red' }] }), 'one')
  const { body } = await apply(`${things}/a`, thing('a', { size: 1, parts: [{ name: 'y' }] }), 'two')
  t.deepEqual(body.spec.parts, [{ name: 'x', color: 'red' }, { name: 'y' }])
  const { body: without } = await apply(`${things}/a`, thing('a', { size: 1 }), 'one')
  t.deepEqual(without.spec.parts, [{ name: 'y' }])
})

test('an apply to the status owns the status only', async t => {
  const { apply } = await startWithThings()
  await apply(`${things}/a`, thing('a', { size: 1 }), 'one')
  const { status, body } = await apply(
    `${things}/a/status`,
    { ...thing('a', { size: 9 }, { labels: { a: 'b' } }), status: { ready: true } },
    'controller',
  )
  t.is(status, 200)
  t.is(body.spec.size, 1)
  t.is(body.metadata.labels, undefined)
  t.deepEqual(body.status, { ready: true })
  const entry = body.metadata.managedFields.find((each: { manager: string }) => each.manager === 'controller')
  t.like(entry, { operation: 'Apply', subresource: 'status', fieldsV1: { 'f:status': { 'f:ready': {} } } })
})

test('an apply to the main resource neither sets nor owns the status', async t => {
  const { apply } = await startWithThings()
  const { body } = await apply(`${things}/a`, { ...thing('a'), status: { ready: true } })
  t.is(body.status, undefined)
  t.false(JSON.stringify(body.metadata.managedFields).includes('f:status'))
})

test('an apply needs a field manager and takes no managedFields', async t => {
  const { call, apply } = await startServer()
  const type = { 'content-type': 'application/apply-patch+yaml' }
  const nobody = await call('PATCH', `${configMaps}/a`, configMap('a'), type)
  t.is(nobody.status, 422)
  t.is(
    nobody.body.message,
    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  )
  const managed = await apply(`${configMaps}/a`, configMap('a', {}, { managedFields: [{ manager: 'x' }] }))
  t.is(managed.body.message, 'metadata.managedFields must be nil')
  t.is(
    (await call('PATCH', `${configMaps}/a?force=true`, {}, { 'content-type': 'application/merge-patch+json' })).status,
    422,
  )
})

test('an apply that expects a uid does not create', async t => {
  const { apply } = await startServer()
  t.is((await apply(`${configMaps}/a`, configMap('a', {}, { uid: 'u' }))).status, 409)
})

test('an apply with a stale version conflicts', async t => {
  const { apply, merge } = await startServer()
  const { body } = await apply(`${configMaps}/a`, configMap('a', { x: '1' }))
  await merge(`${configMaps}/a`, { data: { y: '1' } })
  const stale = configMap('a', { x: '2' }, { resourceVersion: body.metadata.resourceVersion })
  t.is((await apply(`${configMaps}/a`, stale)).status, 409)
})

test('an apply body may be YAML', async t => {
  const { apply } = await startServer()
  const { status, body } = await apply(`${configMaps}/a`, 'apiVersion: v1\nkind: ConfigMap\ndata: {x: "1"}\n')
  t.is(status, 201)
  t.is(body.metadata.name, 'a')
})

test('an apply is validated', async t => {
  const { apply } = await startWithThings()
  t.is((await apply(`${things}/a`, thing('a', { size: 0 }))).status, 422)
  t.is((await apply(`${things}/a`, thing('a', {}))).status, 422)
})

test('writers are told apart by fieldManager, else by the program they name', async t => {
  const { call, post } = await startServer()
  await post(configMaps, configMap('a', { z: '1' }))
  const patch = (data: object, query: string, agent: string) =>
    call(
      'PATCH',
      `${configMaps}/a${query}`,
      { data },
      { 'content-type': 'application/merge-patch+json', 'user-agent': agent },
    )
  await patch({ x: '1' }, '', 'kubectl/v1.32.0 (linux/amd64)')
  const { body } = await patch({ y: '1' }, '?fieldManager=mine', 'kubectl/v1.32.0')
  t.deepEqual(body.metadata.managedFields.map((each: { manager: string }) => each.manager).toSorted(), [
    'kubectl',
    'mine',
    'tester',
  ])
})
