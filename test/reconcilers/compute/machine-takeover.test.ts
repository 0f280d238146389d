import test from 'ava'
import { Allocation, type ClaimNotes } from '../../../crds/infrastructure/allocation.ts'
import type { MachineFacts } from '../../../drivers/contract/facts.ts'
import { judgePlace } from '../../../reconcilers/compute/machine-place.ts'
import { allocation, holder } from '../claim-builders.ts'
import { machineFacts } from '../fact-builders.ts'
import { notCalledYet } from '../observed-tables.ts'
import { keyOf } from '../resource-builder.ts'
import { passOf } from '../world-builder.ts'
import { afterNote, longSilent, offTwice, placeIn, type Situation, wishOf, worldWith } from './place-situations.ts'
import { brief, guest, host1, host2, identity } from './power-situations.ts'

const { mark: _, ...foreign }: MachineFacts = machineFacts(guest)
const waysOut = new RegExp(`delete this machine and Allocation "identity-${identity}", and name its volumes`)
const lost = { hostState: longSilent, power: offTwice } as const
const takenOver = { takenOverAt: '2026-11-01T00:00:00Z' }

/** The Allocation that gives the machine its identity. */
function given(notes?: ClaimNotes) {
  return allocation({
    type: 'Identity',
    value: identity,
    holder: holder(guest),
    ...(notes === undefined ? {} : { notes }),
  })
}

/** What a host has of it, without a mark. */
function unmarked(endpoint = host1, current = true): Pick<Situation, 'machines'> {
  return { machines: [{ endpoint, facts: foreign, current }] }
}

const cases: readonly (readonly [string, Situation, string, RegExp?])[] = [
  ['without a mark it is kept where it is claimed', unmarked(), 'satisfied Placed', /"host-1", where it is taken over/],
  [
    'it does not grow before it is taken over',
    { ...unmarked(), wish: { request: { ...wishOf({}).request, memoryBytes: 2 ** 30 } } },
    'satisfied Placed',
    /taken over/,
  ],
  ['with our mark that is noted first', { seen: [[host1, {}]] }, 'acting TakingOver Update', /host "host-1" has it/],
  [
    'seen without a mark on a host that is proven off, it is waited for',
    { ...lost, ...unmarked(host1, false) },
    'unknown HostSilent',
    waysOut,
  ],
  ['never seen on a host that is proven off, it is waited for', lost, 'unknown HostSilent', waysOut],
  ["the operator's word does not free it either", { hostState: longSilent, lifecycle: 'Lost' }, 'unknown HostSilent'],
  ['while its host was not read, it is waited for', { hostState: notCalledYet }, 'unknown HostSilent', waysOut],
  [
    'gone from the host of its claim it is made nowhere',
    {},
    'blocked NotFound',
    /is not seen on host "host-1" any more: apply the Host that has it/,
  ],
  ['gone from the host of its claim: so are the ways out', {}, 'blocked NotFound', waysOut],
  [
    'seen on a silent host it gets no place elsewhere',
    { claimed: false, hostState: longSilent, ...unmarked(host1, false) },
    'unknown HostSilent',
    waysOut,
  ],
  [
    'seen without a mark it gets its place there',
    { claimed: false, ...unmarked(host2) },
    'acting Placing Create',
    /host-2/,
  ],
  [
    'seen nowhere, with every host read, it is made nowhere',
    { claimed: false },
    'blocked NotFound',
    /is not seen on a host of its zone: apply the Host that has it/,
  ],
  [
    'one that is not to run and is seen nowhere needs no place',
    { claimed: false, wish: { wanted: false } },
    'satisfied NotNeeded',
  ],
]

for (const [title, parts, expected, message] of cases) {
  test(`a machine that is to be taken over: ${title}`, t => {
    const verdict = placeIn({ ...parts, objects: [given()] })
    t.is(brief(verdict), expected)
    if (message !== undefined) t.regex(verdict.message, message)
  })
}

test('one that was taken over goes where it likes: moved from a host that is proven off, placed anew where nobody has it', t => {
  t.is(brief(placeIn({ ...lost, objects: [given(takenOver)] })), 'acting Moving Update')
  t.is(brief(placeIn({ claimed: false, objects: [given(takenOver)] })), 'acting Placing Create')
  t.is(brief(placeIn({ objects: [given(takenOver)] })), 'satisfied Placed')
})

test('that it was seen with our mark is noted with the moment, and counts when its host is lost and forgotten', t => {
  const world = worldWith({ seen: [[host1, {}]], objects: [given()] })
  const judge = () => judgePlace(wishOf({}), passOf(world))
  const noting = judge()
  if (noting.is === 'acting') world.apply(noting.effects)
  const note = world.desired.get(Allocation, `identity-${identity}`)?.spec
  t.deepEqual(note, { ...given().spec, notes: { takenOverAt: '2026-11-02T12:00:00Z' } })
  t.is(brief(judge()), 'satisfied Placed')
  const powers = { [keyOf('PowerController', 'host-1')]: offTwice }
  world.see({ machines: [], endpoints: { [host1]: longSilent }, powers })
  t.is(brief(afterNote(world, judge)), 'acting Moving Update')
})

test('our mark, seen before its host was lost, is enough: it is noted first, and only then it moves', t => {
  const world = worldWith({
    ...lost,
    machines: [{ endpoint: host1, facts: machineFacts(guest), current: false }],
    objects: [given()],
  })
  const judge = () => judgePlace(wishOf({}), passOf(world))
  const noting = judge()
  t.is(brief(noting), 'acting TakingOver Update')
  if (noting.is === 'acting') world.apply(noting.effects)
  t.is(brief(afterNote(world, judge)), 'acting Moving Update')
})
