import { defineKind } from '../define-kind.ts'
import type { CommonStatus } from '../meta.ts'
import type { ByteCount, Cores, MHz, ObjectName, Time, UUID } from '../scalars.ts'

/**
 * Allocation is a scarce value (an address, a VLAN id) or a claim (a machine's place on a host) that has been taken.
 * Creating its name is taking the value. The control plane makes it; operators read it.
 * @cel has(self.spec.realm) ? self.metadata.name == self.spec.type.lowerAscii() + '-' + self.spec.realm + '-' + self.spec.value : self.metadata.name == self.spec.type.lowerAscii() + '-' + self.spec.value :: the name must be `<type>-<realm>-<value>`, or `<type>-<value>` without a realm, with the type in lower case
 */
export const Allocation = defineKind<AllocationSpec, AllocationStatus>({
  group: 'infrastructure.skystead.dev',
  version: 'v1alpha1',
  kind: 'Allocation',
  plural: 'allocations',
  scope: 'Cluster',
  shortNames: ['alloc'],
  columns: [
    { name: 'Type', type: 'string', jsonPath: '.spec.type' },
    { name: 'Value', type: 'string', jsonPath: '.spec.value' },
    { name: 'Holder', type: 'string', jsonPath: '.spec.holder.name' },
    { name: 'Host', type: 'string', jsonPath: '.spec.machine.hostName' },
    { name: 'Kind', type: 'string', jsonPath: '.spec.holder.kind', priority: 1 },
    { name: 'Namespace', type: 'string', jsonPath: '.spec.holder.namespace', priority: 1 },
    { name: 'Epoch', type: 'integer', jsonPath: '.spec.epoch', priority: 1 },
  ],
  conditions: {},
  shard: 'place',
  statusSubresource: false,
  selectableFields: ['.spec.type', '.spec.holder.uid'],
})

/**
 * AllocationSpec says what is taken, and by whom.
 * @cel (self.type == 'Machine') == has(self.machine) :: `machine` must be set where `type` is 'Machine', and only there
 * @cel (self.type == 'Volume') == has(self.volume) :: `volume` must be set where `type` is 'Volume', and only there
 * @cel (self.type == 'Attachment') == has(self.attachment) :: `attachment` must be set where `type` is 'Attachment', and only there
 * @cel (self.type == 'Fence') == has(self.fence) :: `fence` must be set where `type` is 'Fence', and only there
 * @cel self.type == 'Identity' || size(self.holder.uid) > 0 :: `holder.uid` may be empty only where `type` is 'Identity'
 * @cel self.epoch == oldSelf.epoch || self.epoch == oldSelf.epoch + 1 :: `epoch` must stay or grow by one
 * @cel self.epoch == oldSelf.epoch + 1 || ((has(self.machine) ? self.machine == oldSelf.machine : true) && (has(self.volume) ? self.volume == oldSelf.volume : true) && (has(self.attachment) ? self.attachment == oldSelf.attachment : true) && (has(self.fence) ? self.fence == oldSelf.fence : true)) :: `machine`, `volume`, `attachment` and `fence` may only change together with an `epoch` one higher
 */
export interface AllocationSpec {
  /**
   * type says what kind of value is taken. It cannot be changed.
   * @immutable
   */
  readonly type: AllocationType
  /**
   * realm is the uid of the thing within which the value is unique, where there is one. It cannot be changed.
   * @minLength 1
   * @maxLength 63
   * @pattern ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
   * @immutable
   */
  readonly realm?: string
  /**
   * value is what is taken: an IPv4 address, an IPv6 address or MAC as hexadecimal digits, a number, an identity. It
   * cannot be changed.
   * @minLength 1
   * @maxLength 128
   * @pattern ^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$
   * @immutable
   */
  readonly value: string
  /**
   * holder is the object that has taken it. It cannot be changed.
   * @immutable
   */
  readonly holder: Holder
  /**
   * epoch counts the changes of a claim; operations carry it, so that late ones are refused. Default 1.
   * @integer
   * @minimum 1
   * @maximum 9007199254740991
   * @default 1
   */
  readonly epoch: number
  /** machine is a machine's place; only where type is 'Machine'. */
  readonly machine?: MachineClaim
  /** volume is a volume's place; only where type is 'Volume'. */
  readonly volume?: VolumeClaim
  /** attachment is which machine writes to a volume; only where type is 'Attachment'. */
  readonly attachment?: AttachmentClaim
  /** fence is how a host that fell silent is switched off and on; only where type is 'Fence'. */
  readonly fence?: FenceClaim
  /** notes are what must be remembered before anything acts on it. */
  readonly notes?: ClaimNotes
}

/**
 * What can be taken. A Stray is nothing scarce: it notes that a machine (`value`) left a host (`realm`) that was proven
 * off, and that what the host still has defined of it is to be removed when it is back. A Fence notes what is done about
 * a host (`value`) that fell silent, from before it is switched off until it answers again. An Inventory notes that
 * nothing of ours was left over at a host or pool (`value`) when it was last read: it may be away, nothing unknown is there.
 * With the installation's id as its `value` it notes that everything that bears its mark was made under this store.
 */
export type AllocationType =
  | 'Machine'
  | 'Stray'
  | 'Fence'
  | 'Inventory'
  | 'Volume'
  | 'Attachment'
  | 'Identity'
  | 'IP'
  | 'PublicIP'
  | 'SystemIP'
  | 'StorageIP'
  | 'MAC'
  | 'Segment'

