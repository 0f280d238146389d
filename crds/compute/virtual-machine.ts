import type { DriftStatus, Managed, PowerState, RestartWindow, TemplateReference } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { ByteQuantity, Duration, IPv4Address, Label, MACAddress, ObjectName, Path } from '../scalars.ts'

/**
 * VirtualMachine is a tenant's computer: a size, a root disk made from a template, data volumes and NICs.
 * @cel size(self.metadata.name) <= 63 && !self.metadata.name.contains('.') :: metadata.name must be at most 63 characters without dots
 */
export const VirtualMachine = defineKind<VirtualMachineSpec, VirtualMachineStatus>({
  group: 'compute.skystead.dev',
  version: 'v1alpha1',
  kind: 'VirtualMachine',
  plural: 'virtualmachines',
  scope: 'Namespaced',
  shortNames: ['vm'],
  columns: [
    { name: 'Power', type: 'string', jsonPath: '.status.powerState' },
    { name: 'Address', type: 'string', jsonPath: '.status.nics[0].ipAddress' },
    { name: 'Host', type: 'string', jsonPath: '.status.hostName' },
    { name: 'Offering', type: 'string', jsonPath: '.spec.serviceOfferingName', priority: 1 },
    { name: 'Strategy', type: 'string', jsonPath: '.spec.runStrategy', priority: 1 },
    { name: 'Zone', type: 'string', jsonPath: '.spec.zoneName', priority: 1 },
  ],
  conditions: {
    ReferencesResolved: 'The zone, the offerings, the template, the networks and the volumes exist.',
    Scheduled: 'The machine has a place on a host, or needs none.',
    AddressesAllocated: 'Every NIC has its addresses.',
    VolumesAttached: 'Every disk exists and is attached.',
    NetworkReady: 'Every network of the machine serves it.',
    PowerApplied: 'The machine runs, or is off, as its runStrategy wishes.',
    Configured: 'The machine on the host is exactly as described; nothing waits for a restart.',
    Settled: 'The machine may stay where it is: its host is not being emptied, and no other is wished for.',
  },
  shard: 'zone',
  selectableFields: ['.spec.zoneName', '.spec.serviceOfferingName', '.status.hostName'],
})

/**
 * VirtualMachineSpec describes a machine.
 * @cel !has(self.defaultNICName) || self.nics.exists(nic, nic.name == self.defaultNICName) :: `defaultNICName` must name one of `nics`
 * @cel has(self.templateRef) || (has(self.rootVolume) && has(self.rootVolume.volumeName)) :: `templateRef` must be set, or `rootVolume.volumeName` name a volume that exists
 * @cel !has(self.userData) || !has(self.userDataSecretName) :: only one of `userData` and `userDataSecretName` may be set
 * @cel self.volumes.all(volume, self.volumes.exists_one(other, other.volumeName == volume.volumeName)) :: `volumes` may name every volume only once
 * @cel self.nics.all(nic, !has(nic.networkName) || self.nics.exists_one(other, has(other.networkName) && other.networkName == nic.networkName)) :: `nics` may name every network only once
 * @cel self.nics.all(nic, !has(nic.sharedNetworkName) || self.nics.exists_one(other, has(other.sharedNetworkName) && other.sharedNetworkName == nic.sharedNetworkName)) :: `nics` may name every shared network only once
 * @cel self.volumes.all(volume, volume.name != 'root') :: `volumes` may not have an entry named 'root': that is the root disk's
 */
export interface VirtualMachineSpec extends Managed {
  /**
   * zoneName names the zone. It cannot be changed.
   * @immutable
   */
  readonly zoneName: ObjectName
  /** serviceOfferingName names the service offering. Another one is taken up at the next start. */
  readonly serviceOfferingName: ObjectName
  /**
   * templateRef names the template of the root disk. Left out: `rootVolume.volumeName` names a disk that exists. It
   * cannot be changed.
   * @immutable
   */
  readonly templateRef?: TemplateReference
  /**
   * runStrategy says whether the machine runs: 'Always', 'OnFailure' (again after a crash or the loss of its host,
   * not after its guest shut itself down), 'Once' (started once for every change of this spec) or 'Halted'. Default
   * 'Always'.
   * @default "Always"
   */
  readonly runStrategy: RunStrategy
  /**
   * shutdownTimeout is how long the guest may take to shut down before it is switched off. Default '120s'.
   * @default "120s"
   * @see VM-031
   */
  readonly shutdownTimeout: Duration
  /**
   * restartWindow is when the machine may be restarted for what it cannot take up while it runs; for the run
   * strategies 'Always' and 'OnFailure'. Left out: that waits for the next stop.
   */
  readonly restartWindow?: RestartWindow
  /** rootVolume describes the root disk. Left out: as the offering and the template say. */
  readonly rootVolume?: RootVolume
  /**
   * volumes lists the data volumes. Default: none.
   * @default []
   * @listType map
   * @listMapKey name
   * @maxItems 27
   */
  readonly volumes: readonly VolumeAttachment[]
  /**
   * nics lists the network interfaces. Default: none.
   * @default []
   * @listType map
   * @listMapKey name
   * @maxItems 16
   * @see VM-009
   */
  readonly nics: readonly NIC[]
  /** defaultNICName names the NIC that holds the default route. Left out: the first. */
  readonly defaultNICName?: Label
  /** guestHostName is the name that the guest is given. Left out: this object's name. */
  readonly guestHostName?: Label
  /**
   * userData is handed to the guest as it is (cloud-init and the like), at most 24576 characters, which are 32 KiB
   * when encoded. Left out: none.
   * @minLength 1
   * @maxLength 24576
   * @see VM-170
   */
  readonly userData?: string
  /** userDataSecretName names a Secret of the namespace whose key `userData` is handed to the guest. */
  readonly userDataSecretName?: ObjectName
  /**
   * sshKeyNames lists the SSH keys that the guest is given. Default: none.
   * @default []
   * @listType set
   * @maxItems 32
   */
  readonly sshKeyNames: readonly ObjectName[]
  /** placement is the operator's wish where the machine runs. Left out: wherever it fits. */
  readonly placement?: Placement
}

