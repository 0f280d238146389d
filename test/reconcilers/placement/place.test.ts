import test from 'ava'
import { Host } from '../../../crds/infrastructure/host.ts'
import { place, placeNew } from '../../../reconcilers/placement/place.ts'
import type { PlacementRequest } from '../../../reconcilers/placement/request.ts'
import { allocation, holder, inventoryNote, machineClaim, volumeClaim } from '../claim-builders.ts'
import { hostFacts, machineFacts, volumeFacts } from '../fact-builders.ts'
import { cluster, host, pod, pool, settings, zone } from '../infrastructure-builders.ts'
import { answering, noSignOfLife, notCalledYet, silent } from '../observed-tables.ts'
import { keyOf, uidOf } from '../resource-builder.ts'
import { machine, volume } from '../tenant-builders.ts'

import { cloud, gib, hostNameOf, hosts, machineOn, request } from './placement-world.ts'

test('OFF-034 first fit takes the first host with enough capacity, in a stable order', t => {
  const world = cloud(...hosts(3), pool())
  t.deepEqual(place(request(), world), {
    ok: true,
    hostName: 'host-1',
    hostIdentity: uidOf('Host', 'host-1'),
    pools: { root: { poolName: 'primary-1', poolIdentity: uidOf('PrimaryStorage', 'primary-1') } },
  })
  world.put(machineClaim(machine(), 'host-1', { memoryBytes: 64 * gib }))
  t.is(hostNameOf(place(request(), world)), 'host-2')
})

test('the dispersing planner takes the host and the pool with the smallest promised share', t => {
  const world = cloud(...hosts(3), pool(), pool({ name: 'primary-2' }))
  world.put(
    machineClaim(machine({ name: 'a' }), 'host-1', { memoryBytes: 2 * gib }),
    machineClaim(machine({ name: 'b' }), 'host-2', { memoryBytes: gib }),
    machineClaim(machine({ name: 'c' }), 'host-3', { memoryBytes: gib, cores: 16 }),
    volumeClaim(volume(), 'primary-1'),
  )
  const placed = place(request({ planner: 'Dispersing' }), world)
  t.is(hostNameOf(placed), 'host-2')
  t.is(placed.ok && placed.pools.root?.poolName, 'primary-2')
})

test('HST-037 HST-039 INF-048 a disabled zone takes nothing new', t => {
  const world = cloud(...hosts(1), pool(), zone({ allocationState: 'Disabled' }))
  const refusal = place(request(), world)
  t.is(hostNameOf(refusal), 'ZoneClosed: Zone "zone-a" has allocationState Disabled')
  t.is(hostNameOf(place(request({ zoneName: 'zone-b' }), world)), 'ZoneNotFound: Zone "zone-b" does not exist')
})

test('HST-058 HST-060 capacity is what is real times the factor: 2 GiB twice with three machines of 1 GiB leaves room for one', t => {
  const world = cloud(cluster({ memoryOvercommitRatio: '2' }), host(), pool())
  const whole = { notification: '0.75', disable: '1' }
  world.put(
    settings({
      capacityThresholds: {
        cpu: whole,
        memory: whole,
        storageAllocated: whole,
        storageUsed: whole,
        publicIP: whole,
        segments: whole,
      },
    }),
  )
  world.see({ hosts: { [keyOf('Host', 'host-1')]: hostFacts({ memoryBytes: 2 * gib }) } })
  for (const name of ['a', 'b', 'c']) world.put(machineClaim(machine({ name }), 'host-1', { memoryBytes: gib }))
  t.true(place(request(), world).ok)
  world.put(machineClaim(machine({ name: 'd' }), 'host-1', { memoryBytes: gib }))
  t.false(place(request(), world).ok)
})

