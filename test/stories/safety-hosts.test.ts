import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { PortForwardingRule } from '../../crds/network/port-forwarding-rule.ts'
import { Cloud, quickstart, withoutTrash } from './cloud.ts'
import { deleteEverything, hostOf, nothingLeft, otherThan, placesOf, runsOn } from './incidents.ts'
import { interruptions, untilSaid } from './maintenance.ts'

/** Names of the notes on what lost hosts may still have. */
async function straysOf(cloud: Cloud): Promise<readonly string[]> {
  const claims = await cloud.list(Allocation)
  return claims.filter(({ spec }) => spec.type === 'Stray').map(({ metadata }) => metadata.name)
}

test('a host that is said to be lost while it answers, then falls silent with its power on, is not believed to be off', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const host = await hostOf(cloud, 'web-1')
  await cloud.patch(Host, host, undefined, { lifecycle: 'Lost' })
  await cloud.advance(60_000)
  t.deepEqual(runsOn(cloud, 'web-1'), [host])
  cloud.simulator.world.freezeHost(host)
  await cloud.advance(600_000)
  t.deepEqual(runsOn(cloud, 'web-1'), [host])
  t.deepEqual(cloud.simulator.world.invariants(), [])
  cloud.simulator.world.killHost(host)
  await cloud.until(async () => runsOn(cloud, 'web-1').includes(otherThan(host)), 300_000)
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('the address of a host is changed while machines run on it: none of them is started a second time', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const host = await hostOf(cloud, 'web-1')
  await t.throwsAsync(cloud.patch(Host, host, undefined, { address: '172.16.10.199' }), { message: /address/ })
  await cloud.advance(120_000)
  t.deepEqual(runsOn(cloud, 'web-1'), [host])
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a machine is deleted while its host is being fenced: it goes, and the host loses what it has of it when it is back', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const host = await hostOf(cloud, 'web-1')
  cloud.simulator.world.killHost(host)
  await cloud.advance(20_000)
  await cloud.delete(PortForwardingRule, 'web-http', 'shop')
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-1', 'shop')) === undefined, 900_000)
  cloud.simulator.world.reviveHost(host)
  await cloud.untilReady()
  await cloud.advance(180_000)
  t.deepEqual(placesOf(cloud, 'web-1'), [])
  t.deepEqual(await straysOf(cloud), [])
  t.deepEqual(await deleteEverything(cloud), nothingLeft)
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a machine moves away from a lost host and is deleted: the host loses what it has of it when it is back, after a restart too', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const host = await hostOf(cloud, 'web-1')
  cloud.simulator.world.killHost(host)
  await cloud.until(async () => runsOn(cloud, 'web-1').includes(otherThan(host)), 600_000)
  await cloud.delete(PortForwardingRule, 'web-http', 'shop')
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-1', 'shop')) === undefined, 900_000)
  t.deepEqual(
    placesOf(cloud, 'web-1').map(place => place.host),
    [host],
  )
  await cloud.stopControllers()
  await cloud.startControllers()
  await cloud.advance(300_000)
  cloud.simulator.world.reviveHost(host)
  await cloud.advance(300_000)
  t.deepEqual(placesOf(cloud, 'web-1'), [])
  t.deepEqual(await straysOf(cloud), [])
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a lost host is deleted for good: nothing waits for it to come back', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const host = await hostOf(cloud, 'web-1')
  cloud.simulator.world.killHost(host)
  await cloud.until(async () => runsOn(cloud, 'web-1').includes(otherThan(host)), 600_000)
  await cloud.patch(Host, host, undefined, { lifecycle: 'Lost' })
  await cloud.delete(Host, host)
  await cloud.until(async () => (await cloud.get(Host, host)) === undefined, 600_000)
  await cloud.untilReady()
  await cloud.advance(120_000)
  t.deepEqual(await straysOf(cloud), [])
})

test('controllers die between an operation and its answer, and the machine is deleted meanwhile: nothing is left', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(
    withoutTrash,
    quickstart.replace('kind: VirtualMachine\nmetadata: {name: web-1', 'kind: VirtualMachine\nmetadata: {name: web-9'),
  )
  await cloud.untilReady(120_000).catch(() => undefined)
  cloud.simulator.world.faults.add({ verb: 'DefineMachine', effect: 'Delay', milliseconds: 60_000 })
  await cloud.apply(`
apiVersion: compute.skystead.dev/v1alpha1
kind: VirtualMachine
metadata: {name: web-1, namespace: shop}
spec:
  zoneName: zone-a
  serviceOfferingName: small
  templateRef: {kind: PublicTemplate, name: tiny-linux}
  nics: [{name: web, networkName: web}]
`)
  await cloud.until(async () => cloud.simulator.world.faults.list().length === 0)
  await cloud.stopControllers()
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  await cloud.startControllers()
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-1', 'shop')) === undefined, 900_000)
  await cloud.advance(120_000)
  t.deepEqual(placesOf(cloud, 'web-1'), [])
  t.deepEqual(await deleteEverything(cloud), nothingLeft)
})

