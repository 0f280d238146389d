import test from 'ava'
import { findRebindings, rebind } from '../../cli/rebinding.ts'
import type { Writable } from '../../controllers/api/client.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { kindOf } from '../../crds/kinds.ts'
import { conditionOf } from '../../crds/meta.ts'
import { PublicIP } from '../../crds/network/public-ip.ts'
import { Volume } from '../../crds/storage/volume.ts'
import { Cloud, documentsOf, quickstart, withoutTrash } from './cloud.ts'
import { hostOf, otherThan, placesOf, runsOn } from './incidents.ts'
import { complete, essence, loseStore, rebindAll } from './lost-store.ts'

test('the API store lost and the same manifests again: no second machine, and the conflict is named', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const world = cloud.simulator.world
  const machines = world.list().machines.map(({ identity }) => identity)
  const volumes = world.list().volumes.map(({ identity }) => identity)
  const { changingOperations } = world.counters()
  await cloud.loseStore()
  await cloud.apply(quickstart)
  await cloud.advance(600_000)
  t.deepEqual(
    world
      .list()
      .machines.filter(({ facts }) => facts.definition.role === 'Instance')
      .map(({ identity }) => identity),
    machines.filter(identity =>
      world
        .list()
        .machines.some(machine => machine.identity === identity && machine.facts.definition.role === 'Instance'),
    ),
  )
  t.deepEqual(
    world.list().volumes.map(({ identity }) => identity),
    volumes,
  )
  for (const name of ['web-1', 'web-2']) {
    const machine = await cloud.get(VirtualMachine, name, 'shop')
    t.is(conditionOf(machine ?? {}, 'Stalled')?.reason, 'IdentityConflict')
  }
  t.deepEqual(world.invariants(), [])
  t.is(typeof changingOperations, 'number')
})

test('rebinding after the store was lost: the same machines, disks, addresses and segments, all Ready; deletable to the last', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const before = essence(cloud)
  const address = (await cloud.get(PublicIP, 'web-ip', 'shop'))?.status?.address
  await loseStore(cloud, quickstart)
  await rebindAll(cloud)
  await cloud.untilReady()
  await cloud.advance(120_000)
  t.deepEqual(essence(cloud), before)
  t.is((await cloud.get(PublicIP, 'web-ip', 'shop'))?.status?.address, address)
  t.deepEqual(cloud.simulator.world.invariants(), [])
  for (const object of await cloud.everything()) {
    const kind = kindOf(object.apiVersion, object.kind)
    if (kind === undefined || object.kind === 'Settings') continue
    await cloud.delete(kind, object.metadata.name, object.metadata.namespace)
  }
  await cloud.until(async () => (await cloud.everything()).length === 1)
  const { machines, volumes, images } = cloud.simulator.world.list()
  t.deepEqual({ machines, volumes, images }, { machines: [], volumes: [], images: [] })
  const left = await cloud.list(Allocation)
  t.deepEqual(
    left.map(({ metadata }) => metadata.name),
    [],
  )
})

test('the store lost, the disks rebound, and the controllers start again with a slow host: its machine is not made a second time', async t => {
  await using cloud = await Cloud.start()
  const { world } = cloud.simulator
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const [host = ''] = runsOn(cloud, 'web-1')
  await loseStore(cloud, quickstart)
  const { rebindings } = await complete(cloud, findRebindings(cloud.client))
  for (const rebinding of rebindings.filter(({ object }) => object.kind !== 'VirtualMachine')) {
    await complete(cloud, rebind(cloud.client, rebinding, cloud.environment))
  }
  await cloud.advance(30_000)
  await cloud.stopControllers()
  world.faults.add({ verb: 'Inventory', endpoint: host, effect: 'Delay', milliseconds: 3_000 })
  await cloud.startControllers()
  await cloud.advance(30_000)
  t.deepEqual(runsOn(cloud, 'web-1'), [host])
  t.is(placesOf(cloud, 'web-1').length, 1)
  await rebindAll(cloud)
  await cloud.untilReady()
  t.deepEqual(runsOn(cloud, 'web-1'), [host])
  t.deepEqual(world.invariants(), [])
})

test('a host in maintenance is not called empty while machines run there whose manifests were lost with the store', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const host = await hostOf(cloud, 'web-1')
  await cloud.loseStore()
  const places = documentsOf(quickstart).filter(({ apiVersion }) => String(apiVersion).startsWith('infrastructure.'))
  await cloud.apply(...places)
  await cloud.patch(Host, host, undefined, { lifecycle: 'Maintenance' })
  const reason = async () => conditionOf((await cloud.get(Host, host)) ?? {}, 'Evacuated')?.reason
  await cloud.until(async () => !['NotInMaintenance', 'HostSilent', undefined].includes(await reason()))
  await cloud.advance(60_000)
  t.is(await reason(), 'LeftoversThere')
  t.true(runsOn(cloud, 'web-1').includes(host))
})

