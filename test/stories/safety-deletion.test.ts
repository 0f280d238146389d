import test from 'ava'
import { findRebindings, rebind } from '../../cli/rebinding.ts'
import { ServiceOffering } from '../../crds/compute/service-offering.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { kindOf } from '../../crds/kinds.ts'
import { conditionOf } from '../../crds/meta.ts'
import { Volume } from '../../crds/storage/volume.ts'
import { Cloud, notReady, quickstart, withoutTrash } from './cloud.ts'
import { deleteEverything, hostOf, leftovers, nothingLeft, placesOf, runsOn } from './incidents.ts'

const tenants: readonly string[] = [
  'VirtualMachine',
  'Volume',
  'Network',
  'PublicIP',
  'PortForwardingRule',
  'FirewallRule',
]

/** Deletes everything of namespace `shop` at once, as the deletion of the namespace does. */
async function deleteTenants(cloud: Cloud): Promise<void> {
  for (const { apiVersion, kind, metadata } of await cloud.everything()) {
    const known = kindOf(apiVersion, kind)
    if (known !== undefined && metadata.namespace === 'shop') await cloud.delete(known, metadata.name, 'shop')
  }
}

const isOfTenant = ({ kind }: { readonly kind: string }) => tenants.includes(kind)

test('everything of a namespace is deleted at once while a host is lost: all of it goes, and nothing comes back', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const host = await hostOf(cloud, 'web-1')
  cloud.simulator.world.killHost(host)
  await deleteTenants(cloud)
  await cloud.until(
    async () => !(await cloud.everything()).some(isOfTenant),
    900_000,
    async () => notReady((await cloud.everything()).filter(isOfTenant)).join('\n'),
  )
  cloud.simulator.world.reviveHost(host)
  await cloud.untilReady()
  await cloud.advance(180_000)
  t.deepEqual(placesOf(cloud, 'web-1'), [])
  t.deepEqual((await leftovers(cloud)).volumes, [])
  t.deepEqual(await deleteEverything(cloud), nothingLeft)
})

test('a machine is deleted and made again under its name at once: the new one has a new disk, the old one leaves nothing', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const [before] = placesOf(cloud, 'web-1')
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  await cloud.until(async () => {
    await cloud.apply(quickstart)
    const machine = await cloud.get(VirtualMachine, 'web-1', 'shop')
    return machine !== undefined && machine.metadata.deletionTimestamp === undefined
  })
  await cloud.untilReady()
  const [after, ...more] = placesOf(cloud, 'web-1')
  t.deepEqual(more, [])
  t.not(after?.identity, before?.identity)
  t.not(after?.facts.definition.disks[0]?.identity, before?.facts.definition.disks[0]?.identity)
  t.is(cloud.simulator.world.list().volumes.length, 3)
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a host, a pool and an offering in use are deleted: they wait, and what uses them runs on', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const host = await hostOf(cloud, 'web-1')
  await cloud.delete(Host, host)
  await cloud.delete(PrimaryStorage, 'primary-1')
  await cloud.delete(ServiceOffering, 'small')
  await cloud.advance(300_000)
  await cloud.stopControllers()
  await cloud.startControllers()
  await cloud.advance(60_000)
  t.deepEqual(runsOn(cloud, 'web-1'), [host])
  cloud.simulator.world.crashGuest('shop/web-1')
  await cloud.advance(60_000)
  t.deepEqual(runsOn(cloud, 'web-1'), [host])
  for (const kind of [Host, PrimaryStorage, ServiceOffering]) {
    const name = kind === Host ? host : kind === PrimaryStorage ? 'primary-1' : 'small'
    t.not((await cloud.get(kind, name))?.metadata.deletionTimestamp, undefined)
  }
  t.deepEqual(await deleteEverything(cloud), nothingLeft)
})

