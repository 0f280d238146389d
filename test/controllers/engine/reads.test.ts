import test from 'ava'
import deepEqual from 'fast-deep-equal'
import { type Reader, Reads } from '../../../controllers/engine/reads.ts'

function listener(id: string): Reader & { readonly woken: () => number } {
  let count = 0
  return {
    id,
    wake: () => {
      count += 1
    },
    woken: () => count,
  }
}

test('a change of a topic wakes whoever read it, and nobody else', t => {
  const reads = new Reads()
  const [one, other] = [listener('one'), listener('other')]
  reads.record(one, recording => recording.topic('a'))
  reads.record(other, recording => recording.topic('b'))
  reads.notify('a')
  t.deepEqual([one.woken(), other.woken()], [1, 0])
})

test('what a reader reads in its next pass replaces what it read before', t => {
  const reads = new Reads()
  const reader = listener('one')
  reads.record(reader, recording => recording.topic('a'))
  reads.record(reader, recording => recording.topic('b'))
  reads.notify('a')
  t.is(reader.woken(), 0)
  reads.notify('b')
  t.is(reader.woken(), 1)
  t.false(reads.isRead('a'))
})

test('a picked value wakes only when it is another one, however often its topic changes', t => {
  const reads = new Reads()
  const reader = listener('one')
  let status = { ready: 'False', message: 'one' }
  const pick = () => status.ready
  reads.record(reader, recording => recording.picked('status', { pick, value: pick(), equal: deepEqual }))
  status = { ready: 'False', message: 'two' }
  reads.notify('status')
  t.is(reader.woken(), 0)
  status = { ready: 'True', message: 'two' }
  reads.notify('status')
  t.is(reader.woken(), 1)
})

test('of several picks of one topic any change wakes; a read of the whole topic wakes on every change', t => {
  const reads = new Reads()
  const [picking, whole] = [listener('picking'), listener('whole')]
  let value = { a: 1, b: 1, c: 1 }
  const [a, b] = [() => value.a, () => value.b]
  reads.record(picking, recording => {
    recording.picked('topic', { pick: a, value: 1, equal: Object.is })
    recording.picked('topic', { pick: b, value: 1, equal: Object.is })
  })
  reads.record(whole, recording => {
    recording.topic('topic')
    recording.picked('topic', { pick: a, value: 1, equal: Object.is })
  })
  value = { a: 1, b: 1, c: 2 }
  reads.notify('topic')
  t.deepEqual([picking.woken(), whole.woken()], [0, 1])
  value = { a: 1, b: 2, c: 2 }
  reads.notify('topic')
  t.deepEqual([picking.woken(), whole.woken()], [1, 2])
})

test('a reader that was forgotten is not woken, and its topics are read by nobody', t => {
  const reads = new Reads()
  const reader = listener('one')
  reads.record(reader, recording => recording.topic('a'))
  reads.forget('one')
  reads.notify('a')
  t.is(reader.woken(), 0)
  t.false(reads.isRead('a'))
  t.deepEqual([...reads.topicsOf('one')], [])
})

test('reads that were collected wake nobody until they are somebody’s', t => {
  const reads = new Reads()
  const reader = listener('queue')
  const collection = reads.collect()
  collection.topic('free')
  reads.notify('free')
  t.false(reads.isRead('free'))
  collection.commit(reader)
  reads.notify('free')
  t.is(reader.woken(), 1)
  t.deepEqual(
    [...reads.readersOf('free')].map(({ id }) => id),
    ['queue'],
  )
})

test('reads that are added keep those from before; of a picked one any change of its topic wakes then', t => {
  const reads = new Reads()
  const reader = listener('one')
  const [first, second] = [reads.collect(), reads.collect()]
  first.topic('a')
  second.picked('b', { pick: () => 1, value: 1, equal: deepEqual })
  first.add(reader)
  second.add(reader)
  reads.notify('a')
  reads.notify('b')
  t.is(reader.woken(), 2)
  reads.forget('one')
  t.false(reads.isRead('a'))
  t.false(reads.isRead('b'))
})
