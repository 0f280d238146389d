import test from 'ava'
import { operation } from '../../../drivers/contract/operation.ts'
import { hostEndpoint, poolEndpoint, powerEndpoint } from './fixture.ts'
import { create, define, definition, mark, patient, stop, virtualWorld, watch } from './virtual-world.ts'

test('a machine without our mark is known by what its host tells: not by the networks and addresses it was given', async t => {
  await using w = virtualWorld()
  const [host] = w.hosts
  const segment = { network: 'net', isolation: 'VLAN' as const, id: 100, label: 'guest0' }
  const nic = { name: 'a', macAddress: '02:00:00:00:00:01', segment, addresses: ['10.0.0.5'] }
  const made = definition({ nics: [nic] })
  await w.first.perform(define(host, 'm', { definition: made, power: 'Running' }), patient())
  await w.first.perform(
    operation('ReleaseMachine', { endpoint: host.key, identity: 'm' }, { identity: 'm', epoch: 1 }),
    patient(),
  )
  t.like(w.facts('m'), {
    powerState: 'Running',
    definition: { nics: [{ ...nic, segment: { ...segment, network: '' }, addresses: [] }] },
  })
  await w.first.perform(define(host, 'n', { definition: made, power: 'Running' }), patient())
  t.deepEqual(
    w.simulator.world.invariants().map(({ rule }) => rule),
    ['MACTwice'],
  )
})

test('a guest that shuts itself down, is asked to, or crashes, ends with the cause', async t => {
  await using w = virtualWorld({ timing: { GuestShutdown: 1000, DefineMachine: 0, StopMachine: 0 } })
  const { world } = w.simulator
  const [host] = w.hosts
  const calls = ['own', 'asked', 'deaf', 'crash', 'hung'].map(identity =>
    w.first.perform(define(host, identity, { power: 'Running' }), patient()),
  )
  await w.clock.advance(0)
  await Promise.all(calls)
  world.ignoreACPI('deaf')
  world.shutdownGuest('own')
  world.crashGuest('crash')
  world.crashGuest('hung', 'Crashed')
  const answer = await w.first.perform(stop(host, 'asked', 'Graceful'), patient())
  await w.first.perform(stop(host, 'deaf', 'Graceful'), patient())
  t.is(answer?.powerState, 'Running')
  t.like(w.facts('own'), { powerState: 'Running' })
  await w.clock.advance(1300)
  t.like(w.facts('own'), { powerState: 'Off', stopCause: 'Guest' })
  t.like(w.facts('asked'), { powerState: 'Off', stopCause: 'Request' })
  t.like(w.facts('crash'), { powerState: 'Off', stopCause: 'Crash' })
  t.is(w.facts('hung')?.powerState, 'Crashed')
  t.is(w.facts('deaf')?.powerState, 'Running')
  const last = w.events.filter(event => event.event === 'Machine' && event.facts.identity === 'own').at(-1)
  t.deepEqual(last, { event: 'Machine', facts: w.facts('own') ?? t.fail('is gone') })
  await w.first.perform(stop(host, 'deaf', 'Forced'), patient())
  t.like(w.facts('deaf'), { powerState: 'Off', stopCause: 'Forced' })
})

test('a guest that is started again while it goes down is not taken down later', async t => {
  await using w = virtualWorld({ timing: { GuestShutdown: 1000, DefineMachine: 0, StopMachine: 0 } })
  const [host] = w.hosts
  await w.first.perform(define(host, 'm', { power: 'Running' }), patient())
  await w.first.perform(stop(host, 'm', 'Graceful'), patient())
  await w.first.perform(stop(host, 'm', 'Forced'), patient())
  await w.first.perform(define(host, 'm', { power: 'Running' }), patient())
  await w.clock.advance(10_000)
  t.is(w.facts('m')?.powerState, 'Running')
})

test('what is changed behind its back is seen by the next listing and told', async t => {
  await using w = virtualWorld()
  const { world } = w.simulator
  const [host] = w.hosts
  await w.storage.perform(create(w.pool, 'v'), patient())
  for (const identity of ['a', 'b', 'c']) {
    const named = { ...mark, name: identity }
    await w.first.perform(define(host, identity, { mark: named, power: 'Running' }), patient())
  }
  world.destroyMachine('shop/a')
  world.removeMachine('b')
  world.changeDefinition({ identity: 'c', host: host.key }, { cores: 3 })
  world.removeVolume('v')
  const foreign = world.addForeignMachine('host-1')
  const inventory = await w.first.inventory(patient())
  t.like(inventory, {
    machines: [
      { identity: 'a', powerState: 'Off', stopCause: 'Forced' },
      { identity: 'c', definition: { cores: 3 } },
      { identity: foreign, powerState: 'Running', mark: undefined },
    ],
  })
  t.deepEqual(world.list().volumes, [])
  await w.clock.advance(0)
  t.true(w.events.some(event => event.event === 'MachineGone' && event.identity === 'b'))
  world.startMachine('a')
  t.is(w.facts('a')?.powerState, 'Running')
  t.throws(() => world.destroyMachine('b'), { instanceOf: RangeError, message: /machine b/ })
})

