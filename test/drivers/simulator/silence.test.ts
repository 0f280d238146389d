import test from 'ava'
import { operation } from '../../../drivers/contract/operation.ts'
import { powerEndpoint } from './fixture.ts'
import { create, define, definition, patient, stop, virtualWorld, watch } from './virtual-world.ts'

test('API-089 a host that lost its power refuses, its machines are off, and its power reads Off', async t => {
  await using w = virtualWorld({ timing: { HostBoot: 1000 } })
  const { world } = w.simulator
  const [host] = w.hosts
  const power = w.simulator.driver.connect(powerEndpoint(host))
  const run = w.first.perform(define(host, 'm', { power: 'Running' }), patient())
  await w.clock.advance(1000)
  await run
  world.killHost('host-1')
  await w.clock.advance(0)
  t.deepEqual(w.events.at(-1), { event: 'Disconnected', message: 'host host-1 lost its power' })
  t.like(w.facts('m'), { powerState: 'Off', stopCause: 'Unknown' })
  const listing = watch(w.first.inventory(patient()))
  const reading = watch(power.inventory(patient()))
  await w.clock.advance(1000)
  t.like(listing.outcome, { error: { code: 'Unavailable' } })
  t.deepEqual(reading.value, { type: 'PowerController', power: 'Off' })
  world.reviveHost('host-1')
  const early = watch(w.first.inventory(patient()))
  await w.clock.advance(700)
  t.like(early.outcome, { error: { code: 'Unavailable' } })
  t.is(world.list().hosts[0]?.state, 'Booting')
  await w.clock.advance(1000)
  const late = watch(w.first.inventory(patient()))
  await w.clock.advance(100)
  t.like(late.value, { type: 'Host', machines: [{ identity: 'm', powerState: 'Off' }] })
})

test('a call under way when its host loses power is in doubt, and never takes effect later', async t => {
  await using w = virtualWorld({ timing: { DefineMachine: 1000, HostBoot: 1 } })
  const call = watch(w.first.perform(define(w.hosts[0], 'm'), patient()))
  await w.clock.advance(100)
  w.simulator.world.killHost('host-1')
  await w.clock.advance(0)
  t.like(call.outcome, { error: { code: 'Unavailable', inDoubt: true } })
  w.simulator.world.reviveHost('host-1')
  await w.clock.advance(10_000)
  t.is(w.facts('m'), undefined)
})

test('a frozen host answers nothing, its connections are told so once, and its machines run on with its power On', async t => {
  await using w = virtualWorld()
  const { world } = w.simulator
  const [host] = w.hosts
  await w.first.perform(define(host, 'm', { power: 'Running' }), patient())
  await w.clock.advance(0)
  const told = w.events.length
  world.freezeHost('host-1')
  const lost = watch(w.first.perform(stop(host, 'm', 'Forced'), patient()))
  world.crashGuest('m')
  await w.clock.advance(3_600_000)
  t.is(lost.outcome, 'Pending')
  t.deepEqual(w.events.slice(told), [{ event: 'Disconnected', message: 'host host-1 gives no sign of life' }])
  const power = w.simulator.driver.connect(powerEndpoint(host))
  t.deepEqual(await power.inventory(patient()), { type: 'PowerController', power: 'On' })
  world.reviveHost('host-1')
  await w.clock.advance(0)
  t.is(lost.outcome, 'Pending')
  t.deepEqual(w.events.at(-1), { event: 'Disconnected', message: 'events were lost while it did not answer' })
  t.like(await w.first.inventory(patient()), { machines: [{ powerState: 'Off', stopCause: 'Crash' }] })
})

test('a frozen host may carry out later what reached it meanwhile, given up or not', async t => {
  await using w = virtualWorld()
  const { world } = w.simulator
  world.freezeHost('host-1', 'Queued')
  const abort = new AbortController()
  const call = watch(w.first.perform(define(w.hosts[0], 'm'), { signal: abort.signal }))
  await w.clock.advance(1000)
  abort.abort()
  await w.clock.advance(0)
  t.like(call.outcome, { error: { code: 'Timeout', inDoubt: true } })
  t.is(w.facts('m'), undefined)
  world.reviveHost('host-1')
  await w.clock.advance(0)
  t.is(w.facts('m')?.powerState, 'Off')
})

