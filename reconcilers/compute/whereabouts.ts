import { type EndpointKey, endpointIdentity, endpointKey } from '../../drivers/contract/endpoint.ts'
import type { MachineFacts } from '../../drivers/contract/facts.ts'
import type { Claim } from '../claims.ts'
import { fenceOf } from '../infrastructure/fencing.ts'
import { hostAt } from '../infrastructure/topology.ts'
import type { Seen, World } from '../world.ts'

/** The endpoint of the host that a machine's claim names. */
export function claimedHost(claim: Claim): EndpointKey | undefined {
  const host = claim.spec.machine?.hostIdentity
  return host === undefined ? undefined : endpointKey('Host', host)
}

/** The endpoint of the host that a machine is being migrated to, as its claim names it. Undefined: it is not. */
export function claimedTarget(claim: Claim): EndpointKey | undefined {
  const host = claim.spec.machine?.targetHostIdentity
  return host === undefined ? undefined : endpointKey('Host', host)
}

/** Whether the machine's claim names two hosts: it may be at the one or at the other. */
export function isMigrating(claim: Claim): boolean {
  return claim.spec.machine?.targetHostIdentity !== undefined
}

/**
 * The machine where its claim has it. While it migrates that is its source, until the target has more of it than the
 * incoming side.
 */
export function whereSeen(identity: string, claim: Claim | undefined, world: World): Seen<MachineFacts> | undefined {
  if (claim === undefined) return undefined
  const [host, target] = [claimedHost(claim), claimedTarget(claim)]
  const seen = world.observed.machines(identity)
  const here = seen.find(({ endpoint }) => endpoint === host)
  if (target === undefined || (here?.current && !isOff(here.facts))) return here
  const there = seen.find(({ endpoint }) => endpoint === target)
  return there === undefined || there.facts.powerState === 'Incoming' ? here : there
}

/** Whether its processors execute nothing. */
export function isOff(facts: MachineFacts): boolean {
  return facts.powerState === 'Off'
}

/** Whether it is one end of a migration under way. */
export function isOnItsWay({ powerState, migratingTo }: MachineFacts): boolean {
  return powerState === 'Incoming' || migratingTo !== undefined
}

/** Whether an endpoint is a host that is proven to run nothing. */
export function isFenced(endpoint: EndpointKey, world: World): boolean {
  const host = hostAt(endpoint, world)
  return host !== undefined && fenceOf(host.metadata.name, world, { hostIdentity: endpointIdentity(endpoint) }).fenced
}
