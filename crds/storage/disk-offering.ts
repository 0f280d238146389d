import type { Offered } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { CommonStatus } from '../meta.ts'
import type { ByteQuantity, Tag } from '../scalars.ts'

/** DiskOffering is a size and quality of disk that tenants may choose. */
export const DiskOffering = defineKind<DiskOfferingSpec, DiskOfferingStatus>({
  group: 'storage.skystead.dev',
  version: 'v1alpha1',
  kind: 'DiskOffering',
  plural: 'diskofferings',
  scope: 'Cluster',
  shortNames: ['doff'],
  columns: [
    { name: 'Size', type: 'string', jsonPath: '.spec.size' },
    { name: 'Storage', type: 'string', jsonPath: '.spec.storageType' },
    { name: 'Allocation', type: 'string', jsonPath: '.spec.allocationState' },
    { name: 'Tags', type: 'string', jsonPath: '.spec.tags', priority: 1 },
  ],
  conditions: {},
  shard: 'global',
})

/**
 * DiskOfferingSpec describes a disk offering.
 * @cel has(self.size) != self.customSize :: set either `size`, or `customSize` to true so that the volume names its size
 * @see OFF-045
 */
export interface DiskOfferingSpec extends Offered {
  /**
   * size is the size of every disk of this offering. Left out: customSize is true. It cannot be changed.
   * @immutable
   * @see OFF-044 OFF-050
   */
  readonly size?: ByteQuantity
  /**
   * customSize says that the volume names its own size. It cannot be changed. Default false.
   * @default false
   * @immutable
   */
  readonly customSize: boolean
  /**
   * storageType 'Local' puts the disk on the host's own storage, 'Shared' on storage that several hosts reach. It
   * cannot be changed. Default 'Shared'.
   * @default "Shared"
   * @immutable
   */
  readonly storageType: StorageType
  /**
   * provisioningType says how space is taken: 'Thin' as it is written, 'Sparse' with its metadata at once, 'Fat'
   * all at once. It cannot be changed. Default 'Thin'.
   * @default "Thin"
   * @immutable
   */
  readonly provisioningType: ProvisioningType
  /**
   * tags must all be on the pool that takes the disk. Default: none.
   * @default []
   * @listType set
   * @maxItems 32
   * @see OFF-046
   */
  readonly tags: readonly Tag[]
  /** limits bound the disk's traffic. Left out: it is unbounded. */
  readonly limits?: DiskLimits
}

/** Where disks are. */
export type StorageType = 'Shared' | 'Local'

/** How a disk's space is taken. */
export type ProvisioningType = 'Thin' | 'Sparse' | 'Fat'

/**
 * DiskLimits bound a disk's traffic; the hypervisor keeps them.
 * @see OFF-020
 */
export interface DiskLimits {
  /**
   * readBytesPerSecond bounds reading. Left out: unbounded.
   * @integer
   * @minimum 1
   * @maximum 9007199254740991
   */
  readonly readBytesPerSecond?: number
  /**
   * writeBytesPerSecond bounds writing. Left out: unbounded.
   * @integer
   * @minimum 1
   * @maximum 9007199254740991
   */
  readonly writeBytesPerSecond?: number
  /**
   * readIOPS bounds reads per second. Left out: unbounded.
   * @integer
   * @minimum 1
   * @maximum 2147483647
   */
  readonly readIOPS?: number
  /**
   * writeIOPS bounds writes per second. Left out: unbounded.
   * @integer
   * @minimum 1
   * @maximum 2147483647
   */
  readonly writeIOPS?: number
}

/** DiskOfferingStatus is what is known of a disk offering. */
export interface DiskOfferingStatus extends CommonStatus {}
