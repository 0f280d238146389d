import test from 'ava'
import { inventoryLines } from '../../cli/inventory.ts'
import { type InventoryAnswer, inventoryOf } from '../../controllers/query/inventory.ts'
import { QueryError } from '../../controllers/query/route.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { Cloud, quickstart } from './cloud.ts'

function inventoryIn(cloud: Cloud, only: Parameters<typeof inventoryOf>[1] = {}): InventoryAnswer {
  const { engine, environment } = cloud
  return inventoryOf({ engines: () => [engine], environment, installation: 'installation-1' }, only)
}

function told(answer: InventoryAnswer): readonly string[] {
  return answer.places.flatMap(({ name, things }) =>
    things.map(({ what, belongs, facts }) => `${name} ${what} ${belongs} ${facts.mark?.name ?? '-'}`),
  )
}

async function running(): Promise<Cloud> {
  const cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  return cloud
}

test('INF-165 HST-003 machines and disks that are not ours are listed with age, counted, and left alone', async t => {
  await using cloud = await running()
  const { world } = cloud.simulator
  t.deepEqual(told(inventoryIn(cloud)), [])
  const machine = world.addForeignMachine('host-1')
  const marked = world.addForeignMachine('host-2', {
    mark: { installation: 'another', kind: 'VirtualMachine', name: 'theirs' },
  })
  const volume = world.addForeignVolume('primary-1')
  await cloud.advance(3_600_000)
  const answer = inventoryIn(cloud)
  t.deepEqual(told(answer), [
    'host-1 Machine Adoptable -',
    'host-2 Machine Others theirs',
    'primary-1 Volume Adoptable -',
  ])
  const lines = inventoryLines(answer)
  t.true(lines.some(line => line.includes(machine) && line.includes('1h')))
  t.regex(lines.join('\n'), /0 leftovers, 2 adoptables, 1 of other installations; \d+ things are objects'/)
  t.is((await cloud.get(Host, 'host-1'))?.status?.adoptables, 1)
  t.is((await cloud.get(Host, 'host-1'))?.status?.leftovers, 0)
  t.is((await cloud.get(PrimaryStorage, 'primary-1'))?.status?.adoptables, 1)
  t.is((await cloud.get(PrimaryStorage, 'primary-1'))?.status?.leftovers, 0)
  const there = new Set([
    ...world.list().machines.map(({ facts }) => facts.identity),
    ...world.list().volumes.map(({ facts }) => facts.identity),
  ])
  t.true([machine, marked, volume].every(identity => there.has(identity)))
})

test('OPS-225 what bears our mark and has no object is a leftover, told with the object that is gone, and kept', async t => {
  await using cloud = await running()
  const { world } = cloud.simulator
  const mark = { installation: 'installation-1', kind: 'VirtualMachine', namespace: 'shop', name: 'gone' }
  const machine = world.addForeignMachine('host-1', { mark })
  await cloud.advance(600_000)
  const [thing] = inventoryIn(cloud, { host: 'host-1' }).places.flatMap(({ things }) => things)
  t.is(thing?.identity, machine)
  t.is(thing?.belongs, 'Leftover')
  t.is(thing?.why, 'VirtualMachine shop/gone does not exist any more')
  t.is((await cloud.get(Host, 'host-1'))?.status?.leftovers, 1)
  t.true(world.list().machines.some(({ facts }) => facts.identity === machine && facts.powerState === 'Running'))
})

test('what is being deleted, and what comes back by the same name, is never taken for a leftover', async t => {
  await using cloud = await running()
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  for (let step = 0; step < 40; step += 1) {
    await cloud.advance(100)
    t.deepEqual(told(inventoryIn(cloud)), [])
  }
})

test('of a place that was not read nothing is concluded; one that is not declared is refused by name', async t => {
  await using cloud = await running()
  cloud.simulator.world.freezeHost('host-2')
  await cloud.stopControllers()
  const starting = cloud.startControllers()
  await starting
  const { places, unread } = inventoryIn(cloud)
  t.false(places.some(({ name }) => name === 'host-2'))
  t.deepEqual(
    unread.map(({ type, name }) => `${type} ${name}`),
    ['Host host-2'],
  )
  t.throws(() => inventoryIn(cloud, { host: 'nowhere' }), { instanceOf: QueryError, message: /nowhere/ })
})
