import type { CapacityStatus, Maintainable, Managed } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { ByteQuantity, Count, ObjectName, Ratio, Tag, URL } from '../scalars.ts'

/** PrimaryStorage is a pool that holds the volumes of machines. */
export const PrimaryStorage = defineKind<PrimaryStorageSpec, PrimaryStorageStatus>({
  group: 'infrastructure.skystead.dev',
  version: 'v1alpha1',
  kind: 'PrimaryStorage',
  plural: 'primarystorages',
  scope: 'Cluster',
  shortNames: ['pstore'],
  columns: [
    { name: 'Scope', type: 'string', jsonPath: '.spec.scope' },
    { name: 'Volumes', type: 'integer', jsonPath: '.status.volumes' },
    { name: 'Lifecycle', type: 'string', jsonPath: '.spec.lifecycle' },
    { name: 'URL', type: 'string', jsonPath: '.spec.url', priority: 1 },
  ],
  conditions: {
    ReferencesResolved: 'The zone, cluster or host exists.',
    Connected: 'The pool is reached by at least one host and its inventory is complete.',
    CapacityAvailable: 'The space promised and used is below its threshold.',
    Accounted: 'Everything of ours in the pool belongs to an object: nothing is left over.',
    Quiesced: 'The pool is in maintenance and no machine runs with a disk there: it is safe to take away for a while.',
  },
  shard: 'place',
  selectableFields: ['.spec.scope'],
})

/**
 * PrimaryStorageSpec describes a pool.
 * @cel has(self.zoneName) == (self.scope == 'Zone') :: `zoneName` must be set where `scope` is 'Zone', and only there
 * @cel has(self.clusterName) == (self.scope == 'Cluster') :: `clusterName` must be set where `scope` is 'Cluster', and only there
 * @cel has(self.hostName) == (self.scope == 'Host') :: `hostName` must be set where `scope` is 'Host', and only there
 * @see STO-005
 */
export interface PrimaryStorageSpec extends Maintainable, Managed {
  /**
   * scope says who may use the pool: every host of a 'Zone' or 'Cluster', or one 'Host'. It cannot be changed.
   * @immutable
   */
  readonly scope: 'Zone' | 'Cluster' | 'Host'
  /**
   * zoneName names the zone where scope is 'Zone'. It cannot be changed.
   * @immutable
   */
  readonly zoneName?: ObjectName
  /**
   * clusterName names the cluster where scope is 'Cluster'. It cannot be changed.
   * @immutable
   */
  readonly clusterName?: ObjectName
  /**
   * hostName names the host where scope is 'Host'. It cannot be changed.
   * @immutable
   */
  readonly hostName?: ObjectName
  /**
   * url says where the pool is: `sim://name`, `file:///directory`, `nfs://server/path`. It cannot be changed.
   * @immutable
   * @cel self.matches('^(sim|file|nfs|iscsi|rbd|smb|presetup|clvm|sharedmountpoint|vmfs)://[^ ]+$') :: must be a URL such as 'sim://name', 'file:///directory' or 'nfs://server/path'
   */
  readonly url: URL
  /** capacity is the pool's size. Left out: as the storage says. */
  readonly capacity?: ByteQuantity
  /**
   * tags are what offerings select pools by. Default: none.
   * @default []
   * @listType set
   * @maxItems 32
   * @see STO-020
   */
  readonly tags: readonly Tag[]
  /**
   * overcommitRatio is how many times the pool's space may be promised. Default '1': once.
   * @default "1"
   * @cel double(self) >= 1.0 :: must be at least '1'
   * @see STO-042
   */
  readonly overcommitRatio: Ratio
}

/** PrimaryStorageStatus is what is known of a pool. */
export interface PrimaryStorageStatus extends CapacityStatus {
  /** volumes is the number of our volumes there. */
  readonly volumes?: Count
  /** hosts is the number of hosts that reach the pool. */
  readonly hosts?: Count
  /** trashed is the number of removed volumes that wait for their end. */
  readonly trashed?: Count
  /** leftovers is the number of things there that bear our mark and have no owner any more. */
  readonly leftovers?: Count
  /** adoptables is the number of things there that are not ours. */
  readonly adoptables?: Count
}
