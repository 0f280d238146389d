import test from 'ava'
import { adoptionOf } from '../../cli/adoption.ts'
import { readCloud } from '../../cli/cloud.ts'
import type { Writable } from '../../controllers/api/client.ts'
import { inventoryOf } from '../../controllers/query/inventory.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { conditionOf, type Resource } from '../../crds/meta.ts'
import { Network } from '../../crds/network/network.ts'
import { Volume } from '../../crds/storage/volume.ts'
import type { MachineFacts, VolumeFacts } from '../../drivers/contract/facts.ts'
import { Cloud, quickstart, withoutTrash } from './cloud.ts'

const gibibyte = 1024 ** 3
const machine = '6f0c0000-0000-4000-8000-000000000001'
const root = '6f0c0000-0000-4000-8000-000000000002'
const data = '6f0c0000-0000-4000-8000-000000000003'

/** A cloud beside which somebody runs a machine with two disks, on the bridge of the zone's guests. */
async function withForeigner(mark?: MachineFacts['mark']): Promise<Cloud> {
  const cloud = await Cloud.start()
  await cloud.apply(quickstart, withoutTrash)
  await cloud.untilReady()
  runForeigner(cloud, (await cloud.get(PrimaryStorage, 'primary-1'))?.metadata.uid ?? '', mark)
  await cloud.advance(5_000)
  return cloud
}

/** Somebody runs a machine with two disks in a pool. */
function runForeigner(cloud: Cloud, pool: string, mark?: MachineFacts['mark']): void {
  const key = `PrimaryStorage/${pool}` as const
  const { world } = cloud.simulator
  for (const identity of [root, data]) world.addForeignVolume('primary-1', { identity, sizeBytes: 2 * gibibyte })
  world.addForeignMachine('host-1', {
    identity: machine,
    ...(mark === undefined ? {} : { mark }),
    definition: {
      cores: 2,
      memoryBytes: gibibyte,
      guestHostName: 'old-web',
      disks: [
        { identity: root, pool: key, name: 'vda' },
        { identity: data, pool: key, name: 'vdb' },
      ],
      nics: [
        {
          name: 'net0',
          macAddress: '52:54:00:00:00:01',
          segment: { network: '', isolation: 'VXLAN', id: 5900, label: 'guest0' },
          addresses: [],
        },
      ],
    },
  })
}

function identityOf(kind: string, group: string, name: string, identity: string): string {
  return `
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: Allocation
metadata: {name: identity-${identity}}
spec: {type: Identity, value: ${identity}, holder: {group: ${group}, kind: ${kind}, namespace: shop, name: ${name}, uid: ""}}
`
}

const identities = [
  identityOf('VirtualMachine', 'compute.skystead.dev', 'old-web', machine),
  identityOf('Volume', 'storage.skystead.dev', 'old-web-root', root),
  identityOf('Volume', 'storage.skystead.dev', 'old-web-data', data),
]

const shared = `
apiVersion: compute.skystead.dev/v1alpha1
kind: ServiceOffering
metadata: {name: custom-2}
spec: {cores: 2, clockMHz: 1000, memory: 1Gi}
---
apiVersion: network.skystead.dev/v1alpha1
kind: NetworkOffering
metadata: {name: l2-vlan}
spec: {guestType: L2, specifyVLAN: true}
---
apiVersion: network.skystead.dev/v1alpha1
kind: Network
metadata: {name: old-net, namespace: shop}
spec: {zoneName: zone-a, networkOfferingName: l2-vlan, vlan: 5900}
`

function volume(name: string, identity: string, management = ''): string {
  return `
apiVersion: storage.skystead.dev/v1alpha1
kind: Volume
metadata: {name: ${name}, namespace: shop, annotations: {skystead.dev/identity: ${identity}}}
spec: {zoneName: zone-a, size: 2Gi${management}}
`
}

function described(parts: { readonly memory?: string; readonly management?: string } = {}): string {
  const { management = '' } = parts
  return `
apiVersion: compute.skystead.dev/v1alpha1
kind: VirtualMachine
metadata: {name: old-web, namespace: shop, annotations: {skystead.dev/identity: ${machine}}}
spec:
  zoneName: zone-a
  serviceOfferingName: ${parts.memory === undefined ? 'custom-2' : 'small'}
  rootVolume: {volumeName: old-web-root}
  volumes: [{name: data, volumeName: old-web-data}]
  nics: [{name: eth0, networkName: old-net, macAddress: "52:54:00:00:00:01"}]${management}
`
}