test('a storage that stalls hangs its calls, and carries them out or loses them when it goes on', async t => {
  await using w = virtualWorld()
  const { world } = w.simulator
  const told: string[] = []
  w.storage.subscribe?.(event => told.push(event.event))
  world.freezeStorage(w.pool.name)
  const queued = watch(w.storage.perform(create(w.pool, 'disk'), patient()))
  await w.clock.advance(3_600_000)
  t.is(queued.outcome, 'Pending')
  t.true(told.includes('Disconnected'))
  world.reviveStorage(w.pool.name)
  await w.clock.advance(0)
  t.is(queued.outcome, 'Done')
  world.freezeStorage(w.pool.name, 'Lost')
  const lost = watch(w.storage.perform(create(w.pool, 'other'), patient()))
  await w.clock.advance(0)
  world.reviveStorage(w.pool.name)
  await w.clock.advance(0)
  t.is(lost.outcome, 'Pending')
  t.deepEqual(
    world.list().volumes.map(({ identity }) => identity),
    ['disk'],
  )
  world.killStorage(w.pool.name)
  t.throws(() => world.freezeStorage(w.pool.name), { message: /current state is Down/ })
})

test('a host that cannot reach a pool starts and takes in nothing with a disk there, and what runs runs on', async t => {
  await using w = virtualWorld()
  const { world } = w.simulator
  const [host, other] = w.hosts
  await w.storage.perform(create(w.pool, 'disk'), patient())
  const disks = [{ identity: 'disk', pool: w.pool.key, name: 'root' }]
  await w.first.perform(define(host, 'm', { definition: definition({ disks }), power: 'Running' }), patient())
  world.cutOffStorage('host-1', w.pool.name)
  world.cutOffStorage('host-2', w.pool.name)
  t.is(w.facts('m')?.powerState, 'Running')
  const migration = operation(
    'MigrateMachine',
    { endpoint: host.key, identity: 'm' },
    { identity: 'm', epoch: 1, target: other.key },
  )
  await t.throwsAsync(w.first.perform(migration, patient()), { message: /host host-2 cannot reach/ })
  await w.first.perform(stop(host, 'm', 'Forced'), patient())
  const start = operation('StartMachine', { endpoint: host.key, identity: 'm' }, { identity: 'm', epoch: 1 })
  await t.throwsAsync(w.first.perform(start, patient()), { message: /host host-1 cannot reach/ })
  await w.clock.advance(60_000)
  const query = { host: host.key, address: 'host-1.test' }
  t.is((await w.storage.signOfLife?.(query, patient()))?.age, 60_000)
  world.reconnectStorages('host-1')
  t.true(((await w.storage.signOfLife?.(query, patient()))?.age ?? 60_000) < 10_000)
  await w.first.perform(start, patient())
  t.is(w.facts('m')?.powerState, 'Running')
})

test('a power controller switches a frozen host off and on, and may die by itself', async t => {
  await using w = virtualWorld()
  const { world } = w.simulator
  const [host] = w.hosts
  const endpoint = powerEndpoint(host)
  const power = w.simulator.driver.connect(endpoint)
  const set = (wish: 'On' | 'Off') =>
    power.perform(operation('SetPower', { endpoint: endpoint.key, identity: 'host' }, { power: wish }), patient())
  await w.first.perform(define(host, 'm', { power: 'Running' }), patient())
  world.freezeHost('host-1')
  world.killPowerController('host-1')
  await t.throwsAsync(set('Off'), { code: 'Unavailable' })
  t.is(w.facts('m')?.powerState, 'Running')
  world.revivePowerController('host-1')
  await set('Off')
  t.like(w.facts('m'), { powerState: 'Off', stopCause: 'Unknown' })
  await set('On')
  await w.clock.advance(0)
  t.is((await w.first.inventory(patient())).type, 'Host')
  t.is(w.facts('m')?.powerState, 'Off')
})
