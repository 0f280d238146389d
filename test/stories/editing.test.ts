import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { conditionOf } from '../../crds/meta.ts'
import { Network } from '../../crds/network/network.ts'
import { PortForwardingRule } from '../../crds/network/port-forwarding-rule.ts'
import { Volume } from '../../crds/storage/volume.ts'
import { Cloud, quickstart } from './cloud.ts'

function machineNamed(cloud: Cloud, name: string) {
  return cloud.simulator.world.list().machines.find(({ facts }) => facts.mark?.name === name)
}

function router(cloud: Cloud) {
  return cloud.simulator.world.list().machines.find(({ facts }) => facts.definition.role === 'VirtualRouter')
}

test('Halted shuts the guest down, another offering is taken while it is off, Always starts it with it', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Halted' })
  await cloud.until(async () => machineNamed(cloud, 'web-1')?.facts.powerState === 'Off')
  await cloud.untilReady()
  await cloud.apply(`
apiVersion: compute.skystead.dev/v1alpha1
kind: ServiceOffering
metadata: {name: large}
spec: {cores: 4, clockMHz: 2000, memory: 4Gi}
`)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { serviceOfferingName: 'large', runStrategy: 'Always' })
  await cloud.untilReady()
  const facts = machineNamed(cloud, 'web-1')?.facts
  t.is(facts?.powerState, 'Running')
  t.is(facts?.definition.cores, 4)
  t.is(facts?.definition.memoryBytes, 4 * 2 ** 30)
})

test('a volume is attached to and detached from a running machine; its disk stays', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.patch(VirtualMachine, 'web-2', 'shop', { volumes: [] })
  await cloud.until(async () => machineNamed(cloud, 'web-2')?.facts.definition.disks.length === 1)
  await cloud.untilReady()
  t.is((await cloud.get(Volume, 'web-2-data', 'shop'))?.status?.virtualMachineName, undefined)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { volumes: [{ name: 'data', volumeName: 'web-2-data' }] })
  await cloud.until(async () => machineNamed(cloud, 'web-1')?.facts.definition.disks.length === 2)
  await cloud.untilReady()
  t.is((await cloud.get(Volume, 'web-2-data', 'shop'))?.status?.virtualMachineName, 'web-1')
  t.is(cloud.simulator.world.list().volumes.length, 3)
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a machine that is off gets another data volume and is started in one edit', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.patch(VirtualMachine, 'web-2', 'shop', { runStrategy: 'Halted' })
  await cloud.until(async () => machineNamed(cloud, 'web-2')?.facts.powerState === 'Off')
  await cloud.untilReady()
  const before = await cloud.get(Volume, 'web-2-data', 'shop')
  const { diskOfferingName = '', zoneName = '' } = before?.spec ?? {}
  await cloud.apply(`
apiVersion: storage.skystead.dev/v1alpha1
kind: Volume
metadata: {name: other, namespace: shop}
spec: {zoneName: ${zoneName}, diskOfferingName: ${diskOfferingName}}
`)
  const volumes = [{ name: 'data', volumeName: 'other' }]
  await cloud.patch(VirtualMachine, 'web-2', 'shop', { volumes, runStrategy: 'Always' })
  await cloud.untilReady()
  t.is(machineNamed(cloud, 'web-2')?.facts.powerState, 'Running')
  t.is((await cloud.get(Volume, 'other', 'shop'))?.status?.virtualMachineName, 'web-2')
  t.is((await cloud.get(Volume, 'web-2-data', 'shop'))?.status?.virtualMachineName, undefined)
})

test('a volume that two machines wish for belongs to one; the other says whose it is', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { volumes: [{ name: 'data', volumeName: 'web-2-data' }] })
  await cloud.advance(30_000)
  const waiting = await cloud.get(VirtualMachine, 'web-1', 'shop')
  const condition = waiting && conditionOf(waiting, 'VolumesAttached')
  t.is(condition?.reason, 'VolumeInUse')
  t.regex(condition?.message ?? '', /web-2/)
  t.is(machineNamed(cloud, 'web-1')?.facts.powerState, 'Running')
})

test('a NIC in a second network is plugged into a running machine', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.apply(`
apiVersion: network.skystead.dev/v1alpha1
kind: NetworkOffering
metadata: {name: plain}
spec: {guestType: L2, services: []}
---
apiVersion: network.skystead.dev/v1alpha1
kind: Network
metadata: {name: back, namespace: shop}
spec: {zoneName: zone-a, networkOfferingName: plain}
`)
  await cloud.untilReady()
  t.is(conditionOf((await cloud.get(Network, 'back', 'shop')) ?? {}, 'Ready')?.reason, 'Idle')
  await cloud.patch(VirtualMachine, 'web-1', 'shop', {
    nics: [
      { name: 'web', networkName: 'web' },
      { name: 'back', networkName: 'back' },
    ],
  })
  await cloud.until(async () => machineNamed(cloud, 'web-1')?.facts.definition.nics.length === 2)
  await cloud.untilReady()
  const [web, back] = machineNamed(cloud, 'web-1')?.facts.definition.nics ?? []
  t.is(web?.addresses.length, 1)
  t.deepEqual(back?.addresses, [])
  t.not(web?.segment.id, back?.segment.id)
})

test('of two rules with the same port the older holds; the other names it and holds when the first is gone', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.advance(2_000)
  await cloud.apply(`
apiVersion: network.skystead.dev/v1alpha1
kind: PortForwardingRule
metadata: {name: other, namespace: shop}
spec: {publicIPName: web-ip, protocol: TCP, publicPort: 80, virtualMachineName: web-2, privatePort: 80, sourceCIDRs: []}
`)
  await cloud.advance(5_000)
  const refused = await cloud.get(PortForwardingRule, 'other', 'shop')
  t.is(conditionOf(refused ?? {}, 'Stalled')?.reason, 'PortsTaken')
  t.regex(conditionOf(refused ?? {}, 'Stalled')?.message ?? '', /web-http/)
  await cloud.delete(PortForwardingRule, 'web-http', 'shop')
  await cloud.untilReady()
  const [forwarding, ...more] = router(cloud)?.facts.router?.document.portForwardings ?? []
  t.is(forwarding?.privatePort, 80)
  t.deepEqual(more, [])
})

test('a machine destroyed behind our back runs again within a second of the event', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  cloud.simulator.world.destroyMachine('shop/web-1')
  const before = cloud.environment.clock.monotonic()
  await cloud.until(async () => machineNamed(cloud, 'web-1')?.facts.powerState === 'Running', 5_000)
  t.true(cloud.environment.clock.monotonic() - before <= 1_000)
})

for (const [runStrategy, powerState, reason] of [
  ['Always', 'Running', 'Running'],
  ['OnFailure', 'Off', 'EndedByGuest'],
  ['Once', 'Off', 'Ended'],
] as const) {
  test(`a guest that shuts itself down under runStrategy ${runStrategy} is ${powerState}, through a restart as well`, async t => {
    await using cloud = await Cloud.start()
    await cloud.apply(quickstart)
    await cloud.untilReady()
    await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy })
    await cloud.untilReady()
    await cloud.advance(10_000)
    cloud.simulator.world.shutdownGuest('shop/web-1')
    await cloud.advance(30_000)
    await cloud.stopControllers()
    await cloud.startControllers()
    await cloud.untilReady()
    await cloud.advance(60_000)
    t.is(machineNamed(cloud, 'web-1')?.facts.powerState, powerState)
    const machine = await cloud.get(VirtualMachine, 'web-1', 'shop')
    t.is(machine && conditionOf(machine, 'PowerApplied')?.reason, reason)
  })
}
