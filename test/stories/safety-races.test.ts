import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Cloud, quickstart, withoutTrash } from './cloud.ts'
import { deleteEverything, hostOf, nothingLeft, otherThan, placesOf, runsOn } from './incidents.ts'

const halted = quickstart.replace(
  'metadata: {name: web-1, namespace: shop}\nspec:',
  'metadata: {name: web-1, namespace: shop}\nspec:\n  runStrategy: Halted',
)

for (const requests of ['Queued', 'Lost'] as const) {
  test(`a host freezes as a machine is to be started there (requests ${requests.toLowerCase()}), loses its power and is back: it runs once`, async t => {
    await using cloud = await Cloud.start()
    const { world } = cloud.simulator
    await cloud.apply(withoutTrash, halted)
    await cloud.untilReady()
    world.faults.add({ verb: 'DefineMachine', effect: 'Delay', milliseconds: 2_000 })
    await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Always' })
    await cloud.until(async () => world.faults.list().length === 0)
    const host = await hostOf(cloud, 'web-1')
    world.freezeHost(host, requests)
    await cloud.stopControllers()
    await cloud.startControllers()
    await cloud.advance(120_000)
    t.deepEqual(runsOn(cloud, 'web-1'), [])
    world.killHost(host)
    await cloud.until(async () => runsOn(cloud, 'web-1').includes(otherThan(host)), 600_000)
    world.reviveHost(host)
    await cloud.untilReady()
    await cloud.advance(120_000)
    t.deepEqual(runsOn(cloud, 'web-1'), [otherThan(host)])
    t.is(placesOf(cloud, 'web-1').length, 1)
    t.deepEqual(world.invariants(), [])
    t.deepEqual(await deleteEverything(cloud), nothingLeft)
  })

  test(`a machine is deleted while its frozen host still has the order to start it (requests ${requests.toLowerCase()}): nothing is left when it thaws`, async t => {
    await using cloud = await Cloud.start()
    const { world } = cloud.simulator
    await cloud.apply(withoutTrash, halted)
    await cloud.untilReady()
    world.faults.add({ verb: 'DefineMachine', effect: 'Delay', milliseconds: 2_000 })
    await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Always' })
    await cloud.until(async () => world.faults.list().length === 0)
    const host = await hostOf(cloud, 'web-1')
    world.freezeHost(host, requests)
    await cloud.delete(VirtualMachine, 'web-1', 'shop')
    await cloud.advance(60_000)
    await cloud.stopControllers()
    await cloud.startControllers()
    await cloud.advance(120_000)
    world.reviveHost(host)
    await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-1', 'shop')) === undefined)
    await cloud.advance(120_000)
    t.deepEqual(placesOf(cloud, 'web-1'), [])
    t.deepEqual(await deleteEverything(cloud), nothingLeft)
    t.deepEqual(world.invariants(), [])
  })
}

test('the finalizer of a machine is taken away while its host is cut off: its disk and address stay its own until it is gone', async t => {
  await using cloud = await Cloud.start()
  const { world } = cloud.simulator
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const host = await hostOf(cloud, 'web-2')
  world.freezeHost(host)
  await cloud.stopControllers()
  await cloud.delete(VirtualMachine, 'web-2', 'shop')
  const machine = await cloud.get(VirtualMachine, 'web-2', 'shop')
  if (machine === undefined) throw new Error('Cannot find the machine')
  await cloud.environment.until(cloud.client.patchFinalizers(VirtualMachine, machine, []))
  t.is(await cloud.get(VirtualMachine, 'web-2', 'shop'), undefined)
  await cloud.startControllers()
  await cloud.apply(
    quickstart
      .replaceAll('name: web-2,', 'name: web-3,')
      .replace(
        '[{name: web, networkName: web}]\n  volumes',
        '[{name: web, networkName: web}]\n  placement: {hostName: OTHER}\n  volumes',
      )
      .replace('OTHER', otherThan(host)),
  )
  await cloud.advance(600_000)
  const { machines, volumes } = world.list()
  const data = volumes.find(({ facts }) => facts.mark?.name === 'web-2-data')?.identity
  const writers = machines.filter(({ facts }) => facts.definition.disks.some(({ identity }) => identity === data))
  t.deepEqual(
    writers.map(({ facts }) => facts.mark?.name),
    ['web-2'],
  )
  t.deepEqual(world.invariants(), [])
})
