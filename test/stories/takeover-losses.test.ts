import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { conditionOf } from '../../crds/meta.ts'
import { type Cloud, documentsOf, quickstart } from './cloud.ts'
import {
  data,
  described,
  doneSince,
  factsOf,
  identities,
  machine,
  reasonOf,
  root,
  shared,
  volume,
  withForeigner,
} from './foreigner.ts'

const takeover = [...identities, shared, volume('old-web-root', root), volume('old-web-data', data), described()]
const adoptions = ['AdoptMachine', 'AdoptVolume', 'AdoptVolume']
const foreignHost = documentsOf(quickstart).filter(
  ({ kind, metadata }) => kind === 'Host' && metadata.name === 'host-1',
)

/** Hosts that have the machine that is taken over. */
function hostsOf(cloud: Cloud): readonly string[] {
  return cloud.simulator.world.list().machines.flatMap(({ identity, host }) => (identity === machine ? [host] : []))
}

async function scheduled(cloud: Cloud) {
  return conditionOf((await cloud.get(VirtualMachine, 'old-web', 'shop')) ?? {}, 'Scheduled')
}

async function takenOverAt(cloud: Cloud): Promise<string | undefined> {
  return (await cloud.get(Allocation, `identity-${machine}`))?.spec.notes?.takenOverAt
}

async function restartControllers(cloud: Cloud): Promise<void> {
  await cloud.stopControllers()
  await cloud.startControllers()
}

/** What is ours leaves a host, and the Host is deleted; the machine that is not ours runs on there. */
async function forgetHost(cloud: Cloud): Promise<void> {
  await cloud.patch(Host, 'host-1', undefined, { lifecycle: 'Maintenance' })
  await cloud.until(async () => {
    const evacuated = conditionOf((await cloud.get(Host, 'host-1')) ?? {}, 'Evacuated')
    return evacuated?.reason === 'ForeignMachines'
  }, 900_000)
  await cloud.delete(Host, 'host-1')
  await cloud.until(async () => (await cloud.get(Host, 'host-1')) === undefined)
}

test('the Host of a machine is deleted, and its takeover applied: it is started nowhere else, and taken over when the Host is back', async t => {
  await using cloud = await withForeigner()
  const { world } = cloud.simulator
  await forgetHost(cloud)
  const { sequence } = world.journal
  await cloud.apply(...takeover)
  await cloud.advance(600_000)
  t.deepEqual(hostsOf(cloud), ['host-1'])
  t.false(doneSince(cloud, sequence).some(action => action.endsWith('Machine')))
  const waiting = await scheduled(cloud)
  t.is(waiting?.reason, 'NotFound')
  t.regex(waiting?.message ?? '', /apply the Host that has it\. If it is gone for good, .* delete this machine and/)
  await restartControllers(cloud)
  await cloud.advance(300_000)
  t.is((await scheduled(cloud))?.reason, 'NotFound')
  await cloud.apply(...foreignHost)
  await cloud.untilReady(900_000)
  t.deepEqual(doneSince(cloud, sequence).toSorted(), adoptions)
  t.deepEqual(hostsOf(cloud), ['host-1'])
  t.is(factsOf(cloud)?.powerState, 'Running')
  t.deepEqual(world.invariants(), [])
})

test('its host dies before a machine is taken over, and the controllers start again: it is started nowhere else, though the host is proven off', async t => {
  await using cloud = await withForeigner()
  const { world } = cloud.simulator
  const away = world.faults.add({ verb: 'AdoptMachine', effect: 'Fail', code: 'Unavailable', times: 1_000 })
  const { sequence } = world.journal
  await cloud.apply(...takeover)
  await cloud.until(async () => (await cloud.get(Allocation, `machine-${machine}`)) !== undefined)
  await cloud.advance(60_000)
  t.is(factsOf(cloud)?.mark, undefined)
  world.killHost('host-1')
  away.remove()
  await cloud.advance(300_000)
  const host = await cloud.get(Host, 'host-1')
  t.is(conditionOf(host ?? {}, 'LossContained')?.reason, 'Fenced')
  t.is((await scheduled(cloud))?.reason, 'HostSilent')
  for (let round = 0; round < 3; round += 1) {
    await restartControllers(cloud)
    await cloud.advance(300_000)
    t.deepEqual(hostsOf(cloud), ['host-1'])
    const waiting = await scheduled(cloud)
    t.is(waiting?.reason, 'HostSilent')
    t.regex(waiting?.message ?? '', /not taken over yet.*bring the host back/)
  }
  t.is(await takenOverAt(cloud), undefined)
  world.reviveHost('host-1')
  world.startMachine({ identity: machine, host: 'host-1' })
  await cloud.untilReady(900_000)
  t.deepEqual(
    doneSince(cloud, sequence).filter(action => action.endsWith('Machine')),
    ['AdoptMachine'],
  )
  t.deepEqual(hostsOf(cloud), ['host-1'])
  t.deepEqual(world.invariants(), [])
})

test('a machine that was taken over is started elsewhere when its host dies, also by controllers that have never seen it', async t => {
  await using cloud = await withForeigner()
  const { world } = cloud.simulator
  await cloud.apply(...takeover, shared.replace('memory: 1Gi}', 'memory: 1Gi, highlyAvailable: true}'))
  await cloud.untilReady()
  t.truthy(await takenOverAt(cloud))
  await cloud.stopControllers()
  world.killHost('host-1')
  await cloud.startControllers()
  await cloud.until(async () => hostsOf(cloud).includes('host-2'), 900_000)
  await cloud.until(async () => (await reasonOf(cloud, 'Ready')) === 'Ready', 900_000)
  t.is(await reasonOf(cloud, 'PowerApplied'), 'Running')
  world.reviveHost('host-1')
  await cloud.untilReady(900_000)
  await cloud.until(async () => hostsOf(cloud).length === 1)
  t.deepEqual(hostsOf(cloud), ['host-2'])
  t.deepEqual(world.invariants(), [])
})

test('a machine on a host in maintenance is not migrated before it bears our mark, and then it is', async t => {
  await using cloud = await withForeigner()
  const { world } = cloud.simulator
  const away = world.faults.add({ verb: 'AdoptMachine', effect: 'Fail', code: 'Unavailable', times: 1_000 })
  await cloud.patch(Host, 'host-1', undefined, { lifecycle: 'Maintenance' })
  const { sequence } = world.journal
  await cloud.apply(...takeover)
  await cloud.until(async () => (await reasonOf(cloud, 'Settled')) === 'NotAdopted')
  await cloud.advance(120_000)
  t.deepEqual(hostsOf(cloud), ['host-1'])
  t.is(await reasonOf(cloud, 'Settled'), 'NotAdopted')
  t.false(doneSince(cloud, sequence).includes('MigrateMachine'))
  away.remove()
  await cloud.until(async () => hostsOf(cloud).join() === 'host-2', 900_000)
  await cloud.untilReady(900_000)
  const done = doneSince(cloud, sequence)
  t.true(done.indexOf('AdoptMachine') < done.indexOf('MigrateMachine'), done.join(' '))
  t.is(factsOf(cloud)?.powerState, 'Running')
  t.deepEqual(world.invariants(), [])
})
