import test from 'ava'
import type { RunStrategy } from '../../../crds/compute/virtual-machine.ts'
import { Allocation } from '../../../crds/infrastructure/allocation.ts'
import { judgeRemoval } from '../../../reconcilers/compute/machine-power.ts'
import { waiting } from '../../../reconcilers/verdict.ts'
import { notCalledYet, silent } from '../observed-tables.ts'
import {
  brief,
  guest,
  host1,
  host2,
  identity,
  judgeIn,
  now,
  powerIn,
  type Situation,
  situation,
} from './power-situations.ts'

const offTwice = { power: 'Off', confirmed: true } as const
const longSilent = silent('2026-11-02T11:00:00Z')
const byGuest = { powerState: 'Off', stopCause: 'Guest' } as const
const byCrash = { powerState: 'Off', stopCause: 'Crash' } as const
const foreign = { mark: { installation: 'another', kind: 'VirtualMachine', namespace: 'shop', name: 'web-1' } } as const
const lost = { hostState: longSilent, power: offTwice } as const

/** The table of api.md, Machines: what is done, for each strategy. */
const table: readonly (readonly [string, Situation, Readonly<Record<RunStrategy, string>>])[] = [
  [
    'its guest shuts itself down',
    { here: byGuest, notes: { startedGeneration: 1 } },
    {
      Always: 'acting Starting DefineMachine Running',
      OnFailure: 'acting EndedByGuest Update',
      Once: 'satisfied Ended',
      Halted: 'acting Halted Update',
    },
  ],
  [
    'its guest crashes',
    { here: byCrash, notes: { startedGeneration: 1 } },
    {
      Always: 'acting Starting DefineMachine Running',
      OnFailure: 'acting Starting DefineMachine Running',
      Once: 'satisfied Ended',
      Halted: 'acting Halted Update',
    },
  ],
  [
    'its host is lost and the machine may not be started elsewhere',
    { ...lost, notes: { startedGeneration: 1, hostLostAt: now } },
    {
      Always: 'waiting HostLost',
      OnFailure: 'waiting HostLost',
      Once: 'satisfied HostLost',
      Halted: 'satisfied HostLost',
    },
  ],
  [
    'its host is silent and not proven off',
    { hostState: longSilent, notes: { startedGeneration: 1 } },
    {
      Always: 'unknown HostSilent',
      OnFailure: 'unknown HostSilent',
      Once: 'unknown HostSilent',
      Halted: 'unknown HostSilent',
    },
  ],
  [
    'it runs',
    { here: {}, notes: { startedGeneration: 1 } },
    {
      Always: 'satisfied Running',
      OnFailure: 'satisfied Running',
      Once: 'satisfied Running',
      Halted: 'acting Stopping Update',
    },
  ],
  [
    'it is nowhere and never was',
    {},
    {
      Always: 'acting Starting DefineMachine Running',
      OnFailure: 'acting Starting DefineMachine Running',
      Once: 'acting Starting Update',
      Halted: 'satisfied Halted',
    },
  ],
]

for (const [what, parts, verdicts] of table) {
  for (const [runStrategy, expected] of Object.entries(verdicts)) {
    test(`VM-003 VM-004 VM-056 when ${what}, a machine of strategy ${runStrategy}: ${expected}`, t => {
      t.is(brief(powerIn({ ...parts, runStrategy: runStrategy as RunStrategy })), expected)
    })
  }
}

