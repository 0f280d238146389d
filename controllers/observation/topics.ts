import type { EndpointKey } from '../../drivers/contract/endpoint.ts'

/** The names under which a changed value is told: who reads a value and who changes it use the same string. */
export const topics = {
  endpoint: (key: EndpointKey): string => `endpoint/${key}`,
  host: (key: EndpointKey): string => `host/${key}`,
  space: (key: EndpointKey): string => `space/${key}`,
  life: (key: EndpointKey): string => `life/${key}`,
  power: (key: EndpointKey): string => `power/${key}`,
  counts: (key: EndpointKey): string => `counts/${key}`,
  machine: (identity: string): string => `machine/${identity}`,
  volume: (identity: string): string => `volume/${identity}`,
  diskUsers: (volumeIdentity: string): string => `diskUsers/${volumeIdentity}`,
  /** By `segmentKey`. */
  segmentUsers: (segment: string): string => `segmentUsers/${segment}`,
  image: (identity: string): string => `image/${identity}`,
  job: (identity: string): string => `job/${identity}`,
  named: (kind: string, namespace: string | undefined, name: string): string =>
    `named/${kind}/${namespace ?? ''}/${name}`,
  doubt: (identity: string): string => `doubt/${identity}`,
  absent: (identity: string, endpoint: EndpointKey): string => `absent/${identity}/${endpoint}`,
  operations: (identity: string): string => `operations/${identity}`,
} as const
