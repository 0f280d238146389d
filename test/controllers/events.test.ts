import test from 'ava'
import { ApiError } from '../../controllers/api/api-error.ts'
import { createClient } from '../../controllers/api/client.ts'
import { createEventRecorder } from '../../controllers/events.ts'
import { virtualEnvironment } from '../../drivers/simulator/virtual-clock.ts'
import { fakeApi, jsonAnswer, statusAnswer } from './api/fake-api.ts'

const note = { type: 'Warning', reason: 'HostLost', action: 'Reconcile', note: 'It does not answer.' } as const

function subject(name: string, namespace?: string) {
  const metadata = { name, uid: `uid-${name}`, resourceVersion: '7', ...(namespace !== undefined && { namespace }) }
  return { apiVersion: 'test.dev/v1', kind: 'Thing', metadata }
}

function recording(seed = 1) {
  const environment = virtualEnvironment(seed)
  const api = fakeApi()
  const dropped: string[] = []
  const recorder = createEventRecorder({
    client: createClient({
      ...api.transport,
      // The API gives what is created a uid.
      async request(request) {
        const answer = await api.transport.request(request)
        if (request.method !== 'POST' || answer.status !== 200) return answer
        const object = JSON.parse(String(request.body))
        return jsonAnswer(201, { ...object, metadata: { ...object.metadata, uid: 'event-uid' } })
      },
    }),
    environment,
    instance: 'replica-1',
    metrics: { eventDropped: reason => dropped.push(reason) },
  })
  const written = () => api.requests.map(({ method, path, body }) => ({ method, path, body: JSON.parse(String(body)) }))
  return { ...environment, api, recorder, dropped, written }
}

test('an event says what happened to what, by whom and when', async t => {
  const { recorder, written, flush } = recording()
  recorder.record(subject('web', 'shop'), note)
  await flush()
  const [event] = written()
  t.is(event?.method, 'POST')
  t.is(event?.path.split('?')[0], '/apis/events.k8s.io/v1/namespaces/shop/events')
  t.regex(event?.body.metadata.name, /^web\.[0-9a-f]{16}$/)
  t.like(event?.body, {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'skystead.dev/controller',
    reportingInstance: 'replica-1',
    action: 'Reconcile',
    reason: 'HostLost',
    type: 'Warning',
    note: 'It does not answer.',
    regarding: { apiVersion: 'test.dev/v1', kind: 'Thing', name: 'web', namespace: 'shop', uid: 'uid-web' },
  })
})

test('an event of an object without a namespace goes to the namespace default', async t => {
  const { recorder, written, flush } = recording()
  recorder.record(subject('zone-1'), note)
  await flush()
  t.is(written()[0]?.path.split('?')[0], '/apis/events.k8s.io/v1/namespaces/default/events')
})

test('names of events replay from the seed and differ from each other', async t => {
  const names = async (seed: number) => {
    let count = 0
    const { recorder, written, flush } = recording(seed)
    for (const name of ['a', 'a', 'b']) recorder.record(subject(name), { ...note, note: `${name} ${count++}` })
    await flush()
    return written().map(({ body }) => body.metadata.name)
  }
  const first = await names(1)
  t.deepEqual(first, await names(1))
  t.notDeepEqual(first, await names(2))
  t.is(new Set(first).size, 3)
})

test('repetitions are counted on the event, written once a minute at most', async t => {
  const { recorder, written, advance } = recording()
  for (let second = 0; second < 150; second++) {
    recorder.record(subject('web', 'shop'), note)
    await advance(1_000)
  }
  const [created, ...patches] = written()
  t.is(created?.method, 'POST')
  t.deepEqual(
    patches.map(({ method, path, body }) => [method, path.split('?')[0], body.at(-1)]),
    [61, 121].map(count => [
      'PATCH',
      `/apis/events.k8s.io/v1/namespaces/shop/events/${created?.body.metadata.name}`,
      {
        op: 'add',
        path: '/series',
        value: { count, lastObservedTime: `2026-01-01T00:0${count === 61 ? 1 : 2}:00.000000Z` },
      },
    ]),
  )
})

