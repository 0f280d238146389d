import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { PortForwardingRule } from '../../crds/network/port-forwarding-rule.ts'
import { quickstart } from './cloud.ts'
import { deleteEverything, hostOf, nothingLeft, placesOf, runsOn } from './incidents.ts'
import { loseStore, rebindAll } from './lost-store.ts'
import {
  cloudOnHostOne,
  cloudWhileMigrating,
  interruptions,
  said,
  slow,
  thirdHost,
  told,
  untilNothingMoves,
  untilSaid,
} from './maintenance.ts'

test('VM-139 the controllers die at any moment of a migration: the machine gets there, running on, once', async t => {
  await using cloud = await cloudOnHostOne()
  const since = cloud.simulator.world.journal.sequence
  const hosts = ['host-2', 'host-1']
  for (const [index, moment] of [0, 5, 15, 30, 45, 60, 90, 150, 250, 400, 430, 450, 470, 500, 600].entries()) {
    const to = hosts[index % 2] ?? ''
    await cloud.patch(VirtualMachine, 'web-1', 'shop', { placement: { hostName: to } })
    await cloud.advance(moment)
    await cloud.stopControllers()
    await cloud.advance(index % 3 === 0 ? 5_000 : 0)
    await cloud.startControllers()
    await cloud.until(async () => runsOn(cloud, 'web-1').includes(to) && placesOf(cloud, 'web-1').length === 1)
    await untilNothingMoves(cloud)
    t.is(await hostOf(cloud, 'web-1'), to, `stopped after ${moment} ms`)
  }
  await cloud.untilReady()
  t.deepEqual(interruptions(cloud, since), [])
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('the source is lost in the middle: the machine is started again elsewhere, and never twice', async t => {
  await using cloud = await cloudWhileMigrating()
  cloud.simulator.world.killHost('host-1')
  await cloud.until(async () => runsOn(cloud, 'web-1').includes('host-2'), 600_000)
  cloud.simulator.world.reviveHost('host-1')
  await cloud.untilReady()
  await untilNothingMoves(cloud)
  await cloud.advance(120_000)
  t.deepEqual(
    placesOf(cloud, 'web-1').map(({ host }) => host),
    ['host-2'],
  )
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('the source falls silent in the middle and is not proven off: nothing is started anywhere, and the machine is where it arrived', async t => {
  await using cloud = await cloudWhileMigrating()
  cloud.simulator.world.freezeHost('host-1')
  await cloud.until(async () => runsOn(cloud, 'web-1').includes('host-2'))
  await cloud.advance(600_000)
  t.deepEqual(runsOn(cloud, 'web-1'), ['host-2'])
  t.is(await said(cloud, VirtualMachine, 'web-1', 'PowerApplied', 'shop'), 'True Running')
  t.is(await said(cloud, VirtualMachine, 'web-1', 'Settled', 'shop'), 'Unknown HostSilent')
  cloud.simulator.world.reviveHost('host-1')
  await untilNothingMoves(cloud)
  await cloud.untilReady()
  t.is(await hostOf(cloud, 'web-1'), 'host-2')
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('the target is lost in the middle: the machine runs on at its source, says why, and goes when the target is back', async t => {
  await using cloud = await cloudWhileMigrating()
  const since = cloud.simulator.world.journal.sequence
  cloud.simulator.world.killHost('host-2')
  await untilNothingMoves(cloud)
  t.deepEqual(runsOn(cloud, 'web-1'), ['host-1'])
  await untilSaid(cloud, VirtualMachine, 'web-1', ['Settled', 'False NoHostFits'], 'shop')
  cloud.simulator.world.reviveHost('host-2')
  await cloud.until(async () => runsOn(cloud, 'web-1').includes('host-2'), 600_000)
  t.deepEqual(interruptions(cloud, since), [])
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('the target falls silent and lives: the machine gets there unseen, and nothing is started at the source meanwhile', async t => {
  await using cloud = await cloudWhileMigrating()
  const since = cloud.simulator.world.journal.sequence
  cloud.simulator.world.freezeHost('host-2')
  await cloud.advance(600_000)
  t.deepEqual(runsOn(cloud, 'web-1'), ['host-2'])
  t.deepEqual(interruptions(cloud, since), [])
  cloud.simulator.world.reviveHost('host-2')
  await cloud.untilReady()
  t.deepEqual(runsOn(cloud, 'web-1'), ['host-2'])
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('source and target are both lost: the machine starts on a third host once both are proven off', async t => {
  await using cloud = await cloudWhileMigrating(thirdHost)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { placement: {} })
  cloud.simulator.world.killHost('host-2')
  cloud.simulator.world.killHost('host-1')
  await cloud.until(async () => runsOn(cloud, 'web-1').includes('host-3'), 900_000)
  cloud.simulator.world.reviveHost('host-1')
  cloud.simulator.world.reviveHost('host-2')
  await cloud.untilReady()
  await cloud.advance(300_000)
  t.deepEqual(
    placesOf(cloud, 'web-1').map(({ host }) => host),
    ['host-3'],
  )
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

for (const [what, fault] of [
  ['the reply to its beginning is lost', { verb: 'MigrateMachine', effect: 'LoseReply', when: 'After' }],
  ['the request for it is lost', { verb: 'MigrateMachine', effect: 'LoseReply' }],
  ['the request for it arrives twice, late', { verb: 'MigrateMachine', effect: 'Duplicate', milliseconds: 20_000 }],
  ['every event is lost', { verb: 'Event', effect: 'Drop', times: 40 }],
  ['the target refuses it at first', { verb: 'MigrateMachine', effect: 'Fail', code: 'ResourceExhausted' }],
  ['it fails halfway', { verb: 'Migration', effect: 'Fail' }],
  ['it fails at its very end', { verb: 'Migration', effect: 'Fail', when: 'After' }],
] as const) {
  test(`VM-142 HST-031 a migration in which ${what} succeeds in the end, and stops nothing`, async t => {
    await using cloud = await cloudOnHostOne()
    const since = cloud.simulator.world.journal.sequence
    cloud.simulator.world.faults.add(fault)
    await cloud.patch(Host, 'host-1', undefined, { lifecycle: 'Maintenance' })
    await cloud.until(async () => runsOn(cloud, 'web-1').includes('host-2'), 1_200_000)
    await untilSaid(cloud, Host, 'host-1', ['Evacuated', 'True Evacuated'])
    await untilNothingMoves(cloud)
    await cloud.untilReady()
    t.deepEqual(interruptions(cloud, since), [])
    t.deepEqual(cloud.simulator.world.invariants(), [])
  })
}

test('VM-133 a migration that hangs is ended after its time, and the machine says so while it runs on', async t => {
  await using cloud = await cloudOnHostOne(slow.replace('bandwidthMbps: 100', 'timeout: 5m, retryDelay: 10m'))
  cloud.simulator.world.faults.add({ verb: 'Migration', effect: 'Hang' })
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { placement: { hostName: 'host-2' } })
  await cloud.until(async () => placesOf(cloud, 'web-1').length === 2)
  await cloud.advance(240_000)
  t.is(await said(cloud, VirtualMachine, 'web-1', 'Settled', 'shop'), 'False Migrating')
  await untilSaid(cloud, VirtualMachine, 'web-1', ['Settled', 'False MigrationFailed'], 'shop')
  await untilNothingMoves(cloud)
  t.regex(
    await told(cloud, VirtualMachine, 'web-1', 'Settled', 'shop'),
    /host "host-2" failed at .* tried again after 10m/,
  )
  t.deepEqual(
    placesOf(cloud, 'web-1').map(({ host, facts }) => `${host} ${facts.powerState}`),
    ['host-1 Running'],
  )
})

test('a machine is deleted, or switched off, while it migrates: it goes, and nothing is left', async t => {
  await using cloud = await cloudWhileMigrating()
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Halted' })
  await cloud.until(async () => runsOn(cloud, 'web-1').length === 0)
  await cloud.untilReady()
  t.deepEqual(placesOf(cloud, 'web-1').length, 1)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Always', placement: { hostName: 'host-1' } })
  await cloud.untilReady()
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { placement: { hostName: 'host-2' } })
  await cloud.until(async () => placesOf(cloud, 'web-1').length === 2)
  await cloud.delete(PortForwardingRule, 'web-http', 'shop')
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-1', 'shop')) === undefined)
  t.deepEqual(placesOf(cloud, 'web-1'), [])
  t.deepEqual(await deleteEverything(cloud), nothingLeft)
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a guest that ends itself while it migrates is treated as its strategy says, and its migration is over', async t => {
  await using cloud = await cloudWhileMigrating()
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'OnFailure' })
  await cloud.advance(1_000)
  cloud.simulator.world.shutdownGuest({ identity: placesOf(cloud, 'web-1')[0]?.identity ?? '', host: 'host-1' })
  await untilNothingMoves(cloud)
  await untilSaid(cloud, VirtualMachine, 'web-1', ['PowerApplied', 'True EndedByGuest'], 'shop')
  await cloud.advance(300_000)
  t.deepEqual(
    placesOf(cloud, 'web-1').map(({ host, facts }) => `${host} ${facts.powerState}`),
    ['host-1 Off'],
  )
})

test('the target goes into maintenance too: the machine turns to another host', async t => {
  await using cloud = await cloudWhileMigrating(thirdHost)
  const since = cloud.simulator.world.journal.sequence
  await cloud.patch(Host, 'host-2', undefined, { lifecycle: 'Maintenance' })
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { placement: { hostName: 'host-3' } })
  await cloud.until(async () => runsOn(cloud, 'web-1').includes('host-3'))
  await untilNothingMoves(cloud)
  await untilSaid(cloud, Host, 'host-2', ['Evacuated', 'True Evacuated'])
  t.deepEqual(interruptions(cloud, since), [])
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a change of a machine while it migrates is made when it has arrived', async t => {
  await using cloud = await cloudWhileMigrating()
  await cloud.apply(`
apiVersion: storage.skystead.dev/v1alpha1
kind: Volume
metadata: {name: more, namespace: shop}
spec: {zoneName: zone-a, diskOfferingName: data-20g}
`)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { volumes: [{ name: 'more', volumeName: 'more' }] })
  await cloud.advance(10_000)
  t.is(placesOf(cloud, 'web-1').length, 2)
  await cloud.untilReady()
  t.deepEqual(
    placesOf(cloud, 'web-1').map(({ host, facts }) => [host, facts.definition.disks.length]),
    [['host-2', 2]],
  )
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test("the API's store is lost while a migration hangs: rebound, the machine is brought to an end of it, and runs on once", async t => {
  await using cloud = await cloudOnHostOne()
  const { world } = cloud.simulator
  world.faults.add({ verb: 'Migration', effect: 'Hang' })
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { placement: { hostName: 'host-2' } })
  await cloud.until(async () => placesOf(cloud, 'web-1').length === 2)
  const since = world.journal.sequence
  await loseStore(cloud, quickstart)
  await rebindAll(cloud)
  await untilNothingMoves(cloud)
  await cloud.untilReady()
  t.deepEqual(runsOn(cloud, 'web-1'), ['host-1'])
  t.deepEqual(
    interruptions(cloud, since).filter(what => !what.startsWith('DefineMachine')),
    [],
  )
  t.deepEqual(world.invariants(), [])
})
