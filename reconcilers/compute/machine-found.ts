/** A machine that runs on a host that its claim does not name: somebody moved it, or it was started there by hand. */
import { type EndpointKey, endpointIdentity, endpointKey } from '../../drivers/contract/endpoint.ts'
import type { MachineFacts } from '../../drivers/contract/facts.ts'
import { type Claim, moveClaim } from '../claims.ts'
import { observe } from '../effect.ts'
import { fenceOf } from '../infrastructure/fencing.ts'
import { hostAt } from '../infrastructure/topology.ts'
import { isOurs } from '../ownership.ts'
import { acting, blocked, unknown, type Verdict, waiting } from '../verdict.ts'
import type { Seen, World } from '../world.ts'
import { judgeLeaving } from './migration.ts'
import { claimedHost, claimedTarget, isFenced, isMigrating, isOff } from './whereabouts.ts'

/**
 * What becomes of a machine that runs elsewhere. Its place follows it where it runs on exactly one host, and that of its
 * claim is proven not to run it. Nothing is started and nothing stopped by that. Else it is said what is in the way and
 * what an operator can do. Undefined: it runs nowhere else.
 */
export function judgeFound(identity: string, claim: Claim, world: World): Verdict | undefined {
  const [host, target, held] = [claimedHost(claim), claimedTarget(claim), claim.spec.machine]
  if (host === undefined || held === undefined) return undefined
  const running = world.observed.machines(identity).filter(({ current, facts }) => current && !isOff(facts))
  const [found, ...more] = running.filter(({ endpoint }) => endpoint !== host && endpoint !== target)
  if (found === undefined) return undefined
  if (running.length > 1 || more.length > 0) return seenTwice(running, held.hostName, world)
  const hostName = nameOf(found.endpoint, world)
  if (hostName === undefined || isMigrating(claim)) return unknown('RunsElsewhere', where(found, held.hostName, world))
  const obstacle = obstacleOf(found, held.hostName, world)
  if (obstacle !== undefined) return obstacle
  const doubtful = world.observed.inDoubt(identity).filter(each => each !== found.endpoint && !isFenced(each, world))
  if (doubtful.length > 0 || world.operations(identity).some(({ state }) => state === 'Running')) {
    return waiting('RunsElsewhere', `${where(found, held.hostName, world)}; an operation on it has not ended yet`)
  }
  const unproven = judgeClaimed(identity, claim, found, world)
  if (unproven !== undefined) return unproven
  const place = { ...held, hostName, hostIdentity: endpointIdentity(found.endpoint) }
  return acting(
    'FollowingMachine',
    `${where(found, held.hostName, world)}, which does not run it: its place is moved to where it is`,
    moveClaim(claim, { machine: place }),
  )
}

/** What is found is not ours to follow, or not yet what it will be. */
function obstacleOf(found: Seen<MachineFacts>, claimed: string, world: World): Verdict | undefined {
  const { facts } = found
  if (!isOurs(facts, world)) {
    return unknown(
      'RunsElsewhere',
      `${where(found, claimed, world)}. It does not bear our mark there: nothing is started until it is off or gone there`,
    )
  }
  const isSettled = facts.powerState !== 'Incoming' && facts.powerState !== 'Unknown'
  if (isSettled && facts.migratingTo === undefined) return undefined
  return unknown('RunsElsewhere', `${where(found, claimed, world)}: what it comes to is waited for`)
}

/** Why the host of the claim is not proven to be without it; undefined when it is. */
function judgeClaimed(identity: string, claim: Claim, found: Seen<MachineFacts>, world: World): Verdict | undefined {
  const held = claim.spec.machine
  if (held === undefined) return undefined
  const { hostName, hostIdentity } = held
  const host = endpointKey('Host', hostIdentity)
  const { answers, listed } = world.observed.endpoint(host)
  if (answers === 'No') {
    const fence = fenceOf(hostName, world, { hostIdentity })
    if (fence.fenced) return judgeLeaving(claim, held, world)
    return unknown('RunsElsewhere', `${where(found, hostName, world)}, which may run it as well. ${fence.why}`)
  }
  if (answers !== 'Yes' || !listed) {
    return unknown('RunsElsewhere', `${where(found, hostName, world)}, which has not been read yet`)
  }
  const isThere = world.observed.machines(identity).some(({ endpoint }) => endpoint === host)
  if (isThere || world.observed.provenAbsent(identity, host)) return undefined
  return acting('ProvingAbsence', `${where(found, hostName, world)}, which is being listed`, observe(host))
}

function seenTwice(running: readonly Seen<MachineFacts>[], claimed: string, world: World): Verdict {
  const places = running.map(
    ({ endpoint, facts }) => `${facts.powerState} on host "${nameOf(endpoint, world) ?? endpoint}"`,
  )
  return blocked(
    'SeenTwice',
    `The machine is ${places.join(' and ')}; its claim names host "${claimed}". Both may be writing to its disks, and nothing is started or stopped. Choose the one that is right and take the power from the other at its hypervisor: if the one that its claim names goes, its place follows the other`,
  )
}

function where({ endpoint, facts }: Seen<MachineFacts>, claimed: string, world: World): string {
  return `The machine is ${facts.powerState} on host "${nameOf(endpoint, world) ?? endpoint}", its claim names host "${claimed}"`
}

function nameOf(endpoint: EndpointKey, world: World): string | undefined {
  return hostAt(endpoint, world)?.metadata.name
}
