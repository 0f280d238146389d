import { PublicTemplate } from '../../crds/compute/public-template.ts'
import { ServiceOffering } from '../../crds/compute/service-offering.ts'
import { VirtualMachine } from '../../crds/compute/virtual-machine.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import { parseDuration } from '../../crds/invariants/duration.ts'
import { formatQuantity } from '../../crds/invariants/quantity.ts'
import { Network } from '../../crds/network/network.ts'
import { SharedNetwork } from '../../crds/network/shared-network.ts'
import { Volume } from '../../crds/storage/volume.ts'
import { endpointKey } from '../../drivers/contract/endpoint.ts'
import { allocationsByHolder, type Claim, holderOf, identityClaim, machineClaim } from '../claims.ts'
import { defineReconciler, type Phase, type Reference } from '../define-reconciler.ts'
import { remove } from '../effect.ts'
import { heldByMachine } from '../holdings.ts'
import { fenceOf } from '../infrastructure/fencing.ts'
import { planNIC } from '../network/machine-nics.ts'
import { once } from '../once.ts'
import { explain, place } from '../placement/place.ts'
import { acting, blocked, satisfied, type Verdict, waiting } from '../verdict.ts'
import { defineIndex, isStored, type Wish, type World } from '../world.ts'
import { judgeKnown, planDisks, rootVolumeName } from './disk-plan.ts'
import { isLetGo, judgeAdoption, judgeGivenBack } from './machine-adoption.ts'
import { holdsDefined, releaseAttachments } from './machine-attachments.ts'
import { definitionOf, judgeConfigured, machineFields, markOf, minimumMemory } from './machine-definition.ts'
import { diskObstacle, judgeVolumesAttached } from './machine-disks.ts'
import { identityConflict, judgePlace, judgeRelease } from './machine-place.ts'
import { definitionsHeld, judgePower, judgeRemoval } from './machine-power.ts'
import { machineRequest } from './machine-request.ts'
import { hasEnded, isMovable, settled } from './machine-stay.ts'
import { lackingInZone, unsupported } from './machine-support.ts'
import { machinePriority } from './restart-turn.ts'
import { isRestartDue, isRestarting } from './restart-window.ts'
import { closedStorage } from './storage-maintenance.ts'
import { claimedHost, whereSeen } from './whereabouts.ts'

type Machine = Wish<typeof VirtualMachine>

/** Machines by the name of their service offering. */
export const machinesByServiceOffering = defineIndex(VirtualMachine, 'machinesByServiceOffering', ({ spec }) => [
  spec.serviceOfferingName,
])

/** Machines by the name of their template. */
export const machinesByTemplate = defineIndex(VirtualMachine, 'machinesByTemplate', ({ spec }) =>
  spec.templateRef === undefined ? [] : [spec.templateRef.name],
)

/** Machines by the name of their zone. */
export const machinesByZone = defineIndex(VirtualMachine, 'machinesByZone', ({ spec }) => [spec.zoneName])

function references({ spec, metadata: { namespace } }: Machine): readonly Reference[] {
  const nics = spec.nics.map(
    (nic): Reference =>
      nic.sharedNetworkName === undefined
        ? { kind: Network, name: nic.networkName ?? '', namespace, field: `spec.nics[${nic.name}].networkName` }
        : { kind: SharedNetwork, name: nic.sharedNetworkName, field: `spec.nics[${nic.name}].sharedNetworkName` },
  )
  const volumes = spec.volumes.map(
    ({ name, volumeName }): Reference => ({
      kind: Volume,
      name: volumeName,
      namespace,
      field: `spec.volumes[${name}].volumeName`,
    }),
  )
  return [
    { kind: Zone, name: spec.zoneName, field: 'spec.zoneName' },
    { kind: ServiceOffering, name: spec.serviceOfferingName, field: 'spec.serviceOfferingName' },
    ...(spec.templateRef === undefined
      ? []
      : [{ kind: PublicTemplate, name: spec.templateRef.name, field: 'spec.templateRef.name' }]),
    ...nics,
    ...volumes,
  ]
}

const scheduled: Phase<typeof VirtualMachine> = { condition: 'Scheduled', judge: judgeScheduled }

function judgeScheduled(self: Machine, world: World): Verdict {
  return once(world, `scheduled/${self.metadata.uid}`, () => findPlace(self, world))
}

