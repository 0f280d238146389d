import test from 'ava'
import fc from 'fast-check'
import { createWorkQueue, type WorkQueueMetrics } from '../../controllers/work-queue.ts'
import { sleep } from '../../crds/environment.ts'
import { virtualEnvironment } from '../../drivers/simulator/virtual-clock.ts'

const start = 1_000_000

function recording(options: { concurrency?: number; workMs?: number; metrics?: WorkQueueMetrics } = {}) {
  const environment = virtualEnvironment()
  const runs: string[] = []
  const queue = createWorkQueue({
    environment,
    concurrency: options.concurrency ?? 1,
    ...(options.metrics !== undefined && { metrics: options.metrics }),
    handler: async key => {
      runs.push(`${key}@${environment.clock.monotonic() - start}`)
      if (options.workMs !== undefined) await sleep(environment.clock, options.workMs)
    },
  })
  return { ...environment, environment, queue, runs }
}

test('a key added often before its work is worked on once', async t => {
  const { queue, runs, flush } = recording()
  queue.start()
  for (let count = 0; count < 5; count++) queue.add('a')
  await flush()
  t.deepEqual(runs, ['a@0'])
})

test('a key added during its work is worked on once more, after it', async t => {
  const { queue, runs, advance } = recording({ concurrency: 4, workMs: 100 })
  queue.start()
  queue.add('a')
  await advance(50)
  queue.add('a')
  queue.add('a')
  t.deepEqual(queue.counts(), { ready: 0, waiting: 0, running: 1 })
  await advance(1_000)
  t.deepEqual(runs, ['a@0', 'a@100'])
})

test('of several adds the shortest wait and the highest priority hold', async t => {
  const { queue, runs, advance } = recording()
  queue.start()
  queue.add('late', { after: 500 })
  queue.add('late', { after: 100 })
  queue.add('late', { after: 900 })
  queue.add('raised', { after: 100, priority: -100 })
  queue.add('raised', { after: 400, priority: 5 })
  await advance(1_000)
  t.deepEqual(runs, ['raised@100', 'late@100'])
})

test('a wait asked for during the work is counted from the asking, not from the end', async t => {
  const { queue, runs, advance } = recording({ workMs: 100 })
  queue.start()
  queue.add('a')
  await advance(50)
  queue.add('a', { after: 30 })
  await advance(60)
  t.deepEqual(runs, ['a@0', 'a@100'])
})

test('what is ready is worked on by priority, then by the time it became ready', async t => {
  const { queue, runs, advance } = recording({ workMs: 10 })
  queue.add('resync-1', { priority: -100 })
  queue.add('resync-2', { priority: -100 })
  queue.add('user-2', { after: 5 })
  await advance(5)
  queue.add('user-3')
  queue.add('urgent', { priority: 1 })
  queue.start()
  await advance(1_000)
  t.deepEqual(
    runs.map(run => run.split('@')[0]),
    ['urgent', 'user-2', 'user-3', 'resync-1', 'resync-2'],
  )
})

test('a change of priority moves a key that is ready already', async t => {
  const { queue, runs, flush } = recording()
  for (const key of ['a', 'b', 'c']) queue.add(key, { priority: -100 })
  queue.add('c')
  queue.start()
  await flush()
  t.deepEqual(runs, ['c@0', 'a@0', 'b@0'])
})

test('back-off doubles from 5 ms to 1,000 s, and forget resets it', async t => {
  const { queue, clock, until, runs } = recording()
  queue.start()
  const waits: number[] = []
  for (let failure = 0; failure < 24; failure++) {
    const from = clock.monotonic()
    queue.addRateLimited('a')
    await until(() => runs.length === failure + 1)
    waits.push(clock.monotonic() - from)
  }
  waits.forEach((wait, failure) => {
    const nominal = 5 * 2 ** failure
    t.true(
      wait >= Math.min(1_000_000, nominal * 0.75) && wait <= Math.min(1_000_000, nominal * 1.25),
      `${failure}: ${wait}`,
    )
  })
  t.is(waits.at(-1), 1_000_000)
  t.is(queue.failures('a'), 24)
  queue.forget('a')
  const from = clock.monotonic()
  queue.addRateLimited('a')
  await until(() => runs.length === 25)
  t.true(clock.monotonic() - from < 7)
})

test('what a handler throws is told and comes back with back-off; others go on', async t => {
  const environment = virtualEnvironment()
  const told: unknown[] = []
  let runs = 0
  const queue = createWorkQueue({
    environment,
    concurrency: 1,
    onError: (error, key) => told.push(`${key}: ${String(error)}`),
    handler: key => {
      if (key === 'good') return
      runs++
      if (runs < 3) throw new Error('no')
    },
  })
  queue.start()
  queue.add('bad')
  queue.add('good')
  await environment.runUntilIdle()
  t.is(runs, 3)
  t.deepEqual(told, ['bad: Error: no', 'bad: Error: no'])
  t.deepEqual(queue.counts(), { ready: 0, waiting: 0, running: 0 })
})

