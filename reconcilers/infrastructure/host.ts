import { Host } from '../../crds/infrastructure/host.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import type { HostPod } from '../../crds/infrastructure/host-pod.ts'
import { addressToNumber, parseRange } from '../../crds/invariants/addresses.ts'
import { contains } from '../../crds/invariants/number-range.ts'
import { formatQuantity } from '../../crds/invariants/quantity.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import { machineClaimsByHost, straysByHostIdentity } from '../claims.ts'
import { defineReconciler, type Mutable, type Phase } from '../define-reconciler.ts'
import { heldOfHost } from '../holdings.ts'
import { namesOf } from '../names.ts'
import { blocked, satisfied, unknown, type Verdict, waiting } from '../verdict.ts'
import type { StatusOf, Wish, World } from '../world.ts'
import { accounted, accountForgotten, type Place } from './accounted.ts'
import { capacityList, judgeCapacity } from './capacity.ts'
import { disksFreed } from './disks-in-use.ts'
import { evacuated } from './evacuation.ts'
import { fenceOf } from './fencing.ts'
import {
  hostDriver,
  hostEndpoints,
  hostKey,
  isReadable,
  olderAtPowerController,
  olderNamesake,
  powerKey,
} from './host-endpoint.ts'
import { fenceForgotten, lossContained } from './host-failure.ts'
import { hostLifecycle } from './lifecycle.ts'
import { hostCapacity } from './roll-ups.ts'
import { olderPoolAt, poolDriver } from './storage-endpoint.ts'
import { allPods, poolsByReach } from './topology.ts'
import { unclaimed } from './users.ts'
import { poolsReached } from './witnesses.ts'

type HostWish = Wish<typeof Host>

const valid: Phase<typeof Host> = { condition: 'Valid', judge: judgeValidity }

function judgeValidity(self: HostWish, world: World): Verdict {
  const { address, clusterName, kvm, simulator } = self.spec
  const hypervisor = world.desired.get(HostCluster, clusterName)?.spec.hypervisor
  if (hypervisor === 'Simulator' && simulator === undefined) {
    return blocked(
      'SizeMissing',
      `spec.simulator must say how large the host is: cluster "${clusterName}" is simulated`,
    )
  }
  const foreign = hypervisor === 'Simulator' ? kvm && 'kvm' : hypervisor && simulator && 'simulator'
  if (foreign !== undefined) {
    return blocked(
      'HypervisorMismatch',
      `spec.${foreign} does not fit cluster "${clusterName}", whose hosts run ${hypervisor}: remove it`,
    )
  }
  const namesake = olderNamesake(self, world)
  if (namesake !== undefined) {
    return blocked(
      'AddressTaken',
      `spec.address: ${address} is that of Host "${namesake.metadata.name}": give the host an address of its own`,
    )
  }
  const sharing = olderAtPowerController(self, world)
  if (sharing !== undefined) {
    const among = self.spec.powerControl?.driver === 'Redfish' ? ', or each its own system by redfish.systemID' : ''
    return blocked(
      'PowerControllerTaken',
      `spec.powerControl.address: ${self.spec.powerControl?.address} is that of Host "${sharing.metadata.name}", whose power it tells: give the host its own${among}`,
    )
  }
  const reserving = podReserving(address, world)
  if (reserving === undefined) return satisfied('Valid')
  const pod = reserving.metadata.name
  return blocked(
    'AddressReserved',
    `spec.address: ${address} lies in spec.systemIPRanges of HostPod "${pod}": take one outside`,
  )
}

/** The pod that reserves an address for system VMs. Names are not looked up: they reserve nothing. */
function podReserving(address: string, world: World): Wish<typeof HostPod> | undefined {
  const number = numberOf(address)
  if (number === undefined) return undefined
  return world.desired
    .list(allPods, 'all')
    .find(({ spec }) => spec.systemIPRanges.some(range => contains(parseRange(range.addresses), number)))
}

function numberOf(address: string): number | undefined {
  return /^\d+\.\d+\.\d+\.\d+$/.test(address) ? addressToNumber(address) : undefined
}

const connected: Phase<typeof Host> = { condition: 'Connected', judge: judgeConnection }

