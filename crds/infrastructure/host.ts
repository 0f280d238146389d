import type { Allocatable, CapacityStatus, FailureHandling, Managed } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type {
  ByteQuantity,
  Cores,
  Count,
  DisplayText,
  MHz,
  NetworkLabel,
  ObjectName,
  Path,
  Quantity,
  Tag,
} from '../scalars.ts'

/** Host is a computer with a hypervisor, on which machines run. */
export const Host = defineKind<HostSpec, HostStatus>({
  group: 'infrastructure.skystead.dev',
  version: 'v1alpha1',
  kind: 'Host',
  plural: 'hosts',
  scope: 'Cluster',
  shortNames: [],
  columns: [
    { name: 'Cluster', type: 'string', jsonPath: '.spec.clusterName' },
    { name: 'Address', type: 'string', jsonPath: '.spec.address' },
    { name: 'Lifecycle', type: 'string', jsonPath: '.spec.lifecycle' },
    { name: 'Machines', type: 'integer', jsonPath: '.status.machines' },
    { name: 'Power', type: 'string', jsonPath: '.status.powerState', priority: 1 },
    { name: 'Version', type: 'string', jsonPath: '.status.hypervisorVersion', priority: 1 },
  ],
  conditions: {
    ReferencesResolved: 'The cluster and the Secrets exist.',
    Valid: 'The address is its own: no other host and no reserved range holds it, and its hypervisor is described.',
    Connected: 'The hypervisor answers and its inventory is complete.',
    StoragesConnected: 'Every primary storage that the host should reach is connected.',
    CapacityAvailable: 'Every resource of the host is below its threshold.',
    Accounted: 'Everything of ours on the host belongs to an object: nothing is left over.',
    LossContained: 'Nothing can run on the host unseen: it is connected, or proven to be off.',
    Evacuated: 'The host is in maintenance and nothing runs there any more: it is safe to switch off.',
  },
  shard: 'place',
  selectableFields: ['.spec.clusterName'],
})

/**
 * HostSpec describes a host.
 * @cel !has(self.simulator) || !has(self.kvm) :: only one of `simulator` and `kvm` may be set
 * @cel (has(self.kvm) && has(self.kvm.socketPath) ? self.kvm.socketPath : '') == (has(oldSelf.kvm) && has(oldSelf.kvm.socketPath) ? oldSelf.kvm.socketPath : '') :: `kvm.socketPath` cannot be changed: what answers at another socket is another host. Delete the Host once nothing runs on it, and describe it anew
 */
export interface HostSpec extends Allocatable, Managed, FailureHandling {
  /**
   * clusterName names the cluster. It cannot be changed.
   * @immutable
   */
  readonly clusterName: ObjectName
  /**
   * address is the IP address or DNS name by which the host is managed. It cannot be changed: what answers at another
   * address is another host, and that it does not run a machine would prove nothing of this one.
   * @immutable
   * @minLength 1
   * @maxLength 253
   * @cel self.matches('^[0-9A-Za-z]([-0-9A-Za-z.:]*[0-9A-Za-z])?$') :: must be an IP address or a DNS name
   */
  readonly address: string
  /**
   * tags are what service offerings select hosts by. Default: none.
   * @default []
   * @listType set
   * @maxItems 32
   * @see OFF-029
   */
  readonly tags: readonly Tag[]
  /**
   * lifecycle 'Maintenance' empties the host and keeps it empty. 'Lost' is the operator's word that it is off for
   * good: its machines start elsewhere. Default 'Active'.
   * @default "Active"
   */
  readonly lifecycle: 'Active' | 'Maintenance' | 'Lost'
  /** simulator describes a simulated host; needed where the cluster's hypervisor is 'Simulator'. */
  readonly simulator?: SimulatedHost
  /** kvm says how to reach the host's libvirt. Left out: its local sockets are looked for. */
  readonly kvm?: KVMHost
  /**
   * powerControl says how the host's power is switched and read. Left out: it cannot be, and a lost host's machines
   * wait for it or for lifecycle 'Lost'.
   */
  readonly powerControl?: PowerControl
}

