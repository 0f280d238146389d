/** What a machine of any role asks of the planner, and what the planner answers. Sizes in bytes. */

/** A volume that the placement must find a pool for, or that already lies in one. */
export interface VolumeRequest {
  readonly identity: string
  readonly sizeBytes: number
  /** Tags that the pool must have. */
  readonly tags: readonly string[]
  /** `Local`: a pool of scope Host. `Shared`: of scope Cluster or Zone. */
  readonly storageType: 'Shared' | 'Local'
  /** Identity of the pool that holds it already: it stays there, and the machine goes where that pool is reached. */
  readonly poolIdentity?: string
}

/** What a machine asks for. */
export interface PlacementRequest {
  readonly zoneName: string
  readonly cores: number
  readonly clockMHz: number
  readonly memoryBytes: number
  /** Hypervisors that it can run on. Default: any. */
  readonly hypervisors?: readonly string[]
  /** Tags that the host must have. */
  readonly hostTags: readonly string[]
  readonly planner: 'FirstFit' | 'Dispersing'
  readonly volumes: readonly VolumeRequest[]
  /** Operators' wishes. */
  readonly placement?: { readonly hostName?: string; readonly clusterName?: string; readonly podName?: string }
  /** Only this host will do, by identity: the machine is seen or placed there. Its allocation state and lifecycle do not count then. */
  readonly hostIdentity?: string
  /** What the machine itself already holds on that host: counted as free. */
  readonly freed?: { readonly cpuMHz: number; readonly memoryBytes: number }
  /** Names of hosts that will not do. */
  readonly exclude?: readonly string[]
}

/** Where a machine and its volumes go. Volumes that have a pool already are not in `pools`. */
export interface Placed {
  readonly ok: true
  readonly hostName: string
  readonly hostIdentity: string
  readonly pools: Readonly<Record<string, { readonly poolName: string; readonly poolIdentity: string }>>
}

/** Why a machine goes nowhere now. */
export interface NotPlaced {
  readonly ok: false
  /** `NoHostFits`, `InventoriesNotRead`, `ZoneDisabled` … */
  readonly reason: string
  /** For the machine's condition: counts per rule, no host names. */
  readonly message: string
  /** For operators: every host with the rules that refused it. */
  readonly verdicts: readonly { readonly hostName: string; readonly refusals: readonly string[] }[]
}

/** The planner's answer. */
export type PlacementAnswer = Placed | NotPlaced
