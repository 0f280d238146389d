import test from 'ava'
import type { Resource } from '../../../crds/meta.ts'
import type { ImageFacts } from '../../../drivers/contract/facts.ts'
import { primaryStorageReconciler } from '../../../reconcilers/infrastructure/primary-storage.ts'
import { secondaryStorageReconciler } from '../../../reconcilers/infrastructure/secondary-storage.ts'
import { volumeClaim } from '../claim-builders.ts'
import { brief } from '../compute/power-situations.ts'
import { volumeFacts } from '../fact-builders.ts'
import { cluster, host, pod, pool, store, zone } from '../infrastructure-builders.ts'
import { judge, judgeTeardown, reported } from '../judge.ts'
import { answering, notCalledYet, silent } from '../observed-tables.ts'
import { keyOf } from '../resource-builder.ts'
import { template, volume } from '../tenant-builders.ts'
import { worldOf } from '../world-builder.ts'

const key = keyOf('PrimaryStorage', 'primary-1')
const storeKey = keyOf('SecondaryStorage', 'secondary-1')
const later = { metadata: { creationTimestamp: '2026-11-02T00:00:00Z' } }

function cloud(self: Resource = pool(), ...more: readonly Resource[]) {
  return worldOf({ objects: [zone(), pod(), cluster(), host(), self, ...more], endpoints: { [key]: answering } })
}

const connection = (self: Resource, world = cloud(self)) => judge(primaryStorageReconciler, 'Connected', self, world)

test('a simulated pool declares itself, a directory also the hosts that reach it', t => {
  t.deepEqual(primaryStorageReconciler.endpoints?.(pool(), cloud()), [
    {
      key,
      driver: 'Simulator',
      name: 'primary-1',
      configuration: { type: 'PrimaryStorage', url: 'sim://primary-1', capacityBytes: 2 ** 41, hosts: [] },
    },
  ])
  const directory = pool({ url: 'file:///var/lib/pool', capacity: undefined })
  const world = cloud(directory)
  world.put(cluster({ hypervisor: 'KVM' }), host({ simulator: undefined }))
  t.deepEqual(primaryStorageReconciler.endpoints?.(directory, world), [
    {
      key,
      driver: 'KVM',
      name: 'primary-1',
      configuration: {
        type: 'PrimaryStorage',
        url: 'file:///var/lib/pool',
        hosts: [{ endpoint: keyOf('Host', 'host-1'), configuration: { type: 'Host', address: '172.16.10.101' } }],
      },
    },
  ])
})

test('STO-005 hosts of the zone, of the cluster, or the one host are what reaches a pool', t => {
  const world = cloud()
  const hostsOf = (self: Resource) => {
    world.put(self)
    return (reported(primaryStorageReconciler, self, world) as { hosts?: number }).hosts
  }
  world.put(
    cluster({ name: 'cluster-2' }),
    host({ name: 'host-2', address: '172.16.10.102' }),
    host({ name: 'host-3', address: '172.16.10.103', clusterName: 'cluster-2' }),
  )
  t.is(hostsOf(pool({ scope: 'Zone', clusterName: undefined, zoneName: 'zone-a' })), 3)
  t.is(hostsOf(pool()), 2)
  t.is(hostsOf(pool({ scope: 'Host', clusterName: undefined, hostName: 'host-2' })), 1)
})

test('INF-217 a pool that no host in reach can use is refused', t => {
  t.deepEqual(connection(pool({ url: 'file:///var/lib/pool' })), {
    is: 'blocked',
    reason: 'ProtocolMismatch',
    message: 'spec.url: file:// pools are for hosts of KVM, and none of those in reach is one',
  })
})

test('a pool of a kind without a driver is stalled by name', t => {
  t.like(connection(pool({ url: 'nfs://server/export' })), {
    is: 'blocked',
    reason: 'NotSupportedYet',
    message: 'spec.url: no driver serves nfs:// pools yet',
  })
})

test('STO-010 INF-180 a pool waits for the first host of its cluster', t => {
  const self = pool()
  t.like(connection(self, worldOf({ objects: [zone(), pod(), cluster(), self] })), { is: 'waiting', reason: 'NoHosts' })
})

test('one storage is one pool: of two with one URL the younger is refused and not called', t => {
  const younger = pool({ name: 'primary-2', ...later })
  const world = cloud(pool(), younger)
  t.like(connection(pool(), world), { is: 'satisfied' })
  t.like(connection(younger, world), { is: 'blocked', reason: 'URLTaken' })
  t.deepEqual(primaryStorageReconciler.endpoints?.(younger, world), [])
})

