import type { RunStrategy } from '../../crds/compute/virtual-machine.ts'
import type { ClaimNotes } from '../../crds/infrastructure/allocation.ts'
import type { EndpointKey } from '../../drivers/contract/endpoint.ts'
import type { DriverErrorCode } from '../../drivers/contract/errors.ts'
import type { MachineDefinition, MachineFacts, Mark } from '../../drivers/contract/facts.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { type Claim, definitionClaims, machineClaim, moveClaim, noteOnClaim } from '../claims.ts'
import { operate } from '../effect.ts'
import { fenceOf } from '../infrastructure/fencing.ts'
import { isOurs } from '../ownership.ts'
import { acting, satisfied, unknown, type Verdict, waiting } from '../verdict.ts'
import type { World } from '../world.ts'
import { judgeFound } from './machine-found.ts'
import { judgeMigration } from './migration.ts'
import { claimedHost, claimedTarget, isFenced, isMigrating, isOff, whereSeen } from './whereabouts.ts'

/** A machine of any role, as far as its power goes. */
export interface MachineWish {
  readonly identity: string
  readonly claim: Claim
  readonly mark: Mark
  readonly definition: MachineDefinition
  readonly runStrategy: RunStrategy
  /** How long the guest may take to shut down, in ms. */
  readonly shutdownTimeout: number
  /** The spec's generation: what `Once` counts starts by. */
  readonly generation: number
  /** Why it cannot be started yet; left out when it can. */
  readonly hold?: Verdict
  /**
   * Whether it may meanwhile be restarted as it is on its host, when it went down by itself. Default false: its place
   * is just being changed.
   */
  readonly keptUp?: boolean
  /**
   * Whether a running machine is to be restarted: `Due` begins now, `Begun` goes on where its guest was asked to shut
   * down for it. Left out: it is not.
   */
  readonly restart?: 'Due' | 'Begun'
  /** Name of a primary storage in maintenance that keeps it off. Left out: there is none. */
  readonly closedStorage?: string
  /** Handed to the guest when it is defined. */
  readonly userData?: string
}

/**
 * Whether the machine runs, or is off, as its strategy wishes (api.md, Machines), and what brings that about. It never
 * starts a machine that may be running anywhere else.
 */
export function judgePower(wish: MachineWish, world: World): Verdict {
  const host = claimedHost(wish.claim)
  if (host === undefined) return waiting('NotScheduled', 'The machine has no place on a host yet')
  const elsewhere = judgeElsewhere(wish, host, world)
  if (elsewhere !== undefined) return elsewhere
  if (isMigrating(wish.claim)) return judgeWhileMigrating(wish, world)
  const endpoint = world.observed.endpoint(host)
  const hostName = wish.claim.spec.machine?.hostName ?? ''
  if (endpoint.answers === 'No') return judgeSilentHost(wish, hostName, world)
  if (!endpoint.listed) return unknown('HostNotListed', `Host "${hostName}" has not been read yet`)
  const here = world.observed.machines(wish.identity).find(seen => seen.endpoint === host)?.facts
  if (wish.runStrategy === 'Halted') return judgeHalted(wish, host, here, world)
  if (wish.closedStorage === undefined) return judgeRunning(wish, host, here, world)
  return judgeWithoutStorage(wish, wish.closedStorage, host, { here, world })
}

/**
 * A storage of its disks is in maintenance: it is brought down, and that it was is noted first, so that exactly those
 * come up again. What is off stays off; what had ended by itself keeps saying so.
 */
function judgeWithoutStorage(
  wish: MachineWish,
  storage: string,
  host: EndpointKey,
  { here, world }: { readonly here: MachineFacts | undefined; readonly world: World },
): Verdict {
  const { identity, claim, shutdownTimeout } = wish
  const why = `Primary storage "${storage}" is in maintenance`
  if (here === undefined || isOff(here)) {
    const hold = waiting('StorageMaintenance', `${why}: the machine starts when it is over`)
    return judgeRunning({ ...wish, hold, keptUp: false }, host, here, world)
  }
  if (claim.spec.notes?.stoppedForStorageAt === undefined) {
    const now = world.now()
    const notes = { ...claim.spec.notes, stopRequestedAt: now, stoppedForStorageAt: now }
    return acting('StorageMaintenance', `${why}: the guest is about to be asked to shut down`, noteAnew(claim, notes))
  }
  return judgeStop({ identity, claim, shutdownTimeout, epoch: claim.spec.epoch, facts: here }, host, world)
}