test('a running machine takes disks and NICs at once and the rest at its next start', async t => {
  await using w = virtualWorld()
  const { world } = w.simulator
  const [host] = w.hosts
  await w.first.perform(define(host, 'm', { power: 'Running' }), patient())
  const segment = { network: 'web', isolation: 'VXLAN', id: 5000, label: 'guest0' } as const
  const nics = [{ name: 'web', macAddress: '02:00:00:00:00:01', segment, addresses: ['10.1.1.2'] }]
  const wish = definition({ cores: 4, memoryBytes: 2 ** 30, nics })
  t.deepEqual((await w.first.perform(define(host, 'm', { definition: wish }), patient())).definition, wish)
  t.like(world.list().machines[0]?.active, { cores: 1, memoryBytes: 512 * 2 ** 20, nics })
  await w.first.perform(stop(host, 'm', 'Forced'), patient())
  t.is(world.list().machines[0]?.active, undefined)
  await w.first.perform(define(host, 'm', { definition: wish, power: 'Running' }), patient())
  t.deepEqual(world.list().machines[0]?.active, wish)
})

test('a machine that runs on two hosts is a violation, one that is only defined there is none', async t => {
  await using w = virtualWorld()
  const { world } = w.simulator
  await w.first.perform(define(w.hosts[0], 'm', { power: 'Running' }), patient())
  await w.second.perform(define(w.hosts[1], 'm'), patient())
  t.deepEqual(world.invariants(), [])
  await w.second.perform(define(w.hosts[1], 'm', { power: 'Running' }), patient())
  t.deepEqual(world.invariants(), [{ rule: 'RunsTwice', message: 'machine m on host-2 runs also on host-1' }])
  await w.second.perform(stop(w.hosts[1], 'm', 'Forced'), patient())
  t.is(world.invariants().length, 1, 'a breach is not forgotten when it is over')
})

test('two running machines with one volume, MAC address or address are violations', async t => {
  await using w = virtualWorld()
  const { world } = w.simulator
  const [host] = w.hosts
  await w.storage.perform(create(w.pool, 'v'), patient())
  const disks = [{ identity: 'v', pool: w.pool.key, name: 'root' }]
  const nic = (network: string, macAddress: string) => {
    const segment = { network, isolation: 'VXLAN' as const, id: network === 'web' ? 5000 : 5001, label: 'guest0' }
    return { name: 'web', macAddress, segment, addresses: ['10.1.1.2'] }
  }
  const run = (identity: string, change: Parameters<typeof definition>[0]) =>
    w.first.perform(define(host, identity, { definition: definition(change), power: 'Running' }), patient())
  await run('a', { disks, nics: [nic('web', '02:00:00:00:00:01')] })
  await run('b', { nics: [nic('back', '02:00:00:00:00:01')] })
  t.deepEqual(world.invariants(), [], 'the same addresses in another segment are fine')
  await run('c', { disks })
  await run('d', { nics: [nic('web', '02:00:00:00:00:01')] })
  t.deepEqual(
    world.invariants().map(violation => violation.rule),
    ['VolumeWrittenTwice', 'MACTwice', 'AddressTwice'],
  )
  await w.first.perform(stop(host, 'a', 'Forced'), patient())
  await w.first.perform(stop(host, 'c', 'Forced'), patient())
  await run('a', { disks })
  t.is(world.invariants().length, 3, 'what was given up may be taken')
})

test('a volume that is attached on a host without power may be deleted, one that is written to may not', async t => {
  await using w = virtualWorld()
  const { world } = w.simulator
  const [host] = w.hosts
  await w.storage.perform(create(w.pool, 'v'), patient())
  const disks = [{ identity: 'v', pool: w.pool.key, name: 'root' }]
  await w.first.perform(define(host, 'm', { definition: definition({ disks }), power: 'Running' }), patient())
  const remove = operation('DeleteVolume', { endpoint: w.pool.key, identity: 'v' }, { identity: 'v', epoch: 1 })
  world.freezeHost('host-1')
  await t.throwsAsync(w.storage.perform(remove, patient()), { code: 'FailedPrecondition' })
  world.killHost('host-1')
  await w.storage.perform(remove, patient())
  t.deepEqual(world.list().volumes, [])
})

test('the world tells which machines are defined with a volume', async t => {
  await using w = virtualWorld()
  const [host] = w.hosts
  const attached = () => w.simulator.world.list().volumes[0]?.machines
  await w.storage.perform(create(w.pool, 'v'), patient())
  const wish = definition({ disks: [{ identity: 'v', pool: w.pool.key, name: 'root' }] })
  t.deepEqual(attached(), [])
  await w.first.perform(define(host, 'a', { definition: wish }), patient())
  await w.second.perform(define(w.hosts[1], 'b', { definition: wish }), patient())
  t.deepEqual(attached(), ['a', 'b'])
  await w.first.perform(define(host, 'a'), patient())
  t.deepEqual(attached(), ['b'])
  w.simulator.world.removeMachine('b')
  t.deepEqual(attached(), [])
})

