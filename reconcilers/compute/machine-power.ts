import type { RunStrategy } from '../../crds/compute/virtual-machine.ts'
import { type EndpointKey, endpointKey } from '../../drivers/contract/endpoint.ts'
import type { MachineDefinition, MachineFacts, Mark } from '../../drivers/contract/facts.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { type Claim, noteOnClaim } from '../claims.ts'
import { operate } from '../effect.ts'
import { fenceOf } from '../infrastructure/fencing.ts'
import { acting, satisfied, unknown, type Verdict, waiting } from '../verdict.ts'
import type { Seen, World } from '../world.ts'

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
  /** Handed to the guest when it is defined. */
  readonly userData?: string
}

/** The endpoint of the host that a machine's claim names. */
export function claimedHost(claim: Claim): EndpointKey | undefined {
  const host = claim.spec.machine?.hostIdentity
  return host === undefined ? undefined : endpointKey('Host', host)
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
  const endpoint = world.observed.endpoint(host)
  const hostName = wish.claim.spec.machine?.hostName ?? ''
  if (endpoint.answers === 'No') return judgeSilentHost(wish, hostName, world)
  if (!endpoint.listed) return unknown('HostNotListed', `Host "${hostName}" has not been read yet`)
  const here = world.observed.machines(wish.identity).find(seen => seen.endpoint === host)?.facts
  return wish.runStrategy === 'Halted' ? judgeHalted(wish, host, here, world) : judgeRunning(wish, host, here, world)
}

/** Brings a machine down on the way to its removal: first off, then gone. Satisfied when no host is known to hold it. */
export function judgeRemoval(
  identity: string,
  claim: Claim | undefined,
  shutdownTimeout: number,
  world: World,
): Verdict {
  const places = world.observed.machines(identity)
  for (const { endpoint, facts, current } of places) {
    if (!current) continue
    const epoch = Math.max(claim?.spec.epoch ?? 0, facts.epoch)
    const claims = claim === undefined ? [] : [claim.metadata.name]
    if (isOff(facts)) {
      const removal = operation('RemoveMachine', { endpoint, identity }, { identity, epoch })
      return acting('Removing', 'The machine is being removed from its host', operate(removal, claims))
    }
    const stop = judgeStop({ identity, claim, shutdownTimeout, epoch }, endpoint, world)
    if (stop !== undefined) return stop
  }
  return satisfied('Removed')
}

/** Nothing may be started here while the machine is, or may be, somewhere else. */
function judgeElsewhere(wish: MachineWish, host: EndpointKey, world: World): Verdict | undefined {
  const { identity, claim } = wish
  for (const seen of world.observed.machines(identity)) {
    if (seen.endpoint === host || !seen.current) continue
    if (!isOff(seen.facts)) return judgeRunningElsewhere(wish, seen)
    const args = { identity, epoch: claim.spec.epoch }
    const removal = operation('RemoveMachine', { endpoint: seen.endpoint, identity }, args)
    return acting(
      'RemovingStray',
      'A definition left on another host is being removed',
      operate(removal, [claim.metadata.name]),
    )
  }
  const doubtful = world.observed.inDoubt(identity).filter(endpoint => endpoint !== host)
  if (doubtful.length === 0) return undefined
  return unknown(
    'InDoubt',
    `An unanswered operation may still take effect at ${doubtful.join(', ')}: waiting for a full listing`,
  )
}

function judgeRunningElsewhere(wish: MachineWish, { endpoint, facts }: Seen<MachineFacts>): Verdict {
  const claimed = wish.claim.spec.machine?.hostName
  return unknown(
    'RunsElsewhere',
    `The machine is ${facts.powerState} at ${endpoint}, its claim is on host "${claimed}": nothing is started until it is off there`,
  )
}

function judgeSilentHost(wish: MachineWish, hostName: string, world: World): Verdict {
  const fence = fenceOf(hostName, world)
  if (!fence.fenced) return unknown('HostSilent', fence.why)
  if (wish.runStrategy === 'Halted' || wish.runStrategy === 'Once') {
    return satisfied('HostLost', `Host "${hostName}" is proven off; the machine stays off`)
  }
  return waiting('HostLost', `Host "${hostName}" is proven off and the machine may not be started elsewhere`)
}

