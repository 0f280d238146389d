import test from 'ava'
import type { Drift } from '../../crds/common.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { SystemVM } from '../../crds/infrastructure/system-vm.ts'
import { VirtualRouter } from '../../crds/infrastructure/virtual-router.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { conditionOf } from '../../crds/meta.ts'
import { Volume } from '../../crds/storage/volume.ts'
import type { MachineDefinition, MachineFacts } from '../../drivers/contract/facts.ts'
import { Cloud, quickstart, withoutTrash } from './cloud.ts'

const gibibyte = 1024 ** 3

function factsOf(cloud: Cloud, address: string): MachineFacts {
  const found = cloud.simulator.world.list().machines.find(({ facts }) => facts.mark?.name === address)
  if (found === undefined) throw new Error(`Cannot find machine ${address}`)
  return found.facts
}

function routerOf(cloud: Cloud): MachineFacts {
  const machines = cloud.simulator.world.list().machines
  const found = machines.find(({ facts }) => facts.definition.role === 'VirtualRouter')
  if (found === undefined) throw new Error('Cannot find a router')
  return found.facts
}

async function driftOf(cloud: Cloud, name: string): Promise<readonly Drift[]> {
  return (await cloud.get(VirtualMachine, name, 'shop'))?.status?.drift ?? []
}

async function running(): Promise<Cloud> {
  const cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  return cloud
}

/** How many virtual ms pass until the state is as it was. */
async function repairTime(cloud: Cloud, isRepaired: () => boolean): Promise<number> {
  const begin = cloud.environment.clock.monotonic()
  await cloud.until(async () => isRepaired(), 10_000)
  return cloud.environment.clock.monotonic() - begin
}

test('INF-161 every field that is changed behind our back and can be changed live is repaired within a second', async t => {
  await using cloud = await running()
  const { world } = cloud.simulator
  const web = factsOf(cloud, 'web-2')
  const { definition } = web
  const other = { identity: crypto.randomUUID(), pool: definition.disks[0]?.pool ?? '', name: 'alien' }
  const changes: Record<string, Partial<MachineDefinition>> = {
    'a disk taken away': { disks: definition.disks.slice(0, 1) },
    'a disk added': { disks: [...definition.disks, other] },
    'no NIC': { nics: [] },
    'another MAC': { nics: definition.nics.map(nic => ({ ...nic, macAddress: '02:00:00:00:00:01' })) },
    'another segment': {
      nics: definition.nics.map(nic => ({ ...nic, segment: { ...nic.segment, label: 'elsewhere' } })),
    },
  }
  for (const [what, change] of Object.entries(changes)) {
    world.changeDefinition(web.identity, change)
    const took = await repairTime(cloud, () => {
      const now = factsOf(cloud, 'web-2')
      return (
        JSON.stringify(now.definition.disks) === JSON.stringify(definition.disks) &&
        JSON.stringify(now.definition.nics) === JSON.stringify(definition.nics)
      )
    })
    t.true(took <= 1_000, `${what}: ${took} ms`)
  }
  const router = routerOf(cloud)
  const held = router.router
  if (held === undefined) throw new Error('Cannot find what the router holds')
  const { document } = held
  const sections = {
    guest: { ...document.guest, domain: 'elsewhere' },
    dhcp: [],
    publicAddresses: [],
    portForwardings: [],
    firewall: { ...document.firewall, rules: [] },
    userData: [{ address: '10.1.1.9', hash: 'other' }],
  }
  for (const [name, value] of Object.entries(sections)) {
    world.setRouterDocument(router.identity, { hash: held.hash, document: { ...document, [name]: value } })
    const took = await repairTime(
      cloud,
      () => JSON.stringify(routerOf(cloud).router?.document) === JSON.stringify(document),
    )
    t.true(took <= 1_000, `router ${name}: ${took} ms`)
  }
  const volume = world.list().volumes.find(({ facts }) => facts.mark?.name === 'web-2-data')?.facts
  const disk = () => world.list().volumes.find(({ facts }) => facts.identity === volume?.identity)?.facts
  world.changeVolume(volume?.identity ?? '', { sizeBytes: gibibyte })
  t.true((await repairTime(cloud, () => disk()?.sizeBytes === volume?.sizeBytes)) <= 1_000)
  world.changeVolume(volume?.identity ?? '', { trashedAt: '2026-01-01T00:00:00Z' })
  t.true((await repairTime(cloud, () => disk()?.trashedAt === undefined)) <= 1_000)
  await cloud.untilReady()
  t.deepEqual(await driftOf(cloud, 'web-2'), [])
  t.deepEqual(world.invariants(), [])
})

