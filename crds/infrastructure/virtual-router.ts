import type { DriftStatus, Managed, PowerState } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { ByteQuantity, Cores, IPv4Address, MHz, ObjectName } from '../scalars.ts'

/** VirtualRouter is the machine that serves a network: DHCP, DNS, NAT, firewall. The control plane makes it. */
export const VirtualRouter = defineKind<VirtualRouterSpec, VirtualRouterStatus>({
  group: 'infrastructure.skystead.dev',
  version: 'v1alpha1',
  kind: 'VirtualRouter',
  plural: 'virtualrouters',
  scope: 'Cluster',
  shortNames: ['vrouter'],
  columns: [
    { name: 'Zone', type: 'string', jsonPath: '.spec.zoneName' },
    { name: 'Network', type: 'string', jsonPath: '.spec.networkRef.name' },
    { name: 'Power', type: 'string', jsonPath: '.status.powerState' },
    { name: 'Host', type: 'string', jsonPath: '.status.hostName' },
    { name: 'Namespace', type: 'string', jsonPath: '.spec.networkRef.namespace', priority: 1 },
    { name: 'Public', type: 'string', jsonPath: '.status.publicAddress', priority: 1 },
  ],
  conditions: {
    ReferencesResolved: 'The zone and the network exist.',
    Scheduled: 'The machine has a place on a host.',
    PowerApplied: 'The machine runs.',
    AddressesAllocated: 'It has its own address in the network.',
    Configured: 'The machine serves the network exactly as configured.',
    Settled: 'The machine may stay where it is: its host is not being emptied, and no other is wished for.',
  },
  shard: 'zone',
  selectableFields: ['.spec.zoneName'],
})

/** VirtualRouterSpec describes a virtual router. */
export interface VirtualRouterSpec extends Managed {
  /**
   * zoneName names the zone. It cannot be changed.
   * @immutable
   */
  readonly zoneName: ObjectName
  /**
   * networkRef names the network that it serves. It cannot be changed.
   * @immutable
   */
  readonly networkRef: NetworkReference
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
   * memory is the machine's memory. Default '256Mi'.
   * @default "256Mi"
   */
  readonly memory: ByteQuantity
}

/**
 * NetworkReference names a network.
 * @cel (self.kind == 'Network') == has(self.__namespace__) :: `namespace` must be set where `kind` is 'Network', and only there
 */
export interface NetworkReference {
  /** kind is the network's kind. */
  readonly kind: 'Network' | 'SharedNetwork'
  /** namespace is the network's namespace; only where kind is 'Network'. */
  readonly namespace?: ObjectName
  /** name is the network's name. */
  readonly name: ObjectName
}

/** VirtualRouterStatus is what is known of a virtual router. */
export interface VirtualRouterStatus extends DriftStatus {
  /** hostName names the host on which the machine is. */
  readonly hostName?: ObjectName
  /** powerState is what was last seen of the machine. */
  readonly powerState?: PowerState
  /**
   * configurationHash names the configuration that the machine was last seen to have.
   * @maxLength 128
   */
  readonly configurationHash?: string
  /** publicAddress is its address on the public network. */
  readonly publicAddress?: IPv4Address
}
