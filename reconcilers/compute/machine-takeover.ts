/** A machine that was there before its object: until it was seen with our mark, it is where it is and nowhere else. */
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import type { Holder } from '../../crds/infrastructure/allocation.ts'
import type { MachineFacts } from '../../drivers/contract/facts.ts'
import { allocate, allocationName, type Claim, identityAllocation, noteOnClaim } from '../claims.ts'
import type { Effect } from '../effect.ts'
import { isOurs } from '../ownership.ts'
import { acting, blocked, satisfied, unknown, type Verdict } from '../verdict.ts'
import { isStored, type Seen, type World } from '../world.ts'
import { claimedHost } from './whereabouts.ts'

/** An identity, and the object that has it. */
export interface HeldIdentity {
  readonly identity: string
  readonly holder: Holder
}

/**
 * What holds a machine to the host of its claim while it was not seen with our mark: a host that is silent, even one
 * proven off, would not keep it from running there again beside one that was started elsewhere. `here` is what that host
 * has of it. Undefined: it is ours, and may go where it likes.
 */
export function judgeTakenOver(claim: Claim, here: Seen<MachineFacts> | undefined, world: World): Verdict | undefined {
  if (isTakenOver(claim, world)) return undefined
  const { value: identity, holder, machine } = claim.spec
  if (here === undefined) {
    const host = claimedHost(claim)
    const read = host && world.observed.endpoint(host)
    const isRead = read?.answers === 'Yes' && read.listed
    if (!isRead) return judgeSilent({ identity, holder })
    return judgeUnseen({ identity, holder }, `on host "${machine?.hostName}" any more`)
  }
  if (isOurs(here.facts, world)) {
    const message = `Noting that host "${machine?.hostName}" has it with our mark`
    return acting('TakingOver', message, ...noteTakenOver(claim, world))
  }
  if (!here.current) return judgeSilent({ identity, holder })
  return satisfied('Placed', `Host "${machine?.hostName}", where it is taken over`)
}

/** The same of a machine without a claim, as far as its sighting says: one that nobody has told of may be seen yet. */
export function judgeSighting(
  machine: HeldIdentity,
  there: Seen<MachineFacts> | undefined,
  world: World,
): Verdict | undefined {
  if (there === undefined || there.current || isOurs(there.facts, world)) return undefined
  return judgeSilent(machine)
}

/** The same of a machine without a claim, when every host of its zone was read and none has it. */
export function judgeNowhere(machine: HeldIdentity, world: World): Verdict | undefined {
  const given = identityAllocation(machine.identity, world)
  if (given === undefined || given.spec.notes?.takenOverAt !== undefined) return undefined
  return judgeUnseen(machine, 'on a host of its zone')
}

/** Whether a machine may be moved: it was made here, or is noted to have been seen with our mark. */
export function isTakenOver({ spec: { value: identity, holder } }: Claim, world: World): boolean {
  const given = identityAllocation(identity, world)
  return given === undefined ? holder.uid === identity : given.spec.notes?.takenOverAt !== undefined
}

/** It is noted in the Allocation that gave the identity, which is made again where somebody has deleted it. */
function noteTakenOver({ spec: { value: identity, holder } }: Claim, world: World): readonly Effect[] {
  const given = identityAllocation(identity, world)
  const notes = { takenOverAt: world.now() }
  if (given === undefined) return [allocate({ type: 'Identity', value: identity, holder, notes }, world)]
  return isStored(given) ? [noteOnClaim(given, notes)] : []
}

function judgeSilent(machine: HeldIdentity): Verdict {
  return unknown(
    'HostSilent',
    `The machine is not taken over yet, and its host does not answer: bring the host back. ${ifGone(machine)}`,
  )
}

function judgeUnseen(machine: HeldIdentity, where: string): Verdict {
  return blocked(
    'NotFound',
    `The machine ${machine.identity}, which is to be taken over, is not seen ${where}: apply the Host that has it. ${ifGone(machine)}`,
  )
}

function ifGone({ identity, holder: { kind } }: HeldIdentity): string {
  const name = allocationName('Identity', identity)
  if (kind !== VirtualMachine.kind) return `If it is gone for good, delete Allocation "${name}": another one is made`
  return `If it is gone for good, take over its disks alone: delete this machine and Allocation "${name}", and name its volumes in a new machine; a root disk that was made for it goes with it, unless the spec.management.deletionPolicy of that Volume is Orphan`
}
