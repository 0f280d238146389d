import test, { type ExecutionContext } from 'ava'
import { ApiError, type ApiErrorReason } from '../../../controllers/api/api-error.ts'
import { createClient } from '../../../controllers/api/client.ts'
import { collectionPath, objectPath } from '../../../controllers/api/paths.ts'
import { createReflector } from '../../../controllers/api/reflector.ts'
import { createEventRecorder, Event } from '../../../controllers/events.ts'
import { broken, fakeApi, jsonAnswer, statusAnswer, thing } from './fake-api.ts'
import {
  acrossPort,
  eventually,
  inProcess,
  Namespace,
  overTLS,
  type RealServer,
  Widget,
  widget,
} from './real-server.ts'

async function refused(t: ExecutionContext, write: Promise<unknown>, reason: ApiErrorReason): Promise<ApiError> {
  const error = await t.throwsAsync(write, { instanceOf: ApiError })
  t.is(error.reason, reason, error.message)
  return error
}

for (const [how, start] of [
  ['in process', inProcess],
  ['across a port', acrossPort],
  ['over TLS', overTLS],
] as const) {
  async function started(t: ExecutionContext): Promise<RealServer> {
    const server = await start()
    t.teardown(() => server.close())
    return server
  }

  test(`${how}: an object is created, read and listed with its type`, async t => {
    const { client } = await started(t)
    const created = await client.create(Widget, widget('a', { size: 3, color: 'red' }))
    t.is(created.spec.size, 3)
    t.truthy(created.metadata.uid)
    t.deepEqual(await client.get(Widget, 'a', 'shop'), created)
    t.is(await client.get(Widget, 'b', 'shop'), undefined)
    await refused(t, client.create(Widget, widget('a')), 'AlreadyExists')
    await client.create(Widget, widget('b', { size: 1, color: 'blue' }, { labels: { tier: 'web' } }))
    const names = async (options: Parameters<typeof client.list>[1]) =>
      (await client.list(Widget, options)).items.map(({ metadata }) => metadata.name)
    t.deepEqual(await names({}), ['a', 'b'])
    t.deepEqual(await names({ namespace: 'shop', labelSelector: 'tier=web' }), ['b'])
    t.deepEqual(await names({ fieldSelector: 'spec.color=red' }), ['a'])
    t.deepEqual(await names({ namespace: 'default' }), [])
  })

  test(`${how}: what the schema refuses is Invalid and names the field; a missing namespace is NotFound`, async t => {
    const { client } = await started(t)
    const error = await refused(t, client.create(Widget, widget('a', { size: 0 })), 'Invalid')
    t.is(error.status, 422)
    t.is(error.causes[0]?.field, 'spec.size')
    await refused(t, client.create(Widget, widget('a', { size: 1 }, { namespace: 'nowhere' })), 'NotFound')
    await refused(
      t,
      client.create(Widget, widget('a', { size: 'x' } as never), { fieldValidation: 'Strict' }),
      'Invalid',
    )
  })

  test(`${how}: a replacement is compare-and-swap`, async t => {
    const { client } = await started(t)
    const first = await client.create(Widget, widget('a'))
    const second = await client.replace(Widget, { ...first, spec: { size: 2 } })
    t.is(second.spec.size, 2)
    t.is(second.metadata.generation, 2)
    await refused(t, client.replace(Widget, { ...first, spec: { size: 3 } }), 'Conflict')
  })

  test(`${how}: a status patch merges into exactly the version that was read`, async t => {
    const { client } = await started(t)
    const first = await client.create(Widget, widget('a'))
    const second = await client.patchStatus(Widget, first, { seen: 1 })
    t.is(second.status?.seen, 1)
    t.is(second.metadata.generation, 1)
    await refused(t, client.patchStatus(Widget, first, { seen: 2 }), 'Conflict')
    const same = await client.patchStatus(Widget, second, { seen: 1 })
    t.is(same.metadata.resourceVersion, second.metadata.resourceVersion)
    t.is((await client.patchStatus(Widget, second, { seen: null })).status?.seen, undefined)
    const other = { metadata: { ...second.metadata, uid: '00000000-0000-4000-8000-000000000000' } }
    await refused(t, client.patchStatus(Widget, other, { seen: 3 }), 'Conflict')
  })

  test(`${how}: a deletion takes exactly the object that is meant, and says whether something holds it`, async t => {
    const { client } = await started(t)
    const first = await client.create(Widget, widget('a'))
    const other = { ...first.metadata, uid: '00000000-0000-4000-8000-000000000000' }
    await refused(t, client.remove(Widget, other), 'Conflict')
    await refused(t, client.remove(Widget, first.metadata, { resourceVersion: '1' }), 'Conflict')
    t.is(await client.remove(Widget, first.metadata), undefined)
    await refused(t, client.remove(Widget, first.metadata), 'NotFound')
    const held = await client.create(Widget, widget('b', { size: 1 }, { finalizers: ['test.dev/hold'] }))
    const going = await client.remove(Widget, held.metadata)
    t.truthy(going?.metadata.deletionTimestamp)
    if (going === undefined) return
    await client.patchFinalizers(Widget, going, [])
    t.is(await client.get(Widget, 'b', 'shop'), undefined)
  })

  test(`${how}: finalizers are set where there are none, and only on the version that was read`, async t => {
    const { client } = await started(t)
    const first = await client.create(Widget, widget('a'))
    const second = await client.patchFinalizers(Widget, first, ['test.dev/one'])
    t.deepEqual(second.metadata.finalizers, ['test.dev/one'])
    const error = await refused(t, client.patchFinalizers(Widget, first, ['test.dev/two']), 'Conflict')
    t.is(error.status, 409)
    const third = await client.patchFinalizers(Widget, second, ['test.dev/one', 'test.dev/two'])
    t.deepEqual(third.metadata.finalizers, ['test.dev/one', 'test.dev/two'])
  })

  test(`${how}: an apply creates and changes its own fields, and is refused another's without force`, async t => {
    const { client } = await started(t)
    const first = await client.apply(Widget, widget('a', { size: 1, color: 'red' }))
    t.is(first.spec.color, 'red')
    const again = await client.apply(Widget, widget('a', { size: 1, color: 'red' }))
    t.is(again.metadata.resourceVersion, first.metadata.resourceVersion)
    t.is((await client.apply(Widget, widget('a', { size: 1 }))).spec.color, undefined)
    const theirs = widget('a', { size: 9 })
    await refused(t, client.apply(Widget, theirs, { fieldManager: 'somebody' }), 'Conflict')
    t.is((await client.apply(Widget, theirs, { fieldManager: 'somebody', force: true })).spec.size, 9)
    const gone = widget('b', { size: 1 }, { uid: '00000000-0000-4000-8000-000000000000' })
    await refused(t, client.apply(Widget, gone), 'Conflict')
  })

  test(`${how}: a dry run is judged and keeps nothing`, async t => {
    const { client } = await started(t)
    await client.create(Widget, widget('a'), { dryRun: true })
    t.is(await client.get(Widget, 'a', 'shop'), undefined)
    const kept = await client.create(Widget, widget('a'))
    await client.replace(Widget, { ...kept, spec: { size: 5 } }, { dryRun: true })
    await client.patchStatus(Widget, kept, { seen: 5 }, { dryRun: true })
    await client.remove(Widget, kept.metadata, { dryRun: true })
    t.deepEqual(await client.get(Widget, 'a', 'shop'), kept)
  })

  test(`${how}: a reflector keeps its sink equal to the server through pages, changes and deletions`, async t => {
    const { client, environment } = await started(t)
    for (let index = 0; index < 7; index++) await client.create(Widget, widget(`w-${index}`))
    const sizes = new Map<string, number>()
    const errors: unknown[] = []
    const reflector = createReflector({
      client,
      kind: Widget,
      environment,
      pageSize: 3,
      onError: error => errors.push(error),
      sink: {
        replace(objects) {
          sizes.clear()
          for (const { metadata, spec } of objects) sizes.set(metadata.name, spec.size)
        },
        upsert: ({ metadata, spec }) => void sizes.set(metadata.name, spec.size),
        remove: ({ metadata }) => void sizes.delete(metadata.name),
        bookmark: () => undefined,
      },
    })
    reflector.start()
    await reflector.synced
    t.is(sizes.size, 7)
    const first = await client.get(Widget, 'w-0', 'shop')
    if (first === undefined) return t.fail('w-0 is missing')
    await client.replace(Widget, { ...first, spec: { size: 42 } })
    await client.create(Widget, widget('new', { size: 7 }))
    const second = await client.get(Widget, 'w-1', 'shop')
    if (second !== undefined) await client.remove(Widget, second.metadata)
    await eventually(() => sizes.get('w-0') === 42 && sizes.get('new') === 7 && !sizes.has('w-1'))
    t.is(sizes.size, 7)
    await reflector.stop()
    t.deepEqual(errors, [])
  })

  test(`${how}: an event of the recorder is an event of Kubernetes`, async t => {
    const { client, environment } = await started(t)
    const subject = await client.create(Widget, widget('a'))
    const recorder = createEventRecorder({ client, environment })
    recorder.record(subject, { type: 'Warning', reason: 'TooSmall', action: 'Reconcile', note: 'Make it larger.' })
    await recorder.stop()
    const [event] = (await client.list(Event, { namespace: 'shop' })).items
    t.like(event, {
      kind: 'Event',
      reason: 'TooSmall',
      note: 'Make it larger.',
      regarding: { name: 'a', uid: subject.metadata.uid },
    })
  })
}

