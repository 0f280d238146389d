import test from 'ava'
import type { Resource } from '../../../crds/meta.ts'
import type { MachineFacts } from '../../../drivers/contract/facts.ts'
import { attachmentClaim, claimVolume, holderOf } from '../../../reconcilers/claims.ts'
import type { Effect } from '../../../reconcilers/effect.ts'
import { volumeReconciler } from '../../../reconcilers/storage/volume.ts'
import type { Verdict } from '../../../reconcilers/verdict.ts'
import type { EndpointState } from '../../../reconcilers/world.ts'
import { allocation, holder, volumeClaim } from '../claim-builders.ts'
import { machineFacts, volumeFacts } from '../fact-builders.ts'
import { host, pool } from '../infrastructure-builders.ts'
import { brief, created, host1, verdictsOf } from '../network/network-world.ts'
import { answering } from '../observed-tables.ts'
import { keyOf, uidOf } from '../resource-builder.ts'
import { machine, volume } from '../tenant-builders.ts'
import { passOf, type TestWorld } from '../world-builder.ts'
import {
  address,
  attachment,
  judgeMachine,
  machineWorld,
  place,
  placedVolume,
  pool1,
  root,
  show,
  whole,
  withData,
} from './machine-world.ts'

const unnoted = [volumeClaim(root, 'primary-1'), volumeClaim(volume(), 'primary-1')]
const attachments = [root, volume()].map(disk => attachment(disk, withData))
const made = [volumeFacts(root), volumeFacts(volume())]

function effectsOf(verdict: Verdict | undefined): readonly Effect[] {
  return verdict?.is === 'acting' ? verdict.effects : []
}

/** What would become of a disk if it were lost now. Undefined: its volume is being deleted, or gone. */
function ifLost(world: TestWorld, disk: Resource): string | undefined {
  const self = world.desired.get(volumeReconciler.kind, disk.metadata.name, disk.metadata.namespace)
  if (self === undefined || self.metadata.deletionTimestamp !== undefined) return undefined
  world.see({ volumes: [] })
  const verdict = brief(verdictsOf(volumeReconciler, disk, world).Provisioned)
  world.see({ volumes: made.map(facts => ({ endpoint: pool1, facts })) })
  return verdict
}

test('STO-098 disks are claimed before they are attached, and only when they are there', t => {
  const world = machineWorld([withData, root, volume(), ...unnoted], [volumeFacts(root)])
  const verdict = judgeMachine(world).VolumesAttached
  t.is(brief(verdict), 'acting Attaching Create')
  world.apply(effectsOf(verdict))
  t.is(brief(judgeMachine(world).VolumesAttached), 'waiting VolumeNotProvisioned')
  t.truthy(attachmentClaim(root.metadata.uid, passOf(world)))
  t.is(attachmentClaim(volume().metadata.uid, passOf(world)), undefined)
})

test('nothing is started on an attachment that the API has not stored', t => {
  const [rootClaim, dataClaim] = attachments
  if (rootClaim === undefined || dataClaim === undefined) throw new Error('Cannot find the claims')
  const assumed = { ...dataClaim, metadata: { ...dataClaim.metadata, resourceVersion: '' } }
  const world = machineWorld([withData, root, volume(), ...unnoted, rootClaim, assumed, place, address], made)
  t.is(brief(judgeMachine(world).PowerApplied), 'waiting VolumeNotClaimed')
  world.put(dataClaim)
  t.is(brief(judgeMachine(world).PowerApplied), 'acting Starting DefineMachine')
})

test('a disk that is there before its claim counts as made: nobody knows what is in it', t => {
  const world = machineWorld([withData, root, volume()], [volumeFacts(root)])
  const place = { poolName: 'primary-1', poolIdentity: root.metadata.uid, sizeBytes: 1 }
  const notes = (disk: Resource) => {
    const { object } = claimVolume(disk.metadata.uid, holderOf(disk), place, passOf(world))
    return (object.spec as { readonly notes?: unknown }).notes
  }
  t.deepEqual(notes(root), { madeAt: '2026-11-02T12:00:00Z' })
  t.is(notes(volume()), undefined)
})

test('STO-002 whatever stops us while a machine is deleted, no disk that was written to is made anew', t => {
  const world = machineWorld([withData, root, volume(), ...unnoted, ...attachments], made)
  world.drop(place)
  const steps: (string | undefined)[] = []
  for (let pass = 0; pass < 10; pass++) {
    const verdict = judgeMachine(world, 'teardown').VolumesAttached
    if (verdict?.is === 'satisfied') break
    for (const effect of effectsOf(verdict)) {
      world.apply([effect])
      t.false(ifLost(world, root)?.startsWith('acting') ?? false)
      steps.push(ifLost(world, volume()))
    }
  }
  t.deepEqual(new Set(steps), new Set(['blocked DiskLost']))
  t.is(brief(judgeMachine(world, 'teardown').VolumesAttached), 'satisfied Returned')
  t.is(attachmentClaim(root.metadata.uid, passOf(world)), undefined)
})

test('the attachment of a root disk whose volume is being deleted goes without another write', t => {
  const world = machineWorld([machine(), root, volumeClaim(root, 'primary-1'), attachment(root, machine())], made)
  world.drop(place)
  const kinds: string[] = []
  for (let pass = 0; pass < 3; pass++) {
    const effects = effectsOf(judgeMachine(world, 'teardown').VolumesAttached)
    kinds.push(...effects.map(({ effect }) => effect))
    world.put({ ...root, metadata: { ...root.metadata, deletionTimestamp: '2026-11-02T12:00:00Z', finalizers: ['x'] } })
    world.apply(effects.filter(effect => effect.effect !== 'Delete' || effect.object.kind !== 'Volume'))
  }
  t.deepEqual(new Set(kinds), new Set(['Delete']))
  t.is(attachmentClaim(root.metadata.uid, passOf(world)), undefined)
})

