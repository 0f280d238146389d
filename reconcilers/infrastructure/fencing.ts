import { Host } from '../../crds/infrastructure/host.ts'
import { parseDuration } from '../../crds/invariants/duration.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import type { Wish, World } from '../world.ts'
import { settingsOf } from './settings.ts'

/** Whether nothing can run on a host any more: by what proof, or why not and what an operator can do. */
export type Fence =
  | { readonly fenced: true; readonly by: 'PowerOff' | 'Attestation' }
  | { readonly fenced: false; readonly why: string }

/** Options of `fenceOf`. */
export interface FenceOptions {
  /** The identity that a claim names: another host of the same name proves nothing. Default: whichever has the name. */
  readonly hostIdentity?: string
}

/**
 * Whether a host is proven to run nothing: it does not answer, and either its power was read as Off twice after it fell
 * silent, or an operator says that it is lost and no power controller says that it is on. That its object is gone is no
 * proof.
 */
export function fenceOf(hostName: string, world: World, options: FenceOptions = {}): Fence {
  const host = world.desired.get(Host, hostName)
  if (host === undefined) {
    return not(
      `Host "${hostName}" is no longer declared, which does not prove that it is off: apply it again, with spec.lifecycle Lost if it is off for good`,
    )
  }
  const identity = world.identity(host)
  if (options.hostIdentity !== undefined && options.hostIdentity !== identity) {
    return not(
      `Host "${hostName}" is another one now (identity ${identity}, not ${options.hostIdentity}): give it back its identity, with spec.lifecycle Lost if the old one is off for good`,
    )
  }
  const { answers, silentSince } = world.observed.endpoint(endpointKey('Host', identity))
  const isLost = host.spec.lifecycle === 'Lost'
  if (answers === 'Yes' && isLost) {
    return not(
      `Host "${hostName}" answers although its spec.lifecycle is Lost: switch it off, or set spec.lifecycle to Active`,
    )
  }
  if (answers === 'Yes') return not(`Host "${hostName}" answers`)
  if (answers === 'Unknown') return not(`Host "${hostName}" has not been called yet`)
  if (isLost) return fencedByAttestation(host, world)
  const { hostLossDelay } = settingsOf(world)
  if (silentSince === undefined || !world.elapsed(silentSince, parseDuration(hostLossDelay))) {
    return not(
      `Host "${hostName}" does not answer; it is taken for lost after ${hostLossDelay} of silence (Settings spec.hostLossDelay)`,
    )
  }
  return fencedByPower(host, silentSince, world)
}

/** The operator's word counts unless the power controller says otherwise: a host that is powered on may run machines. */
function fencedByAttestation(host: Wish<typeof Host>, world: World): Fence {
  const { name } = host.metadata
  const key = endpointKey('PowerController', world.identity(host))
  const isControlled = host.spec.powerControl !== undefined
  const { answers, message } = world.observed.endpoint(key)
  if (isControlled && answers === 'Unknown' && message === undefined) {
    return not(`Host "${name}" is declared Lost; its power controller is being asked`)
  }
  if (isControlled && answers === 'Yes' && world.observed.power(key)?.power === 'On') {
    return not(
      `Host "${name}" is declared Lost, but its power is On, so its machines may still run: switch it off, or take out spec.powerControl if it errs`,
    )
  }
  return { fenced: true, by: 'Attestation' }
}

function fencedByPower(host: Wish<typeof Host>, silentSince: string, world: World): Fence {
  const { name } = host.metadata
  const silent = `Host "${name}" has not answered since ${silentSince}`
  const choices = `bring it back, or switch it off and set its spec.lifecycle to Lost`
  if (host.spec.powerControl === undefined) return not(`${silent} and has no spec.powerControl: ${choices}`)
  const key = endpointKey('PowerController', world.identity(host))
  const controller = world.observed.endpoint(key)
  if (controller.answers === 'No') {
    return not(
      `${silent}, and neither does its power controller (${controller.message ?? 'no reason given'}): ${choices}`,
    )
  }
  const power = world.observed.power(key)
  if (power === undefined || controller.answers === 'Unknown')
    return not(`${silent}; its power controller is being asked`)
  if (power.power === 'On') return not(`${silent}, but its power is On, so its machines may still run: ${choices}`)
  if (!power.confirmed) return not(`${silent}; its power was read as Off once and is being read again`)
  return { fenced: true, by: 'PowerOff' }
}

function not(why: string): Fence {
  return { fenced: false, why }
}