test('paths follow group and scope, with names escaped', t => {
  t.is(collectionPath(Widget), '/apis/test.dev/v1/widgets')
  t.is(
    collectionPath(Widget, 'shop', { limit: 5, continue: undefined, labelSelector: 'a=b' }),
    '/apis/test.dev/v1/namespaces/shop/widgets?limit=5&labelSelector=a%3Db',
  )
  t.is(collectionPath(Namespace, 'ignored'), '/api/v1/namespaces')
  t.is(
    objectPath(Widget, { name: 'a/../b', namespace: 'shop' }, {}, 'status'),
    '/apis/test.dev/v1/namespaces/shop/widgets/a%2F..%2Fb/status',
  )
  t.throws(() => objectPath(Widget, { name: 'a' }), {
    message: 'Cannot name Widget a: it lives in a namespace and none is given',
  })
})

test('a list that expires midway begins again, three times at most', async t => {
  const api = fakeApi()
  const client = createClient(api.transport)
  for (let index = 0; index < 600; index++) api.putUnseen(`t-${index}`)
  api.script.push(undefined, statusAnswer(410, 'Expired'))
  t.is((await client.list(thing)).items.length, 600)
  for (let count = 0; count < 3; count++) api.script.push(statusAnswer(410, 'Expired'))
  await refused(t, client.list(thing), 'Expired')
})

