import type { Offered } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { CommonStatus } from '../meta.ts'
import type { ByteQuantity, Cores, Mbps, MHz, Tag } from '../scalars.ts'
import type { DiskLimits, ProvisioningType, StorageType } from '../storage/disk-offering.ts'

/** ServiceOffering is a size and quality of machine that tenants may choose. */
export const ServiceOffering = defineKind<ServiceOfferingSpec, ServiceOfferingStatus>({
  group: 'compute.skystead.dev',
  version: 'v1alpha1',
  kind: 'ServiceOffering',
  plural: 'serviceofferings',
  scope: 'Cluster',
  shortNames: ['soff'],
  columns: [
    { name: 'Cores', type: 'integer', jsonPath: '.spec.cores' },
    { name: 'MHz', type: 'integer', jsonPath: '.spec.clockMHz' },
    { name: 'Memory', type: 'string', jsonPath: '.spec.memory' },
    { name: 'HA', type: 'boolean', jsonPath: '.spec.highlyAvailable' },
    { name: 'Allocation', type: 'string', jsonPath: '.spec.allocationState', priority: 1 },
  ],
  conditions: {},
  shard: 'global',
})

/**
 * ServiceOfferingSpec describes a service offering.
 * @see OFF-008
 */
export interface ServiceOfferingSpec extends Offered {
  /**
   * cores is the number of virtual CPUs. It cannot be changed.
   * @immutable
   */
  readonly cores: Cores
  /**
   * clockMHz is the clock rate promised for each of them. It cannot be changed.
   * @immutable
   */
  readonly clockMHz: MHz
  /**
   * memory is the machine's memory. It cannot be changed.
   * @immutable
   */
  readonly memory: ByteQuantity
  /**
   * highlyAvailable says that machines may be restarted on another host once theirs is proven off. Default false.
   * @default false
   * @see OFF-032
   */
  readonly highlyAvailable: boolean
  /**
   * restartPriority says who comes first when machines leave a host that is lost or in maintenance: 'High', 'Normal' or
   * 'Low'. The control plane's own machines come before all. Default 'Normal'.
   * @default "Normal"
   */
  readonly restartPriority: 'High' | 'Normal' | 'Low'
  /**
   * cpuCap bounds machines to the promised clock even where the host has cycles to spare. It cannot be changed.
   * Default false.
   * @default false
   * @immutable
   * @see OFF-030
   */
  readonly cpuCap: boolean
  /**
   * hostTags must all be on the host. Default: none.
   * @default []
   * @listType set
   * @maxItems 32
   * @see OFF-029
   */
  readonly hostTags: readonly Tag[]
  /**
   * storageTags must all be on the pool that takes the root disk. Default: none.
   * @default []
   * @listType set
   * @maxItems 32
   * @see OFF-028
   */
  readonly storageTags: readonly Tag[]
  /**
   * planner says which of the possible hosts is taken: 'FirstFit' the first, 'Dispersing' the one with the fewest
   * machines of the namespace. Default 'FirstFit'.
   * @default "FirstFit"
   * @see OFF-034 OFF-035
   */
  readonly planner: 'FirstFit' | 'Dispersing'
  /**
   * storageType 'Local' puts the root disk on the host's own storage, 'Shared' on storage that several hosts reach.
   * It cannot be changed. Default 'Shared'.
   * @default "Shared"
   * @immutable
   * @see OFF-019
   */
  readonly storageType: StorageType
  /**
   * provisioningType says how the root disk's space is taken. It cannot be changed. Default 'Thin'.
   * @default "Thin"
   * @immutable
   */
  readonly provisioningType: ProvisioningType
  /**
   * rootDiskSize is the size of root disks. Left out: the template's. It cannot be changed.
   * @immutable
   */
  readonly rootDiskSize?: ByteQuantity
  /** diskLimits bound the root disk's traffic. Left out: it is unbounded. */
  readonly diskLimits?: DiskLimits
  /**
   * networkRateMbps is the rate of the default NIC, in Mbit/s; 0 is unlimited. Left out: as Settings say. It cannot
   * be changed.
   * @immutable
   * @see OFF-042 OFF-062
   */
  readonly networkRateMbps?: Mbps
}

/** ServiceOfferingStatus is what is known of a service offering. */
export interface ServiceOfferingStatus extends CommonStatus {}
