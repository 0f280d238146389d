import test from 'ava'
import { Allocation } from '../../../crds/infrastructure/allocation.ts'
import type { MachineFacts } from '../../../drivers/contract/facts.ts'
import { judgePlace } from '../../../reconcilers/compute/machine-place.ts'
import type { Verdict } from '../../../reconcilers/verdict.ts'
import { allocation, holder } from '../claim-builders.ts'
import { machineFacts } from '../fact-builders.ts'
import { host } from '../infrastructure-builders.ts'
import { answering, noSignOfLife, silent } from '../observed-tables.ts'
import { keyOf, uidOf } from '../resource-builder.ts'
import { passOf, type TestWorld } from '../world-builder.ts'
import { type Situation, wishOf, worldWith } from './place-situations.ts'
import { brief, guest, host1, host2, identity } from './power-situations.ts'

const host3 = keyOf('Host', 'host-3')
const { mark: _, ...foreign }: MachineFacts = machineFacts(guest, { powerState: 'Off' })

/** A machine without a claim, seen at several hosts. */
function copies(seen: Situation['seen'], parts: Situation = {}): TestWorld {
  const third = host({ name: 'host-3', address: '172.16.10.103' })
  const world = worldWith({
    claimed: false,
    ...parts,
    ...(seen === undefined ? {} : { seen }),
    objects: [third, ...(parts.objects ?? [])],
  })
  world.see({ endpoints: { [host3]: answering } })
  return world
}

function judge(world: TestWorld): Verdict {
  return judgePlace(wishOf({}), passOf(world))
}

/** Follows verdicts until the machine has a claim: what was said, where it is, and where something was left. */
function settle(world: TestWorld) {
  const said: string[] = []
  while (world.desired.get(Allocation, `machine-${identity}`) === undefined) {
    const verdict = judge(world)
    said.push(brief(verdict))
    if (verdict.is !== 'acting') break
    world.apply(verdict.effects)
  }
  const claims = world.all(Allocation)
  return {
    said,
    host: claims.find(({ spec }) => spec.type === 'Machine')?.spec.machine?.hostName,
    strays: claims.filter(({ spec }) => spec.type === 'Stray').map(({ spec }) => spec.realm),
  }
}

test('of copies without a claim the only one that is not off gets the place; the other is noted first, to be removed there', t => {
  for (const powerState of ['Running', 'Paused', 'Crashed', 'Unknown'] as const) {
    const world = copies([
      [host1, { powerState: 'Off', epoch: 9 }],
      [host2, { powerState, epoch: 2 }],
    ])
    t.deepEqual(
      settle(world),
      {
        said: ['acting NotingStray Create', 'acting Placing Create'],
        host: 'host-2',
        strays: [uidOf('Host', 'host-1')],
      },
      powerState,
    )
    t.is(world.desired.get(Allocation, `machine-${identity}`)?.spec.epoch, 10)
  }
})

test('of copies that are all off the one of the latest epoch gets the place', t => {
  const world = copies([
    [host1, { powerState: 'Off', epoch: 4 }],
    [host2, { powerState: 'Off', epoch: 3 }],
    [host3, { powerState: 'Off', epoch: 1 }],
  ])
  const { said, host: place, strays } = settle(world)
  t.deepEqual(said, ['acting NotingStray Create Create', 'acting Placing Create'])
  t.is(place, 'host-1')
  t.deepEqual(new Set(strays), new Set([uidOf('Host', 'host-2'), uidOf('Host', 'host-3')]))
})

test('what is noted already is not noted again', t => {
  const noted = allocation({ type: 'Stray', realm: uidOf('Host', 'host-1'), value: identity, holder: holder(guest) })
  const seen: Situation['seen'] = [
    [host1, { powerState: 'Off' }],
    [host2, {}],
  ]
  t.deepEqual(settle(copies(seen, { objects: [noted] })).said, ['acting Placing Create'])
})

const refused: readonly (readonly [string, Situation])[] = [
  [
    'two that run',
    {
      seen: [
        [host1, {}],
        [host2, { powerState: 'Paused' }],
      ],
    },
  ],
  [
    'two that are off, of one epoch',
    {
      seen: [
        [host1, { powerState: 'Off' }],
        [host2, { powerState: 'Off' }],
      ],
    },
  ],
  ['one that does not bear our mark', { seen: [[host2, {}]], machines: [{ endpoint: host1, facts: foreign }] }],
]

for (const [title, parts] of refused) {
  test(`which copy is the machine cannot be told of ${title}: nothing is noted, nothing placed`, t => {
    const world = copies(parts.seen, parts)
    const verdict = judge(world)
    t.is(brief(verdict), 'blocked SeenTwice')
    t.regex(verdict.message, /on host "host-[12]" and \w+ on host "host-[12]": remove all but one of them there/)
    t.deepEqual(world.all(Allocation), [])
  })
}

const beforeSilence = {
  seen: [[host2, {}]],
  machines: [{ endpoint: host1, facts: machineFacts(guest, { powerState: 'Off' }), current: false }],
} as const

test('what was seen before its host fell silent is waited for, until that is proven off: then it is left behind', t => {
  const world = copies(beforeSilence.seen, beforeSilence)
  world.see({ endpoints: { [host1]: silent('2026-11-02T11:00:00Z') } })
  t.is(brief(judge(world)), 'unknown HostSilent')
  t.deepEqual(world.all(Allocation), [])
  world.put(host({ lifecycle: 'Lost', powerControl: undefined }))
  world.see({ lives: { [host1]: noSignOfLife } })
  t.is(brief(judge(world)), 'acting NotingStray Create')
})

test('of a migration that goes on the source gets the place, and the target is claimed with it', t => {
  const world = copies([
    [host1, { powerState: 'Running', migratingTo: host2, epoch: 4 }],
    [host2, { powerState: 'Incoming', epoch: 4 }],
    [host3, { powerState: 'Off' }],
  ])
  const { said, strays } = settle(world)
  t.deepEqual(said, ['acting NotingStray Create', 'acting Placing Create'])
  t.deepEqual(strays, [uidOf('Host', 'host-3')])
  t.like(world.desired.get(Allocation, `machine-${identity}`)?.spec, {
    epoch: 5,
    machine: { hostName: 'host-1', targetHostName: 'host-2', targetHostIdentity: uidOf('Host', 'host-2') },
  })
})

test('what is on its way is waited for while its two ends are not both known', t => {
  for (const seen of [
    [[host2, { powerState: 'Incoming' }]],
    [[host2, { powerState: 'Running', migratingTo: host3 }]],
  ] as const) {
    t.is(brief(judge(copies([[host1, { powerState: 'Off' }], ...seen]))), 'waiting Migrating')
  }
  const unsent = copies([
    [host1, { powerState: 'Running' }],
    [host2, { powerState: 'Incoming' }],
  ])
  t.is(brief(judge(unsent)), 'waiting Migrating')
})
