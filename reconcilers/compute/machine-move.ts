/** Whether a machine may stay where it runs, and its way to another host when it may not. */

import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import type { AnyKind } from '../../crds/define-kind.ts'
import type { MachineClaim } from '../../crds/infrastructure/allocation.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { HostCluster } from '../../crds/infrastructure/host-cluster.ts'
import { SystemVM } from '../../crds/infrastructure/system-vm.ts'
import { VirtualRouter } from '../../crds/infrastructure/virtual-router.ts'
import { parseDuration } from '../../crds/invariants/duration.ts'
import type { CommonStatus } from '../../crds/meta.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import { type Claim, machineClaimsByHost, migratingClaims } from '../claims.ts'
import { largerSize } from '../holdings.ts'
import { settingsOf } from '../infrastructure/settings.ts'
import { zoneOfCluster } from '../infrastructure/topology.ts'
import { managementModeOf } from '../management.ts'
import { place } from '../placement/place.ts'
import type { Placement, PlacementRequest } from '../placement/request.ts'
import { satisfied, unknown, type Verdict, waiting } from '../verdict.ts'
import type { Wish, World } from '../world.ts'
import { hasLocalDisk, type ReasonToLeave, reasonToLeave } from './leaving.ts'
import { isTakenOver } from './machine-takeover.ts'
import { decideMigration, judgeMigration } from './migration.ts'
import { machinePriority, type RestartPriority, restartRank } from './restart-turn.ts'
import { isMigrating, isOff } from './whereabouts.ts'

/** A machine of any role, as far as its stay on a host goes. */
export interface MoveWish {
  readonly identity: string
  readonly claim: Claim | undefined
  /** What its next host must have; undefined while that is not known. */
  readonly request: PlacementRequest | undefined
  /** Why it is to be off; left out while it is to run. */
  readonly stops?: string
  /** Whether it may be started on another host once its own is proven off. */
  readonly movable: boolean
  /** Whether differences are only reported. */
  readonly observes: boolean
  /** Who comes first when many leave a host. */
  readonly restartPriority: RestartPriority
}

/** The condition that says whether a machine may stay where it is. */
export const settledCondition = 'Settled'

/**
 * Whether the machine may stay on its host. If it may not and runs, it is migrated, as far as the limits of Settings
 * allow; what cannot be moved stays, and says why. One that is off is the concern of its place alone.
 */
export function judgeSettled(wish: MoveWish, world: World): Verdict {
  const { identity, claim, request } = wish
  const held = claim?.spec.machine
  if (claim === undefined || held === undefined) return satisfied('NotPlaced', 'It has no place on a host')
  const reason = reasonToLeave(held.hostName, request?.placement?.hostName, world)
  const unwished = isMigrating(claim) ? whyNotOn(wish, held, reason, world) : undefined
  const migration = judgeMigration(
    { identity, claim, movable: wish.movable, ...(unwished === undefined ? {} : { unwished }) },
    world,
  )
  if (migration !== undefined) return migration
  if (reason === undefined) return satisfied('Settled')
  const endpoint = endpointKey('Host', held.hostIdentity)
  const here = world.observed.machines(identity).find(seen => seen.endpoint === endpoint)
  if (here === undefined) return satisfied('NotRunning', `${reason.why}; it is not there`)
  if (!here.current) return unknown('HostSilent', `${reason.why}; whether it still runs there is not known`)
  if (isOff(here.facts)) return satisfied('NotRunning', `${reason.why}; it is off`)
  if (!isTakenOver(claim, world)) return waiting('NotAdopted', `${reason.why}. It is taken over first`)
  if (wish.stops !== undefined) return waiting('Stopping', `${reason.why}. ${wish.stops}`)
  if (here.facts.powerState !== 'Running') {
    return waiting('NotRunning', `${reason.why}. Only a machine that runs can be moved: it is ${here.facts.powerState}`)
  }
  return judgeStay(wish, claim, { ...held, ...largerSize(held, here.facts.definition) }, reason, world)
}

