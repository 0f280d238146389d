import type { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Volume } from '../../crds/storage/volume.ts'
import { adoptionObstacle } from '../../drivers/contract/adoption.ts'
import { type EndpointKey, endpointIdentity } from '../../drivers/contract/endpoint.ts'
import type { MachineFacts } from '../../drivers/contract/facts.ts'
import { operation } from '../../drivers/contract/operation.ts'
import { attachmentsByMachine, type Claim, volumeClaim } from '../claims.ts'
import { operate, update } from '../effect.ts'
import { fenceOf } from '../infrastructure/fencing.ts'
import { hostAt } from '../infrastructure/topology.ts'
import { isOurs, refusalToAdopt } from '../ownership.ts'
import { acting, blocked, satisfied, unknown, type Verdict, waiting } from '../verdict.ts'
import type { Seen, Wish, World } from '../world.ts'
import { rootVolumeName } from './disk-plan.ts'
import { definitionOf, markOf } from './machine-definition.ts'
import { judgeMigration } from './migration.ts'
import { claimedHost, isOff, isOnItsWay } from './whereabouts.ts'

type Machine = Wish<typeof VirtualMachine>

/** A machine on the host of its claim that does not bear our mark; undefined where there is none. */
export function unadopted(identity: string, claim: Claim, world: World): Seen<MachineFacts> | undefined {
  const host = claimedHost(claim)
  const here = world.observed.machines(identity).find(({ endpoint }) => endpoint === host)
  return here === undefined || isOurs(here.facts, world) ? undefined : here
}

/**
 * A machine that runs, or is off, without our mark is taken over as it is, where an operator wishes so and the manifest
 * describes what is there. Undefined: there is nothing to take over.
 */
export function judgeAdoption(machine: Machine, claim: Claim, world: World): Verdict | undefined {
  const identity = world.identity(machine)
  const here = unadopted(identity, claim, world)
  if (here === undefined) return undefined
  const refusal = refusalToAdopt('Machine', here.facts, world)
  if (refusal !== undefined) return refusal
  if (!here.current) return waiting('HostSilent', 'The host of the machine does not answer')
  const definition = definitionOf(machine, world)
  if (definition === undefined) return waiting('DefinitionIncomplete', 'A part of the definition is not known yet')
  const obstacle = adoptionObstacle(definition, here.facts.definition)
  if (obstacle !== undefined) {
    return blocked('AdoptionDiffers', `The machine cannot be taken over: ${obstacle}; describe it as it is`)
  }
  const args = { identity, epoch: claim.spec.epoch, mark: markOf(machine, world), definition }
  const adoption = operation('AdoptMachine', { endpoint: here.endpoint, identity }, args)
  return acting('Adopting', 'The machine is being taken over as it is', operate(adoption, [claim.metadata.name]))
}

/** A machine is given back as it is, without our mark, once its disks are given back too. */
export function judgeGivenBack(machine: Machine, claim: Claim | undefined, world: World): Verdict {
  const identity = world.identity(machine)
  const unwished = 'The machine is given back'
  const migration = claim && judgeMigration({ identity, claim, unwished, movable: false }, world)
  if (migration !== undefined) return migration
  const disks = judgeDisks(machine, identity, world)
  if (disks !== undefined) return disks
  const silent = claim && judgeSilentHost(claim, world)
  if (silent !== undefined) return silent
  const seen = world.observed.machines(identity)
  const home = claim && seen.find(each => each.current && each.endpoint === claimedHost(claim))
  for (const { endpoint, facts, current } of seen) {
    if (!isOurs(facts, world) || (!current && isLetGo(endpoint, world))) continue
    if (!current) return unknown('HostSilent', `The machine was last seen at ${endpoint}, which does not answer`)
    if (isOnItsWay(facts)) {
      return waiting('Migrating', 'The machine is given back when its migration is over')
    }
    const release = { identity, epoch: Math.max(claim?.spec.epoch ?? 0, facts.epoch) }
    const claims = claim === undefined ? [] : [claim.metadata.name]
    if (home !== undefined && endpoint !== home.endpoint && isOff(facts)) {
      const removal = operation('RemoveMachine', { endpoint, identity }, release)
      return acting('RemovingStray', 'A definition left on another host is being removed', operate(removal, claims))
    }
    return acting(
      'GivingBack',
      'The machine is being given back as it is',
      operate(operation('ReleaseMachine', { endpoint, identity }, release), claims),
    )
  }
  const doubtful = world.observed.inDoubt(identity).filter(endpoint => !isLetGo(endpoint, world))
  if (doubtful.length > 0)
    return unknown('InDoubt', `An unanswered operation may still take effect at ${doubtful.join(', ')}`)
  return satisfied('GivenBack')
}