test('INF-161 an appliance of another size or with other NICs is put right, restarted where need be', async t => {
  await using cloud = await running()
  await cloud.patch(Zone, 'zone-a', undefined, { consoleProxy: 'SystemVM' })
  await cloud.advance(30_000)
  await cloud.untilReady()
  const { world } = cloud.simulator
  const appliances = () =>
    world.list().machines.filter(({ facts }) => facts.definition.role !== 'Instance' && facts.powerState === 'Running')
  const before = appliances().map(({ facts }) => [facts.identity, facts.definition] as const)
  t.true(before.length >= 2)
  for (const [identity, definition] of before) {
    world.changeDefinition(identity, { cores: definition.cores + 1, nics: definition.nics.slice(0, 1) })
  }
  await cloud.until(async () => {
    const now = new Map(appliances().map(({ facts }) => [facts.identity, facts.definition]))
    return before.every(([identity, definition]) => JSON.stringify(now.get(identity)) === JSON.stringify(definition))
  }, 60_000)
  await cloud.untilReady()
  for (const kind of [VirtualRouter, SystemVM]) {
    for (const object of await cloud.list(kind)) t.is(object.status?.drift, undefined)
  }
})

test('INF-160 what is only observed is told field by field, with its source, and nothing of it moves', async t => {
  await using cloud = await running()
  const { world } = cloud.simulator
  await cloud.patch(VirtualMachine, 'web-2', 'shop', { management: { mode: 'Observe', deletionPolicy: 'Delete' } })
  await cloud.advance(5_000)
  const before = factsOf(cloud, 'web-2')
  world.changeDefinition(before.identity, { nics: [], cores: 7 })
  await cloud.advance(15_000)
  const changed = factsOf(cloud, 'web-2')
  const drift = await driftOf(cloud, 'web-2')
  t.deepEqual(
    drift.map(({ path, desired, observed, source, decision }) => [path, desired, observed, source, decision]),
    [
      ['spec.serviceOfferingName.cores', '1', '7', 'OutOfBand', 'Observing'],
      ['spec.nics', 'web', 'none', 'OutOfBand', 'Observing'],
    ],
  )
  const version = (await cloud.get(VirtualMachine, 'web-2', 'shop'))?.metadata.resourceVersion
  await cloud.advance(1_800_000)
  t.is((await cloud.get(VirtualMachine, 'web-2', 'shop'))?.metadata.resourceVersion, version)
  t.is(factsOf(cloud, 'web-2'), changed)
  await cloud.stopControllers()
  await cloud.startControllers()
  await cloud.advance(60_000)
  t.deepEqual(await driftOf(cloud, 'web-2'), drift)
  t.is(factsOf(cloud, 'web-2'), changed)
})

test('a machine that is only observed and deleted says what it waits for and how out', async t => {
  await using cloud = await running()
  const { identity } = factsOf(cloud, 'web-1')
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { management: { mode: 'Observe', deletionPolicy: 'Delete' } })
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  await cloud.advance(300_000)
  const waiting = await cloud.get(VirtualMachine, 'web-1', 'shop')
  t.is(factsOf(cloud, 'web-1').powerState, 'Running')
  t.is(conditionOf(waiting ?? {}, 'PowerApplied')?.reason, 'Observing')
  t.regex(conditionOf(waiting ?? {}, 'Ready')?.message ?? '', /deletion waits.*Set it to Enforce, or .*Orphan/)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { management: { mode: 'Enforce', deletionPolicy: 'Delete' } })
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-1', 'shop')) === undefined)
  t.false(cloud.simulator.world.list().machines.some(({ facts }) => facts.identity === identity))
})

test('a machine that is only observed, gone from its host and deleted: its root disk stays until it is to be enforced', async t => {
  await using cloud = await running()
  const { world } = cloud.simulator
  const { identity, definition } = factsOf(cloud, 'web-1')
  const root = definition.disks[0]?.identity
  const isThere = () =>
    world.list().volumes.some(({ facts }) => facts.identity === root && facts.trashedAt === undefined)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { management: { mode: 'Observe', deletionPolicy: 'Delete' } })
  await cloud.advance(5_000)
  world.destroyMachine(identity)
  world.removeMachine(identity)
  await cloud.delete(VirtualMachine, 'web-1', 'shop')
  await cloud.advance(300_000)
  t.true(isThere())
  const waiting = await cloud.get(VirtualMachine, 'web-1', 'shop')
  t.regex(conditionOf(waiting ?? {}, 'Ready')?.message ?? '', /deletion waits/)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { management: { mode: 'Enforce', deletionPolicy: 'Delete' } })
  await cloud.until(async () => (await cloud.get(VirtualMachine, 'web-1', 'shop')) === undefined)
  await cloud.until(async () => !isThere())
})