test('a host is made anew by force while a machine runs there: nothing is started twice, and its identity heals it', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const host = await hostOf(cloud, 'web-1')
  const former = await cloud.get(Host, host)
  await cloud.delete(Host, host)
  await cloud.advance(1_000)
  const dying = await cloud.get(Host, host)
  if (former === undefined || dying === undefined) throw new Error('Cannot find the host')
  const complete = <T>(promise: Promise<T>) => cloud.environment.until(promise)
  await complete(cloud.client.patchFinalizers(Host, dying, []))
  await cloud.apply(quickstart)
  await cloud.advance(300_000)
  t.deepEqual(runsOn(cloud, 'web-1'), [host])
  const remade = await cloud.get(Host, host)
  if (remade === undefined) throw new Error('Cannot find the host')
  t.not(remade.metadata.uid, former.metadata.uid)
  await complete(rebind(cloud.client, { object: remade, identity: former.metadata.uid }, cloud.environment))
  await cloud.untilReady()
  t.deepEqual(runsOn(cloud, 'web-1'), [host])
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('the store is lost: a disk that no machine has is known again under its identity, and goes with its Volume', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  await cloud.patch(VirtualMachine, 'web-2', 'shop', { volumes: [] })
  await cloud.untilReady()
  await cloud.loseStore()
  const alone = quickstart.replace('\n  volumes: [{name: data, volumeName: web-2-data}]', '')
  t.not(alone, quickstart)
  await cloud.apply(withoutTrash, alone)
  await cloud.advance(60_000)
  for (let round = 0; round < 5; round++) {
    const found = await cloud.environment.until(findRebindings(cloud.client))
    for (const rebinding of found?.rebindings ?? []) {
      await cloud.environment.until(rebind(cloud.client, rebinding, cloud.environment))
    }
    await cloud.advance(30_000)
  }
  await cloud.untilReady()
  t.is(cloud.simulator.world.list().volumes.length, 3)
  t.is(conditionOf((await cloud.get(Volume, 'web-2-data', 'shop')) ?? {}, 'Ready')?.status, 'True')
  t.deepEqual(await deleteEverything(cloud), nothingLeft)
})

test('what is protected stays as it is when it is deleted, until the protection is taken away', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const [before] = placesOf(cloud, 'web-1')
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { protected: 'Enabled' })
  await cloud.patch(Volume, 'web-2-data', 'shop', { protected: 'Enabled' })
  const { sequence } = cloud.simulator.world.journal
  await deleteTenants(cloud)
  await cloud.advance(300_000)
  t.deepEqual(placesOf(cloud, 'web-1'), [before])
  const protectedOnes = [
    await cloud.get(VirtualMachine, 'web-1', 'shop'),
    await cloud.get(Volume, 'web-2-data', 'shop'),
  ]
  t.deepEqual(
    protectedOnes.map(object => conditionOf(object ?? {}, 'Ready')?.reason),
    ['Protected', 'Protected'],
  )
  const disk = protectedOnes[1]?.metadata.uid
  const done = cloud.simulator.world.journal.since(sequence)
  t.false(done.some(({ action, identity }) => identity === disk && action === 'DeleteVolume'))
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { protected: 'Disabled' })
  await cloud.patch(Volume, 'web-2-data', 'shop', { protected: 'Disabled' })
  await cloud.until(async () => !(await cloud.everything()).some(isOfTenant), 900_000)
  t.deepEqual(placesOf(cloud, 'web-1'), [])
})

test('a machine waits for its root volume where that is protected: off, with its disk, and everything else given back', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const root = 'web-1-root'
  await cloud.patch(Volume, root, 'shop', { protected: 'Enabled' })
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  const readyOf = async () => conditionOf((await cloud.get(VirtualMachine, 'web-1', 'shop')) ?? {}, 'Ready')
  await cloud.until(async () => (await readyOf())?.reason === 'Protected', 300_000)
  t.regex((await readyOf())?.message ?? '', /Volume "web-1-root", .* is protected: set its spec.protected to Disabled/)
  t.is((await cloud.get(Volume, root, 'shop'))?.metadata.deletionTimestamp, undefined, 'nobody has tried')
  t.deepEqual(placesOf(cloud, 'web-1'), [])
  await cloud.patch(Volume, root, 'shop', { protected: 'Disabled' })
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-1', 'shop')) === undefined, 60_000)
  await cloud.until(async () => (await cloud.get(Volume, root, 'shop')) === undefined, 60_000)
})
