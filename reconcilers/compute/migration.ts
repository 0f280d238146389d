/** A migration that has been decided: carried out, waited for, given up. Its claim names two hosts until it is over. */

import type { ClaimNotes, MachineClaim } from '../../crds/infrastructure/allocation.ts'
import { parseDuration } from '../../crds/invariants/duration.ts'
import type { EndpointKey } from '../../drivers/contract/endpoint.ts'
import { endpointIdentity } from '../../drivers/contract/endpoint.ts'
import type { DriverErrorCode } from '../../drivers/contract/errors.ts'
import type { MachineFacts } from '../../drivers/contract/facts.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { type Claim, moveClaim, noteStray } from '../claims.ts'
import { observe, operate } from '../effect.ts'
import { fenceOf } from '../infrastructure/fencing.ts'
import { settingsOf } from '../infrastructure/settings.ts'
import { acting, unknown, type Verdict, waiting } from '../verdict.ts'
import type { Seen, World } from '../world.ts'
import { claimedHost, claimedTarget, isFenced, isOff } from './whereabouts.ts'

/** A machine whose claim may name a target. */
export interface MigrationWish {
  readonly identity: string
  readonly claim: Claim
  /** Why it is no longer to move; left out while it is. */
  readonly unwished?: string
  /** Whether it may be started on another host once its own is proven off. */
  readonly movable: boolean
}

/** The two ends of a migration, and the machine at each as it is seen. */
interface Route {
  readonly held: MachineClaim
  readonly source: EndpointKey
  readonly target: EndpointKey
  readonly targetName: string
  readonly here: Seen<MachineFacts> | undefined
  readonly there: Seen<MachineFacts> | undefined
}

/**
 * Brings a migration to its end. It has arrived when its source is proven to have it no more; it is given up when the
 * source has refused every older request and is not sending, and the target is proven to have nothing of it. Undefined:
 * the machine is not migrating.
 */
export function judgeMigration(wish: MigrationWish, world: World): Verdict | undefined {
  const { identity, claim } = wish
  const route = routeOf(identity, claim, world)
  if (route === undefined) return undefined
  const { held, source, here } = route
  if (world.operations(identity).some(({ state }) => state === 'Running')) {
    return waiting('Migrating', 'An operation on the machine has not ended yet')
  }
  const { answers, listed } = world.observed.endpoint(source)
  if (answers === 'No') return judgeSilentSource(wish, route, world)
  if (!listed) return unknown('HostNotListed', `Host "${held.hostName}" has not been read yet`)
  if (world.observed.provenAbsent(identity, source)) return judgeGone(wish, route, world)
  if (here === undefined || !here.current) {
    return acting('ProvingAbsence', `Whether it has left host "${held.hostName}" is being read`, observe(source))
  }
  if (claim.spec.notes?.migrationCancelledAt !== undefined) return judgeGivingUp(wish, route, here.facts, world)
  return judgeUnderWay(wish, route, here.facts, world)
}

/** It has left its source, and nothing brings it back there: it is at the target, or nowhere. */
function judgeGone({ identity, claim }: MigrationWish, route: Route, world: World): Verdict {
  const { held, source, target, targetName, there } = route
  const answers = world.observed.endpoint(target).answers === 'Yes'
  if (there === undefined && answers && !world.observed.provenAbsent(identity, target, source)) {
    return acting('ProvingAbsence', `Whether it has come to host "${targetName}" is being read`, observe(target))
  }
  const message = `It has left host "${held.hostName}": its place is host "${targetName}"`
  return acting('Migrating', message, arrive(claim, route, {}))
}

function routeOf(identity: string, claim: Claim, world: World): Route | undefined {
  const held = claim.spec.machine
  const [source, target] = [claimedHost(claim), claimedTarget(claim)]
  if (held === undefined || source === undefined || target === undefined) return undefined
  const seen = world.observed.machines(identity)
  return {
    held,
    source,
    target,
    targetName: held.targetHostName ?? '',
    here: seen.find(({ endpoint }) => endpoint === source),
    there: seen.find(({ endpoint }) => endpoint === target),
  }
}

