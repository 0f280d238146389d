import { Host } from '../../crds/infrastructure/host.ts'
import { parseDuration } from '../../crds/invariants/duration.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import type { Life, Wish, World } from '../world.ts'
import { settingsOf } from './settings.ts'

/**
 * The proofs that nothing runs on a host any more; there are no others. `PowerOff`: its power controller said Off twice
 * after it fell silent. `Attestation`: the operator says so (`lifecycle: Lost`). `StorageLease`: its lease on shared
 * storage has expired, under a watchdog. That no heartbeat is seen proves nothing.
 */
export type ProofOfDeath = 'PowerOff' | 'Attestation' | 'StorageLease'

/** Whether nothing can run on a host any more: by what proof, or why not and what an operator can do. */
export type Fence =
  | { readonly fenced: true; readonly by: ProofOfDeath }
  | { readonly fenced: false; readonly why: string }

/** Options of `fenceOf`. */
export interface FenceOptions {
  /** The identity that a claim names: another host of the same name proves nothing. Default: whichever has the name. */
  readonly hostIdentity?: string
}

/**
 * Whether a host is proven to run nothing: it has not answered for `Settings.hostLossDelay`, nobody sees a sign of life,
 * and there is one of the proofs. That its object is gone is none.
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
  const key = endpointKey('Host', identity)
  const { answers, silentSince } = world.observed.endpoint(key)
  const isLost = host.spec.lifecycle === 'Lost'
  if (answers === 'Yes' && isLost) {
    return not(
      `Host "${hostName}" answers although its spec.lifecycle is Lost: switch it off, or set spec.lifecycle to Active`,
    )
  }
  if (answers === 'Yes') return not(`Host "${hostName}" answers`)
  if (answers === 'Unknown') return not(`Host "${hostName}" has not been called yet`)
  const { hostLossDelay } = settingsOf(world)
  if (silentSince === undefined || !world.elapsed(silentSince, parseDuration(hostLossDelay))) {
    return not(
      `Host "${hostName}" does not answer; it is taken for lost after ${hostLossDelay} of silence (Settings spec.hostLossDelay)`,
    )
  }
  const life = world.observed.life(key)
  if (isLost) return fencedByAttestation(host, life, world)
  const holdsLease = world.observed.host(key)?.capabilities.includes('StorageLease') ?? false
  if (holdsLease && life?.leaseExpired === true) return { fenced: true, by: 'StorageLease' }
  return fencedByPower(host, silentSince, life, world)
}

/**
 * The operator's word counts from confirmed silence, unless the power controller or a sign of life says otherwise: a host
 * that is powered on may run machines.
 */
function fencedByAttestation(host: Wish<typeof Host>, life: Life | undefined, world: World): Fence {
  const { name } = host.metadata
  if (life === undefined) return not(`Host "${name}" is declared Lost; others are being asked for signs of life of it`)
  if (life.signs === 'Seen') {
    return not(
      `Host "${name}" is declared Lost, but gives signs of life on its storage or to its neighbours, so its machines may still run: switch it off`,
    )
  }
  const key = endpointKey('PowerController', world.identity(host))
  const isControlled = host.spec.powerControl !== undefined
  const { answers, message } = world.observed.endpoint(key)
  if (isControlled && answers === 'Unknown' && message === undefined) {
    return not(`Host "${name}" is declared Lost; its power controller is being asked`)
  }
  const power = world.observed.power(key)
  if (isControlled && answers === 'Yes' && power !== undefined && power.power !== 'Off') {
    return not(
      `Host "${name}" is declared Lost, but its power is ${power.power}, so its machines may still run: switch it off, or take out spec.powerControl if it errs`,
    )
  }
  return { fenced: true, by: 'Attestation' }
}

function fencedByPower(host: Wish<typeof Host>, silentSince: string, life: Life | undefined, world: World): Fence {
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
  if (controller.answers === 'Unknown' && controller.message !== undefined) {
    return not(`${silent}; its power controller cannot be read (${controller.message}): ${choices}`)
  }
  if (power === undefined || controller.answers === 'Unknown')
    return not(`${silent}; its power controller is being asked`)
  if (power.power !== 'Off') {
    return not(`${silent}, but its power is ${power.power}, so its machines may still run: ${choices}`)
  }
  if (!power.confirmed) return not(`${silent}; its power was read as Off once and is being read again`)
  if (life?.signs === 'Seen') {
    return not(
      `${silent}, and its power reads Off, but it gives signs of life on its storage or to its neighbours: check that spec.powerControl is its own. ${choices}`,
    )
  }
  return { fenced: true, by: 'PowerOff' }
}

function not(why: string): Fence {
  return { fenced: false, why }
}
