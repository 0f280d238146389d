/** Facts: what drivers report of the world outside. Plain data; sizes in bytes, times in RFC 3339. */

/**
 * The mark is what an outside thing of ours carries, so that it is known as ours without any store of our own.
 * Another installation's mark means "not ours".
 */
export interface Mark {
  /** The installation that made it. */
  readonly installation: string
  /** Kind of the resource it is made for, for example `VirtualMachine`. */
  readonly kind: string
  readonly namespace?: string
  readonly name: string
}

/** What a machine's processors do, as seen. `Incoming`: the paused side of a migration that has not finished. */
export type PowerState = 'Running' | 'Paused' | 'Off' | 'Incoming' | 'Crashed' | 'Unknown'

/** Why a machine is off, as far as the hypervisor tells. `Unknown` after a loss of the host's power. */
export type StopCause = 'Guest' | 'Request' | 'Forced' | 'Crash' | 'Unknown'

/** A disk of a machine, as defined at the hypervisor. */
export interface MachineDisk {
  /** Identity of the volume. */
  readonly identity: string
  /** Key of the pool that holds it, `PrimaryStorage/<identity>`. */
  readonly pool: string
  /** `root`, or the name under which the machine wishes it. */
  readonly name: string
}

/** The layer-2 segment a NIC is plugged into. */
export interface NetworkSegment {
  /** Identity of the network the segment belongs to. */
  readonly network: string
  readonly isolation: 'None' | 'VLAN' | 'VXLAN'
  /** VLAN id or VNI; left out without isolation. */
  readonly id?: number
  /** The bridge or port group on the host that carries this traffic. */
  readonly label: string
}

/** A NIC of a machine, as defined at the hypervisor. */
export interface MachineNIC {
  readonly name: string
  /** Six lower-case hex pairs with colons. */
  readonly macAddress: string
  readonly segment: NetworkSegment
  /** Addresses given to it, for the record in the mark: a fresh control plane takes the same ones again. */
  readonly addresses: readonly string[]
}

/** A machine's definition: everything of it but its power. Also what an inventory reports of it. */
export interface MachineDefinition {
  /** What it is for. Default `Instance`. */
  readonly role: 'Instance' | 'VirtualRouter' | 'ConsoleProxy' | 'SecondaryStorage'
  readonly cores: number
  readonly clockMHz: number
  readonly memoryBytes: number
  /** The name the guest gets. */
  readonly guestHostName: string
  readonly disks: readonly MachineDisk[]
  readonly nics: readonly MachineNIC[]
}

/** A machine, as a host reports it. */
export interface MachineFacts {
  /** Its UUID at the hypervisor: the identity of its resource. */
  readonly identity: string
  /** Left out: not made by Skystead. */
  readonly mark?: Mark
  /** The highest epoch of a claim under which it was defined or changed; 0 where it has none. */
  readonly epoch: number
  readonly powerState: PowerState
  /** Why it is off; left out while it is not, or where the hypervisor cannot tell. */
  readonly stopCause?: StopCause
  readonly definition: MachineDefinition
  /** The endpoint to which it is being migrated; only at the source, and only while the migration is under way. */
  readonly migratingTo?: string
  /** What the router in it holds, for machines of role `VirtualRouter`. */
  readonly router?: RouterFacts
}

/** The configuration a virtual router holds. */
export interface RouterFacts {
  /** Hash of the document, as the control plane computed it. */
  readonly hash: string
  readonly document: RouterDocument
}

