import test from 'ava'
import { sumOf, WriteCounter, writesBetween } from '../../bench/writes.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { Volume } from '../../crds/storage/volume.ts'
import { Cloud, quickstart, withoutTrash } from './cloud.ts'
import { deleteEverything, hostOf, nothingLeft } from './incidents.ts'
import { machine } from './manifests.ts'

/** The quickstart's cloud at rest, and a counter of what its controllers write. */
async function atRest(): Promise<{ readonly cloud: Cloud; readonly counter: WriteCounter }> {
  const counter = new WriteCounter()
  const cloud = await Cloud.start({ between: transport => counter.counted(transport) })
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  await cloud.advance(700_000)
  return { cloud, counter }
}

test('a machine costs eight writes of ours from its manifest to Ready: finalizer, root volume, four claims, two statuses', async t => {
  const { cloud, counter } = await atRest()
  await using _ = cloud
  const before = counter.all()
  await cloud.apply(machine('lone'))
  await cloud.untilReady()
  await cloud.advance(60_000)
  const writes = writesBetween(before, counter.all())
  t.deepEqual(
    Object.fromEntries(Object.entries(writes).filter(([what]) => /virtualmachines|volumes|allocations/.test(what))),
    {
      'PATCH virtualmachines': 1,
      'POST volumes': 1,
      'POST allocations': 4,
      'PATCH volumes/status': 1,
      'PATCH virtualmachines/status': 1,
    },
  )
})

test('of machines made together each costs at most nine writes, its manifest included', async t => {
  const { cloud, counter } = await atRest()
  await using _ = cloud
  const names = Array.from({ length: 10 }, (_, index) => `many-${index}`)
  const before = counter.all()
  await cloud.apply(...names.map(name => machine(name)))
  await cloud.untilReady()
  await cloud.advance(60_000)
  const own = sumOf(writesBetween(before, counter.all()), ['virtualmachines', 'volumes', 'allocations'])
  t.is(own / names.length + 1, 9)
  t.deepEqual(await deleteEverything(cloud), nothingLeft)
})

test('STO-002 a root disk lost while its machine runs, or after, is told; no blank one takes its place', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const { world } = cloud.simulator
  const disk = () => world.list().volumes.find(({ facts }) => facts.mark?.name === 'web-1-root')?.identity
  const identity = disk()
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Halted' })
  await cloud.advance(120_000)
  await cloud.stopControllers()
  world.removeVolume(identity ?? '')
  await cloud.startControllers()
  await cloud.patch(VirtualMachine, 'web-1', 'shop', { runStrategy: 'Always' })
  await cloud.advance(120_000)
  t.is(disk(), undefined)
  const volume = await cloud.get(Volume, 'web-1-root', 'shop')
  const ready = volume?.status?.conditions?.find(({ type }) => type === 'Ready')
  t.is(ready?.reason, 'DiskLost')
})

test('STO-002 a data disk keeps its content through the deletion of its machine, also where the controllers stop in between', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const { world } = cloud.simulator
  const disk = () => world.list().volumes.find(({ facts }) => facts.mark?.name === 'web-2-data')?.identity
  const identity = disk()
  t.truthy(identity)
  await cloud.delete(VirtualMachine, 'web-2', 'shop')
  while ((await cloud.get(VirtualMachine, 'web-2', 'shop')) !== undefined) {
    await cloud.advance(200)
    await cloud.stopControllers()
    await cloud.startControllers()
  }
  t.is(disk(), identity)
  world.removeVolume(identity ?? '')
  await cloud.apply(quickstart)
  await cloud.advance(900_000)
  t.is(disk(), undefined)
  const volume = await cloud.get(Volume, 'web-2-data', 'shop')
  t.is(volume?.status?.conditions?.find(({ type }) => type === 'Ready')?.reason, 'DiskLost')
})

test('an attachment whose machine is gone without a trace is freed only when its disk is noted as made', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const { world } = cloud.simulator
  await cloud.stopControllers()
  const host = await hostOf(cloud, 'web-2')
  await cloud.delete(VirtualMachine, 'web-2', 'shop')
  const machine = await cloud.get(VirtualMachine, 'web-2', 'shop')
  if (machine === undefined) throw new Error('Cannot find the machine')
  await cloud.environment.until(cloud.client.patchFinalizers(VirtualMachine, machine, []))
  world.removeMachine({ host, identity: machine.metadata.uid })
  await cloud.startControllers()
  const ofRoot = async (type: string) => {
    const volume = await cloud.get(Volume, 'web-2-root', 'shop')
    const claims = await cloud.list(Allocation)
    return claims.find(({ spec }) => spec.type === type && spec.value === volume?.metadata.uid)
  }
  t.is((await ofRoot('Volume'))?.spec.notes?.madeAt, undefined)
  await cloud.until(async () => (await ofRoot('Volume'))?.spec.notes?.madeAt !== undefined, 900_000)
  t.truthy(await ofRoot('Attachment'))
  await cloud.until(async () => (await ofRoot('Attachment')) === undefined, 900_000)
})
