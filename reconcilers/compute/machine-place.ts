import type { Holder, MachineClaim } from '../../crds/infrastructure/allocation.ts'
import { Host } from '../../crds/infrastructure/host.ts'
import { type EndpointKey, endpointIdentity, endpointKey } from '../../drivers/contract/endpoint.ts'
import type { MachineFacts } from '../../drivers/contract/facts.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { type Claim, claimMachine, claimVolume, isGiven, machineClaim, moveClaim } from '../claims.ts'
import { observe, operate, remove } from '../effect.ts'
import { heldByMachine } from '../holdings.ts'
import { fenceOf } from '../infrastructure/fencing.ts'
import { hostNameAt } from '../infrastructure/topology.ts'
import { namesOf } from '../names.ts'
import { isOurs } from '../ownership.ts'
import { hostsNotReadSince, place, placeNew, whyUnknown } from '../placement/place.ts'
import type { Placement, PlacementRequest } from '../placement/request.ts'
import { diskNotSeen } from '../storage/volume-place.ts'
import { acting, blocked, satisfied, unknown, type Verdict, waiting } from '../verdict.ts'
import type { Seen, World } from '../world.ts'
import { hasLocalDisk, reasonToLeave } from './leaving.ts'
import { incomingSide, judgeCopies, mainCopy } from './machine-copies.ts'
import { judgeFound } from './machine-found.ts'
import { isDiskMissing } from './machine-request.ts'
import { type HeldIdentity, judgeNowhere, judgeSighting, judgeTakenOver } from './machine-takeover.ts'
import { judgeLeaving } from './migration.ts'
import { awaitTurn, type RestartPriority, restartRank } from './restart-turn.ts'
import { isMigrating, isOff, whereSeen } from './whereabouts.ts'

/** A machine of any role, as far as its place on a host goes. */
export interface PlaceWish extends HeldIdentity {
  readonly request: PlacementRequest
  /** Whether it needs a place at all now; one that it has is kept all the same. */
  readonly wanted: boolean
  /** Whether it may be started on another host once its own is proven off. */
  readonly movable: boolean
  /** Who comes first when many look for another host. */
  readonly restartPriority: RestartPriority
  /** Whether it is off because it has ended by itself, so that it is not to be started. Default: it has not. */
  readonly rests?: boolean
  /** Holders of the volumes that the placement may claim, by volume identity. */
  readonly volumeHolders: Readonly<Record<string, Holder>>
}

/**
 * Whether the machine holds a place on a host. Its claim, and those of its volumes, are written before any operation;
 * they move only on proof that the machine is not at the old place.
 */
export function judgePlace(wish: PlaceWish, world: World): Verdict {
  const claim = machineClaim(wish.identity, world)
  if (claim === undefined) return judgeUnplaced(wish, world)
  const held = claim.spec.machine
  if (held === undefined) return blocked('ClaimUnusable', `Allocation "${claim.metadata.name}" names no host`)
  if (isMigrating(claim)) return judgeMigrating(wish.identity, claim, held, world)
  const found = judgeFound(wish.identity, claim, world)
  if (found !== undefined) return found
  const taking = judgeTakenOver(claim, whereSeen(wish.identity, claim, world), world)
  if (taking !== undefined) return taking
  if (world.observed.endpoint(endpointKey('Host', held.hostIdentity)).answers === 'No') {
    return judgeLost(wish, claim, held, world)
  }
  const away = judgeAway(wish, claim, held, world)
  if (away !== undefined) return away
  if (hasCapacityOf(held, wish.request)) return satisfied('Placed', `Host "${held.hostName}"`)
  return judgeResize(wish, claim, held, world)
}

/** It has its place while it moves: where it is now is for its migration to find out. */
function judgeMigrating(identity: string, claim: Claim, held: MachineClaim, world: World): Verdict {
  if (whereSeen(identity, claim, world)?.current !== true) {
    const fence = fenceOf(held.hostName, world, { hostIdentity: held.hostIdentity })
    const silent = world.observed.endpoint(endpointKey('Host', held.hostIdentity)).answers === 'No'
    if (silent) return unknown('HostSilent', fence.fenced ? 'Its host is proven off' : fence.why)
  }
  return satisfied('Placed', `Host "${held.hostName}", from where it is being migrated to "${held.targetHostName}"`)
}

/**
 * A machine that is off does not come up again on a host that is being emptied, or that it is wished away from: it gets
 * another place when it is to run, and none when it is not. One that ended by itself stays, off, as it is.
 */