test('the same directory on two hosts is two pools', t => {
  const local = (name: string, hostName: string) =>
    pool({ name, scope: 'Host', clusterName: undefined, hostName, url: 'file:///var/lib/pool' })
  const first = local('primary-1', 'host-1')
  const world = cloud(first, local('primary-2', 'host-2'))
  world.put(cluster({ hypervisor: 'KVM' }))
  t.like(connection(first, world), { is: 'satisfied' })
})

test('a pool is Connected once its inventory was read, and says what is missing until then', t => {
  const verdict = (state: typeof answering) => {
    const world = cloud()
    world.see({ endpoints: { [key]: state } })
    return connection(pool(), world)
  }
  t.like(verdict(answering), { is: 'satisfied', reason: 'Connected' })
  t.like(verdict(notCalledYet), { is: 'unknown', reason: 'NotCalledYet' })
  t.like(verdict({ answers: 'Yes', listed: false }), { is: 'unknown', reason: 'InventoryNotRead' })
  t.deepEqual(verdict(silent('2026-11-02T11:00:00Z')), {
    is: 'waiting',
    reason: 'StorageSilent',
    message: 'The pool has not answered since 2026-11-02T11:00:00Z: connection refused',
  })
  t.like(connection(pool({ lifecycle: 'Maintenance' })), { is: 'satisfied', reason: 'InMaintenance', summary: true })
})

test('STO-042 a pool reports its space, over-commit included, and what is in it', t => {
  const self = pool({ overcommitRatio: '1.5', capacity: '1Ti' })
  const world = cloud(self)
  const [claimed, lost, trashed] = [volume(), volume({ name: 'lost' }), volume({ name: 'trashed' })]
  world.put(volumeClaim(claimed, 'primary-1'))
  const { mark: _, ...foreign } = volumeFacts(volume({ name: 'foreign' }), { sizeBytes: 2 ** 30 })
  const inTrash = volumeFacts(trashed, { trashedAt: '2026-11-02T11:00:00Z' })
  world.see({
    spaces: { [key]: { totalBytes: 2 ** 42, usedBytes: 3 * 2 ** 30 } },
    volumes: [volumeFacts(claimed), volumeFacts(lost), inTrash, foreign].map(facts => ({ endpoint: key, facts })),
    counts: { [key]: { things: 3, foreign: 1 } },
  })
  t.deepEqual(reported(primaryStorageReconciler, self, world) as unknown, {
    capacity: [{ resource: 'PrimaryStorage', total: '1536Gi', allocated: '61Gi', used: '3Gi' }],
    hosts: 1,
    volumes: 1,
    leftovers: 2,
    adoptables: 1,
  })
})

test('a pool with a disk that nobody claims is not accounted for; one in the trash has given its name away', t => {
  const world = cloud()
  const accounted = () => brief(judge(primaryStorageReconciler, 'Accounted', pool(), world))
  const lost = volume({ name: 'lost' })
  world.see({ volumes: [{ endpoint: key, facts: volumeFacts(lost) }] })
  t.is(accounted(), 'waiting LeftoversThere')
  world.see({ volumes: [{ endpoint: key, facts: volumeFacts(lost, { trashedAt: '2026-11-02T11:00:00Z' }) }] })
  t.is(accounted(), 'acting Noting Create')
  world.see({ volumes: [] })
  t.is(accounted(), 'acting Noting Create')
})

test('STO-044 a pool announces what is promised and what is really used', t => {
  const self = pool({ capacity: undefined, overcommitRatio: '4' })
  const world = cloud(self)
  const verdict = () => judge(primaryStorageReconciler, 'CapacityAvailable', self, world)
  world.see({ spaces: { [key]: { totalBytes: 100, usedBytes: 74 } } })
  t.like(verdict(), { is: 'satisfied' })
  world.see({ spaces: { [key]: { totalBytes: 100, usedBytes: 75 } } })
  t.like(verdict(), {
    is: 'waiting',
    reason: 'NearlyFull',
    message: 'Room is running out: PrimaryStorage used has reached 0.75 of what there is. Add capacity',
  })
  world.put(volumeClaim(volume(), 'primary-1', { sizeBytes: 340 }))
  t.like(verdict(), { is: 'waiting', reason: 'ThresholdPassed' })
})

test('a pool with volumes is not deleted, and names them', t => {
  const world = cloud()
  world.put(volumeClaim(volume(), 'primary-1'))
  t.like(judgeTeardown(primaryStorageReconciler, 'Unclaimed', pool(), world), {
    is: 'waiting',
    message: 'Cannot be deleted: used by Volume shop/data-1',
  })
  t.like(judgeTeardown(primaryStorageReconciler, 'Unclaimed', pool({ name: 'primary-2' }), world), { is: 'satisfied' })
})