for (const [code, reason, expected, transient] of [
  [400, 'BadRequest', 'BadRequest', false],
  [401, 'Unauthorized', 'Unauthorized', false],
  [403, 'Forbidden', 'Forbidden', false],
  [409, 'Conflict', 'Conflict', false],
  [409, 'AlreadyExists', 'AlreadyExists', false],
  [410, 'Gone', 'Expired', false],
  [422, 'Invalid', 'Invalid', false],
  [429, 'TooManyRequests', 'TooManyRequests', true],
  [500, 'InternalError', 'InternalError', true],
  [503, 'ServiceUnavailable', 'Unavailable', true],
  [504, 'Timeout', 'Timeout', true],
] as const) {
  test(`${code} ${reason} is the error ${expected}`, async t => {
    const api = fakeApi()
    api.script.push(statusAnswer(code, reason))
    const error = await refused(t, createClient(api.transport).page(thing), expected)
    t.is(error.status, code)
    t.is(error.message, `it is ${reason}`)
    t.is(error.transient, transient)
  })
}

test('the wait that a server asks for is read from the header or the details, in ms', async t => {
  const api = fakeApi()
  const client = createClient(api.transport)
  api.script.push(
    jsonAnswer(429, { kind: 'Status' }, { 'retry-after': '3' }),
    statusAnswer(503, 'ServiceUnavailable', { retryAfterSeconds: 2 }),
  )
  t.is((await refused(t, client.list(thing), 'TooManyRequests')).retryAfterMs, 3_000)
  t.is((await refused(t, client.list(thing), 'Unavailable')).retryAfterMs, 2_000)
})

test('an answer that is no JSON is an error with its status, from a proxy in between say', async t => {
  const api = fakeApi()
  const client = createClient(api.transport)
  api.script.push(
    { status: 502, headers: {}, body: Buffer.from('<html>') },
    { status: 200, headers: {}, body: Buffer.from('<html>') },
  )
  t.is((await refused(t, client.list(thing), 'Unavailable')).message, 'HTTP status 502')
  t.regex((await refused(t, client.list(thing), 'Unavailable')).message, /no JSON/)
})

test('a request without an answer is passed on as it is', async t => {
  const api = fakeApi()
  api.script.push(broken())
  await refused(t, createClient(api.transport).get(thing, 'a'), 'Unavailable')
})

test('items of built-in lists get the kind that the list leaves out', async t => {
  const api = fakeApi()
  api.script.push(
    jsonAnswer(200, {
      kind: 'NamespaceList',
      metadata: { resourceVersion: '5' },
      items: [{ metadata: { name: 'a' } }],
    }),
  )
  const { items, resourceVersion } = await createClient(api.transport).list(Namespace)
  t.like(items[0], { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } })
  t.is(resourceVersion, '5')
})