test('HST-042 INF-158 a cluster that would pass its disable threshold is skipped until it falls below', t => {
  const world = cloud(
    cluster({ name: 'cluster-2' }),
    host(),
    host({ name: 'host-2', address: '172.16.10.102', clusterName: 'cluster-2' }),
    pool({ scope: 'Zone', clusterName: undefined, zoneName: 'zone-a' }),
  )
  const full = machineClaim(machine(), 'host-1', { memoryBytes: 54 * gib })
  world.put(full)
  t.is(hostNameOf(place(request(), world)), 'host-2')
  world.drop(full)
  t.is(hostNameOf(place(request(), world)), 'host-1')
})

test('INF-206 STO-021 STO-022 a pool above a threshold takes no new volumes, promised or used', t => {
  const world = cloud(...hosts(1), pool(), pool({ name: 'primary-2' }))
  const poolOf = () => {
    const placed = place(request(), world)
    return placed.ok ? placed.pools.root?.poolName : placed.reason
  }
  t.is(poolOf(), 'primary-1')
  const promised = volumeClaim(volume(), 'primary-1', { sizeBytes: 0.85 * 2 ** 41 - 8 * gib + 1 })
  world.put(promised)
  t.is(poolOf(), 'primary-2')
  world.drop(promised)
  t.is(poolOf(), 'primary-1')
  world.see({ spaces: { [keyOf('PrimaryStorage', 'primary-1')]: { totalBytes: 2 ** 41, usedBytes: 0.86 * 2 ** 41 } } })
  t.is(poolOf(), 'primary-2')
})

test('STO-042 a pool promises its size times its factor', t => {
  const world = cloud(...hosts(1), pool({ capacity: '100Gi', overcommitRatio: '2' }))
  const volumes = (size: number) => [{ identity: 'v', sizeBytes: size * gib, tags: [] }]
  t.true(place(request({ volumes: volumes(170) }), world).ok)
  t.false(place(request({ volumes: volumes(171) }), world).ok)
})

test('OFF-028 OFF-046 STO-018 STO-020 INF-202 a pool must carry all tags of the offering; more tags and their order do not matter', t => {
  const world = cloud(...hosts(1), pool({ tags: ['ssd'] }), pool({ name: 'primary-2', tags: ['fast', 'gold', 'ssd'] }))
  const placed = place(request({ volumes: [{ identity: 'v', sizeBytes: 1, tags: ['ssd', 'gold'] }] }), world)
  t.is(placed.ok && placed.pools.v?.poolName, 'primary-2')
})

test('several volumes of one machine do not take the same space twice', t => {
  const world = cloud(...hosts(1), pool({ capacity: '100Gi' }), pool({ name: 'primary-2', capacity: '100Gi' }))
  const volumes = ['a', 'b'].map(identity => ({ identity, sizeBytes: 50 * gib, tags: [] }))
  const placed = place(request({ volumes }), world)
  t.deepEqual(placed.ok && Object.values(placed.pools).map(({ poolName }) => poolName), ['primary-1', 'primary-2'])
  t.false(place(request({ volumes: [...volumes, { identity: 'c', sizeBytes: 50 * gib, tags: [] }] }), world).ok)
})

test('OFF-029 host tags restrict placement to hosts that carry all of them', t => {
  const world = cloud(host(), host({ name: 'host-2', address: '172.16.10.102', tags: ['gpu', 'ssd'] }), pool())
  t.is(hostNameOf(place(request({ hostTags: ['ssd'] }), world)), 'host-2')
})

test('OFF-019 local volumes go to a pool of the host itself, shared ones do not', t => {
  const local = pool({ name: 'local-2', scope: 'Host', clusterName: undefined, hostName: 'host-2' })
  const world = cloud(...hosts(2), pool(), local)
  const wanted = (scope: 'Local' | 'Shared') => request({ volumes: [{ identity: 'v', sizeBytes: 1, tags: [], scope }] })
  t.is(hostNameOf(place(wanted('Local'), world)), 'host-2')
  t.is(hostNameOf(place({ ...wanted('Shared'), exclude: ['host-1'] }, world)), 'host-2')
  const shared = place({ ...wanted('Shared'), exclude: ['host-1'] }, world)
  t.is(shared.ok && shared.pools.v?.poolName, 'primary-1')
})