const cases: readonly (readonly [string, Situation, string])[] = [
  ['a machine without a host in its claim is not scheduled', { wish: { claim: noHost() } }, 'waiting NotScheduled'],
  ['nothing is judged before its host has been read', { hostState: notCalledYet }, 'unknown HostNotListed'],
  [
    'VM-053 a machine that runs elsewhere alone is not started: its place follows it',
    { elsewhere: {} },
    'waiting FollowingMachine',
  ],
  [
    'so it is where its host has it defined and off',
    { here: { powerState: 'Off' }, elsewhere: {} },
    'waiting FollowingMachine',
  ],
  ['VM-053 a machine that runs twice is left alone', { here: {}, elsewhere: {} }, 'blocked SeenTwice'],
  [
    'VM-053 a machine that runs elsewhere while its host is silent may run there as well',
    { elsewhere: {}, hostState: longSilent },
    'unknown RunsElsewhere',
  ],
  ['its place follows it where its host is proven off', { elsewhere: {}, ...lost }, 'waiting NotingStray'],
  ['nobody follows what is not ours', { elsewhere: foreign }, 'unknown RunsElsewhere'],
  ['nobody follows while an operation is in doubt', { elsewhere: {}, inDoubt: [host1] }, 'waiting RunsElsewhere'],
  [
    'nobody follows what its host does not know yet',
    { elsewhere: {}, hostState: notCalledYet },
    'unknown RunsElsewhere',
  ],
  [
    'VM-053 a machine that is incoming elsewhere is not started',
    { elsewhere: { powerState: 'Incoming' } },
    'unknown RunsElsewhere',
  ],
  [
    'a definition left elsewhere is removed before a start',
    { elsewhere: { powerState: 'Off' } },
    'acting RemovingStray RemoveMachine',
  ],
  ['VM-053 when in doubt elsewhere nothing is started', { inDoubt: [host2] }, 'unknown InDoubt'],
  ['doubt at its own host is settled there', { inDoubt: [host1] }, 'acting Starting DefineMachine Running'],
  ['a machine whose power is unknown is left alone', { here: { powerState: 'Unknown' } }, 'unknown PowerUnknown'],
  ['a machine that arrives by migration is left alone', { here: { powerState: 'Incoming' } }, 'unknown PowerUnknown'],
  ['a paused machine goes on', { here: { powerState: 'Paused' } }, 'acting Starting DefineMachine Running'],
  [
    'a paused machine of strategy Once goes on: that is no second start',
    { runStrategy: 'Once', notes: { startedGeneration: 1 }, here: { powerState: 'Paused' } },
    'acting Starting DefineMachine Running',
  ],
  [
    'a crashed guest is taken off before its restart',
    { here: { powerState: 'Crashed' } },
    'acting Restarting StopMachine Forced',
  ],
  [
    'a crashed guest is not asked to shut down',
    { runStrategy: 'Halted', here: { powerState: 'Crashed' } },
    'acting Stopping StopMachine Forced',
  ],
  [
    'VM-031 a stop asks the guest first, after that is noted',
    { runStrategy: 'Halted', here: {}, epoch: 2, notes: { stopRequestedAt: now } },
    'acting ShuttingDown StopMachine Graceful',
  ],
  [
    'a guest that was asked is not asked again and again',
    { runStrategy: 'Halted', here: { epoch: 2 }, epoch: 2, notes: { stopRequestedAt: now } },
    'waiting ShuttingDown',
  ],
  [
    'VM-031 a guest that does not shut down in time is switched off',
    { runStrategy: 'Halted', here: { epoch: 2 }, epoch: 2, notes: { stopRequestedAt: '2026-11-02T11:58:00Z' } },
    'acting Stopping StopMachine Forced',
  ],
  [
    'a stop that is over is forgotten',
    { runStrategy: 'Halted', notes: { stopRequestedAt: now } },
    'acting Halted Update',
  ],
  ['a start after a stop forgets the stop', { here: {}, notes: { stopRequestedAt: now } }, 'acting Running Update'],
  [
    'OnFailure: that the guest ended itself is remembered',
    { runStrategy: 'OnFailure', here: byGuest, notes: { guestEndedAt: now } },
    'satisfied EndedByGuest',
  ],
  [
    'OnFailure: a guest that ended because we asked starts again',
    { runStrategy: 'OnFailure', here: byGuest, notes: { stopRequestedAt: now } },
    'acting Starting DefineMachine Running',
  ],
  [
    'OnFailure: a loss of power is a failure',
    { runStrategy: 'OnFailure', here: { powerState: 'Off', stopCause: 'Unknown' } },
    'acting Starting DefineMachine Running',
  ],
  [
    'OnFailure: one that ended itself runs again after it was Halted',
    { runStrategy: 'OnFailure', here: byGuest, notes: { stopRequestedAt: now } },
    'acting Starting DefineMachine Running',
  ],
  [
    'Once: another generation of the spec starts it once more, noted first',
    { runStrategy: 'Once', here: byGuest, notes: { startedGeneration: 1 }, wish: { generation: 2 } },
    'acting Starting Update',
  ],
  [
    'Once: a start that is noted and that the host has not seen is made',
    { runStrategy: 'Once', here: byGuest, epoch: 2, notes: { startedGeneration: 1 } },
    'acting Starting DefineMachine Running',
  ],
  [
    'Once: a start that the host has seen is not made again',
    { runStrategy: 'Once', here: { ...byCrash, epoch: 2 }, epoch: 2, notes: { startedGeneration: 1 } },
    'satisfied Ended',
  ],
  [
    'Once: a change of the spec while it runs owes no further start',
    { runStrategy: 'Once', here: {}, notes: { startedGeneration: 1 }, wish: { generation: 2 } },
    'acting Running Update',
  ],
  [
    'Once: the loss of its host is noted before anything rests on it',
    { ...lost, runStrategy: 'Once', notes: { startedGeneration: 1 } },
    'acting HostLost Update',
  ],
  [
    'Once: when its lost host is back, it stays off',
    { runStrategy: 'Once', here: { powerState: 'Off' }, epoch: 2, notes: { startedGeneration: 1, hostLostAt: now } },
    'satisfied HostLost',
  ],
  ['a start waits for what holds it back', { wish: { hold: waiting('Held', 'x'), keptUp: true } }, 'waiting Held'],
  [
    'Once: what holds it back comes before the note',
    { runStrategy: 'Once', wish: { hold: waiting('Held', 'x') } },
    'waiting Held',
  ],
  [
    'a machine that crashed is restarted as it was while a change waits',
    { here: byCrash, wish: { hold: waiting('Held', 'x'), keptUp: true } },
    'acting Restarting StartMachine',
  ],
  [
    'a machine that was stopped waits for its change',
    { here: { powerState: 'Off', stopCause: 'Request' }, wish: { hold: waiting('Held', 'x'), keptUp: true } },
    'waiting Held',
  ],
  [
    'a machine whose place is being changed is not restarted there',
    { here: byCrash, wish: { hold: waiting('Resizing', 'x'), keptUp: false } },
    'waiting Resizing',
  ],
]