/** Holder names the object that has taken a value. */
export interface Holder {
  /**
   * group is the API group of the holder.
   * @maxLength 253
   */
  readonly group: string
  /**
   * kind is the holder's kind.
   * @minLength 1
   * @maxLength 63
   */
  readonly kind: string
  /** namespace is the holder's namespace. Left out: it is cluster-scoped. */
  readonly namespace?: ObjectName
  /** name is the holder's name. */
  readonly name: ObjectName
  /**
   * uid is the holder's metadata.uid. Empty: whichever object has the name; only where type is 'Identity', which may
   * be given before its object is made.
   * @maxLength 63
   */
  readonly uid: string
  /** zoneName names the holder's zone: whoever looks after that zone looks after this. Left out: it names no zone. */
  readonly zoneName?: ObjectName
}

/** MachineClaim is a machine's place, and the capacity that it holds there. */
export interface MachineClaim {
  /** hostName names the host on which the machine may run. */
  readonly hostName: ObjectName
  /** hostIdentity is that host's identity. */
  readonly hostIdentity: UUID
  /** targetHostName names the host to which it is being migrated. Left out: it is not. */
  readonly targetHostName?: ObjectName
  /** targetHostIdentity is that host's identity. */
  readonly targetHostIdentity?: UUID
  /** cores is the number of virtual CPUs held. */
  readonly cores: Cores
  /** clockMHz is the clock rate held for each of them. */
  readonly clockMHz: MHz
  /** memoryBytes is the memory held. */
  readonly memoryBytes: ByteCount
}

/** VolumeClaim is a volume's place, and the space that it holds there. */
export interface VolumeClaim {
  /** poolName names the primary storage. */
  readonly poolName: ObjectName
  /** poolIdentity is that storage's identity. */
  readonly poolIdentity: UUID
  /** sizeBytes is the space held. */
  readonly sizeBytes: ByteCount
}

/** AttachmentClaim says which machine may write to a volume. */
export interface AttachmentClaim {
  /** machineIdentity is the machine's identity. */
  readonly machineIdentity: UUID
  /** volumeIdentity is the volume's identity. */
  readonly volumeIdentity: UUID
}

/** FenceClaim says what is done about a host that fell silent. */
export interface FenceClaim {
  /** hostName names the host. */
  readonly hostName: ObjectName
  /** zoneName names its zone: so many hosts of one zone are switched off at once. */
  readonly zoneName: ObjectName
  /** silentSince is since when it was silent when this was decided. */
  readonly silentSince: Time
  /** power is what its power is to be: 'Off' to fence it, then 'On' to let it come back. Left out: nothing is switched. */
  readonly power?: 'On' | 'Off'
  /** decidedAt is when that was decided. */
  readonly decidedAt: Time
  /**
   * pausedFor is why nothing is switched for the time being: 'Storm', too many hosts of the zone are silent at once;
   * 'AfterStorm', they were until decidedAt; 'PowerController', it did not obey; 'Boot', it was proven off, and somebody
   * gave it its power back at decidedAt. Left out: nothing is in the way.
   */
  readonly pausedFor?: 'Storm' | 'AfterStorm' | 'PowerController' | 'Boot'
  /**
   * powerOns is how many times it was powered on since it fell silent.
   * @integer
   * @minimum 0
   * @maximum 10
   */
  readonly powerOns: number
}

/** ClaimNotes are what must be remembered before anything acts on it. */
export interface ClaimNotes {
  /** stopRequestedAt is when the guest was asked to shut down. */
  readonly stopRequestedAt?: Time
  /** restartRequestedAt is when a restart in the machine's restart window was last begun. */
  readonly restartRequestedAt?: Time
  /** guestEndedAt is when the guest was seen to have shut itself down. */
  readonly guestEndedAt?: Time
  /** hostLostAt is when the machine's host was proven lost. */
  readonly hostLostAt?: Time
  /**
   * startedGeneration is the metadata.generation that a machine of runStrategy 'Once' was started for.
   * @integer
   * @minimum 0
   * @maximum 9007199254740991
   */
  readonly startedGeneration?: number
  /**
   * startedEpoch is the epoch under which that start was noted: a host that has seen it, or a later one, was given the
   * start, whatever has moved the claim since.
   * @integer
   * @minimum 0
   * @maximum 9007199254740991
   */
  readonly startedEpoch?: number
  /** migrationBegunAt is when the machine's migration to the target host was decided. */
  readonly migrationBegunAt?: Time
  /** migrationCancelledAt is when that migration was given up: it is ended before anything else. */
  readonly migrationCancelledAt?: Time
  /** migrationFailedAt is when a migration last failed: the next one waits a while. */
  readonly migrationFailedAt?: Time
  /** migrationFailedTo names the host that it was going to. */
  readonly migrationFailedTo?: ObjectName
  /** stoppedForStorageAt is when the machine was stopped because a storage of its disks went into maintenance. */
  readonly stoppedForStorageAt?: Time
  /**
   * madeAt is when a volume's disk was noted to have been seen in its pool: a blank one is never put in its place. An
   * Attachment says the same.
   */
  readonly madeAt?: Time
  /** fencedAt is when a host was proven to run nothing. */
  readonly fencedAt?: Time
  /** deletedAt is when a volume was deleted: its disk, once in the trash, is destroyed after Settings.expungeDelay. */
  readonly deletedAt?: Time
  /**
   * takenOverAt is when a machine that was given its identity was noted to have been seen with this installation's mark:
   * until then it is started nowhere but where it is seen. Only where type is 'Identity'.
   */
  readonly takenOverAt?: Time
  /** idleSince is when a network was seen to be used by nothing any more. */
  readonly idleSince?: Time
  /**
   * leftoversAt is when something of ours that no object has a claim for was seen at a host or pool. Only where type is
   * 'Inventory', which says the opposite then.
   */
  readonly leftoversAt?: Time
}

/** AllocationStatus is written once, by the maker. */
export interface AllocationStatus extends CommonStatus {}