test('STO-050 a volume that exists keeps its machine where its pool is reached', t => {
  const local = pool({ name: 'local-2', scope: 'Host', clusterName: undefined, hostName: 'host-2' })
  const world = cloud(...hosts(2), pool(), local)
  const volumes = [{ identity: 'v', sizeBytes: 1, tags: [], poolName: 'local-2' }]
  t.is(hostNameOf(place(request({ volumes }), world)), 'host-2')
  t.is(
    hostNameOf(place(request({ volumes, placement: { hostName: 'host-1' } }), world)),
    `VolumesApart: The volume in pool "local-2" cannot be reached where the machine's other volumes or its spec.placement have it`,
  )
})

test('an operator may wish a host, a cluster or a pod', t => {
  const world = cloud(
    ...hosts(2),
    pod({ name: 'pod-2', cidr: '172.16.11.0/24' }),
    cluster({ name: 'cluster-2', podName: 'pod-2' }),
    host({ name: 'host-9', address: '172.16.11.101', clusterName: 'cluster-2' }),
    pool({ scope: 'Zone', clusterName: undefined, zoneName: 'zone-a' }),
  )
  const wished = (placement: NonNullable<PlacementRequest['placement']>) =>
    hostNameOf(place(request({ placement }), world))
  t.is(wished({ hostName: 'host-2' }), 'host-2')
  t.is(wished({ clusterName: 'cluster-2' }), 'host-9')
  t.is(wished({ podName: 'pod-2' }), 'host-9')
  t.is(
    wished({ podName: 'pod-3' }),
    'NoHosts: Zone "zone-a" has no host in pod "pod-3": add one, or change spec.placement',
  )
  t.is(
    wished({ hostName: 'host-7' }),
    'NoHosts: Zone "zone-a" has no host named "host-7": add one, or change spec.placement',
  )
  world.put(host({ name: 'host-2', address: '172.16.10.102', allocationState: 'Disabled' }))
  t.is(wished({ hostName: 'host-2' }), 'NoHostFits: None of 1 hosts fits: 1 with allocationState Disabled')
})

const silentFromTheStart = {
  answers: 'No',
  listed: false,
  message: 'connection refused',
  silentSince: '2026-11-02T11:00:00Z',
} as const

test('nothing new is placed until every host and pool was read that may have it already', t => {
  const self = host({ name: 'host-2', address: '172.16.10.102' })
  const other = pool({ name: 'primary-2', url: 'sim://primary-2' })
  const world = cloud(...hosts(2), pool(), other, machineOn('host-1'))
  const placed = () => hostNameOf(placeNew(request(), world))
  t.is(placed(), 'host-1')
  for (const state of [notCalledYet, silentFromTheStart]) {
    world.see({ endpoints: { [keyOf('Host', 'host-2')]: state } })
    t.regex(placed(), /^InventoriesNotRead: .*missing: Host "host-2"\. A host that is off for good can be declared so/)
    t.is(hostNameOf(place(request(), world)), 'host-1', 'what has a place is moved all the same')
  }
  world.put(host({ name: 'host-2', address: '172.16.10.102', lifecycle: 'Lost', powerControl: undefined }))
  t.regex(placed(), /missing: Host "host-2"/, 'nobody has looked for signs of life yet')
  world.see({ lives: { [keyOf('Host', 'host-2')]: noSignOfLife } })
  t.is(placed(), 'host-1', "the operator's word")
  world.put(self, inventoryNote(self))
  t.is(placed(), 'host-1', 'nothing was left over there')
  world.see({ endpoints: { [keyOf('PrimaryStorage', 'primary-2')]: silentFromTheStart } })
  t.regex(placed(), /missing: PrimaryStorage "primary-2"/)
  world.put({ ...other, metadata: { ...other.metadata, deletionTimestamp: '2026-11-02T11:00:00Z', finalizers: ['x'] } })
  t.is(placed(), 'host-1', "the operator's word")
  world.put(other, inventoryNote(other))
  t.is(placed(), 'host-1', 'nothing was left over there')
})

