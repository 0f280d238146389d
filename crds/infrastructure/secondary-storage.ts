import type { CapacityStatus, Managed } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { ByteQuantity, ObjectName, URL } from '../scalars.ts'

/** SecondaryStorage holds the templates, ISO images and snapshots of a zone. */
export const SecondaryStorage = defineKind<SecondaryStorageSpec, SecondaryStorageStatus>({
  group: 'infrastructure.skystead.dev',
  version: 'v1alpha1',
  kind: 'SecondaryStorage',
  plural: 'secondarystorages',
  scope: 'Cluster',
  shortNames: ['sstore'],
  columns: [
    { name: 'Zone', type: 'string', jsonPath: '.spec.zoneName' },
    { name: 'Transfer', type: 'string', jsonPath: '.spec.transfer' },
    { name: 'URL', type: 'string', jsonPath: '.spec.url', priority: 1 },
  ],
  conditions: {
    ReferencesResolved: 'The zone exists.',
    Connected: 'The storage is reached by what carries its images.',
    CapacityAvailable: 'The space used is below its threshold.',
  },
  shard: 'zone',
  selectableFields: ['.spec.zoneName'],
})

/**
 * SecondaryStorageSpec describes a storage of images.
 * @see STO-062
 */
export interface SecondaryStorageSpec extends Managed {
  /**
   * zoneName names the zone. It cannot be changed.
   * @immutable
   */
  readonly zoneName: ObjectName
  /**
   * url says where the storage is: `sim://name`, `file:///directory`, `nfs://server/path`. It cannot be changed.
   * @immutable
   * @cel self.matches('^(sim|file|nfs|smb|s3|swift)://[^ ]+$') :: must be a URL such as 'sim://name', 'file:///directory' or 'nfs://server/path'
   */
  readonly url: URL
  /**
   * transfer says who carries images: 'Host' (the hosts themselves) or 'SystemVM' (secondary storage machines).
   * Default 'Host'.
   * @default "Host"
   */
  readonly transfer: 'Host' | 'SystemVM'
  /** capacity is the storage's size. Left out: as the storage says. */
  readonly capacity?: ByteQuantity
}

/** SecondaryStorageStatus is what is known of a storage of images. */
export interface SecondaryStorageStatus extends CapacityStatus {}
