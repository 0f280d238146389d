import test from 'ava'
import type { Span } from '../../controllers/traces/span.ts'
import { Cloud, quickstart } from './cloud.ts'

test('every operation is told in a trace under the pass that asked for it, and the same is done', async t => {
  const spans: Span[] = []
  await using traced = await Cloud.start({ traces: async batch => void spans.push(...batch) })
  await using plain = await Cloud.start()
  for (const cloud of [traced, plain]) {
    await cloud.apply(quickstart)
    await cloud.untilReady()
    await cloud.advance(5_000)
  }
  const passes = new Map(spans.filter(({ name }) => name.startsWith('reconcile ')).map(span => [span.spanId, span]))
  const operations = spans.filter(({ attributes }) => 'skystead.verb' in attributes)
  const { records } = await traced.recorder.query({ types: ['Operation'], limit: 1_000 })
  t.true(records.length > 5)
  t.is(operations.length, records.length)
  for (const { name, attributes, traceId, parentSpanId } of operations) {
    const pass = passes.get(parentSpanId ?? '')
    t.is(pass?.traceId, traceId, name)
    t.is(pass?.attributes['skystead.name'], attributes['skystead.name'])
    t.is(pass?.attributes['skystead.kind'], attributes['skystead.kind'])
  }
  t.true(spans.some(({ attributes }) => attributes['skystead.reason'] === 'Ready'))
  const machines = (cloud: Cloud) =>
    cloud.simulator.world
      .list()
      .machines.map(({ facts }) => facts.mark?.kind)
      .toSorted()
  t.deepEqual(machines(traced), machines(plain))
})
