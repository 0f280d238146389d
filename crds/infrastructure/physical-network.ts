import type { Allocatable, CapacityStatus, Hypervisor } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { NetworkLabel, ObjectName, Tag, VLANRange } from '../scalars.ts'

/** PhysicalNetwork is a network that reaches every host of a zone, and what kinds of traffic it carries. */
export const PhysicalNetwork = defineKind<PhysicalNetworkSpec, PhysicalNetworkStatus>({
  group: 'infrastructure.skystead.dev',
  version: 'v1alpha1',
  kind: 'PhysicalNetwork',
  plural: 'physicalnetworks',
  scope: 'Cluster',
  shortNames: ['pnet'],
  columns: [
    { name: 'Zone', type: 'string', jsonPath: '.spec.zoneName' },
    { name: 'Isolation', type: 'string', jsonPath: '.spec.isolation' },
    { name: 'Segments', type: 'string', jsonPath: '.spec.segments', priority: 1 },
    { name: 'Allocation', type: 'string', jsonPath: '.spec.allocationState', priority: 1 },
  ],
  conditions: {
    ReferencesResolved: 'The zone exists.',
    Valid: 'The zone may have it, and no segment is listed twice.',
    CapacityAvailable: 'The segments left for guest networks are above the threshold.',
  },
  shard: 'zone',
  selectableFields: ['.spec.zoneName'],
})

/**
 * PhysicalNetworkSpec describes a physical network.
 * @cel self.isolation != 'None' || size(self.segments) == 0 :: `segments` must be empty where `isolation` is 'None': remove them
 * @cel self.isolation != 'VLAN' || self.segments.all(range, !range.matches('^[0-9]{1,8}(-[0-9]{1,8})?$') || range.split('-').all(id, int(id) <= 4094)) :: `segments` must be VLAN ids from 1 to 4094 where `isolation` is 'VLAN'
 * @cel self.isolation != 'VXLAN' || self.segments.all(range, !range.matches('^[0-9]{1,8}(-[0-9]{1,8})?$') || range.split('-').all(id, int(id) <= 16777215)) :: `segments` must be VNIs from 1 to 16777215 where `isolation` is 'VXLAN'
 * @cel self.isolation == 'None' || !self.traffic.exists(traffic, traffic.type == 'Guest') || size(self.segments) > 0 :: `segments` must be given where `traffic` has 'Guest': guest networks take theirs from there
 * @see INF-090 INF-114 INF-115
 */
export interface PhysicalNetworkSpec extends Allocatable {
  /**
   * zoneName names the zone. It cannot be changed.
   * @immutable
   */
  readonly zoneName: ObjectName
  /**
   * isolation says how guest networks are kept apart: 'VLAN', 'VXLAN' or 'None' (they are not). It cannot be changed.
   * Default 'VLAN'.
   * @default "VLAN"
   * @immutable
   */
  readonly isolation: 'VLAN' | 'VXLAN' | 'None'
  /**
   * segments lists the VLAN ids or VNIs that guest networks are given, as ranges; the list may have gaps and be
   * replaced. Default: none.
   * @default []
   * @listType set
   * @maxItems 64
   */
  readonly segments: readonly VLANRange[]
  /**
   * traffic lists the kinds of traffic that this network carries.
   * @listType map
   * @listMapKey type
   * @minItems 1
   * @maxItems 4
   */
  readonly traffic: readonly Traffic[]
  /**
   * tags are what a network offering selects this network by. Default: none.
   * @default []
   * @listType set
   * @maxItems 16
   */
  readonly tags: readonly Tag[]
}

/** Traffic is one kind of traffic on a physical network. */
export interface Traffic {
  /** type is the kind of traffic. */
  readonly type: TrafficType
  /** label is the bridge, port group or virtual switch that carries it, as it is named on every host. */
  readonly label: NetworkLabel
  /**
   * labels name it otherwise on the hosts of one hypervisor. Left out: nowhere.
   * @listType map
   * @listMapKey hypervisor
   * @maxItems 8
   */
  readonly labels?: readonly HypervisorLabel[]
}

/** The kinds of traffic that a physical network may carry. */
export type TrafficType = 'Management' | 'Public' | 'Guest' | 'Storage'

/** HypervisorLabel is the name of a traffic's bridge on the hosts of one hypervisor. */
export interface HypervisorLabel {
  /** hypervisor says on which hosts. */
  readonly hypervisor: Hypervisor
  /** label is the bridge, port group or virtual switch there. */
  readonly label: NetworkLabel
}

/** PhysicalNetworkStatus is what is known of a physical network. */
export interface PhysicalNetworkStatus extends CapacityStatus {}