function judgeUnderWay(wish: MigrationWish, route: Route, here: MachineFacts, world: World): Verdict {
  const { identity, claim } = wish
  const { source, target, targetName } = route
  const { timeout, bandwidthMbps } = settingsOf(world).migrations
  if (wish.unwished !== undefined) return giveUp(claim, wish.unwished, world)
  const begun = claim.spec.notes?.migrationBegunAt
  if (begun !== undefined && world.elapsed(begun, parseDuration(timeout))) {
    return fail(claim, `It took longer than ${timeout} (Settings spec.migrations.timeout)`, world)
  }
  if (here.migratingTo === target) {
    return waiting('Migrating', `Its memory is being copied to host "${targetName}"; it runs on meanwhile`)
  }
  if (here.epoch >= claim.spec.epoch) return fail(claim, 'It has ended without success: the machine runs on', world)
  if (here.powerState !== 'Running') {
    return giveUp(claim, `Only a machine that runs can be migrated, and this one is ${here.powerState}`, world)
  }
  const refusal = world
    .operations(identity)
    .find(({ verb, endpoint, code }) => verb === 'MigrateMachine' && endpoint === source && refusals.includes(code))
  if (refusal !== undefined) return fail(claim, `It was refused: ${refusal.message ?? refusal.code}`, world)
  const args = {
    identity,
    epoch: claim.spec.epoch,
    target,
    ...(bandwidthMbps === 0 ? {} : { bandwidthMbps }),
  }
  const migrate = operation('MigrateMachine', { endpoint: source, identity }, args)
  return acting('Migrating', `Its migration to host "${targetName}" begins`, operate(migrate, [claim.metadata.name]))
}

/** Codes that say no, rather than not now. */
const refusals: readonly (DriverErrorCode | undefined)[] = [
  'InvalidArgument',
  'Unsupported',
  'AlreadyExists',
  'NotFound',
  'FailedPrecondition',
  'ResourceExhausted',
]

/** Under the claim's new epoch the source refuses what was asked for before: nothing can begin any more. */
function judgeGivingUp(wish: MigrationWish, route: Route, here: MachineFacts, world: World): Verdict {
  const { identity, claim } = wish
  const { source, target, targetName, there } = route
  const { epoch } = claim.spec
  if (here.epoch < epoch || here.migratingTo !== undefined) {
    const cancel = operation('CancelMigration', { endpoint: source, identity }, { identity, epoch })
    return acting('MigrationEnding', 'The migration is being ended', operate(cancel, [claim.metadata.name]))
  }
  if (world.observed.provenAbsent(identity, target, source) || isFenced(target, world)) {
    return acting(
      'MigrationEnding',
      `Host "${targetName}" has nothing of it: giving the place there back`,
      stay(claim, route),
    )
  }
  if (world.observed.endpoint(target).answers === 'No') return silent(targetName, route.held.targetHostIdentity, world)
  if (there?.current && isOff(there.facts)) {
    const removal = operation('RemoveMachine', { endpoint: target, identity }, { identity, epoch })
    return acting(
      'RemovingStray',
      `A definition left on host "${targetName}" is being removed`,
      operate(removal, [claim.metadata.name]),
    )
  }
  if (there?.current && there.facts.powerState !== 'Incoming') {
    if (isOff(here)) {
      const message = `It has come to host "${targetName}", and is off where it was: its place is there`
      return acting('Migrating', message, arrive(claim, route, {}))
    }
    return unknown(
      'SeenTwice',
      `The machine is ${here.powerState} on its host and ${there.facts.powerState} on ${target}`,
    )
  }
  return acting('ProvingAbsence', `Whether host "${targetName}" has anything of it is being read`, observe(target))
}