/** SimulatedHost is what a simulated host is made of. */
export interface SimulatedHost {
  /** cores is the number of CPU cores. */
  readonly cores: Cores
  /** clockMHz is the clock rate of one core. */
  readonly clockMHz: MHz
  /** memory is its memory. */
  readonly memory: ByteQuantity
}

/** KVMHost says how to reach a host's libvirt. */
export interface KVMHost {
  /** socketPath is libvirt's UNIX socket. Left out: libvirt's own places are tried. It cannot be changed. */
  readonly socketPath?: Path
  /** guestBridge is the bridge of L2 networks without a segment. Left out: the label of the 'Guest' traffic. */
  readonly guestBridge?: NetworkLabel
  /**
   * emulator says whether guests use the processor's virtualisation ('KVM') or are emulated ('TCG'). Default: 'KVM'
   * where the host offers it.
   */
  readonly emulator?: 'KVM' | 'TCG'
}

/**
 * PowerControl says how a host's power is switched and read.
 * @cel self.driver == 'Simulator' || (has(self.address) && has(self.credentialsSecretName)) :: `address` and `credentialsSecretName` must be set where `driver` is 'IPMI' or 'Redfish'
 * @cel self.driver == 'Redfish' || !has(self.redfish) :: `redfish` may be set only where `driver` is 'Redfish'
 */
export interface PowerControl {
  /** driver is the way to the power controller. */
  readonly driver: 'Simulator' | 'IPMI' | 'Redfish'
  /**
   * address is the controller's IP address or DNS name, with an optional port. Default: port 623 for IPMI, 443 for
   * Redfish, which is spoken over HTTPS only.
   * @minLength 1
   * @maxLength 260
   * @cel self.matches('^[0-9A-Za-z]([-0-9A-Za-z.:]*[0-9A-Za-z])?$') :: must be an IP address or a DNS name
   */
  readonly address?: string
  /**
   * credentialsSecretName names a Secret of namespace skystead-system with keys `username` and `password`. For Redfish
   * its key `ca.crt` may hold the certificates, in PEM, of the authorities that vouch for the controller. Without it:
   * those that Node knows.
   */
  readonly credentialsSecretName?: ObjectName
  /** redfish says which system at a Redfish controller is the host, and by which certificate the controller is known. */
  readonly redfish?: RedfishControl
}

/** RedfishControl says which system at a Redfish controller is the host, and by which certificate the controller is known. */
export interface RedfishControl {
  /**
   * systemID is the Id of the host's ComputerSystem. Left out: the controller's only one.
   * @minLength 1
   * @maxLength 253
   */
  readonly systemID?: string
  /**
   * certificateFingerprint is the SHA-256 of the controller's own certificate, as `openssl x509 -fingerprint -sha256`
   * prints it. Where it is set it alone counts: neither an authority nor the certificate's name is asked for, and a
   * renewed certificate is refused. Left out: the certificate must be an authority's, for the address.
   * @maxLength 95
   * @cel self.matches('^([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$') :: must be 32 bytes in hex with colons between, as `openssl x509 -noout -fingerprint -sha256` prints them
   */
  readonly certificateFingerprint?: string
}

/** HostStatus is what is known of a host. */
export interface HostStatus extends CapacityStatus {
  /** hypervisorVersion is what the hypervisor says of itself. */
  readonly hypervisorVersion?: DisplayText
  /** cores is the number of CPU cores seen. */
  readonly cores?: Cores
  /** clockMHz is the clock rate of one core as seen. */
  readonly clockMHz?: MHz
  /** memory is the memory seen. */
  readonly memory?: Quantity
  /** machines is the number of our machines there. */
  readonly machines?: Count
  /** leftovers is the number of things there that bear our mark and have no owner any more. */
  readonly leftovers?: Count
  /** adoptables is the number of machines there that are not ours. */
  readonly adoptables?: Count
  /** powerState is what the power controller last said. */
  readonly powerState?: 'On' | 'Off' | 'Unknown'
}
