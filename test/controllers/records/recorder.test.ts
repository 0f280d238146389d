import test from 'ava'
import type { AcceptedOperation } from '../../../controllers/observation/hooks.ts'
import type { OperationRecord } from '../../../controllers/records/record.ts'
import { createRecorder, type RecorderOptions } from '../../../controllers/records/recorder.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'
import { listeningLogger } from '../observation/fake-driver.ts'
import { FakeStore } from './samples.ts'

const operation: AcceptedOperation = {
  operation: 'm/StartMachine/0000000000000000',
  verb: 'StartMachine',
  endpoint: 'Host/a',
  endpointName: 'host-1',
  identity: 'm',
  requester: {
    kind: 'VirtualMachine',
    namespace: 'shop',
    name: 'web-1',
    uid: 'u',
    generation: 3,
    changedBy: 'kubectl',
  },
}

function bench(options: Partial<RecorderOptions> = {}) {
  const environment = virtualEnvironment()
  const store = new FakeStore()
  const { lines, logger } = listeningLogger()
  const figures = { written: 0, dropped: 0 }
  const metrics = {
    recordsWritten(count: number) {
      figures.written += count
    },
    recordsDropped(count: number) {
      figures.dropped += count
    },
  }
  const recorder = createRecorder({ environment, logger, store, metrics, ...options })
  const perform = () => {
    const follower = recorder.accepted(operation)
    follower.began()
    follower.ended({ outcome: 'Succeeded' })
  }
  return { environment, store, lines, figures, recorder, perform }
}

test('an operation that ends at once is one record: who asked, by which generation, what, where, when and how it ended', async t => {
  const { environment, store, perform, recorder } = bench()
  perform()
  await environment.advance(1_000)
  const [record] = store.records.values()
  t.like(record, {
    type: 'Operation',
    at: '2026-01-01T00:00:00.000Z',
    kind: 'VirtualMachine',
    namespace: 'shop',
    name: 'web-1',
    generation: 3,
    changedBy: 'kubectl',
    verb: 'StartMachine',
    endpoint: 'Host/a',
    endpointName: 'host-1',
    begunAt: '2026-01-01T00:00:00.000Z',
    endedAt: '2026-01-01T00:00:00.000Z',
    outcome: 'Succeeded',
  })
  t.is(store.batches.length, 1)
  t.is(environment.timers(), 0, 'nothing periodic is left')
  t.deepEqual(recorder.state(), { pending: 0, lagMs: 0, failing: false })
})

test('OPS-044 OPS-046 an operation is written when it was asked for, when it began and when it ended, in one place: what waits, runs or hangs can be told apart', async t => {
  const { environment, store, recorder } = bench()
  const follower = recorder.accepted(operation)
  await environment.advance(2_000)
  const [asked] = store.records.values()
  t.like(asked, { at: '2026-01-01T00:00:00.000Z' })
  t.false(asked !== undefined && 'begunAt' in asked)
  follower.began()
  await environment.advance(3_000)
  const [begun] = store.records.values()
  t.is((begun as OperationRecord).begunAt, '2026-01-01T00:00:02.000Z')
  t.is((begun as OperationRecord).endedAt, undefined)
  t.deepEqual((await recorder.query({ limit: 10 })).running, [begun?.id])
  follower.ended({ outcome: 'Timeout', message: 'no answer' })
  await environment.advance(5_000)
  t.is(store.records.size, 1)
  t.like([...store.records.values()][0], {
    endedAt: '2026-01-01T00:00:05.000Z',
    outcome: 'Timeout',
    message: 'no answer',
  })
})

test('an operation of a process that is gone has no end, and does not run', async t => {
  const { environment, store, recorder } = bench()
  recorder.accepted(operation).began()
  await environment.advance(1_000)
  const next = createRecorder({ environment: virtualEnvironment(2), logger: listeningLogger().logger, store })
  const { records, running } = await next.query({ limit: 10 })
  const [left] = records as readonly OperationRecord[]
  t.is(left?.endedAt, undefined)
  t.deepEqual(running, [])
})

test('what the store cannot take waits and is written later; a person is told once that it is away, and once that it is back', async t => {
  const { environment, store, perform, lines, figures, recorder } = bench()
  store.broken = true
  perform()
  perform()
  await environment.advance(600_000)
  t.is(store.records.size, 0)
  t.like(recorder.state(), { pending: 2, lagMs: 600_000, failing: true })
  t.true(store.batches.length < 16, 'it is tried with growing pauses')
  store.broken = false
  await environment.advance(60_000)
  t.is(store.records.size, 2)
  t.deepEqual(figures, { written: 2, dropped: 0 })
  t.is(lines.length, 2)
})