/** What the source does or has done is not known while it may live. Proven off, the machine is at the target or nowhere. */
function judgeSilentSource(wish: MigrationWish, route: Route, world: World): Verdict {
  const { identity, claim } = wish
  const { held, source, target, targetName, there } = route
  const fence = fenceOf(held.hostName, world, { hostIdentity: held.hostIdentity })
  if (!fence.fenced) return unknown('HostSilent', `It was being migrated. ${fence.why}`)
  const hasArrived = there !== undefined && there.facts.powerState !== 'Incoming'
  if (!hasArrived && !wish.movable) {
    if (world.observed.provenAbsent(identity, target, source) || isFenced(target, world)) {
      return acting(
        'MigrationEnding',
        `Host "${held.hostName}" is proven off, and it is not at the target`,
        stay(claim, route),
      )
    }
    if (world.observed.endpoint(target).answers === 'No') return silent(targetName, held.targetHostIdentity, world)
    return acting('ProvingAbsence', `Whether host "${targetName}" has it is being read`, observe(target))
  }
  const leaving = judgeLeaving(claim, held, world)
  if (leaving !== undefined) return leaving
  const lost = hasArrived ? {} : { hostLostAt: world.now() }
  return acting(
    'Migrating',
    `Host "${held.hostName}" is proven off (${fence.by}): its place is host "${targetName}"`,
    arrive(claim, route, lost),
  )
}

function silent(hostName: string, hostIdentity: string | undefined, world: World): Verdict {
  const fence = fenceOf(hostName, world, hostIdentity === undefined ? {} : { hostIdentity })
  return unknown('HostSilent', fence.fenced ? `Host "${hostName}" is proven off` : fence.why)
}

/** That a machine leaves a host that is proven off is noted first: the host may come back when the machine is no more. */
export function judgeLeaving(claim: Claim, held: MachineClaim, world: World): Verdict | undefined {
  const note = noteStray(claim.spec.value, claim.spec.holder, held.hostIdentity, world)
  if (note === undefined) return undefined
  const message = `Noting that host "${held.hostName}", which is proven off, may have a definition of it`
  return note === 'Noting' ? waiting('NotingStray', message) : acting('NotingStray', message, note)
}

/** Decides on a migration: from now on both hosts are held. */
export function decideMigration(
  claim: Claim,
  held: MachineClaim,
  target: { readonly hostName: string; readonly hostIdentity: string },
  world: World,
): Verdict {
  const machine = { ...held, targetHostName: target.hostName, targetHostIdentity: target.hostIdentity }
  const notes = { ...claim.spec.notes, migrationBegunAt: world.now() }
  return acting('Migrating', `Claiming a place on host "${target.hostName}"`, moveClaim(claim, { machine, notes }))
}

function giveUp(claim: Claim, why: string, world: World): Verdict {
  const notes = { ...claim.spec.notes, migrationCancelledAt: world.now() }
  return acting('MigrationEnding', `The migration is given up. ${why}`, moveClaim(claim, { notes }))
}

function fail(claim: Claim, why: string, world: World): Verdict {
  const now = world.now()
  const failedTo = claim.spec.machine?.targetHostName
  const failure = { migrationFailedAt: now, ...(failedTo === undefined ? {} : { migrationFailedTo: failedTo }) }
  const notes = { ...claim.spec.notes, migrationCancelledAt: now, ...failure }
  return acting('MigrationFailed', `The migration is given up. ${why}`, moveClaim(claim, { notes }))
}

/** The claim at the target alone. */
function arrive(claim: Claim, { held, target, targetName }: Route, more: ClaimNotes): ReturnType<typeof moveClaim> {
  const { migrationFailedAt: _at, migrationFailedTo: _to, ...notes } = withoutMigration(claim.spec.notes)
  const place = { ...withoutTarget(held), hostName: targetName, hostIdentity: endpointIdentity(target) }
  return moveClaim(claim, { machine: place, notes: orNone({ ...notes, ...more }) })
}

/** The claim at the source alone. */
function stay(claim: Claim, { held }: Route): ReturnType<typeof moveClaim> {
  return moveClaim(claim, { machine: withoutTarget(held), notes: orNone(withoutMigration(claim.spec.notes)) })
}

function withoutTarget(held: MachineClaim): MachineClaim {
  const { targetHostName: _name, targetHostIdentity: _identity, ...place } = held
  return place
}

function withoutMigration(notes: ClaimNotes = {}): ClaimNotes {
  const { migrationBegunAt: _begun, migrationCancelledAt: _cancelled, ...rest } = notes
  return rest
}

function orNone(notes: ClaimNotes): ClaimNotes | undefined {
  return Object.keys(notes).length === 0 ? undefined : notes
}