/** Why a migration under way is no longer to be; undefined while it is. */
function whyNotOn(
  { stops, request }: MoveWish,
  held: MachineClaim,
  reason: ReasonToLeave | undefined,
  world: World,
): string | undefined {
  if (stops !== undefined) return stops
  if (reason === undefined) return 'Nothing wishes it away from its host any more'
  const target = held.targetHostName ?? ''
  const away = reasonToLeave(target, request?.placement?.hostName, world)
  return away === undefined ? undefined : `The host it was going to will not do any more: ${away.why}`
}

/** It is moved as it is defined: `held` is of the size that it has where it runs. */
function judgeStay(wish: MoveWish, claim: Claim, held: MachineClaim, reason: ReasonToLeave, world: World): Verdict {
  const { request, observes, restartPriority } = wish
  if (observes) return waiting('ObserveOnly', `${reason.why}. spec.management.mode "Observe" touches nothing`)
  if (request === undefined) return waiting('OfferingNotFound', `${reason.why}. What it needs is not known`)
  const obstacle = obstacleOf(request, claim, held, reason, world)
  if (obstacle !== undefined) return obstacle
  const queue = `migration/${held.hostName}`
  const waits = { queue, priority: restartRank[restartPriority] }
  const queued = world.queued(queue)
  const full = noSlot(held, queued) ?? (reason.empties ? whoGoesFirst(restartPriority, held, queued) : undefined)
  if (full !== undefined) return waiting('WaitsForSlot', `${reason.why}. ${full}`, waits)
  const target = findTarget(request, claim, held, queued)
  if (!target.ok) {
    return waiting(target.reason, `${reason.why}, and no other host takes it. ${target.message}`, waits)
  }
  return decideMigration(claim, held, target, world)
}

/** What keeps it where it is, whatever room there is elsewhere. */
function obstacleOf(
  request: PlacementRequest,
  claim: Claim,
  held: MachineClaim,
  reason: ReasonToLeave,
  world: World,
): Verdict | undefined {
  const stop = 'stop it and start it again to move it'
  if (hasLocalDisk(request, world)) {
    return waiting(
      'LocalDisk',
      `${reason.why}. A disk of it is on that host's own storage: it stays there, stop it (runStrategy Halted) before the host is switched off`,
    )
  }
  const capabilities = world.observed.host(endpointKey('Host', held.hostIdentity))?.capabilities
  if (capabilities === undefined) return unknown('HostNotListed', `Host "${held.hostName}" has not been read yet`)
  if (!capabilities.includes('LiveMigration')) {
    return waiting(
      'LiveMigrationLacking',
      `${reason.why}. Host "${held.hostName}" cannot migrate what runs (capability LiveMigration): ${stop}`,
    )
  }
  if (request.placement?.hostName === held.hostName) {
    return waiting('PinnedToHost', `${reason.why}. spec.placement.hostName wishes it there: take that out`)
  }
  const { migrationFailedAt, migrationFailedTo } = claim.spec.notes ?? {}
  const { retryDelay } = settingsOf(world).migrations
  if (migrationFailedAt === undefined || world.elapsed(migrationFailedAt, parseDuration(retryDelay))) return undefined
  return waiting(
    'MigrationFailed',
    `${reason.why}. Its migration to host "${migrationFailedTo}" failed at ${migrationFailedAt} and is tried again after ${retryDelay}`,
  )
}

/** Why it is not its turn; undefined when it is. Reads through the queue: a slot that frees wakes the next one only. */
function noSlot(held: MachineClaim, queued: World): string | undefined {
  const { perSourceHost, perZone } = settingsOf(queued).migrations
  const moving = queued.desired.list(migratingClaims, 'all')
  const leaving = moving.filter(({ spec }) => spec.machine?.hostName === held.hostName).length
  if (leaving >= perSourceHost) {
    return `${leaving} machines are leaving host "${held.hostName}" already (Settings spec.migrations.perSourceHost)`
  }
  const zone = zoneOfHost(held.hostName, queued)
  const inZone = moving.filter(({ spec }) => zoneOfHost(spec.machine?.hostName ?? '', queued) === zone).length
  if (inZone >= perZone)
    return `${inZone} machines are moving in zone "${zone}" already (Settings spec.migrations.perZone)`
  return undefined
}

