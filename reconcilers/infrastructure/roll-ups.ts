/** The capacity of each place, remembered: a host's, a group's, a cluster's, a pod's, a zone's. */

import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { HostPod } from '../../crds/infrastructure/host-pod.ts'
import { PhysicalNetwork } from '../../crds/infrastructure/physical-network.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { PublicIPRange } from '../../crds/infrastructure/public-ip-range.ts'
import { SecondaryStorage } from '../../crds/infrastructure/secondary-storage.ts'
import { addressToNumber, parseRange } from '../../crds/invariants/addresses.ts'
import { contains, merged, parseNumberRange, poolSize } from '../../crds/invariants/number-range.ts'
import { parseBytes } from '../../crds/invariants/quantity.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import { allocatedByRealm } from '../claims.ts'
import { heldOfHost, heldOfPool } from '../holdings.ts'
import { candidateOf } from '../placement/candidates.ts'
import { poolSpace } from '../placement/pools.ts'
import { defineDerived, defineIndex, type Wish, type World } from '../world.ts'
import { type Amounts, sumAmounts } from './capacity.ts'
import {
  clustersByPod,
  groupKey,
  hostGroups,
  hostsOfGroup,
  physicalNetworksByZone,
  podsByZone,
  poolsByReach,
  publicRangesByZone,
  storesByZone,
} from './topology.ts'

/** CPU and memory of a host, by its name. Used is what machines hold that are seen running there. */
export const hostCapacity = defineDerived('hostCapacity', (hostName, world): Amounts => {
  const host = world.derived(candidateOf, hostName)
  if (host === undefined) return {}
  const { cpuMHz, memoryBytes, runningCPUMHz, runningMemoryBytes } = heldOfHost(host.hostIdentity, world)
  return {
    CPU: { total: host.cpuMHz, allocated: cpuMHz, used: runningCPUMHz },
    Memory: { total: host.memoryBytes, allocated: memoryBytes, used: runningMemoryBytes },
  }
})

/** A group's hosts, and the pools that only one of them reaches. */
const groupCapacity = defineDerived('groupCapacity', (key, world): Amounts => {
  const { hosts } = hostsOfGroup(key, world)
  return sumAmounts([
    ...hosts.map(hostName => world.derived(hostCapacity, hostName)),
    ...hosts.flatMap(hostName => poolsReaching(`Host/${hostName}`, world)),
  ])
})

/** A cluster's hosts and pools, those of single hosts included, by its name. */
export const clusterCapacity = defineDerived('clusterCapacity', (clusterName, world): Amounts => {
  const groups = world.derived(hostGroups, clusterName)
  return sumAmounts([
    ...groups.map((_, index) => world.derived(groupCapacity, groupKey(clusterName, index))),
    ...poolsReaching(`Cluster/${clusterName}`, world),
  ])
})

function poolsReaching(reach: string, world: World): readonly Amounts[] {
  return world.desired.list(poolsByReach, reach).map(({ metadata }) => world.derived(poolCapacity, metadata.name))
}

/** A pod's clusters and system addresses, by its name. */
export const podCapacity = defineDerived('podCapacity', (podName, world): Amounts => {
  const pod = world.desired.get(HostPod, podName)
  const clusters = world.desired.list(clustersByPod, podName)
  return sumAmounts([
    ...clusters.map(({ metadata }) => world.derived(clusterCapacity, metadata.name)),
    ...(pod === undefined ? [] : [systemAddresses(pod, world)]),
  ])
})

function systemAddresses(pod: Wish<typeof HostPod>, world: World): Amounts {
  const total = poolSize(merged(pod.spec.systemIPRanges.map(({ addresses }) => parseRange(addresses))))
  const { count = 0 } = world.desired.total(allocatedByRealm, `SystemIP/${pod.metadata.uid}`)
  return { SystemIP: { total, allocated: count, used: count } }
}

