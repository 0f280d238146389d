import test from 'ava'
import { PublicTemplate } from '../../crds/compute/public-template.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { SecondaryStorage } from '../../crds/infrastructure/secondary-storage.ts'
import { Cloud, quickstart, withoutTrash } from '../stories/cloud.ts'

const powerStates = (cloud: Cloud) => cloud.simulator.world.list().machines.map(({ facts }) => facts.powerState)

test('INF-257 HST-110 machines run on while the control plane is away, and it takes them as they are when it is back', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(quickstart)
  await cloud.untilReady()
  await cloud.stopControllers()
  const { changingOperations } = cloud.simulator.world.counters()
  await cloud.advance(3_600_000)
  t.deepEqual(powerStates(cloud), ['Running', 'Running', 'Running'])
  await cloud.startControllers()
  await cloud.advance(600_000)
  t.deepEqual(powerStates(cloud), ['Running', 'Running', 'Running'])
  t.is(cloud.simulator.world.counters().changingOperations, changingOperations)
})

test('INF-236 STO-072 machines run on without the image store, and its images come back with it', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const store = await cloud.get(SecondaryStorage, 'secondary-1')
  await cloud.delete(SecondaryStorage, 'secondary-1')
  await cloud.until(async () => (await cloud.get(SecondaryStorage, 'secondary-1')) === undefined)
  await cloud.advance(60_000)
  t.deepEqual(powerStates(cloud), ['Running', 'Running', 'Running'])
  t.deepEqual((await cloud.get(PublicTemplate, 'tiny-linux'))?.status?.zones, [])
  const { apiVersion = '', kind = '', spec } = store ?? {}
  await cloud.apply({ apiVersion, kind, metadata: { name: 'secondary-1' }, spec })
  await cloud.until(async () => {
    const template = await cloud.get(PublicTemplate, 'tiny-linux')
    return template?.status?.zones?.[0]?.progressPercent === 100
  })
  t.is((await cloud.get(VirtualMachine, 'web-1', 'shop'))?.status?.powerState, 'Running')
})