/** Brings a machine down on the way to its removal: first off, then gone. Satisfied when no host is known to hold it. */
export function judgeRemoval(
  identity: string,
  claim: Claim | undefined,
  shutdownTimeout: number,
  world: World,
): Verdict {
  const migration =
    claim && judgeMigration({ identity, claim, unwished: 'The machine is deleted', movable: false }, world)
  if (migration !== undefined) return migration
  const places = world.observed.machines(identity)
  for (const { endpoint, facts, current } of places) {
    // What does not bear our mark is left as it is: it was given back, or was never taken over.
    if (!isOurs(facts, world)) continue
    if (!current) {
      if (isFenced(endpoint, world)) continue
      return unknown('HostSilent', `The machine was last seen at ${endpoint}, which does not answer`)
    }
    const epoch = Math.max(claim?.spec.epoch ?? 0, facts.epoch)
    const claims = claim === undefined ? [] : [claim.metadata.name]
    if (isOff(facts)) {
      const removal = operation('RemoveMachine', { endpoint, identity }, { identity, epoch })
      return acting('Removing', 'The machine is being removed from its host', operate(removal, claims))
    }
    return judgeStop({ identity, claim, shutdownTimeout, epoch, facts }, endpoint, world)
  }
  const doubtful = inDoubt(identity, world)
  if (doubtful.length > 0) return unknown('InDoubt', doubt(doubtful))
  return satisfied('Removed')
}

/** Nothing may be started here while the machine is, or may be, somewhere else. */
function judgeElsewhere(wish: MachineWish, host: EndpointKey, world: World): Verdict | undefined {
  const { identity, claim } = wish
  const found = judgeFound(identity, claim, world)
  if (found !== undefined) return found.is === 'acting' ? waiting(found.reason, found.message) : found
  for (const seen of world.observed.machines(identity)) {
    if (seen.endpoint === host || seen.endpoint === claimedTarget(claim) || !seen.current) continue
    const args = { identity, epoch: claim.spec.epoch }
    const removal = operation('RemoveMachine', { endpoint: seen.endpoint, identity }, args)
    return acting(
      'RemovingStray',
      'A definition left on another host is being removed',
      operate(removal, [claim.metadata.name]),
    )
  }
  const doubtful = inDoubt(identity, world).filter(each => each !== host && each !== claimedTarget(claim))
  return doubtful.length === 0 ? undefined : unknown('InDoubt', doubt(doubtful))
}

/** Where an unanswered operation may still take effect. On a host that is proven off nothing does. */
function inDoubt(identity: string, world: World): readonly EndpointKey[] {
  return world.observed.inDoubt(identity).filter(endpoint => !isFenced(endpoint, world))
}

function doubt(endpoints: readonly EndpointKey[]): string {
  return `An unanswered operation may still take effect at ${endpoints.join(', ')}: waiting for a full listing`
}

/**
 * Every definition that a host may have of the machine. Undefined while that cannot be said: its host was not read or
 * does not answer, an operation is under way or unanswered, or it is being migrated. A host that is proven off has none that counts.
 */
export function definitionsHeld(identity: string, world: World): readonly MachineDefinition[] | undefined {
  if (world.operations(identity).some(({ state }) => state === 'Running')) return undefined
  if (inDoubt(identity, world).length > 0) return undefined
  const claim = machineClaim(identity, world)
  if (claim !== undefined && isMigrating(claim)) return undefined
  const host = claim === undefined ? undefined : claimedHost(claim)
  if (host !== undefined && !isFenced(host, world)) {
    const { answers, listed } = world.observed.endpoint(host)
    if (answers !== 'Yes' || !listed) return undefined
  }
  return world.observed
    .machines(identity)
    .filter(({ endpoint, current }) => current || !isFenced(endpoint, world))
    .map(({ facts }) => facts.definition)
}