/** Moves a running machine to the other host as somebody does who knows nothing of us. */
function moveByHand(cloud: Cloud, name: string, host: string): void {
  const { world } = cloud.simulator
  const [place] = placesOf(cloud, name)
  if (place === undefined) throw new Error(`Cannot move ${name}: it is nowhere`)
  const { identity, facts } = place
  world.removeMachine(`shop/${name}`)
  const { mark, definition } = facts
  world.addForeignMachine(host, { identity, ...(mark === undefined ? {} : { mark }), definition })
}

test('VM-053 a machine is moved to another host by hand: its place follows it, and it is not started again', async t => {
  await using cloud = await Cloud.start()
  const { world } = cloud.simulator
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const host = await hostOf(cloud, 'web-2')
  const since = world.journal.sequence
  moveByHand(cloud, 'web-2', otherThan(host))
  await cloud.until(async () => (await hostOf(cloud, 'web-2')) === otherThan(host))
  await cloud.untilReady()
  await cloud.advance(120_000)
  t.deepEqual(runsOn(cloud, 'web-2'), [otherThan(host)])
  t.is(placesOf(cloud, 'web-2').length, 1)
  t.deepEqual(interruptions(cloud, since), [])
  t.deepEqual(world.invariants(), [])
  t.deepEqual(await deleteEverything(cloud), nothingLeft)
})

for (const wrong of ['the one that was there first', 'the one that was started elsewhere'] as const) {
  test(`a host is said to be lost that is not: its machine runs twice, and the operator takes the power from ${wrong}`, async t => {
    await using cloud = await Cloud.start()
    const { world } = cloud.simulator
    await cloud.apply(withoutTrash, quickstart)
    await cloud.untilReady()
    const host = await hostOf(cloud, 'web-2')
    world.killPowerController(host)
    world.freezeHost(host)
    await cloud.patch(Host, host, undefined, { lifecycle: 'Lost' })
    await cloud.until(async () => runsOn(cloud, 'web-2').includes(otherThan(host)))
    world.reviveHost(host)
    world.revivePowerController(host)
    await untilSaid(cloud, VirtualMachine, 'web-2', ['PowerApplied', 'False SeenTwice'], 'shop')
    const since = world.journal.sequence
    await cloud.advance(300_000)
    t.deepEqual(interruptions(cloud, since), [], 'nothing is chosen by itself')
    const [dead, alive] = wrong === 'the one that was there first' ? [host, otherThan(host)] : [otherThan(host), host]
    for (const { host: where, identity } of world.list().machines) {
      const both = world.list().machines.filter(each => each.identity === identity)
      if (both.length === 2 && where === dead) world.destroyMachine({ identity, host: dead })
    }
    await cloud.until(async () => placesOf(cloud, 'web-2').length === 1)
    await cloud.patch(Host, host, undefined, { lifecycle: 'Active' })
    await cloud.untilReady()
    t.deepEqual(runsOn(cloud, 'web-2'), [alive])
    t.is(placesOf(cloud, 'web-2').length, 1)
    t.is(await hostOf(cloud, 'web-2'), alive)
  })
}

test('VM-053 a machine turns up on another host while its own is silent: nothing is moved or started until that host is proven off', async t => {
  await using cloud = await Cloud.start()
  const { world } = cloud.simulator
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const host = await hostOf(cloud, 'web-2')
  moveByHand(cloud, 'web-2', otherThan(host))
  world.freezeHost(host)
  await untilSaid(cloud, VirtualMachine, 'web-2', ['PowerApplied', 'Unknown RunsElsewhere'], 'shop')
  await cloud.advance(300_000)
  t.is(await hostOf(cloud, 'web-2'), host)
  world.killHost(host)
  await cloud.until(async () => (await hostOf(cloud, 'web-2')) === otherThan(host))
  world.reviveHost(host)
  await cloud.untilReady()
  t.deepEqual(runsOn(cloud, 'web-2'), [otherThan(host)])
  t.deepEqual(world.invariants(), [])
})
