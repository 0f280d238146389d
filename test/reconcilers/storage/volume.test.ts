import test from 'ava'
import type { Resource } from '../../../crds/meta.ts'
import type { VolumeFacts } from '../../../drivers/contract/facts.ts'
import { volumeReconciler } from '../../../reconcilers/storage/volume.ts'
import type { EndpointState } from '../../../reconcilers/world.ts'
import { allocation, holder, volumeClaim } from '../claim-builders.ts'
import { attachment, placedVolume, pool1, root, withData } from '../compute/machine-world.ts'
import { brief } from '../compute/power-situations.ts'
import { machineFacts, volumeFacts } from '../fact-builders.ts'
import { cluster, host, pod, pool, settings, zone } from '../infrastructure-builders.ts'
import { verdictsOf } from '../network/network-world.ts'
import { answering, notCalledYet, silent } from '../observed-tables.ts'
import { keyOf, managed, uidOf } from '../resource-builder.ts'
import { diskOffering, machine, template, volume } from '../tenant-builders.ts'
import { worldOf } from '../world-builder.ts'

const GiB = 2 ** 30

const leaving = { deletionTimestamp: '2026-11-02T11:00:00Z', finalizers: ['x'] }
const ofMachine = { metadata: { ownerReferences: root.metadata.ownerReferences ?? [] } }

interface Situation {
  readonly volume?: Parameters<typeof volume>[0]
  readonly objects?: readonly Resource[]
  /** Default: claimed on primary-1, 20 GiB, made already. `false`: no claim. */
  readonly claim?: Resource | false
  /** What the pool has of it. Default: as claimed. `false`: nothing. */
  readonly seen?: Partial<VolumeFacts> | false
  readonly elsewhere?: boolean
  readonly state?: EndpointState
  readonly inDoubt?: boolean
  readonly absent?: ReadonlySet<string>
}

function worldWith(parts: Situation) {
  const { claim = placedVolume(volume()), seen = {}, elsewhere = false } = parts
  const pool2 = keyOf('PrimaryStorage', 'primary-2')
  const places = [zone(), pod(), cluster(), host(), pool(), pool({ name: 'primary-2' }), diskOffering(), template()]
  const world = worldOf({
    objects: places,
    endpoints: { [pool1]: parts.state ?? answering, [pool2]: answering, [keyOf('Host', 'host-1')]: answering },
    volumes: [
      ...(seen === false ? [] : [{ endpoint: pool1, facts: volumeFacts(volume(), seen) }]),
      ...(elsewhere ? [{ endpoint: pool2, facts: volumeFacts(volume()) }] : []),
    ],
    inDoubt: { [volume().metadata.uid]: parts.inDoubt === true ? [pool1] : [] },
    ...(parts.absent === undefined ? {} : { absent: parts.absent }),
  })
  world.put(volume(parts.volume), ...(claim === false ? [] : [claim]), ...(parts.objects ?? []))
  return world
}

function judge(parts: Situation, list: 'phases' | 'teardown' = 'phases') {
  const verdicts = verdictsOf(volumeReconciler, volume(), worldWith(parts), list)
  return {
    provisioned: verdicts.Provisioned ?? fail(),
    attached: verdicts.Attached ?? fail(),
  }
}

function noted(notes: { readonly deletedAt: string }): Resource {
  const claim = volumeClaim(volume(), 'primary-1')
  return { ...claim, spec: { ...claim.spec, notes } }
}

function fail(): never {
  throw new Error('Cannot find the condition')
}

const fresh = volumeClaim(volume(), 'primary-1')
const deleted = noted({ deletedAt: '2026-11-02T11:00:00Z' })
const given = allocation({ type: 'Identity', value: volume().metadata.uid, holder: holder(volume()) })
const custom = diskOffering({ size: undefined, customSize: true })
const fromTemplate = {
  diskOfferingName: undefined,
  templateRef: { kind: 'PublicTemplate', name: 'tiny-linux' },
} as const
const ownSize = (size: string) => ({ diskOfferingName: undefined, size })