test('the own pool of a host is waited for as the host is, and goes with it when it is lost', t => {
  const local = pool({ name: 'local', url: 'sim://local', scope: 'Host', clusterName: undefined, hostName: 'host-2' })
  const wide = pool({ name: 'wide', url: 'sim://wide', scope: 'Zone', clusterName: undefined, zoneName: 'zone-a' })
  const world = cloud(...hosts(2), pool(), local, wide)
  const placed = () => hostNameOf(placeNew(request(), world))
  world.see({ endpoints: { [keyOf('PrimaryStorage', 'local')]: silentFromTheStart } })
  t.regex(placed(), /missing: PrimaryStorage "local"/)
  world.put(host({ name: 'host-2', address: '172.16.10.102', lifecycle: 'Lost', powerControl: undefined }))
  t.regex(placed(), /missing: PrimaryStorage "local"/, 'the host answers')
  world.see({
    endpoints: { [keyOf('Host', 'host-2')]: silentFromTheStart },
    lives: { [keyOf('Host', 'host-2')]: noSignOfLife },
  })
  t.is(placed(), 'host-1')
  world.see({ endpoints: { [keyOf('PrimaryStorage', 'wide')]: notCalledYet } })
  t.regex(placed(), /missing: PrimaryStorage "wide"/)
})

test('a refusal tells tenants counts and no host names', t => {
  const world = cloud(...hosts(3), pool(), host({ tags: ['gpu'] }), machineOn('host-1', { memoryBytes: 64 * gib }))
  world.see({ endpoints: { [keyOf('Host', 'host-2')]: silent('2026-11-02T11:00:00Z') } })
  const refusal = place(request({ hostTags: ['gpu'] }), world)
  t.is(
    refusal.ok ? '' : refusal.message,
    'None of 3 hosts fits: 1 not connected, 1 without a host tag of the offering, 1 with too little memory left',
  )
})

test('a machine that is seen on a host is placed there, whether or not the host takes new ones', t => {
  const world = cloud(host(), host({ name: 'host-2', address: '172.16.10.102', allocationState: 'Disabled' }), pool())
  world.put(machineOn('host-2', { memoryBytes: 64 * gib }), zone({ allocationState: 'Disabled' }))
  const hostIdentity = uidOf('Host', 'host-2')
  const volumes = [{ identity: 'root', sizeBytes: gib, tags: [], poolIdentity: uidOf('PrimaryStorage', 'primary-1') }]
  const placed = place(request({ hostIdentity, hostTags: ['ssd'], volumes }), world)
  t.is(hostNameOf(placed), 'host-2')
  t.is(placed.ok && placed.pools.root?.poolName, 'primary-1')
  t.is(
    hostNameOf(place(request({ hostIdentity: 'e0' }), world)),
    'VolumesApart: The machine is on the host of identity e0, which is not declared: apply that Host again',
  )
  const elsewhere = [{ identity: 'root', sizeBytes: gib, tags: [], poolIdentity: 'e1' }]
  t.is(
    hostNameOf(place(request({ hostIdentity, volumes: elsewhere }), world)),
    'NoHostFits: None of 1 hosts fits: 1 that cannot reach the pool of a volume',
  )
})

test('a machine that grows on its host needs room there beside what it holds already', t => {
  const world = cloud(...hosts(2), pool())
  world.put(machineOn('host-1', { memoryBytes: 60 * gib }))
  const grow = (size: number) =>
    place(
      request({
        hostIdentity: uidOf('Host', 'host-1'),
        memoryBytes: size * gib,
        freed: { cpuMHz: 1000, memoryBytes: 60 * gib },
      }),
      world,
    )
  t.is(hostNameOf(grow(64)), 'host-1')
  t.is(hostNameOf(grow(65)), 'NoHostFits: None of 1 hosts fits: 1 with too little memory left')
})

