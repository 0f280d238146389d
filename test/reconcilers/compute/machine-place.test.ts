import test from 'ava'
import { Allocation } from '../../../crds/infrastructure/allocation.ts'
import { judgePlace, judgeRelease } from '../../../reconcilers/compute/machine-place.ts'
import type { EndpointState } from '../../../reconcilers/world.ts'
import { allocation, holder, inventoryNote, machineClaim } from '../claim-builders.ts'
import { machineFacts } from '../fact-builders.ts'
import { host } from '../infrastructure-builders.ts'
import { answering, notCalledYet } from '../observed-tables.ts'
import { keyOf, uidOf } from '../resource-builder.ts'
import { machine, volume } from '../tenant-builders.ts'
import { passOf } from '../world-builder.ts'
import { afterNote, longSilent, offTwice, placeIn, type Situation, wishOf, worldWith } from './place-situations.ts'
import { brief, guest, host1, host2, identity } from './power-situations.ts'

const larger = { ...wishOf({}).request, memoryBytes: 1024 * 2 ** 20 }
const huge = { ...wishOf({}).request, memoryBytes: 2 ** 40 }
const lost = { hostState: longSilent, power: offTwice } as const

const cases: readonly (readonly [string, Situation, string, RegExp?])[] = [
  ['VM-065 without a wish the system picks a host', { claimed: false }, 'acting Placing Create', /host-1/],
  [
    'VM-005 a machine that is not to run needs no place',
    { claimed: false, wish: { wanted: false } },
    'satisfied NotNeeded',
  ],
  [
    'a machine that is seen is placed where it is',
    { claimed: false, seen: [[host2, {}]] },
    'acting Placing Create',
    /host-2/,
  ],
  [
    'a machine that is seen is placed where it is, whatever disks it is to have',
    {
      claimed: false,
      seen: [[host2, {}]],
      wish: {
        request: {
          ...wishOf({}).request,
          volumes: [{ identity: volume().metadata.uid, sizeBytes: 2 ** 60, tags: ['none'], poolName: 'elsewhere' }],
        },
      },
    },
    'acting Placing Create',
    /host-2/,
  ],
  [
    'one that is not to run and is seen keeps its place as well',
    { claimed: false, wish: { wanted: false }, seen: [[host2, { powerState: 'Off' }]] },
    'acting Placing Create',
    /host-2/,
  ],
  [
    'VM-053 one that is seen twice is placed nowhere',
    {
      claimed: false,
      seen: [
        [host1, {}],
        [host2, {}],
      ],
    },
    'blocked SeenTwice',
    /Running on host "host-1" and Running on host "host-2"/,
  ],
  [
    'a machine of the same name and another identity is a conflict, and nothing is made',
    { claimed: false, namesake: true },
    'blocked IdentityConflict',
    /adopt --rebind/,
  ],
  [
    'VM-006 without room it waits and says why',
    { claimed: false, wish: { request: huge } },
    'waiting NoHostFits',
    /None of 2 hosts fits/,
  ],
  ['a place that is held is kept', {}, 'satisfied Placed', /host-1/],
  ['a place on a host that was not called yet is kept', { hostState: notCalledYet }, 'satisfied Placed'],
  ['a silent host that is not proven off keeps everything', { hostState: longSilent }, 'unknown HostSilent'],
  [
    'a power controller that says On keeps everything',
    { hostState: longSilent, power: { power: 'On', confirmed: true } },
    'unknown HostSilent',
    /may still run/,
  ],
  [
    'power read as Off once keeps everything',
    { hostState: longSilent, power: { power: 'Off', confirmed: false } },
    'unknown HostSilent',
  ],
  ['VM-051 OFF-032 a host that is proven off: the claim moves', lost, 'acting Moving Update', /host-2/],
  [
    "the operator's word moves it as well",
    { hostState: longSilent, lifecycle: 'Lost' },
    'acting Moving Update',
    /Attestation/,
  ],
  ['OFF-032 a machine that is not highly available stays', { ...lost, wish: { movable: false } }, 'satisfied Placed'],
  ['a machine that is not to run stays', { ...lost, wish: { wanted: false } }, 'satisfied Placed'],
  ['a guest that ended itself stays', { ...lost, notes: { guestEndedAt: '2026-11-02T10:00:00Z' } }, 'satisfied Placed'],
  [
    "VM-055 STO-054 a disk on the host's own storage keeps the machine there",
    { ...lost, local: true },
    'satisfied Placed',
  ],
  ['an operation that has not ended yet is waited for', { ...lost, running: true }, 'waiting Fencing'],
  ['without another host it waits', { ...lost, otherHost: false }, 'waiting NoHostFits'],
  [
    'a running machine keeps its place until it stops, whatever its offering',
    { seen: [[host1, {}]], wish: { request: larger } },
    'satisfied Placed',
  ],
  [
    'VM-116 one that is off grows in its place',
    { seen: [[host1, { powerState: 'Off' }]], wish: { request: larger } },
    'acting Resizing Update',
  ],
  [
    'without room there it leaves, by removing its definition first',
    { seen: [[host1, { powerState: 'Off' }]], wish: { request: huge } },
    'acting LeavingHost RemoveMachine',
  ],
  ['then its claim goes when the host is seen without it', { wish: { request: huge } }, 'acting Releasing Delete'],
  ['not before that', { wish: { request: huge }, absent: new Set() }, 'acting ProvingAbsence Observe'],
  [
    'one that is not to run waits in its place',
    { seen: [[host1, { powerState: 'Off' }]], wish: { request: huge, wanted: false } },
    'satisfied Placed',
  ],
]

