import type { DriftStatus, Managed, TemplateReference } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { ByteQuantity, Label, ObjectName, Quantity } from '../scalars.ts'

/** Volume is a disk that outlives the machine to which it is attached. */
export const Volume = defineKind<VolumeSpec, VolumeStatus>({
  group: 'storage.skystead.dev',
  version: 'v1alpha1',
  kind: 'Volume',
  plural: 'volumes',
  scope: 'Namespaced',
  shortNames: ['vol'],
  columns: [
    { name: 'Size', type: 'string', jsonPath: '.status.size' },
    { name: 'Machine', type: 'string', jsonPath: '.status.virtualMachineName' },
    { name: 'Pool', type: 'string', jsonPath: '.status.poolName' },
    { name: 'Zone', type: 'string', jsonPath: '.spec.zoneName', priority: 1 },
    { name: 'Offering', type: 'string', jsonPath: '.spec.diskOfferingName', priority: 1 },
  ],
  conditions: {
    ReferencesResolved: 'The zone, the offering and the template exist.',
    Provisioned: 'The disk exists with the size that is wished for, or is not needed yet.',
    Attached: 'The disk is attached to the machine that wishes for it, or none does.',
  },
  shard: 'zone',
  selectableFields: ['.spec.zoneName', '.status.virtualMachineName'],
})

/**
 * VolumeSpec describes a volume.
 * @cel has(self.diskOfferingName) || has(self.size) || has(self.templateRef) :: `diskOfferingName`, `size` or `templateRef` must be set: one of them says how large the volume is
 * @cel !has(oldSelf.size) || has(self.size) :: `size` may not be removed once it is set
 * @see STO-079
 */
export interface VolumeSpec extends Managed {
  /**
   * zoneName names the zone. It cannot be changed.
   * @immutable
   */
  readonly zoneName: ObjectName
  /** diskOfferingName names the disk offering. Left out: size alone says what is wished for. */
  readonly diskOfferingName?: ObjectName
  /**
   * size is how large the volume is; it may only grow. Left out: as the offering or the template says.
   * @cel !isQuantity(self) || !isQuantity(oldSelf) || quantity(self).compareTo(quantity(oldSelf)) >= 0 :: may not shrink: make a smaller volume and copy the data
   * @see STO-124
   */
  readonly size?: ByteQuantity
  /**
   * templateRef names the template from which the volume is made. Left out: it is empty. It cannot be changed.
   * @immutable
   */
  readonly templateRef?: TemplateReference
}

/** VolumeStatus is what is known of a volume. */
export interface VolumeStatus extends DriftStatus {
  /** size is the size of the disk as it is. */
  readonly size?: Quantity
  /** poolName names the primary storage that holds it. */
  readonly poolName?: ObjectName
  /** virtualMachineName names the machine to which it is attached. */
  readonly virtualMachineName?: ObjectName
  /** device is the name of the machine's entry in `volumes`, or `root`. */
  readonly device?: Label
  /** format is the format of the disk's image. */
  readonly format?: DiskFormat
}

/** The formats of disk images. */
export type DiskFormat = 'QCOW2' | 'RAW' | 'VHD' | 'VHDX' | 'VMDK' | 'OVA' | 'TAR'
