import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { conditionOf } from '../../crds/meta.ts'
import { Cloud, quickstart } from './cloud.ts'

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
