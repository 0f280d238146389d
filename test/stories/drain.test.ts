import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { VirtualRouter } from '../../crds/infrastructure/virtual-router.ts'
import { Cloud, quickstart, withoutTrash } from './cloud.ts'
import { deleteEverything, nothingLeft, otherThan, placesOf, runsOn } from './incidents.ts'
import {
  cloudOnHostOne,
  interruptions,
  runningOn,
  said,
  slow,
  thirdHost,
  told,
  untilEvacuated,
  untilSaid,
} from './maintenance.ts'
import { machine } from './manifests.ts'

test('HST-021 HST-022 HST-023 a host of 20 machines is emptied while all of them run on: none is stopped, none runs twice', async t => {
  const names = Array.from({ length: 18 }, (_, index) => `app-${index}`)
  await using cloud = await cloudOnHostOne(...names.map(name => machine(name)))
  t.is(runningOn(cloud, 'host-1').length, 21)
  const since = cloud.simulator.world.journal.sequence
  await cloud.patch(Host, 'host-1', undefined, { lifecycle: 'Maintenance' })
  await untilSaid(cloud, Host, 'host-1', ['Evacuated', 'False Evacuating'])
  let most = 0
  await cloud.until(async () => {
    const leaving = cloud.simulator.world.list().machines.filter(({ facts }) => facts.migratingTo !== undefined)
    most = Math.max(most, leaving.length)
    return (await said(cloud, Host, 'host-1', 'Evacuated')) === 'True Evacuated'
  }, 600_000)
  t.true(most > 0 && most <= 2)
  t.deepEqual(runningOn(cloud, 'host-1'), [])
  t.is(runningOn(cloud, 'host-2').length, 21)
  await cloud.untilReady()
  t.deepEqual(interruptions(cloud, since), [])
  t.deepEqual(cloud.simulator.world.invariants(), [])
  t.regex(await told(cloud, Host, 'host-1', 'Evacuated'), /safe to switch off/)
  t.is(await said(cloud, Host, 'host-1', 'Ready'), 'True InMaintenance')
})

