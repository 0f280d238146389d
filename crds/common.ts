/** Parts that several kinds share. */
import type { CommonStatus } from './meta.ts'
import type { DisplayText, ObjectName, Quantity } from './scalars.ts'

/** A two-valued switch. */
export type Switch = 'Enabled' | 'Disabled'

/** The hypervisors that hosts may run. */
export type Hypervisor = 'Simulator' | 'KVM' | 'XenServer' | 'VSphere' | 'HyperV' | 'LXC' | 'BareMetal'

/** What is seen of a machine's power. */
export type PowerState = 'Running' | 'Paused' | 'Off' | 'Incoming' | 'Crashed' | 'Unknown'

/** How the control plane treats what the object describes. */
export interface Management {
  /**
   * mode says what is done about differences: 'Enforce' removes them, 'Observe' only reports them, 'Pause' does
   * not even look. Default 'Enforce'.
   * @default "Enforce"
   */
  readonly mode: 'Enforce' | 'Observe' | 'Pause'
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
   * protected refuses the deletion of this object while it is 'Enabled'. Default 'Disabled'.
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

/** What the spec of an offering holds beside its own fields. */
export interface Offered extends Allocatable {
  /** displayText is a text for people. Left out: none. */
  readonly displayText?: DisplayText
}

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
