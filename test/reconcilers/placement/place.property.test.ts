import test from 'ava'
import fc from 'fast-check'
import type { Resource } from '../../../crds/meta.ts'
import { heldOfHost, heldOfPool } from '../../../reconcilers/holdings.ts'
import { explain, place } from '../../../reconcilers/placement/place.ts'
import type { Placed, PlacementRequest } from '../../../reconcilers/placement/request.ts'
import { machineClaim, volumeClaim } from '../claim-builders.ts'
import { hostFacts } from '../fact-builders.ts'
import { cluster, host, pod, pool, zone } from '../infrastructure-builders.ts'
import { answering } from '../observed-tables.ts'
import { keyOf, uidOf } from '../resource-builder.ts'
import { machine, volume } from '../tenant-builders.ts'
import { type TestWorld, worldOf } from '../world-builder.ts'

const gib = 2 ** 30
const hostMemory = 8 * gib
const hostCPU = 4 * 2000 * 2
const poolBytes = 64 * gib

/** Two clusters: one of 40 hosts (two groups), one of 2; a pool each, one for the zone, one of host-0 alone. */
function cloud(): TestWorld {
  const hosts = Array.from({ length: 42 }, (_, index) =>
    host({
      name: `host-${index}`,
      address: `172.16.10.${100 + index}`,
      clusterName: index < 40 ? 'cluster-1' : 'cluster-2',
      tags: index % 3 === 0 ? ['ssd'] : [],
    }),
  )
  const pools = [
    pool({ name: 'pool-1', capacity: '64Gi' }),
    pool({ name: 'pool-2', capacity: '64Gi', clusterName: 'cluster-2' }),
    pool({
      name: 'pool-zone',
      capacity: '64Gi',
      scope: 'Zone',
      clusterName: undefined,
      zoneName: 'zone-a',
      tags: ['gold'],
    }),
    pool({ name: 'pool-host', capacity: '64Gi', scope: 'Host', clusterName: undefined, hostName: 'host-0' }),
  ]
  const objects: readonly Resource[] = [zone(), pod(), cluster(), cluster({ name: 'cluster-2' }), ...hosts, ...pools]
  const hostKeys = hosts.map(({ metadata }) => keyOf('Host', metadata.name))
  const poolKeys = pools.map(({ metadata }) => keyOf('PrimaryStorage', metadata.name))
  const facts = hostFacts({ cores: 4, clockMHz: 2000, memoryBytes: hostMemory })
  return worldOf({
    objects,
    endpoints: Object.fromEntries([...hostKeys, ...poolKeys].map(key => [key, answering])),
    hosts: Object.fromEntries(hostKeys.map(key => [key, facts])),
    spaces: Object.fromEntries(poolKeys.map(key => [key, { totalBytes: poolBytes, usedBytes: 0 }])),
  })
}

const volumeArbitrary = fc.record(
  {
    sizeBytes: fc.integer({ min: 1, max: 20 }).map(size => size * gib),
    tags: fc.constantFrom<string[]>([], [], ['gold']),
    scope: fc.constantFrom<'Shared' | 'Local'>('Shared', 'Shared', 'Local'),
  },
  { requiredKeys: ['sizeBytes', 'tags'] },
)

const requestArbitrary = fc.record({
  zoneName: fc.constant('zone-a'),
  cores: fc.integer({ min: 1, max: 5 }),
  clockMHz: fc.integer({ min: 500, max: 4000 }),
  memoryBytes: fc.integer({ min: 1, max: 9 }).map(size => size * gib),
  hostTags: fc.constantFrom<string[]>([], [], ['ssd']),
  planner: fc.constantFrom<'FirstFit' | 'Dispersing'>('FirstFit', 'Dispersing'),
  volumes: fc
    .array(volumeArbitrary, { maxLength: 2 })
    .map(volumes => volumes.map((each, index) => ({ ...each, identity: `volume-${index}` }))),
})

const stepArbitrary = fc.oneof(
  { weight: 4, arbitrary: requestArbitrary },
  { weight: 1, arbitrary: fc.record({ free: fc.nat() }) },
)

test('over any sequence of requests capacity is never exceeded, and the planner and explain agree', t => {
  const property = fc.property(fc.array(stepArbitrary, { minLength: 1, maxLength: 60 }), steps => {
    const world = cloud()
    const held: Resource[][] = []
    for (const [index, step] of steps.entries()) {
      if ('free' in step) world.drop(...(held.splice(step.free % (held.length || 1), 1)[0] ?? []))
      else check(step, world, { index, held })
      checkCapacity(world)
    }
  })
  t.notThrows(() => fc.assert(property, { numRuns: 60 }))
})

function check(
  request: PlacementRequest,
  world: TestWorld,
  { index, held }: { index: number; held: Resource[][] },
): void {
  const placed = place(request, world)
  const fitting = explain(request, world).filter(({ refusals }) => refusals.length === 0)
  if (!placed.ok) {
    if (fitting.length > 0) throw new Error(`refused, but ${fitting[0]?.hostName} fits: ${placed.message}`)
    if (placed.counts.reduce((sum, { hosts }) => sum + hosts, 0) !== 42)
      throw new Error(`not 42 hosts: ${placed.message}`)
    return
  }
  const loads = fitting.map(({ hostName }) => loadOf(hostName, world))
  const isRight =
    request.planner === 'FirstFit'
      ? fitting[0]?.hostName === placed.hostName
      : loadOf(placed.hostName, world) === Math.min(...loads)
  if (!isRight)
    throw new Error(`${request.planner} chose ${placed.hostName} of ${fitting.map(({ hostName }) => hostName)}`)
  const claims = claimsOf(request, placed, `machine-${index}`)
  world.put(...claims)
  held.push(claims)
}

function claimsOf(request: PlacementRequest, placed: Placed, name: string): Resource[] {
  const { cores, clockMHz, memoryBytes } = request
  const { hostName, hostIdentity } = placed
  return [
    machineClaim(machine({ name }), hostName, { hostIdentity, cores, clockMHz, memoryBytes }),
    ...request.volumes.map(({ identity, sizeBytes }) =>
      volumeClaim(volume({ name: `${name}-${identity}` }), placed.pools[identity]?.poolName ?? 'none', { sizeBytes }),
    ),
  ]
}

function loadOf(hostName: string, world: TestWorld): number {
  const { cpuMHz, memoryBytes } = heldOfHost(uidOf('Host', hostName), world)
  return Math.max(cpuMHz / hostCPU, memoryBytes / hostMemory)
}

function checkCapacity(world: TestWorld): void {
  const sums = { 'cluster-1': 0, 'cluster-2': 0 }
  for (let index = 0; index < 42; index++) {
    if (loadOf(`host-${index}`, world) > 1) throw new Error(`host-${index} has promised more than it has`)
    sums[index < 40 ? 'cluster-1' : 'cluster-2'] += heldOfHost(uidOf('Host', `host-${index}`), world).memoryBytes
  }
  if (sums['cluster-1'] > 40 * hostMemory * 0.85 || sums['cluster-2'] > 2 * hostMemory * 0.85) {
    throw new Error('a cluster has passed its threshold')
  }
  for (const name of ['pool-1', 'pool-2', 'pool-zone', 'pool-host']) {
    const { bytes } = heldOfPool(uidOf('PrimaryStorage', name), world)
    if (bytes > poolBytes * 0.85) throw new Error(`${name} has passed its threshold`)
  }
  if (heldOfPool(uidOf('PrimaryStorage', 'none'), world).bytes > 0) throw new Error('a volume was given no pool')
}
