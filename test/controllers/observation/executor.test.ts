import test from 'ava'
import { operationId } from '../../../controllers/observation/operation-id.ts'
import { topics } from '../../../controllers/observation/topics.ts'
import { DriverError } from '../../../drivers/contract/errors.ts'
import { answeredByHand, bench, by, failing, listening } from './executor-bench.ts'
import { never } from './fake-driver.ts'
import {
  defineMachine,
  hostA,
  hostEndpoint,
  hostListing,
  machine,
  pool,
  powerA,
  removeMachine,
  resizeVolume,
  startMachine,
  volume,
} from './samples.ts'

test('an operation runs, and its answer is in the cache when its end is told', async t => {
  const { environment, cache, fake, executor, told } = await bench()
  const hand = answeredByHand()
  fake.at(hostA).perform = hand.perform
  t.is(executor.submit(startMachine('m'), by), 'Started')
  t.deepEqual(executor.operations('m'), [{ verb: 'StartMachine', endpoint: hostA, state: 'Running' }])
  t.false(executor.idle('m', hostA))
  told.length = 0
  await environment.advance(10)
  hand.given[0]?.answer(machine('m'))
  await environment.advance(0)
  t.is(cache.machines('m')[0]?.facts.powerState, 'Running')
  t.deepEqual(executor.operations('m'), [])
  t.true(executor.idle('m', hostA))
  t.deepEqual([...told].sort(), [
    topics.counts(hostA),
    topics.diskUsers('m-root'),
    topics.machine('m'),
    topics.named('VirtualMachine', 'default', 'm'),
    topics.operations('m'),
  ])
})

test('a removal answered with nothing removes the machine, and a stop of a missing one too', async t => {
  const { environment, cache, fake, executor } = await bench()
  fake.at(hostA).perform = async () => undefined
  for (const identity of ['m', 'n']) cache.takeEvent(hostA, { event: 'Machine', facts: machine(identity) })
  executor.submit(removeMachine('m'), by)
  executor.submit(
    { verb: 'StopMachine', endpoint: hostA, identity: 'n', arguments: { identity: 'n', epoch: 1, mode: 'Forced' } },
    by,
  )
  await environment.advance(0)
  t.deepEqual(cache.machines('m'), [])
  t.deepEqual(cache.machines('n'), [])
})

test('the same operation again is running, another on the same identity is held and told when it may try', async t => {
  const { environment, fake, executor, tellings } = await bench()
  const hand = answeredByHand()
  fake.at(hostA).perform = hand.perform
  executor.submit(startMachine('m'), by)
  t.is(executor.submit(startMachine('m'), by), 'Running')
  t.is(executor.submit(removeMachine('m'), by), 'Held')
  const before = tellings(topics.operations('m'))
  hand.given[0]?.answer(machine('m'))
  await environment.advance(0)
  t.true(tellings(topics.operations('m')) > before)
  t.is(executor.submit(removeMachine('m'), by), 'Started')
  await environment.advance(0)
  t.is(hand.given.length, 2)
})

test('companions are locked all at once, show what holds them, and whoever waits for one is told', async t => {
  const { environment, fake, executor, tellings } = await bench()
  const host = answeredByHand()
  const storage = answeredByHand()
  fake.at(hostA).perform = host.perform
  fake.at(pool).perform = storage.perform
  executor.submit(resizeVolume('m-root', 10), by)
  t.is(executor.submit(defineMachine('m'), by), 'Held')
  t.is(executor.submit(startMachine('m'), by), 'Started', 'a held operation locks nothing')
  host.given[0]?.answer(machine('m'))
  await environment.advance(0)
  const before = tellings(topics.operations('m'))
  storage.given[0]?.answer(volume('m-root', { sizeBytes: 10 }))
  await environment.advance(0)
  t.is(tellings(topics.operations('m')), before + 1)
  t.is(executor.submit(defineMachine('m'), by), 'Started')
  t.deepEqual(executor.operations('m-root'), [{ verb: 'DefineMachine', endpoint: hostA, state: 'Running' }])
  t.is(executor.submit(resizeVolume('m-root', 20), by), 'Held')
})

