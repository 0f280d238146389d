import test from 'ava'
import type { Replica } from '../../controllers/sharding/replica.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Cloud, quickstart, withoutTrash } from './cloud.ts'
import { cutNetwork } from './cut-network.ts'
import { startsOf } from './machine-starts.ts'
import { machine } from './manifests.ts'
import { secondZone } from './second-zone.ts'

function shardsOf(replicas: readonly Replica[]): readonly string[] {
  return replicas.flatMap(replica => replica.shards()).toSorted()
}

const everyShard = ['skystead-outside-zones', 'skystead-zone-zone-a', 'skystead-zone-zone-b']

test('two replicas share two zones; everything of both becomes Ready, and nothing is done twice', async t => {
  await using cloud = await Cloud.withoutControllers({ isNewInstallation: true })
  const replicas = [await cloud.startReplica('one'), await cloud.startReplica('two')]
  await cloud.apply(withoutTrash, quickstart, secondZone)
  await cloud.untilReady()
  await cloud.until(async () => shardsOf(replicas).join() === everyShard.join(), 60_000)
  t.deepEqual(replicas.map(replica => replica.shards().length).toSorted(), [1, 2])
  const starts = startsOf(cloud.simulator)
  t.true(starts.length >= 6, 'four machines and two routers at least')
  t.deepEqual(starts, [...new Set(starts)])
})

test('a replica that is cut off loses its zones to the other one within the lease, and nothing runs twice', async t => {
  await using cloud = await Cloud.withoutControllers({ isNewInstallation: true })
  const network = cutNetwork()
  const one = await cloud.startReplica('one', network.through)
  const two = await cloud.startReplica('two')
  await cloud.apply(withoutTrash, quickstart, secondZone)
  await cloud.untilReady()
  await cloud.advance(60_000)
  const before = startsOf(cloud.simulator)
  network.isCut = true
  await cloud.apply(machine('web-9'))
  await cloud.apply(machine('web-9').replace('zone-a', 'zone-b').replace('shop', 'shop-b'))
  await cloud.until(async () => two.shards().length === 3, 20_000)
  t.deepEqual(one.shards(), [])
  await cloud.untilReady()
  const starts = startsOf(cloud.simulator)
  t.is(starts.length, before.length + 2)
  t.deepEqual(starts, [...new Set(starts)])
  network.isCut = false
  await cloud.advance(60_000)
  t.deepEqual(shardsOf([one, two]), everyShard, 'it takes part again')
  t.deepEqual(startsOf(cloud.simulator), starts)
})

test('a host that dies in a zone that has just changed hands is fenced, and its machines start elsewhere once', async t => {
  await using cloud = await Cloud.withoutControllers({ isNewInstallation: true })
  const replicas = [await cloud.startReplica('one'), await cloud.startReplica('two')]
  await cloud.apply(withoutTrash, quickstart, secondZone)
  await cloud.untilReady()
  await cloud.advance(60_000)
  const holder = replicas.find(replica => replica.shards().includes('skystead-zone-zone-b'))
  if (holder === undefined) return t.fail('nobody has zone-b')
  const [web] = (await cloud.list(VirtualMachine)).filter(({ metadata }) => metadata.namespace === 'shop-b')
  const hostName = web?.status?.hostName ?? ''
  await cloud.stopReplica(holder)
  cloud.simulator.world.killHost(hostName)
  await cloud.until(async () => {
    const machines = (await cloud.list(VirtualMachine)).filter(({ metadata }) => metadata.namespace === 'shop-b')
    return machines.every(({ status }) => status?.hostName !== hostName && status?.powerState === 'Running')
  }, 600_000)
  const running = cloud.simulator.world.list().machines.filter(({ facts }) => facts.powerState === 'Running')
  const identities = running.map(({ identity }) => identity)
  t.deepEqual(identities.toSorted(), [...new Set(identities)].toSorted())
})
