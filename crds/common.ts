/** Parts that several kinds share. */
import type { CommonStatus } from './meta.ts'
import type { DisplayText, Duration, ObjectName, Quantity, Time } from './scalars.ts'

/** A two-valued switch. */
export type Switch = 'Enabled' | 'Disabled'

/** The hypervisors that hosts may run. */
export type Hypervisor = 'Simulator' | 'KVM' | 'XenServer' | 'VSphere' | 'HyperV' | 'LXC' | 'BareMetal'

/** What is seen of a machine's power. */
export type PowerState = 'Running' | 'Paused' | 'Off' | 'Incoming' | 'Crashed' | 'Unknown'

/** What is done about differences. */
export type ManagementMode = 'Enforce' | 'Observe' | 'Pause'

/** How the control plane treats what the object describes. */
export interface Management {
  /**
   * mode says what is done about differences: 'Enforce' removes them, 'Observe' only reports them, 'Pause' does
   * not even look. Left out: as Settings spec.managementDefaults says for the kind, else 'Enforce'.
   */
  readonly mode?: ManagementMode
  /**
   * deletionPolicy says what becomes of the thing outside when this object is deleted: 'Delete' removes it,
   * 'Orphan' leaves it as it is. Default 'Delete'.
   * @default "Delete"
   */
  readonly deletionPolicy: 'Delete' | 'Orphan'
}

/** What the spec of a kind with an outside presence holds beside its own fields. */
export interface Managed {
  /**
   * management says how the control plane treats the thing outside. Left out: it is enforced, and deleted with
   * this object.
   * @default {}
   */
  readonly management: Management
  /**
   * protected keeps this object from being deleted while it is 'Enabled': the API refuses, and what was deleted all the
   * same is held, with what it stands for. Default 'Disabled'.
   * @default "Disabled"
   */
  readonly protected: Switch
}

/** What the spec of a place, or of an offering, holds beside its own fields. */
export interface Allocatable {
  /**
   * allocationState says whether new things may be placed here; what exists stays. Default 'Enabled'.
   * @default "Enabled"
   * @see VM-073
   */
  readonly allocationState: Switch
}

/** What the spec of a place that can be emptied holds beside its own fields. */
export interface Maintainable extends Allocatable {
  /**
   * lifecycle 'Maintenance' empties the place and keeps it empty until it is 'Active' again. Default 'Active'.
   * @default "Active"
   */
  readonly lifecycle: 'Active' | 'Maintenance'
}

/**
 * What is done about a host that falls silent. What is left out is as the next wider place says: the host's cluster, its
 * zone, the Settings.
 */
export interface HostFailure {
  /**
   * fencing 'Automatic' lets the control plane switch off a silent host through its power controller, so that its
   * machines may start elsewhere. 'Manual' leaves it to the operator. Left out: as the next wider place says.
   */
  readonly fencing?: 'Automatic' | 'Manual'
  /**
   * unreachableLimit is how long a host may be unreachable that still gives signs of life, to its neighbours or on its
   * storage, before it is switched off too; only where `fencing` is 'Automatic'. Left out: as the next wider place says,
   * and if none says anything for ever, because its machines work.
   */
  readonly unreachableLimit?: Duration
  /**
   * powerOnAttempts is how many times a host that was proven off is powered on again, so that it may come back by
   * itself. Left out: as the next wider place says.
   * @integer
   * @minimum 0
   * @maximum 10
   */
  readonly powerOnAttempts?: number
}

/** What the spec of a place with hosts holds beside its own fields. */
export interface FailureHandling {
  /**
   * hostFailure says what is done about a host that falls silent. Left out: as the next wider place says.
   * @see HST-103
   */
  readonly hostFailure?: HostFailure
}

/** What the spec of an offering holds beside its own fields. */
export interface Offered extends Allocatable {
  /** displayText is a text for people. Left out: none. */
  readonly displayText?: DisplayText
}

/** The status of a kind with fields that are compared with what is seen. */
export interface DriftStatus extends CommonStatus {
  /**
   * drift lists the differences between what is described and what is seen. Left out: there are none.
   * @listType map
   * @listMapKey path
   * @maxItems 64
   */
  readonly drift?: readonly Drift[]
}

