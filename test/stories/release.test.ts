import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { conditionOf, type Resource } from '../../crds/meta.ts'
import { Network } from '../../crds/network/network.ts'
import { Volume } from '../../crds/storage/volume.ts'
import type { MachineFacts } from '../../drivers/contract/facts.ts'
import { Cloud, quickstart, withoutTrash } from './cloud.ts'
import {
  data,
  described,
  diskOf,
  doneSince,
  factsOf,
  identities,
  machine,
  orphan,
  reasonOf,
  root,
  shared,
  volume,
  withForeigner,
} from './foreigner.ts'

/** The quickstart's machine web-1 as its host has it, and the disk that was made for it. */
function ownMachine({ simulator: { world } }: Cloud): { readonly mine: MachineFacts; readonly disk: string } {
  const mine = world.list().machines.find(({ facts }) => facts.mark?.name === 'web-1')?.facts
  if (mine === undefined) throw new Error('Cannot find machine web-1')
  return { mine, disk: mine.definition.disks[0]?.identity ?? '' }
}

/** A cloud that has taken a machine over, with its disks, to be given back when they are deleted. */
async function withTakenOver(): Promise<Cloud> {
  const cloud = await withForeigner()
  const left = ', management: {deletionPolicy: Orphan}'
  await cloud.apply(...identities, shared, volume('old-web-root', root, left), volume('old-web-data', data, left))
  await cloud.apply(described({ management: orphan }))
  await cloud.untilReady()
  return cloud
}

test('deletion with the policy Orphan gives a machine back running, without our mark, and its disks with it', async t => {
  await using cloud = await withTakenOver()
  const { sequence } = cloud.simulator.world.journal
  await cloud.delete(VirtualMachine, 'old-web', 'shop')
  await cloud.advance(30_000)
  t.is(await reasonOf(cloud, 'PowerApplied'), 'VolumesStay')
  t.is(factsOf(cloud)?.mark?.name, 'old-web')
  for (const name of ['old-web-root', 'old-web-data']) await cloud.delete(Volume, name, 'shop')
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'old-web', 'shop')) === undefined)
  await cloud.until(async () => (await cloud.list(Volume)).every(({ metadata }) => !metadata.name.startsWith('old')))
  t.deepEqual(doneSince(cloud, sequence).toSorted(), ['ReleaseMachine', 'ReleaseVolume', 'ReleaseVolume'])
  t.is(factsOf(cloud)?.powerState, 'Running')
  t.is(factsOf(cloud)?.mark, undefined)
  for (const disk of [root, data]) t.is(diskOf(cloud, disk)?.mark, undefined)
  const held = (await cloud.list(Allocation)).filter(({ spec }) => [machine, root, data].includes(spec.value))
  t.deepEqual(
    held.map(({ metadata }) => metadata.name),
    [],
  )
  await cloud.delete(Network, 'old-net', 'shop')
  await cloud.until(async () => (await cloud.get(Network, 'old-net', 'shop')) === undefined)
  t.is((await cloud.get(Host, 'host-1'))?.status?.adoptables, 1)
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('the manifests of a takeover deleted as they were written, identities first: everything is given back all the same', async t => {
  await using cloud = await withTakenOver()
  const { sequence } = cloud.simulator.world.journal
  for (const identity of [machine, root, data]) await cloud.delete(Allocation, `identity-${identity}`)
  await cloud.stopControllers()
  await cloud.startControllers()
  await cloud.advance(60_000)
  t.is(await reasonOf(cloud, 'Ready'), 'Ready')
  const again = await cloud.get(Allocation, `identity-${machine}`)
  t.truthy(again?.spec.notes?.takenOverAt, 'that the machine is ours is noted again')
  t.is(await cloud.get(Allocation, `identity-${root}`), undefined)
  for (const name of ['old-web-root', 'old-web-data']) await cloud.delete(Volume, name, 'shop')
  await cloud.delete(VirtualMachine, 'old-web', 'shop')
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'old-web', 'shop')) === undefined)
  await cloud.until(async () => (await cloud.list(Volume)).every(({ metadata }) => !metadata.name.startsWith('old')))
  t.deepEqual(doneSince(cloud, sequence).toSorted(), ['ReleaseMachine', 'ReleaseVolume', 'ReleaseVolume'])
  t.is(factsOf(cloud)?.powerState, 'Running')
  const held = (await cloud.list(Allocation)).filter(({ spec }) => [machine, root, data].includes(spec.value))
  t.deepEqual(held, [])
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a machine of our own is given back too, with the root disk that was made for it', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart, withoutTrash)
  await cloud.untilReady()
  const { mine, disk } = ownMachine(cloud)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { management: { deletionPolicy: 'Orphan' } })
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  await cloud.until(async () => (await cloud.get(Volume, 'web-1-root', 'shop')) === undefined)
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-1', 'shop')) === undefined)
  t.is(factsOf(cloud, mine.identity)?.powerState, 'Running')
  t.is(factsOf(cloud, mine.identity)?.mark, undefined)
  t.is(diskOf(cloud, disk)?.mark, undefined)
  const left = (await cloud.list(Allocation)).filter(({ spec }) => spec.holder.name.startsWith('web-1'))
  t.deepEqual(
    left.map(({ metadata }) => metadata.name),
    [],
  )
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a release goes on where controllers that died left it; nothing is stopped or destroyed on the way', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart, withoutTrash)
  await cloud.untilReady()
  const { world } = cloud.simulator
  const { mine, disk } = ownMachine(cloud)
  for (const verb of ['ReleaseMachine', 'ReleaseVolume'] as const) world.faults.add({ verb, effect: 'LoseReply' })
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { management: { mode: 'Observe', deletionPolicy: 'Orphan' } })
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  for (let step = 0; step < 25; step += 1) {
    await cloud.advance(40)
    t.is(factsOf(cloud, mine.identity)?.powerState, 'Running')
    await cloud.stopControllers()
    await cloud.startControllers()
  }
  await cloud.until(async () => (await cloud.get(Volume, 'web-1-root', 'shop')) === undefined)
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-1', 'shop')) === undefined)
  t.is(factsOf(cloud, mine.identity)?.mark, undefined)
  t.is(diskOf(cloud, disk)?.mark, undefined)
  t.deepEqual(world.invariants(), [])
})

