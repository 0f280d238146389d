import {
  Allocation,
  type AllocationSpec,
  type AllocationType,
  type ClaimNotes,
  type Holder,
  type MachineClaim,
  type VolumeClaim,
} from '../crds/infrastructure/allocation.ts'
import type { Manifest, ObjectMeta } from '../crds/meta.ts'
import { type CreateEffect, create, type UpdateEffect, update } from './effect.ts'
import { defineIndex, defineTotals, type Identifiable, isStored, type Wish, type World } from './world.ts'

/**
 * Claims and scarce values: what a decision needs and the world outside does not show, written before any effect.
 * Creating the name is taking the value; the API's uniqueness of names is the lock.
 */

/** An Allocation as the cache answers with it. */
export type Claim = Wish<typeof Allocation>

/** Allocations by the uid of their holder. */
export const allocationsByHolder = defineIndex(Allocation, 'allocationsByHolder', ({ spec }) => [spec.holder.uid])

/** Machine claims by the name of the host they hold a place on, the target of a migration included. */
export const machineClaimsByHost = defineIndex(Allocation, 'machineClaimsByHost', ({ spec: { machine } }) => {
  if (machine === undefined) return []
  return machine.targetHostName === undefined ? [machine.hostName] : [machine.hostName, machine.targetHostName]
})

/** Notes of machines that left a host, by the identity of the host. */
export const straysByHostIdentity = defineIndex(Allocation, 'straysByHostIdentity', ({ spec: { type, realm } }) =>
  type === 'Stray' && realm !== undefined ? [realm] : [],
)

/** Volume claims by the name of the pool they hold space in. */
export const volumeClaimsByPool = defineIndex(Allocation, 'volumeClaimsByPool', ({ spec: { volume } }) =>
  volume === undefined ? [] : [volume.poolName],
)

/** Attachment claims by the identity of the machine. */
export const attachmentsByMachine = defineIndex(Allocation, 'attachmentsByMachine', ({ spec: { attachment } }) =>
  attachment === undefined ? [] : [attachment.machineIdentity],
)

/** Hosts that are being switched off and not yet proven off, by zone name: `hosts`. */
export const fencesUnderWay = defineTotals(Allocation, 'fencesUnderWay', ({ spec: { fence, notes } }) =>
  fence?.power === 'Off' && notes?.fencedAt === undefined ? [{ key: fence.zoneName, amounts: { hosts: 1 } }] : [],
)

/** Claims of machines that are being migrated, under the value `all`. */
export const migratingClaims = defineIndex(Allocation, 'migratingClaims', ({ spec: { machine } }) =>
  machine?.targetHostName === undefined ? [] : ['all'],
)

/** How many values are taken, by `<type>/<realm>`: `count`. */
export const allocatedByRealm = defineTotals(Allocation, 'allocatedByRealm', ({ spec: { type, realm } }) =>
  realm === undefined ? [] : [{ key: `${type}/${realm}`, amounts: { count: 1 } }],
)

/** Who holds an Allocation: the resource, by group, kind, name and uid, and its zone where it names one. */
export function holderOf(resource: {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'uid'>
  readonly spec: unknown
}): Holder {
  const { name, namespace, uid } = resource.metadata
  const { zoneName } = resource.spec as { readonly zoneName?: string }
  const group = resource.apiVersion.slice(0, resource.apiVersion.indexOf('/'))
  const holder = { group, kind: resource.kind, ...(namespace === undefined ? {} : { namespace }), name, uid }
  return zoneName === undefined ? holder : { ...holder, zoneName }
}

/** The name of an Allocation: `<type>-<realm>-<value>` in lower case. */
export function allocationName(type: AllocationType, value: string, realm?: string): string {
  return realm === undefined ? `${type.toLowerCase()}-${value}` : `${type.toLowerCase()}-${realm}-${value}`
}

/**
 * The annotation by which an object says which identity it is to have: until an Allocation gives it that one, nothing is
 * done for it. It gives nothing by itself.
 */
export const identityAnnotation = 'skystead.dev/identity'

/** The identity that an object says it is to have, while no Allocation gives it that one; undefined where it has it. */
export function awaitedIdentity(
  resource: Identifiable & { readonly metadata: Pick<ObjectMeta, 'annotations'> },
  world: World,
): string | undefined {
  const wished = resource.metadata.annotations?.[identityAnnotation]
  return wished === undefined || world.identity(resource) === wished ? undefined : wished
}

/** The Allocation that gives an identity to a resource; undefined where none does. */
export function identityAllocation(identity: string, world: World): Claim | undefined {
  return world.desired.get(Allocation, allocationName('Identity', identity))
}

/**
 * The Allocation that gives a resource its identity, by uid or by name; undefined where it has its own. In a restored
 * store its own may have been given to it (decision 0029).
 */
export function identityClaim(resource: Identifiable, world: World): Claim | undefined {
  const { uid } = resource.metadata
  const identity = world.identity(resource)
  const given = identityAllocation(identity, world)
  return identity === uid && given?.spec.holder.uid !== uid ? undefined : given
}

/**
 * Whether an identity was given to a resource: what has it was there before its object, and may be in use somewhere. Its
 * claim says so as well, whoever has deleted the Allocation.
 */
export function isGiven(identity: string, world: World): boolean {
  if (identityAllocation(identity, world) !== undefined) return true
  const claim = machineClaim(identity, world) ?? volumeClaim(identity, world)
  return claim !== undefined && claim.spec.holder.uid !== identity
}