for (const [title, parts, expected, message] of cases) {
  test(title, t => {
    const verdict = placeIn(parts)
    t.is(brief(verdict), expected)
    if (message !== undefined) t.regex(verdict.message, message)
  })
}

test('a new claim has an epoch above any that a host has seen; a moved one has one more', t => {
  const parts: Situation = { claimed: false, seen: [[host2, { epoch: 7 }]] }
  const world = worldWith(parts)
  const placing = judgePlace(wishOf(parts), passOf(world))
  if (placing.is === 'acting') world.apply(placing.effects)
  t.is(world.desired.get(Allocation, `machine-${identity}`)?.spec.epoch, 8)
  const moving = worldWith(lost)
  const verdict = afterNote(moving, () => judgePlace(wishOf(lost), passOf(moving)))
  if (verdict.is === 'acting') moving.apply(verdict.effects)
  const moved = moving.desired.get(Allocation, `machine-${identity}`)
  t.like(moved?.spec, { epoch: 2, notes: { hostLostAt: '2026-11-02T12:00:00Z' } })
  t.is(moved?.spec.machine?.hostName, 'host-2')
})

test('a machine that is found is claimed as large as it is, and grows when it is off, where there is room', t => {
  const parts: Situation = { claimed: false, seen: [[host2, {}]], wish: { request: larger } }
  const world = worldWith(parts)
  const judge = () => judgePlace(wishOf(parts), passOf(world))
  const size = () => world.desired.get(Allocation, `machine-${identity}`)?.spec.machine?.memoryBytes
  const placing = judge()
  if (placing.is === 'acting') world.apply(placing.effects)
  t.is(size(), machineFacts(guest).definition.memoryBytes)
  t.is(brief(judge()), 'satisfied Placed')
  world.see({ machines: [{ endpoint: host2, facts: machineFacts(guest, { powerState: 'Off' }) }] })
  const growing = judge()
  t.is(brief(growing), 'acting Resizing Update')
  if (growing.is === 'acting') world.apply(growing.effects)
  t.is(size(), larger.memoryBytes)
})

test('another host under the name of the lost one proves nothing', t => {
  const parts: Situation = { hostState: answering, held: { hostIdentity: uidOf('Host', 'former') }, lifecycle: 'Lost' }
  const world = worldWith(parts)
  world.see({ endpoints: { [host1]: longSilent, [keyOf('Host', 'former')]: longSilent } })
  const verdict = judgePlace(wishOf(parts), passOf(world))
  t.is(brief(verdict), 'unknown HostSilent')
  t.regex(verdict.message, /is another one now/)
})

const releases: readonly (readonly [string, Situation, string])[] = [
  ['a claim goes when a full listing of its host lacks the machine', {}, 'acting Releasing Delete'],
  ['a listing is asked for until then', { absent: new Set() }, 'acting ProvingAbsence Observe'],
  ['a silent host keeps it', { hostState: longSilent }, 'unknown HostSilent'],
  ['a host that is proven off gives it back', lost, 'acting Releasing Delete'],
]