for (const [title, parts, expected] of cases) {
  test(title, t => {
    t.is(brief(powerIn(parts)), expected)
  })
}

function noHost() {
  const claim = situation({}).desired.get(Allocation, `machine-${identity}`)
  if (claim === undefined) throw new Error('Cannot find the claim')
  const { machine: _, ...spec } = claim.spec
  return { ...claim, spec }
}

test('doubt at a host that is proven off holds nothing back', t => {
  const parts: Situation = { inDoubt: [host1] }
  const world = situation(parts)
  const claim = world.desired.get(Allocation, `machine-${identity}`)
  if (claim?.spec.machine === undefined) throw new Error('Cannot find the claim')
  const moved = { ...claim.spec.machine, hostName: 'host-2', hostIdentity: host2.slice('Host/'.length) }
  const wish = { claim: { ...claim, spec: { ...claim.spec, machine: moved } } }
  t.is(brief(judgeIn(world, { wish })), 'unknown InDoubt')
  world.see({ endpoints: { [host1]: longSilent }, powers: { [`PowerController/${host1.slice(5)}`]: offTwice } })
  t.is(brief(judgeIn(world, { wish })), 'acting Starting DefineMachine Running')
})

test('VM-031 a stop is noted under a new epoch, then asked, then waited for, then forced: default 120 s', t => {
  const parts: Situation = { runStrategy: 'Halted', here: {} }
  const world = situation(parts)
  const noting = judgeIn(world, parts)
  if (noting.is !== 'acting') throw new Error('Cannot go on')
  world.apply(noting.effects)
  const claim = world.desired.get(Allocation, `machine-${identity}`)
  t.is(claim?.spec.epoch, 2)
  t.is(claim?.spec.notes?.stopRequestedAt, now)
  t.is(brief(judgeIn(world, parts)), 'acting ShuttingDown StopMachine Graceful')
  world.advance(119_999)
  t.is(brief(judgeIn(world, parts)), 'acting ShuttingDown StopMachine Graceful')
  world.advance(1)
  t.is(brief(judgeIn(world, parts)), 'acting Stopping StopMachine Forced')
})