/** The name of the claim of a machine's place. */
export function machineClaimName(identity: string): string {
  return allocationName('Machine', identity)
}

/** The name of the claim of a volume's place. */
export function volumeClaimName(identity: string): string {
  return allocationName('Volume', identity)
}

/** The name of the claim to write to a volume. */
export function attachmentClaimName(volumeIdentity: string): string {
  return allocationName('Attachment', volumeIdentity)
}

/** The claim of a machine's place, where it has one. */
export function machineClaim(identity: string, world: World): Claim | undefined {
  return world.desired.get(Allocation, machineClaimName(identity))
}

/** The claim of a volume's place, where it has one. */
export function volumeClaim(identity: string, world: World): Claim | undefined {
  return world.desired.get(Allocation, volumeClaimName(identity))
}

/** The claim to write to a volume, where somebody has it. */
export function attachmentClaim(volumeIdentity: string, world: World): Claim | undefined {
  return world.desired.get(Allocation, attachmentClaimName(volumeIdentity))
}

/** Names of the claims that a machine is defined under: of its place, and of the disks and addresses it holds. */
export function definitionClaims({ metadata, spec: { holder } }: Claim, world: World): readonly string[] {
  const held = world.desired.list(allocationsByHolder, holder.uid)
  const used = held.filter(({ spec }) => spec.type === 'Attachment' || spec.type === 'IP')
  return [metadata.name, ...used.map(({ metadata: { name } }) => name)]
}

/** What is done about a host that fell silent, by the host's identity. */
export function fenceClaim(hostIdentity: string, world: World): Claim | undefined {
  return world.desired.get(Allocation, allocationName('Fence', hostIdentity))
}

/** Takes a scarce value or a claim. */
export function allocate(
  spec: Omit<AllocationSpec, 'epoch'> & { readonly epoch?: number },
  world: World,
): CreateEffect {
  return create(allocation(spec, world.now()))
}

/** An Allocation as it is created. */
export function allocation(
  spec: Omit<AllocationSpec, 'epoch'> & { readonly epoch?: number },
  now: string,
): Manifest<AllocationSpec> & { readonly status: unknown } {
  return {
    apiVersion: Allocation.apiVersion,
    kind: Allocation.kind,
    metadata: { name: allocationName(spec.type, spec.value, spec.realm) },
    spec: { epoch: 1, ...spec },
    status: {
      conditions: [{ type: 'Ready', status: 'True', reason: 'Held', message: '', lastTransitionTime: now }],
    },
  }
}

/** Claims a place on a host for a machine. The epoch is above any that an endpoint has seen for it. */
export function claimMachine(
  identity: string,
  holder: Holder,
  options: { readonly machine: MachineClaim; readonly notes?: ClaimNotes },
  world: World,
): CreateEffect {
  const seen = world.observed.machines(identity).map(({ facts }) => facts.epoch)
  return allocate({ type: 'Machine', value: identity, holder, epoch: Math.max(0, ...seen) + 1, ...options }, world)
}

/**
 * Notes that a machine leaves a host that is proven off, before it does: what the host has defined of it is removed when
 * it is back, also when the machine is no more. Undefined: that is noted.
 */
export function noteStray(
  identity: string,
  holder: Holder,
  hostIdentity: string,
  world: World,
): CreateEffect | 'Noting' | undefined {
  const noted = world.desired.get(Allocation, allocationName('Stray', identity, hostIdentity))
  if (noted === undefined) return allocate({ type: 'Stray', realm: hostIdentity, value: identity, holder }, world)
  return isStored(noted) ? undefined : 'Noting'
}

/** Claims space in a pool for a volume. One whose disk is seen already was made, nobody knows with what in it. */
export function claimVolume(identity: string, holder: Holder, volume: VolumeClaim, world: World): CreateEffect {
  const seen = world.observed.volumes(identity).map(({ facts }) => facts.epoch)
  const notes = seen.length === 0 ? {} : { notes: { madeAt: world.now() } }
  const epoch = Math.max(0, ...seen) + 1
  return allocate({ type: 'Volume', value: identity, holder, epoch, volume, ...notes }, world)
}

/** Claims the right to write to a volume for a machine. */
export function claimAttachment(
  volumeIdentity: string,
  machineIdentity: string,
  holder: Holder,
  world: World,
): CreateEffect {
  const attachment = { machineIdentity, volumeIdentity }
  return allocate({ type: 'Attachment', value: volumeIdentity, holder, attachment }, world)
}

/** Moves or resizes a claim: its epoch grows by one, and what still acts under the old one is refused. */
export function moveClaim(
  claim: Claim,
  parts: { readonly [Name in 'machine' | 'volume' | 'fence' | 'notes']?: AllocationSpec[Name] | undefined },
): UpdateEffect {
  return update(claim, withoutUndefined({ ...claim.spec, ...parts, epoch: claim.spec.epoch + 1 }))
}

/** Writes notes into a claim, before anything acts on them. Notes given as undefined are taken out. */
export function noteOnClaim(
  claim: Claim,
  notes: { readonly [Name in keyof ClaimNotes]?: ClaimNotes[Name] | undefined },
): UpdateEffect {
  const next = withoutUndefined({ ...claim.spec.notes, ...notes })
  const { notes: _, ...spec } = claim.spec
  return update(claim, Object.keys(next).length === 0 ? spec : { ...spec, notes: next })
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T
}