/** Its mark can only be taken away where its host answers; undefined where it does, or the machine is let go with it. */
function judgeSilentHost(claim: Claim, world: World): Verdict | undefined {
  const [host, held] = [claimedHost(claim), claim.spec.machine]
  if (host === undefined || held === undefined || isLetGo(host, world)) return undefined
  const { answers, listed } = world.observed.endpoint(host)
  if (answers === 'Yes' && listed) return undefined
  const waits = 'The machine is given back when its host answers'
  if (answers !== 'No') return unknown('HostNotListed', `${waits}: host "${held.hostName}" has not been read yet`)
  const fence = fenceOf(held.hostName, world, { hostIdentity: held.hostIdentity })
  const letGo =
    'With spec.lifecycle Lost on the Host the machine is let go as it lies there: what the host has of it keeps our mark'
  return unknown(
    'HostSilent',
    `${waits}. ${fence.fenced ? `Host "${held.hostName}" is proven off` : fence.why}. ${letGo}`,
  )
}

/**
 * Whether a host is off for good by an operator's word that holds: what is given back there is let go as it lies. That it
 * is off for now is not enough, because it would come back with our mark on what is no longer ours.
 */
export function isLetGo(endpoint: EndpointKey, world: World): boolean {
  const host = hostAt(endpoint, world)
  const fence = host && fenceOf(host.metadata.name, world, { hostIdentity: endpointIdentity(endpoint) })
  return fence?.fenced === true && fence.by === 'Attestation'
}

/**
 * Whoever has the machine has its disks: one that stayed ours could be given to another machine while this one writes to
 * it. So each must be on its way out too, and be left where it is.
 */
function judgeDisks(machine: Machine, identity: string, world: World): Verdict | undefined {
  for (const { spec } of world.desired.list(attachmentsByMachine, identity)) {
    const holder = volumeClaim(spec.attachment?.volumeIdentity ?? '', world)?.spec.holder
    const volume = holder === undefined ? undefined : world.desired.get(Volume, holder.name, holder.namespace)
    if (volume === undefined || volume.metadata.uid !== holder?.uid) continue
    const orphaned = volume.spec.management.deletionPolicy === 'Orphan'
    if (isOwnRoot(machine, volume)) {
      if (orphaned) continue
      const management = { ...volume.spec.management, deletionPolicy: 'Orphan' }
      const left = update(volume, { ...volume.spec, management })
      return acting('LeavingRootDisk', 'Noting that the root disk is left where it is', left)
    }
    if (orphaned && volume.metadata.deletionTimestamp !== undefined) continue
    return waiting(
      'VolumesStay',
      `Volume "${volume.metadata.name}" is attached to the machine that is given back: delete it as well, with spec.management.deletionPolicy Orphan`,
    )
  }
  return undefined
}

function isOwnRoot(machine: Machine, volume: Wish<typeof Volume>): boolean {
  const owned = volume.metadata.ownerReferences?.some(({ uid }) => uid === machine.metadata.uid)
  return owned === true && volume.metadata.name === rootVolumeName(machine)
}
