/**
 * An endpoint is one outside thing that drivers talk to: a host's hypervisor, a storage pool, an image store,
 * a power controller. Its key is its type and the identity of the resource that declares it.
 */

/** What kind of outside thing an endpoint is. */
export type EndpointType = 'Host' | 'PrimaryStorage' | 'SecondaryStorage' | 'PowerController'

/** `<type>/<identity>`, for example `Host/6f0c…`. */
export type EndpointKey = `${EndpointType}/${string}`

/** The name of a driver, as manifests have it (`hypervisor: Simulator`, `powerControl.driver: IPMI`). */
export type DriverName = 'Simulator' | 'KVM' | 'IPMI' | 'Redfish'

/** How to reach a host: what a manifest says and nothing that a resource would have to be read for. */
export interface HostConfiguration {
  readonly type: 'Host'
  /** Address of the host in its management network. */
  readonly address: string
  /** Path of the hypervisor daemon's UNIX socket; the driver's usual places where it is left out. */
  readonly socketPath?: string
  /** `KVM` uses the processor's virtualisation, `TCG` emulates it; what the host does best where it is left out. */
  readonly emulator?: 'KVM' | 'TCG'
  /** The size of a simulated host: cores, MHz per core, memory in bytes. */
  readonly simulated?: { readonly cores: number; readonly clockMHz: number; readonly memoryBytes: number }
}

/** How to reach a pool of disks. */
export interface PrimaryStorageConfiguration {
  readonly type: 'PrimaryStorage'
  /** Where the pool is: `sim://name`, `file:///directory` … */
  readonly url: string
  /** What the manifest grants of it, in bytes; all of it where it is left out. */
  readonly capacityBytes?: number
  /** Hosts that reach the pool, for drivers that work through a host. */
  readonly hosts: readonly { readonly endpoint: EndpointKey; readonly configuration: HostConfiguration }[]
}

/** How to reach a store of images. */
export interface SecondaryStorageConfiguration {
  readonly type: 'SecondaryStorage'
  /** Where the store is: `sim://name`, `file:///directory` … */
  readonly url: string
}

/** How to reach what switches a host's power. */
export interface PowerControllerConfiguration {
  readonly type: 'PowerController'
  /** The endpoint of the host it switches. */
  readonly host: EndpointKey
  /** Address of the controller, where it has one of its own, with an optional port. */
  readonly address?: string
  /** The Secret with its `username` and `password`. Only its name: what is in it is asked for when it is needed. */
  readonly credentials?: { readonly secretName: string }
  /** Which of the systems behind the controller the host is (Redfish); its only one where it is left out. */
  readonly systemID?: string
  /** SHA-256 of the controller's certificate, in hex with colons, where that is what it is known by. */
  readonly certificateFingerprint?: string
}

/** The configuration of an endpoint of any type. */
export type EndpointConfiguration =
  | HostConfiguration
  | PrimaryStorageConfiguration
  | SecondaryStorageConfiguration
  | PowerControllerConfiguration

/** An endpoint as a reconciler declares it: where the observer shall look. */
export interface Endpoint {
  readonly key: EndpointKey
  readonly driver: DriverName
  /** Name of the resource that declares it, for people. */
  readonly name: string
  readonly configuration: EndpointConfiguration
  /** Pools and neighbours that are asked for signs of life while this host is silent. Left out: nobody is. */
  readonly witnesses?: readonly EndpointKey[]
}

/** The key of an endpoint. */
export function endpointKey(type: EndpointType, identity: string): EndpointKey {
  return `${type}/${identity}`
}

/** The identity of what an endpoint is, from its key. */
export function endpointIdentity(key: EndpointKey): string {
  return key.slice(key.indexOf('/') + 1)
}

/** The port of a power controller whose address names none, by its driver. */
export const powerControllerPorts = { IPMI: 623, Redfish: 443 } as const

/** Where a power controller listens: `bmc-1.example:6230` is a host and a port; what has more colons is an IPv6 address. */
export function powerControllerPlace(
  driver: keyof typeof powerControllerPorts,
  address = '',
): { readonly host: string; readonly port: number } {
  const [, host, port] = /^([^:]+):(\d{1,5})$/.exec(address) ?? []
  if (host === undefined) return { host: address, port: powerControllerPorts[driver] }
  return { host, port: Number(port) }
}

/** The type of an endpoint, from its key. */
export function endpointType(key: EndpointKey): EndpointType {
  return key.slice(0, key.indexOf('/')) as EndpointType
}