/** While it may be at two places nothing is started and nothing stopped: its migration comes to an end first. */
function judgeWhileMigrating({ identity, claim, runStrategy, closedStorage }: MachineWish, world: World): Verdict {
  const here = whereSeen(identity, claim, world)
  const { hostName, targetHostName } = claim.spec.machine ?? {}
  const route = `It is being migrated from host "${hostName}" to host "${targetHostName}"`
  if (here === undefined || !here.current) return unknown('Migrating', `${route}; where it is now is being read`)
  const { powerState, migratingTo } = here.facts
  const runs = powerState === 'Running' || (powerState === 'Paused' && migratingTo !== undefined)
  if (runs && runStrategy !== 'Halted' && closedStorage === undefined) return satisfied('Running', route)
  return waiting('MigrationEnding', `${route}: that comes to an end first`)
}

function judgeSilentHost(wish: MachineWish, hostName: string, world: World): Verdict {
  const { claim } = wish
  const fence = fenceOf(hostName, world, fencedAs(claim))
  if (!fence.fenced) return unknown('HostSilent', fence.why)
  if (wish.runStrategy === 'Once' && claim.spec.notes?.hostLostAt === undefined) {
    const lost = noteOnClaim(claim, { hostLostAt: world.now() })
    return acting('HostLost', `Host "${hostName}" is proven off: noting that the machine was there`, lost)
  }
  if (wish.runStrategy === 'Halted' || wish.runStrategy === 'Once') {
    return satisfied('HostLost', `Host "${hostName}" is proven off; the machine stays off`)
  }
  return waiting(
    'HostLost',
    `Host "${hostName}" is proven off and the machine may not be started elsewhere: its offering is not highly available, or a disk of its lies there. It waits for the host`,
  )
}

function judgeHalted(wish: MachineWish, host: EndpointKey, here: MachineFacts | undefined, world: World): Verdict {
  const { claim, identity, shutdownTimeout } = wish
  if (here === undefined || isOff(here)) {
    return judgeOff(claim, here)
  }
  const target = { identity, claim, shutdownTimeout, epoch: claim.spec.epoch, facts: here }
  return judgeStop(target, host, world)
}

/** That it ended by itself is over once it is wished off; a guest that did stays known as asked, or it never started. */
function judgeOff(claim: Claim, here: MachineFacts | undefined): Verdict {
  const { stopRequestedAt, ...others } = claim.spec.notes ?? {}
  const endedItself = here?.stopCause === 'Guest'
  const ended = others.guestEndedAt ?? stopRequestedAt
  if (endedItself && ended !== undefined) {
    if (stopRequestedAt !== undefined && Object.keys(others).length === 0) return satisfied('Halted')
    return acting('Halted', 'The machine is off', noteOnClaim(claim, { ...noNotes, stopRequestedAt: ended }))
  }
  if (claim.spec.notes === undefined) return satisfied('Halted')
  return acting('Halted', 'The machine is off', noteOnClaim(claim, noNotes))
}

const noNotes = {
  stopRequestedAt: undefined,
  restartRequestedAt: undefined,
  guestEndedAt: undefined,
  hostLostAt: undefined,
  startedGeneration: undefined,
  startedEpoch: undefined,
  migrationFailedAt: undefined,
  migrationFailedTo: undefined,
  stoppedForStorageAt: undefined,
} as const

interface StopTarget {
  readonly identity: string
  readonly claim: Claim | undefined
  readonly shutdownTimeout: number
  readonly epoch: number
  readonly facts: MachineFacts
}

/**
 * Graceful first, by force when the guest has had its time. When it is asked is noted before it is asked, under a new
 * epoch: the host's shows whether it was.
 */
