import test from 'ava'
import type { Resource } from '../../../crds/meta.ts'
import { primaryStorageReconciler } from '../../../reconcilers/infrastructure/primary-storage.ts'
import { allocation, holder, volumeClaim } from '../claim-builders.ts'
import { volumeFacts } from '../fact-builders.ts'
import { cluster, host, pod, pool, settings, zone } from '../infrastructure-builders.ts'
import { judge, judgeTeardown } from '../judge.ts'
import { brief } from '../network/network-world.ts'
import { answering, silent } from '../observed-tables.ts'
import { keyOf } from '../resource-builder.ts'
import { volume } from '../tenant-builders.ts'
import { type TestWorld, worldOf } from '../world-builder.ts'

const key = keyOf('PrimaryStorage', 'primary-1')
/** The world's time is 2026-11-02T12:00:00Z. */
const [over, notYet] = ['2026-11-01T12:00:00Z', '2026-11-01T12:00:01Z']
const disk = volume()

function deleted(object: Resource, deletedAt: string): Resource {
  const claim = volumeClaim(object, 'primary-1')
  return { ...claim, spec: { ...claim.spec, notes: { deletedAt } } }
}

interface Trash {
  readonly claims?: readonly Resource[]
  readonly trashed?: readonly (readonly [disk: Resource, trashedAt: string | undefined])[]
  readonly objects?: readonly Resource[]
}

function poolWith({ claims = [deleted(disk, over)], trashed = [[disk, over]], objects = [] }: Trash): TestWorld {
  return worldOf({
    objects: [zone(), pod(), cluster(), host(), pool(), ...claims, ...objects],
    endpoints: { [key]: answering },
    volumes: trashed.map(([object, trashedAt]) => ({
      endpoint: key,
      facts: volumeFacts(object, trashedAt === undefined ? {} : { trashedAt }),
    })),
  })
}

const emptied = (world: TestWorld) => judge(primaryStorageReconciler, 'TrashEmptied', pool(), world)

const cases: readonly (readonly [string, Trash, string])[] = [
  ['STO-134 a disk in the trash is destroyed after Settings.expungeDelay: 24 h', {}, 'acting Expunging DeleteVolume'],
  ['STO-134 and not a second before', { trashed: [[disk, notYet]] }, 'satisfied Kept'],
  [
    'a shorter delay holds for what is in the trash already',
    { claims: [deleted(disk, notYet)], trashed: [[disk, notYet]], objects: [settings({ expungeDelay: '1h' })] },
    'acting Expunging DeleteVolume',
  ],
  ['a disk without its claim is not destroyed', { claims: [] }, 'satisfied Kept'],
  [
    'nor one whose claim does not say that it was deleted',
    { claims: [volumeClaim(disk, 'primary-1')] },
    'satisfied Kept',
  ],
  ['nor one that is not in the trash', { trashed: [[disk, undefined]] }, 'satisfied Kept'],
  [
    'nor one that is being taken back',
    {
      objects: [
        allocation({ type: 'Identity', value: disk.metadata.uid, holder: holder(volume({ name: 'taken-back' })) }),
      ],
    },
    'satisfied Kept',
  ],
  ['the claim goes with the disk, once a listing proves it', { trashed: [] }, 'acting Expunging Delete'],
]

for (const [title, trash, expected] of cases) {
  test(title, t => {
    t.is(brief(emptied(poolWith(trash))), expected)
  })
}

test('two disks of one name in the trash are two: each goes when its own time is over', t => {
  const again = volume({ metadata: { uid: '11111111-2222-4333-8444-555555555555' } })
  const world = poolWith({
    claims: [deleted(disk, over), deleted(again, notYet)],
    trashed: [
      [disk, over],
      [again, notYet],
    ],
  })
  const verdict = emptied(world)
  const identities = verdict.is === 'acting' ? verdict.effects : []
  t.deepEqual(
    identities.map(effect => (effect.effect === 'Operate' ? effect.operation.identity : effect.effect)),
    [disk.metadata.uid],
  )
})

test('sixteen disks are destroyed at a time', t => {
  const disks = Array.from({ length: 100 }, (_, index) => volume({ name: `disk-${index}` }))
  const world = poolWith({
    claims: disks.map(each => deleted(each, over)),
    trashed: disks.map(each => [each, over] as const),
  })
  const verdict = emptied(world)
  t.true(verdict.is === 'acting' && verdict.effects.length > 0 && verdict.effects.length <= 16)
})

test('a pool that does not answer, or is not read, keeps its trash', t => {
  const world = poolWith({})
  world.see({ endpoints: { [key]: silent('2026-11-02T11:00:00Z') } })
  t.is(brief(emptied(world)), 'satisfied Kept')
})

test('a pool that is being deleted empties its trash, and waits for it', t => {
  const world = poolWith({})
  t.is(brief(judgeTeardown(primaryStorageReconciler, 'TrashEmptied', pool(), world)), 'acting Expunging DeleteVolume')
  t.is(brief(judgeTeardown(primaryStorageReconciler, 'Unclaimed', pool(), world)), 'waiting InUse')
  const kept = poolWith({ claims: [deleted(disk, notYet)], trashed: [[disk, notYet]] })
  t.is(brief(judgeTeardown(primaryStorageReconciler, 'TrashEmptied', pool(), kept)), 'waiting TrashNotEmpty')
  const empty = poolWith({ claims: [], trashed: [] })
  t.is(brief(judgeTeardown(primaryStorageReconciler, 'TrashEmptied', pool(), empty)), 'satisfied Kept')
})
