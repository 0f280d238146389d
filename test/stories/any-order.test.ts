import test from 'ava'
import { parseAllDocuments } from 'yaml'
import type { Writable } from '../../controllers/api/client.ts'
import { Cloud, quickstart } from './cloud.ts'

const documents = parseAllDocuments(quickstart).map(document => document.toJS() as Writable)

for (const seed of [1, 2, 3, 4, 5]) {
  test(`the quickstart in a random order (${seed}), the Namespace first, is all Ready`, async t => {
    await using cloud = await Cloud.start({ seed })
    const order = documents
      .map(object => ({ object, rank: object.kind === 'Namespace' ? -1 : cloud.environment.random.next() }))
      .sort((left, right) => left.rank - right.rank)
    for (const { object } of order) {
      await cloud.apply(object)
      await cloud.advance(500)
    }
    await cloud.untilReady()
    const { machines, volumes } = cloud.simulator.world.list()
    t.is(machines.length, 3)
    t.is(volumes.length, 3)
    t.deepEqual(cloud.simulator.world.invariants(), [])
  })
}
