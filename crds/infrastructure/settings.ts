import type { ManagementDefault } from '../common.ts'
import { defineKind } from '../define-kind.ts'
import type { CommonStatus } from '../meta.ts'
import type { ByteQuantity, DNSName, Duration, Mbps, Ratio, Tag } from '../scalars.ts'

/**
 * Settings hold what is decided once for the whole cloud. There is one object, named `default`; without it every
 * field has its default.
 * @cel self.metadata.name == 'default' :: metadata.name must be 'default': there is one Settings object
 */
export const Settings = defineKind<SettingsSpec, SettingsStatus>({
  group: 'infrastructure.skystead.dev',
  version: 'v1alpha1',
  kind: 'Settings',
  plural: 'settings',
  scope: 'Cluster',
  shortNames: [],
  columns: [
    { name: 'Expunge', type: 'string', jsonPath: '.spec.expungeDelay' },
    { name: 'Host Loss', type: 'string', jsonPath: '.spec.hostLossDelay' },
  ],
  conditions: {
    RestartHostsPresent: 'Hosts that are reserved for restarts exist, where a tag for them is set.',
  },
  shard: 'global',
})

/** SettingsSpec is what is decided once for the whole cloud. */
export interface SettingsSpec {
  /**
   * expungeDelay is how long a removed disk can be taken back from its pool's trash. Default '24h'.
   * @default "24h"
   * @see STO-134
   */
  readonly expungeDelay: Duration
  /**
   * capacityThresholds say at which share of a resource people are told, and new things are placed elsewhere.
   * @default {}
   */
  readonly capacityThresholds: CapacityThresholds
  /**
   * hostLossDelay is how long a host must be silent before it is taken for lost. Default '30s'.
   * @default "30s"
   */
  readonly hostLossDelay: Duration
  /**
   * hostFailure says what is done about a host that falls silent, where neither the host nor its cluster nor its zone
   * says otherwise.
   * @default {}
   * @see HST-103
   */
  readonly hostFailure: HostFailureDefaults
  /**
   * restartHostTag is a tag that reserves hosts: those with it take only machines whose own host was lost, and such
   * machines go to no other. Left out: no host is reserved.
   * @see HST-101 HST-102
   */
  readonly restartHostTag?: Tag
  /**
   * migrations say how machines that run are moved to other hosts.
   * @default {}
   */
  readonly migrations: MigrationSettings
  /**
   * networkIdleDelay is how long a network must be without machines before its router and segment are given back.
   * Default '10m'.
   * @default "10m"
   * @see OFF-089
   */
  readonly networkIdleDelay: Duration
  /**
   * networkDomain is the DNS suffix of guests in zones that name none. Default 'cloud.internal'.
   * @default "cloud.internal"
   * @see INF-033
   */
  readonly networkDomain: DNSName
  /**
   * networkRateMbps is the rate of networks whose offering names none, in Mbit/s; 0 is unlimited. Default 200.
   * @default 200
   * @see OFF-063
   */
  readonly networkRateMbps: Mbps
  /**
   * machineRateMbps is the rate of a machine's default NIC whose offering names none, in Mbit/s; 0 is unlimited.
   * Default 200.
   * @default 200
   * @see OFF-062
   */
  readonly machineRateMbps: Mbps
  /**
   * maximumVolumeSize is the largest volume that may be made. Default '2000Gi'.
   * @default "2000Gi"
   * @see STO-080
   */
  readonly maximumVolumeSize: ByteQuantity
  /**
   * maximumTemplateSize is the largest image that may be downloaded. Default '50Gi'.
   * @default "50Gi"
   * @see TPL-014
   */
  readonly maximumTemplateSize: ByteQuantity
  /**
   * managementDefaults says, by kind, what is done about differences where an object's `spec.management.mode` is left
   * out. A kind that is not listed is enforced. Default: none.
   * @default []
   * @listType map
   * @listMapKey kind
   * @maxItems 16
   */
  readonly managementDefaults: readonly ManagementDefault[]
}

/** HostFailureDefaults say what is done about a host that falls silent, and how much of it at once. */
export interface HostFailureDefaults {
  /**
   * fencing 'Automatic' lets the control plane switch off a silent host through its power controller, so that its
   * machines may start elsewhere. 'Manual' leaves it to the operator. Default 'Manual'.
   * @default "Manual"
   */
  readonly fencing: 'Automatic' | 'Manual'
  /**
   * unreachableLimit is how long a host may be unreachable that still gives signs of life before it is switched off
   * too. Left out: for ever, because its machines work.
   */
  readonly unreachableLimit?: Duration
  /**
   * powerOnAttempts is how many times a host that was proven off is powered on again. Default 0: never.
   * @default 0
   * @integer
   * @minimum 0
   * @maximum 10
   */
  readonly powerOnAttempts: number
  /**
   * silentShareLimit is the share of a zone's hosts, from '0' to '1', that may be silent at the same time. When it is
   * more, something else is more likely than that many dead hosts, and none is switched off. One always may be.
   * Default '0.25'.
   * @default "0.25"
   * @cel double(self) <= 1.0 :: must be at most '1'
   */
  readonly silentShareLimit: Ratio
  /**
   * fencesAtOnce is how many hosts of a zone are being switched off at the same time. Default 10.
   * @default 10
   * @integer
   * @minimum 1
   * @maximum 1000
   */
  readonly fencesAtOnce: number
}

