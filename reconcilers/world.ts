import type { AnyKind, Kind } from '../crds/define-kind.ts'
import type { CommonStatus, Resource } from '../crds/meta.ts'
import type { EndpointKey } from '../drivers/contract/endpoint.ts'
import type { DriverErrorCode } from '../drivers/contract/errors.ts'
import type {
  HostFacts,
  ImageFacts,
  JobFacts,
  MachineFacts,
  NetworkSegment,
  VolumeFacts,
} from '../drivers/contract/facts.ts'
import type { Verb } from '../drivers/contract/operation.ts'

/**
 * The world as a reconciler sees it: what is wished, what is observed, what is running. Frozen, synchronous, and every
 * read is recorded: exactly a change of a value that was read wakes the object that read it.
 */
export interface World {
  /** The installation's id: marks with another one are not ours. */
  readonly installation: string
  readonly desired: Desired
  readonly observed: Observed
  /** The identity of a resource: its uid, unless an Allocation `identity-<uuid>` names it as holder, by uid or by name. */
  identity(resource: Identifiable): string
  /** What is held of a place, by claims and by what is seen there. Wakes when that changes. */
  held<K extends AnyKind>(holdings: Holdings<K>, place: EndpointKey): Amounts
  /** What is running or has failed lately for an identity. */
  operations(identity: string): readonly OperationState[]
  /** Whether `limit` ms have passed since the moment (RFC 3339). While they have not, wakes when they have. */
  elapsed(since: string, limit: number): boolean
  /** The present moment (RFC 3339), for notes and marks. Not recorded: never compare with it, use `elapsed`. */
  now(): string
  /** A value computed from the world and remembered until something it read changes. */
  derived<T>(definition: Derived<T>, key: string): T
  /** The same world, but what is read through it wakes the head of the named queue instead of this object. */
  queued(queue: string): World
}

/** What a resource's identity follows from. Without a kind, only what is given by uid counts. */
export interface Identifiable {
  readonly kind?: string
  readonly metadata: { readonly uid: string; readonly name?: string; readonly namespace?: string }
}

/** A resource without its status: reading somebody's wish must not wake us whenever its status moves. */
export type Wish<K> = K extends Kind<infer Spec, CommonStatus> ? Omit<Resource<Spec>, 'status'> : never

/** The status type of a kind. */
export type StatusOf<K> = K extends Kind<infer _Spec, infer Status> ? Status : never

/** What is wished: all objects of the API, as last seen or just written by us. */
export interface Desired {
  /** The object, without its status. Wakes when its spec, labels, annotations or deletion change. */
  get<K extends AnyKind>(kind: K, name: string, namespace?: string): Wish<K> | undefined
  /** A value picked from an object's status. Wakes when that value changes. Undefined while there is no status. */
  status<K extends AnyKind, T>(
    kind: K,
    name: string,
    namespace: string | undefined,
    pick: (status: StatusOf<K>) => T,
  ): T | undefined
  /** Objects by a value of an index, oldest first. Wakes when the set or one member's wish changes. */
  list<K extends AnyKind>(index: Index<K>, value: string): readonly Wish<K>[]
  /** Sums over objects, kept up as they change. Wakes when the sums of this key change. */
  total<K extends AnyKind>(totals: Totals<K>, key: string): Amounts
  /** Whether an object of that name exists. Not recorded: for searching a free name among thousands. */
  exists(kind: AnyKind, name: string, namespace?: string): boolean
}

/** A named way to find objects of a kind by values computed from their wish. */
export interface Index<K extends AnyKind = AnyKind> {
  readonly kind: K
  readonly name: string
  readonly values: (resource: Wish<K>) => readonly string[]
}

/** Defines an index. */
export function defineIndex<K extends AnyKind>(
  kind: K,
  name: string,
  values: (resource: Wish<K>) => readonly string[],
): Index<K> {
  return Object.freeze({ kind, name, values })
}

/** Named amounts, for example `{cpuMHz: 1000, memoryBytes: 536870912, machines: 1}`. */
export type Amounts = Readonly<Record<string, number>>

/** Sums of amounts over the objects of a kind, by key. */
export interface Totals<K extends AnyKind = AnyKind> {
  readonly kind: K
  readonly name: string
  readonly of: (resource: Wish<K>) => readonly { readonly key: string; readonly amounts: Amounts }[]
}

/** Defines sums. */
export function defineTotals<K extends AnyKind>(kind: K, name: string, of: Totals<K>['of']): Totals<K> {
  return Object.freeze({ kind, name, of })
}

/** What a claim holds of a place, and for what thing. */
export interface Held {
  readonly place: EndpointKey
  readonly identity: string
  readonly amounts: Amounts
}

/**
 * Sums by place over things that are claimed there, seen there, or both. Such a one counts once: of each amount the larger
 * is held.
 */
export interface Holdings<K extends AnyKind = AnyKind> {
  /** The kind of the claims. */
  readonly kind: K
  readonly name: string
  /** What a claim holds; of one place at most once. */
  readonly claimed: (claim: Wish<K>) => readonly Held[]
  /** The name of the claim of an identity: it has one at most. */
  readonly claimName: (identity: string) => string
  /** What a machine holds of the place where it is seen. Left out: machines hold nothing. */
  readonly ofMachine?: (seen: Seen<MachineFacts>, isOurs: boolean) => Amounts
  /** Likewise of a volume. */
  readonly ofVolume?: (seen: Seen<VolumeFacts>, isOurs: boolean) => Amounts
}

