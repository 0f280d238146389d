import test from 'ava'
import type { Resource } from '../../../crds/meta.ts'
import { explain, place } from '../../../reconcilers/placement/place.ts'
import type { PlacementRequest, PlacementRule } from '../../../reconcilers/placement/request.ts'
import { machineClaim } from '../claim-builders.ts'
import { hostFacts } from '../fact-builders.ts'
import { cluster, host, pod, pool } from '../infrastructure-builders.ts'
import { silent } from '../observed-tables.ts'
import { keyOf } from '../resource-builder.ts'
import { machine } from '../tenant-builders.ts'
import type { TestWorld } from '../world-builder.ts'

import { cloud, connected, gib, hosts, machineOn, request } from './placement-world.ts'

/** Each rule alone refuses host-1; nothing else speaks against it. */
const rules: Readonly<Partial<Record<PlacementRule, () => { world: TestWorld; wanted?: Partial<PlacementRequest> }>>> =
  {
    PodDisabled: () => ({ world: cloudWith(pod({ allocationState: 'Disabled' })) }),
    PodInMaintenance: () => ({ world: cloudWith(pod({ lifecycle: 'Maintenance' })) }),
    ClusterDisabled: () => ({ world: cloudWith(cluster({ allocationState: 'Disabled' })) }),
    ClusterInMaintenance: () => ({ world: cloudWith(cluster({ lifecycle: 'Maintenance' })) }),
    HostDisabled: () => ({ world: cloudWith(host({ allocationState: 'Disabled' })) }),
    HostInMaintenance: () => ({ world: cloudWith(host({ lifecycle: 'Maintenance' })) }),
    HostLost: () => ({ world: cloudWith(host({ lifecycle: 'Lost' })) }),
    HostLeaving: () => ({ world: cloudWith(host({ metadata: { deletionTimestamp: '2026-11-02T11:00:00Z' } })) }),
    HostNotConnected: () => {
      const world = cloudWith()
      world.see({ endpoints: { [keyOf('Host', 'host-1')]: silent('2026-11-02T11:00:00Z') } })
      return { world }
    },
    HypervisorMismatch: () => ({ world: cloudWith(), wanted: { hypervisors: ['KVM'] } }),
    Excluded: () => ({ world: cloudWith(), wanted: { exclude: ['host-1'] } }),
    HostTagsMissing: () => ({ world: cloudWith(host({ tags: ['ssd'] })), wanted: { hostTags: ['ssd', 'gpu'] } }),
    CapabilityMissing: () => {
      const world = cloudWith()
      world.see({ hosts: { [keyOf('Host', 'host-1')]: hostFacts({ capabilities: ['MachineDefine'] }) } })
      return { world, wanted: { capabilities: ['MachineDefine', 'VirtualRouter'] } }
    },
    TooFewCores: () => ({ world: cloudWith(), wanted: { cores: 17, clockMHz: 100 } }),
    CPUExhausted: () => ({
      world: cloudWith(...hosts(8).slice(1), machineOn('host-1', { cores: 16, clockMHz: 4800 })),
      wanted: { exclude: others(8) },
    }),
    MemoryExhausted: () => ({
      world: cloudWith(...hosts(8).slice(1), machineOn('host-1', { memoryBytes: 63 * gib + 1 })),
      wanted: { exclude: others(8) },
    }),
    ClusterCPUThreshold: () => ({ world: cloudWith(), wanted: { clockMHz: 65_281 } }),
    ClusterMemoryThreshold: () => ({ world: cloudWith(), wanted: { memoryBytes: 55 * gib } }),
    NoPool: () => ({
      world: cloudWith(),
      wanted: { volumes: [{ identity: 'v', sizeBytes: 1, tags: [], scope: 'Local' }] },
    }),
    StorageTagsMissing: () => ({
      world: cloudWith(pool({ tags: ['ssd'] })),
      wanted: { volumes: [{ identity: 'v', sizeBytes: 1, tags: ['ssd', 'gold'] }] },
    }),
    PoolsClosed: () => ({ world: cloudWith(pool({ allocationState: 'Disabled' })) }),
    StorageExhausted: () => ({
      world: cloudWith(),
      wanted: { volumes: [{ identity: 'v', sizeBytes: 0.85 * 2 ** 41 + 1, tags: [] }] },
    }),
    VolumeElsewhere: () => ({
      world: cloudWith(pool({ name: 'elsewhere', scope: 'Zone', clusterName: undefined, zoneName: 'zone-b' })),
      wanted: { volumes: [{ identity: 'v', sizeBytes: 1, tags: [], poolName: 'elsewhere' }] },
    }),
  }

/** One host and one pool, with a claim somewhere so that the zone is not empty. */
function cloudWith(...objects: readonly Resource[]): TestWorld {
  const world = cloud(host(), pool())
  world.put(machineClaim(machine(), 'host-1', { cores: 1, clockMHz: 1, memoryBytes: 1 }), ...objects)
  world.see(connected(objects))
  return world
}

function others(count: number): readonly string[] {
  return hosts(count)
    .map(({ metadata }) => metadata.name)
    .slice(1)
}

for (const [rule, situation] of Object.entries(rules)) {
  test(`a host is refused by the rule ${rule}, and the refusal counts it`, t => {
    const { world, wanted = {} } = situation()
    const refusal = place(request(wanted), world)
    t.is(refusal.ok ? 'placed' : refusal.reason, 'NoHostFits')
    const counts = refusal.ok ? [] : refusal.counts
    t.is(counts.find(count => count.rule === rule)?.hosts, 1)
    t.true(counts.every(count => count.rule === rule || count.rule === 'Excluded'))
    const verdict = explain(request(wanted), world).find(({ hostName }) => hostName === 'host-1')
    t.deepEqual(verdict?.refusals, [rule])
  })
}

test('explain names every rule that speaks against a host, and none for one that fits', t => {
  const world = cloud(host({ tags: ['ssd'] }), host({ name: 'host-2', address: '172.16.10.102' }), pool())
  world.put(machineOn('host-2', { memoryBytes: 64 * gib }))
  t.deepEqual(explain(request({ hostTags: ['ssd'] }), world), [
    { hostName: 'host-1', refusals: [] },
    { hostName: 'host-2', refusals: ['HostTagsMissing', 'MemoryExhausted'] },
  ])
})
