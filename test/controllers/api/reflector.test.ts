import test from 'ava'
import { ApiError } from '../../../controllers/api/api-error.ts'
import { createClient } from '../../../controllers/api/client.ts'
import { createReflector, type ReflectorOptions } from '../../../controllers/api/reflector.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { broken, expired, fakeApi, statusAnswer, thing } from './fake-api.ts'

function watching(options: Partial<Pick<ReflectorOptions<typeof thing>, 'pageSize' | 'relistInterval' | 'sink'>> = {}) {
  const api = fakeApi()
  const environment = virtualEnvironment()
  const names = new Set<string>()
  const told: string[] = []
  const errors: unknown[] = []
  const reflector = createReflector({
    client: createClient(api.transport),
    kind: thing,
    environment,
    onError: error => errors.push(error),
    sink: {
      replace(objects, version) {
        names.clear()
        for (const { metadata } of objects) names.add(metadata.name)
        told.push(`replace ${objects.length}@${version}`)
      },
      upsert({ metadata }) {
        names.add(metadata.name)
        told.push(`upsert ${metadata.name}`)
      },
      remove({ metadata }) {
        names.delete(metadata.name)
        told.push(`remove ${metadata.name}`)
      },
      bookmark: version => told.push(`bookmark ${version}`),
    },
    ...options,
  })
  const reasons = () => errors.map(error => (error instanceof ApiError ? error.reason : String(error)))
  return { ...environment, api, reflector, names, told, errors, reasons }
}

function versionOf(path: string | undefined): string | null {
  return new URL(path ?? '', 'http://fake').searchParams.get('resourceVersion')
}

test('it lists page by page, is synced, and follows from the version of the list', async t => {
  const { api, reflector, names, told, flush } = watching({ pageSize: 2 })
  for (const name of ['a', 'b', 'c', 'd', 'e']) api.put(name)
  reflector.start()
  await reflector.synced
  await flush()
  t.deepEqual(told, ['replace 5@105'])
  t.is(api.requests.length, 3)
  const query = new URL(api.watched[0] ?? '', 'http://fake').searchParams
  t.is(query.get('watch'), 'true')
  t.is(query.get('allowWatchBookmarks'), 'true')
  t.is(query.get('resourceVersion'), '105')
  const seconds = Number(query.get('timeoutSeconds'))
  t.true(seconds >= 300 && seconds <= 600)
  api.put('f')
  api.put('a')
  api.drop('b')
  api.bookmark()
  t.deepEqual(told.slice(1), ['upsert f', 'upsert a', 'remove b', 'bookmark 109'])
  t.deepEqual([...names].toSorted(), ['a', 'c', 'd', 'e', 'f'])
  await reflector.stop()
})

test('a watch that the server closes is resumed at once from the last version, bookmarks included', async t => {
  const { api, reflector, advance, errors } = watching()
  reflector.start()
  await advance(0)
  api.put('a')
  api.end()
  await advance(0)
  t.is(versionOf(api.watched[1]), '101')
  api.bookmark()
  await advance(400_000)
  api.end()
  await advance(0)
  t.is(versionOf(api.watched[2]), '102')
  t.deepEqual(errors, [])
  t.is(reflector.lists(), 1)
  await reflector.stop()
})

test('a broken watch is resumed from the last version with back-off from 0.2 s to 30 s', async t => {
  const { api, reflector, advance, until, clock, reasons } = watching({ relistInterval: Number.POSITIVE_INFINITY })
  reflector.start()
  await advance(0)
  const waits: number[] = []
  for (let failure = 0; failure < 12; failure++) {
    const from = clock.monotonic()
    const opened = api.watched.length
    api.end(broken())
    await until(() => api.watched.length > opened)
    waits.push(clock.monotonic() - from)
  }
  waits.forEach((wait, failure) => {
    const nominal = Math.min(30_000, 200 * 2 ** failure)
    t.true(wait >= nominal / 2 && wait <= nominal, `${failure}: ${wait}`)
  })
  t.is(reasons().length, 12)
  api.put('progress')
  const from = clock.monotonic()
  const opened = api.watched.length
  api.end(broken())
  await until(() => api.watched.length > opened)
  t.true(clock.monotonic() - from <= 200)
  t.is(reflector.lists(), 1)
  await reflector.stop()
})