test('nothing is given to an endpoint before its first listing or while it is silent, and the refused are told', async t => {
  const { environment, fake, observer, executor, tellings } = await bench()
  const hostB = 'Host/b'
  let performed = 0
  fake.at(hostB).perform = async () => {
    performed += 1
    return machine('m')
  }
  fake.at(hostB).listingTakes = 1_000
  fake.at(hostB).inventory = hostListing([])
  observer.declare('Host/b', [hostEndpoint(hostB)])
  t.is(executor.submit(startMachine('m', hostB), by), 'Refused')
  await environment.advance(999)
  t.is(tellings(topics.operations('m')), 0)
  await environment.advance(1)
  t.is(tellings(topics.operations('m')), 1)
  t.is(performed, 0)
  t.is(executor.submit(startMachine('m', hostB), by), 'Started')
  await environment.advance(0)
  t.is(performed, 1)
  fake.at(hostB).inventory = new DriverError('Unavailable', 'no route')
  observer.listSoon(hostB)
  await environment.advance(3_000)
  t.is(executor.submit(removeMachine('m', hostB), by), 'Refused')
})

test('no more operations run at an endpoint at once than it may have', async t => {
  const { environment, fake, executor } = await bench({ concurrency: { PrimaryStorage: 3 } })
  const host = answeredByHand()
  const storage = answeredByHand()
  fake.at(hostA).perform = host.perform
  fake.at(pool).perform = storage.perform
  for (let index = 0; index < 20; index++) {
    t.is(executor.submit(startMachine(`m${index}`), by), 'Started')
    t.is(executor.submit(resizeVolume(`v${index}`, 10), by), 'Started')
  }
  await environment.advance(0)
  t.is(host.given.length, 8)
  t.is(storage.given.length, 3)
  host.given[0]?.answer(machine('m0'))
  await environment.advance(0)
  t.is(host.given.length, 9)
})

test('states stay the same reference while nothing in them changes', async t => {
  const { environment, fake, executor } = await bench()
  fake.at(hostA).perform = failing('Internal')
  t.is(executor.operations('m'), executor.operations('n'))
  executor.submit(startMachine('m'), by)
  await environment.advance(0)
  const states = executor.operations('m')
  t.is(executor.operations('m'), states)
  t.true(Object.isFrozen(states))
  t.true(Object.isFrozen(states[0]))
})

test('an answer that an event contradicted is checked by a listing', async t => {
  const { environment, cache, fake, executor } = await bench()
  const host = fake.at(hostA)
  host.perform = async () => {
    host.emit({ event: 'Machine', facts: machine('m', { powerState: 'Crashed' }) })
    host.inventory = hostListing([machine('m', { powerState: 'Crashed' })])
    return machine('m')
  }
  executor.submit(startMachine('m'), by)
  await environment.advance(0)
  t.is(cache.machines('m')[0]?.facts.powerState, 'Crashed')
})

test('after power was switched it is read', async t => {
  const { environment, cache, fake, executor } = await bench()
  fake.at(powerA).perform = async () => {
    fake.at(powerA).inventory = { type: 'PowerController', power: 'Off' }
    return undefined
  }
  executor.submit({ verb: 'SetPower', endpoint: powerA, identity: 'a', arguments: { power: 'Off' } }, by)
  await environment.advance(0)
  t.deepEqual(cache.power(powerA), { power: 'Off', confirmed: false })
})

test('without a lease nothing is given to drivers, neither new nor queued, and the refused are told', async t => {
  let leased = true
  const { heard, listeners } = listening()
  const { environment, fake, executor, tellings } = await bench({
    concurrency: { Host: 1 },
    mayDispatch: () => leased,
    listeners,
  })
  const hand = answeredByHand()
  fake.at(hostA).perform = hand.perform
  executor.submit(startMachine('m'), by)
  executor.submit(startMachine('n'), by)
  await environment.advance(0)
  leased = false
  hand.given[0]?.answer(machine('m'))
  await environment.advance(0)
  t.is(hand.given.length, 1)
  t.deepEqual(executor.operations('n'), [])
  t.is(executor.submit(startMachine('n'), by), 'Refused')
  const before = tellings(topics.operations('n'))
  leased = true
  await environment.advance(1_000)
  t.is(tellings(topics.operations('n')), before + 1)
  t.is(executor.submit(startMachine('n'), by), 'Started')
  t.deepEqual(
    heard.filter(each => each.startsWith('n ')),
    ['n accepted', 'n NotDispatched', 'n accepted', 'n began'],
  )
})