/** Whether a machine runs. */
export type RunStrategy = 'Always' | 'OnFailure' | 'Once' | 'Halted'

/**
 * RootVolume describes a machine's root disk.
 * @cel !has(self.volumeName) || (!has(self.size) && !has(self.diskOfferingName)) :: `size` and `diskOfferingName` may not be set together with `volumeName`: the volume has its own
 */
export interface RootVolume {
  /** size is how large the root disk is. Left out: as the offering or the template says. */
  readonly size?: ByteQuantity
  /**
   * diskOfferingName names the disk offering of the root disk. Left out: the service offering says.
   * @see VM-012
   */
  readonly diskOfferingName?: ObjectName
  /** volumeName names a volume that exists already. Left out: one is made and removed with the machine. */
  readonly volumeName?: ObjectName
}

/** VolumeAttachment is a data volume of a machine. */
export interface VolumeAttachment {
  /** name is the key of the entry. */
  readonly name: Label
  /** volumeName names the volume. */
  readonly volumeName: ObjectName
}

/**
 * NIC is a machine's interface to one network.
 * @cel has(self.networkName) != has(self.sharedNetworkName) :: exactly one of `networkName` and `sharedNetworkName` must be set
 */
export interface NIC {
  /** name is the key of the entry; its MAC address is derived from it. */
  readonly name: Label
  /** networkName names a network of the namespace. */
  readonly networkName?: ObjectName
  /** sharedNetworkName names a shared network. */
  readonly sharedNetworkName?: ObjectName
  /** ipAddress is the address wished for. Left out: any free one. */
  readonly ipAddress?: IPv4Address
  /**
   * macAddress is the MAC address wished for. Left out: one is derived.
   * @see VM-010
   */
  readonly macAddress?: MACAddress
  /**
   * secondaryIPs lists further addresses of the NIC. Left out: none.
   * @listType set
   * @maxItems 32
   */
  readonly secondaryIPs?: readonly IPv4Address[]
  /**
   * securityGroupNames lists the security groups of the NIC. Left out: none.
   * @listType set
   * @maxItems 16
   */
  readonly securityGroupNames?: readonly ObjectName[]
}

/** Placement is the operator's wish where a machine runs. */
export interface Placement {
  /** hostName names the host. */
  readonly hostName?: ObjectName
  /** clusterName names the cluster. */
  readonly clusterName?: ObjectName
  /** podName names the pod. */
  readonly podName?: ObjectName
}

/** VirtualMachineStatus is what is known of a machine. */
export interface VirtualMachineStatus extends DriftStatus {
  /** hostName names the host on which the machine is. */
  readonly hostName?: ObjectName
  /** powerState is what was last seen of the machine. */
  readonly powerState?: PowerState
  /**
   * nics lists the network interfaces as they are.
   * @listType map
   * @listMapKey name
   * @maxItems 64
   */
  readonly nics?: readonly NICStatus[]
  /**
   * volumes lists the disks as they are, the root disk as `root`.
   * @listType map
   * @listMapKey name
   * @maxItems 64
   */
  readonly volumes?: readonly VolumeAttachmentStatus[]
}

/** NICStatus is what is known of a NIC. */
export interface NICStatus {
  /** name is the NIC's name. */
  readonly name: Label
  /** ipAddress is its address. */
  readonly ipAddress?: IPv4Address
  /** macAddress is its MAC address. */
  readonly macAddress?: MACAddress
  /**
   * secondaryIPs lists its further addresses.
   * @listType set
   * @maxItems 32
   */
  readonly secondaryIPs?: readonly IPv4Address[]
}

/** VolumeAttachmentStatus is what is known of a machine's disk. */
export interface VolumeAttachmentStatus {
  /** name is the entry's name, or `root`. */
  readonly name: Label
  /** volumeName names the volume. */
  readonly volumeName: ObjectName
  /** device is the disk's name in the guest, where it is known. */
  readonly device?: Path
}