test('OnFailure: ended by its guest, Halted, OnFailure again: it starts', t => {
  const halted: Situation = { runStrategy: 'Halted', here: byGuest, notes: { guestEndedAt: now } }
  const world = situation(halted)
  const verdict = judgeIn(world, halted)
  if (verdict.is !== 'acting') throw new Error('Cannot go on')
  world.apply(verdict.effects)
  t.is(brief(judgeIn(world, halted)), 'satisfied Halted')
  t.is(brief(judgeIn(world, { ...halted, runStrategy: 'OnFailure' })), 'acting Starting DefineMachine Running')
})

test('Once: noted, started, ended: the epochs tell, and nothing is started twice', t => {
  const parts: Situation = { runStrategy: 'Once' }
  const world = situation(parts)
  const noting = judgeIn(world, parts)
  if (noting.is !== 'acting') throw new Error('Cannot go on')
  world.apply(noting.effects)
  const [start] = (() => {
    const verdict = judgeIn(world, parts)
    return verdict.is === 'acting' ? world.apply(verdict.effects) : []
  })()
  t.is(start?.verb, 'DefineMachine')
  t.like(start?.arguments, { epoch: 2, power: 'Running' })
  const seen = situation({ here: { ...byGuest, epoch: 2 } })
  world.see({ machines: [{ endpoint: host1, facts: facts(seen) }] })
  t.is(brief(judgeIn(world, parts)), 'satisfied Ended')
})

function facts(world: ReturnType<typeof situation>) {
  const [seen] = world.observed.machines(identity)
  if (seen === undefined) throw new Error('Cannot find the machine')
  return seen.facts
}

const removals: readonly (readonly [string, Situation, boolean, string])[] = [
  ['a machine that is nowhere is removed', {}, true, 'satisfied Removed'],
  [
    'VM-039 a machine that is off is taken from its host',
    { here: { powerState: 'Off' } },
    true,
    'acting Removing RemoveMachine',
  ],
  ['a machine that runs is stopped first', { here: {} }, true, 'acting Stopping Update'],
  ['without a claim it is stopped by force', { here: {} }, false, 'acting Stopping StopMachine Forced'],
  ['a stray elsewhere goes as well', { elsewhere: { powerState: 'Off' } }, true, 'acting Removing RemoveMachine'],
  [
    'a machine last seen on a silent host is waited for',
    { elsewhere: {}, elsewhereCurrent: false },
    true,
    'unknown HostSilent',
  ],
  ['a machine that may still appear is waited for', { inDoubt: [host2] }, true, 'unknown InDoubt'],
]

for (const [title, parts, claimed, expected] of removals) {
  test(`removal: ${title}`, t => {
    const world = situation(parts)
    const claim = claimed ? world.desired.get(Allocation, `machine-${guest.metadata.uid}`) : undefined
    t.is(brief(judgeRemoval(identity, claim, 120_000, world)), expected)
  })
}