function judgeStop(target: StopTarget, endpoint: EndpointKey, world: World): Verdict {
  const { identity, claim, shutdownTimeout, epoch, facts } = target
  const claims = claim === undefined ? [] : [claim.metadata.name]
  const stop = (mode: 'Graceful' | 'Forced') =>
    operate(operation('StopMachine', { endpoint, identity }, { identity, epoch, mode }), claims)
  if (claim === undefined) return acting('Stopping', 'The machine is being stopped by force', stop('Forced'))
  if (facts.powerState === 'Crashed') return acting('Stopping', 'The guest has crashed', stop('Forced'))
  const asked = claim.spec.notes?.stopRequestedAt
  if (asked === undefined) {
    return acting(
      'Stopping',
      'The guest is about to be asked to shut down',
      noteAnew(claim, { ...claim.spec.notes, stopRequestedAt: world.now() }),
    )
  }
  if (world.elapsed(asked, shutdownTimeout)) {
    return acting('Stopping', 'The machine is being stopped by force', stop('Forced'))
  }
  if (facts.epoch >= epoch) return waiting('ShuttingDown', `The guest was asked to shut down at ${asked}`)
  return acting('ShuttingDown', 'The guest is being asked to shut down', stop('Graceful'))
}

/** Writes notes under a new epoch: what the host has seen then tells whether the operation they announce was carried out. */
function noteAnew(claim: Claim, notes: ClaimNotes): ReturnType<typeof moveClaim> {
  return moveClaim(claim, { notes })
}

/** Which host a fence must be of. */
function fencedAs(claim: Claim): { readonly hostIdentity?: string } {
  const hostIdentity = claim.spec.machine?.hostIdentity
  return hostIdentity === undefined ? {} : { hostIdentity }
}

function judgeRunning(wish: MachineWish, host: EndpointKey, here: MachineFacts | undefined, world: World): Verdict {
  const { claim, runStrategy } = wish
  if (here?.powerState === 'Running') {
    const restarting = judgeRestart(wish, host, here, world)
    if (restarting !== undefined) return restarting
    if (runStrategy === 'Once' && claim.spec.notes?.startedGeneration !== wish.generation) {
      const notes = { ...noNotes, startedGeneration: wish.generation, startedEpoch: here.epoch }
      return acting('Running', 'It runs already: no further start is owed', noteOnClaim(claim, notes))
    }
    const { stopRequestedAt, guestEndedAt, stoppedForStorageAt } = claim.spec.notes ?? {}
    if (stoppedForStorageAt !== undefined && !world.elapsed(stoppedForStorageAt, wish.shutdownTimeout)) {
      return satisfied('Running', 'It was asked to shut down for a storage, and may still do so')
    }
    const stale = [stopRequestedAt, guestEndedAt, stoppedForStorageAt].some(note => note !== undefined)
    if (!stale) return satisfied('Running')
    // When it was last restarted in its window still counts: once is enough.
    const { startedGeneration: _started, startedEpoch: _epoch, restartRequestedAt: _restarted, ...over } = noNotes
    return acting('Running', 'The machine runs', noteOnClaim(claim, over))
  }
  if (here?.powerState === 'Unknown' || here?.powerState === 'Incoming') {
    return unknown('PowerUnknown', `The hypervisor says the machine is ${here.powerState}`)
  }
  if (runStrategy === 'OnFailure' && here !== undefined && here.powerState !== 'Paused') {
    const ended = judgeEnded(wish, here, world)
    if (ended !== undefined) return ended
  }
  return runStrategy === 'Once' ? judgeOnce(wish, host, here, world) : judgeStart(wish, host, here, world)
}

/** What it cannot take up while it runs: it is brought down as for a stop, and the next start is as described. */
function judgeRestart(wish: MachineWish, host: EndpointKey, facts: MachineFacts, world: World): Verdict | undefined {
  const { identity, claim, shutdownTimeout, restart } = wish
  if (restart === undefined || wish.hold !== undefined) return undefined
  if (restart === 'Begun') {
    return judgeStop({ identity, claim, shutdownTimeout, epoch: claim.spec.epoch, facts }, host, world)
  }
  const now = world.now()
  const notes = { ...claim.spec.notes, stopRequestedAt: now, restartRequestedAt: now }
  return acting('Restarting', 'Its restart window is open: the guest is about to be asked', noteAnew(claim, notes))
}