function findPlace(self: Machine, world: World): Verdict {
  const identity = world.identity(self)
  const disks = planDisks(self, world)
  const claim = machineClaim(identity, world)
  const placed = claim !== undefined
  if (!placed) {
    const obstacle = unsupported(self, world) ?? lackingInZone(self, world) ?? judgeBeforePlacing(self, world)
    if (obstacle !== undefined) return obstacle
  }
  const request = machineRequest(self, disks, world)
  if (request === undefined) return waiting('OfferingNotFound', 'The offering or the template is missing')
  const minimum = minimumMemory(self, world)
  // What runs with less, from before the template wanted more, goes on as it is.
  if (
    minimum !== undefined &&
    request.memoryBytes < minimum &&
    request.memoryBytes !== claim?.spec.machine?.memoryBytes
  ) {
    return blocked(
      'OfferingTooSmall',
      `Template "${self.spec.templateRef?.name}" needs ${formatQuantity(minimum, 'Bytes')} of memory: change spec.serviceOfferingName`,
    )
  }
  const closed = placed ? undefined : closedToNew(self, world)
  if (closed !== undefined) return closed
  const volumes = disks.flatMap(({ identity: id, volume }) => (id && volume ? [[id, holderOf(volume)] as const] : []))
  const rests = hasEnded(self, world)
  return judgePlace(
    {
      identity,
      holder: holderOf(self),
      request,
      wanted: self.spec.runStrategy !== 'Halted',
      movable: isMovable(self, world),
      rests,
      restartPriority: machinePriority(self, world),
      volumeHolders: Object.fromEntries(volumes),
    },
    world,
  )
}

/** What is switched off for new machines; those that were made with it stay. */
function closedToNew(self: Machine, world: World): Verdict | undefined {
  if (world.observed.machines(world.identity(self)).length > 0) return undefined
  const { serviceOfferingName, templateRef } = self.spec
  if (world.desired.get(ServiceOffering, serviceOfferingName)?.spec.allocationState === 'Disabled') {
    return blocked(
      'OfferingDisabled',
      `spec.serviceOfferingName: ServiceOffering "${serviceOfferingName}" has allocationState Disabled: choose another`,
    )
  }
  const template = templateRef === undefined ? undefined : world.desired.get(PublicTemplate, templateRef.name)
  if (template?.spec.allocationState !== 'Disabled') return undefined
  return blocked(
    'TemplateDisabled',
    `spec.templateRef: PublicTemplate "${template.metadata.name}" has allocationState Disabled: make the machine from another`,
  )
}

/** A place is looked for only when every disk is known, and none of them is somebody else's under our name. */
function judgeBeforePlacing(self: Machine, world: World): Verdict | undefined {
  const wanted = self.spec.runStrategy !== 'Halted'
  for (const disk of planDisks(self, world)) {
    const { volumeName, volume, identity } = disk
    if (volume === undefined || identity === undefined) return wanted ? judgeKnown(disk) : undefined
    const { namespace } = volume.metadata
    const others = world.observed.named(Volume.kind, namespace, volumeName).filter(other => other !== identity)
    if (others.length > 0) return identityConflict(Volume.kind, others)
  }
  return undefined
}

const addressesAllocated: Phase<typeof VirtualMachine> = {
  condition: 'AddressesAllocated',
  judge: (self, world) => {
    const verdicts = self.spec.nics.map(nic => planNIC(self, nic, world).address)
    const claims = verdicts.flatMap(verdict => (verdict.is === 'acting' ? verdict.effects : []))
    if (claims.length > 0) return acting('Allocating', 'Taking addresses', ...claims)
    return verdicts.find(({ is }) => is !== 'satisfied') ?? releaseAddresses(self, world) ?? satisfied('Allocated')
  },
}

/** Addresses of NICs that are no longer wished for go back once the machine no longer has the NIC. */
function releaseAddresses(self: Machine, world: World): Verdict | undefined {
  const wished = new Set(self.spec.nics.flatMap(nic => planNIC(self, nic, world).addresses))
  const unwished = world.desired
    .list(allocationsByHolder, self.metadata.uid)
    .filter(({ spec }) => spec.type === 'IP' && !wished.has(spec.value))
  if (unwished.length === 0) return undefined
  const definitions = definitionsHeld(world.identity(self), world)
  if (definitions === undefined) return undefined
  const used = new Set(definitions.flatMap(({ nics }) => nics.flatMap(nic => nic.addresses)))
  const spare = unwished.filter(({ spec }) => !used.has(spec.value))
  return spare.length === 0 ? undefined : acting('Releasing', 'Giving back addresses', ...spare.map(remove))
}

const volumesAttached: Phase<typeof VirtualMachine> = { condition: 'VolumesAttached', judge: judgeVolumesAttached }

const networkReady: Phase<typeof VirtualMachine> = {
  condition: 'NetworkReady',
  judge: (self, world) => networkObstacle(self, world) ?? satisfied('Ready'),
}