function judgeConnection(self: HostWish, world: World): Verdict {
  const { clusterName, lifecycle } = self.spec
  const cluster = world.desired.get(HostCluster, clusterName)
  if (hostDriver(self, world) === undefined) {
    if (cluster === undefined) return waiting('HostClusterNotFound', `HostCluster "${clusterName}" does not exist`)
    const { hypervisor } = cluster.spec
    return blocked(
      'NotSupportedYet',
      `No driver serves ${hypervisor} yet (HostCluster "${clusterName}" spec.hypervisor)`,
    )
  }
  if (olderNamesake(self, world) !== undefined) {
    return waiting('NotCalled', 'The host is not called while its address is that of another host')
  }
  const { answers, listed, message = 'no reason given', silentSince } = world.observed.endpoint(hostKey(self, world))
  if (answers === 'No') {
    const power = powerEvidence(self, world)
    const since = silentSince === undefined ? '' : ` since ${silentSince}`
    return waiting(
      lifecycle === 'Lost' ? 'Lost' : 'HostSilent',
      `The host has not answered${since}: ${message}. ${power}`,
    )
  }
  if (answers === 'Unknown') return unknown('NotCalledYet', 'The host is being called')
  if (!listed) return unknown('InventoryNotRead', 'The host answers; its inventory is being read')
  const effective = world.derived(hostLifecycle, self.metadata.name)
  if (effective.lifecycle === 'Maintenance') {
    const message = `${effective.by} is in maintenance: nothing new is placed here. The condition Evacuated says how far it is empty`
    return satisfied('InMaintenance', message, { summary: true })
  }
  return satisfied('Connected')
}

function powerEvidence(self: HostWish, world: World): string {
  if (self.spec.powerControl === undefined) return 'It has no power controller'
  const key = powerKey(self, world)
  const power = world.observed.power(key)
  if (world.observed.endpoint(key).answers === 'No') return 'Its power controller does not answer either'
  if (power === undefined) return 'Its power controller has not said anything'
  return `Its power controller says ${power.power}${power.confirmed ? ', confirmed' : ''}`
}

const storagesConnected: Phase<typeof Host> = { condition: 'StoragesConnected', judge: judgeStorages }

function judgeStorages(self: HostWish, world: World): Verdict {
  // A pool that is wrongly described is nobody's to connect: it says so itself, and the hosts are well.
  const pools = poolsReached(self, world).filter(
    pool => poolDriver(pool) !== undefined && olderPoolAt(pool, world) === undefined,
  )
  if (pools.length === 0) return satisfied('NoStorages')
  const silent = pools.filter(pool => {
    const state = world.observed.endpoint(endpointKey('PrimaryStorage', world.identity(pool)))
    return state.answers !== 'Yes' || !state.listed
  })
  if (silent.length === 0) return satisfied('Connected')
  return waiting(
    'StorageNotConnected',
    `PrimaryStorage not connected: ${namesOf(silent.map(({ metadata }) => metadata.name))}`,
  )
}

const capacityAvailable: Phase<typeof Host> = {
  condition: 'CapacityAvailable',
  informational: true,
  judge: (self, world) => judgeCapacity(world.derived(hostCapacity, self.metadata.name), world),
}

function report(status: Mutable<StatusOf<typeof Host>>, self: HostWish, world: World): void {
  const { name } = self.metadata
  const key = hostKey(self, world)
  const facts = world.observed.host(key)
  status.capacity = capacityList(world.derived(hostCapacity, name))
  const { claims, leftovers } = heldOfHost(world.identity(self), world)
  status.machines = claims
  if (self.spec.powerControl !== undefined)
    status.powerState = world.observed.power(powerKey(self, world))?.power ?? 'Unknown'
  if (facts === undefined) return
  status.hypervisorVersion = facts.hypervisorVersion
  status.cores = facts.cores
  status.clockMHz = facts.clockMHz
  status.memory = formatQuantity(facts.memoryBytes, 'Bytes')
  status.leftovers = leftovers
  status.adoptables = world.observed.counts(key).foreign
}

const place: Place<typeof Host> = {
  key: hostKey,
  leftovers: (self, world) => heldOfHost(world.identity(self), world).leftovers,
  strays: (self, world) => world.desired.list(straysByHostIdentity, world.identity(self)).length,
  keptFor: (self, world) => {
    if (!isReadable(self, world)) return undefined
    if (self.spec.lifecycle !== 'Lost') return 'If it is off for good, set its spec.lifecycle to Lost'
    const fence = fenceOf(self.metadata.name, world)
    return fence.fenced ? undefined : fence.why
  },
}

/** Hosts are called, their capacity is counted, and their loss is proven or named. They go when no machine is on them. */
export const hostReconciler = defineReconciler(Host, {
  references: ({ spec }) => [{ kind: HostCluster, name: spec.clusterName, field: 'spec.clusterName' }],
  endpoints: hostEndpoints,
  phases: [valid, connected, accounted(place), lossContained, storagesConnected, capacityAvailable, evacuated],
  usedBy: [{ index: poolsByReach, value: ({ metadata }) => `Host/${metadata.name}` }],
  teardown: [
    unclaimed((self, world) => world.desired.list(machineClaimsByHost, self.metadata.name)),
    disksFreed,
    fenceForgotten,
    accountForgotten(place),
  ],
  report,
})
