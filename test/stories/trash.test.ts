import test from 'ava'
import { findTrash, takeBack, trashLines } from '../../cli/trash.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { conditionOf } from '../../crds/meta.ts'
import { Volume } from '../../crds/storage/volume.ts'
import { Cloud, quickstart, withoutTrash } from './cloud.ts'
import { runsOn } from './incidents.ts'
import { thirdHost } from './maintenance.ts'

const delay = 1_200_000
const withTrash = withoutTrash.replace('0s', '20m')

/** The quickstart's cloud whose trash keeps disks for 20 minutes. */
async function running(): Promise<Cloud> {
  const cloud = await Cloud.start()
  await cloud.apply(quickstart, withTrash)
  await cloud.untilReady()
  return cloud
}

/** Disks of a name: identity, and whether in the trash. */
function disksOf(cloud: Cloud, name: string) {
  const { volumes } = cloud.simulator.world.list()
  return volumes.flatMap(({ facts }) => (facts.mark?.name === name ? [facts] : []))
}

async function remake(cloud: Cloud): Promise<void> {
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-1', 'shop')) === undefined)
  await cloud.apply(quickstart, withTrash)
  await cloud.untilReady(60_000)
}

test('STO-134 a machine that is deleted and made again under its name runs within a minute; both disks in the trash go when their time is over', async t => {
  await using cloud = await running()
  const [first] = disksOf(cloud, 'web-1-root')
  await remake(cloud)
  await cloud.advance(delay / 2)
  await remake(cloud)
  t.is(runsOn(cloud, 'web-1').length, 1)
  const disks = disksOf(cloud, 'web-1-root')
  t.deepEqual(disks.map(({ trashedAt }) => trashedAt !== undefined).toSorted(), [false, true, true])
  await cloud.advance(delay / 2 - 120_000)
  t.is(disksOf(cloud, 'web-1-root').length, 3)
  await cloud.advance(240_000)
  t.is(disksOf(cloud, 'web-1-root').length, 2)
  t.false(disksOf(cloud, 'web-1-root').some(({ identity }) => identity === first?.identity))
  await cloud.advance(delay / 2)
  t.is(disksOf(cloud, 'web-1-root').length, 1)
  await cloud.untilReady()
  const claims = (await cloud.list(Allocation)).filter(({ spec }) => spec.type === 'Volume')
  t.deepEqual(
    claims.map(({ spec }) => spec.value).toSorted(),
    cloud.simulator.world
      .list()
      .volumes.map(({ identity }) => identity)
      .toSorted(),
  )
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('STO-134 a disk is taken back from the trash under another name, with what is in it, also beside a new one of its old name', async t => {
  await using cloud = await running()
  const [old] = disksOf(cloud, 'web-1-root')
  await remake(cloud)
  const { client, environment } = cloud
  const trash = (await environment.until(findTrash(client))) ?? []
  t.deepEqual(
    trash.map(({ identity, volume, sizeBytes }) => ({ identity, volume, sizeBytes })),
    [{ identity: old?.identity, volume: 'shop/web-1-root', sizeBytes: 8 * 2 ** 30 }],
  )
  t.regex(trashLines(trash)[1] ?? '', /^shop\/web-1-root +8Gi +primary-1 /)
  await t.throwsAsync(environment.until(takeBack(client, old?.identity ?? '', undefined, environment)), {
    message: /Volume shop\/web-1-root has a disk of its own already; give another name with --as/,
  })
  await t.throwsAsync(environment.until(takeBack(client, 'none', undefined, environment)), {
    message: 'Cannot take back none: no disk of that identity is in the trash',
  })
  await environment.until(takeBack(client, old?.identity ?? '', 'rescued', environment))
  await cloud.until(async () => disksOf(cloud, 'rescued').length === 1, 60_000)
  t.deepEqual(await environment.until(findTrash(client)), [])
  t.like(disksOf(cloud, 'rescued')[0], { identity: old?.identity, trashedAt: undefined })
  await cloud.untilReady()
  await cloud.advance(2 * delay)
  t.is(disksOf(cloud, 'rescued').length, 1)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { volumes: [{ name: 'rescued', volumeName: 'rescued' }] })
  await cloud.untilReady()
  t.is((await cloud.get(Volume, 'rescued', 'shop'))?.status?.virtualMachineName, 'web-1')
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('after the loss of the API’s store nothing in the trash is destroyed, and its names are free', async t => {
  await using cloud = await running()
  const [old] = disksOf(cloud, 'web-1-root')
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  await cloud.until(async () => (await cloud.get(Volume, 'web-1-root', 'shop')) === undefined)
  await cloud.loseStore()
  await cloud.apply(quickstart, withTrash)
  await cloud.advance(2 * delay)
  t.truthy(disksOf(cloud, 'web-1-root').find(({ identity }) => identity === old?.identity)?.trashedAt)
  const volume = await cloud.get(Volume, 'web-1-root', 'shop')
  t.not(conditionOf(volume ?? {}, 'Ready')?.reason, 'IdentityConflict')
})

test('however often the controllers stop while volumes are deleted, each disk is in the trash under its claim, and goes when its time is over', async t => {
  await using cloud = await running()
  await cloud.stopControllers()
  await cloud.delete(VirtualMachine, 'web-2', 'shop')
  await cloud.delete(Volume, 'web-2-data', 'shop')
  for (let round = 0; round < 40; round++) {
    await cloud.startControllers()
    await cloud.advance(300)
    await cloud.stopControllers()
  }
  await cloud.startControllers()
  await cloud.until(async () => (await cloud.get(Volume, 'web-2-data', 'shop')) === undefined)
  const claims = await cloud.list(Allocation)
  for (const name of ['web-2-root', 'web-2-data']) {
    const [disk] = disksOf(cloud, name)
    t.truthy(disk?.trashedAt)
    t.truthy(claims.find(({ spec }) => spec.type === 'Volume' && spec.value === disk?.identity)?.spec.notes?.deletedAt)
  }
  await cloud.advance(delay + 300_000)
  t.deepEqual([...disksOf(cloud, 'web-2-root'), ...disksOf(cloud, 'web-2-data')], [])
})

test('a disk that cannot be destroyed keeps no other in the trash', async t => {
  await using cloud = await running()
  for (const name of ['web-1', 'web-2']) await cloud.delete(VirtualMachine, name, 'shop')
  await cloud.delete(Volume, 'web-2-data', 'shop')
  await cloud.until(async () => (await cloud.list(Volume)).length === 0)
  const { world } = cloud.simulator
  const [first, ...others] = world
    .list()
    .volumes.map(({ identity }) => identity)
    .toSorted()
  t.true(others.some(identity => identity.slice(0, 1) !== first?.slice(0, 1)))
  const identity = first ?? ''
  const fault = {
    verb: 'DeleteVolume',
    effect: 'Fail',
    code: 'FailedPrecondition',
    times: Number.POSITIVE_INFINITY,
  } as const
  const script = world.faults.add({ ...fault, identity })
  await cloud.advance(delay + 300_000)
  t.deepEqual(
    world.list().volumes.map(volume => volume.identity),
    [identity],
  )
  script.remove()
  await cloud.until(async () => world.list().volumes.length === 0, 1_200_000)
  await cloud.until(async () => (await cloud.list(Allocation)).every(({ spec }) => spec.type !== 'Volume'))
})

test('a disk that a machine has behind our back cannot be trashed: that is told, and tried ever more seldom, until the machine lets it go', async t => {
  await using cloud = await running()
  await cloud.apply(withTrash.replace('20m', '3h'))
  const { world } = cloud.simulator
  await cloud.delete(VirtualMachine, 'web-2', 'shop')
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-2', 'shop')) === undefined)
  const identity = disksOf(cloud, 'web-2-data')[0]?.identity ?? ''
  const pool = (await cloud.get(PrimaryStorage, 'primary-1'))?.metadata.uid ?? ''
  // A host that is declared no more, so that what it has is not seen.
  await cloud.apply(thirdHost)
  await cloud.untilReady()
  await cloud.delete(Host, 'host-3')
  await cloud.until(async () => (await cloud.get(Host, 'host-3')) === undefined)
  const user = world.addForeignMachine('host-3', {
    definition: { disks: [{ identity, pool: `PrimaryStorage/${pool}`, name: 'data' }] },
  })
  const { sequence } = world.journal
  const tries = () => world.journal.since(sequence).filter(({ action }) => action === 'TrashVolume')
  await cloud.delete(Volume, 'web-2-data', 'shop')
  await cloud.advance(3_600_000)
  const provisioned = conditionOf((await cloud.get(Volume, 'web-2-data', 'shop')) ?? {}, 'Provisioned')
  t.is(provisioned?.reason, 'FailedPrecondition')
  t.regex(provisioned?.message ?? '', /attached/)
  const times = tries().map(({ at }) => at)
  const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0))
  t.true(times.length > 2 && times.length < 60, `${times.length} tries, pauses ${pauses.join(' ')}`)
  t.true((pauses.at(-1) ?? 0) > 10 * (pauses[0] ?? 0), pauses.join(' '))
  t.true(tries().every(({ outcome }) => outcome === 'FailedPrecondition'))
  world.removeMachine({ identity: user, host: 'host-3' })
  await cloud.until(async () => (await cloud.get(Volume, 'web-2-data', 'shop')) === undefined, 900_000)
  const claim = (await cloud.list(Allocation)).find(({ spec }) => spec.type === 'Volume' && spec.value === identity)
  t.truthy(claim?.spec.notes?.deletedAt)
  t.is(disksOf(cloud, 'web-2-data')[0]?.trashedAt, claim?.spec.notes?.deletedAt)
})