function networkObstacle(self: Machine, world: World): Verdict | undefined {
  for (const nic of self.spec.nics) {
    const { address, service } = planNIC(self, nic, world)
    if (address.is !== 'satisfied') return address
    if (service.is !== 'satisfied') return service
  }
  return undefined
}

const powerApplied: Phase<typeof VirtualMachine> = { condition: 'PowerApplied', judge: judgeMachinePower }

function judgeMachinePower(self: Machine, world: World): Verdict {
  const identity = world.identity(self)
  const claim = machineClaim(identity, world)
  if (claim === undefined) return judgeWithoutClaim(self, world)
  const adopting = judgeAdoption(self, claim, world)
  if (adopting !== undefined) return adopting
  const definition = definitionOf(self, world)
  const place = judgeScheduled(self, world)
  const hold =
    unsupported(self, world) ??
    placeObstacle(place) ??
    diskObstacle(self, planDisks(self, world), world) ??
    networkObstacle(self, world) ??
    (definition === undefined
      ? waiting('DefinitionIncomplete', 'A part of the definition is not known yet')
      : undefined)
  const restart = restartOf(self, world)
  const storage = closedStorage(self, world)
  const [seen] = world.observed.machines(identity)
  const usable = definition ?? seen?.facts.definition ?? nothing
  return judgePower(
    {
      identity,
      claim,
      mark: markOf(self, world),
      definition: usable,
      runStrategy: self.spec.runStrategy,
      shutdownTimeout: parseDuration(self.spec.shutdownTimeout),
      generation: self.metadata.generation,
      ...(hold === undefined
        ? {}
        : { hold: asHold(hold), keptUp: place.is !== 'acting' && isStillItsOwn(self, claim, world) }),
      ...(restart === undefined ? {} : { restart }),
      ...(storage === undefined ? {} : { closedStorage: storage }),
      ...(self.spec.userData === undefined ? {} : { userData: self.spec.userData }),
    },
    world,
  )
}

/** Whether what its host has of it may be started as it is there. */
function isStillItsOwn(self: Machine, claim: Claim, world: World): boolean {
  const definition = whereSeen(world.identity(self), claim, world)?.facts.definition
  return definition !== undefined && holdsDefined(self, definition, world)
}

/** Whether a running machine is to be restarted for what differs: in its window, and only where it can come up again. */
function restartOf(self: Machine, world: World): 'Due' | 'Begun' | undefined {
  const differences = machineFields(self, world)?.differences ?? []
  if (!differences.some(({ change }) => change === 'Restart')) return undefined
  if (isRestarting(self, world)) return 'Begun'
  return isRestartDue(self, world) && fitsAfterRestart(self, world) ? 'Due' : undefined
}

function fitsAfterRestart(self: Machine, world: World): boolean {
  const request = machineRequest(self, planDisks(self, world), world)
  const held = machineClaim(world.identity(self), world)?.spec.machine
  if (request === undefined || held === undefined) return false
  if (request.cores === held.cores && request.clockMHz === held.clockMHz && request.memoryBytes === held.memoryBytes) {
    return true
  }
  const freed = heldByMachine(world.identity(self), held, world)
  return place({ ...request, hostIdentity: held.hostIdentity, freed }, world).ok
}

/** A place that is being left or resized starts nothing; one that is merely not as wished does not matter. */
function placeObstacle(place: Verdict): Verdict | undefined {
  return place.is === 'satisfied' ? undefined : place
}

const nothing = {
  role: 'Instance',
  cores: 0,
  clockMHz: 0,
  memoryBytes: 0,
  guestHostName: '',
  disks: [],
  nics: [],
} as const

/** What holds a start back is for another phase to bring about: here it is only waited for. */
function asHold(verdict: Verdict): Verdict {
  return verdict.is === 'acting' ? waiting(verdict.reason, verdict.message) : verdict
}

function judgeWithoutClaim(self: Machine, world: World): Verdict {
  const off = self.spec.runStrategy === 'Halted' && world.observed.machines(world.identity(self)).length === 0
  return off ? satisfied('Halted') : waiting('NotScheduled', 'The machine has no place on a host yet')
}

const configured: Phase<typeof VirtualMachine> = {
  condition: 'Configured',
  needs: ['Scheduled', 'AddressesAllocated', 'PowerApplied'],
  judge: (self, world) => unsupported(self, world) ?? judgeConfigured(self, world),
}

const poweredOff: Phase<typeof VirtualMachine> = { condition: 'PowerApplied', judge: judgeTeardown }