/** All of a zone, by its name. */
export const zoneCapacity = defineDerived(
  'zoneCapacity',
  (zoneName, world): Amounts =>
    sumAmounts([
      ...world.desired.list(podsByZone, zoneName).map(({ metadata }) => world.derived(podCapacity, metadata.name)),
      ...poolsReaching(`Zone/${zoneName}`, world),
      ...world.desired.list(storesByZone, zoneName).map(({ metadata }) => world.derived(storeCapacity, metadata.name)),
      ...world.desired
        .list(publicRangesByZone, zoneName)
        .map(({ metadata }) => world.derived(publicRangeCapacity, metadata.name)),
      ...world.desired
        .list(physicalNetworksByZone, zoneName)
        .map(({ metadata }) => world.derived(segmentCapacity, metadata.name)),
    ]),
)

/** A pool's space, by its name. */
export const poolCapacity = defineDerived('poolCapacity', (poolName, world): Amounts => {
  const pool = world.desired.get(PrimaryStorage, poolName)
  if (pool === undefined) return {}
  const { totalBytes, usedBytes } = poolSpace(pool, world)
  const total = Math.floor(totalBytes * Number(pool.spec.overcommitRatio))
  const { bytes } = heldOfPool(world.identity(pool), world)
  return { PrimaryStorage: { total, allocated: bytes, used: usedBytes, real: totalBytes } }
})

/** An image store's space, by its name. What is used is what is promised. */
export const storeCapacity = defineDerived('storeCapacity', (storeName, world): Amounts => {
  const store = world.desired.get(SecondaryStorage, storeName)
  if (store === undefined) return {}
  const space = world.observed.space(endpointKey('SecondaryStorage', world.identity(store)))
  const { capacity } = store.spec
  const total = capacity === undefined ? (space?.totalBytes ?? 0) : parseBytes(capacity)
  const used = space?.usedBytes ?? 0
  return { SecondaryStorage: { total, allocated: used, used } }
})

/** A physical network's segments, by its name. */
export const segmentCapacity = defineDerived('segmentCapacity', (name, world): Amounts => {
  const network = world.desired.get(PhysicalNetwork, name)
  if (network === undefined || network.spec.segments.length === 0) return {}
  const total = poolSize(merged(network.spec.segments.map(parseNumberRange)))
  const { count = 0 } = world.desired.total(allocatedByRealm, `Segment/${network.metadata.uid}`)
  return { GuestNetworkSegment: { total, allocated: count, used: count } }
})

/** A public range's addresses, by its name. */
export const publicRangeCapacity = defineDerived('publicRangeCapacity', (name, world): Amounts => {
  const range = world.desired.get(PublicIPRange, name)
  if (range === undefined) return {}
  const total = poolSize(merged(range.spec.addresses.map(parseRange)))
  const count = publicAddressesTaken(range, world).length
  return { PublicIP: { total, allocated: count, used: count } }
})

/** Public addresses taken, by the first three parts of the address: a range is looked through block by block. */
const publicAddressesByBlock = defineIndex(Allocation, 'publicAddressesByBlock', ({ spec: { type, value } }) =>
  type === 'PublicIP' ? [value.slice(0, value.lastIndexOf('.'))] : [],
)

/** The Allocations of a public range's addresses. */
export function publicAddressesTaken(
  { spec }: Wish<typeof PublicIPRange>,
  world: World,
): readonly Wish<typeof Allocation>[] {
  return merged(spec.addresses.map(parseRange)).flatMap(range => {
    const blocks = Array.from(
      { length: Math.floor(range.last / 256) - Math.floor(range.first / 256) + 1 },
      (_, index) => Math.floor(range.first / 256) + index,
    )
    return blocks
      .flatMap(block => world.desired.list(publicAddressesByBlock, blockName(block)))
      .filter(({ spec: { value } }) => contains(range, addressToNumber(value)))
  })
}

function blockName(block: number): string {
  return [65536, 256, 1].map(place => Math.floor(block / place) % 256).join('.')
}