test('a watch that lived ten seconds was no failure whatever ended it', async t => {
  const { api, reflector, advance, until, clock } = watching()
  reflector.start()
  await advance(0)
  for (let round = 0; round < 4; round++) {
    await advance(10_000)
    const from = clock.monotonic()
    const opened = api.watched.length
    api.end(broken())
    await until(() => api.watched.length > opened)
    t.true(clock.monotonic() - from <= 200)
  }
  t.is(reflector.lists(), 1)
  await reflector.stop()
})

for (const [where, expire] of [
  [
    'in the stream',
    (api: ReturnType<typeof fakeApi>) => api.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired' }),
  ],
  ['as the answer', (api: ReturnType<typeof fakeApi>) => api.end(expired())],
] as const) {
  test(`410 ${where} lists everything again, and what went unseen is mended`, async t => {
    const { api, reflector, names, advance, reasons } = watching()
    api.put('gone')
    reflector.start()
    await advance(0)
    api.dropUnseen('gone')
    api.putUnseen('new')
    expire(api)
    await advance(0)
    t.deepEqual([...names], ['new'])
    t.deepEqual(reasons(), ['Expired'])
    t.is(versionOf(api.watched[1]), '102')
    await reflector.stop()
  })
}

test('410 again and again does not become a storm of lists', async t => {
  const { api, reflector, advance } = watching()
  for (let count = 0; count < 1_000; count++) api.refusals.push(expired())
  reflector.start()
  await advance(60_000)
  t.true(reflector.lists() < 15, `${reflector.lists()} lists in a minute`)
  await reflector.stop()
})

test('410 in the middle of a paged list begins it again', async t => {
  const { api, reflector, told, advance, reasons } = watching({ pageSize: 2 })
  for (const name of ['a', 'b', 'c']) api.put(name)
  api.script.push(undefined, statusAnswer(410, 'Expired'))
  reflector.start()
  await advance(0)
  t.deepEqual(told, ['replace 3@103'])
  t.deepEqual(reasons(), ['Expired'])
  const pages = api.requests.map(({ path }) => new URL(path, 'http://fake').searchParams.get('continue'))
  t.deepEqual(pages, [null, '2', null, '2'])
  await reflector.stop()
})

test('a version that the server refuses for any reason is given up after three refusals', async t => {
  const { api, reflector, advance } = watching()
  reflector.start()
  await advance(0)
  for (let count = 0; count < 3; count++)
    api.refusals.push(new ApiError('Too large resource version', { status: 504, reason: 'Timeout' }))
  api.end(broken())
  await advance(5_000)
  t.is(reflector.lists(), 2)
  t.is(api.watches.length, 1)
  await reflector.stop()
})

test('a list that fails is tried again with back-off until it answers', async t => {
  const { api, reflector, told, advance, reasons } = watching()
  api.script.push(broken(), statusAnswer(500, 'InternalError'), statusAnswer(403, 'Forbidden'))
  reflector.start()
  await advance(3_000)
  t.deepEqual(reasons(), ['Unavailable', 'InternalError', 'Forbidden'])
  t.deepEqual(told, ['replace 0@100'])
  await reflector.stop()
})

test('the wait that a throttling server asks for is kept', async t => {
  const { api, reflector, told, advance } = watching()
  api.script.push(statusAnswer(429, 'TooManyRequests', { retryAfterSeconds: 7 }))
  reflector.start()
  await advance(6_900)
  t.deepEqual(told, [])
  await advance(200)
  t.deepEqual(told, ['replace 0@100'])
  await reflector.stop()
})

test('a watch that died silently is found out by a list within ten minutes', async t => {
  const { api, reflector, names, advance, errors } = watching()
  api.put('a')
  reflector.start()
  await advance(0)
  api.dropUnseen('a')
  api.putUnseen('b')
  await advance(479_000)
  t.deepEqual([...names], ['a'])
  await advance(121_000)
  t.deepEqual([...names], ['b'])
  t.deepEqual(errors, [])
  t.is(reflector.lists(), 2)
  await reflector.stop()
})

test('a merely idle watch is opened again and is no error', async t => {
  const { api, reflector, advance, errors } = watching()
  reflector.start()
  await advance(60_000)
  api.end(new ApiError('nothing came', { status: 0, reason: 'Silent' }))
  await advance(0)
  t.is(api.watches.length, 1)
  t.deepEqual(errors, [])
  await reflector.stop()
})