function judgeAway(wish: PlaceWish, claim: Claim, held: MachineClaim, world: World): Verdict | undefined {
  const { identity, request } = wish
  const reason = reasonToLeave(held.hostName, request.placement?.hostName, world)
  if (reason === undefined || wish.rests === true) return undefined
  const endpoint = endpointKey('Host', held.hostIdentity)
  if (!world.observed.endpoint(endpoint).listed) return undefined
  const here = world.observed.machines(identity).find(seen => seen.endpoint === endpoint)
  if (here !== undefined && !isOff(here.facts)) return undefined
  if (!wish.wanted) return reason.empties ? judgeNoPlace(wish, claim, here !== undefined, world) : undefined
  const exclude = [...(request.exclude ?? []), held.hostName]
  const placed = findPlace(wish, { ...request, exclude }, world)
  if (!placed.ok) {
    const message = `${reason.why}, and there is no other place to start it at. ${placed.message}`
    return waiting(placed.reason, message, queueOf(wish))
  }
  if (here !== undefined) return leaveHost(wish, claim, endpoint, reason.why)
  if (!world.observed.provenAbsent(identity, endpoint)) {
    return acting('ProvingAbsence', `Host "${held.hostName}" is being listed`, observe(endpoint))
  }
  const machine = capacityClaim(request, placed)
  return acting('Moving', `${reason.why}: moving its place to host "${placed.hostName}"`, moveClaim(claim, { machine }))
}

/** One whose disk is on the host's own storage keeps its place: it could be started nowhere else. */
function judgeNoPlace(wish: PlaceWish, claim: Claim, isDefined: boolean, world: World): Verdict | undefined {
  const held = claim.spec.machine
  if (held === undefined || hasLocalDisk(wish.request, world)) return undefined
  const endpoint = endpointKey('Host', held.hostIdentity)
  if (isDefined) return leaveHost(wish, claim, endpoint, `Host "${held.hostName}" is in maintenance`)
  return judgeRelease(claim, wish.identity, world)
}

function leaveHost({ identity }: PlaceWish, claim: Claim, endpoint: EndpointKey, why: string): Verdict {
  const removal = operation('RemoveMachine', { endpoint, identity }, { identity, epoch: claim.spec.epoch })
  return acting('LeavingHost', why, operate(removal, [claim.metadata.name]))
}

function judgeUnplaced(wish: PlaceWish, world: World): Verdict {
  const { identity, holder, request } = wish
  const namesake = world.observed.named(holder.kind, holder.namespace, holder.name).filter(other => other !== identity)
  if (namesake.length > 0) return identityConflict(holder.kind, namesake)
  const seen = world.observed.machines(identity)
  if (!wish.wanted && seen.length === 0) return satisfied('NotNeeded', 'The machine is off and holds no place')
  const there = seen.length > 1 ? mainCopy(seen, world) : seen[0]
  const copies = seen.length > 1 ? judgeCopies({ identity, holder, seen, main: there }, world) : undefined
  if (copies !== undefined) return copies
  const silent = judgeSighting(wish, there, world)
  if (silent !== undefined) return silent
  const seenAt = there?.endpoint
  // A definition that is off says nothing of where it runs: it may be what was left where it was before.
  const unread = there === undefined || isOff(there.facts) ? judgeUnread(wish, world) : undefined
  if (unread !== undefined) return unread
  const nowhere = there === undefined ? judgeNowhere(wish, world) : undefined
  if (nowhere !== undefined) return nowhere
  const missing = there === undefined ? request.volumes.find(volume => isDiskMissing(volume, world)) : undefined
  if (missing !== undefined) return diskNotSeen(missing.identity, request.zoneName, world)
  const queued = world.queued(queueOf(wish).queue)
  const placed = seenAt === undefined ? placeNew(request, queued) : place(whereItIs(request, seenAt), queued)
  if (!placed.ok) return waiting(placed.reason, placed.message, queueOf(wish))
  // What is there already holds what it has, whatever is wished by now: that it may grow is for its resize to find out.
  const size = there !== undefined && isOurs(there.facts, world) ? there.facts.definition : request
  const route = routeSeen(incomingSide(seen, there), world)
  const machine = { ...capacityClaim(size, placed), ...route }
  const notes = route === undefined ? {} : { notes: { migrationBegunAt: world.now() } }
  const volumes = Object.entries(placed.pools).map(([volume, pool]) => {
    const sizeBytes = request.volumes.find(({ identity: id }) => id === volume)?.sizeBytes ?? 0
    return claimVolume(volume, wish.volumeHolders[volume] ?? holder, { ...pool, sizeBytes }, world)
  })
  return acting(
    'Placing',
    `Claiming a place on host "${placed.hostName}"`,
    claimMachine(identity, holder, { machine, ...notes }, world),
    ...volumes,
  )
}