/** Off, then gone from every host that answers; a host that does not is waited for, or fenced. */
function judgeTeardown(self: Machine, world: World): Verdict {
  const identity = world.identity(self)
  const claim = machineClaim(identity, world)
  if (self.spec.management.deletionPolicy === 'Orphan') return judgeGivenBack(self, claim, world)
  const held = claim?.spec.machine
  if (held !== undefined && world.observed.endpoint(endpointKey('Host', held.hostIdentity)).answers === 'No') {
    const fence = fenceOf(held.hostName, world, { hostIdentity: held.hostIdentity })
    if (!fence.fenced) return waiting('HostSilent', fence.why)
  }
  return judgeRemoval(identity, claim, parseDuration(self.spec.shutdownTimeout), world)
}

const released: Phase<typeof VirtualMachine> = {
  condition: 'Scheduled',
  needs: ['PowerApplied'],
  judge: (self, world) => {
    const identity = world.identity(self)
    const claim = machineClaim(identity, world)
    if (claim === undefined) return satisfied('Released')
    const host = claimedHost(claim)
    const isGivenBack = self.spec.management.deletionPolicy === 'Orphan'
    if (isGivenBack && host !== undefined && isLetGo(host, world)) {
      return acting('Releasing', 'The machine is let go with its host', remove(claim))
    }
    return judgeRelease(claim, identity, world) ?? satisfied('Released')
  },
}

const everythingReturned: Phase<typeof VirtualMachine> = {
  condition: 'VolumesAttached',
  needs: ['PowerApplied', 'Scheduled'],
  judge: (self, world) => {
    const held = world.desired
      .list(allocationsByHolder, self.metadata.uid)
      .filter(({ spec: { type } }) => type !== 'Identity' && type !== 'Machine' && type !== 'Stray')
    const root = world.desired.get(Volume, rootVolumeName(self), self.metadata.namespace)
    const owned = root?.metadata.ownerReferences?.some(({ uid }) => uid === self.metadata.uid)
    const child = owned && root !== undefined && root.metadata.deletionTimestamp === undefined ? [root] : []
    const given = identityClaim(self, world)
    const last = given === undefined || held.length > 0 || child.length > 0 ? [] : [given]
    const attachments = held.filter(({ spec }) => spec.type === 'Attachment')
    const others = held.filter(({ spec }) => spec.type !== 'Attachment')
    // The root volume is deleted first: what its attachment says need not be noted then.
    const kept = child.map(volume => world.identity(volume))
    const released = attachments.filter(({ spec }) => !kept.includes(spec.attachment?.volumeIdentity ?? ''))
    const deletable = child.filter(({ spec }) => spec.protected !== 'Enabled')
    const leaving = [...others, ...deletable, ...last].flatMap(object => (object && isStored(object) ? [object] : []))
    if (leaving.length === 0 && released.length === 0 && deletable.length < child.length) return keptByRoot(self)
    if (leaving.length === 0 && attachments.length === 0) return satisfied('Returned')
    return acting(
      'Returning',
      'Giving back addresses and disks',
      ...leaving.map(object => remove(object)),
      ...releaseAttachments(released, world),
    )
  },
}

function keptByRoot(self: Wish<typeof VirtualMachine>): Verdict {
  const name = rootVolumeName(self)
  return waiting('Protected', `Volume "${name}", which goes with it, is protected: set its spec.protected to Disabled`)
}

/** The reconciler of virtual machines. */
export const virtualMachineReconciler = defineReconciler(VirtualMachine, {
  references,
  fields: machineFields,
  phases: [scheduled, settled, addressesAllocated, volumesAttached, networkReady, powerApplied, configured],
  teardown: [poweredOff, released, everythingReturned],
  place: (self, world) => {
    const request = machineRequest(self, planDisks(self, world), world)
    return request && { planner: request.planner, hosts: explain(request, world) }
  },
  report: (status, self, world) => {
    const identity = world.identity(self)
    const held = machineClaim(identity, world)?.spec.machine
    const here = whereSeen(identity, machineClaim(identity, world), world)
    const power = here === undefined ? 'Off' : here.current ? here.facts.powerState : 'Unknown'
    if (held === undefined) delete status.hostName
    else status.hostName = held.hostName
    status.powerState = power
    status.nics = self.spec.nics.map(nic => {
      const { name, macAddress, addresses } = planNIC(self, nic, world)
      const [ipAddress, ...secondaryIPs] = addresses
      return {
        name,
        macAddress,
        ...(ipAddress === undefined ? {} : { ipAddress }),
        ...(secondaryIPs.length === 0 ? {} : { secondaryIPs }),
      }
    })
    const disks = planDisks(self, world)
    const present = new Set(here?.facts.definition.disks.map(disk => disk.identity))
    status.volumes = disks
      .filter(({ identity: id }) => id !== undefined && present.has(id))
      .map(({ name, volumeName }) => ({ name, volumeName }))
  },
})
