import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { conditionOf } from '../../crds/meta.ts'
import { Cloud, quickstart } from './cloud.ts'

async function hostOf(cloud: Cloud, name: string): Promise<string> {
  return (await cloud.get(VirtualMachine, name, 'shop'))?.status?.hostName ?? ''
}

function running(cloud: Cloud): readonly string[] {
  const { machines } = cloud.simulator.world.list()
  return machines.filter(({ facts }) => facts.powerState === 'Running').map(({ host }) => host)
}

test('a host that lost its power: its machines run on the other host, after its power was read as Off twice', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const lost = await hostOf(cloud, 'web-1')
  const other = lost === 'host-1' ? 'host-2' : 'host-1'
  cloud.simulator.world.killHost(lost)
  await cloud.until(async () => (await hostOf(cloud, 'web-1')) === other && running(cloud).length === 3)
  await cloud.until(async () => {
    const machine = await cloud.get(VirtualMachine, 'web-1', 'shop')
    return machine?.status?.powerState === 'Running' && conditionOf(machine, 'Ready')?.status === 'True'
  })
  t.deepEqual(new Set(running(cloud)), new Set([other]))
  t.deepEqual(cloud.simulator.world.invariants(), [])

  cloud.simulator.world.reviveHost(lost)
  await cloud.untilReady()
  await cloud.advance(60_000)
  const { machines } = cloud.simulator.world.list()
  t.is(machines.length, 3, 'definitions left on the lost host are removed when it is back')
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a host that is silent with a dead power controller: nothing is restarted, the condition names the choices', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const lost = await hostOf(cloud, 'web-1')
  cloud.simulator.world.freezeHost(lost)
  cloud.simulator.world.killPowerController(lost)
  await cloud.until(async () => {
    const machine = await cloud.get(VirtualMachine, 'web-1', 'shop')
    return machine?.status?.powerState === 'Unknown'
  }, 900_000)
  await cloud.advance(900_000)
  const machine = await cloud.get(VirtualMachine, 'web-1', 'shop')
  t.is(machine?.status?.hostName, lost)
  const ready = machine && conditionOf(machine, 'Ready')
  t.is(ready?.status, 'Unknown')
  t.regex(ready?.message ?? '', /spec\.lifecycle/)
  t.is(running(cloud).filter(host => host === lost).length, 3)
  t.deepEqual(cloud.simulator.world.invariants(), [])

  cloud.simulator.world.killHost(lost)
  await cloud.patch(Host, lost, undefined, { lifecycle: 'Lost' })
  await cloud.until(async () => running(cloud).length === 3 && !running(cloud).includes(lost))
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a machine whose offering is not highly available waits for its own host', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart.replace('highlyAvailable: true', 'highlyAvailable: false'))
  await cloud.untilReady()
  const lost = await hostOf(cloud, 'web-1')
  cloud.simulator.world.killHost(lost)
  await cloud.advance(600_000)
  const machine = await cloud.get(VirtualMachine, 'web-1', 'shop')
  t.is(machine?.status?.hostName, lost)
  t.is(machine && conditionOf(machine, 'Ready')?.reason, 'HostLost')
  cloud.simulator.world.reviveHost(lost)
  await cloud.untilReady()
  t.is(await hostOf(cloud, 'web-1'), lost)
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

const automatic = `
apiVersion: infrastructure.skystead.dev/v1alpha1
kind: Settings
metadata: {name: default}
spec: {hostFailure: {fencing: Automatic}}
`

test('a host that was proven off and gets its power back by hand is let boot, not switched off again', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart, automatic)
  await cloud.untilReady()
  const { world } = cloud.simulator
  const lost = await hostOf(cloud, 'web-1')
  world.killHost(lost)
  await cloud.until(async () => running(cloud).length === 3 && !running(cloud).includes(lost))
  // It boots for two seconds; its power is read every ten: at some moment it is read as On meanwhile.
  for (let phase = 0; phase < 10; phase++) {
    await cloud.advance(60_000 + phase * 1_000)
    world.reviveHost(lost)
    await cloud.advance(30_000)
    t.is(world.list().hosts.find(({ name }) => name === lost)?.state, 'Answering')
    world.killHost(lost)
    await cloud.until(
      async () => conditionOf((await cloud.get(Host, lost)) ?? {}, 'LossContained')?.reason === 'Fenced',
    )
  }
  const switched = world.journal
    .since(0)
    .filter(({ action, source }) => source === 'Operation' && action === 'SetPower')
  t.deepEqual(switched, [])
})
