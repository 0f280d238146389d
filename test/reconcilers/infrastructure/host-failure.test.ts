import test from 'ava'
import { Allocation, type FenceClaim } from '../../../crds/infrastructure/allocation.ts'
import { Host } from '../../../crds/infrastructure/host.ts'
import { fenceClaim } from '../../../reconcilers/claims.ts'
import { hostReconciler } from '../../../reconcilers/infrastructure/host.ts'
import type { Verdict } from '../../../reconcilers/verdict.ts'
import type { Life, PowerState } from '../../../reconcilers/world.ts'
import { machineClaim } from '../claim-builders.ts'
import { cluster, host, pod, pool, settings, zone } from '../infrastructure-builders.ts'
import { judge } from '../judge.ts'
import { answering, noSignOfLife, notCalledYet, silent } from '../observed-tables.ts'
import { keyOf, uidOf } from '../resource-builder.ts'
import { machine } from '../tenant-builders.ts'
import { type TestWorld, worldOf } from '../world-builder.ts'

const key = keyOf('Host', 'host-1')
const power = keyOf('PowerController', 'host-1')
const identity = uidOf('Host', 'host-1')
const longAgo = silent('2026-11-02T11:00:00Z')
const on: PowerState = { power: 'On', confirmed: false }
const off: PowerState = { power: 'Off', confirmed: true }
const offOnce: PowerState = { power: 'Off', confirmed: false }
const alive: Life = { ...noSignOfLife, signs: 'Seen' }
const automatic = { fencing: 'Automatic' } as const

/** A silent host that is powered on and of which nobody sees a sign of life. */
function lost(spec: Parameters<typeof host>[0] = {}): TestWorld {
  return worldOf({
    objects: [zone(), pod(), cluster(), pool(), host(spec)],
    endpoints: { [key]: longAgo, [power]: answering },
    lives: { [key]: noSignOfLife },
    powers: { [power]: on },
  })
}

function verdict(world: TestWorld): Verdict {
  const self = world.desired.get(Host, 'host-1')
  if (self === undefined) throw new Error('there is no host-1')
  return judge(hostReconciler, 'LossContained', self, world)
}

/** Judges and lets the API have what follows, until nothing more is written. Answers with the last verdict and its operations. */
function settle(world: TestWorld) {
  for (let pass = 0; pass < 10; pass++) {
    const before = versions(world)
    const judged = verdict(world)
    const operations = judged.is === 'acting' ? world.apply(judged.effects) : []
    if (versions(world) === before) {
      return { judged, operations: operations.map(({ verb, arguments: args }) => ({ verb, args })) }
    }
  }
  throw new Error('it does not settle')
}

