import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { Cloud, quickstart } from './cloud.ts'
import { placesOf, runsOn } from './incidents.ts'
import { said, told, untilSaid } from './maintenance.ts'
import { machine } from './manifests.ts'

/** A second pool, and an offering whose disks lie there. */
const otherPool = `
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: PrimaryStorage
metadata: {name: primary-2}
spec: {scope: Cluster, clusterName: cluster-1, url: "sim://primary-2", capacity: 2Ti, tags: [other]}
---
apiVersion: compute.skystead.dev/v1alpha1
kind: ServiceOffering
metadata: {name: other}
spec: {cores: 1, clockMHz: 1000, memory: 512Mi, highlyAvailable: true, storageTags: [other]}
`

/** A cloud with machines of every strategy on primary-2, and the quickstart's on whichever has room. */
async function start(): Promise<Cloud> {
  const cloud = await Cloud.start()
  const first = quickstart.replaceAll('serviceOfferingName: small', 'serviceOfferingName: first')
  await cloud.apply(first.replace('diskOfferingName: data-20g', 'diskOfferingName: data-first'))
  await cloud.apply(`
apiVersion: compute.skystead.dev/v1alpha1
kind: ServiceOffering
metadata: {name: first}
spec: {cores: 1, clockMHz: 1000, memory: 512Mi, highlyAvailable: true, storageTags: [ssd]}
---
apiVersion: storage.skystead.dev/v1alpha1
kind: DiskOffering
metadata: {name: data-first}
spec: {size: 20Gi, tags: [ssd]}
`)
  await cloud.apply(otherPool)
  for (const [name, strategy] of [
    ['always', 'Always'],
    ['failing', 'OnFailure'],
    ['ended', 'OnFailure'],
    ['once', 'Once'],
    ['once-ended', 'Once'],
    ['halted', 'Halted'],
    ['later', 'Always'],
  ]) {
    await cloud.apply(machine(name ?? '', { serviceOfferingName: 'other', more: `  runStrategy: ${strategy}\n` }))
  }
  await cloud.untilReady()
  for (const name of ['ended', 'once-ended']) cloud.simulator.world.shutdownGuest(`shop/${name}`)
  await cloud.until(async () => [...runsOn(cloud, 'ended'), ...runsOn(cloud, 'once-ended')].length === 0)
  await cloud.untilReady()
  return cloud
}

/** Names of the machines that run, sorted. */
function running(cloud: Cloud): readonly string[] {
  return cloud.simulator.world
    .list()
    .machines.filter(({ facts }) => facts.powerState === 'Running' && facts.mark?.kind === 'VirtualMachine')
    .map(({ facts }) => facts.mark?.name ?? '')
    .toSorted()
}

test('STO-055 STO-056 STO-057 STO-058 storage maintenance stops exactly the guests with disks there and, over, starts exactly those again, through restarts', async t => {
  await using cloud = await start()
  t.deepEqual(running(cloud), ['always', 'failing', 'later', 'once', 'web-1', 'web-2'])
  cloud.simulator.world.ignoreACPI('shop/failing')
  await cloud.patch(PrimaryStorage, 'primary-2', undefined, { lifecycle: 'Maintenance' })
  await cloud.advance(300)
  await cloud.stopControllers()
  await cloud.startControllers()
  await untilSaid(cloud, PrimaryStorage, 'primary-2', ['Quiesced', 'False Quiescing'])
  t.regex(await told(cloud, PrimaryStorage, 'primary-2', 'Quiesced'), /shop\/failing/)
  await untilSaid(cloud, PrimaryStorage, 'primary-2', ['Quiesced', 'True Quiesced'])
  t.deepEqual(running(cloud), ['web-1', 'web-2'])
  t.is(await said(cloud, VirtualMachine, 'always', 'PowerApplied', 'shop'), 'False StorageMaintenance')
  await cloud.patch(VirtualMachine, 'later', 'shop', { runStrategy: 'Halted' })
  await cloud.apply(machine('new', { serviceOfferingName: 'other' }))
  await cloud.advance(60_000)
  t.deepEqual(runsOn(cloud, 'new'), [])
  await cloud.stopControllers()
  await cloud.startControllers()
  await cloud.advance(120_000)
  t.deepEqual(running(cloud), ['web-1', 'web-2'])
  await cloud.patch(PrimaryStorage, 'primary-2', undefined, { lifecycle: 'Active' })
  await cloud.untilReady()
  await cloud.advance(180_000)
  t.deepEqual(running(cloud), ['always', 'failing', 'new', 'once', 'web-1', 'web-2'])
  t.is(await said(cloud, PrimaryStorage, 'primary-2', 'Quiesced'), 'False NotInMaintenance')
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('storage maintenance that is withdrawn at once leaves every machine running that ran', async t => {
  await using cloud = await start()
  const before = running(cloud)
  for (const moment of [50, 150, 400, 700]) {
    await cloud.patch(PrimaryStorage, 'primary-2', undefined, { lifecycle: 'Maintenance' })
    await cloud.advance(moment)
    await cloud.patch(PrimaryStorage, 'primary-2', undefined, { lifecycle: 'Active' })
    await cloud.untilReady()
    await cloud.advance(300_000)
    await cloud.untilReady()
    t.deepEqual(running(cloud), before, `withdrawn after ${moment} ms`)
  }
})

test('a running machine that wishes for a disk in a storage in maintenance gets it later, and is not stopped for it', async t => {
  await using cloud = await start()
  await cloud.apply(`
apiVersion: storage.skystead.dev/v1alpha1
kind: DiskOffering
metadata: {name: data-other}
spec: {size: 1Gi, tags: [other]}
---
apiVersion: storage.skystead.dev/v1alpha1
kind: Volume
metadata: {name: shared, namespace: shop}
spec: {zoneName: zone-a, diskOfferingName: data-other}
`)
  await cloud.patch(VirtualMachine, 'always', 'shop', { volumes: [{ name: 'shared', volumeName: 'shared' }] })
  await cloud.untilReady()
  await cloud.patch(VirtualMachine, 'always', 'shop', { volumes: [] })
  await cloud.untilReady()
  await cloud.patch(PrimaryStorage, 'primary-2', undefined, { lifecycle: 'Maintenance' })
  await untilSaid(cloud, PrimaryStorage, 'primary-2', ['Quiesced', 'True Quiesced'])
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { volumes: [{ name: 'shared', volumeName: 'shared' }] })
  await untilSaid(cloud, VirtualMachine, 'web-1', ['VolumesAttached', 'False StorageMaintenance'], 'shop')
  await cloud.advance(120_000)
  t.is(runsOn(cloud, 'web-1').length, 1)
  await cloud.patch(PrimaryStorage, 'primary-2', undefined, { lifecycle: 'Active' })
  await cloud.untilReady()
  t.is(placesOf(cloud, 'web-1')[0]?.facts.definition.disks.length, 2)
})
