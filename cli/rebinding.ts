import { ApiError } from '../controllers/api/api-error.ts'
import type { Client } from '../controllers/api/client.ts'
import { type Environment, timestamp } from '../crds/environment.ts'
import { Allocation, type AllocationSpec, type Holder } from '../crds/infrastructure/allocation.ts'
import { isTrue, type Resource } from '../crds/meta.ts'
import {
  allocation,
  allocationName,
  attachmentClaimName,
  holderOf,
  machineClaimName,
  volumeClaimName,
} from '../reconcilers/claims.ts'
import { readCloud } from './cloud.ts'
import { qualifiedName, titleOf } from './standing.ts'

/** An object, and the identity that its namesake outside has. */
export interface Rebinding {
  readonly object: Resource
  readonly identity: string
}

/** An object in conflict that cannot be given an identity, and why. */
export interface Obstacle {
  readonly object: Resource
  readonly message: string
}

/** What can be rebound, and what cannot. */
export interface Rebindings {
  readonly rebindings: readonly Rebinding[]
  readonly obstacles: readonly Obstacle[]
  /** Every identity that some condition tells of. */
  readonly told: ReadonlySet<string>
}

/** How a conflict is told: `A VirtualMachine of this name exists outside under the identity …: run …`. */
const telling = /^A (?<kind>\w+) of this name exists outside under the identity (?<identities>[-0-9a-f, ]+):/

/** A conflict as a condition tells it. A machine tells its disks' conflicts too; those are the Volumes' own. */
export interface ToldConflict {
  readonly kind: string
  /** The identities that exist outside under the name. */
  readonly identities: readonly string[]
}

/** Reads the message of a condition whose reason is IdentityConflict; undefined where it names no identity to take. */
export function readConflict(message: string): ToldConflict | undefined {
  const { kind, identities } = telling.exec(message)?.groups ?? {}
  if (kind === undefined || identities === undefined) return undefined
  return { kind, identities: identities.split(',').map(identity => identity.trim()) }
}

/** Looks for objects that are Stalled with IdentityConflict. */
export async function findRebindings(client: Pick<Client, 'list'>): Promise<Rebindings> {
  const [cloud, { items: allocations }] = await Promise.all([readCloud(client), client.list(Allocation)])
  const objects = cloud.all()
  const byUid = new Map(objects.map(object => [object.metadata.uid, object]))
  const byName = new Map(allocations.map(({ metadata, spec }) => [metadata.name, spec]))
  const givenByHolder = new Map(
    allocations.flatMap(({ spec }) => (spec.type === 'Identity' ? [[spec.holder.uid, spec.value] as const] : [])),
  )
  const rebindings: Rebinding[] = []
  const obstacles: Obstacle[] = []
  const told = new Set<string>()
  for (const object of objects) {
    const messages = conflictsOf(object)
    const conflicts = messages.flatMap(message => readConflict(message) ?? [])
    for (const { identities } of conflicts) for (const identity of identities) told.add(identity)
    const own = conflicts.filter(({ kind }) => kind === object.kind)
    const identities = [...new Set(own.flatMap(conflict => conflict.identities))]
    const [identity] = identities
    // Several conditions may tell of one conflict, and only one of them whose it is.
    const unreadable = own.length > 0 ? undefined : messages.find(message => readConflict(message) === undefined)
    const message = unreadable ?? obstacleFor(object, identities, { byUid, byName, givenByHolder })
    if (message !== undefined) obstacles.push({ object, message })
    else if (identity !== undefined) rebindings.push({ object, identity })
  }
  return { rebindings, obstacles, told }
}

/** Gives an object the identity. Done already: nothing happens. Throws where another object has it meanwhile. */
export async function rebind(
  client: Pick<Client, 'create' | 'get'>,
  { object, identity }: Rebinding,
  { clock }: Pick<Environment, 'clock'>,
): Promise<void> {
  const name = identityName(identity)
  const now = timestamp(clock)
  // That there is a conflict says that it bears our mark.
  const notes = { takenOverAt: now }
  const manifest = allocation({ type: 'Identity', value: identity, holder: holderOf(object), notes }, now)
  try {
    await client.create(Allocation, manifest, { fieldManager: 'skystead-cli' })
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error
    const holder = (await client.get(Allocation, name))?.spec.holder
    if (holder?.uid !== object.metadata.uid) {
      throw new Error(`Cannot rebind ${titleOf(object)}: Allocation "${name}" is held by ${holderText(holder)}`)
    }
  }
}

/** The messages of an object's conflicts; each once, though a summary repeats it. */
function conflictsOf(object: Resource): readonly string[] {
  if (!isTrue(object, 'Stalled')) return []
  const conditions = object.status?.conditions ?? []
  return [...new Set(conditions.flatMap(({ reason, message }) => (reason === 'IdentityConflict' ? [message] : [])))]
}

interface Known {
  readonly byUid: ReadonlyMap<string, Resource>
  /** Allocations, by their names. */
  readonly byName: ReadonlyMap<string, AllocationSpec>
  /** Identities given already, by the uid of the object. */
  readonly givenByHolder: ReadonlyMap<string, string>
}

function obstacleFor(
  object: Resource,
  identities: readonly string[],
  { byUid, byName, givenByHolder }: Known,
): string | undefined {
  const [identity] = identities
  if (identity === undefined) return undefined
  if (identities.length > 1) {
    return `There are ${identities.length} namesakes outside (${identities.join(', ')}): remove all but one there`
  }
  const { uid } = object.metadata
  const other = byUid.get(identity)
  if (other !== undefined) return `The identity ${identity} is that of ${titleOf(other)}`
  for (const name of [identityName(identity), machineClaimName(identity), volumeClaimName(identity)]) {
    const holder = byName.get(name)?.holder
    if (holder === undefined || holder.uid === uid) continue
    return `Allocation "${name}" is held by ${holderText(holder)}: where that object is gone, delete the Allocation`
  }
  if (hasOwnDisk(uid, byName)) {
    return `It has a disk of its own, which was made since: remove the disk ${identity} where it lies, or delete this object first`
  }
  const given = givenByHolder.get(uid)
  if (given === undefined || given === identity) return undefined
  return `It has an identity already: Allocation "${identityName(given)}"`
}

/** Whether a volume's own disk was made: what is in it would be left behind. */
function hasOwnDisk(uid: string, byName: Known['byName']): boolean {
  const isMade = byName.get(volumeClaimName(uid))?.notes?.madeAt !== undefined
  return isMade || byName.has(attachmentClaimName(uid))
}

function identityName(identity: string): string {
  return allocationName('Identity', identity)
}

function holderText(holder: Holder | undefined): string {
  return holder === undefined ? 'nobody any more' : `${holder.kind} ${qualifiedName(holder)} (uid ${holder.uid})`
}