test('no more keys than allowed are worked on at the same time, no key twice', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(
        fc.record({
          key: fc.integer({ min: 0, max: 8 }),
          at: fc.integer({ min: 0, max: 300 }),
          after: fc.integer({ min: 0, max: 60 }),
        }),
        {
          maxLength: 60,
        },
      ),
      async (concurrency, adds) => {
        const environment = virtualEnvironment(7)
        const running = new Set<string>()
        const wanted = new Map<string, number>()
        const queue = createWorkQueue({
          environment,
          concurrency,
          handler: async key => {
            if (running.has(key)) throw new Error('twice')
            running.add(key)
            wanted.delete(key)
            if (running.size > concurrency) throw new Error('too many')
            await sleep(environment.clock, 20)
            running.delete(key)
          },
          onError: error => t.fail(String(error)),
        })
        queue.start()
        for (const { key, at, after } of adds) {
          environment.clock.after(at, () => {
            wanted.set(String(key), at)
            queue.add(String(key), { after })
          })
        }
        await environment.runUntilIdle()
        // Nothing that was asked for is left undone: no update is lost.
        return wanted.size === 0 && running.size === 0
      },
    ),
    { numRuns: 60 },
  )
  t.pass()
})

test('one timer serves 50,000 waiting keys, and all are worked on in order', async t => {
  const { queue, runs, timers, advance } = recording({ concurrency: 16 })
  queue.start()
  for (let index = 0; index < 50_000; index++)
    queue.add(`key-${index}`, { after: 1_000 + ((index * 7_919) % 50_000) / 100 })
  t.is(timers(), 1)
  t.is(queue.counts().waiting, 50_000)
  await advance(2_000)
  t.is(runs.length, 50_000)
  const times = runs.map(run => Number(run.split('@')[1]))
  t.deepEqual(
    times,
    times.toSorted((left, right) => left - right),
  )
})

test('the event loop gets its turn during a burst of work', async t => {
  // Each look at the clock takes a millisecond here: as if every key took some.
  const environment = virtualEnvironment()
  let now = 0
  const clock = { ...environment.clock, monotonic: () => now++ }
  const order: string[] = []
  const queue = createWorkQueue({
    environment: { ...environment, clock },
    concurrency: 1,
    handler: () => void order.push('key'),
  })
  queue.start()
  for (let index = 0; index < 100; index++) queue.add(`key-${index}`)
  let turns = 0
  const turn = () => {
    order.push('turn')
    if (turns++ < 200 && order.length < 300) setImmediate(turn)
  }
  setImmediate(turn)
  await queue.idle()
  const longest = Math.max(
    ...order
      .join(' ')
      .split('turn')
      .map(part => part.split('key').length - 1),
  )
  t.is(order.filter(entry => entry === 'key').length, 100)
  t.true(longest <= 10, `${longest} keys in one turn`)
})

test('idle waits for what is ready and running, not for what waits for its time', async t => {
  const { queue, runs, until, clock } = recording({ workMs: 100 })
  queue.add('a')
  queue.add('b')
  queue.add('later', { after: 60_000 })
  queue.start()
  await until(queue.idle())
  t.is(runs.length, 2)
  t.is(clock.monotonic() - start, 200)
})

test('stop lets running work end, drops the rest and takes no more', async t => {
  const { queue, runs, until, advance, timers, clock } = recording({ workMs: 100 })
  queue.start()
  queue.add('a')
  queue.add('b')
  queue.add('c', { after: 10 })
  await advance(50)
  await until(queue.stop())
  t.is(clock.monotonic() - start, 100)
  queue.add('d')
  queue.addRateLimited('e')
  await advance(10_000)
  t.deepEqual(runs, ['a@0'])
  t.is(timers(), 0)
})

test('figures tell adds, depth, waits and work', async t => {
  const figures: string[] = []
  const { queue, advance } = recording({
    workMs: 30,
    metrics: {
      added: () => figures.push('added'),
      retried: () => figures.push('retried'),
      depth: keys => figures.push(`depth ${keys}`),
      started: waited => figures.push(`waited ${waited}`),
      finished: worked => figures.push(`worked ${worked}`),
    },
  })
  queue.start()
  queue.add('a')
  queue.add('b', { after: 10 })
  queue.add('a')
  await advance(1_000)
  t.deepEqual(figures, [
    'added',
    'depth 1',
    'added',
    'waited 0',
    'depth 0',
    'depth 1',
    'worked 30',
    'waited 20',
    'depth 0',
    'worked 30',
  ])
})

test('groups take turns: who has two keys does not wait for all of the other’s; a key of no group comes last', async t => {
  const environment = virtualEnvironment()
  const runs: string[] = []
  const queue = createWorkQueue({
    environment,
    concurrency: 1,
    groupOf: key => (key.startsWith('-') ? undefined : key.slice(0, 1)),
    handler: key => void runs.push(key),
  })
  for (const key of ['a1', 'a2', 'a3', 'a4', '-1', 'b1', 'b2']) queue.add(key)
  queue.add('a9', { priority: 1 })
  queue.start()
  await environment.flush()
  t.is(runs.join(' '), 'a9 a1 b1 a2 b2 a3 a4 -1')
  queue.add('b3')
  queue.add('a5')
  await environment.flush()
  t.is(runs.slice(-2).join(' '), 'b3 a5')
})