/** A migration that goes on without a claim gets one: it is brought to its end as any other. */
function routeSeen(
  incoming: Seen<MachineFacts> | undefined,
  world: World,
): Pick<MachineClaim, 'targetHostName' | 'targetHostIdentity'> | undefined {
  if (incoming === undefined) return undefined
  const { endpoint } = incoming
  return { targetHostName: hostNameAt(endpoint, world), targetHostIdentity: endpointIdentity(endpoint) }
}

/**
 * A machine that was given its identity, or one of its disks, was there before: after a loss of the API's store it may
 * run, without a claim, on a host that nobody has read since. It is started nowhere else before that is known.
 */
function judgeUnread({ identity, request }: PlaceWish, world: World): Verdict | undefined {
  const given = [identity, ...request.volumes.map(volume => volume.identity)].find(each => isGiven(each, world))
  if (given === undefined) return undefined
  const why = whyUnknown(request.zoneName, world)
  const what = given === identity ? 'The machine is not placed' : `The machine is not placed for its disk ${given}`
  if (why !== undefined) return unknown('HostsNotRead', `${what}: ${why}`)
  return given === identity ? judgeReadAgain(identity, request.zoneName, world) : undefined
}

/** A machine that was given its identity may run where nobody has told of it yet: every host is read once more. */
function judgeReadAgain(identity: string, zoneName: string, world: World): Verdict | undefined {
  const unlisted = hostsNotReadSince(identity, zoneName, world)
  if (unlisted.length === 0) return undefined
  const silent = unlisted.filter(({ answers }) => !answers).map(({ hostName }) => `"${hostName}"`)
  if (silent.length > 0)
    return unknown(
      'HostsNotRead',
      `The machine is not placed: it was given its identity, and may run on a host that does not answer: ${namesOf(silent)}. Bring the host back, or switch it off and set its spec.lifecycle to Lost`,
    )
  return acting(
    'ProvingAbsence',
    'Whether a host has it already is being read',
    ...unlisted.map(({ key }) => observe(key)),
  )
}

/** The same installation's mark for the same name, but another identity: somebody else's machine until it is rebound. */
export function identityConflict(kind: string, identities: readonly string[]): Verdict {
  return blocked(
    'IdentityConflict',
    `A ${kind} of this name exists outside under the identity ${identities.join(', ')}: run "skystead adopt --rebind" to take it over, or remove it there`,
  )
}

function findPlace(wish: PlaceWish, request: PlacementRequest, world: World) {
  return place(request, world.queued(queueOf(wish).queue))
}

/** Where it waits for a place: what ran and has lost its host comes before what is new, the control plane's own before all. */
function queueOf({ request, restartPriority }: PlaceWish, why?: 'HostLost') {
  const isRanked = why === 'HostLost' || restartPriority === 'System'
  return { queue: `placement/${request.zoneName}`, priority: isRanked ? restartRank[restartPriority] : 0 }
}

/** What is seen keeps its place whatever disks it is to have: those get their pools afterwards, from there. */
function whereItIs(request: PlacementRequest, endpoint: EndpointKey): PlacementRequest {
  return { ...request, hostIdentity: endpointIdentity(endpoint), volumes: [] }
}

/** The host does not answer. Only a fence frees what it held. */
function judgeLost(wish: PlaceWish, claim: Claim, held: MachineClaim, world: World): Verdict {
  const fence = fenceOf(held.hostName, world, { hostIdentity: held.hostIdentity })
  if (!fence.fenced) return unknown('HostSilent', fence.why)
  if (!wish.wanted || !wish.movable || claim.spec.notes?.guestEndedAt !== undefined) {
    return satisfied('Placed', `Host "${held.hostName}", which is proven off`)
  }
  if (wish.request.volumes.some(({ scope }) => scope === 'Local')) {
    return satisfied(
      'Placed',
      `Host "${held.hostName}", which is proven off: a disk on that host's own storage keeps the machine there`,
    )
  }
  if (world.operations(wish.identity).some(({ state }) => state === 'Running')) {
    return waiting('Fencing', 'An operation on the lost host has not ended yet')
  }
  const queued = awaitTurn(wish.restartPriority, held, world)
  if (queued !== undefined) return queued
  const placed = findRestartPlace(wish, held, world)
  if (!placed.ok) return waiting(placed.reason, placed.message, queueOf(wish, 'HostLost'))
  const leaving = judgeLeaving(claim, held, world)
  if (leaving !== undefined) return leaving
  return acting(
    'Moving',
    `Host "${held.hostName}" is proven off (${fence.by}): moving the claim to host "${placed.hostName}"`,
    moveClaim(claim, { machine: capacityClaim(wish.request, placed), notes: { hostLostAt: world.now() } }),
  )
}

