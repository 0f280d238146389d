import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { operation } from '../../../drivers/contract/operation.ts'
import { openDurableStore } from '../../../drivers/simulator/durable-store.ts'
import type { SimulatorOptions } from '../../../drivers/simulator/simulator.ts'
import { noTiming } from '../../../drivers/simulator/timing.ts'
import { define, definition, patient, stop, type VirtualWorld, virtualWorld } from './virtual-world.ts'

const timing = { ...noTiming, Migration: 8_000, MigrationPause: 50 }

/** A machine of 1 GiB on the first host, whose migration to the second has begun. */
async function begun(
  options: Omit<SimulatorOptions, 'environment'> = {},
  bandwidthMbps?: number,
): Promise<VirtualWorld> {
  const w = virtualWorld({ timing, ...options })
  await w.second.inventory(patient())
  const size = definition({ memoryBytes: 2 ** 30 })
  await w.first.perform(define(w.hosts[0], 'm', { power: 'Running', definition: size }), patient())
  await w.first.perform(migrate(w, bandwidthMbps), { ...patient(), operationId: 'migration-1' })
  return w
}

function migrate(w: VirtualWorld, bandwidthMbps?: number) {
  const limit = bandwidthMbps === undefined ? {} : { bandwidthMbps }
  const args = { identity: 'm', epoch: 2, target: w.hosts[1].key, ...limit }
  return operation('MigrateMachine', { endpoint: w.hosts[0].key, identity: 'm' }, args)
}

/** Where the machine is, and how. */
function places(w: VirtualWorld): readonly string[] {
  return w.simulator.world.list().machines.map(({ host, facts }) => `${host} ${facts.powerState}`)
}

test('memory takes its time, the source is paused for a moment, then the target alone runs', async t => {
  await using w = await begun()
  t.deepEqual(places(w), ['host-1 Running', 'host-2 Incoming'])
  await w.clock.advance(5_000)
  const { jobs } = (await w.first.inventory(patient())) as { jobs: readonly { progressPercent: number }[] }
  t.true((jobs[0]?.progressPercent ?? 0) > 40 && (jobs[0]?.progressPercent ?? 0) < 90)
  const seen = new Set<string>()
  for (let step = 0; step < 600; step++) {
    await w.clock.advance(10)
    seen.add(places(w).join(', '))
  }
  t.deepEqual([...seen], ['host-1 Running, host-2 Incoming', 'host-1 Paused, host-2 Incoming', 'host-2 Running'])
  t.deepEqual(w.simulator.world.invariants(), [])
})

test('a bandwidth limit makes it as slow as that', async t => {
  await using w = await begun({}, 100)
  await w.clock.advance(80_000)
  t.deepEqual(places(w), ['host-1 Running', 'host-2 Incoming'])
  await w.clock.advance(10_000)
  t.deepEqual(places(w), ['host-2 Running'])
})

test('the source loses its power: the machine is off there, and the target has nothing', async t => {
  await using w = await begun()
  w.simulator.world.killHost('host-1')
  t.deepEqual(places(w), ['host-1 Off'])
  await w.clock.advance(20_000)
  t.deepEqual(places(w), ['host-1 Off'])
})

test('the target loses its power: the machine runs on at the source', async t => {
  await using w = await begun()
  w.simulator.world.killHost('host-2')
  t.deepEqual(places(w), ['host-1 Running'])
  t.is(w.facts('m')?.migratingTo, undefined)
  await w.clock.advance(20_000)
  t.deepEqual(places(w), ['host-1 Running'])
})

test('scripted faults let a migration fail halfway, fail at its very end, or hang until it is cancelled', async t => {
  for (const when of ['Before', 'After'] as const) {
    await using w = virtualWorld({ timing })
    w.simulator.world.faults.add({ verb: 'Migration', effect: 'Fail', when })
    await w.second.inventory(patient())
    await w.first.perform(define(w.hosts[0], 'm', { power: 'Running' }), patient())
    await w.first.perform(migrate(w), patient())
    await w.clock.advance(20_000)
    t.deepEqual(places(w), ['host-1 Running'], when)
  }
  await using w = virtualWorld({ timing })
  w.simulator.world.faults.add({ verb: 'Migration', effect: 'Hang', endpoint: 'host-1' })
  await w.second.inventory(patient())
  await w.first.perform(define(w.hosts[0], 'm', { power: 'Running' }), patient())
  await w.first.perform(migrate(w), patient())
  await w.clock.advance(1_000_000)
  t.deepEqual(places(w), ['host-1 Running', 'host-2 Incoming'])
  const cancel = operation('CancelMigration', { endpoint: w.hosts[0].key, identity: 'm' }, { identity: 'm', epoch: 3 })
  await w.first.perform(cancel, patient())
  t.deepEqual(places(w), ['host-1 Running'])
})

test('a guest that ends itself in the middle is off at the source, and the target has nothing', async t => {
  await using w = await begun()
  await w.first.perform(stop(w.hosts[0], 'm', 'Graceful'), patient()).catch(() => undefined)
  w.simulator.world.shutdownGuest('m')
  await w.clock.advance(20_000)
  t.deepEqual(places(w), ['host-1 Off'])
})

test('a migration that was under way when the world was left goes on when it is opened again', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'skystead-migration-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const path = join(directory, 'world.sqlite')
  {
    await using w = await begun({ store: openDurableStore(path) })
    await w.simulator.world.settled()
    t.deepEqual(places(w), ['host-1 Running', 'host-2 Incoming'])
  }
  await using again = virtualWorld({ timing, store: openDurableStore(path) })
  t.deepEqual(places(again), ['host-1 Running', 'host-2 Incoming'])
  const listing = await again.first.inventory(patient())
  t.like(listing, { jobs: [{ operationId: 'migration-1', targets: ['m'] }] })
  await again.clock.advance(20_000)
  t.deepEqual(places(again), ['host-2 Running'])
  t.deepEqual(again.simulator.world.invariants(), [])
})