test('a disk taken out of a running machine is noted as made before its attachment goes', t => {
  const world = machineWorld([machine(), root, volume(), ...unnoted, ...attachments, place, address], made)
  show(world)
  const noting = judgeMachine(world).VolumesAttached
  t.is(brief(noting), 'acting Detaching Update')
  world.apply(effectsOf(noting))
  t.is(ifLost(world, volume()), 'blocked DiskLost')
  const [release] = effectsOf(judgeMachine(world).VolumesAttached)
  t.like(release, { effect: 'Delete', after: [`volume-${volume().metadata.uid}`] })
  world.apply(release === undefined ? [] : [release])
  t.is(ifLost(world, volume()), 'blocked DiskLost')
})

test('a machine that is taken over claims what it runs on, though the pool does not show it', t => {
  const world = whole(place, address)
  show(world)
  world.drop(...attachments, placedVolume(root))
  world.see({ volumes: [] })
  const names = created(judgeMachine(world).VolumesAttached)
  t.deepEqual(
    names.filter(name => name.startsWith('attachment-')),
    attachments.map(({ metadata }) => metadata.name),
  )
})

test('a disk that another machine is seen with is not claimed, until it is seen with it no more', t => {
  const [rootClaim] = attachments
  if (rootClaim === undefined) throw new Error('Cannot find the claim')
  const world = machineWorld([withData, root, volume(), ...unnoted, rootClaim, place, address], made)
  const old = machine({ name: 'old' })
  const { definition } = machineFacts(old)
  const disks = [{ name: 'data', identity: volume().metadata.uid, pool: pool1 }]
  const off = machineFacts(old, { powerState: 'Off', definition: { ...definition, disks } })
  const router = world.observed.machines(uidOf('VirtualRouter', 'router-1')).map(({ facts }) => facts)
  const see = (...facts: MachineFacts[]) =>
    world.see({ machines: [...router, ...facts].map(each => ({ endpoint: host1, facts: each })) })
  see(off)
  const { VolumesAttached, PowerApplied } = judgeMachine(world)
  t.is(brief(VolumesAttached), 'waiting DiskUsedElsewhere')
  t.regex(String(VolumesAttached && 'message' in VolumesAttached && VolumesAttached.message), /"old" on host "host-1"/)
  t.is(brief(PowerApplied), 'waiting DiskUsedElsewhere')
  see({ ...off, definition })
  t.is(brief(judgeMachine(world).VolumesAttached), 'acting Attaching Create')
})

test('a disk in a pool that the machine’s host does not reach is not claimed, and told', t => {
  const [rootClaim, dataClaim] = attachments
  if (rootClaim === undefined || dataClaim === undefined) throw new Error('Cannot find the claims')
  const far = pool({ name: 'primary-1', clusterName: 'cluster-2' })
  const world = machineWorld([withData, root, volume(), ...unnoted, rootClaim, place, address, far], made)
  const { VolumesAttached } = judgeMachine(world)
  t.is(brief(VolumesAttached), 'blocked VolumesApart')
  t.regex(
    String(VolumesAttached?.message),
    /lies in primary storage "primary-1", which the machine's host does not reach/,
  )
  world.put(pool())
  t.deepEqual(created(judgeMachine(world).VolumesAttached), [dataClaim.metadata.name])
})

test('what a machine itself is seen with, on two hosts while it migrates, keeps it from no claim', t => {
  const world = whole(place, address)
  const facts = show(world)
  const [, dataClaim] = attachments
  if (dataClaim === undefined) throw new Error('Cannot find the claim')
  world.drop(dataClaim)
  const router = world.observed.machines(uidOf('VirtualRouter', 'router-1'))
  const there = { endpoint: keyOf('Host', 'host-2'), facts: { ...facts, powerState: 'Incoming' as const } }
  world.see({ machines: [...router, { endpoint: host1, facts }, there] })
  t.deepEqual(created(judgeMachine(world).VolumesAttached), [dataClaim.metadata.name])
})

test('a disk that was given its identity is claimed only when every host was read', t => {
  const [rootClaim, dataClaim] = attachments
  if (rootClaim === undefined || dataClaim === undefined) throw new Error('Cannot find the claims')
  const given = allocation({ type: 'Identity', value: volume().metadata.uid, holder: holder(volume()) })
  const away = host({ name: 'host-9', address: '172.16.10.109' })
  const objects = [withData, root, volume(), ...unnoted, rootClaim, place, address, away]
  const world = machineWorld(objects, made)
  const key = keyOf('Host', 'host-9')
  const unread: EndpointState = { answers: 'No', listed: false, silentSince: '2026-11-02T11:00:00Z' }
  world.see({ endpoints: { [key]: unread } })
  t.is(brief(judgeMachine(world).VolumesAttached), 'acting Attaching Create')
  world.put(given)
  t.is(brief(judgeMachine(world).VolumesAttached), 'unknown HostsNotRead')
  t.is(brief(judgeMachine(world).PowerApplied), 'unknown HostsNotRead')
  world.drop(given)
  world.drop(volumeClaim(volume(), 'primary-1'))
  const elsewhere = uidOf('Volume', 'before', 'shop')
  const claim = volumeClaim(volume(), 'primary-1')
  world.put({ ...claim, spec: { ...claim.spec, holder: { ...claim.spec.holder, uid: elsewhere } } })
  t.is(brief(judgeMachine(world).VolumesAttached), 'unknown HostsNotRead', 'its claim says that it was given too')
  world.see({ endpoints: { [key]: answering } })
  t.is(brief(judgeMachine(world).VolumesAttached), 'acting Attaching Create')
})
