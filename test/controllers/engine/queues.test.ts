import test from 'ava'
import { Queues } from '../../../controllers/engine/queues.ts'
import { Reads } from '../../../controllers/engine/reads.ts'
import { virtualEnvironment } from '../../../drivers/simulator/virtual-clock.ts'

function fixture() {
  const reads = new Reads()
  const { clock, advance } = virtualEnvironment(1)
  const woken: string[] = []
  const queues = new Queues({ reads, clock, wake: id => woken.push(id) })
  const stand = (id: string, name: string, ...topics: readonly string[]) => {
    const collection = reads.collect()
    for (const topic of topics) collection.topic(topic)
    queues.standIn(id, { queue: name, read: collection })
  }
  const leave = (id: string) => queues.standIn(id, undefined)
  /** Who was woken since this was last asked. */
  const taken = () => woken.splice(0).join('')
  return { reads, queues, stand, leave, taken, advance }
}

test('freed capacity wakes the head of the queue only', t => {
  const { reads, stand, taken } = fixture()
  for (const id of ['a', 'b', 'c']) stand(id, 'zone', 'capacity')
  reads.notify('capacity')
  t.is(taken(), 'a')
})

test('the next one is woken when the head leaves, and so on until one is refused again', t => {
  const { reads, stand, leave, taken } = fixture()
  for (const id of ['a', 'b', 'c']) stand(id, 'zone', 'capacity')
  reads.notify('capacity')
  leave('a')
  t.is(taken(), 'ab')
  stand('b', 'zone', 'capacity')
  t.is(taken(), '', 'b was refused again: c sleeps on')
  reads.notify('capacity')
  t.is(taken(), 'b')
})

test('whoever is behind a head that is refused is asked as well: one a second, in order, each once for a change', async t => {
  const { reads, stand, taken, advance } = fixture()
  for (const id of ['a', 'b', 'c', 'd']) stand(id, 'zone', 'capacity')
  reads.notify('capacity')
  stand('a', 'zone', 'capacity')
  t.is(taken(), 'a')
  await advance(999)
  t.is(taken(), '')
  await advance(1)
  t.is(taken(), 'b')
  stand('b', 'zone', 'capacity')
  await advance(1_000)
  t.is(taken(), 'c')
  await advance(60_000)
  t.is(taken(), 'd')
})

test('nobody behind is asked before the head has been refused, or has not answered for ten seconds', async t => {
  const { reads, stand, leave, taken, advance } = fixture()
  for (const id of ['a', 'b', 'c', 'd']) stand(id, 'zone', 'capacity')
  reads.notify('capacity')
  await advance(5_000)
  t.is(taken(), 'a', 'it is on its way to the API')
  leave('a')
  await advance(5_000)
  t.is(taken(), 'b')
  stand('b', 'zone', 'capacity')
  await advance(1_000)
  t.is(taken(), 'c')
  reads.notify('capacity')
  await advance(9_999)
  for (let change = 0; change < 9; change++) reads.notify('capacity')
  t.is(new Set(taken()).size, 1)
  await advance(1)
  t.is(taken(), 'd', 'the head may be paused')
})

test('a change on the way round asks the head at once, and all others once more from where the way was', async t => {
  const { reads, stand, taken, advance } = fixture()
  for (const id of ['a', 'b', 'c', 'd']) stand(id, 'zone', 'capacity')
  reads.notify('capacity')
  stand('a', 'zone', 'capacity')
  await advance(1_000)
  t.is(taken(), 'ab')
  for (let change = 0; change < 100; change++) reads.notify('capacity')
  t.is(new Set(taken()).size, 1, 'however many changes there are, only the head is asked at once')
  stand('a', 'zone', 'capacity')
  await advance(60_000)
  t.is(taken(), 'cdb')
})

test('who is placed from behind lets the next one try at once', async t => {
  const { reads, stand, leave, taken, advance } = fixture()
  for (const id of ['a', 'b', 'c', 'd', 'e']) stand(id, 'zone', 'capacity')
  reads.notify('capacity')
  stand('a', 'zone', 'capacity')
  await advance(1_000)
  leave('b')
  leave('c')
  t.is(taken(), 'abcd')
  stand('d', 'zone', 'capacity')
  t.is(taken(), '')
  await advance(1_000)
  t.is(taken(), 'e')
})