test('a host and a pool are found by an identity that was given to them', t => {
  const world = cloud(host(), pool())
  const [given] = world.all(Host)
  if (given === undefined) return t.fail('there is no host')
  world.put(allocation({ type: 'Identity', value: 'e1', holder: holder(given) }))
  world.see({ endpoints: { 'Host/e1': answering }, hosts: { 'Host/e1': hostFacts() } })
  const placed = place(request({ hostIdentity: 'e1' }), world)
  t.is(placed.ok ? placed.hostIdentity : placed.message, 'e1')
  t.false(place(request({ hostIdentity: given.metadata.uid }), world).ok)
})

test('a machine whose host has promised too much already may shrink there', t => {
  const world = cloud(...hosts(1), pool())
  world.put(
    machineOn('host-1', { memoryBytes: 60 * gib }),
    machineClaim(machine({ name: 'b' }), 'host-1', { memoryBytes: 8 * gib }),
  )
  const freed = { cpuMHz: 1000, memoryBytes: 8 * gib }
  const resized = (size: number) =>
    hostNameOf(place(request({ hostIdentity: uidOf('Host', 'host-1'), memoryBytes: size * gib, freed }), world))
  t.is(resized(7), 'host-1')
  t.is(resized(9), 'NoHostFits: None of 1 hosts fits: 1 with too little memory left')
})

test('what is seen on a host or in a pool and has no claim takes its room, whosever it is', t => {
  const world = cloud(...hosts(2), pool({ capacity: '40Gi' }), pool({ name: 'primary-2' }))
  const [lost, disk] = [machine({ name: 'lost' }), volume({ name: 'lost-root' })]
  const facts = machineFacts(lost, { powerState: 'Off' })
  const { mark: _, ...foreign } = machineFacts(machine({ name: 'foreign' }))
  const see = (memory: number, seen: typeof foreign = facts) =>
    world.see({
      machines: [
        {
          endpoint: keyOf('Host', 'host-1'),
          facts: { ...seen, definition: { ...facts.definition, memoryBytes: memory * gib } },
        },
      ],
      volumes: [
        { endpoint: keyOf('PrimaryStorage', 'primary-1'), facts: volumeFacts(disk, { sizeBytes: memory * gib }) },
      ],
    })
  const where = () => {
    const placed = place(request(), world)
    return placed.ok ? `${placed.hostName} ${placed.pools.root?.poolName}` : placed.message
  }
  see(1)
  t.is(where(), 'host-1 primary-1')
  see(64)
  t.is(where(), 'host-2 primary-2')
  see(64, foreign)
  t.is(where(), 'host-2 primary-2')
})

const tagged = settings({ restartHostTag: 'ha' })

test('HST-101 VM-057 a host that is reserved for restarts takes these and nothing else, and they go to no other', t => {
  const world = cloud(
    host({ name: 'host-1', tags: ['ha'] }),
    host({ name: 'host-2', address: '172.16.10.102' }),
    pool(),
  )
  t.is(hostNameOf(place(request(), world)), 'host-1', 'without the setting it is a tag like any other')
  world.put(tagged)
  t.is(hostNameOf(place(request(), world)), 'host-2')
  t.is(hostNameOf(place(request({ isRestart: true }), world)), 'host-1')
})

test('HST-102 VM-058 without a reserved host no machine is restarted elsewhere, and the message says why', t => {
  const world = cloud(...hosts(2), pool())
  world.put(tagged)
  t.is(
    hostNameOf(place(request({ isRestart: true }), world)),
    'NoHostFits: None of 2 hosts fits: 2 not reserved for machines whose host was lost (Settings restartHostTag)',
  )
})

test('OPS-105 an operator may put a machine on a reserved host by name', t => {
  const world = cloud(host({ name: 'host-1', tags: ['ha'] }), pool())
  world.put(tagged)
  t.is(hostNameOf(place(request({ placement: { hostName: 'host-1' } }), world)), 'host-1')
})