for (const [title, parts, expected] of releases) {
  test(title, t => {
    const world = worldWith(parts)
    const claim = world.desired.get(Allocation, `machine-${identity}`)
    if (claim === undefined) throw new Error('Cannot find the claim')
    const release = () =>
      judgeRelease(claim, identity, passOf(world)) ?? ({ is: 'satisfied', reason: 'Kept', message: '' } as const)
    t.is(brief(afterNote(world, release)), expected)
  })
}

test('before a claim leaves a host that is proven off, it is noted that the host may have a definition of the machine', t => {
  const world = worldWith(lost)
  const verdict = judgePlace(wishOf(lost), passOf(world))
  t.is(brief(verdict), 'acting NotingStray Create')
  if (verdict.is === 'acting') world.apply(verdict.effects)
  const name = `stray-${uidOf('Host', 'host-1')}-${identity}`
  t.like(world.desired.get(Allocation, name)?.spec, { type: 'Stray', value: identity })
  t.is(world.desired.get(Allocation, `machine-${identity}`)?.spec.machine?.hostName, 'host-1')
})

test('what was given its identity is placed only when every host was read or is proven off; what is new need not wait where nothing is left over', t => {
  const neighbour = machineClaim(machine({ name: 'web-9' }), 'host-2')
  const notes = { takenOverAt: '2026-11-01T00:00:00Z' }
  const given = (value: string) => allocation({ type: 'Identity', value, holder: holder(guest), notes })
  const unread: EndpointState = { answers: 'No', listed: false, silentSince: '2026-11-02T11:00:00Z' }
  const placed = (parts: Situation, ...objects: readonly ReturnType<typeof allocation>[]) => {
    const world = worldWith({ claimed: false, hostState: unread, ...parts })
    world.put(neighbour, inventoryNote(host()))
    world.put(...objects)
    return judgePlace(wishOf(parts), passOf(world))
  }
  const disk = { identity: volume().metadata.uid, sizeBytes: 1, tags: [], scope: 'Shared' as const }
  const withDisk = { wish: { request: { ...wishOf({}).request, volumes: [disk] } } }
  t.is(brief(placed({})), 'acting Placing Create')
  const waits = placed({}, given(identity))
  t.is(brief(waits), 'unknown HostsNotRead')
  t.regex('message' in waits ? String(waits.message) : '', /not read since the controllers started: "host-1"\. Bring/)
  t.is(brief(placed(withDisk, given(disk.identity))), 'unknown HostsNotRead')
  t.is(brief(placed(withDisk)), 'acting Placing Create Create')
  t.is(brief(placed({ lifecycle: 'Lost' }, given(identity))), 'acting Placing Create')
  t.is(brief(placed({ hostState: answering }, given(identity))), 'acting Placing Create')
  t.is(brief(placed({ seen: [[host2, { powerState: 'Running' }]] }, given(identity))), 'acting Placing Create')
  t.is(brief(placed({ seen: [[host2, { powerState: 'Off' }]] }, given(identity))), 'unknown HostsNotRead')
})

test('what was given its identity may run where nobody has told of it: hosts are read once more before it is placed', t => {
  const notes = { takenOverAt: '2026-11-01T00:00:00Z' }
  const given = allocation({ type: 'Identity', value: identity, holder: holder(guest), notes })
  const placed = (parts: Situation, ...objects: readonly ReturnType<typeof allocation>[]) => {
    const world = worldWith({ claimed: false, ...parts })
    world.put(inventoryNote(host()), ...objects)
    return judgePlace(wishOf(parts), passOf(world))
  }
  const unlisted = { unlisted: new Set([host1]) }
  const isSilent = { hostState: { answers: 'No', listed: true, silentSince: '2026-11-02T11:00:00Z' } } as const
  t.is(brief(placed(unlisted)), 'acting Placing Create')
  t.is(brief(placed(unlisted, given)), 'acting ProvingAbsence Observe')
  t.is(brief(placed({ ...unlisted, ...isSilent }, given)), 'unknown HostsNotRead')
  t.is(brief(placed({ ...unlisted, ...isSilent, lifecycle: 'Lost' }, given)), 'acting Placing Create')
  t.is(brief(placed({}, given)), 'acting Placing Create')
})