/** Defines sums of what is held. */
export function defineHoldings<K extends AnyKind>(
  kind: K,
  name: string,
  parts: Omit<Holdings<K>, 'kind' | 'name'>,
): Holdings<K> {
  return Object.freeze({ kind, name, ...parts })
}

/** A remembered computation over the world. */
export interface Derived<T> {
  readonly name: string
  readonly compute: (key: string, world: World) => T
}

/** Defines a remembered computation: pure, by key. */
export function defineDerived<T>(name: string, compute: Derived<T>['compute']): Derived<T> {
  return Object.freeze({ name, compute })
}

/** What drivers last saw, with its evidence. */
export interface Observed {
  /** How an endpoint answers. */
  endpoint(key: EndpointKey): EndpointState
  host(key: EndpointKey): HostFacts | undefined
  /** A pool's or store's space, in bytes. Rounded by the observer, so that it does not tick. */
  space(key: EndpointKey): { readonly totalBytes: number; readonly usedBytes: number } | undefined
  power(key: EndpointKey): PowerState | undefined
  /** What others know of a silent host's life. Undefined while it is not silent, or nobody was asked yet. */
  life(key: EndpointKey): Life | undefined
  /** Every place where a machine of this identity is seen. Two only while it migrates, or when something is wrong. */
  machines(identity: string): readonly Seen<MachineFacts>[]
  volumes(identity: string): readonly Seen<VolumeFacts>[]
  images(identity: string): readonly Seen<ImageFacts>[]
  jobs(identity: string): readonly Seen<JobFacts>[]
  /**
   * Machines that have a disk in their definition, whoever they are and wherever they are seen: ours, leftovers, foreign.
   * Wakes when one comes or goes.
   */
  diskUsers(volumeIdentity: string): readonly MachineUser[]
  /** Machines that have a NIC in a VLAN or VXLAN of that number, of whatever physical network; as `diskUsers`. */
  segmentUsers(segment: Pick<NetworkSegment, 'isolation' | 'id'>): readonly MachineUser[]
  /** Identities that bear this installation's mark for the resource of that kind and name. */
  named(kind: string, namespace: string | undefined, name: string): readonly string[]
  /** Where an unanswered operation may still have taken effect on the identity. In doubt means: no create elsewhere. */
  inDoubt(identity: string): readonly EndpointKey[]
  /**
   * Whether a complete listing of the endpoint, begun after the last operation on the identity there ended, lacks it.
   * With `after` it must also be begun after the last listing of that other endpoint, or, when that does not answer,
   * after this was first asked: what came from there is then known.
   */
  provenAbsent(identity: string, endpoint: EndpointKey, after?: EndpointKey): boolean
  /**
   * Those of the endpoints of which no complete listing was begun since this was first asked of the identity: it may be
   * there without anybody having told. Wakes when the first of them was listed.
   */
  unlisted(identity: string, endpoints: readonly EndpointKey[]): readonly EndpointKey[]
  /** Everything in an image store. Wakes when one comes or goes. */
  imagesAt(key: EndpointKey): readonly Seen<ImageFacts>[]
  /** Counts at an endpoint: `things` that bear our mark, with or without a resource, and `foreign` ones that do not. */
  counts(key: EndpointKey): { readonly things: number; readonly foreign: number }
}

/** How an endpoint answers. */
export interface EndpointState {
  /** `Unknown` until the first call of this process has ended. */
  readonly answers: 'Yes' | 'No' | 'Unknown'
  /** Whether this process has read one complete listing of it. No mutation before. */
  readonly listed: boolean
  /** Since when it has not answered (RFC 3339); left out while it does. */
  readonly silentSince?: string
  /** Why it does not answer. */
  readonly message?: string
}

/** What a power controller says. */
export interface PowerState {
  /** `Unknown`: it says that it is neither. The host may run until it says `Off`. */
  readonly power: 'On' | 'Off' | 'Unknown'
  /**
   * Whether it was read twice in a row, both readings begun after the host went silent and after the last operation on
   * the host ended.
   */
  readonly confirmed: boolean
}

/** What neighbours and pools know of a silent host's life. It proves life; that there is no sign proves nothing. */
export interface Life {
  /** `Seen`: it lives. `None`: whoever could tell has seen nothing since it fell silent. `Unknown`: nobody could tell. */
  readonly signs: 'Seen' | 'None' | 'Unknown'
  /** Since when it is so (RFC 3339). */
  readonly since: string
  /** Its lease on shared storage has expired, so that its watchdog has stopped everything on it. */
  readonly leaseExpired: boolean
}

/** A fact and where it was seen. */
export interface Seen<Facts> {
  readonly endpoint: EndpointKey
  readonly facts: Facts
  /** False while the endpoint does not answer: what it was, not what it is. */
  readonly current: boolean
}

/** A machine that is seen with a disk, or plugged into a segment, and where. */
export interface MachineUser {
  readonly endpoint: EndpointKey
  /** The machine's identity. */
  readonly identity: string
}

/** An operation that is running, or that failed and will be held back for a while. */
export interface OperationState {
  readonly verb: Verb
  readonly endpoint: EndpointKey
  readonly state: 'Running' | 'Failed'
  readonly code?: DriverErrorCode
  readonly message?: string
}

/** Whether the API has stored the object. One that we have only just asked for has no uid of its own yet. */
export function isStored(resource: { readonly metadata: { readonly resourceVersion: string } }): boolean {
  return resource.metadata.resourceVersion !== ''
}