const provisioned: readonly (readonly [string, Situation, string, RegExp?])[] = [
  [
    'STO-078 a volume that no machine attaches takes no storage',
    { claim: false, seen: false },
    'satisfied NotNeededYet',
  ],
  ['a disk is made under its claim', { claim: fresh, seen: false }, 'acting Creating CreateVolume'],
  ['that it was made is noted where no machine is about to claim it', { claim: fresh }, 'acting Creating Update'],
  [
    'an attachment says so as well, without another write',
    { claim: fresh, objects: [attachment(volume(), withData)] },
    'satisfied Provisioned',
  ],
  [
    'the machine that a root disk is made for claims it',
    { volume: ofMachine, claim: fresh, objects: [machine()] },
    'satisfied Provisioned',
  ],
  ['a root disk whose machine is no more is noted', { volume: ofMachine, claim: fresh }, 'acting Creating Update'],
  [
    'a root disk whose machine is being deleted is noted',
    { volume: ofMachine, claim: fresh, objects: [machine({ metadata: leaving })] },
    'acting Creating Update',
  ],
  [
    'STO-002 a disk that is attached and gone is never replaced by a blank one',
    { claim: fresh, seen: false, objects: [attachment(volume(), withData)] },
    'blocked DiskLost',
  ],
  ['a disk that is there', {}, 'satisfied Provisioned'],
  [
    'STO-002 a disk that was made and is gone is never replaced by a blank one',
    { seen: false },
    'blocked DiskLost',
    /restore it there, or delete this Volume/,
  ],
  ['a disk in another pool is not made anew', { claim: fresh, seen: false, elsewhere: true }, 'blocked DiskElsewhere'],
  ['a disk in doubt is waited for', { claim: fresh, seen: false, inDoubt: true }, 'unknown InDoubt'],
  ['a silent pool', { state: silent('2026-11-02T11:00:00Z') }, 'unknown PoolSilent', /"primary-1" does not answer/],
  ['a pool that was not read yet', { state: notCalledYet }, 'unknown PoolNotListed'],
  [
    'a disk in the trash is taken back',
    { seen: { trashedAt: '2026-11-02T11:00:00Z' } },
    'acting Restoring RestoreVolume',
  ],
  [
    'STO-120 STO-121 a volume that is to grow claims the space first',
    { volume: ownSize('30Gi') },
    'acting Growing Update',
  ],
  [
    'a volume grows only into what its pool has left',
    { volume: ownSize('30Gi'), objects: [pool({ capacity: '25Gi' })] },
    'waiting StorageExhausted',
    /^spec\.size: 10Gi more is wished, and primary storage "primary-1" has 1280Mi left/,
  ],
  [
    'STO-120 and is grown then',
    { volume: ownSize('30Gi'), claim: placedVolume(volume(), 30 * GiB) },
    'acting Growing ResizeVolume',
  ],
  [
    'STO-124 STO-125 a volume never shrinks',
    { volume: ownSize('10Gi') },
    'blocked CannotShrink',
    /has 20Gi and cannot shrink/,
  ],
  [
    'STO-080 a volume of more than 2000 GiB is refused',
    { volume: ownSize('2001Gi'), claim: false, seen: false },
    'blocked SizeTooLarge',
    /^spec\.size: at most 2000Gi/,
  ],
  [
    'STO-080 one of 2000 GiB is not',
    { volume: ownSize('2000Gi'), claim: false, seen: false },
    'satisfied NotNeededYet',
  ],
  [
    'STO-080 Settings.maximumVolumeSize says so',
    { volume: ownSize('11Gi'), claim: false, seen: false, objects: [settings({ maximumVolumeSize: '10Gi' })] },
    'blocked SizeTooLarge',
    /10Gi/,
  ],
  [
    'OFF-045 a custom offering needs a size',
    { claim: false, seen: false, objects: [custom] },
    'blocked SizeUnknown',
    /^spec\.size is needed/,
  ],
  [
    'OFF-045 and takes it',
    { volume: { size: '7Gi' }, claim: false, seen: false, objects: [custom] },
    'satisfied NotNeededYet',
  ],
  [
    'OFF-045 a fixed offering takes no other size',
    { volume: { size: '7Gi' }, claim: false, seen: false },
    'blocked SizeFixed',
    /gives 20Gi/,
  ],
  [
    'STO-129 an offering with a tag that the pool has not is refused',
    { volume: { diskOfferingName: 'fast' }, objects: [diskOffering({ name: 'fast', tags: ['ssd'] })] },
    'blocked TagsDiffer',
    /wants the tag "ssd"/,
  ],
  [
    'STO-120 an offering with tags of the pool is taken',
    {
      volume: { diskOfferingName: 'fast' },
      objects: [diskOffering({ name: 'fast', tags: ['ssd'] }), pool({ tags: ['ssd', 'more'] })],
    },
    'satisfied Provisioned',
  ],
  [
    'an offering that is disabled makes no new volume',
    { claim: false, seen: false, objects: [diskOffering({ allocationState: 'Disabled' })] },
    'blocked OfferingDisabled',
  ],
  ['what exists keeps it', { objects: [diskOffering({ allocationState: 'Disabled' })] }, 'satisfied Provisioned'],
  [
    'limits that no driver keeps are refused by name',
    { objects: [diskOffering({ limits: { readIOPS: 100 } })] },
    'blocked NotSupportedYet',
    /^spec\.diskOfferingName/,
  ],
  [
    'a provisioning that no driver has is refused by name',
    { objects: [diskOffering({ provisioningType: 'Fat' })] },
    'blocked NotSupportedYet',
    /provisioningType Fat/,
  ],
  [
    "a template without an image for the pool's hypervisor is refused",
    {
      volume: fromTemplate,
      claim: volumeClaim(volume(), 'primary-1', { sizeBytes: 8 * GiB }),
      seen: false,
      objects: [template({ images: [{ hypervisor: 'KVM', format: 'QCOW2', url: 'file:///x' }] })],
    },
    'blocked NoImageForHypervisor',
  ],
  [
    'the name of a disk in the trash is free',
    { claim: false, seen: { identity: uidOf('Volume', 'before', 'shop'), trashedAt: '2026-11-02T11:00:00Z' } },
    'satisfied NotNeededYet',
  ],
  [
    'a volume that gets the identity of a disk in the trash takes it over',
    { claim: deleted, seen: { trashedAt: '2026-11-02T11:00:00Z' } },
    'acting TakingBack Delete',
  ],
  ['and claims it anew, where it lies', { claim: false }, 'acting Claiming Create'],
  ['one that is not in the trash any more is not made anew', { claim: deleted, seen: false }, 'unknown NotInTrash'],
  [
    'one that was given the identity of a disk which no pool is seen to have is not made anew',
    { claim: false, seen: false, objects: [given] },
    'blocked DiskNotSeen',
    /is seen in no primary storage: apply the one that has it, or bring it back\. If the disk is gone, delete the Volume$/,
  ],
  [
    'a pool that was not read yet may have it',
    { claim: false, seen: false, objects: [given], state: notCalledYet },
    'unknown DiskNotSeen',
    /primary storages that were not read yet: "primary-1"$/,
  ],
  ['seen, it is claimed where it lies', { claim: false, objects: [given] }, 'acting Claiming Create'],
  [
    'one that bears no mark of ours, because it was given back, is not',
    { claim: false, seen: { mark: { installation: 'another', kind: 'Volume', name: 'data' } } },
    'blocked NotOurs',
  ],
  [
    'a disk of the same name and another identity is a conflict',
    { claim: false, seen: { identity: uidOf('Volume', 'before', 'shop') } },
    'blocked IdentityConflict',
  ],
]