test('operations queued for an endpoint that falls silent are given up without a doubt', async t => {
  const { environment, cache, fake, observer, executor } = await bench({ concurrency: { Host: 1 } })
  fake.at(hostA).perform = (_operation, signal) => never(signal)
  executor.submit(startMachine('m'), by)
  executor.submit(startMachine('n'), by)
  fake.at(hostA).inventory = new DriverError('Unavailable', 'no route')
  observer.listSoon(hostA)
  await environment.advance(60_000)
  t.deepEqual(cache.inDoubt('m'), [hostA])
  t.deepEqual(cache.inDoubt('n'), [])
  t.deepEqual(executor.operations('n'), [])
})

test('stop waits for what runs, gives nothing more to drivers, and aborts what takes too long', async t => {
  const { heard, listeners } = listening()
  const { environment, fake, executor, observer } = await bench({ concurrency: { Host: 2 }, listeners })
  const hand = answeredByHand()
  fake.at(hostA).perform = (operation, signal) => (operation.identity === 'm' ? hand.perform(operation) : never(signal))
  for (const identity of ['m', 'slow', 'queued']) executor.submit(startMachine(identity), by)
  let stopped = false
  void executor.stop(5_000).then(() => {
    stopped = true
  })
  t.is(executor.submit(startMachine('late'), by), 'Refused')
  await environment.advance(1_000)
  hand.given[0]?.answer(machine('m'))
  await environment.advance(3_999)
  t.false(stopped)
  await environment.advance(1)
  t.true(stopped)
  const ends = heard.filter(each => !/accepted|began/.test(each))
  t.deepEqual(ends, ['m Succeeded', 'queued NotDispatched', 'slow Aborted'])
  await observer[Symbol.asyncDispose]()
  t.is(environment.timers(), 0)
})

test('a listener is told who wanted what, where and how it ended', async t => {
  const { told, listeners } = listening()
  const { environment, fake, executor } = await bench({ listeners })
  fake.at(hostA).perform = failing('Unsupported')
  executor.submit(startMachine('m'), by)
  await environment.advance(0)
  t.deepEqual(told, [
    {
      operation: operationId(startMachine('m')),
      verb: 'StartMachine',
      endpoint: hostA,
      endpointName: hostEndpoint(hostA).name,
      identity: 'm',
      requester: by,
    },
    { outcome: 'Unsupported', message: 'it is Unsupported' },
  ])
})

test('an operation id depends on arguments and endpoint, not on the order of keys and not on secrets', t => {
  const reordered = { ...startMachine('m'), arguments: { epoch: 1, identity: 'm' } }
  t.is(operationId(startMachine('m')), operationId(reordered))
  t.not(operationId(startMachine('m')), operationId(startMachine('m', 'Host/b')))
  t.not(operationId(resizeVolume('v', 10)), operationId(resizeVolume('v', 20)))
  t.is(operationId(defineMachine('m', 'password: one')), operationId(defineMachine('m', 'password: two')))
  t.regex(operationId(startMachine('m')), /^m\/StartMachine\/[0-9a-f]{16}$/)
})

test('no secret reaches the log, a listener, a state or an id', async t => {
  const { told, listeners } = listening()
  const { environment, fake, executor, lines } = await bench({ listeners })
  fake.at(hostA).perform = failing('Internal')
  executor.submit(defineMachine('m', 'sesame'), by)
  await environment.advance(2_000)
  fake.at(hostA).perform = async () => machine('m')
  executor.submit(defineMachine('m', 'sesame'), by)
  await environment.advance(0)
  t.is(told.length, 4)
  t.true(lines.some(line => line.startsWith('Operation failed')))
  t.true(lines.some(line => line.startsWith('Operation succeeded')))
  const everything = JSON.stringify([lines, told, executor.operations('m')])
  t.false(everything.includes('sesame'))
})

test('figures are handed on for every operation', async t => {
  const ended: unknown[] = []
  const { environment, fake, executor } = await bench({ metrics: { operationEnded: each => ended.push(each) } })
  fake.at(hostA).perform = failing('Unsupported')
  executor.submit(startMachine('m'), by)
  await environment.advance(0)
  t.deepEqual(ended, [
    { driver: 'Simulator', verb: 'StartMachine', type: 'Host', outcome: 'Unsupported', durationMs: 0 },
  ])
})
