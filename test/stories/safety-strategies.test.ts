import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { Cloud, quickstart } from './cloud.ts'
import { hostOf, otherThan, placesOf, runsOn } from './incidents.ts'
import { untilNothingMoves } from './maintenance.ts'

function withStrategy(strategy: string): string {
  return quickstart.replace(
    'metadata: {name: web-1, namespace: shop}\nspec:',
    `metadata: {name: web-1, namespace: shop}\nspec:\n  runStrategy: ${strategy}`,
  )
}

test('a machine that is to run once is started although its host refuses the first time', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withStrategy('Halted'))
  await cloud.untilReady()
  const world = cloud.simulator.world
  world.faults.add({ verb: 'DefineMachine', effect: 'Fail', code: 'ResourceExhausted', when: 'Before' })
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Once' })
  await cloud.until(async () => runsOn(cloud, 'web-1').length === 1)
  t.is(placesOf(cloud, 'web-1').length, 1)
})

for (const strategy of ['Once', 'OnFailure']) {
  test(`a guest that shut itself down stays down under ${strategy}: through a restart, a lost status and the loss of its host`, async t => {
    await using cloud = await Cloud.start()
    await cloud.apply(withStrategy(strategy))
    await cloud.untilReady()
    const host = await hostOf(cloud, 'web-1')
    cloud.simulator.world.shutdownGuest('shop/web-1')
    await cloud.until(async () => runsOn(cloud, 'web-1').length === 0)
    await cloud.advance(60_000)
    t.deepEqual(runsOn(cloud, 'web-1'), [])
    await cloud.stopControllers()
    await cloud.wipeStatuses()
    await cloud.startControllers()
    await cloud.advance(60_000)
    t.deepEqual(runsOn(cloud, 'web-1'), [])
    cloud.simulator.world.killHost(host)
    await cloud.advance(300_000)
    t.deepEqual(runsOn(cloud, 'web-1'), [])
    cloud.simulator.world.reviveHost(host)
    await cloud.untilReady()
    await cloud.advance(60_000)
    t.deepEqual(runsOn(cloud, 'web-1'), [])
    t.deepEqual(cloud.simulator.world.invariants(), [])
  })
}

test('a machine under OnFailure is restarted elsewhere when its host is lost, one under Once is not', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(
    withStrategy('Once').replace(
      'metadata: {name: web-2, namespace: shop}\nspec:',
      'metadata: {name: web-2, namespace: shop}\nspec:\n  runStrategy: OnFailure',
    ),
  )
  await cloud.untilReady()
  const host = await hostOf(cloud, 'web-2')
  t.is(await hostOf(cloud, 'web-1'), host)
  cloud.simulator.world.killHost(host)
  await cloud.until(async () => runsOn(cloud, 'web-2').includes(otherThan(host)), 600_000)
  await cloud.advance(120_000)
  t.deepEqual(runsOn(cloud, 'web-1'), [])
  cloud.simulator.world.reviveHost(host)
  await cloud.untilReady()
  t.deepEqual(runsOn(cloud, 'web-1'), [])
  t.deepEqual(runsOn(cloud, 'web-2'), [otherThan(host)])
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

for (const strategy of ['Once', 'OnFailure']) {
  for (const fate of ['arrives', 'fails']) {
    test(`a guest under ${strategy} that shuts itself down after a migration that ${fate} stays down`, async t => {
      await using cloud = await Cloud.start()
      await cloud.apply(withStrategy(strategy))
      await cloud.untilReady()
      const { world } = cloud.simulator
      const host = await hostOf(cloud, 'web-1')
      if (fate === 'fails') world.faults.add({ verb: 'Migration', effect: 'Fail' })
      await cloud.patch(Host, host, undefined, { lifecycle: 'Maintenance' })
      await cloud.until(async () => placesOf(cloud, 'web-1').length === 2)
      if (fate === 'fails') await cloud.patch(Host, host, undefined, { lifecycle: 'Active' })
      await untilNothingMoves(cloud)
      t.deepEqual(runsOn(cloud, 'web-1'), [fate === 'fails' ? host : otherThan(host)])
      world.shutdownGuest('shop/web-1')
      await cloud.until(async () => runsOn(cloud, 'web-1').length === 0)
      await cloud.advance(60_000)
      t.deepEqual(runsOn(cloud, 'web-1'), [])
    })
  }
}