/** MigrationSettings say how machines that run are moved to other hosts. */
export interface MigrationSettings {
  /**
   * perSourceHost is how many machines may be leaving one host at a time. Default 2.
   * @integer
   * @minimum 1
   * @maximum 100
   * @default 2
   */
  readonly perSourceHost: number
  /**
   * perTargetHost is how many machines may be coming to one host at a time. Default 2.
   * @integer
   * @minimum 1
   * @maximum 100
   * @default 2
   */
  readonly perTargetHost: number
  /**
   * perZone is how many machines may be moving in one zone at a time. Default 20.
   * @integer
   * @minimum 1
   * @maximum 10000
   * @default 20
   */
  readonly perZone: number
  /**
   * bandwidthMbps is the most that one migration may take of the network, in Mbit/s; 0 is unlimited. Default 0.
   * @default 0
   */
  readonly bandwidthMbps: Mbps
  /**
   * timeout is how long a migration may take before it is ended and counts as failed. Default '1h'.
   * @default "1h"
   * @see VM-133
   */
  readonly timeout: Duration
  /**
   * retryDelay is how long a machine stays where it is after a migration failed, before the next. Default '1m'.
   * @default "1m"
   */
  readonly retryDelay: Duration
}

/** CapacityThresholds say at which share of each resource something is done. */
export interface CapacityThresholds {
  /**
   * cpu is for promised clock.
   * @default {"notification": "0.75", "disable": "0.85"}
   */
  readonly cpu: Thresholds
  /**
   * memory is for promised memory.
   * @default {"notification": "0.75", "disable": "0.85"}
   */
  readonly memory: Thresholds
  /**
   * storageAllocated is for promised space of primary storage.
   * @default {"notification": "0.75", "disable": "0.85"}
   * @see STO-021
   */
  readonly storageAllocated: Thresholds
  /**
   * storageUsed is for space in use on primary and secondary storage.
   * @default {"notification": "0.75", "disable": "0.85"}
   * @see STO-021
   */
  readonly storageUsed: Thresholds
  /**
   * publicIP is for public addresses.
   * @default {"notification": "0.75", "disable": "1"}
   */
  readonly publicIP: Thresholds
  /**
   * segments is for VLAN ids and VNIs.
   * @default {"notification": "0.75", "disable": "1"}
   */
  readonly segments: Thresholds
}

/**
 * Thresholds are two shares of one resource, from '0' to '1'.
 * @cel double(self.notification) < double(self.disable) :: `notification` must be lower than `disable`
 * @see HST-043
 */
export interface Thresholds {
  /**
   * notification is the share from which 'CapacityAvailable' is False. Default '0.75'.
   * @default "0.75"
   * @cel double(self) <= 1.0 :: must be at most '1'
   */
  readonly notification: Ratio
  /**
   * disable is the share that new things may not pass. Default '0.85'.
   * @default "0.85"
   * @cel double(self) <= 1.0 :: must be at most '1'
   */
  readonly disable: Ratio
}

/** SettingsStatus is what is known of the settings. */
export interface SettingsStatus extends CommonStatus {}

const thresholds: Thresholds = { notification: '0.75', disable: '0.85' }
const untilFull: Thresholds = { notification: '0.75', disable: '1' }

/** The settings where there is no Settings object: the defaults of the schema. */
export const defaultSettings: SettingsSpec = {
  expungeDelay: '24h',
  capacityThresholds: {
    cpu: thresholds,
    memory: thresholds,
    storageAllocated: thresholds,
    storageUsed: thresholds,
    publicIP: untilFull,
    segments: untilFull,
  },
  hostLossDelay: '30s',
  hostFailure: { fencing: 'Manual', powerOnAttempts: 0, silentShareLimit: '0.25', fencesAtOnce: 10 },
  migrations: {
    perSourceHost: 2,
    perTargetHost: 2,
    perZone: 20,
    bandwidthMbps: 0,
    timeout: '1h',
    retryDelay: '1m',
  },
  networkIdleDelay: '10m',
  networkDomain: 'cloud.internal',
  networkRateMbps: 200,
  machineRateMbps: 200,
  maximumVolumeSize: '2000Gi',
  maximumTemplateSize: '50Gi',
  managementDefaults: [],
}