test('when too many wait, the oldest are lost, and the gap is recorded with how many, from when to when', async t => {
  const { environment, store, perform, figures } = bench({ mostPending: 3 })
  store.broken = true
  for (let count = 0; count < 10; count++) {
    perform()
    await environment.advance(1_000)
  }
  store.broken = false
  await environment.advance(120_000)
  const records = [...store.records.values()]
  t.deepEqual(
    records.filter(({ type }) => type === 'Operation').map(({ at }) => at),
    ['2026-01-01T00:00:07.000Z', '2026-01-01T00:00:08.000Z', '2026-01-01T00:00:09.000Z'],
  )
  const gaps = records.filter(({ type }) => type === 'Gap')
  t.is(gaps.length, 1)
  t.like(gaps[0], { at: '2026-01-01T00:00:00.000Z', until: '2026-01-01T00:00:06.000Z', lost: 7 })
  t.deepEqual(figures, { written: 3, dropped: 7 })
})

test('a batch whose answer was lost is given again, and nothing stands twice', async t => {
  const { environment, store, perform } = bench()
  store.losesAnswers = true
  perform()
  await environment.advance(1_500)
  store.losesAnswers = false
  await environment.advance(60_000)
  t.true(store.batches.length >= 2)
  t.is(store.records.size, 1)
})

test('what is asked is answered with what still waits, and, without the store, with what is remembered and why', async t => {
  const { environment, store, perform, recorder } = bench()
  perform()
  t.is((await recorder.query({ limit: 10 })).records.length, 1)
  t.is((await recorder.query({ limit: 10 })).incomplete, undefined)
  store.broken = true
  await environment.advance(10_000)
  const { records, incomplete } = await recorder.query({ limit: 10 })
  t.is(records.length, 1)
  t.regex(incomplete ?? '', /Fake cannot be read \(the store is away\)/)
})

test('OPS-048 records are asked for by object, type and time, the last so many', async t => {
  const { environment, recorder } = bench()
  for (const name of ['a', 'b', 'a', 'a']) {
    const follower = recorder.accepted({ ...operation, requester: { ...operation.requester, name } })
    follower.began()
    follower.ended({ outcome: 'Succeeded' })
    await environment.advance(1_000)
  }
  const note = { eventType: 'Normal', reason: 'Ready', action: 'Reconcile', note: 'It is', count: 1 } as const
  const at = '2026-01-01T00:00:04.000Z'
  recorder.event('a.1', { at, lastAt: at, kind: 'VirtualMachine', namespace: 'shop', name: 'a', uid: 'u', ...note })
  const times = async (query: Parameters<typeof recorder.query>[0]) =>
    (await recorder.query(query)).records.map(record => record.at.slice(17, 19))
  const subject = { kind: 'VirtualMachine', namespace: 'shop', name: 'a' }
  t.deepEqual(await times({ subject, limit: 10 }), ['00', '02', '03', '04'])
  t.deepEqual(await times({ subject, types: ['Operation'], limit: 2 }), ['02', '03'])
  t.deepEqual(await times({ since: '2026-01-01T00:00:01Z', until: '2026-01-01T00:00:03Z', limit: 10 }), ['01', '02'])
})

test('old records are let go at the first write, and again after an hour of writing', async t => {
  const { environment, store, perform } = bench({ keep: 86_400_000 })
  perform()
  await environment.advance(1_800_000)
  perform()
  await environment.advance(1_801_000)
  perform()
  await environment.advance(1_000)
  t.deepEqual(store.pruned, ['2025-12-31T00:00:01.000Z', '2025-12-31T01:00:02.000Z'])
})

test('a stop writes what waits and closes the store; one that hangs is left after two seconds', async t => {
  const first = bench()
  first.perform()
  await first.environment.until(first.recorder.stop())
  t.is(first.store.records.size, 1)
  t.true(first.store.closed)

  const second = bench()
  second.store.hangs = true
  second.perform()
  const began = second.environment.clock.monotonic()
  await second.environment.until(second.recorder.stop())
  t.is(second.environment.clock.monotonic() - began, 2_000)
})

test('without a store nothing waits, and the last records are remembered', async t => {
  const environment = virtualEnvironment()
  const recorder = createRecorder({ environment, logger: listeningLogger().logger, remembered: 2 })
  for (const name of ['a', 'b', 'c'])
    recorder.accepted({ ...operation, requester: { ...operation.requester, name } }).began()
  const { records, incomplete } = await recorder.query({ limit: 10 })
  t.deepEqual(
    records.map(record => 'name' in record && record.name),
    ['b', 'c'],
  )
  t.truthy(incomplete)
  t.is(environment.timers(), 0)
})
