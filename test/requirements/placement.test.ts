import test from 'ava'
import type { CapacityThresholds } from '../../crds/infrastructure/settings.ts'
import { place } from '../../reconcilers/placement/place.ts'
import { machineClaim, volumeClaim } from '../reconcilers/claim-builders.ts'
import { hostFacts } from '../reconcilers/fact-builders.ts'
import { cluster, host, pod, pool, settings, zone } from '../reconcilers/infrastructure-builders.ts'
import { silent } from '../reconcilers/observed-tables.ts'
import { keyOf, uidOf } from '../reconcilers/resource-builder.ts'
import { machine, volume } from '../reconcilers/tenant-builders.ts'
import type { TestWorld } from '../reconcilers/world-builder.ts'
import { cloud, connected, gib, hostOf, join, poolOf, wanted } from './connected-cloud.ts'

const wide = pool({ scope: 'Zone', clusterName: undefined, zoneName: 'zone-a' })
const second = host({ name: 'host-2', address: '172.16.10.102' })
const cluster2 = cluster({ name: 'cluster-2', podName: 'pod-2' })
const pod2 = pod({ name: 'pod-2', cidr: '172.16.11.0/24', gateway: '172.16.11.1', systemIPRanges: [] })
const far = host({ name: 'far', address: '172.16.11.101', clusterName: 'cluster-2' })

/** Two pods with a cluster and a host each, and a pool that both reach. */
function twoPods(): TestWorld {
  return cloud(host(), pod2, cluster2, far, wide)
}

/** Places machines one after the other and claims what each got. */
function placeMany(world: TestWorld, count: number, changes: Parameters<typeof wanted>[0] = {}): readonly string[] {
  return Array.from({ length: count }, (_, index) => {
    const placed = place(wanted(changes), world)
    const { cores, clockMHz, memoryBytes } = wanted(changes)
    if (placed.ok) {
      world.put(machineClaim(machine({ name: `m-${index}` }), placed.hostName, { cores, clockMHz, memoryBytes }))
    }
    return hostOf(placed)
  })
}

function withoutThresholds(): ReturnType<typeof settings> {
  const whole = { notification: '0.75', disable: '1' }
  const names = ['cpu', 'memory', 'storageAllocated', 'storageUsed', 'publicIP', 'segments']
  const capacityThresholds = Object.fromEntries(names.map(name => [name, whole])) as unknown as CapacityThresholds
  return settings({ capacityThresholds })
}

const closings = [
  { title: 'VM-073 HST-037 a disabled zone', closed: zone({ allocationState: 'Disabled' }) },
  { title: 'VM-073 a zone in maintenance', closed: zone({ lifecycle: 'Maintenance' }) },
  { title: 'VM-073 HST-037 INF-048 a disabled pod', closed: pod({ allocationState: 'Disabled' }) },
  { title: 'VM-073 a pod in maintenance', closed: pod({ lifecycle: 'Maintenance' }) },
  { title: 'VM-073 HST-037 HST-040 INF-048 a disabled cluster', closed: cluster({ allocationState: 'Disabled' }) },
  { title: 'VM-073 a cluster in maintenance', closed: cluster({ lifecycle: 'Maintenance' }) },
  { title: 'VM-073 a disabled host', closed: host({ allocationState: 'Disabled' }) },
  { title: 'VM-073 HST-025 a host in maintenance', closed: host({ lifecycle: 'Maintenance' }) },
] as const

for (const { title, closed } of closings) {
  test(`${title} gets no machine, and gets them again when it is open`, t => {
    const world = cloud(host(), pool())
    t.is(hostOf(place(wanted(), world)), 'host-1')
    world.put(machineClaim(machine(), 'host-1'), closed)
    t.false(place(wanted(), world).ok)
    world.put(zone(), pod(), cluster(), host())
    t.is(hostOf(place(wanted(), world)), 'host-1')
  })
}