/** Those of a higher priority leave a host first, the control plane's own before all. */
function whoGoesFirst(priority: RestartPriority, held: MachineClaim, queued: World): string | undefined {
  if (priority === 'System') return undefined
  const before = queued.desired
    .list(machineClaimsByHost, held.hostName)
    .find(other => !isMigrating(other) && waitsForItsTurn(other, priority, queued))
  return before === undefined ? undefined : `${before.spec.holder.kind} "${before.spec.holder.name}" goes first`
}

function zoneOfHost(hostName: string, world: World): string | undefined {
  const clusterName = world.desired.get(Host, hostName)?.spec.clusterName
  return clusterName === undefined ? undefined : zoneOfCluster(clusterName, world)
}

/**
 * Whether a machine of a higher priority has not begun to move, though nothing but its turn keeps it. One that nobody
 * moves is not waited for.
 */
function waitsForItsTurn({ spec: { holder } }: Claim, priority: RestartPriority, world: World): boolean {
  const kind = movedKinds.find(each => each.kind === holder.kind)
  if (kind === undefined) return false
  const object = world.desired.get(kind, holder.name, holder.namespace)
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return false
  const own = kind === VirtualMachine ? machinePriority(object as Wish<typeof VirtualMachine>, world) : 'System'
  if (restartRank[own] <= restartRank[priority] || managementModeOf(object, world) === 'Pause') return false
  const pick = ({ conditions }: CommonStatus) => conditions?.find(({ type }) => type === settledCondition)?.reason
  const reason = world.desired.status(kind, holder.name, holder.namespace, pick)
  return reason === 'Settled' || reason === 'WaitsForSlot' || reason === 'Migrating'
}

const movedKinds: readonly AnyKind[] = [VirtualMachine, VirtualRouter, SystemVM]

/** Another host than the one to which a migration failed, if there is one. */
function findTarget(wanted: PlacementRequest, claim: Claim, held: MachineClaim, queued: World): Placement {
  const failed = claim.spec.notes?.migrationFailedTo
  const exclude = [...(wanted.exclude ?? []), held.hostName, ...busyTargets(queued)]
  if (failed !== undefined) {
    const other = findNear({ ...wanted, exclude: [...exclude, failed] }, held, queued)
    if (other.ok) return other
  }
  return findNear({ ...wanted, exclude }, held, queued)
}

/** A host of its cluster, else, where the hypervisor can, one of another cluster of the same hypervisor. */
function findNear(wanted: PlacementRequest, held: MachineClaim, queued: World): Placement {
  const { cores, clockMHz, memoryBytes } = held
  const clusterName = queued.desired.get(Host, held.hostName)?.spec.clusterName
  const hypervisor =
    clusterName === undefined ? undefined : queued.desired.get(HostCluster, clusterName)?.spec.hypervisor
  const capabilities: PlacementRequest['capabilities'] = [...(wanted.capabilities ?? []), 'LiveMigration']
  const hypervisors = hypervisor === undefined ? {} : { hypervisors: [hypervisor] }
  const request = { ...wanted, cores, clockMHz, memoryBytes, capabilities, ...hypervisors }
  const cluster = clusterName === undefined ? {} : { clusterName }
  const near = { ...request, placement: { ...request.placement, ...cluster } }
  if (hypervisor === 'KVM') return place(near, queued)
  const inCluster = request.placement?.hostName === undefined ? place(near, queued) : undefined
  return inCluster?.ok ? inCluster : place(request, queued)
}

/** Hosts to which as many machines are coming as may at a time. */
function busyTargets(queued: World): readonly string[] {
  const { perTargetHost } = settingsOf(queued).migrations
  const coming = Map.groupBy(
    queued.desired.list(migratingClaims, 'all'),
    ({ spec }) => spec.machine?.targetHostName ?? '',
  )
  return [...coming].flatMap(([hostName, claims]) => (claims.length >= perTargetHost ? [hostName] : []))
}