test('a machine whose host does not answer is not given back before it does', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart, withoutTrash)
  await cloud.untilReady()
  const host = (await cloud.get(VirtualMachine, 'web-1', 'shop'))?.status?.hostName ?? ''
  cloud.simulator.world.freezeHost(host)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { management: { deletionPolicy: 'Orphan' } })
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  await cloud.advance(120_000)
  t.not(await cloud.get(VirtualMachine, 'web-1', 'shop'), undefined)
  cloud.simulator.world.reviveHost(host)
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-1', 'shop')) === undefined)
  t.true(
    cloud.simulator.world
      .list()
      .machines.some(({ facts }) => facts.mark === undefined && facts.definition.guestHostName === 'web-1'),
  )
})

test('a machine is given back whose host is off: that is waited for and says what to do, and with the operator’s word it is let go as it lies', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart, withoutTrash)
  await cloud.untilReady()
  const { world } = cloud.simulator
  const { mine, disk } = ownMachine(cloud)
  const host = (await cloud.get(VirtualMachine, 'web-1', 'shop'))?.status?.hostName ?? ''
  world.killHost(host)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { management: { deletionPolicy: 'Orphan' } })
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  await cloud.advance(300_000)
  const waiting = (await cloud.get(VirtualMachine, 'web-1', 'shop')) as Resource
  t.is(conditionOf(waiting, 'PowerApplied')?.reason, 'HostSilent')
  t.regex(conditionOf(waiting, 'PowerApplied')?.message ?? '', /proven off.*spec\.lifecycle Lost/)
  await cloud.patch(Host, host, undefined, { lifecycle: 'Lost' })
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-1', 'shop')) === undefined)
  await cloud.until(async () => (await cloud.get(Volume, 'web-1-root', 'shop')) === undefined)
  t.is(diskOf(cloud, disk)?.mark, undefined)
  const held = (await cloud.list(Allocation)).filter(({ spec }) => spec.holder.name.startsWith('web-1'))
  t.deepEqual(
    held.map(({ metadata }) => metadata.name),
    [],
  )
  world.reviveHost(host)
  await cloud.patch(Host, host, undefined, { lifecycle: 'Active' })
  await cloud.advance(300_000)
  t.is(factsOf(cloud, mine.identity)?.mark?.name, 'web-1', 'nobody removes what was given back')
  t.is(factsOf(cloud, mine.identity)?.powerState, 'Off')
  t.is((await cloud.get(Host, host))?.status?.leftovers, 1)
  t.deepEqual(world.invariants(), [])
})