test('HST-039 INF-048 what runs in a disabled place stays where it is', t => {
  const world = cloud(host(), second, pool())
  const running = wanted({ hostIdentity: uidOf('Host', 'host-1'), memoryBytes: 0 })
  for (const closed of [
    host({ allocationState: 'Disabled' }),
    cluster({ allocationState: 'Disabled' }),
    pod({ allocationState: 'Disabled' }),
    zone({ allocationState: 'Disabled' }),
  ]) {
    world.put(closed)
    t.is(hostOf(place(running, world)), 'host-1', closed.kind)
  }
})

test('INF-052 INF-173 hosts, clusters and pods that join at any time are used at once', t => {
  const world = cloud(host(), wide)
  world.put(machineClaim(machine(), 'host-1', { memoryBytes: 50 * gib }))
  const large = wanted({ memoryBytes: 20 * gib })
  t.false(place(large, world).ok)
  join(world, pod2, cluster2, far)
  t.is(hostOf(place(large, world)), 'far')
})

test('OFF-034 VM-065 VM-067 first fit fills one host before it begins the next', t => {
  const world = cloud(host(), second, wide, withoutThresholds())
  t.deepEqual(placeMany(world, 6, { memoryBytes: 20 * gib }), [
    'host-1',
    'host-1',
    'host-1',
    'host-2',
    'host-2',
    'host-2',
  ])
})

test('OFF-035 VM-067 dispersing spreads machines over pods and clusters, and takes what is left when it must', t => {
  const world = twoPods()
  world.put(withoutThresholds())
  t.deepEqual(new Set(placeMany(world, 2, { planner: 'Dispersing' })), new Set(['host-1', 'far']))
  world.put(cluster({ name: 'cluster-2', podName: 'pod-2', allocationState: 'Disabled' }))
  t.is(hostOf(place(wanted({ planner: 'Dispersing' }), world)), 'host-1')
})

test('OFF-029 VM-069 only hosts that carry all tags of the offering are taken', t => {
  const world = cloud(
    host({ tags: ['ssd'] }),
    host({ name: 'host-2', address: '172.16.10.102', tags: ['gpu', 'ssd'] }),
    wide,
  )
  t.is(hostOf(place(wanted({ hostTags: ['ssd', 'gpu'] }), world)), 'host-2')
  t.is(hostOf(place(wanted({ hostTags: ['ssd', 'tape'] }), world)), 'NoHostFits')
})

test('HST-072 a machine has no more cores than its host: 16 fit, 17 do not, whatever is over-committed', t => {
  const world = cloud(cluster({ cpuOvercommitRatio: '10' }), host(), pool())
  t.true(place(wanted({ cores: 16, clockMHz: 100 }), world).ok)
  t.false(place(wanted({ cores: 17, clockMHz: 100 }), world).ok)
})

test('INF-157 HST-069 a host that joins a cluster has its over-commit: 3 × 64 GiB', t => {
  const world = cloud(cluster({ memoryOvercommitRatio: '3' }), withoutThresholds(), pool())
  join(world, host())
  t.true(place(wanted({ memoryBytes: 192 * gib }), world).ok)
  t.false(place(wanted({ memoryBytes: 192 * gib + 1 }), world).ok)
})

test('INF-156 HST-062 an edited over-commit counts for the next placement, and what is promised stays promised', t => {
  const world = cloud(host(), pool(), withoutThresholds(), machineClaim(machine(), 'host-1', { memoryBytes: 60 * gib }))
  t.false(place(wanted({ memoryBytes: 5 * gib }), world).ok)
  world.put(cluster({ memoryOvercommitRatio: '1.5' }))
  t.true(place(wanted({ memoryBytes: 36 * gib }), world).ok)
  t.false(place(wanted({ memoryBytes: 37 * gib }), world).ok)
  world.put(cluster({ memoryOvercommitRatio: '1' }))
  t.false(place(wanted({ memoryBytes: 5 * gib }), world).ok)
})

