import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { DriverError, type DriverErrorCode } from '../../../drivers/contract/errors.ts'
import { create, define, patient, stop, virtualWorld, watch } from './virtual-world.ts'

async function errorOf(call: Promise<unknown>): Promise<{ readonly code: DriverErrorCode; readonly inDoubt: boolean }> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof DriverError)) throw new TypeError(`no DriverError but ${String(error)}`)
  return { code: error.code, inDoubt: error.inDoubt }
}

test('API-089 a call that fails before its effect leaves the world as it was', async t => {
  await using w = virtualWorld()
  w.simulator.world.faults.add({ verb: 'DefineMachine', effect: 'Fail', code: 'ResourceExhausted' })
  t.deepEqual(await errorOf(w.first.perform(define(w.hosts[0], 'm'), patient())), {
    code: 'ResourceExhausted',
    inDoubt: false,
  })
  t.is(w.facts('m'), undefined)
  t.is((await w.first.perform(define(w.hosts[0], 'm'), patient())).identity, 'm')
})

test('API-089 a call that fails after its effect has changed the world and is in doubt', async t => {
  await using w = virtualWorld()
  w.simulator.world.faults.add({ when: 'After', effect: 'Fail', code: 'Internal' })
  t.deepEqual(await errorOf(w.first.perform(define(w.hosts[0], 'm'), patient())), { code: 'Internal', inDoubt: true })
  t.is(w.facts('m')?.powerState, 'Off')
})

test('API-089 a lost answer leaves the effect, a lost request does not, and the caller cannot tell', async t => {
  await using w = virtualWorld()
  const { faults } = w.simulator.world
  faults.add({ identity: 'lost-request', effect: 'LoseReply' })
  faults.add({ identity: 'lost-answer', when: 'After', effect: 'LoseReply' })
  const doubt = { code: 'Unavailable', inDoubt: true } as const
  t.deepEqual(await errorOf(w.first.perform(define(w.hosts[0], 'lost-request'), patient())), doubt)
  t.deepEqual(await errorOf(w.first.perform(define(w.hosts[0], 'lost-answer'), patient())), doubt)
  t.is(w.facts('lost-request'), undefined)
  t.is(w.facts('lost-answer')?.powerState, 'Off')
})

test('API-089 a slow agent takes as much longer as the fault says', async t => {
  await using w = virtualWorld()
  w.simulator.world.faults.add({ endpoint: 'host-1', effect: 'Delay', milliseconds: 5000 })
  const call = watch(w.first.perform(define(w.hosts[0], 'm'), patient()))
  await w.clock.advance(4999)
  t.is(call.outcome, 'Pending')
  t.is(w.facts('m'), undefined)
  await w.clock.advance(1)
  t.is(call.outcome, 'Done')
})

test('a call that hangs ends with its signal, in doubt, and its effect stays if it had one', async t => {
  await using w = virtualWorld()
  w.simulator.world.faults.add({ when: 'After', effect: 'Hang' })
  const abort = new AbortController()
  const call = watch(w.first.perform(define(w.hosts[0], 'm'), { signal: abort.signal }))
  await w.clock.advance(3_600_000)
  t.is(call.outcome, 'Pending')
  abort.abort()
  await turn()
  t.like(call.outcome, { error: { code: 'Timeout', inDoubt: true } })
  t.is(w.facts('m')?.powerState, 'Off')
})

test('API-089 a request that is delivered twice at once has one effect', async t => {
  await using w = virtualWorld()
  w.simulator.world.faults.add({ verb: 'CreateVolume', effect: 'Duplicate' })
  await w.storage.perform(create(w.pool, 'v'), patient())
  t.is(w.simulator.world.list().volumes.length, 1)
  const entries = w.simulator.world.journal.since(0).filter(entry => entry.action === 'CreateVolume')
  t.deepEqual(
    entries.map(({ outcome, changed }) => ({ outcome, changed })),
    [
      { outcome: 'Done', changed: true },
      { outcome: 'Done', changed: false },
    ],
  )
})

test('API-089 a duplicate that comes late acts on the world as it is by then', async t => {
  await using w = virtualWorld()
  const [host] = w.hosts
  w.simulator.world.faults.add({ verb: 'DefineMachine', effect: 'Duplicate', milliseconds: 1000 })
  await w.first.perform(define(host, 'm', { power: 'Running' }), patient())
  await w.first.perform(stop(host, 'm', 'Forced'), patient())
  t.is(w.facts('m')?.powerState, 'Off')
  await w.clock.advance(1000)
  t.is(w.facts('m')?.powerState, 'Running')
})

test('a late duplicate with an older epoch is refused', async t => {
  await using w = virtualWorld()
  const [host] = w.hosts
  w.simulator.world.faults.add({ verb: 'DefineMachine', effect: 'Duplicate', milliseconds: 1000 })
  await w.first.perform(define(host, 'm', { power: 'Running' }), patient())
  const later = { ...stop(host, 'm', 'Forced'), arguments: { identity: 'm', epoch: 2, mode: 'Forced' as const } }
  await w.first.perform(later, patient())
  await w.clock.advance(1000)
  t.is(w.facts('m')?.powerState, 'Off')
  t.like(w.simulator.world.journal.latest(1)[0], { action: 'DefineMachine', outcome: 'StaleEpoch', changed: false })
})

