import test from 'ava'
import { adoptionOf } from '../../cli/adoption.ts'
import { readCloud } from '../../cli/cloud.ts'
import type { Writable } from '../../controllers/api/client.ts'
import { inventoryOf } from '../../controllers/query/inventory.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { conditionOf, type Resource } from '../../crds/meta.ts'
import { Cloud, quickstart, withoutTrash } from './cloud.ts'
import {
  data,
  described,
  doneSince,
  factsOf,
  identities,
  machine,
  reasonOf,
  root,
  runForeigner,
  shared,
  volume,
  withForeigner,
} from './foreigner.ts'

/** What `skystead adopt` writes. */
async function writtenFor(cloud: Cloud, machines?: readonly string[]): Promise<ReturnType<typeof adoptionOf>> {
  const sources = { engines: () => [cloud.engine], environment: cloud.environment, installation: 'installation-1' }
  const read = cloud.environment.until(readCloud(cloud.client))
  const wish = { namespace: 'shop', now: '2026-01-01T00:00:00Z', ...(machines === undefined ? {} : { machines }) }
  return adoptionOf(inventoryOf(sources), (await read) as Awaited<ReturnType<typeof readCloud>>, wish)
}

test('a machine that runs is taken over in place: it gets our mark, and nothing else is done to it', async t => {
  await using cloud = await withForeigner()
  const { sequence } = cloud.simulator.world.journal
  await cloud.apply(...identities, shared, volume('old-web-root', root), volume('old-web-data', data), described())
  await cloud.untilReady()
  t.deepEqual(doneSince(cloud, sequence).toSorted(), ['AdoptMachine', 'AdoptVolume', 'AdoptVolume'])
  const facts = factsOf(cloud)
  t.is(facts?.powerState, 'Running')
  t.is(facts?.mark?.name, 'old-web')
  t.deepEqual(
    facts?.definition.disks.map(({ name, identity }) => [name, identity]),
    [
      ['root', root],
      ['data', data],
    ],
  )
  const machineNow = await cloud.get(VirtualMachine, 'old-web', 'shop')
  t.is(machineNow?.status?.hostName, 'host-1')
  t.is(machineNow?.status?.drift, undefined)
  t.is((await cloud.get(Host, 'host-1'))?.status?.adoptables, 0)
  await cloud.stopControllers()
  await cloud.startControllers()
  await cloud.advance(60_000)
  t.is(doneSince(cloud, sequence).length, 3)
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('manifests of a takeover may come in any order: before its identity is given nothing is done', async t => {
  await using cloud = await withForeigner()
  const { sequence } = cloud.simulator.world.journal
  await cloud.apply(described(), volume('old-web-data', data), volume('old-web-root', root), shared)
  await cloud.advance(60_000)
  t.is(await reasonOf(cloud, 'Ready'), 'IdentityNotGiven')
  t.deepEqual(doneSince(cloud, sequence), [])
  t.is(cloud.simulator.world.list().machines.filter(({ facts }) => facts.mark?.name === 'old-web').length, 0)
  await cloud.apply(...identities)
  await cloud.untilReady()
  t.deepEqual(doneSince(cloud, sequence).toSorted(), ['AdoptMachine', 'AdoptVolume', 'AdoptVolume'])
})

test('a machine that is not as described is not taken over, and what differs is named', async t => {
  await using cloud = await withForeigner()
  await cloud.apply(...identities, shared, volume('old-web-root', root), volume('old-web-data', data))
  await cloud.apply(described({ memory: '512Mi' }))
  await cloud.advance(60_000)
  t.is(await reasonOf(cloud, 'PowerApplied'), 'AdoptionDiffers')
  const stalled = conditionOf((await cloud.get(VirtualMachine, 'old-web', 'shop')) ?? {}, 'PowerApplied')
  t.regex(stalled?.message ?? '', /its cores are described as 1 and are 2/)
  t.is(factsOf(cloud)?.mark, undefined)
  t.is(factsOf(cloud)?.powerState, 'Running')
  await cloud.delete(VirtualMachine, 'old-web', 'shop')
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'old-web', 'shop')) === undefined)
  t.is(factsOf(cloud)?.powerState, 'Running')
})

test('what bears the mark of another installation is never taken over', async t => {
  await using cloud = await withForeigner({ installation: 'another', kind: 'VirtualMachine', name: 'theirs' })
  await cloud.apply(...identities, shared, volume('old-web-root', root), volume('old-web-data', data), described())
  await cloud.advance(60_000)
  t.is(await reasonOf(cloud, 'PowerApplied'), 'NotOurs')
  t.is(factsOf(cloud)?.mark?.installation, 'another')
})