const orphan = '\n  management: {deletionPolicy: Orphan}'

function factsOf(cloud: Cloud, identity = machine): MachineFacts | undefined {
  return cloud.simulator.world.list().machines.find(({ facts }) => facts.identity === identity)?.facts
}

function diskOf(cloud: Cloud, identity: string): VolumeFacts | undefined {
  return cloud.simulator.world.list().volumes.find(({ facts }) => facts.identity === identity)?.facts
}

/** What was done to the machine and its disks since then, by verb. */
function doneSince(cloud: Cloud, sequence: number): readonly string[] {
  const ours = new Set([machine, root, data])
  return cloud.simulator.world.journal
    .since(sequence)
    .filter(({ identity, source, outcome }) => source === 'Operation' && outcome === 'Done' && ours.has(identity))
    .map(({ action }) => action)
}

async function reasonOf(cloud: Cloud, type: string): Promise<string | undefined> {
  return conditionOf((await cloud.get(VirtualMachine, 'old-web', 'shop')) ?? {}, type)?.reason
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

test('deletion with the policy Orphan gives a machine back running, without our mark, and its disks with it', async t => {
  await using cloud = await withForeigner()
  const left = ', management: {deletionPolicy: Orphan}'
  await cloud.apply(...identities, shared, volume('old-web-root', root, left), volume('old-web-data', data, left))
  await cloud.apply(described({ management: orphan }))
  await cloud.untilReady()
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

test('a machine of our own is given back too, with the root disk that was made for it', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart, withoutTrash)
  await cloud.untilReady()
  const mine = cloud.simulator.world.list().machines.find(({ facts }) => facts.mark?.name === 'web-1')?.facts
  const disk = mine?.definition.disks[0]?.identity ?? ''
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { management: { deletionPolicy: 'Orphan' } })
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  await cloud.until(async () => (await cloud.get(Volume, 'web-1-root', 'shop')) === undefined)
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-1', 'shop')) === undefined)
  t.is(factsOf(cloud, mine?.identity)?.powerState, 'Running')
  t.is(factsOf(cloud, mine?.identity)?.mark, undefined)
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
  const mine = world.list().machines.find(({ facts }) => facts.mark?.name === 'web-1')?.facts
  const disk = mine?.definition.disks[0]?.identity ?? ''
  for (const verb of ['ReleaseMachine', 'ReleaseVolume'] as const) world.faults.add({ verb, effect: 'LoseReply' })
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { management: { mode: 'Observe', deletionPolicy: 'Orphan' } })
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  for (let step = 0; step < 25; step += 1) {
    await cloud.advance(40)
    t.is(factsOf(cloud, mine?.identity)?.powerState, 'Running')
    await cloud.stopControllers()
    await cloud.startControllers()
  }
  await cloud.until(async () => (await cloud.get(Volume, 'web-1-root', 'shop')) === undefined)
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-1', 'shop')) === undefined)
  t.is(factsOf(cloud, mine?.identity)?.mark, undefined)
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

/** What `skystead adopt` writes. */
async function writtenFor(cloud: Cloud, machines?: readonly string[]): Promise<ReturnType<typeof adoptionOf>> {
  const sources = { engine: cloud.engine, environment: cloud.environment, installation: 'installation-1' }
  const read = cloud.environment.until(readCloud(cloud.client))
  const wish = { namespace: 'shop', now: '2026-01-01T00:00:00Z', ...(machines === undefined ? {} : { machines }) }
  return adoptionOf(inventoryOf(sources), (await read) as Awaited<ReturnType<typeof readCloud>>, wish)
}

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

test('a machine is given back whose host is off: that is waited for and says what to do, and with the operator’s word it is let go as it lies', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart, withoutTrash)
  await cloud.untilReady()
  const { world } = cloud.simulator
  const mine = world.list().machines.find(({ facts }) => facts.mark?.name === 'web-1')?.facts
  const disk = mine?.definition.disks[0]?.identity ?? ''
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
  t.is(factsOf(cloud, mine?.identity)?.mark?.name, 'web-1', 'nobody removes what was given back')
  t.is(factsOf(cloud, mine?.identity)?.powerState, 'Off')
  t.is((await cloud.get(Host, host))?.status?.leftovers, 1)
  t.deepEqual(world.invariants(), [])
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