test('a repetition after six quiet minutes is an event of its own', async t => {
  const { recorder, written, advance } = recording()
  recorder.record(subject('web'), note)
  await advance(361_000)
  recorder.record(subject('web'), note)
  await advance(0)
  t.deepEqual(
    written().map(({ method }) => method),
    ['POST', 'POST'],
  )
})

test('an object gets 25 events at once, then one in five minutes; others are not held back by it', async t => {
  const { recorder, written, dropped, advance } = recording()
  for (let index = 0; index < 40; index++) recorder.record(subject('noisy'), { ...note, note: `number ${index}` })
  recorder.record(subject('quiet'), note)
  await advance(0)
  t.is(written().length, 26)
  t.deepEqual(dropped, Array(15).fill('ObjectLimit'))
  await advance(300_000)
  for (let index = 0; index < 3; index++) recorder.record(subject('noisy'), { ...note, note: `later ${index}` })
  await advance(0)
  t.is(written().length, 27)
})

test('a note keeps at most 1,024 bytes, cut between characters', async t => {
  const { recorder, written, flush } = recording()
  recorder.record(subject('web'), { ...note, note: 'ä'.repeat(2_000) })
  await flush()
  const text: string = written()[0]?.body.note
  t.true(Buffer.byteLength(text) <= 1_024)
  t.regex(text, /^ä{510}…$/)
})

test('an API under pressure loses events, not time: the rest of the burst and what follows is dropped', async t => {
  const { recorder, api, written, dropped, advance } = recording()
  api.script.push(statusAnswer(429, 'TooManyRequests', { retryAfterSeconds: 10 }))
  for (let index = 0; index < 20; index++) recorder.record(subject(`vm-${index}`), note)
  await advance(9_000)
  recorder.record(subject('late'), note)
  await advance(0)
  t.true(written().length <= 2)
  t.is(dropped[0], 'Refused')
  t.is(dropped.at(-1), 'Pressure')
  await advance(2_000)
  recorder.record(subject('later'), note)
  await advance(0)
  t.is(written().at(-1)?.body.regarding.name, 'later')
})

test('at most 500 wait; more are dropped at once', async t => {
  const { recorder, dropped, written, advance } = recording()
  for (let index = 0; index < 700; index++) recorder.record(subject(`vm-${index}`), note)
  t.true(dropped.length >= 190 && dropped.every(reason => reason === 'Pressure'))
  await advance(0)
  t.is(written().length, 700 - dropped.length)
})

test('a refused event is dropped, nothing is thrown, and no repetition is written on it', async t => {
  const { recorder, api, dropped, written, advance } = recording()
  api.script.push(new ApiError('namespace is being deleted', { status: 403, reason: 'Forbidden' }))
  recorder.record(subject('web', 'going'), note)
  await advance(61_000)
  recorder.record(subject('web', 'going'), note)
  await advance(0)
  t.deepEqual(dropped, ['Refused'])
  t.is(written().length, 1)
})

test('stop sends what waits, but not for longer than a second', async t => {
  const quick = recording()
  for (let index = 0; index < 50; index++) quick.recorder.record(subject(`vm-${index}`), note)
  await quick.until(quick.recorder.stop())
  quick.recorder.record(subject('late'), note)
  await quick.flush()
  t.is(quick.written().length, 50)

  const environment = virtualEnvironment()
  const hanging = createEventRecorder({
    environment,
    client: {
      create: (_kind, _object, options) =>
        new Promise((_resolve, reject) =>
          options?.signal?.addEventListener('abort', () => reject(options.signal?.reason)),
        ),
      patchMetadata: () => Promise.reject(new Error('not asked for')),
    },
  })
  for (let index = 0; index < 50; index++) hanging.record(subject(`vm-${index}`), note)
  await environment.until(hanging.stop())
  t.is(environment.clock.monotonic(), 1_001_000)
})
