import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { Cloud, quickstart } from './cloud.ts'

test('the quickstart is all Ready, and the simulated world is what it describes', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  const { machines } = cloud.simulator.world.list()
  t.deepEqual(
    machines.map(machine => machine.facts.powerState),
    ['Running', 'Running', 'Running'],
  )
  t.deepEqual(cloud.simulator.world.invariants(), [])
  const web = await cloud.get(VirtualMachine, 'web-1', 'shop')
  t.is(web?.status?.powerState, 'Running')
  t.true((await cloud.list(Allocation)).length > 0)
})
