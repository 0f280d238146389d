import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { conditionOf } from '../../crds/meta.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { allCapabilities } from '../../drivers/simulator/places.ts'
import { Cloud, quickstart } from './cloud.ts'
import { hostOf, otherThan, runsOn } from './incidents.ts'

async function cloudWith(hostFailure: object): Promise<Cloud> {
  const cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.patch(HostCluster, 'cluster-1', undefined, { hostFailure })
  return cloud
}

async function lossOf(cloud: Cloud, name: string): Promise<string | undefined> {
  const host = await cloud.get(Host, name)
  return host && conditionOf(host, 'LossContained')?.reason
}

async function untilLoss(cloud: Cloud, name: string, reason: string, limit = 120_000): Promise<void> {
  await cloud.until(
    async () => (await lossOf(cloud, name)) === reason,
    limit,
    async () => JSON.stringify((await cloud.get(Host, name))?.status?.conditions, undefined, 1),
  )
}

function powerOf(cloud: Cloud, name: string): string | undefined {
  return cloud.simulator.world.list().hosts.find(host => host.name === name)?.power
}

async function fences(cloud: Cloud): Promise<readonly string[]> {
  return (await cloud.list(Allocation)).filter(({ spec }) => spec.type === 'Fence').map(({ spec }) => spec.value)
}