for (const [title, parts, expected, message] of provisioned) {
  test(title, t => {
    const verdict = judge(parts).provisioned
    t.is(brief(verdict), expected)
    if (message !== undefined) t.regex(verdict.message, message)
  })
}

test('OFF-044 STO-079 one GiB is 2^30 bytes; a disk of a template is cloned from its image', t => {
  const parts: Situation = {
    volume: { ...fromTemplate, size: '9Gi' },
    claim: volumeClaim(volume(), 'primary-1', { sizeBytes: 9 * GiB }),
    seen: false,
  }
  const verdict = judge(parts).provisioned
  const [effect] = verdict.is === 'acting' ? verdict.effects : []
  if (effect?.effect !== 'Operate' || effect.operation.verb !== 'CreateVolume') throw new Error('Cannot find it')
  t.like(effect.operation.arguments, { sizeBytes: 9_663_676_416, epoch: 1 })
  t.deepEqual(effect.operation.arguments.image, { url: 'sim://images/tiny-linux', format: 'QCOW2' })
})

test('a volume says who uses it; one that nobody uses is Ready/NotYetAttached', t => {
  t.is(brief(judge({}).attached), 'satisfied NotYetAttached')
  t.like(judge({}).attached, { summary: true })
  const used = judge({ objects: [attachment(volume(), withData)] }).attached
  t.is(brief(used), 'satisfied Attached')
  t.regex(used.message, /web-1/)
})

