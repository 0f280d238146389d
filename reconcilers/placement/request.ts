import type { Hypervisor } from '../../crds/common.ts'
import type { Capability } from '../../drivers/contract/facts.ts'

/** A machine that looks for a place: of any role. */
export interface PlacementRequest {
  readonly zoneName: string
  readonly cores: number
  /** The clock held for each core. */
  readonly clockMHz: number
  readonly memoryBytes: number
  /** Hypervisors that can run it, from the template's images. Left out: any. */
  readonly hypervisors?: readonly Hypervisor[]
  /** Tags that the host must carry, all of them. */
  readonly hostTags: readonly string[]
  /** What the host must be able to do. Left out: nothing special. */
  readonly capabilities?: readonly Capability[]
  readonly volumes: readonly PlacementVolume[]
  /** `FirstFit`: the first host with room, in a stable order. `Dispersing`: the one with the smallest share promised. */
  readonly planner: 'FirstFit' | 'Dispersing'
  /** What an operator wishes. */
  readonly placement?: PlacementWish
  /** Its own host was lost: only such machines go to the hosts that are reserved for them, and to no other. */
  readonly isRestart?: boolean
  /** Names of hosts that it must not go to. */
  readonly exclude?: readonly string[]
  /**
   * Only this host will do, by identity: the machine is seen or placed there. Whether it is open to new machines does
   * not count then, nor what is left on it unless `freed` is given.
   */
  readonly hostIdentity?: string
  /** What the machine itself holds on that host already: counted as free. */
  readonly freed?: { readonly cpuMHz: number; readonly memoryBytes: number }
}

/** Where an operator wishes a machine to be. */
export interface PlacementWish {
  readonly hostName?: string
  readonly clusterName?: string
  readonly podName?: string
}

/** A volume that must be reachable where the machine is. */
export interface PlacementVolume {
  readonly identity: string
  readonly sizeBytes: number
  /** Tags that the pool must carry, all of them. */
  readonly tags: readonly string[]
  /** The pool that holds it already. Left out: one is chosen. */
  readonly poolName?: string
  /** Likewise, by the pool's identity: where the volume is seen though nothing claims it. */
  readonly poolIdentity?: string
  /** `Local`: only a host's own pool; `Shared`: only one of a cluster or zone. Left out: any. */
  readonly scope?: 'Shared' | 'Local'
}

/** The pool of each volume, by the volume's identity. */
export type ChosenPools = Readonly<Record<string, { readonly poolName: string; readonly poolIdentity: string }>>

/** A place, or why there is none. */
export type Placement = Placed | Refused

/** The place: a host and a pool for each volume. */
export interface Placed {
  readonly ok: true
  readonly hostName: string
  readonly hostIdentity: string
  readonly pools: ChosenPools
}

/** There is no place now. */
export interface Refused {
  readonly ok: false
  /** For a condition, for example `NoHostFits`. */
  readonly reason: RefusalReason
  /** Counts of hosts per rule, fit for tenants: it names no host. */
  readonly message: string
  /** Each host counted under the first rule that refuses it. */
  readonly counts: readonly { readonly rule: PlacementRule; readonly hosts: number }[]
}

/** Why there is no place. */
export type RefusalReason =
  | 'ZoneNotFound'
  | 'ZoneClosed'
  | 'InventoriesNotRead'
  | 'VolumesApart'
  | 'NoHosts'
  | 'NoHostFits'

/** A refusal. */
export function refused(reason: RefusalReason, message: string, counts: Refused['counts'] = []): Refused {
  return { ok: false, reason, message, counts }
}

/** What one host says to a request: nothing when it fits. */
export interface HostVerdict {
  readonly hostName: string
  readonly refusals: readonly PlacementRule[]
}

/** The rules by which a host is refused, with what to say of the hosts that it refuses. */
export const placementRules = {
  PodDisabled: 'in a pod with allocationState Disabled',
  PodInMaintenance: 'in a pod in maintenance',
  ClusterDisabled: 'in a cluster with allocationState Disabled',
  ClusterInMaintenance: 'in a cluster in maintenance',
  HostDisabled: 'with allocationState Disabled',
  HostInMaintenance: 'in maintenance',
  HostLost: 'declared lost',
  HostLeaving: 'being deleted',
  HostNotConnected: 'not connected',
  HypervisorMismatch: 'with a hypervisor that the template has no image for',
  NotWished: 'not where the placement wishes it',
  Excluded: 'excluded',
  ReservedForRestarts: 'reserved for machines whose host was lost (Settings restartHostTag)',
  NotReservedForRestarts: 'not reserved for machines whose host was lost (Settings restartHostTag)',
  CapabilityMissing: 'that cannot do what the machine needs',
  HostTagsMissing: 'without a host tag of the offering',
  TooFewCores: 'with fewer cores than the machine',
  ClusterCPUThreshold: 'in a cluster whose promised CPU would pass its threshold',
  ClusterMemoryThreshold: 'in a cluster whose promised memory would pass its threshold',
  CPUExhausted: 'with too little CPU left',
  MemoryExhausted: 'with too little memory left',
  VolumeElsewhere: 'that cannot reach the pool of a volume',
  NoPool: 'that reach no pool of the storage type that a volume wants',
  StorageTagsMissing: 'that reach no pool with the storage tags that a volume wants',
  PoolsClosed: 'that reach no pool open to new volumes',
  StorageExhausted: 'that reach no pool with enough space left',
} as const

/** A rule by which a host is refused. */
export type PlacementRule = keyof typeof placementRules