test('HST-105 OPS-116 a frozen host is noticed within a minute, switched off, and its machines start elsewhere: none runs twice', async t => {
  await using cloud = await cloudWith({ fencing: 'Automatic' })
  const host = await hostOf(cloud, 'web-1')
  cloud.simulator.world.freezeHost(host)
  await untilLoss(cloud, host, 'Suspected', 60_000)
  await untilLoss(cloud, host, 'Fenced')
  t.is(powerOf(cloud, host), 'Off')
  await cloud.until(async () => runsOn(cloud, 'web-1').includes(otherThan(host)))
  t.deepEqual(runsOn(cloud, 'web-1'), [otherThan(host)])
  await cloud.until(async () => {
    const machine = await cloud.get(VirtualMachine, 'web-1', 'shop')
    return machine !== undefined && conditionOf(machine, 'Ready')?.status === 'True'
  })
  t.is((await fences(cloud)).length, 1)

  cloud.simulator.world.reviveHost(host)
  await cloud.untilReady()
  await cloud.advance(180_000)
  t.deepEqual(await fences(cloud), [])
  t.is(cloud.simulator.world.list().machines.length, 3, 'what the fenced host still had of them is removed')
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a fenced host is powered on again where that is wished, and serves again', async t => {
  await using cloud = await cloudWith({ fencing: 'Automatic', powerOnAttempts: 2 })
  const host = await hostOf(cloud, 'web-1')
  cloud.simulator.world.freezeHost(host)
  await untilLoss(cloud, host, 'Fenced')
  await cloud.until(async () => runsOn(cloud, 'web-1').includes(otherThan(host)))
  await untilLoss(cloud, host, 'Connected', 600_000)
  await cloud.untilReady()
  t.deepEqual(await fences(cloud), [])
  t.is(powerOf(cloud, host), 'On')
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('OPS-097 a frozen host whose fencing is left to the operator: its machines stay, and the host names the choices', async t => {
  await using cloud = await cloudWith({ fencing: 'Manual' })
  const host = await hostOf(cloud, 'web-1')
  cloud.simulator.world.freezeHost(host)
  await untilLoss(cloud, host, 'NotFenced')
  await cloud.advance(600_000)
  t.deepEqual(runsOn(cloud, 'web-1'), [host])
  const seen = await cloud.get(Host, host)
  t.regex((seen && conditionOf(seen, 'LossContained')?.message) ?? '', /spec.lifecycle to Lost.*hostFailure.fencing/)
  await cloud.patch(Host, host, undefined, { hostFailure: { fencing: 'Automatic' } })
  await cloud.until(async () => runsOn(cloud, 'web-1').includes(otherThan(host)))
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('OPS-097 a host that lives and cannot be reached: its heartbeats keep it from being switched off, until the limit', async t => {
  await using cloud = await cloudWith({ fencing: 'Automatic' })
  const host = await hostOf(cloud, 'web-1')
  cloud.simulator.world.cutOffHost(host)
  await untilLoss(cloud, host, 'Unreachable')
  await cloud.advance(1_800_000)
  t.is(await lossOf(cloud, host), 'Unreachable')
  t.deepEqual(runsOn(cloud, 'web-1'), [host])
  await cloud.patch(HostCluster, 'cluster-1', undefined, {
    hostFailure: { fencing: 'Automatic', unreachableLimit: '40m' },
  })
  await untilLoss(cloud, host, 'Fenced', 900_000)
  await cloud.until(async () => runsOn(cloud, 'web-1').includes(otherThan(host)))
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a host that is declared lost too early, while it lives and nobody can see its power, is not believed to be off', async t => {
  await using cloud = await cloudWith({ fencing: 'Automatic' })
  const host = await hostOf(cloud, 'web-1')
  await cloud.patch(Host, host, undefined, { lifecycle: 'Lost', powerControl: undefined })
  await cloud.advance(60_000)
  cloud.simulator.world.cutOffHost(host)
  await cloud.advance(900_000)
  t.deepEqual(runsOn(cloud, 'web-1'), [host])
  t.is(await lossOf(cloud, host), 'Unreachable')
  cloud.simulator.world.killHost(host)
  await cloud.until(async () => runsOn(cloud, 'web-1').includes(otherThan(host)))
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a host that holds a lease on shared storage: when it has expired its machines start elsewhere, without any power controller', async t => {
  await using cloud = await cloudWith({ fencing: 'Automatic' })
  const host = await hostOf(cloud, 'web-1')
  cloud.simulator.world.setCapabilities(host, [...allCapabilities, 'StorageLease'])
  cloud.simulator.world.cutConnections(host)
  await cloud.advance(5_000)
  cloud.simulator.world.killPowerController(host)
  cloud.simulator.world.freezeHost(host)
  await untilLoss(cloud, host, 'Fenced', 300_000)
  await cloud.until(async () => runsOn(cloud, 'web-1').includes(otherThan(host)))
  t.is(powerOf(cloud, host), 'On')
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('OPS-120 both hosts of a zone fall silent at once: none is switched off, and the hosts say so', async t => {
  await using cloud = await cloudWith({ fencing: 'Automatic' })
  for (const host of ['host-1', 'host-2']) cloud.simulator.world.freezeHost(host)
  await untilLoss(cloud, 'host-1', 'FencingHeld')
  await untilLoss(cloud, 'host-2', 'FencingHeld')
  await cloud.advance(900_000)
  t.is(powerOf(cloud, 'host-1'), 'On')
  t.is(powerOf(cloud, 'host-2'), 'On')
  for (const host of ['host-1', 'host-2']) cloud.simulator.world.reviveHost(host)
  await cloud.untilReady()
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('the controllers die at every moment of a fence: the host is fenced once, and no machine runs twice', async t => {
  for (const pause of [31_000, 36_000, 66_000, 66_200, 66_500, 67_000, 68_000, 70_000]) {
    await using cloud = await cloudWith({ fencing: 'Automatic' })
    const host = await hostOf(cloud, 'web-1')
    cloud.simulator.world.freezeHost(host)
    await cloud.advance(pause)
    await cloud.stopControllers()
    await cloud.startControllers()
    await cloud.until(async () => runsOn(cloud, 'web-1').includes(otherThan(host)))
    t.is(powerOf(cloud, host), 'Off')
    t.is((await fences(cloud)).length, 1)
    t.deepEqual(cloud.simulator.world.invariants(), [])
  }
})

test('VM-053 a replica that comes late acts under the old claim: the new host refuses to start, stop or change the machine', async t => {
  await using cloud = await cloudWith({ fencing: 'Automatic' })
  const host = await hostOf(cloud, 'web-1')
  const claimOf = async () => {
    const claims = await cloud.list(Allocation)
    return claims.find(({ spec }) => spec.type === 'Machine' && spec.holder.name === 'web-1')?.spec
  }
  const old = await claimOf()
  cloud.simulator.world.killHost(host)
  await cloud.until(async () => runsOn(cloud, 'web-1').includes(otherThan(host)))
  const moved = await claimOf()
  t.true((moved?.epoch ?? 0) > (old?.epoch ?? 0))
  const key = endpointKey('Host', moved?.machine?.hostIdentity ?? '')
  const endpoint = cloud.engine.observed.told(key)?.endpoint
  if (endpoint === undefined) return t.fail('the new host is not declared')
  await using late = cloud.simulator.driver.connect(endpoint)
  const identity = old?.value ?? ''
  const options = { signal: new AbortController().signal, installation: 'installation-1' }
  const target = { endpoint: key, identity }
  const args = { identity, epoch: old?.epoch ?? 0 }
  for (const stale of [
    operation('StopMachine', target, { ...args, mode: 'Forced' }),
    operation('StartMachine', target, args),
    operation('RemoveMachine', target, args),
  ]) {
    const refused = late.perform(stale, options).catch((error: unknown) => error)
    await cloud.advance(1_000)
    t.like(await refused, { code: 'StaleEpoch' }, stale.verb)
  }
  t.deepEqual(runsOn(cloud, 'web-1'), [otherThan(host)])
  t.deepEqual(cloud.simulator.world.invariants(), [])
})