test('HST-025 HST-026 HST-027 a drained host gets nothing new, its router went first, and nothing comes back when it is Active again', async t => {
  await using cloud = await cloudOnHostOne()
  await cloud.patch(Host, 'host-1', undefined, { lifecycle: 'Maintenance' })
  await cloud.until(async () => runningOn(cloud, 'host-2').length > 0)
  const [router] = await cloud.list(VirtualRouter)
  t.true(runningOn(cloud, 'host-2').includes(router?.metadata.name ?? ''))
  await untilEvacuated(cloud, 'host-1')
  await cloud.apply(machine('new'))
  await cloud.untilReady()
  t.deepEqual(runsOn(cloud, 'new'), ['host-2'])
  await cloud.patch(Host, 'host-1', undefined, { lifecycle: 'Active' })
  await untilSaid(cloud, Host, 'host-1', ['Evacuated', 'False NotInMaintenance'])
  await cloud.advance(300_000)
  t.deepEqual(runningOn(cloud, 'host-1'), [])
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('HST-037 HST-039 VM-073 a cordoned host, cluster or pod keeps what it has and gets nothing new', async t => {
  await using cloud = await cloudOnHostOne()
  const before = runningOn(cloud, 'host-1')
  await cloud.patch(Host, 'host-1', undefined, { allocationState: 'Disabled' })
  await cloud.apply(machine('new'))
  await cloud.untilReady()
  t.deepEqual(runsOn(cloud, 'new'), ['host-2'])
  await cloud.patch(HostCluster, 'cluster-1', undefined, { allocationState: 'Disabled' })
  await cloud.apply(machine('newer'))
  await untilSaid(cloud, VirtualMachine, 'newer', ['Scheduled', 'False NoHostFits'], 'shop')
  await cloud.advance(120_000)
  t.deepEqual(runningOn(cloud, 'host-1'), before)
})

test('HST-024 HST-028 VM-134 what cannot be moved stays where it runs, is named with its reason, and the host does not say that it is empty', async t => {
  await using cloud = await cloudOnHostOne()
  await cloud.patch(Host, 'host-2', undefined, { allocationState: 'Disabled' })
  await cloud.apply(`
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: PrimaryStorage
metadata: {name: local-1}
spec: {scope: Host, hostName: host-1, url: "sim://local-1", capacity: 1Ti}
---
apiVersion: compute.skystead.dev/v1alpha1
kind: ServiceOffering
metadata: {name: local}
spec: {cores: 1, clockMHz: 1000, memory: 512Mi, storageType: Local}
`)
  await cloud.apply(machine('local', { serviceOfferingName: 'local' }))
  await cloud.apply(machine('pinned', { more: '  placement: {hostName: host-1}' }))
  await cloud.apply(machine('watched'))
  await cloud.untilReady()
  await cloud.patch(Host, 'host-2', undefined, { allocationState: 'Enabled' })
  await cloud.patch(VirtualMachine, 'watched', 'shop', { management: { mode: 'Observe', deletionPolicy: 'Delete' } })
  const since = cloud.simulator.world.journal.sequence
  await cloud.patch(Host, 'host-1', undefined, { lifecycle: 'Maintenance' })
  await untilSaid(cloud, Host, 'host-1', ['Evacuated', 'False CannotEvacuate'])
  await cloud.advance(60_000)
  t.deepEqual(runningOn(cloud, 'host-1'), ['local', 'pinned', 'watched'])
  t.is(await said(cloud, VirtualMachine, 'local', 'Settled', 'shop'), 'False LocalDisk')
  t.is(await said(cloud, VirtualMachine, 'pinned', 'Settled', 'shop'), 'False PinnedToHost')
  t.is(await said(cloud, VirtualMachine, 'watched', 'Settled', 'shop'), 'False ObserveOnly')
  const message = await told(cloud, Host, 'host-1', 'Evacuated')
  for (const name of ['shop/local (LocalDisk)', 'shop/pinned (PinnedToHost)', 'shop/watched (ObserveOnly)']) {
    t.true(message.includes(name), message)
  }
  t.is(await said(cloud, VirtualMachine, 'local', 'Ready', 'shop'), 'True Ready')
  t.deepEqual(interruptions(cloud, since), [])
  await cloud.patch(VirtualMachine, 'pinned', 'shop', { placement: {} })
  await cloud.until(async () => runsOn(cloud, 'pinned').includes('host-2'))
  await cloud.patch(VirtualMachine, 'local', 'shop', { runStrategy: 'Halted' })
  await cloud.patch(VirtualMachine, 'watched', 'shop', { management: { mode: 'Enforce', deletionPolicy: 'Delete' } })
  await untilEvacuated(cloud, 'host-1')
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('VM-133 without room elsewhere a machine runs on where it is and says so; it moves when there is room', async t => {
  await using cloud = await cloudOnHostOne()
  await cloud.patch(Host, 'host-2', undefined, { allocationState: 'Disabled' })
  await cloud.patch(Host, 'host-1', undefined, { lifecycle: 'Maintenance' })
  await untilSaid(cloud, VirtualMachine, 'web-1', ['Settled', 'False NoHostFits'], 'shop')
  await untilSaid(cloud, Host, 'host-1', ['Evacuated', 'False CannotEvacuate'])
  await cloud.apply(thirdHost)
  await untilEvacuated(cloud, 'host-1')
  t.is(runningOn(cloud, 'host-3').length, 3)
})

test('HST-026 a wish that is withdrawn ends what is under way: nothing else begins, nothing is stopped, nothing moves back', async t => {
  await using cloud = await cloudOnHostOne(slow)
  const since = cloud.simulator.world.journal.sequence
  await cloud.patch(Host, 'host-1', undefined, { lifecycle: 'Maintenance' })
  await cloud.until(async () => placesOf(cloud, 'web-1').length + placesOf(cloud, 'web-2').length > 2)
  const there = runningOn(cloud, 'host-2')
  await cloud.patch(Host, 'host-1', undefined, { lifecycle: 'Active' })
  await cloud.until(async () =>
    cloud.simulator.world.list().machines.every(({ facts }) => facts.migratingTo === undefined),
  )
  await cloud.advance(120_000)
  t.deepEqual(runningOn(cloud, 'host-2'), there)
  t.is(runningOn(cloud, 'host-1').length + there.length, 3)
  t.deepEqual(interruptions(cloud, since), [])
  const claims = await cloud.list(Allocation)
  t.deepEqual(
    claims.filter(({ spec }) => spec.machine?.targetHostName !== undefined),
    [],
  )
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a whole cluster in maintenance moves into another one of its hypervisor, as far as the disks can be reached there', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(
    quickstart.replace(
      'scope: Cluster                   # Zone | Cluster | Host\n  clusterName: cluster-1',
      'scope: Zone\n  zoneName: zone-a',
    ),
  )
  await cloud.apply(
    `
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: HostCluster
metadata: {name: cluster-2}
spec: {podName: pod-1, hypervisor: Simulator}
`,
    thirdHost.replace('cluster-1', 'cluster-2'),
  )
  await cloud.untilReady()
  await cloud.patch(HostCluster, 'cluster-1', undefined, { lifecycle: 'Maintenance' })
  await untilSaid(cloud, HostCluster, 'cluster-1', ['Evacuated', 'True Evacuated'])
  t.is(runningOn(cloud, 'host-3').length, 3)
  t.is(await said(cloud, Host, 'host-1', 'Evacuated'), 'True Evacuated')
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('HST-035 machines that are off leave a host in maintenance: they lose their place, or get another one when they are to run', async t => {
  await using cloud = await cloudOnHostOne(withoutTrash)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Halted' })
  await cloud.untilReady()
  const [{ host = '' } = {}] = placesOf(cloud, 'web-1')
  await cloud.patch(Host, host, undefined, { lifecycle: 'Maintenance' })
  await untilEvacuated(cloud, host)
  await cloud.until(async () => placesOf(cloud, 'web-1').length === 0)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Always' })
  await cloud.untilReady()
  t.deepEqual(runsOn(cloud, 'web-1'), [otherThan(host)])
  t.deepEqual(await deleteEverything(cloud), nothingLeft)
})

test('VM-132 VM-139 REL-091 a machine that is wished on another host moves there while it runs; one that cannot says what to do', async t => {
  await using cloud = await cloudOnHostOne()
  const [from = ''] = runsOn(cloud, 'web-1')
  const since = cloud.simulator.world.journal.sequence
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { placement: { hostName: otherThan(from) } })
  await cloud.until(async () => runsOn(cloud, 'web-1').includes(otherThan(from)))
  await cloud.untilReady()
  t.deepEqual(interruptions(cloud, since), [])
  cloud.simulator.world.setCapabilities(otherThan(from), [
    'MachineDefine',
    'GracefulStop',
    'LiveAttach',
    'VirtualRouter',
    'SegmentVXLAN',
  ])
  await cloud.stopControllers()
  await cloud.startControllers()
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { placement: { hostName: from } })
  await untilSaid(cloud, VirtualMachine, 'web-1', ['Settled', 'False LiveMigrationLacking'], 'shop')
  t.regex(await told(cloud, VirtualMachine, 'web-1', 'Settled', 'shop'), /stop it and start it again/)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Halted' })
  await cloud.until(async () => runsOn(cloud, 'web-1').length === 0)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Always' })
  await cloud.until(async () => runsOn(cloud, 'web-1').includes(from))
  await cloud.untilReady()
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a router whose reconciliation is paused stays, is named, and keeps no other machine on a host in maintenance', async t => {
  await using cloud = await cloudOnHostOne()
  const [router] = await cloud.list(VirtualRouter)
  const name = router?.metadata.name ?? ''
  await cloud.patch(VirtualRouter, name, undefined, { management: { mode: 'Pause', deletionPolicy: 'Delete' } })
  await cloud.patch(Host, 'host-1', undefined, { lifecycle: 'Maintenance' })
  await cloud.until(async () => runningOn(cloud, 'host-1').every(each => each === name), 600_000)
  t.deepEqual(runningOn(cloud, 'host-1'), [name])
  await untilSaid(cloud, Host, 'host-1', ['Evacuated', 'False CannotEvacuate'])
  t.regex(await told(cloud, Host, 'host-1', 'Evacuated'), new RegExp(`${name} \\(Paused\\)`))
  await cloud.patch(VirtualRouter, name, undefined, { management: { mode: 'Enforce', deletionPolicy: 'Delete' } })
  await untilEvacuated(cloud, 'host-1')
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('machines leave a host by the restart priority of their offering: routers and system VMs, then High, Normal, Low', async t => {
  const offering = (priority: string) => `
apiVersion: compute.skystead.dev/v1alpha1
kind: ServiceOffering
metadata: {name: ${priority.toLowerCase()}}
spec: {cores: 1, clockMHz: 100, memory: 256Mi, restartPriority: ${priority}}
`
  const priorities = ['Low', 'Normal', 'High']
  const wished = priorities.flatMap(priority =>
    [1, 2, 3].map(index =>
      machine(`${priority.toLowerCase()}-${index}`, { serviceOfferingName: priority.toLowerCase() }),
    ),
  )
  await using cloud = await cloudOnHostOne(...priorities.map(offering), ...wished)
  const { journal } = cloud.simulator.world
  const since = journal.sequence
  await cloud.patch(Host, 'host-1', undefined, { lifecycle: 'Maintenance' })
  await untilEvacuated(cloud, 'host-1')
  const names = new Map(
    cloud.simulator.world.list().machines.map(({ identity, facts }) => [identity, facts.mark?.name]),
  )
  const order = journal
    .since(since)
    .filter(({ action, changed }) => action === 'MigrateMachine' && changed)
    .map(({ identity }) => names.get(identity ?? '') ?? '')
  const ranked = order.filter(name => /^(high|normal|low)-/.test(name)).map(name => name.split('-')[0])
  t.deepEqual(ranked, ['high', 'high', 'high', 'normal', 'normal', 'normal', 'low', 'low', 'low'])
  t.regex(order.slice(0, 2).join(' '), /\br-/, 'the router is one of the first two, which move at once')
})