/** A place on another host: in the same cluster if there is one, else anywhere that its disks can be reached (VM-052). */
function findRestartPlace(wish: PlaceWish, held: MachineClaim, world: World): Placement {
  const exclude = [...(wish.request.exclude ?? []), held.hostName]
  const request: PlacementRequest = { ...wish.request, exclude, isRestart: true }
  const clusterName = world.desired.get(Host, held.hostName)?.spec.clusterName
  if (request.placement !== undefined || clusterName === undefined) return findPlace(wish, request, world)
  const near = findPlace(wish, { ...request, placement: { clusterName } }, world)
  return near.ok ? near : findPlace(wish, request, world)
}

/** The offering has changed. The claim follows while the machine is off: in place where there is room, elsewhere if not. */
function judgeResize(wish: PlaceWish, claim: Claim, held: MachineClaim, world: World): Verdict {
  const { identity, request } = wish
  const endpoint = endpointKey('Host', held.hostIdentity)
  const here = world.observed.machines(identity).find(seen => seen.endpoint === endpoint)
  if (here !== undefined && !isOff(here.facts)) return satisfied('Placed', `Host "${held.hostName}"`)
  const freed = heldByMachine(identity, held, world)
  const inPlace = findPlace(wish, { ...request, hostIdentity: held.hostIdentity, freed }, world)
  if (inPlace.ok) {
    const machine = capacityClaim(request, inPlace)
    return acting('Resizing', `Host "${held.hostName}" has room`, moveClaim(claim, { machine }))
  }
  if (!wish.wanted || wish.rests === true) return satisfied('Placed', `Host "${held.hostName}"`)
  if (here !== undefined) return leaveHost(wish, claim, endpoint, inPlace.message)
  return judgeRelease(claim, identity, world) ?? waiting('LeavingHost', inPlace.message)
}

/** Gives a claim back once a complete listing of its host lacks the machine; asks for one until then. */
export function judgeRelease(claim: Claim, identity: string, world: World): Verdict | undefined {
  const held = claim.spec.machine
  if (held === undefined) return acting('Releasing', 'The claim names no host', remove(claim))
  const endpoint = endpointKey('Host', held.hostIdentity)
  const here = world.observed.machines(identity).find(seen => seen.endpoint === endpoint)
  if (here?.current === true && !isOurs(here.facts, world)) {
    return acting('Releasing', `What host "${held.hostName}" has of it is not ours`, remove(claim))
  }
  if (world.observed.provenAbsent(identity, endpoint)) {
    return acting('Releasing', `Host "${held.hostName}" no longer holds the machine`, remove(claim))
  }
  const fence = fenceOf(held.hostName, world, { hostIdentity: held.hostIdentity })
  if (world.observed.endpoint(endpoint).answers === 'No') {
    if (!fence.fenced) return unknown('HostSilent', fence.why)
    const leaving = judgeLeaving(claim, held, world)
    return leaving ?? acting('Releasing', `Host "${held.hostName}" is proven off`, remove(claim))
  }
  return acting('ProvingAbsence', `Host "${held.hostName}" is being listed`, observe(endpoint))
}

function capacityClaim(
  { cores, clockMHz, memoryBytes }: Pick<MachineClaim, 'cores' | 'clockMHz' | 'memoryBytes'>,
  { hostName, hostIdentity }: { readonly hostName: string; readonly hostIdentity: string },
): MachineClaim {
  return { hostName, hostIdentity, cores, clockMHz, memoryBytes }
}

function hasCapacityOf(held: MachineClaim, request: PlacementRequest): boolean {
  return held.cores === request.cores && held.clockMHz === request.clockMHz && held.memoryBytes === request.memoryBytes
}