test('a pool names the reference that its scope has', t => {
  const fields = (self: ReturnType<typeof pool>) =>
    primaryStorageReconciler.references?.(self).map(({ field, kind, name }) => `${field} ${kind.kind} ${name}`)
  t.deepEqual(fields(pool()), ['spec.clusterName HostCluster cluster-1'])
  t.deepEqual(fields(pool({ scope: 'Zone', clusterName: undefined, zoneName: 'zone-a' })), [
    'spec.zoneName Zone zone-a',
  ])
  t.deepEqual(fields(pool({ scope: 'Host', clusterName: undefined, hostName: 'host-1' })), [
    'spec.hostName Host host-1',
  ])
})

test('an image store is called, counted, and stalled by name where no driver serves it', t => {
  const world = worldOf({
    objects: [zone(), store()],
    endpoints: { [storeKey]: answering },
    spaces: { [storeKey]: { totalBytes: 2 ** 40, usedBytes: 2 ** 30 } },
  })
  t.deepEqual(secondaryStorageReconciler.endpoints?.(store(), world), [
    {
      key: storeKey,
      driver: 'Simulator',
      name: 'secondary-1',
      configuration: { type: 'SecondaryStorage', url: 'sim://secondary-1' },
    },
  ])
  t.like(judge(secondaryStorageReconciler, 'Connected', store(), world), { is: 'satisfied' })
  t.deepEqual(reported(secondaryStorageReconciler, store(), world) as unknown, {
    capacity: [{ resource: 'SecondaryStorage', total: '1Ti', allocated: '1Gi', used: '1Gi' }],
  })
  world.see({ endpoints: { [storeKey]: silent('2026-11-02T11:00:00Z') } })
  t.like(judge(secondaryStorageReconciler, 'Connected', store(), world), { is: 'waiting', reason: 'StorageSilent' })
  const nfs = store({ url: 'nfs://server/export' })
  t.like(judge(secondaryStorageReconciler, 'Connected', nfs, world), { is: 'blocked', reason: 'NotSupportedYet' })
  t.deepEqual(secondaryStorageReconciler.endpoints?.(nfs, world), [])
})

test('an image store that is deleted removes the images of templates that there are not, and no others', t => {
  const image = (name: string, changes: Partial<ImageFacts> = {}) => ({
    endpoint: storeKey,
    facts: {
      identity: `image-${name}`,
      mark: { installation: 'installation-1', kind: 'PublicTemplate', name },
      url: `sim://images/${name}`,
      sizeBytes: 2 ** 30,
      ...changes,
    },
  })
  const foreign = image('foreign', { mark: { installation: 'other', kind: 'PublicTemplate', name: 'gone' } })
  const world = worldOf({
    objects: [zone(), store(), template()],
    endpoints: { [storeKey]: answering },
    counts: { [storeKey]: { things: 1, foreign: 1 } },
  })
  const verdict = () => judgeTeardown(secondaryStorageReconciler, 'Emptied', store(), world)
  world.see({ images: [image('tiny-linux'), foreign] })
  t.like(verdict(), { is: 'waiting', reason: 'ImagesLeft' })
  world.see({ images: [image('tiny-linux'), image('gone'), foreign] })
  const removing = verdict()
  t.like(removing, { is: 'acting', reason: 'Removing', message: 'Images of templates that do not exist: gone' })
  t.deepEqual(
    removing.is === 'acting' &&
      removing.effects.map(effect => effect.effect === 'Operate' && effect.operation.identity),
    ['image-gone'],
  )
})

test('an image store goes when it is empty, or when its images are to be left', t => {
  const world = worldOf({
    objects: [zone(), store()],
    endpoints: { [storeKey]: answering },
    counts: { [storeKey]: { things: 2, foreign: 0 } },
  })
  const verdict = (self = store()) => judgeTeardown(secondaryStorageReconciler, 'Emptied', self, world)
  t.like(verdict(), { is: 'waiting', reason: 'ImagesLeft' })
  const orphan = store({ management: { mode: 'Enforce', deletionPolicy: 'Orphan' } })
  t.like(verdict(orphan), { is: 'satisfied' })
  world.see({ counts: { [storeKey]: { things: 0, foreign: 3 } } })
  t.like(verdict(), { is: 'satisfied', reason: 'Emptied' })
  world.see({ endpoints: { [storeKey]: silent('2026-11-02T11:00:00Z') } })
  t.like(verdict(), { is: 'waiting', reason: 'StorageSilent' })
})
