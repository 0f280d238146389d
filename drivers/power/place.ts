import type { PowerControllerConfiguration } from '../contract/endpoint.ts'

/** Where a power controller listens. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** `bmc-1.example:6230` is a host and a port; what has more colons is an IPv6 address. */
export function placeOf({ address = '' }: PowerControllerConfiguration, defaultPort: number): Place {
  const [, host, port] = /^([^:]+):(\d{1,5})$/.exec(address) ?? []
  if (host === undefined) return { host: address, port: defaultPort }
  return { host, port: Number(port) }
}