function judgeHalted(wish: MachineWish, host: EndpointKey, here: MachineFacts | undefined, world: World): Verdict {
  const { claim, identity, shutdownTimeout } = wish
  if (here === undefined || isOff(here)) {
    if (claim.spec.notes === undefined) return satisfied('Halted')
    return acting('Halted', 'The machine is off', noteOnClaim(claim, noNotes))
  }
  const target = { identity, claim, shutdownTimeout, epoch: claim.spec.epoch }
  return judgeStop(target, host, world) ?? satisfied('Halted')
}

const noNotes = {
  stopRequestedAt: undefined,
  guestEndedAt: undefined,
  hostLostAt: undefined,
  startedGeneration: undefined,
} as const

interface StopTarget {
  readonly identity: string
  readonly claim: Claim | undefined
  readonly shutdownTimeout: number
  readonly epoch: number
}

/** Graceful first, by force when the guest has had its time. When it was asked is noted before it is asked. */
function judgeStop(target: StopTarget, endpoint: EndpointKey, world: World): Verdict | undefined {
  const { identity, claim, shutdownTimeout, epoch } = target
  const claims = claim === undefined ? [] : [claim.metadata.name]
  const stop = (mode: 'Graceful' | 'Forced') =>
    operate(operation('StopMachine', { endpoint, identity }, { identity, epoch, mode }), claims)
  const asked = claim?.spec.notes?.stopRequestedAt
  if (claim !== undefined && asked === undefined) {
    return acting(
      'Stopping',
      'The guest is about to be asked to shut down',
      noteOnClaim(claim, { stopRequestedAt: world.now() }),
    )
  }
  if (asked !== undefined && !world.elapsed(asked, shutdownTimeout)) {
    return acting('ShuttingDown', `The guest was asked to shut down at ${asked}`, stop('Graceful'))
  }
  return acting('Stopping', 'The machine is being stopped by force', stop('Forced'))
}

function judgeRunning(wish: MachineWish, host: EndpointKey, here: MachineFacts | undefined, world: World): Verdict {
  const { claim, runStrategy } = wish
  if (here?.powerState === 'Running') {
    const stale = claim.spec.notes?.stopRequestedAt !== undefined || claim.spec.notes?.guestEndedAt !== undefined
    if (!stale) return satisfied('Running')
    const notes = { stopRequestedAt: undefined, guestEndedAt: undefined, hostLostAt: undefined }
    return acting('Running', 'The machine runs', noteOnClaim(claim, notes))
  }
  if (here?.powerState === 'Unknown' || here?.powerState === 'Incoming') {
    return unknown('PowerUnknown', `The hypervisor says the machine is ${here.powerState}`)
  }
  if (here !== undefined && here.powerState !== 'Paused') {
    const ended = judgeEnded(wish, here, world)
    if (ended !== undefined) return ended
  }
  if (runStrategy === 'Once') {
    if (claim.spec.notes?.startedGeneration === wish.generation && here !== undefined) return satisfied('Ended')
    if (claim.spec.notes?.startedGeneration !== wish.generation) {
      if (wish.hold !== undefined) return wish.hold
      return acting(
        'Starting',
        'The one start is noted',
        noteOnClaim(claim, { ...noNotes, startedGeneration: wish.generation }),
      )
    }
  }
  return judgeStart(wish, host, here)
}

/** A guest that ended itself stays off under OnFailure; that it did is noted before anything rests on it. */
function judgeEnded(wish: MachineWish, here: MachineFacts, world: World): Verdict | undefined {
  const { claim, runStrategy } = wish
  if (runStrategy === 'Always') return undefined
  if (claim.spec.notes?.guestEndedAt !== undefined) return satisfied('EndedByGuest', 'The guest shut itself down')
  const asked = claim.spec.notes?.stopRequestedAt !== undefined
  if (runStrategy === 'OnFailure' && here.stopCause === 'Guest' && !asked) {
    return acting('EndedByGuest', 'The guest shut itself down', noteOnClaim(claim, { guestEndedAt: world.now() }))
  }
  return undefined
}

function judgeStart(wish: MachineWish, host: EndpointKey, here: MachineFacts | undefined): Verdict {
  const { claim, identity, mark, definition, userData } = wish
  if (wish.hold !== undefined) return wish.hold
  const claims = [claim.metadata.name]
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

/** Whether its processors execute nothing. */
export function isOff(facts: MachineFacts): boolean {
  return facts.powerState === 'Off'
}
