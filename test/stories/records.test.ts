import test, { type ExecutionContext } from 'ava'
import type { OperationRecord } from '../../controllers/records/record.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { FakeStore } from '../controllers/records/samples.ts'
import { skipped } from '../skipped.ts'
import { Cloud, quickstart } from './cloud.ts'
import { isRepeatable } from './story-api.ts'

const web = { kind: 'VirtualMachine', namespace: 'shop', name: 'web-1' }

test('OPS-050 what was done for a machine, who asked for it and what was told of it can be read afterwards', async t => {
  const store = new FakeStore()
  await using cloud = await Cloud.start({ records: store })
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Halted' })
  await cloud.advance(120_000)
  await cloud.stopControllers()
  const records = await store.query({ subject: web, limit: 100 })
  const operations = records.filter((record): record is OperationRecord => record.type === 'Operation')
  const [first, last] = [operations[0], operations.at(-1)]
  t.like(first, { verb: 'DefineMachine', generation: 1, changedBy: 'story', outcome: 'Succeeded' })
  t.regex(first?.endpointName ?? '', /^host-/)
  t.like(last, { verb: 'StopMachine', generation: 2, outcome: 'Succeeded' })
  t.true(operations.every(({ endedAt }) => endedAt !== undefined))
  t.true(records.some(record => record.type === 'Event' && record.reason === 'Ready'))
  t.false(JSON.stringify(records).includes('arguments'))
})

const changesNothing = 'a record store that is away, hangs or comes back changes nothing that is done'

if (isRepeatable) test(changesNothing, tellWithTroubledStores)
else skipped(test, changesNothing, ['uids that come the same again'])

async function tellWithTroubledStores(t: ExecutionContext): Promise<void> {
  const worlds: unknown[] = []
  for (const trouble of ['none', 'broken', 'hangs'] as const) {
    const store = new FakeStore()
    store.broken = trouble === 'broken'
    store.hangs = trouble === 'hangs'
    await using cloud = await Cloud.start({ records: store })
    await cloud.apply(quickstart)
    await cloud.untilReady()
    worlds.push(cloud.simulator.world.list())
    store.broken = false
    await cloud.advance(120_000)
    const kept = await store.query({ subject: web, limit: 100 })
    t.is(kept.length > 0, trouble !== 'hangs', `with trouble ${trouble}`)
  }
  t.deepEqual(worlds[1], worlds[0])
  t.deepEqual(worlds[2], worlds[0])
}