test('a takeover goes on where controllers that died left it, whatever was lost', async t => {
  await using cloud = await withForeigner()
  const { world } = cloud.simulator
  const { sequence } = world.journal
  for (const verb of ['AdoptMachine', 'AdoptVolume'] as const) world.faults.add({ verb, effect: 'LoseReply' })
  await cloud.apply(...identities, shared, volume('old-web-root', root), volume('old-web-data', data), described())
  for (let step = 0; step < 15; step += 1) {
    await cloud.advance(60)
    await cloud.stopControllers()
    await cloud.startControllers()
  }
  await cloud.untilReady()
  t.is(factsOf(cloud)?.powerState, 'Running')
  t.true(doneSince(cloud, sequence).every(verb => verb.startsWith('Adopt')))
  t.deepEqual(world.invariants(), [])
})

test('what adopt writes describes a machine as it is: applying it takes it over and does nothing else', async t => {
  await using cloud = await withForeigner()
  const { files, refused } = await writtenFor(cloud)
  t.deepEqual(refused, [])
  t.deepEqual(
    files.map(({ name, documents }) => `${name}: ${documents.map(({ kind }) => kind).join(' ')}`),
    [
      '0-shared: ServiceOffering NetworkOffering Network',
      'old-web: Allocation Allocation Allocation Volume Volume VirtualMachine',
    ],
  )
  const { sequence } = cloud.simulator.world.journal
  const documents = files.flatMap(file => file.documents) as unknown as readonly Writable[]
  await cloud.apply(...documents)
  await cloud.untilReady()
  t.deepEqual(doneSince(cloud, sequence).toSorted(), ['AdoptMachine', 'AdoptVolume', 'AdoptVolume'])
  t.is(factsOf(cloud)?.powerState, 'Running')
  t.is((await cloud.get(VirtualMachine, 'old-web', 'shop'))?.status?.drift, undefined)
  t.deepEqual(await writtenFor(cloud), { files: [], refused: [] })
  await cloud.apply(...documents)
  await cloud.advance(60_000)
  t.is(doneSince(cloud, sequence).length, 3)
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a machine that cannot be described as it is, is named with the reason', async t => {
  await using cloud = await withForeigner()
  const { world } = cloud.simulator
  world.addForeignMachine('host-2', { definition: { guestHostName: 'diskless' } })
  world.removeVolume(data)
  world.changeDefinition(machine, { nics: [] })
  await cloud.advance(1_000)
  const { files, refused } = await writtenFor(cloud)
  t.deepEqual(files, [])
  t.deepEqual(
    refused.map(({ reason }) => reason.replace(data, 'X')),
    [
      'its disk X lies in no primary storage of the cloud, or is not free: declare one',
      'it has no disk: a machine boots from one',
    ],
  )
  t.deepEqual((await writtenFor(cloud, ['nobody'])).refused, [])
})

test('a machine is taken over where it ran, and nowhere else: its lost host is waited for', async t => {
  await using cloud = await withForeigner()
  const { world } = cloud.simulator
  world.killHost('host-1')
  await cloud.advance(300_000)
  const { sequence } = world.journal
  await cloud.apply(...identities, shared, volume('old-web-root', root), volume('old-web-data', data), described())
  await cloud.patch(Host, 'host-1', undefined, { lifecycle: 'Lost' })
  await cloud.advance(600_000)
  const waiting = (await cloud.get(VirtualMachine, 'old-web', 'shop')) as Resource
  t.is(conditionOf(waiting, 'Scheduled')?.reason, 'HostSilent')
  t.deepEqual(
    doneSince(cloud, sequence).filter(action => action.endsWith('Machine')),
    [],
  )
  world.reviveHost('host-1')
  await cloud.patch(Host, 'host-1', undefined, { lifecycle: 'Active' })
  await cloud.untilReady(900_000)
  t.true(doneSince(cloud, sequence).includes('AdoptMachine'))
  t.deepEqual(world.invariants(), [])
})

test('a machine that nobody has told of yet is not made a second time where it is described already', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart, withoutTrash)
  await cloud.untilReady()
  await cloud.patch(Host, 'host-1', undefined, { allocationState: 'Disabled' })
  const { world } = cloud.simulator
  world.faults.add({ verb: 'Event', endpoint: 'host-1', effect: 'Drop', times: 2 })
  runForeigner(cloud, (await cloud.get(PrimaryStorage, 'primary-1'))?.metadata.uid ?? '')
  const { sequence } = world.journal
  await cloud.apply(...identities, shared, volume('old-web-root', root), volume('old-web-data', data), described())
  await cloud.untilReady(900_000)
  t.deepEqual(doneSince(cloud, sequence).toSorted(), ['AdoptMachine', 'AdoptVolume', 'AdoptVolume'])
  t.is(factsOf(cloud)?.powerState, 'Running')
  t.deepEqual(world.invariants(), [])
})