test('HST-075 every placement counts what was promised until that moment', t => {
  const world = cloud(host(), pool(), withoutThresholds())
  t.deepEqual(placeMany(world, 5, { memoryBytes: 16 * gib }), ['host-1', 'host-1', 'host-1', 'host-1', 'NoHostFits'])
  world.drop(machineClaim(machine({ name: 'm-2' }), 'host-1'))
  t.is(hostOf(place(wanted({ memoryBytes: 16 * gib }), world)), 'host-1')
})

test('INF-158 VM-074 a cluster that would pass 0.85 of its CPU or memory is passed over for another', t => {
  const world = twoPods()
  world.put(machineClaim(machine(), 'host-1', { cores: 1, clockMHz: 1, memoryBytes: 54.4 * gib - gib }))
  t.is(hostOf(place(wanted(), world)), 'host-1')
  t.is(hostOf(place(wanted({ memoryBytes: gib + 1 }), world)), 'far')
  world.put(machineClaim(machine(), 'host-1', { cores: 1, clockMHz: 0.85 * 16 * 2400 * 2 - 1000, memoryBytes: 1 }))
  t.is(hostOf(place(wanted(), world)), 'host-1')
  t.is(hostOf(place(wanted({ clockMHz: 1001 }), world)), 'far')
})

test('INF-177 hosts of different sizes: each takes what it can hold', t => {
  const world = twoPods()
  world.put(withoutThresholds())
  world.see({ hosts: { [keyOf('Host', 'far')]: hostFacts({ cores: 64, memoryBytes: 512 * gib }) } })
  t.is(hostOf(place(wanted({ cores: 16, memoryBytes: 64 * gib }), world)), 'host-1')
  t.is(hostOf(place(wanted({ cores: 64, memoryBytes: 512 * gib }), world)), 'far')
})

test('INF-178 STO-009 a cluster needs a pool, and may have several of different sizes', t => {
  const world = cloud(host())
  world.put(machineClaim(machine(), 'host-1'))
  t.is(hostOf(place(wanted(), world)), 'NoHostFits')
  join(world, pool({ capacity: '10Gi' }))
  t.is(poolOf(place(wanted(), world)), 'primary-1')
  join(world, pool({ name: 'primary-2', capacity: '100Gi' }))
  const large = wanted({ volumes: [{ identity: 'root', sizeBytes: 50 * gib, tags: [] }] })
  t.is(poolOf(place(large, world)), 'primary-2')
})

test('INF-179 the pool of each disk is chosen with the host, in the same placement', t => {
  const world = cloud(host(), pool({ tags: ['ssd'] }), pool({ name: 'primary-2', tags: ['gold'] }))
  const volumes = [
    { identity: 'root', sizeBytes: gib, tags: ['ssd'] },
    { identity: 'data', sizeBytes: gib, tags: ['gold'] },
  ]
  const placed = place(wanted({ volumes }), world)
  t.deepEqual(placed.ok && [placed.pools.root?.poolName, placed.pools.data?.poolName], ['primary-1', 'primary-2'])
})

test('INF-183 a disk on the pool of a cluster keeps its machine in that cluster; one on the pool of a zone does not', t => {
  const world = twoPods()
  join(world, pool({ name: 'near' }))
  world.put(host({ allocationState: 'Disabled' }))
  const on = (poolName: string) => wanted({ volumes: [{ identity: 'root', sizeBytes: gib, tags: [], poolName }] })
  t.is(hostOf(place(on('near'), world)), 'NoHostFits')
  t.is(hostOf(place(on('primary-1'), world)), 'far')
})

test('INF-199 STO-054 VM-055 a machine with a disk on the storage of a host is never placed on another', t => {
  const local = pool({ name: 'local', scope: 'Host', clusterName: undefined, hostName: 'host-1' })
  const world = cloud(host(), second, wide, local, machineClaim(machine({ name: 'other' }), 'host-2'))
  const here = wanted({ volumes: [{ identity: 'root', sizeBytes: gib, tags: [], poolName: 'local' }] })
  t.is(hostOf(place(here, world)), 'host-1')
  world.see({ endpoints: { [keyOf('Host', 'host-1')]: silent('2026-11-02T11:00:00Z') } })
  t.is(hostOf(place(wanted(), world)), 'host-2')
  t.false(place(here, world).ok)
})

