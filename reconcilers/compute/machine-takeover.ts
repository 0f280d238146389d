/** A machine that was there before its object: until it was seen with our mark, it is where it is and nowhere else. */
import { Allocation } from '../../crds/infrastructure/allocation.ts'
import type { MachineFacts } from '../../drivers/contract/facts.ts'
import { allocationName, type Claim, noteOnClaim } from '../claims.ts'
import { isOurs } from '../ownership.ts'
import { acting, blocked, satisfied, unknown, type Verdict } from '../verdict.ts'
import { isStored, type Seen, type World } from '../world.ts'
import { claimedHost } from './whereabouts.ts'

/**
 * What holds a machine to the host of its claim while it was not seen with our mark: a host that is silent, even one
 * proven off, would not keep it from running there again beside one that was started elsewhere. `here` is what that host
 * has of it. Undefined: it is ours, and may go where it likes.
 */
export function judgeTakenOver(
  identity: string,
  claim: Claim,
  here: Seen<MachineFacts> | undefined,
  world: World,
): Verdict | undefined {
  if (isTakenOver(identity, claim, world)) return undefined
  const [host, hostName] = [claimedHost(claim), claim.spec.machine?.hostName]
  const read = host === undefined ? undefined : world.observed.endpoint(host)
  if (here === undefined) {
    const isRead = read?.answers === 'Yes' && read.listed
    return isRead ? judgeUnseen(identity, `on host "${hostName}" any more`) : judgeSilent(identity)
  }
  if (isOurs(here.facts, world)) {
    const given = identityGiven(identity, world)
    // Somebody has deleted it: what is seen is proof as long as it is remembered.
    if (given === undefined) return undefined
    const note = isStored(given) ? [noteOnClaim(given, { takenOverAt: world.now() })] : []
    return acting('TakingOver', `Noting that host "${hostName}" has it with our mark`, ...note)
  }
  return here.current ? satisfied('Placed', `Host "${hostName}", where it is taken over`) : judgeSilent(identity)
}

/** The same of a machine without a claim, as far as its sighting says: one that nobody has told of may be seen yet. */
export function judgeSighting(
  identity: string,
  there: Seen<MachineFacts> | undefined,
  world: World,
): Verdict | undefined {
  if (there === undefined || there.current || isOurs(there.facts, world)) return undefined
  return judgeSilent(identity)
}

/** The same of a machine without a claim, when every host of its zone was read and none has it. */
export function judgeNowhere(identity: string, world: World): Verdict | undefined {
  const given = identityGiven(identity, world)
  if (given === undefined || given.spec.notes?.takenOverAt !== undefined) return undefined
  return judgeUnseen(identity, 'on a host of its zone')
}

/** Whether a machine may be moved: it was made here, or is noted to have been seen with our mark. */
export function isTakenOver(identity: string, claim: Claim, world: World): boolean {
  const given = identityGiven(identity, world)
  return given === undefined ? claim.spec.holder.uid === identity : given.spec.notes?.takenOverAt !== undefined
}

function identityGiven(identity: string, world: World): Claim | undefined {
  return world.desired.get(Allocation, allocationName('Identity', identity))
}

function judgeSilent(identity: string): Verdict {
  return unknown(
    'HostSilent',
    `The machine is not taken over yet, and its host does not answer: bring the host back. ${ifGone(identity)}`,
  )
}

function judgeUnseen(identity: string, where: string): Verdict {
  return blocked(
    'NotFound',
    `The machine ${identity}, which is to be taken over, is not seen ${where}: apply the Host that has it. ${ifGone(identity)}`,
  )
}

function ifGone(identity: string): string {
  return `If it is gone for good, take over the disks alone: delete this machine and Allocation "${allocationName('Identity', identity)}", and name its volumes in a new machine`
}
