import test from 'ava'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { conditionOf } from '../../crds/meta.ts'
import { Volume } from '../../crds/storage/volume.ts'
import { Cloud, quickstart, withoutTrash } from './cloud.ts'
import { deleteEverything, hostOf, nothingLeft, otherThan, placesOf, runsOn } from './incidents.ts'

const noDisks = { volumes: [] }
const dataDisk = { volumes: [{ name: 'data', volumeName: 'web-2-data' }] }

/** Machines that run with the data disk. */
function writers(cloud: Cloud): readonly string[] {
  const { volumes, machines } = cloud.simulator.world.list()
  const data = volumes.find(({ facts }) => facts.mark?.name === 'web-2-data')?.identity
  return machines.flatMap(({ facts }) =>
    facts.powerState === 'Running' && facts.definition.disks.some(disk => disk.identity === data)
      ? [facts.mark?.name ?? '']
      : [],
  )
}

/** The quickstart with its two machines on different hosts: the data disk is on the one that is returned. */
async function apart(cloud: Cloud): Promise<string> {
  await cloud.apply(
    quickstart
      .replace(
        'metadata: {name: web-1, namespace: shop}\nspec:',
        'metadata: {name: web-1, namespace: shop}\nspec:\n  placement: {hostName: host-1}',
      )
      .replace(
        'metadata: {name: web-2, namespace: shop}\nspec:',
        'metadata: {name: web-2, namespace: shop}\nspec:\n  placement: {hostName: host-2}',
      ),
  )
  await cloud.untilReady()
  return hostOf(cloud, 'web-2')
}

test('a disk taken out of a machine whose host is silent stays that machine’s, also for controllers that have never seen it', async t => {
  await using cloud = await Cloud.start()
  const host = await apart(cloud)
  t.is(host, 'host-2')
  cloud.simulator.world.freezeHost(host)
  await cloud.stopControllers()
  await cloud.patch(VirtualMachine, 'web-2', 'shop', noDisks)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', dataDisk)
  await cloud.startControllers()
  await cloud.advance(300_000)
  t.deepEqual(writers(cloud), ['web-2'])
  t.deepEqual(cloud.simulator.world.invariants(), [])
  cloud.simulator.world.reviveHost(host)
  await cloud.untilReady()
  t.deepEqual(writers(cloud), ['web-1'])
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a disk taken out while the host is still plugging it in is nobody else’s before that has ended', async t => {
  await using cloud = await Cloud.start()
  await apart(cloud)
  await cloud.patch(VirtualMachine, 'web-2', 'shop', noDisks)
  await cloud.untilReady()
  cloud.simulator.world.faults.add({ verb: 'DefineMachine', endpoint: 'host-2', effect: 'Delay', milliseconds: 30_000 })
  await cloud.patch(VirtualMachine, 'web-2', 'shop', dataDisk)
  await cloud.advance(10_000)
  await cloud.patch(VirtualMachine, 'web-2', 'shop', noDisks)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', dataDisk)
  await cloud.advance(120_000)
  await cloud.untilReady()
  t.deepEqual(writers(cloud), ['web-1'])
  t.deepEqual(cloud.simulator.world.invariants(), [])
})

test('a disk is taken from a machine, and another given to it, though the host that it left is lost for good', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(withoutTrash, quickstart)
  await cloud.untilReady()
  const lost = await hostOf(cloud, 'web-2')
  cloud.simulator.world.killHost(lost)
  await cloud.until(async () => runsOn(cloud, 'web-2').includes(otherThan(lost)), 900_000)
  await cloud.apply(`
apiVersion: storage.skystead.dev/v1alpha1
kind: Volume
metadata: {name: extra, namespace: shop}
spec: {zoneName: zone-a, diskOfferingName: data-20g}
`)
  await cloud.patch(VirtualMachine, 'web-2', 'shop', { volumes: [{ name: 'extra', volumeName: 'extra' }] })
  await cloud.until(
    async () => {
      const machine = await cloud.get(VirtualMachine, 'web-2', 'shop')
      const volume = await cloud.get(Volume, 'web-2-data', 'shop')
      return conditionOf(machine ?? {}, 'Ready')?.status === 'True' && volume?.status?.virtualMachineName === undefined
    },
    300_000,
    async () => JSON.stringify((await cloud.get(VirtualMachine, 'web-2', 'shop'))?.status, undefined, 1),
  )
  await cloud.delete(Volume, 'web-2-data', 'shop')
  await cloud.until(async () => (await cloud.get(Volume, 'web-2-data', 'shop')) === undefined)
  t.deepEqual(
    placesOf(cloud, 'web-2')
      .map(({ host, facts }) => [host, facts.powerState])
      .toSorted(),
    [
      [lost, 'Off'],
      [otherThan(lost), 'Running'],
    ].toSorted(),
  )
  cloud.simulator.world.reviveHost(lost)
  await cloud.untilReady()
  t.deepEqual(cloud.simulator.world.invariants(), [])
  t.deepEqual(await deleteEverything(cloud), nothingLeft)
})

test('a machine whose lost host is back is not restarted as it was with a disk that is another machine’s by now', async t => {
  await using cloud = await Cloud.start()
  await cloud.apply(
    quickstart
      .replace('highlyAvailable: true', 'highlyAvailable: false')
      .replace(
        'metadata: {name: web-1, namespace: shop}\nspec:',
        'metadata: {name: web-1, namespace: shop}\nspec:\n  placement: {hostName: host-1}',
      )
      .replace(
        'metadata: {name: web-2, namespace: shop}\nspec:',
        'metadata: {name: web-2, namespace: shop}\nspec:\n  placement: {hostName: host-2}',
      ),
  )
  await cloud.untilReady()
  const { world } = cloud.simulator
  world.killHost('host-2')
  await cloud.patch(VirtualMachine, 'web-2', 'shop', noDisks)
  await cloud.patch(VirtualMachine, 'web-1', 'shop', dataDisk)
  await cloud.until(async () => writers(cloud).includes('web-1'), 900_000)
  await cloud.patch(VirtualMachine, 'web-2', 'shop', { sshKeyNames: ['of-nobody'] })
  world.reviveHost('host-2')
  for (let second = 0; second < 120; second++) {
    await cloud.advance(1_000)
    if (writers(cloud).length > 1) break
  }
  t.deepEqual(writers(cloud), ['web-1'])
  t.deepEqual(world.invariants(), [])
  await cloud.patch(VirtualMachine, 'web-2', 'shop', { sshKeyNames: [] })
  await cloud.untilReady()
  t.deepEqual(writers(cloud), ['web-1'])
  t.deepEqual(world.invariants(), [])
})
