import type { DriftStatus, Managed, PowerState } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { ByteQuantity, Cores, IPv4Address, MHz, ObjectName } from '../scalars.ts'

/** SystemVM is a machine of the control plane's own: a console proxy or a carrier of images. */
export const SystemVM = defineKind<SystemVMSpec, SystemVMStatus>({
  group: 'infrastructure.skystead.dev',
  version: 'v1alpha1',
  kind: 'SystemVM',
  plural: 'systemvms',
  scope: 'Cluster',
  shortNames: ['svm'],
  columns: [
    { name: 'Zone', type: 'string', jsonPath: '.spec.zoneName' },
    { name: 'Role', type: 'string', jsonPath: '.spec.role' },
    { name: 'Power', type: 'string', jsonPath: '.status.powerState' },
    { name: 'Host', type: 'string', jsonPath: '.status.hostName' },
  ],
  conditions: {
    ReferencesResolved: 'The zone exists.',
    Scheduled: 'The machine has a place on a host.',
    AddressesAllocated: 'The machine has its addresses.',
    PowerApplied: 'The machine runs.',
    Configured: 'The machine does its work as configured.',
    Settled: 'The machine may stay where it is: its host is not being emptied, and no other is wished for.',
  },
  shard: 'zone',
  selectableFields: ['.spec.zoneName'],
})

/** SystemVMSpec describes a system VM. */
export interface SystemVMSpec extends Managed {
  /**
   * zoneName names the zone. It cannot be changed.
   * @immutable
   */
  readonly zoneName: ObjectName
  /**
   * role is what the machine is for. It cannot be changed.
   * @immutable
   */
  readonly role: 'ConsoleProxy' | 'SecondaryStorage'
  /**
   * cores is the number of virtual CPUs. Default 1.
   * @default 1
   */
  readonly cores: Cores
  /**
   * clockMHz is the clock rate held for each of them. Default 500.
   * @default 500
   */
  readonly clockMHz: MHz
  /**
   * memory is the machine's memory. Default '512Mi'.
   * @default "512Mi"
   * @see OFF-059
   */
  readonly memory: ByteQuantity
}

/** SystemVMStatus is what is known of a system VM. */
export interface SystemVMStatus extends DriftStatus {
  /** hostName names the host on which the machine is. */
  readonly hostName?: ObjectName
  /** powerState is what was last seen of the machine. */
  readonly powerState?: PowerState
  /** publicAddress is its address on the public network. */
  readonly publicAddress?: IPv4Address
  /** managementAddress is its address on the management network. */
  readonly managementAddress?: IPv4Address
}
