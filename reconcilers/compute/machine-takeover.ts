/** A machine that was there before its object: until it was seen with our mark, it is where it is and nowhere else. */
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Allocation, type Holder } from '../../crds/infrastructure/allocation.ts'
import type { MachineFacts } from '../../drivers/contract/facts.ts'
import { allocate, allocationName, type Claim, noteOnClaim } from '../claims.ts'
import type { Effect } from '../effect.ts'
import { isOurs } from '../ownership.ts'
import { acting, blocked, satisfied, unknown, type Verdict } from '../verdict.ts'
import { isStored, type Seen, type World } from '../world.ts'
import type { Copies } from './machine-copies.ts'
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
  const { holder } = claim.spec
  if (here === undefined) {
    const isRead = read?.answers === 'Yes' && read.listed
    return isRead ? judgeUnseen(identity, holder, `on host "${hostName}" any more`) : judgeSilent(identity, holder)
  }
  if (isOurs(here.facts, world)) {
    return acting(
      'TakingOver',
      `Noting that host "${hostName}" has it with our mark`,
      ...notesOf(identity, claim, world),
    )
  }
  return here.current
    ? satisfied('Placed', `Host "${hostName}", where it is taken over`)
    : judgeSilent(identity, holder)
}

/** The same of a machine without a claim, as far as its sighting says: one that nobody has told of may be seen yet. */
export function judgeSighting(
  { identity, holder }: Pick<Copies, 'identity' | 'holder'>,
  there: Seen<MachineFacts> | undefined,
  world: World,
): Verdict | undefined {
  if (there === undefined || there.current || isOurs(there.facts, world)) return undefined
  return judgeSilent(identity, holder)
}

/** The same of a machine without a claim, when every host of its zone was read and none has it. */
export function judgeNowhere(
  { identity, holder }: Pick<Copies, 'identity' | 'holder'>,
  world: World,
): Verdict | undefined {
  const given = identityGiven(identity, world)
  if (given === undefined || given.spec.notes?.takenOverAt !== undefined) return undefined
  return judgeUnseen(identity, holder, 'on a host of its zone')
}

/** Whether a machine may be moved: it was made here, or is noted to have been seen with our mark. */
export function isTakenOver(identity: string, claim: Claim, world: World): boolean {
  const given = identityGiven(identity, world)
  return given === undefined ? claim.spec.holder.uid === identity : given.spec.notes?.takenOverAt !== undefined
}

/** It is noted in the Allocation that gave the identity, which is made again where somebody has deleted it. */
function notesOf(identity: string, { spec: { holder } }: Claim, world: World): readonly Effect[] {
  const given = identityGiven(identity, world)
  const notes = { takenOverAt: world.now() }
  if (given === undefined) return [allocate({ type: 'Identity', value: identity, holder, notes }, world)]
  return isStored(given) ? [noteOnClaim(given, notes)] : []
}

function identityGiven(identity: string, world: World): Claim | undefined {
  return world.desired.get(Allocation, allocationName('Identity', identity))
}

function judgeSilent(identity: string, holder: Holder): Verdict {
  return unknown(
    'HostSilent',
    `The machine is not taken over yet, and its host does not answer: bring the host back. ${ifGone(identity, holder)}`,
  )
}

function judgeUnseen(identity: string, holder: Holder, where: string): Verdict {
  return blocked(
    'NotFound',
    `The machine ${identity}, which is to be taken over, is not seen ${where}: apply the Host that has it. ${ifGone(identity, holder)}`,
  )
}

function ifGone(identity: string, { kind }: Holder): string {
  const name = allocationName('Identity', identity)
  if (kind !== VirtualMachine.kind) return `If it is gone for good, delete Allocation "${name}": another one is made`
  return `If it is gone for good, take over its disks alone: delete this machine and Allocation "${name}", and name its volumes in a new machine; a root disk that was made for it goes with it, unless the spec.management.deletionPolicy of that Volume is Orphan`
}