test('the store lost, and a disk given to another machine while its old one runs unrebound: it is written by one only', async t => {
  await using cloud = await Cloud.start()
  const { world } = cloud.simulator
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const [host = ''] = runsOn(cloud, 'web-2')
  const moved = quickstart
    .replace('  volumes: [{name: data, volumeName: web-2-data}]\n', '')
    .replace(/(metadata: \{name: web-1, .*\nspec:\n)/, '$1  volumes: [{name: data, volumeName: web-2-data}]\n')
  await loseStore(cloud, moved)
  const rebindAllBut = async (name: string) => {
    const { rebindings } = await complete(cloud, findRebindings(cloud.client))
    const others = rebindings.filter(({ object }) => object.metadata.name !== name)
    for (const rebinding of others) await complete(cloud, rebind(cloud.client, rebinding, cloud.environment))
    await cloud.advance(30_000)
  }
  for (let round = 0; round < 4; round++) await rebindAllBut('web-2')
  await cloud.advance(300_000)
  t.deepEqual(world.invariants(), [])
  const condition = conditionOf((await cloud.get(VirtualMachine, 'web-1', 'shop')) ?? {}, 'VolumesAttached')
  t.is(condition?.reason, 'DiskUsedElsewhere')
  t.true(condition?.message.includes(`"web-2" on host "${host}"`), condition?.message)
  t.deepEqual(runsOn(cloud, 'web-2'), [host])
  await rebindAll(cloud)
  await cloud.untilReady()
  const disks = (name: string) => placesOf(cloud, name).map(({ facts }) => facts.definition.disks.length)
  t.deepEqual([disks('web-1'), disks('web-2')], [[2], [1]])
  t.deepEqual(world.invariants(), [])
})

test('the store lost, the disks rebound, and the controllers start again while a host is away: its machine is started nowhere else', async t => {
  await using cloud = await Cloud.start()
  const { world } = cloud.simulator
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const [host = ''] = runsOn(cloud, 'web-1')
  await loseStore(cloud, quickstart)
  for (let round = 0; round < 3; round++) {
    const { rebindings } = await complete(cloud, findRebindings(cloud.client))
    const others = rebindings.filter(
      ({ object }) => object.kind !== 'VirtualMachine' || object.metadata.name === 'web-2',
    )
    for (const rebinding of others) await complete(cloud, rebind(cloud.client, rebinding, cloud.environment))
    await cloud.advance(30_000)
  }
  await cloud.stopControllers()
  const away = world.faults.add({
    verb: 'Inventory',
    endpoint: host,
    effect: 'Fail',
    code: 'Unavailable',
    times: Number.POSITIVE_INFINITY,
  })
  await cloud.startControllers()
  await cloud.advance(300_000)
  t.deepEqual(runsOn(cloud, 'web-1'), [host])
  t.is(conditionOf((await cloud.get(VirtualMachine, 'web-1', 'shop')) ?? {}, 'Scheduled')?.reason, 'HostsNotRead')
  t.deepEqual(world.invariants(), [])
  away.remove()
  await cloud.advance(60_000)
  await rebindAll(cloud)
  await cloud.untilReady()
  t.deepEqual(runsOn(cloud, 'web-1'), [host])
  t.is(placesOf(cloud, 'web-1').length, 1)
  t.deepEqual(world.invariants(), [])
})

test('the store lost while a machine has left something off on a host: it is placed where it runs, and what is left is removed', async t => {
  await using cloud = await Cloud.start()
  const { world } = cloud.simulator
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const [left = ''] = runsOn(cloud, 'web-1')
  world.killHost(left)
  await cloud.until(async () => runsOn(cloud, 'web-1').includes(otherThan(left)), 900_000)
  await cloud.until(async () => placesOf(cloud, 'web-1').every(({ facts }) => facts.powerState !== 'Unknown'))
  await cloud.stopControllers()
  world.reviveHost(left)
  await loseStore(cloud, quickstart)
  t.is(placesOf(cloud, 'web-1').length, 2)
  await rebindAll(cloud)
  await cloud.untilReady(900_000)
  await cloud.until(async () => placesOf(cloud, 'web-1').length === 1)
  t.deepEqual(runsOn(cloud, 'web-1'), [otherThan(left)])
  t.is(await hostOf(cloud, 'web-1'), otherThan(left))
  t.deepEqual(world.invariants(), [])
  const strays = async () => (await cloud.list(Allocation)).filter(({ spec }) => spec.type === 'Stray')
  await cloud.until(async () => (await strays()).length === 0)
})

test('the store lost, and a machine found off on two hosts: it starts once, where it was last, and the other is removed', async t => {
  await using cloud = await Cloud.start()
  const { world } = cloud.simulator
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const [left = ''] = runsOn(cloud, 'web-1')
  world.killHost(left)
  await cloud.until(async () => runsOn(cloud, 'web-1').includes(otherThan(left)), 900_000)
  await cloud.stopControllers()
  for (const { identity, host } of placesOf(cloud, 'web-1').filter(({ host }) => host !== left)) {
    world.destroyMachine({ identity, host })
  }
  world.reviveHost(left)
  await loseStore(cloud, quickstart)
  t.deepEqual(runsOn(cloud, 'web-1'), [])
  t.is(placesOf(cloud, 'web-1').length, 2)
  await rebindAll(cloud)
  await cloud.untilReady(900_000)
  await cloud.until(async () => placesOf(cloud, 'web-1').length === 1)
  t.deepEqual(runsOn(cloud, 'web-1'), [otherThan(left)])
  t.deepEqual(world.invariants(), [])
})

test('the store lost, and a host dies whose machine was rebound: also controllers that have never seen it start it elsewhere', async t => {
  await using cloud = await Cloud.start()
  const { world } = cloud.simulator
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const [host = ''] = runsOn(cloud, 'web-1')
  await loseStore(cloud, quickstart)
  await rebindAll(cloud)
  await cloud.untilReady()
  const machine = placesOf(cloud, 'web-1')[0]?.identity ?? ''
  t.truthy((await cloud.get(Allocation, `identity-${machine}`))?.spec.notes?.takenOverAt)
  await cloud.stopControllers()
  world.killHost(host)
  await cloud.startControllers()
  await cloud.until(async () => runsOn(cloud, 'web-1').includes(otherThan(host)), 900_000)
  t.deepEqual(world.invariants(), [])
})

const secondPool = `
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: PrimaryStorage
metadata: {name: primary-2}
spec: {scope: Cluster, clusterName: cluster-1, url: sim://primary-2, capacity: 2Ti, tags: [ssd]}
`

const farCluster = `
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: HostCluster
metadata: {name: cluster-2}
spec: {podName: pod-1, hypervisor: Simulator}
---
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: Host
metadata: {name: host-3}
spec:
  clusterName: cluster-2
  address: 172.16.10.103
  simulator: {cores: 16, clockMHz: 2400, memory: 64Gi}
---
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: PrimaryStorage
metadata: {name: primary-3}
spec: {scope: Cluster, clusterName: cluster-2, url: sim://primary-3, capacity: 2Ti}
---
apiVersion: compute.skystead.dev/v1alpha1
kind: VirtualMachine
metadata: {name: far, namespace: shop}
spec:
  zoneName: zone-a
  serviceOfferingName: small
  templateRef: {kind: PublicTemplate, name: tiny-linux}
  placement: {clusterName: cluster-2}
  nics: [{name: web, networkName: web}]
  volumes: [{name: data, volumeName: far-data}]
---
apiVersion: storage.skystead.dev/v1alpha1
kind: Volume
metadata: {name: far-data, namespace: shop}
spec: {zoneName: zone-a, diskOfferingName: data-20g}
`

test('the store lost, a machine not rebound, and the controllers start again while its host and its pool are away: it does not count as new', async t => {
  await using cloud = await Cloud.start()
  const { world } = cloud.simulator
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  await cloud.apply(secondPool)
  await cloud.untilReady()
  const [host = ''] = runsOn(cloud, 'web-1')
  await loseStore(cloud, quickstart, secondPool)
  for (let round = 0; round < 4; round++) {
    const { rebindings } = await complete(cloud, findRebindings(cloud.client))
    const others = rebindings.filter(({ object }) => !object.metadata.name.startsWith('web-1'))
    for (const rebinding of others) await complete(cloud, rebind(cloud.client, rebinding, cloud.environment))
    await cloud.advance(30_000)
  }
  const accounted = async (name: string) => conditionOf((await cloud.get(Host, name)) ?? {}, 'Accounted')?.reason
  t.is(await accounted(host), 'LeftoversThere')
  const before = essence(cloud)
  await cloud.stopControllers()
  const away = [host, 'primary-1'].map(endpoint =>
    world.faults.add({
      verb: 'Inventory',
      endpoint,
      effect: 'Fail',
      code: 'Unavailable',
      times: Number.POSITIVE_INFINITY,
    }),
  )
  await cloud.startControllers()
  await cloud.advance(300_000)
  t.deepEqual(essence(cloud), before)
  const scheduled = conditionOf((await cloud.get(VirtualMachine, 'web-1', 'shop')) ?? {}, 'Scheduled')
  t.is(scheduled?.reason, 'InventoriesNotRead')
  t.regex(scheduled?.message ?? '', new RegExp(`Host "${host}", PrimaryStorage "primary-1"`))
  for (const each of away) each.remove()
  await cloud.advance(60_000)
  await rebindAll(cloud)
  await cloud.untilReady()
  t.deepEqual(essence(cloud), before)
  t.is(await accounted(host), 'Accounted')
  t.deepEqual(world.invariants(), [])
})

test('machines of a lost store keep their room while they are not rebound: new ones are not placed over them', async t => {
  await using cloud = await Cloud.start()
  const { world } = cloud.simulator
  // The router and two machines leave room for one more on one of the hosts.
  const tight = quickstart.replaceAll('memory: 64Gi}', 'memory: 1Gi}')
  await cloud.apply(withoutTrash, tight)
  await cloud.untilReady()
  const before = essence(cloud).machines
  await cloud.loseStore()
  const isKept = ({ kind, metadata: { namespace } }: Writable) => namespace === undefined || kind === 'Network'
  const others = documentsOf(tight.replaceAll(/web-([12])/g, 'new-$1')).filter(
    ({ kind, metadata }) => kind === 'VirtualMachine' && metadata.name !== 'new-2',
  )
  await cloud.apply(withoutTrash, ...documentsOf(tight).filter(isKept), ...others)
  await cloud.advance(60_000)
  await rebindAll(cloud)
  await cloud.advance(300_000)
  const { hosts, machines } = world.list()
  t.true(before.every(({ identity }) => machines.some(machine => machine.identity === identity)))
  for (const { name, size } of hosts) {
    const there = machines.filter(machine => machine.host === name)
    const bytes = there.reduce((sum, { facts }) => sum + facts.definition.memoryBytes, 0)
    t.true(bytes <= size.memoryBytes, `${name} has promised ${bytes} bytes`)
  }
  t.deepEqual(world.invariants(), [])
})

test('the store lost, and a disk deleted that a machine without an object still has: it stays until that machine is removed', async t => {
  await using cloud = await Cloud.start()
  const { world } = cloud.simulator
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const [machine] = placesOf(cloud, 'web-2')
  const data = machine?.facts.definition.disks.find(({ name }) => name === 'data')?.identity
  const hasData = () => world.list().volumes.some(({ identity }) => identity === data)
  await cloud.loseStore()
  const isKept = ({ kind, metadata }: Writable) => !(kind === 'VirtualMachine' && metadata.name === 'web-2')
  await cloud.apply(withoutTrash, ...documentsOf(quickstart).filter(isKept))
  await cloud.advance(60_000)
  await rebindAll(cloud)
  await cloud.untilReady()
  await cloud.delete(Volume, 'web-2-data', 'shop')
  await cloud.advance(300_000)
  const provisioned = conditionOf((await cloud.get(Volume, 'web-2-data', 'shop')) ?? {}, 'Provisioned')
  t.is(provisioned?.reason, 'InUse')
  t.regex(provisioned?.message ?? '', new RegExp(`"web-2" on host "${machine?.host}"`))
  t.true(hasData())
  if (machine !== undefined) world.removeMachine(machine)
  await cloud.until(async () => (await cloud.get(Volume, 'web-2-data', 'shop')) === undefined)
  t.false(hasData())
})

test('the store lost, and a machine that runs is to have a disk which its host does not reach: it keeps its place and runs on', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart, farCluster)
  await cloud.untilReady()
  const [host = ''] = runsOn(cloud, 'web-1')
  await cloud.loseStore()
  const moved = quickstart.replace(
    /(metadata: \{name: web-1, .*\nspec:\n)/,
    '$1  volumes: [{name: far, volumeName: far-data}]\n',
  )
  await cloud.apply(withoutTrash, moved, farCluster.replace('  volumes: [{name: data, volumeName: far-data}]\n', ''))
  await cloud.advance(60_000)
  await rebindAll(cloud)
  await cloud.advance(300_000)
  t.is(await hostOf(cloud, 'web-1'), host)
  const attached = conditionOf((await cloud.get(VirtualMachine, 'web-1', 'shop')) ?? {}, 'VolumesAttached')
  t.is(attached?.reason, 'VolumesApart')
  t.deepEqual(
    placesOf(cloud, 'web-1').map(({ facts }) => facts.definition.disks.map(({ name }) => name)),
    [['root']],
  )
  cloud.simulator.world.crashGuest({ identity: placesOf(cloud, 'web-1')[0]?.identity ?? '', host })
  await cloud.until(async () => runsOn(cloud, 'web-1').includes(host))
})