/** Everything a virtual router does, as one document. Lists are sorted by their keys. */
export interface RouterDocument {
  /** Guest side: the network's own gateway address and prefix. */
  readonly guest: {
    readonly cidr: string
    readonly gateway: string
    readonly domain: string
    readonly dns: readonly string[]
  }
  readonly dhcp: readonly {
    readonly macAddress: string
    readonly address: string
    readonly hostName: string
    /** Whether the router is this NIC's default route. */
    readonly defaultRoute: boolean
  }[]
  /** Public addresses, each with what it does. */
  readonly publicAddresses: readonly {
    readonly address: string
    readonly cidr: string
    readonly gateway: string
    readonly vlan?: number
    readonly sourceNAT: boolean
    readonly staticNAT?: string
  }[]
  readonly portForwardings: readonly {
    readonly identity: string
    readonly protocol: 'TCP' | 'UDP'
    readonly address: string
    readonly publicPort: number
    readonly publicPortEnd: number
    readonly target: string
    readonly privatePort: number
    readonly privatePortEnd: number
    readonly sourceCIDRs: readonly string[]
  }[]
  readonly firewall: {
    readonly egressDefault: 'Allow' | 'Deny'
    readonly rules: readonly {
      readonly identity: string
      readonly direction: 'Ingress' | 'Egress'
      readonly protocol: 'TCP' | 'UDP' | 'ICMP' | 'All'
      /** Public address the rule is for; left out on egress rules. */
      readonly address?: string
      readonly ports: readonly (readonly [number, number])[]
      readonly icmpType?: number
      readonly icmpCode?: number
      readonly sourceCIDRs: readonly string[]
      readonly destinationCIDRs: readonly string[]
    }[]
  }
  /** User data by guest address: hash only where the router already holds it; never logged. */
  readonly userData: readonly { readonly address: string; readonly hash: string }[]
}

/** A volume in a pool, as the pool reports it. */
export interface VolumeFacts {
  readonly identity: string
  readonly mark?: Mark
  readonly epoch: number
  readonly sizeBytes: number
  readonly format: 'QCOW2' | 'RAW'
  /** When it went to the trash; left out while it is in use or usable. */
  readonly trashedAt?: string
}

/** An image in a store, or kept by a pool for its clones. */
export interface ImageFacts {
  readonly identity: string
  readonly mark?: Mark
  readonly url: string
  readonly sizeBytes: number
}

/** Long work that a host or store does by itself. */
export interface JobFacts {
  /** The operation that started it. */
  readonly operationId: string
  /** Identities it works on. */
  readonly targets: readonly string[]
  readonly progressPercent: number
}

/** What a driver found out about a host. */
export interface HostFacts {
  readonly hypervisorVersion: string
  readonly cores: number
  readonly clockMHz: number
  readonly memoryBytes: number
  /** What this host can do; an operation that needs more is refused with `Unsupported`. */
  readonly capabilities: readonly Capability[]
}

/** A feature that not every driver or host has. */
export type Capability =
  | 'MachineDefine'
  | 'GracefulStop'
  | 'LiveAttach'
  | 'VirtualRouter'
  | 'SystemVM'
  | 'SegmentVLAN'
  | 'SegmentVXLAN'
  | 'UserData'
  | 'LiveMigration'
  /** It holds a lease on shared storage, and a watchdog stops everything on it that outlives the lease. */
  | 'StorageLease'

/** A complete listing of a host. */
export interface HostInventory {
  readonly type: 'Host'
  readonly host: HostFacts
  readonly machines: readonly MachineFacts[]
  readonly jobs: readonly JobFacts[]
}

/** A complete listing of a pool. */
export interface PrimaryStorageInventory {
  readonly type: 'PrimaryStorage'
  readonly totalBytes: number
  readonly usedBytes: number
  readonly volumes: readonly VolumeFacts[]
  readonly jobs: readonly JobFacts[]
}

/** A complete listing of an image store. */
export interface SecondaryStorageInventory {
  readonly type: 'SecondaryStorage'
  readonly totalBytes: number
  readonly usedBytes: number
  readonly images: readonly ImageFacts[]
  readonly jobs: readonly JobFacts[]
}

/** What a power controller says. */
export interface PowerInventory {
  readonly type: 'PowerController'
  /** `Unknown`: it says that it is neither, the power is being switched. The host may run until it says `Off`. */
  readonly power: 'On' | 'Off' | 'Unknown'
}

/** A complete listing of an endpoint of any type. */
export type Inventory = HostInventory | PrimaryStorageInventory | SecondaryStorageInventory | PowerInventory