test('a pool promises ten times its size and then is full', async t => {
  await using w = virtualWorld()
  const endpoint = poolEndpoint('small', 2 ** 30)
  const pool = w.simulator.driver.connect(endpoint)
  await pool.perform(create(endpoint, 'a', { sizeBytes: 9 * 2 ** 30 }), patient())
  await t.throwsAsync(pool.perform(create(endpoint, 'b', { sizeBytes: 2 ** 30 + 1 }), patient()), {
    code: 'ResourceExhausted',
  })
  await pool.perform(create(endpoint, 'b', { sizeBytes: 2 ** 30 }), patient())
  t.like(await pool.inventory(patient()), { totalBytes: 2 ** 30, usedBytes: 2 ** 30, volumes: { length: 2 } })
})

test('a host takes machines up to 16 times its memory', async t => {
  await using w = virtualWorld()
  const [host] = w.hosts
  const large = definition({ memoryBytes: 16 * 64 * 2 ** 30 })
  await w.first.perform(define(host, 'a', { definition: large, power: 'Running' }), patient())
  await t.throwsAsync(w.first.perform(define(host, 'b', { power: 'Running' }), patient()), {
    code: 'ResourceExhausted',
  })
  await w.first.perform(stop(host, 'a', 'Forced'), patient())
  t.is((await w.first.perform(define(host, 'b', { power: 'Running' }), patient())).powerState, 'Running')
})

test('a host and a pool are known again when the resources that declare them are made anew', async t => {
  await using w = virtualWorld()
  await w.first.perform(define(w.hosts[0], 'm', { power: 'Running' }), patient())
  await w.storage.perform(create(w.pool, 'v'), patient())
  await w.first[Symbol.asyncDispose]()
  const again = w.simulator.driver.connect({ ...hostEndpoint('host-1'), key: 'Host/another-uid' })
  const pool = w.simulator.driver.connect({ ...poolEndpoint('primary-1'), key: 'PrimaryStorage/another-uid' })
  t.like(await again.inventory(patient()), { machines: [{ identity: 'm', powerState: 'Running' }] })
  t.like(await pool.inventory(patient()), { volumes: [{ identity: 'v' }] })
  t.is(w.simulator.world.list().hosts.length, 2)
})

test('a host of no size and the power controller of an unknown host are told as errors of the calls', async t => {
  await using w = virtualWorld()
  const { driver } = w.simulator
  const endpoint = hostEndpoint('host-9')
  const sizeless = driver.connect({ ...endpoint, configuration: { type: 'Host', address: 'host-9.test' } })
  const power = driver.connect(powerEndpoint(endpoint))
  await t.throwsAsync(sizeless.inventory(patient()), { code: 'InvalidArgument', message: /size/ })
  await t.throwsAsync(power.inventory(patient()), { code: 'Unavailable' })
  driver.connect(endpoint)
  t.is((await sizeless.inventory(patient())).type, 'Host')
  t.is((await power.inventory(patient())).type, 'PowerController')
})

test('long work is listed as a job while it is under way', async t => {
  await using w = virtualWorld({ timing: { CreateVolume: 1000, Inventory: 0 } })
  const image = { url: 'sim://images/tiny-linux', format: 'QCOW2' }
  const call = watch(
    w.storage.perform(create(w.pool, 'v', { image }), { ...patient(), operationId: 'v/CreateVolume/1' }),
  )
  await w.clock.advance(100)
  const job = { operationId: 'v/CreateVolume/1', targets: ['v'], progressPercent: 0 }
  t.like(await w.storage.inventory(patient()), { jobs: [job], volumes: { length: 0 } })
  await w.clock.advance(2000)
  t.is(call.outcome, 'Done')
  t.like(await w.storage.inventory(patient()), { jobs: { length: 0 }, volumes: { length: 1 } })
})

test('the journal and the counters tell operations that changed something from those that did not', async t => {
  await using w = virtualWorld()
  const { world } = w.simulator
  await w.first.perform(define(w.hosts[0], 'm', { power: 'Running' }), patient())
  const since = world.journal.sequence
  await w.first.inventory(patient())
  t.deepEqual(world.journal.since(since), [])
  await w.first.perform(define(w.hosts[0], 'm', { power: 'Running' }), patient())
  world.crashGuest('m')
  t.deepEqual(
    world.journal.since(since).map(({ source, action, identity, changed }) => ({ source, action, identity, changed })),
    [
      { source: 'Operation', action: 'DefineMachine', identity: 'm', changed: false },
      { source: 'Outside', action: 'crashGuest', identity: 'm', changed: true },
    ],
  )
  t.like(world.counters(), { operations: 2, changingOperations: 1, calls: { DefineMachine: 2, Inventory: 1 } })
})

test('a journal that no longer reaches back so far says so instead of leaving things out', async t => {
  await using w = virtualWorld()
  const { world } = w.simulator
  for (let call = 0; call < 40_001; call++) await w.first.perform(stop(w.hosts[0], 'missing', 'Forced'), patient())
  t.is(world.journal.sequence, 40_001)
  t.throws(() => world.journal.since(0), { instanceOf: RangeError })
  t.is(world.journal.since(40_000).length, 1)
})