const removal: readonly (readonly [string, Situation, string, RegExp?])[] = [
  ['that it is deleted is noted first', {}, 'acting Trashing Update'],
  ['its disk goes to the trash then', { claim: deleted }, 'acting Trashing TrashVolume'],
  [
    'with the disk in the trash the volume is gone; the rest is the trash’s',
    { claim: deleted, seen: { trashedAt: '2026-11-02T11:59:59Z' } },
    'satisfied Removed',
  ],
  [
    'without a delay it is destroyed at once',
    { objects: [settings({ expungeDelay: '0s' })] },
    'acting Destroying DeleteVolume',
  ],
  ['its claim goes when a full listing lacks it', { seen: false }, 'acting Releasing Delete'],
  ['a listing is asked for until then', { seen: false, absent: new Set() }, 'acting ProvingAbsence Observe'],
  ['a silent pool keeps the disk', { state: silent('2026-11-02T11:00:00Z') }, 'unknown PoolSilent'],
  ['without a claim nothing is left', { claim: false, seen: false }, 'satisfied Removed'],
  [
    'deletionPolicy Orphan destroys nothing',
    { volume: { management: { ...managed.management, deletionPolicy: 'Orphan' } } },
    'acting GivingBack ReleaseVolume',
  ],
]

for (const [title, parts, expected] of removal) {
  test(`removal: ${title}`, t => {
    t.is(brief(judge(parts, 'teardown').provisioned), expected)
  })
}

test('STO-133 a volume that is attached is not removed, and names its machine', t => {
  const verdict = judge({ objects: [attachment(volume(), withData)] }, 'teardown').attached
  t.is(brief(verdict), 'waiting InUse')
  t.regex(verdict.message, /Machine "web-1" uses the volume/)
  t.is(brief(judge({}, 'teardown').attached), 'satisfied Detached')
  t.deepEqual(volumeReconciler.teardown?.find(({ condition }) => condition === 'Provisioned')?.needs, ['Attached'])
})

test('a disk that a machine without a claim is seen with is not destroyed, and not noted as deleted', t => {
  const world = worldWith({})
  const stray = machineFacts(machine({ name: 'lost' }))
  const disks = [{ identity: volume().metadata.uid, pool: pool1, name: 'data' }]
  const facts = { ...stray, definition: { ...stray.definition, disks } }
  world.see({ machines: [{ endpoint: keyOf('Host', 'host-1'), facts }] })
  const judged = () => verdictsOf(volumeReconciler, volume(), world, 'teardown').Provisioned ?? fail()
  t.is(brief(judged()), 'waiting InUse')
  t.regex(judged().message, /^Machine .+ of the name "lost" on host "host-1" is defined with the disk/)
  world.see({ machines: [] })
  t.is(brief(judged()), 'acting Trashing Update')
})

test('a disk goes to the trash as of when its volume was deleted: however often that is judged, it is one operation', t => {
  const world = worldWith({ claim: deleted })
  const trashing = () => {
    const verdict = verdictsOf(volumeReconciler, volume(), world, 'teardown').Provisioned ?? fail()
    const [effect] = verdict.is === 'acting' ? verdict.effects : []
    return effect?.effect === 'Operate' ? effect.operation : fail()
  }
  const first = trashing()
  t.like(first, { verb: 'TrashVolume', arguments: { at: '2026-11-02T11:00:00Z' } })
  world.advance(60_000)
  t.deepEqual(trashing(), first)
})

test('an identity that was given to a volume goes back last', t => {
  const given = allocation({ type: 'Identity', value: uidOf('Volume', 'before', 'shop'), holder: holder(volume()) })
  const world = worldWith({ claim: false, seen: false, objects: [given] })
  const judged = () => verdictsOf(volumeReconciler, volume(), world, 'teardown').Provisioned ?? fail()
  t.is(brief(judged()), 'acting Returning Delete')
  world.drop(given)
  t.is(brief(judged()), 'satisfied Removed')
})

test('no disk is destroyed while a host is being read for the first time; one that cannot be read is not waited for', t => {
  const host1 = keyOf('Host', 'host-1')
  const world = worldWith({})
  const judged = () => verdictsOf(volumeReconciler, volume(), world, 'teardown').Provisioned ?? fail()
  for (const state of [notCalledYet, { answers: 'Yes', listed: false } as const]) {
    world.see({ endpoints: { [host1]: state } })
    t.is(brief(judged()), 'unknown HostsNotRead')
  }
  for (const state of [silent('2026-11-02T11:00:00Z'), { ...notCalledYet, message: 'permission denied' }]) {
    world.see({ endpoints: { [host1]: state } })
    t.is(brief(judged()), 'acting Trashing Update')
  }
})
