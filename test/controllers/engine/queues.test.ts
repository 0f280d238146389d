import test from 'ava'
import { Queues } from '../../../controllers/engine/queues.ts'
import { Reads } from '../../../controllers/engine/reads.ts'

function fixture() {
  const reads = new Reads()
  const woken: string[] = []
  const queues = new Queues(reads, id => woken.push(id))
  const stand = (id: string, name: string, ...topics: readonly string[]) => {
    const collection = reads.collect()
    for (const topic of topics) collection.topic(topic)
    queues.standIn(id, name, collection)
  }
  return { reads, woken, queues, stand }
}

test('freed capacity wakes the head of the queue only', t => {
  const { reads, woken, stand } = fixture()
  stand('a', 'zone', 'capacity')
  stand('b', 'zone', 'capacity')
  stand('c', 'zone', 'capacity')
  reads.notify('capacity')
  t.deepEqual(woken, ['a'])
})

test('the next one is woken when the head leaves, and so on until one is refused again', t => {
  const { reads, woken, queues, stand } = fixture()
  for (const id of ['a', 'b', 'c']) stand(id, 'zone', 'capacity')
  reads.notify('capacity')
  queues.standIn('a', undefined, undefined)
  t.deepEqual(woken, ['a', 'b'])
  stand('b', 'zone', 'capacity')
  t.deepEqual(woken, ['a', 'b'], 'b was refused again: c sleeps on')
  reads.notify('capacity')
  t.deepEqual(woken, ['a', 'b', 'b'])
})

test('the queue listens to what its head last read', t => {
  const { reads, woken, stand } = fixture()
  stand('a', 'zone', 'host-1')
  stand('b', 'zone', 'host-2')
  reads.notify('host-2')
  t.deepEqual(woken, [])
  stand('a', 'zone', 'host-3')
  reads.notify('host-1')
  t.deepEqual(woken, [])
  reads.notify('host-3')
  t.deepEqual(woken, ['a'])
})

test('whoever is not the head may leave without waking anybody', t => {
  const { reads, woken, queues, stand } = fixture()
  for (const id of ['a', 'b', 'c']) stand(id, 'zone', 'capacity')
  queues.standIn('b', undefined, undefined)
  reads.notify('capacity')
  t.deepEqual(woken, ['a'])
  queues.standIn('a', undefined, undefined)
  t.deepEqual(woken, ['a', 'c'])
})

test('standing in another queue is leaving the first one', t => {
  const { reads, woken, stand } = fixture()
  stand('a', 'zone-1', 'one')
  stand('b', 'zone-1', 'one')
  stand('a', 'zone-2', 'two')
  t.deepEqual(woken, ['b'])
  reads.notify('two')
  t.deepEqual(woken, ['b', 'a'])
})

test('an empty queue listens to nothing', t => {
  const { reads, queues, stand } = fixture()
  stand('a', 'zone', 'capacity')
  t.true(reads.isRead('capacity'))
  queues.standIn('a', undefined, undefined)
  t.false(reads.isRead('capacity'))
})