/** One start for each generation of the spec, noted under a new epoch before it is made. */
function judgeOnce(wish: MachineWish, host: EndpointKey, here: MachineFacts | undefined, world: World): Verdict {
  const { claim, generation } = wish
  if (claim.spec.notes?.startedGeneration !== generation) {
    if (wish.hold !== undefined) return wish.hold
    const notes = { startedGeneration: generation, startedEpoch: claim.spec.epoch + 1 }
    return acting('Starting', 'The one start is noted', noteAnew(claim, notes))
  }
  if (claim.spec.notes.stoppedForStorageAt !== undefined) return judgeStart(wish, host, here, world)
  const { startedEpoch = claim.spec.epoch } = claim.spec.notes
  if (claim.spec.notes.hostLostAt !== undefined) return satisfied('HostLost', 'Its host was lost; it stays off')
  const wasGiven = here !== undefined && here.epoch >= startedEpoch && here.powerState !== 'Paused'
  const started = wasGiven && !wasRefused(wish, host, here, world)
  return started ? satisfied('Ended', 'It was started once and has ended') : judgeStart(wish, host, here, world)
}

/** Whether the host took the definition and refused to start it. A machine that has run says why it is off. */
function wasRefused({ identity }: MachineWish, host: EndpointKey, here: MachineFacts, world: World): boolean {
  if (here.stopCause !== undefined) return false
  return world
    .operations(identity)
    .some(({ endpoint, state, code }) => endpoint === host && state === 'Failed' && !unanswered.includes(code))
}

/** Codes after which nobody knows whether the machine has run. */
const unanswered: readonly (DriverErrorCode | undefined)[] = ['Unavailable', 'Timeout', 'Aborted', undefined]

/** A guest that ended itself stays off under OnFailure; that it did is noted before anything rests on it. */
function judgeEnded(wish: MachineWish, here: MachineFacts, world: World): Verdict | undefined {
  const { claim } = wish
  if (claim.spec.notes?.guestEndedAt !== undefined) return satisfied('EndedByGuest', 'The guest shut itself down')
  const asked = claim.spec.notes?.stopRequestedAt !== undefined
  if (isOff(here) && here.stopCause === 'Guest' && !asked) {
    return acting('EndedByGuest', 'The guest shut itself down', noteOnClaim(claim, { guestEndedAt: world.now() }))
  }
  return undefined
}

function judgeStart(wish: MachineWish, host: EndpointKey, here: MachineFacts | undefined, world: World): Verdict {
  const { claim, identity, mark, definition, userData } = wish
  const claims = definitionClaims(claim, world)
  if (wish.hold !== undefined) {
    if (wish.keptUp !== true || here === undefined || !wentDownByItself(here)) return wish.hold
    const args = { identity, epoch: claim.spec.epoch }
    const restart = operation('StartMachine', { endpoint: host, identity, deadline: 120_000 }, args)
    return acting('Restarting', `Restarted as it was. ${wish.hold.message}`, operate(restart, claims))
  }
  if (here?.powerState === 'Crashed') {
    const args = { identity, epoch: claim.spec.epoch, mode: 'Forced' as const }
    const stop = operation('StopMachine', { endpoint: host, identity }, args)
    return acting('Restarting', 'The guest has crashed', operate(stop, claims))
  }
  const start = operation(
    'DefineMachine',
    { endpoint: host, identity, deadline: 120_000 },
    {
      identity,
      epoch: claim.spec.epoch,
      mark,
      definition,
      power: 'Running',
      ...(userData === undefined ? {} : { userData }),
    },
  )
  return acting('Starting', 'The machine is being started', operate(start, claims))
}

function wentDownByItself({ powerState, stopCause }: MachineFacts): boolean {
  return powerState === 'Off' && (stopCause === 'Guest' || stopCause === 'Crash' || stopCause === 'Unknown')
}
