import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import test from 'ava'
import { inProcessTransport } from '../../../controllers/api/in-process-transport.ts'
import { portTransport, servePort } from '../../../controllers/api/port-transport.ts'
import type { Transport } from '../../../controllers/api/transport.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { type EchoState, echoHandler } from './echo-handler.ts'

function direct() {
  const { handle, state } = echoHandler()
  return { transport: inProcessTransport(handle), state, end: async () => undefined }
}

function acrossPort() {
  const { handle, state } = echoHandler()
  const { port1, port2 } = new MessageChannel()
  const served = servePort(port2, handle)
  return { transport: portTransport(port1), state, end: async () => served.close() }
}

async function json(transport: Transport, request: Parameters<Transport['request']>[0]) {
  const { body } = await transport.request(request)
  return JSON.parse(Buffer.from(body).toString('utf8'))
}

function push(state: EchoState, ...chunks: (Uint8Array | string | undefined)[]): void {
  state.chunks.push(...chunks.map(chunk => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)))
  state.wake()
}

/** Waits until something holds: for a port, a few turns of the event loop. */
async function eventually(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000 && !holds(); turn++) await new Promise(resolve => setImmediate(resolve))
  if (!holds()) throw new Error('did not come to hold')
}

for (const [name, make] of [
  ['in process', direct],
  ['across a port', acrossPort],
] as const) {
  test(`${name}: requests and answers come through as they are`, async t => {
    const { transport, end } = make()
    t.deepEqual(await json(transport, { method: 'GET', path: '/apis/a?limit=5' }), {
      method: 'GET',
      path: '/apis/a?limit=5',
      headers: { accept: 'application/json' },
    })
    const text = JSON.stringify({ name: 'Grüße'.repeat(10_000) })
    const echoed = await json(transport, {
      method: 'PATCH',
      path: '/apis/a/b',
      body: text,
      contentType: 'application/merge-patch+json',
      accept: 'application/yaml',
    })
    t.is(echoed.body, text)
    t.deepEqual(echoed.headers, { accept: 'application/yaml', 'content-type': 'application/merge-patch+json' })
    await transport.close()
    await end()
  })

  test(`${name}: many requests at the same time each get their own answer`, async t => {
    const { transport, end } = make()
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        json(transport, { method: 'POST', path: `/apis/${index}`, body: `body ${index}` }),
      ),
    )
    for (const [index, answer] of answers.entries()) t.like(answer, { path: `/apis/${index}`, body: `body ${index}` })
    await transport.close()
    await end()
  })

  test(`${name}: a request that fails without an answer is Unavailable and says why`, async t => {
    const { transport, end } = make()
    await t.throwsAsync(transport.request({ method: 'GET', path: '/fail' }), {
      name: 'ApiError',
      message: 'Cannot reach the API for /fail: the disk is on fire',
    })
    await transport.close()
    await end()
  })

  test(`${name}: an aborted request rejects with the signal's reason, and the server learns of it`, async t => {
    const { transport, state, end } = make()
    const controller = new AbortController()
    const request = transport.request({ method: 'GET', path: '/hang', signal: controller.signal })
    await eventually(() => state.requests.length === 1)
    controller.abort(new Error('no longer needed'))
    await t.throwsAsync(request, { message: 'no longer needed' })
    await eventually(() => state.requests[0]?.signal?.aborted === true)
    await t.throwsAsync(transport.request({ method: 'GET', path: '/', signal: controller.signal }), {
      message: 'no longer needed',
    })
    t.is(state.requests.length, 1)
    await transport.close()
    await end()
  })

  test(`${name}: a watch tells events in order however the stream is cut, and resolves when the server closes it`, async t => {
    const { transport, state, end } = make()
    const events: unknown[] = []
    const watch = transport.watch('/watch', {
      signal: new AbortController().signal,
      onEvent: (type, object) => events.push([type, object]),
    })
    const bytes = Buffer.from(
      '{"type":"ADDED","object":{"n":"ä"}}\n{"type":"MODIFIED","object":{"n":2}}\n{"type":"BOOKMARK","object":{}}\n',
    )
    for (const byte of bytes) push(state, Buffer.from([byte]))
    await eventually(() => events.length === 3)
    push(state, '{"type":"DELETED","object":{"n":2}}\n\n{"type":"ERROR","object":{"code":410}}\n', undefined)
    await watch
    t.deepEqual(events, [
      ['ADDED', { n: 'ä' }],
      ['MODIFIED', { n: 2 }],
      ['BOOKMARK', {}],
      ['DELETED', { n: 2 }],
      ['ERROR', { code: 410 }],
    ])
    t.is(state.openWatches, 0)
    await transport.close()
    await end()
  })

  test(`${name}: an aborted watch resolves and is closed on the server too`, async t => {
    const { transport, state, end } = make()
    const controller = new AbortController()
    const watch = transport.watch('/watch', { signal: controller.signal, onEvent: () => undefined })
    await eventually(() => state.openWatches === 1)
    controller.abort()
    await watch
    await eventually(() => state.openWatches === 0)
    await transport.watch('/watch', { signal: controller.signal, onEvent: () => t.fail() })
    t.is(state.openWatches, 0)
    await transport.close()
    await end()
  })

  test(`${name}: a refused watch rejects with the server's reason, a stream of something else is an error`, async t => {
    const { transport, state, end } = make()
    const options = { signal: new AbortController().signal, onEvent: () => undefined }
    const refusal = await t.throwsAsync(transport.watch('/gone?watch=true', options))
    t.like(refusal, { name: 'ApiError', reason: 'Expired', status: 410, message: 'too old' })
    push(state, '{"no":"event"}\n')
    await t.throwsAsync(transport.watch('/watch', options), { message: /no watch event/ })
    await transport.close()
    await end()
  })

  test(`${name}: closing ends watches`, async t => {
    const { transport, state, end } = make()
    const watch = transport.watch('/watch', { signal: new AbortController().signal, onEvent: () => undefined })
    await eventually(() => state.openWatches === 1)
    await transport.close()
    await watch
    await eventually(() => state.openWatches === 0)
    await end()
    t.pass()
  })
}