test('OFF-019 STO-050 an offering of storage type Local puts the disk on the host itself, Shared on what several reach', t => {
  const local = pool({ name: 'local', scope: 'Host', clusterName: undefined, hostName: 'host-2' })
  const world = cloud(host(), second, wide, local)
  const of = (scope: 'Local' | 'Shared') =>
    place(wanted({ volumes: [{ identity: 'root', sizeBytes: gib, tags: [], scope }] }), world)
  t.deepEqual([hostOf(of('Local')), poolOf(of('Local'))], ['host-2', 'local'])
  t.deepEqual([hostOf(of('Shared')), poolOf(of('Shared'))], ['host-1', 'primary-1'])
})

test('OFF-047 without a pool that has all tags there is no place, and the reason says so', t => {
  const world = cloud(host(), pool({ tags: ['ssd'] }), machineClaim(machine(), 'host-1'))
  const refusal = place(wanted({ volumes: [{ identity: 'root', sizeBytes: gib, tags: ['ssd', 'gold'] }] }), world)
  t.regex(refusal.ok ? '' : refusal.message, /1 that reach no pool with the storage tags that a volume wants/)
})

test('STO-024 INF-203 no more is promised of a pool than its size times its factor: 100 GiB twice hold 20 disks of 10 GiB', t => {
  const world = cloud(host(), pool({ capacity: '100Gi', overcommitRatio: '2' }), withoutThresholds())
  const disk = wanted({ volumes: [{ identity: 'root', sizeBytes: 10 * gib, tags: [] }] })
  let held = 0
  while (held < 30 && place(disk, world).ok) {
    world.put(volumeClaim(volume({ name: `v-${held}` }), 'primary-1', { sizeBytes: 10 * gib }))
    held += 1
  }
  t.is(held, 20)
})

test('VM-006 without room anywhere the refusal counts the hosts and names none', t => {
  const world = cloud(host(), second, wide, machineClaim(machine(), 'host-1'))
  const refusal = place(wanted({ memoryBytes: 65 * gib, cores: 1 }), world)
  t.false(refusal.ok)
  t.regex(refusal.ok ? '' : refusal.message, /^None of 2 hosts fits: 2 /)
  t.notRegex(refusal.ok ? '' : refusal.message, /host-[12]/)
})

test('TPL-002 a template without an image for a hypervisor keeps its machines off those clusters', t => {
  const world = twoPods()
  world.put(cluster({ hypervisor: 'XenServer' }))
  t.is(hostOf(place(wanted(), world)), 'far')
  t.is(hostOf(place(wanted({ hypervisors: ['LXC'] }), world)), 'NoHostFits')
})

test('INF-151 one pod holds clusters of different hypervisors', t => {
  const world = cloud(cluster({ name: 'cluster-2', hypervisor: 'KVM' }), host(), wide)
  const objects = [
    host({ name: 'kvm-1', address: '172.16.10.110', clusterName: 'cluster-2', simulator: undefined, kvm: {} }),
  ]
  world.put(...objects)
  world.see(connected(objects))
  t.is(hostOf(place(wanted({ hypervisors: ['KVM'] }), world)), 'kvm-1')
  t.is(hostOf(place(wanted({ hypervisors: ['Simulator'] }), world)), 'host-1')
})

test('INF-022 a machine is placed in its own zone and nowhere else', t => {
  const world = cloud(zone({ name: 'zone-b' }), host(), pool())
  t.is(hostOf(place(wanted(), world)), 'host-1')
  t.is(hostOf(place(wanted({ zoneName: 'zone-b' }), world)), 'NoHosts')
})
