/** A machine that is seen at several hosts and has no claim: the API's store was lost when it had left one of them. */
import { endpointIdentity } from '../../drivers/contract/endpoint.ts'
import type { MachineFacts } from '../../drivers/contract/facts.ts'
import { noteStray } from '../claims.ts'
import { fenceOf } from '../infrastructure/fencing.ts'
import { hostAt, hostNameAt } from '../infrastructure/topology.ts'
import { isOurs } from '../ownership.ts'
import { acting, blocked, unknown, type Verdict, waiting } from '../verdict.ts'
import type { Seen, World } from '../world.ts'
import type { HeldIdentity } from './machine-takeover.ts'
import { isFenced, isOff, isOnItsWay } from './whereabouts.ts'

/** A machine and everything that is seen of it. */
export interface Copies extends HeldIdentity {
  readonly seen: readonly Seen<MachineFacts>[]
  /** The one at which it gets its place. */
  readonly main: Seen<MachineFacts> | undefined
}

/**
 * The one that is the machine: the only one that is not off, the source of its migration where there are two, or, with all of them off, the one that was last given to a
 * host. What a host had that is proven off is left behind, where there is another. Undefined: that cannot be told.
 */
export function mainCopy(seen: Copies['seen'], world: World): Copies['main'] {
  const alive = seen.filter(({ current, endpoint }) => current || !isFenced(endpoint, world))
  if (!alive.every(({ current, facts }) => current && isOurs(facts, world))) return undefined
  const running = alive.filter(({ facts }) => !isOff(facts))
  if (running.length > 0) return running.length === 1 ? running[0] : sourceOf(running)
  const epoch = Math.max(...alive.map(({ facts }) => facts.epoch))
  const latest = alive.filter(({ facts }) => facts.epoch === epoch)
  return latest.length === 1 ? latest[0] : undefined
}

function sourceOf(running: Copies['seen']): Copies['main'] {
  const source = running.find(({ facts }) => facts.migratingTo !== undefined)
  return running.length === 2 && incomingSide(running, source) !== undefined ? source : undefined
}

/** The other end of a migration that goes on without a claim from the one that is the machine. Undefined: none is seen. */
export function incomingSide(seen: Copies['seen'], main: Copies['main']): Seen<MachineFacts> | undefined {
  if (main?.facts.migratingTo === undefined) return undefined
  return seen.find(({ facts }) => facts.powerState === 'Incoming')
}

/** What is left of the machine elsewhere is noted, to be removed there, before it gets its place. Undefined: it is noted. */
export function judgeCopies({ identity, holder, seen, main }: Copies, world: World): Verdict | undefined {
  const places = seen.map(({ endpoint, facts }) => `${facts.powerState} on host "${hostNameAt(endpoint, world)}"`)
  const message = `The machine has no claim and is ${places.join(' and ')}`
  const incoming = incomingSide(seen, main)
  const unsettled = judgeUnsettled(seen, incoming !== undefined, message, world)
  if (unsettled !== undefined) return unsettled
  if (main === undefined) return blocked('SeenTwice', `${message}: remove all but one of them there`)
  const others = seen.filter(({ endpoint }) => endpoint !== main.endpoint && endpoint !== incoming?.endpoint)
  const notes = others.map(({ endpoint }) => noteStray(identity, holder, endpointIdentity(endpoint), world))
  const missing = notes.flatMap(note => (note === undefined || note === 'Noting' ? [] : [note]))
  if (missing.length > 0) return acting('NotingStray', `${message}: noting what is left behind`, ...missing)
  return notes.includes('Noting') ? waiting('NotingStray', `${message}: noting what is left behind`) : undefined
}

/** What is silent is waited for, and what is on its way while its two ends are not both known. */
function judgeUnsettled(
  seen: Copies['seen'],
  isRouteKnown: boolean,
  message: string,
  world: World,
): Verdict | undefined {
  const silent = seen.find(({ current, endpoint }) => !current && !isFenced(endpoint, world))
  const host = silent && hostAt(silent.endpoint, world)
  if (host !== undefined) {
    const fence = fenceOf(host.metadata.name, world)
    return unknown('HostSilent', fence.fenced ? message : `${message}. ${fence.why}`)
  }
  const isMoving = !isRouteKnown && seen.some(({ current, facts }) => current && isOnItsWay(facts))
  return isMoving ? waiting('Migrating', `${message}: what its migration comes to is waited for`) : undefined
}