/** Drift is one difference between what is described and what is seen. */
export interface Drift {
  /**
   * path is the field that differs.
   * @minLength 1
   * @maxLength 253
   */
  readonly path: string
  /**
   * desired is what is described.
   * @maxLength 1024
   */
  readonly desired: string
  /**
   * observed is what is seen.
   * @maxLength 1024
   */
  readonly observed: string
  /** change says how the difference can be removed: while it runs, by a restart, by making it anew, or not at all. */
  readonly change: FieldChange
  /**
   * source says what moved away from the other: the 'Wish', something outside ('OutOfBand'), or 'Unknown' where the
   * difference was there already when this process first looked.
   */
  readonly source: 'Wish' | 'OutOfBand' | 'Unknown'
  /** since is when the difference was first seen. */
  readonly since: Time
  /**
   * decision says what is done about it: 'Enforcing' it is being removed, 'Observing' nothing by wish,
   * 'WaitsForRestart' at the next stop, 'WaitsForWindow' at the next stop or restart window, 'WaitsForHost' when the
   * place answers again, 'Refused' it cannot be removed.
   */
  readonly decision: DriftDecision
}

/** How a field is changed. */
export type FieldChange = 'Live' | 'Restart' | 'Recreate' | 'Never'

/** What is done about a difference. */
export type DriftDecision =
  | 'Enforcing'
  | 'Observing'
  | 'WaitsForRestart'
  | 'WaitsForWindow'
  | 'WaitsForHost'
  | 'Refused'

/**
 * RestartWindow is a recurring time in which a machine may be restarted for what it cannot take up while it runs.
 * It is restarted at most once in each.
 */
export interface RestartWindow {
  /**
   * days lists the days on which the window begins. Left out: every day.
   * @listType set
   * @minItems 1
   * @maxItems 7
   */
  readonly days?: readonly Weekday[]
  /**
   * start is the time of day at which it begins, in UTC, as `HH:MM`.
   * @pattern ^([01][0-9]|2[0-3]):[0-5][0-9]$
   * @maxLength 5
   */
  readonly start: string
  /**
   * duration is how long it lasts, from '1m' to '24h'. A restart that has begun is brought to its end. Default '1h'.
   * @default "1h"
   * @cel duration(self) >= duration('1m') && duration(self) <= duration('24h') :: must be from '1m' to '24h'
   */
  readonly duration: Duration
}

/** A day of the week. */
export type Weekday = 'Monday' | 'Tuesday' | 'Wednesday' | 'Thursday' | 'Friday' | 'Saturday' | 'Sunday'

/** ManagementDefault is how a kind is treated whose objects do not say it themselves. */
export interface ManagementDefault {
  /** kind is a kind with `spec.management`. */
  readonly kind: ManagedKind
  /** mode is what is done about differences where the object's own `spec.management.mode` is left out. */
  readonly mode: ManagementMode
}

/** The kinds with an outside presence. */
export type ManagedKind =
  | 'Host'
  | 'PrimaryStorage'
  | 'SecondaryStorage'
  | 'VirtualMachine'
  | 'VirtualRouter'
  | 'SystemVM'
  | 'Volume'

/** The resources whose capacity is counted. */
export type CapacityResource =
  | 'CPU'
  | 'Memory'
  | 'PrimaryStorage'
  | 'SecondaryStorage'
  | 'PublicIP'
  | 'GuestIP'
  | 'SystemIP'
  | 'GuestNetworkSegment'

/** One resource's capacity. CPU is in MHz, memory and storage in bytes, the others in pieces. */
export interface Capacity {
  /** resource names what is counted: 'CPU' in MHz, memory and storage in bytes, the others in pieces. */
  readonly resource: CapacityResource
  /** total is what can be given out, over-commit included. */
  readonly total: Quantity
  /** allocated is what has been promised. */
  readonly allocated: Quantity
  /** used is what is really in use, where that is seen. */
  readonly used: Quantity
}

/** The status of a kind that has capacity. */
export interface CapacityStatus extends CommonStatus {
  /**
   * capacity is what the place offers and has given out, by resource.
   * @listType map
   * @listMapKey resource
   * @maxItems 16
   */
  readonly capacity?: readonly Capacity[]
}

/** Names the template that a root disk is made from. */
export interface TemplateReference {
  /** kind is the template's kind. */
  readonly kind: 'PublicTemplate'
  /** name is the template's name. */
  readonly name: ObjectName
}