test('in process: an aborted watch resolves although the server does not notice', async t => {
  const deaf = async function* (): AsyncGenerator<Uint8Array> {
    await new Promise(() => undefined)
    yield Buffer.alloc(0)
  }
  const opened = Promise.withResolvers<void>()
  const transport = inProcessTransport(async () => {
    opened.resolve()
    return { status: 200, headers: {}, body: deaf() }
  })
  const controller = new AbortController()
  const watch = transport.watch('/watch', { signal: controller.signal, onEvent: () => undefined })
  await opened.promise
  controller.abort()
  await watch
  t.pass()
})

test('across a port: when the server closes its side, all that is under way fails, and so does what follows', async t => {
  const { transport, state, end } = acrossPort()
  const request = transport.request({ method: 'GET', path: '/hang' })
  const watch = transport.watch('/watch', { signal: new AbortController().signal, onEvent: () => undefined })
  await eventually(() => state.requests.length === 2)
  const outcomes = Promise.allSettled([request, watch])
  await end()
  for (const outcome of await outcomes)
    t.like(outcome, { status: 'rejected', reason: { reason: 'Unavailable', status: 0 } })
  await t.throwsAsync(transport.request({ method: 'GET', path: '/' }), {
    message: /the worker of the API server has ended/,
  })
})

test('across a port: a worker answers, and its end is noticed', async t => {
  const { port1, port2 } = new MessageChannel()
  const worker = new Worker(new URL('./echo-worker.ts', import.meta.url), {
    workerData: { port: port2 },
    transferList: [port2],
  })
  const transport = portTransport(port1)
  t.like(await json(transport, { method: 'POST', path: '/a', body: 'hello' }), { path: '/a', body: 'hello' })
  const events: unknown[] = []
  await transport.watch('/watch', {
    signal: new AbortController().signal,
    onEvent: (_type, object) => events.push(object),
  })
  t.deepEqual(events, [{ from: 'worker' }])
  const exited = once(worker, 'exit')
  await t.throwsAsync(transport.request({ method: 'GET', path: '/exit' }), {
    message: /the worker of the API server has ended/,
  })
  t.deepEqual(await exited, [3])
})

test('across a port: messages of one turn cross together, and their memory is not shared', async t => {
  const { port1, port2 } = new MessageChannel()
  let batches = 0
  port2.on('message', () => batches++)
  const transport = portTransport(port1)
  const body = Buffer.from('shared')
  const requests = ['/a', '/b', '/c'].map(path => transport.request({ method: 'POST', path, body }))
  const failed = Promise.allSettled(requests)
  await virtualEnvironment().flush()
  await eventually(() => batches > 0)
  t.is(batches, 1)
  t.is(body.toString(), 'shared')
  await transport.close()
  await failed
})
