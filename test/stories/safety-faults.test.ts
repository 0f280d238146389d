import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import type { Fault, FaultTarget } from '../../drivers/simulator/faults.ts'
import { Cloud, quickstart, withoutTrash } from './cloud.ts'
import { deleteEverything, nothingLeft, placesOf, runsOn } from './incidents.ts'

const verbs: readonly FaultTarget[] = [
  'DefineMachine',
  'StopMachine',
  'RemoveMachine',
  'ConfigureRouter',
  'CreateVolume',
  'DeleteVolume',
  'StoreImage',
  'Inventory',
]

/** An image that is never heard of again is given up after an hour: that it heals as well would only take long. */
const hangable = verbs.filter(verb => verb !== 'StoreImage')

const long = 3_600_000

const fates: readonly Omit<Fault, 'verb'>[] = [
  { effect: 'LoseReply', when: 'Before' },
  { effect: 'LoseReply', when: 'After' },
  { effect: 'Hang', when: 'Before' },
  { effect: 'Hang', when: 'After' },
  { effect: 'Fail', code: 'Internal', when: 'After' },
  { effect: 'Delay', milliseconds: 200_000 },
  { effect: 'Duplicate' },
]

for (const fate of fates) {
  const title = `${fate.effect}${fate.when === undefined ? '' : ` ${fate.when.toLowerCase()} the effect`}`
  test(`${title}, once on every verb: a cloud comes up, is changed and goes, and nothing is left`, async t => {
    await using cloud = await Cloud.start()
    const { world } = cloud.simulator
    const met = fate.effect === 'Hang' ? hangable : verbs
    for (const verb of met) world.faults.add({ ...fate, verb, times: 1 })
    await cloud.apply(withoutTrash, quickstart)
    await cloud.untilReady(long)
    t.is(runsOn(cloud, 'web-1').length, 1)
    t.is(placesOf(cloud, 'web-1').length, 1)
    await cloud.patch(VirtualMachine, 'web-2', 'shop', { volumes: [] })
    await cloud.patch(VirtualMachine, 'web-1', 'shop', { volumes: [{ name: 'data', volumeName: 'web-2-data' }] })
    await cloud.untilReady(long)
    for (const verb of met) world.faults.add({ ...fate, verb, times: 1 })
    t.deepEqual(await deleteEverything(cloud, long), nothingLeft)
    t.deepEqual(world.invariants(), [])
  })
}

test('an operation that comes a second time, long after, finds another epoch or does what was done', async t => {
  await using cloud = await Cloud.start()
  const { world } = cloud.simulator
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  world.faults.add({ verb: 'StopMachine', effect: 'Duplicate', milliseconds: 60_000 })
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Halted' })
  await cloud.until(async () => runsOn(cloud, 'web-1').length === 0)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Always' })
  await cloud.untilReady()
  await cloud.advance(120_000)
  await cloud.untilReady()
  t.is(runsOn(cloud, 'web-1').length, 1)
  t.deepEqual(world.invariants(), [])
})

for (const seed of [1, 2, 3, 4]) {
  test(`controllers that die every few seconds, at other moments each time (${seed}): the cloud comes up and goes all the same`, async t => {
    await using cloud = await Cloud.start({ seed })
    const { random } = cloud.environment
    await cloud.apply(withoutTrash, quickstart)
    for (let round = 0; round < 12; round++) {
      await cloud.advance(Math.floor(random.next() * 4_000))
      await cloud.stopControllers()
      if (round % 3 === 0) await cloud.wipeStatuses()
      await cloud.startControllers()
    }
    await cloud.untilReady()
    t.is(placesOf(cloud, 'web-1').length, 1)
    t.is(cloud.simulator.world.list().volumes.length, 3)
    t.deepEqual(await deleteEverything(cloud), nothingLeft)
    t.deepEqual(cloud.simulator.world.invariants(), [])
  })
}