test('a server that closes every watch at once is not hammered', async t => {
  const { api, reflector, until, clock } = watching()
  reflector.start()
  await reflector.synced
  const from = clock.monotonic()
  for (let count = 1; count <= 8; count++) {
    await until(() => api.watched.length === count)
    api.end()
  }
  t.true(clock.monotonic() - from > 5_000)
  await reflector.stop()
})

test('what a sink throws is told, and mended by a list', async t => {
  const names: string[] = []
  let refuse = true
  const { api, reflector, advance, errors } = watching({
    sink: {
      replace: objects => void names.splice(0, names.length, ...objects.map(({ metadata }) => metadata.name)),
      upsert() {
        if (refuse) throw new Error('no room')
      },
      remove: () => undefined,
      bookmark: () => undefined,
    },
  })
  reflector.start()
  await advance(0)
  api.put('a')
  refuse = false
  await advance(1_000)
  t.deepEqual(names, ['a'])
  t.deepEqual(errors.map(String), ['Error: no room'])
  await reflector.stop()
})

test('an error handler that throws does not stop it', async t => {
  const api = fakeApi()
  const { advance, ...environment } = virtualEnvironment()
  const reflector = createReflector({
    client: createClient(api.transport),
    kind: thing,
    environment,
    sink: { replace: () => undefined, upsert: () => undefined, remove: () => undefined, bookmark: () => undefined },
    onError: () => {
      throw new Error('handler')
    },
  })
  api.script.push(broken())
  reflector.start()
  await advance(1_000)
  await reflector.synced
  await reflector.stop()
  t.pass()
})

test('stopping ends the watch, sets no timer and tells nothing more', async t => {
  const { api, reflector, told, timers, flush } = watching()
  reflector.start()
  await reflector.synced
  await flush()
  const [watch] = api.watches
  await reflector.stop()
  watch?.options.onEvent('ADDED', { metadata: { name: 'late', resourceVersion: '999' } })
  t.deepEqual(told, ['replace 0@100'])
  t.is(api.watches.length, 0)
  t.is(timers(), 0)
})

test('stopping before the first list, or during a back-off, rejects synced and ends at once', async t => {
  const never = watching()
  await never.reflector.stop()
  await t.throwsAsync(never.reflector.synced, { message: /Cannot fill the cache of things/ })
  const failing = watching()
  for (let count = 0; count < 100; count++) failing.api.script.push(broken())
  failing.reflector.start()
  await failing.advance(20_000)
  await failing.reflector.stop()
  await t.throwsAsync(failing.reflector.synced, { message: /Cannot fill the cache of things/ })
  t.is(failing.timers(), 0)
})

test('stopping at the very moment of the first list ends it too', async t => {
  const { reflector, api, timers } = watching()
  reflector.start()
  await reflector.synced
  await reflector.stop()
  t.is(api.watches.length, 0)
  t.is(timers(), 0)
})

test('it tells when something last came', async t => {
  const { api, reflector, advance, clock } = watching()
  t.is(reflector.lastHeard(), undefined)
  reflector.start()
  await advance(5_000)
  t.is(reflector.lastHeard(), clock.monotonic() - 5_000)
  api.bookmark()
  t.is(reflector.lastHeard(), clock.monotonic())
  await reflector.stop()
})

test('relisted: a list begun from now on brings what a silent watch did not tell', async t => {
  const { api, reflector, names, advance } = watching()
  api.put('a')
  reflector.start()
  await reflector.synced
  await advance(0)
  api.dropUnseen('a')
  api.putUnseen('b')
  const lists = reflector.lists()
  const relisted = reflector.relisted()
  await advance(100)
  await relisted
  t.is(reflector.lists(), lists + 1)
  t.deepEqual([...names], ['b'])
  t.is(api.watched.length, 2, 'and it is followed from there')
  await reflector.stop()
  await t.throwsAsync(reflector.relisted())
})

test('relisted waits through failures, and rejects when it is stopped', async t => {
  const { api, reflector, advance } = watching()
  reflector.start()
  await advance(0)
  api.script.push(...Array.from({ length: 50 }, () => broken()))
  const relisted = reflector.relisted()
  relisted.catch(() => undefined)
  await advance(1_000)
  const stopped = reflector.stop()
  await advance(60_000)
  await stopped
  await t.throwsAsync(relisted, { message: /it was stopped/ })
})