test('the queue listens to what any of its members has read', t => {
  const { reads, stand, taken } = fixture()
  stand('a', 'zone', 'host-1')
  stand('b', 'zone', 'host-2')
  reads.notify('host-2')
  t.is(taken(), 'a')
  stand('a', 'zone', 'host-3')
  reads.notify('host-3')
  t.is(taken(), 'a')
  reads.notify('host-4')
  t.is(taken(), '')
})

test('whoever is not the head may leave without waking anybody', t => {
  const { reads, stand, leave, taken } = fixture()
  for (const id of ['a', 'b', 'c']) stand(id, 'zone', 'capacity')
  leave('b')
  reads.notify('capacity')
  t.is(taken(), 'a')
  leave('a')
  t.is(taken(), 'c')
})

test('standing in another queue is leaving the first one', t => {
  const { reads, stand, taken } = fixture()
  stand('a', 'zone-1', 'one')
  stand('b', 'zone-1', 'one')
  stand('a', 'zone-2', 'two')
  t.is(taken(), 'b')
  reads.notify('two')
  t.is(taken(), 'a')
})

test('an empty queue listens to nothing, and wakes nobody later', async t => {
  const { reads, stand, leave, taken, advance } = fixture()
  stand('a', 'zone', 'capacity')
  stand('b', 'zone', 'capacity')
  t.true(reads.isRead('capacity'))
  reads.notify('capacity')
  leave('b')
  leave('a')
  t.false(reads.isRead('capacity'))
  taken()
  await advance(60_000)
  t.is(taken(), '')
})

test('queues that were stopped wake nobody', async t => {
  const { reads, queues, stand, taken, advance } = fixture()
  for (const id of ['a', 'b']) stand(id, 'zone', 'capacity')
  reads.notify('capacity')
  t.is(taken(), 'a')
  queues.stop()
  await advance(60_000)
  t.is(taken(), '')
})

/** Who is woken when each head in turn has got what it waits for. */
function served({ queues, reads, taken, leave }: ReturnType<typeof fixture>): string {
  const order: string[] = []
  reads.notify('capacity')
  for (let head = taken(); head !== ''; head = taken()) {
    order.push(head)
    leave(head)
  }
  queues.stop()
  return order.join(' ')
}

function crowd(cloud: ReturnType<typeof fixture>, group: string, count: number, priority = 0): void {
  for (let index = 1; index <= count; index++) {
    const read = cloud.reads.collect()
    read.topic('capacity')
    cloud.queues.standIn(`${group}${index}`, { queue: 'zone', group, priority, read })
  }
}

test('groups take turns: who has three waits for three of the other who has many, not for all', t => {
  const cloud = fixture()
  crowd(cloud, 'a', 6)
  crowd(cloud, 'b', 3)
  t.is(served(cloud), 'a1 b1 a2 b2 a3 b3 a4 a5 a6')
})

test('a group that comes late takes turns from then on: it is not owed what others had before', t => {
  const cloud = fixture()
  crowd(cloud, 'a', 6)
  cloud.queues.standIn('a1', undefined)
  cloud.queues.standIn('a2', undefined)
  cloud.taken()
  crowd(cloud, 'b', 2)
  t.is(served(cloud), 'a3 b1 a4 b2 a5 a6')
})

test('a higher priority comes before all turns, and who is given another one stands anew', t => {
  const cloud = fixture()
  crowd(cloud, 'a', 2)
  crowd(cloud, 'b', 2, 3)
  cloud.queues.standIn('a2', { queue: 'zone', group: 'a', priority: 4 })
  t.deepEqual(cloud.queues.placeOf('a1'), { queue: 'zone', position: 4, length: 4 })
  t.is(served(cloud), 'a2 b1 b2 a1')
})

test('who is refused again keeps its place', t => {
  const cloud = fixture()
  crowd(cloud, 'a', 3)
  crowd(cloud, 'b', 1)
  crowd(cloud, 'a', 3)
  t.is(served(cloud), 'a1 b1 a2 a3')
})

test('who gave up waiting is not counted against those of its group who come later', t => {
  const cloud = fixture()
  cloud.queues.standIn('b1', { queue: 'zone', group: 'b' })
  crowd(cloud, 'a', 6)
  for (const index of [6, 1, 2, 3, 4, 5]) cloud.queues.standIn(`a${index}`, undefined)
  cloud.queues.standIn('b2', { queue: 'zone', group: 'b' })
  cloud.queues.standIn('b3', { queue: 'zone', group: 'b' })
  cloud.queues.standIn('a7', { queue: 'zone', group: 'a' })
  t.is(served(cloud), 'b1 a7 b2 b3')
})