function versions(world: TestWorld): string {
  return world
    .all(Allocation)
    .map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`)
    .join()
}

function fence(world: TestWorld): FenceClaim | undefined {
  return fenceClaim(identity, world)?.spec.fence
}

const switchOff = [{ verb: 'SetPower', args: { power: 'Off' } }]

test('a host that answers is Connected, one that was not called yet is Unknown', t => {
  const world = lost()
  world.see({ endpoints: { [key]: answering } })
  t.like(verdict(world), { is: 'satisfied', reason: 'Connected' })
  world.see({ endpoints: { [key]: notCalledYet } })
  t.like(verdict(world), { is: 'unknown', reason: 'NotCalledYet' })
})

test('a host that was declared lost and answers is Stalled', t => {
  const world = lost({ lifecycle: 'Lost' })
  world.see({ endpoints: { [key]: answering } })
  t.like(verdict(world), { is: 'blocked', reason: 'LostYetAnswers' })
})

test('OPS-116 a silent host without a sign of life is switched off once that is written down, then again until it is off', t => {
  const world = lost({ hostFailure: automatic })
  const first = verdict(world)
  t.like(first, { is: 'acting', reason: 'Fencing' })
  t.deepEqual(first.is === 'acting' && first.effects.map(({ effect }) => effect), ['Create'])
  t.deepEqual(settle(world).operations, switchOff)
  t.like(fence(world), { hostName: 'host-1', zoneName: 'zone-a', power: 'Off', powerOns: 0 })
  world.see({ powers: { [power]: offOnce } })
  t.like(verdict(world), { is: 'waiting', reason: 'NotFenced' })
  t.truthy(fence(world), 'that it is switched off is not forgotten while the power is read again')
  world.see({ powers: { [power]: off } })
  t.like(settle(world).judged, { is: 'satisfied', reason: 'Fenced' })
  t.is(fenceClaim(identity, world)?.spec.notes?.fencedAt, world.now())
})

test('a silent host whose power hangs between On and Off is switched off as well', t => {
  const world = lost({ hostFailure: automatic })
  world.see({ powers: { [power]: { power: 'Unknown', confirmed: false } as const } })
  t.like(verdict(world), { is: 'acting', reason: 'Fencing' })
  t.deepEqual(settle(world).operations, switchOff)
})

test('HST-103 fencing is as the host says, else its cluster, its zone, the Settings', t => {
  const reason = (...[ofHost, ofCluster, ofZone, ofSettings]: readonly ('Automatic' | 'Manual' | undefined)[]) => {
    const failure = (fencing: 'Automatic' | 'Manual' | undefined) =>
      fencing === undefined ? {} : { hostFailure: { fencing } }
    const world = lost(failure(ofHost))
    world.put(zone(failure(ofZone)), cluster(failure(ofCluster)))
    const defaults = { fencing: ofSettings ?? 'Manual', powerOnAttempts: 0, silentShareLimit: '0.25', fencesAtOnce: 10 }
    world.put(settings({ hostFailure: defaults }))
    return verdict(world).reason
  }
  t.is(reason(), 'NotFenced')
  t.is(reason('Automatic'), 'Fencing')
  t.is(reason(undefined, 'Automatic'), 'Fencing')
  t.is(reason(undefined, undefined, 'Automatic'), 'Fencing')
  t.is(reason(undefined, undefined, undefined, 'Automatic'), 'Fencing')
  t.is(reason('Manual', 'Automatic'), 'NotFenced')
  t.is(reason(undefined, 'Manual', 'Automatic', 'Automatic'), 'NotFenced')
})

test('a host that is only observed is never switched off', t => {
  const world = lost({ hostFailure: automatic, management: { mode: 'Observe', deletionPolicy: 'Delete' } })
  t.like(verdict(world), { is: 'waiting', reason: 'NotFenced' })
})

test('OPS-114 a host without a power controller, or with one that does not answer, is not fenced: the operator has the choice', t => {
  const alone = lost({ hostFailure: automatic, powerControl: undefined })
  t.like(verdict(alone), { is: 'waiting', reason: 'NotFenced' })
  t.regex(verdict(alone).message, /set its spec.lifecycle to Lost/)
  const dead = lost({ hostFailure: automatic })
  dead.see({ endpoints: { [power]: longAgo } })
  t.like(verdict(dead), { is: 'waiting', reason: 'NotFenced' })
  t.regex(verdict(dead).message, /neither does its power controller/)
})

test('silence is only suspicion until the delay is over and others were asked', t => {
  const fresh = lost({ hostFailure: automatic })
  fresh.see({ endpoints: { [key]: silent('2026-11-02T11:59:40Z') } })
  t.like(verdict(fresh), { is: 'waiting', reason: 'Suspected' })
  fresh.advance(10_000)
  t.like(verdict(fresh), { is: 'acting', reason: 'Fencing' })
  const unasked = worldOf({
    objects: [zone(), pod(), cluster(), host({ hostFailure: automatic })],
    endpoints: { [key]: longAgo, [power]: answering },
    powers: { [power]: on },
  })
  t.like(verdict(unasked), { is: 'waiting', reason: 'Suspected' })
})

test('a host that lives and cannot be reached is left alone, for as long as the operator says', t => {
  const world = lost({ hostFailure: automatic })
  world.see({ lives: { [key]: alive } })
  t.like(verdict(world), { is: 'waiting', reason: 'Unreachable' })
  world.put(host({ hostFailure: { ...automatic, unreachableLimit: '61m' } }))
  t.like(verdict(world), { is: 'waiting', reason: 'Unreachable' })
  world.advance(60_000)
  t.like(verdict(world), { is: 'acting', reason: 'Fencing' })
})

test('OPS-121 a decision is dropped when the host gives a sign of life before it was carried out', t => {
  const world = lost({ hostFailure: automatic })
  settle(world)
  world.see({ lives: { [key]: alive } })
  t.deepEqual(settle(world).judged.reason, 'Unreachable')
  t.is(fence(world), undefined)
})

function zoneOfSilent(count: number, all: number, share = '0.25', fencesAtOnce = 10) {
  const world = lost({ hostFailure: automatic })
  const others = Array.from({ length: all - 1 }, (_, index) => `other-${index}`)
  world.put(
    ...others.map((name, index) => host({ name, address: `172.16.20.${index}`, hostFailure: automatic })),
    settings({ hostFailure: { fencing: 'Manual', powerOnAttempts: 0, silentShareLimit: share, fencesAtOnce } }),
  )
  for (const [index, name] of others.entries()) {
    const keys = [keyOf('Host', name), keyOf('PowerController', name)] as const
    world.see({
      endpoints: { [keys[0]]: index < count - 1 ? longAgo : answering, [keys[1]]: answering },
      lives: { [keys[0]]: noSignOfLife },
      powers: { [keys[1]]: on },
    })
  }
  return world
}

test('OPS-120 none is switched off while more than a share of the zone is silent at once; the operator can raise it', t => {
  t.is(verdict(zoneOfSilent(1, 2)).reason, 'Fencing', 'one always may be')
  t.is(verdict(zoneOfSilent(2, 8)).reason, 'Fencing')
  t.is(verdict(zoneOfSilent(3, 8)).reason, 'FencingHeld')
  t.is(verdict(zoneOfSilent(8, 8)).reason, 'FencingHeld')
  t.is(verdict(zoneOfSilent(8, 8, '1')).reason, 'Fencing')
})

test('when many hosts come back one after the other, the last of them is given time too', t => {
  const world = zoneOfSilent(2, 2, '0')
  world.put(host({ name: 'other-0', address: '172.16.20.0' }))
  t.is(settle(world).judged.reason, 'FencingHeld')
  world.see({ endpoints: { [keyOf('Host', 'other-0')]: answering } })
  t.like(settle(world), { judged: { reason: 'Suspected' }, operations: [] })
  world.advance(59_000)
  t.like(settle(world), { judged: { reason: 'Suspected' }, operations: [] })
  world.advance(1_000)
  t.deepEqual(settle(world).operations, switchOff)
})

test('so many hosts of a zone are switched off at once, the others wait in line', t => {
  const world = zoneOfSilent(4, 4, '1', 2)
  const judgeAll = () =>
    world.all(Host).map(self => {
      const judged = judge(hostReconciler, 'LossContained', self, world)
      if (judged.is === 'acting') world.apply(judged.effects)
      return judged.reason
    })
  t.deepEqual(judgeAll(), ['Fencing', 'Fencing', 'FencingQueued', 'FencingQueued'])
  t.true(world.queues.has('fencing/zone-a'))
  world.see({ powers: { [power]: off } })
  t.deepEqual(judgeAll(), ['Fenced', 'Fencing', 'Fencing', 'FencingQueued'])
})

test('a power controller that does not obey: others are let pass, and it is tried again later', t => {
  const world = lost({ hostFailure: automatic })
  settle(world)
  world.advance(300_000)
  t.like(settle(world).judged, { is: 'waiting', reason: 'FencingFailed' })
  t.is(fence(world)?.power, undefined)
  world.advance(300_000)
  t.deepEqual(settle(world).operations, switchOff)
})

test('a power controller that falls silent while its host is switched off: others of the zone are let pass', t => {
  const world = zoneOfSilent(2, 2, '1', 1)
  const judgeAll = () => {
    for (let pass = 0; pass < 3; pass++) {
      for (const self of world.all(Host)) {
        const judged = judge(hostReconciler, 'LossContained', self, world)
        if (judged.is === 'acting') world.apply(judged.effects)
      }
    }
    return world.all(Host).map(self => judge(hostReconciler, 'LossContained', self, world).reason)
  }
  t.deepEqual(judgeAll(), ['Fencing', 'FencingQueued'])
  world.see({ endpoints: { [power]: longAgo } })
  t.deepEqual(judgeAll(), ['NotFenced', 'FencingQueued'])
  world.advance(300_000)
  t.deepEqual(judgeAll(), ['NotFenced', 'Fencing'])
  world.see({ endpoints: { [power]: answering } })
  world.see({ powers: { [keyOf('PowerController', 'other-0')]: off } })
  world.advance(300_000)
  t.deepEqual(judgeAll(), ['Fencing', 'Fenced'])
})

test('a host in maintenance without machines is neither switched off nor on: somebody may be working at it', t => {
  const world = lost({ hostFailure: automatic, lifecycle: 'Maintenance' })
  t.like(settle(world), { judged: { reason: 'NotFenced' }, operations: [] })
  t.is(fence(world), undefined)
  const powered = { fencing: 'Automatic', powerOnAttempts: 2 } as const
  for (const lifecycle of ['Active', 'Maintenance'] as const) {
    const dark = lost({ hostFailure: powered })
    dark.put(cluster({ lifecycle }))
    dark.see({ powers: { [power]: off } })
    settle(dark)
    dark.advance(60_000)
    const switchOn = [{ verb: 'SetPower', args: { power: 'On' } }]
    t.deepEqual(settle(dark).operations, lifecycle === 'Active' ? switchOn : [])
  }
})

test('a host in maintenance that still has a machine is switched off like any other: the machine starts elsewhere', t => {
  const world = lost({ hostFailure: automatic, lifecycle: 'Maintenance' })
  world.put(machineClaim(machine(), 'host-1'))
  t.deepEqual(settle(world).operations, switchOff)
})

test('OPS-115 a fenced host is powered on again as often as the operator says, then it stays off', t => {
  const world = lost({ hostFailure: { ...automatic, powerOnAttempts: 1 } })
  settle(world)
  world.see({ powers: { [power]: off } })
  t.like(settle(world).judged, { is: 'satisfied', reason: 'Fenced' })
  world.advance(60_000)
  t.deepEqual(settle(world).operations, [{ verb: 'SetPower', args: { power: 'On' } }])
  t.like(fence(world), { power: 'On', powerOns: 1 })
  world.see({ powers: { [power]: on } })
  t.like(verdict(world), { is: 'waiting', reason: 'PoweringOn' })
  world.advance(600_000)
  t.deepEqual(settle(world).operations, switchOff, 'it did not come back: it is fenced again')
  world.see({ powers: { [power]: off } })
  world.advance(600_000)
  t.like(settle(world), { judged: { is: 'satisfied', reason: 'Fenced' }, operations: [] })
})

test('a host that answers again takes its fence back', t => {
  const world = lost({ hostFailure: automatic })
  settle(world)
  world.see({ endpoints: { [key]: answering }, powers: { [power]: on } })
  t.like(settle(world).judged, { is: 'satisfied', reason: 'Connected' })
  t.is(fence(world), undefined)
})

test('while an order to its power controller is in doubt a host keeps its fence, for five minutes: it may still be switched off', t => {
  for (const back of [{ endpoints: { [key]: answering } }, { lives: { [key]: alive } }]) {
    const world = lost({ hostFailure: automatic })
    settle(world)
    world.see({ ...back, inDoubt: { [identity]: [power] } })
    t.is(settle(world).judged.is, 'waiting')
    t.is(fence(world)?.power, 'Off')
    world.advance(301_000)
    settle(world)
    t.is(fence(world), undefined)
  }
})