test('the mode of a kind comes from Settings, an object speaks for itself', async t => {
  await using cloud = await running()
  const { world } = cloud.simulator
  await cloud.apply(
    withoutTrash.replace('{expungeDelay: 0s}', '{managementDefaults: [{kind: VirtualMachine, mode: Observe}]}'),
  )
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { management: { mode: 'Enforce', deletionPolicy: 'Delete' } })
  await cloud.advance(5_000)
  for (const name of ['web-1', 'web-2']) world.changeDefinition(factsOf(cloud, name).identity, { nics: [] })
  await cloud.advance(15_000)
  t.is(factsOf(cloud, 'web-1').definition.nics.length, 1)
  t.is(factsOf(cloud, 'web-2').definition.nics.length, 0)
  await cloud.apply(
    withoutTrash.replace('{expungeDelay: 0s}', '{managementDefaults: [{kind: VirtualMachine, mode: Pause}]}'),
  )
  await cloud.advance(60_000)
  t.is(factsOf(cloud, 'web-2').definition.nics.length, 0)
  await cloud.apply(withoutTrash)
  await cloud.until(async () => factsOf(cloud, 'web-2').definition.nics.length === 1, 5_000)
  t.is((await cloud.get(Volume, 'web-2-data', 'shop'))?.status?.drift, undefined)
})

const large = `
apiVersion: compute.skystead.dev/v1alpha1
kind: ServiceOffering
metadata: {name: large}
spec: {cores: 2, clockMHz: 1000, memory: 1Gi, highlyAvailable: true}
`

test('what needs a restart waits for the next stop, field by field, and says that the wish moved', async t => {
  await using cloud = await running()
  await cloud.apply(large)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { serviceOfferingName: 'large' })
  await cloud.advance(30_000)
  t.deepEqual(
    (await driftOf(cloud, 'web-1')).map(({ path, source, decision }) => [path, source, decision]),
    [
      ['spec.serviceOfferingName.cores', 'Wish', 'WaitsForRestart'],
      ['spec.serviceOfferingName.memory', 'Wish', 'WaitsForRestart'],
    ],
  )
  t.is(factsOf(cloud, 'web-1').definition.cores, 1)
  cloud.simulator.world.shutdownGuest(factsOf(cloud, 'web-1').identity)
  await cloud.until(async () => factsOf(cloud, 'web-1').definition.cores === 2)
  await cloud.untilReady()
  t.deepEqual(await driftOf(cloud, 'web-1'), [])
})

test('in its restart window a machine is restarted once for what it cannot take up while it runs', async t => {
  await using cloud = await running()
  const { clock } = cloud.environment
  const start = new Date(clock.now() + 3_600_000).toISOString().slice(11, 16)
  await cloud.apply(large)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', {
    serviceOfferingName: 'large',
    restartWindow: { start, duration: '1h' },
  })
  await cloud.advance(30_000)
  t.is((await driftOf(cloud, 'web-1'))[0]?.decision, 'WaitsForWindow')
  await cloud.advance(3_500_000)
  t.is(factsOf(cloud, 'web-1').definition.cores, 1)
  await cloud.until(async () => factsOf(cloud, 'web-1').definition.cores === 2, 120_000)
  await cloud.untilReady()
  const stops = () => cloud.simulator.world.journal.since(0).filter(({ action }) => action === 'StopMachine').length
  t.is(stops(), 1)
  cloud.simulator.world.changeDefinition(factsOf(cloud, 'web-1').identity, { cores: 5 })
  await cloud.advance(1_800_000)
  t.is(stops(), 1)
  t.is((await driftOf(cloud, 'web-1'))[0]?.decision, 'WaitsForWindow')
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a restart in its window goes on where controllers that died left it', async t => {
  await using cloud = await running()
  const start = new Date(cloud.environment.clock.now()).toISOString().slice(11, 16)
  await cloud.apply(large)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', {
    serviceOfferingName: 'large',
    restartWindow: { start, duration: '2h' },
  })
  for (let restarts = 0; restarts < 12; restarts += 1) {
    await cloud.advance(150)
    await cloud.stopControllers()
    await cloud.startControllers()
  }
  await cloud.until(async () => factsOf(cloud, 'web-1').definition.cores === 2, 300_000)
  await cloud.untilReady()
  t.is(factsOf(cloud, 'web-1').powerState, 'Running')
  t.deepEqual(cloud.simulator.world.invariants(), [])
})
