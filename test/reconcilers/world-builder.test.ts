import test from 'ava'
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { create, remove, update } from '../../reconcilers/effect.ts'
import { defineDerived, defineIndex, defineTotals } from '../../reconcilers/world.ts'
import { allocation, holder, machineClaim } from './claim-builders.ts'
import { machineFacts } from './fact-builders.ts'
import { host } from './infrastructure-builders.ts'
import { answering } from './observed-tables.ts'
import { keyOf, uidOf } from './resource-builder.ts'
import { machine } from './tenant-builders.ts'
import { worldOf } from './world-builder.ts'

const hostsByCluster = defineIndex(Host, 'test/hostsByCluster', ({ spec }) => [spec.clusterName])
const claimed = defineTotals(Allocation, 'test/claimed', ({ spec }) =>
  spec.machine === undefined ? [] : [{ key: spec.machine.hostName, amounts: { machines: 1 } }],
)
const machinesInCluster = defineDerived('test/machinesInCluster', (cluster, world) =>
  world.desired
    .list(hostsByCluster, cluster)
    .reduce((sum, { metadata }) => sum + (world.desired.total(claimed, metadata.name).machines ?? 0), 0),
)

test('indexes, totals and derived values follow each change of the objects', t => {
  const younger = host({ name: 'host-0', metadata: { creationTimestamp: '2026-11-02T00:00:00Z' } })
  const world = worldOf({ objects: [younger, host(), machineClaim(machine(), 'host-0')] })
  const names = () => world.desired.list(hostsByCluster, 'cluster-1').map(({ metadata }) => metadata.name)
  t.deepEqual(names(), ['host-1', 'host-0'])
  t.is(world.derived(machinesInCluster, 'cluster-1'), 1)
  world.put(machineClaim(machine({ name: 'web-2' }), 'host-1'))
  t.is(world.derived(machinesInCluster, 'cluster-1'), 2)
  world.drop(younger)
  t.deepEqual(names(), ['host-1'])
  t.is(world.derived(machinesInCluster, 'cluster-1'), 1)
})

test('effects change the objects as the API would', t => {
  const world = worldOf({ objects: [host({ metadata: { finalizers: ['f'] } })] })
  const { metadata: _, ...claim } = machineClaim(machine(), 'host-1')
  world.apply([create({ ...claim, metadata: { name: 'machine-x' } })])
  const made = world.desired.get(Allocation, 'machine-x')
  if (made === undefined) return t.fail('the claim was not created')
  t.deepEqual(made.spec, claim.spec)
  world.apply([update(made, { ...made.spec, epoch: 2 })])
  t.is(world.desired.get(Allocation, 'machine-x')?.spec.epoch, 2)
  t.throws(() => world.apply([update(made, made.spec)]), { message: 'Cannot update: the object has changed' })
  world.apply([remove(made), remove(host())])
  t.false(world.desired.exists(Allocation, 'machine-x'))
  t.is(world.desired.get(Host, 'host-1')?.metadata.deletionTimestamp, '2026-11-02T12:00:00Z')
})

test('what is observed is found by identity, by mark and as absent', t => {
  const key = keyOf('Host', 'host-1')
  const facts = machineFacts(machine())
  const world = worldOf({ endpoints: { [key]: answering }, machines: [{ endpoint: key, facts }] })
  t.deepEqual(world.observed.machines(facts.identity), [{ endpoint: key, facts, current: true }])
  t.deepEqual(world.observed.named('VirtualMachine', 'shop', 'web-1'), [facts.identity])
  t.false(world.observed.provenAbsent(facts.identity, key))
  t.true(world.observed.provenAbsent('another', key))
  t.false(world.observed.provenAbsent('another', keyOf('Host', 'host-2')))
})

test('an Identity allocation gives its holder another identity', t => {
  const held = host()
  const world = worldOf({ objects: [held] })
  t.is(world.identity(held), uidOf('Host', 'host-1'))
  world.put(allocation({ type: 'Identity', value: 'e5a1', holder: holder(held) }))
  t.is(world.identity(held), 'e5a1')
})

test('time passes only when the test says so', t => {
  const world = worldOf({ now: '2026-11-02T12:00:00Z' })
  t.false(world.elapsed('2026-11-02T11:59:40Z', 30_000))
  world.advance(10_000)
  t.true(world.elapsed('2026-11-02T11:59:40Z', 30_000))
  t.is(world.now(), '2026-11-02T12:00:10Z')
})
