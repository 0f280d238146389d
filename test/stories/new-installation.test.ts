import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { conditionOf } from '../../crds/meta.ts'
import { Cloud, type CloudOptions, documentsOf, quickstart, withoutTrash } from './cloud.ts'
import { runsOn } from './incidents.ts'
import { thirdHost } from './maintenance.ts'
import { machine } from './manifests.ts'

/** The quickstart's cloud, to which a host was added that never answers. */
async function withDeadHost(options: CloudOptions): Promise<Cloud> {
  const cloud = await Cloud.start(options)
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  deaden(cloud)
  await cloud.apply(thirdHost)
  await cloud.advance(30_000)
  return cloud
}

function deaden({ simulator: { world } }: Cloud): void {
  const times = Number.POSITIVE_INFINITY
  world.faults.add({ verb: 'Inventory', endpoint: 'host-3', effect: 'Fail', code: 'Unavailable', times })
}

async function reasonOf(cloud: Cloud, name: string): Promise<string | undefined> {
  return conditionOf((await cloud.get(VirtualMachine, name, 'shop')) ?? {}, 'Scheduled')?.reason
}

test('in a new installation a host that is added and never answers holds up nothing new, also after a start, and may go', async t => {
  await using cloud = await withDeadHost({ isNewInstallation: true })
  t.truthy(await cloud.get(Allocation, 'inventory-installation-1'))
  await cloud.apply(machine('new'))
  await cloud.until(async () => runsOn(cloud, 'new').length === 1)
  await cloud.stopControllers()
  await cloud.startControllers()
  await cloud.apply(machine('newer'))
  await cloud.until(async () => runsOn(cloud, 'newer').length === 1)
  t.is(conditionOf((await cloud.get(Host, 'host-3')) ?? {}, 'Accounted')?.reason, 'Accounted')
  const notes = (await cloud.list(Allocation)).filter(({ spec }) => spec.type === 'Inventory')
  t.deepEqual(
    notes.map(({ metadata }) => metadata.name),
    ['inventory-installation-1'],
  )
  await cloud.delete(Host, 'host-3')
  await cloud.until(async () => (await cloud.get(Host, 'host-3')) === undefined)
})

test('in an installation that is older than its store such a host may hide something: nothing new is made in its zone, and it goes only as Lost', async t => {
  await using cloud = await withDeadHost({})
  await cloud.apply(machine('new'))
  await cloud.advance(300_000)
  t.is(await reasonOf(cloud, 'new'), 'InventoriesNotRead')
  t.deepEqual(runsOn(cloud, 'new'), [])
  await cloud.delete(Host, 'host-3')
  await cloud.advance(60_000)
  t.is(conditionOf((await cloud.get(Host, 'host-3')) ?? {}, 'Accounted')?.reason, 'NotRead')
  t.is(await reasonOf(cloud, 'new'), 'InventoriesNotRead')
  await cloud.patch(Host, 'host-3', undefined, { lifecycle: 'Lost' })
  await cloud.advance(200_000)
  const accounted = conditionOf((await cloud.get(Host, 'host-3')) ?? {}, 'Accounted')
  t.regex(accounted?.message ?? '', /declared Lost, but gives signs of life/)
  t.is(await reasonOf(cloud, 'new'), 'InventoriesNotRead')
  cloud.simulator.world.killHost('host-3')
  await cloud.until(async () => (await cloud.get(Host, 'host-3')) === undefined)
  await cloud.until(async () => runsOn(cloud, 'new').length === 1)
})

test('a new installation that loses its store is new no more: a host that was not read since may hide something', async t => {
  await using cloud = await withDeadHost({ isNewInstallation: true })
  const ofShop = documentsOf(quickstart).filter(({ kind }) => kind !== 'VirtualMachine')
  await cloud.loseStore()
  await cloud.apply(withoutTrash, ...ofShop, thirdHost, machine('new'))
  await cloud.advance(300_000)
  t.is(await cloud.get(Allocation, 'inventory-installation-1'), undefined)
  t.is(await reasonOf(cloud, 'new'), 'InventoriesNotRead')
  t.deepEqual(runsOn(cloud, 'new'), [])
})
