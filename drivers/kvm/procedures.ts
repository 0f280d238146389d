/**
 * Numbers of libvirt's remote protocol (src/remote/remote_protocol.x and include/libvirt in libvirt's sources).
 * They are part of its stable wire format: a number once given is never given again.
 */

/** The program of every hypervisor call. */
export const remoteProgram = 0x20008086
/** The program of keep-alive messages ("keep"). */
export const keepAliveProgram = 0x6b656570
export const keepAlive = { ping: 1, pong: 2 } as const

export const messageType = { call: 0, reply: 1, event: 2, stream: 3 } as const
export const messageStatus = { ok: 0, error: 1, continue: 2 } as const

/** Procedures of the remote program that the driver calls or hears. */
export const procedure = {
  connectOpen: 1,
  connectGetVersion: 4,
  nodeGetInfo: 6,
  connectGetCapabilities: 7,
  domainGetXMLDesc: 14,
  domainLookupByUUID: 24,
  domainResume: 28,
  authList: 66,
  authPolkit: 70,
  storagePoolDefineXML: 77,
  storagePoolCreate: 78,
  storagePoolDestroy: 80,
  storagePoolUndefine: 82,
  storagePoolRefresh: 83,
  storagePoolLookupByName: 84,
  storagePoolGetInfo: 87,
  storagePoolGetXMLDesc: 88,
  storageVolCreateXML: 93,
  storageVolDelete: 94,
  storageVolLookupByName: 95,
  domainAttachDeviceFlags: 160,
  domainDetachDeviceFlags: 161,
  domainCreateWithFlags: 196,
  domainGetState: 212,
  domainUndefineFlags: 231,
  domainDestroyFlags: 234,
  domainBlockResize: 251,
  domainShutdownFlags: 258,
  storageVolResize: 260,
  domainSetMetadata: 264,
  connectListAllDomains: 273,
  storagePoolListAllVolumes: 282,
  domainEventCallbackRegisterAny: 316,
  domainEventCallbackLifecycle: 318,
  domainDefineXMLFlags: 350,
} as const

export const domainEventLifecycle = 0

/** virDomainState. */
export const domainState = {
  none: 0,
  running: 1,
  blocked: 2,
  paused: 3,
  shutdown: 4,
  shutoff: 5,
  crashed: 6,
  suspended: 7,
} as const

/** virDomainShutoffReason. */
export const shutoffReason = {
  unknown: 0,
  shutdown: 1,
  destroyed: 2,
  crashed: 3,
  migrated: 4,
  saved: 5,
  failed: 6,
  fromSnapshot: 7,
  daemon: 8,
} as const

/** virDomainPausedReason, those of a migration and of a start under way. */
export const pausedReason = { migration: 2, startingUp: 11, postCopy: 12, postCopyFailed: 13 } as const

export const xmlFlag = { inactive: 2 } as const
export const affect = { live: 1, config: 2 } as const
export const shutdownFlag = { acpiPowerButton: 1 } as const
/** Managed save image, snapshots' and checkpoints' metadata, NVRAM: nothing of a domain outlives its definition. */
export const undefineFlags = 1 | 2 | 4 | 16
export const metadataType = { element: 2 } as const
export const poolState = { inactive: 0, building: 1, running: 2, degraded: 3, inaccessible: 4 } as const
export const blockResizeBytes = 1

/** virErrorNumber, those that decide how a caller goes on. */
export const errorNumber = {
  noMemory: 2,
  noSupport: 3,
  unknownHost: 4,
  noConnect: 5,
  invalidConnection: 6,
  invalidArgument: 8,
  operationFailed: 9,
  xmlError: 27,
  domainExists: 28,
  operationDenied: 29,
  xmlDetail: 35,
  systemError: 38,
  rpc: 39,
  noDomain: 42,
  invalidMAC: 44,
  authenticationFailed: 45,
  noStoragePool: 49,
  noStorageVolume: 50,
  operationInvalid: 55,
  configurationUnsupported: 67,
  operationTimeout: 68,
  argumentUnsupported: 74,
  storagePoolBuilt: 76,
  operationAborted: 78,
  authenticationCancelled: 79,
  noDomainMetadata: 80,
  operationUnsupported: 84,
  agentUnresponsive: 86,
  resourceBusy: 87,
  accessDenied: 88,
  storageVolumeExists: 90,
  cpuIncompatible: 91,
  xmlInvalidSchema: 92,
  authenticationUnavailable: 94,
} as const
