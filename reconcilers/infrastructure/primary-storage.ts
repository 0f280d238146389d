import { Host } from '../../crds/infrastructure/host.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { PrimaryStorage } from '../../crds/infrastructure/primary-storage.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import { volumeClaimsByPool } from '../claims.ts'
import { defineReconciler, type Mutable, type Reference } from '../define-reconciler.ts'
import { heldOfPool } from '../holdings.ts'
import { blocked, satisfied, unknown, type Verdict, waiting } from '../verdict.ts'
import { defineDerived, type StatusOf, type Wish, type World } from '../world.ts'
import { accounted, accountForgotten, type Place } from './accounted.ts'
import { capacityList, judgeCapacity } from './capacity.ts'
import { trashEmptied, trashGone } from './pool-trash.ts'
import { quiesced } from './quiescence.ts'
import { poolCapacity } from './roll-ups.ts'
import { olderPoolAt, poolDriver, poolReach, schemeOf } from './storage-endpoint.ts'
import { unclaimed } from './users.ts'

type Pool = Wish<typeof PrimaryStorage>

function references({ spec }: Pool): readonly Reference[] {
  const { clusterName, hostName, zoneName } = spec
  return [
    ...(zoneName === undefined ? [] : [{ kind: Zone, name: zoneName, field: 'spec.zoneName' }]),
    ...(clusterName === undefined ? [] : [{ kind: HostCluster, name: clusterName, field: 'spec.clusterName' }]),
    ...(hostName === undefined ? [] : [{ kind: Host, name: hostName, field: 'spec.hostName' }]),
  ]
}

function judgeConnection(self: Pool, world: World): Verdict {
  const { lifecycle, url } = self.spec
  const driver = poolDriver(self)
  if (driver === undefined) {
    return blocked('NotSupportedYet', `spec.url: no driver serves ${schemeOf(url)}:// pools yet`)
  }
  const other = olderPoolAt(self, world)
  if (other !== undefined) {
    return blocked(
      'URLTaken',
      `spec.url: ${url} is the pool of PrimaryStorage "${other.metadata.name}": one storage is one pool`,
    )
  }
  const { hosts, served } = world.derived(poolReach, self.metadata.name)
  if (hosts === 0) return waiting('NoHosts', 'No host reaches the pool: it is used once its zone or cluster has one')
  if (served === 0) {
    return blocked(
      'ProtocolMismatch',
      `spec.url: ${schemeOf(url)}:// pools are for hosts of ${driver}, and none of those in reach is one`,
    )
  }
  const { answers, listed, message = 'no reason given', silentSince } = world.observed.endpoint(keyOf(self, world))
  if (answers === 'No') {
    const since = silentSince === undefined ? '' : ` since ${silentSince}`
    return waiting('StorageSilent', `The pool has not answered${since}: ${message}`)
  }
  if (answers === 'Unknown') return unknown('NotCalledYet', 'The pool is being called')
  if (!listed) return unknown('InventoryNotRead', 'The pool answers; its inventory is being read')
  if (lifecycle === 'Active') return satisfied('Connected')
  return {
    ...satisfied(
      'InMaintenance',
      'No new volume is placed here, and no machine runs with one of those here. The condition Quiesced says how far that is',
    ),
    summary: true,
  }
}

function keyOf(self: Pool, world: World) {
  return endpointKey('PrimaryStorage', world.identity(self))
}

/** Counts of a pool, by its name: remembered, so that a burst of claims does not wake the pool with each. */
const poolCounts = defineDerived('poolCounts', (poolName, world) => {
  const pool = world.desired.get(PrimaryStorage, poolName)
  if (pool === undefined) return { volumes: 0, leftovers: 0, adoptables: 0 }
  const { claims, leftovers } = heldOfPool(world.identity(pool), world)
  return { volumes: claims, leftovers, adoptables: world.observed.counts(keyOf(pool, world)).foreign }
})

function report(status: Mutable<StatusOf<typeof PrimaryStorage>>, { metadata: { name } }: Pool, world: World): void {
  status.capacity = capacityList(world.derived(poolCapacity, name))
  status.hosts = world.derived(poolReach, name).hosts
  Object.assign(status, world.derived(poolCounts, name))
}

const place: Place<typeof PrimaryStorage> = {
  key: keyOf,
  leftovers: (self, world) => heldOfPool(world.identity(self), world).namesakes,
}

/** Pools are called through what reaches them, and count their space. They go when no volume is claimed in them. */
export const primaryStorageReconciler = defineReconciler(PrimaryStorage, {
  references,
  endpoints: (self, world) => world.derived(poolReach, self.metadata.name).endpoints,
  phases: [
    { condition: 'Connected', judge: judgeConnection },
    {
      condition: 'CapacityAvailable',
      informational: true,
      judge: (self, world) => judgeCapacity(world.derived(poolCapacity, self.metadata.name), world),
    },
    accounted(place),
    trashEmptied,
    quiesced,
  ],
  teardown: [
    trashGone,
    unclaimed((self, world) => world.desired.list(volumeClaimsByPool, self.metadata.name)),
    accountForgotten(place),
  ],
  report,
})