test('a wrong answer tells what was before, while the effect is real', async t => {
  await using w = virtualWorld()
  const [host] = w.hosts
  await w.first.perform(define(host, 'm'), patient())
  w.simulator.world.faults.add({ effect: 'WrongAnswer' })
  const answer = await w.first.perform(define(host, 'm', { power: 'Running' }), patient())
  t.is(answer.powerState, 'Off')
  t.is(w.facts('m')?.powerState, 'Running')
})

test('API-089 a listing that breaks off throws and is never partial', async t => {
  await using w = virtualWorld()
  await w.first.perform(define(w.hosts[0], 'm'), patient())
  const { faults } = w.simulator.world
  faults.add({ verb: 'Inventory', effect: 'WrongAnswer' })
  faults.add({ verb: 'Inventory', effect: 'Fail', code: 'Unauthenticated' })
  t.is((await errorOf(w.first.inventory(patient()))).code, 'Internal')
  t.is((await errorOf(w.first.inventory(patient()))).code, 'Unauthenticated')
  const inventory = await w.first.inventory(patient())
  t.is(inventory.type === 'Host' ? inventory.machines.length : undefined, 1)
})

test('events are dropped, doubled and delayed as scripted', async t => {
  await using w = virtualWorld()
  const { faults } = w.simulator.world
  const told = (identity: string) =>
    w.events.filter(event => event.event === 'Machine' && event.facts.identity === identity).length
  faults.add({ verb: 'Event', identity: 'dropped', effect: 'Drop' })
  faults.add({ verb: 'Event', identity: 'doubled', effect: 'Duplicate' })
  faults.add({ verb: 'Event', identity: 'delayed', effect: 'Delay', milliseconds: 100 })
  for (const identity of ['dropped', 'doubled', 'delayed']) {
    await w.first.perform(define(w.hosts[0], identity), patient())
  }
  await w.clock.advance(0)
  t.deepEqual([told('dropped'), told('doubled'), told('delayed')], [0, 2, 0])
  await w.clock.advance(100)
  t.is(told('delayed'), 1)
})

test('a fault meets only what it names, lets pass what it skips, and ends after its times', async t => {
  await using w = virtualWorld()
  const { faults } = w.simulator.world
  const fault = faults.add({ verb: 'DefineMachine', endpoint: w.hosts[1].key, skip: 1, times: 2, effect: 'Fail' })
  const outcomes: string[] = []
  for (let call = 0; call < 4; call++) {
    await w.first.perform(define(w.hosts[0], 'm'), patient())
    const refused = await w.second.perform(define(w.hosts[1], 'n'), patient()).catch(() => undefined)
    outcomes.push(refused === undefined ? 'Failed' : 'Done')
  }
  t.deepEqual(outcomes, ['Done', 'Failed', 'Failed', 'Done'])
  t.is(fault.met, 2)
  t.deepEqual(faults.list(), [])
})

test('a fault that could never happen is refused when it is scripted', async t => {
  await using w = virtualWorld()
  const { faults } = w.simulator.world
  t.throws(() => faults.add({ verb: 'StopMachine', effect: 'Drop' }), { instanceOf: RangeError })
  t.throws(() => faults.add({ effect: 'Drop' }), { instanceOf: RangeError })
  t.throws(() => faults.add({ verb: 'Event', effect: 'Fail' }), { instanceOf: RangeError, message: /Duplicate/ })
  t.deepEqual(faults.list(), [])
})

test('a fault that was taken back meets nothing', async t => {
  await using w = virtualWorld()
  const { faults } = w.simulator.world
  const fault = faults.add({ effect: 'Fail', times: Number.POSITIVE_INFINITY })
  t.is((await errorOf(w.first.inventory(patient()))).code, 'Internal')
  fault.remove()
  t.is((await w.first.inventory(patient())).type, 'Host')
  faults.add({ effect: 'Fail' })
  faults.clear()
  t.is((await w.first.inventory(patient())).type, 'Host')
  t.is(fault.met, 1)
})

test('faults of some probability meet about that part of the calls, the same ones for the same seed', async t => {
  const run = async (seed: number) => {
    await using w = virtualWorld({ seed })
    w.simulator.world.faults.add({ effect: 'Fail', probability: 0.3, times: Number.POSITIVE_INFINITY })
    const outcomes: boolean[] = []
    for (let call = 0; call < 1000; call++) {
      outcomes.push(
        await w.first.inventory(patient()).then(
          () => true,
          () => false,
        ),
      )
    }
    return outcomes
  }
  const outcomes = await run(3)
  const failed = outcomes.filter(done => !done).length
  t.true(failed > 250 && failed < 350, `${failed} of 1000`)
  t.deepEqual(await run(3), outcomes)
  t.notDeepEqual(await run(4), outcomes)
})
