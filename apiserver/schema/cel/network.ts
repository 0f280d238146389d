/** Kubernetes' CEL functions for addresses, networks and URLs. */

import { isIPv4, isIPv6 } from 'node:net'
import type { Environment } from '@marcbachmann/cel-js'
import ipaddr from 'ipaddr.js'
import { isCIDR } from '../formats.ts'

const sync = { async: false }

/** An address. Zones and IPv4 addresses written as IPv6 are none, as in Kubernetes. */
class Address {
  readonly ip: ipaddr.IPv4 | ipaddr.IPv6

  constructor(ip: ipaddr.IPv4 | ipaddr.IPv6) {
    this.ip = ip
  }

  get family(): bigint {
    return this.ip.kind() === 'ipv4' ? 4n : 6n
  }

  equals(other: unknown): boolean {
    return other instanceof Address && other.toString() === this.toString()
  }

  toString(): string {
    return this.ip instanceof ipaddr.IPv6 ? this.ip.toRFC5952String() : this.ip.toString()
  }
}

/** A network: an address and the length of its prefix. */
class Network {
  readonly address: Address
  readonly prefix: number

  constructor(address: Address, prefix: number) {
    this.address = address
    this.prefix = prefix
  }

  contains(address: Address): boolean {
    return address.family === this.address.family && sharesPrefix(address, this.address, this.prefix)
  }

  equals(other: unknown): boolean {
    return other instanceof Network && other.toString() === this.toString()
  }

  toString(): string {
    return `${this.address}/${this.prefix}`
  }
}

function sharesPrefix(a: Address, b: Address, prefix: number): boolean {
  const left = a.ip.toByteArray()
  const right = b.ip.toByteArray()
  return left.every((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefix - index * 8))
    const mask = (0xff << (8 - bits)) & 0xff
    return (byte & mask) === ((right[index] ?? 0) & mask)
  })
}

function isAddress(text: string): boolean {
  if (isIPv4(text)) return true
  if (!isIPv6(text) || text.includes('%')) return false
  return !ipaddr.IPv6.parse(text).isIPv4MappedAddress()
}

function parseAddress(text: string): Address {
  if (!isAddress(text))
    throw new TypeError(
      `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`,
    )
  return new Address(ipaddr.parse(text))
}

/** A text that a function takes in the place of what it stands for. */
function taken<T>(text: string, isFit: (text: string) => boolean, parse: (text: string) => T): T {
  if (!isFit(text)) throw new TypeError('no such overload')
  return parse(text)
}

function isNetwork(text: string): boolean {
  return isCIDR(text) && isAddress(text.slice(0, text.indexOf('/')))
}

function parseNetwork(text: string): Network {
  if (!isNetwork(text)) throw new TypeError(`network address parse error during conversion from string: ${text}`)
  const slash = text.indexOf('/')
  return new Network(parseAddress(text.slice(0, slash)), Number(text.slice(slash + 1)))
}

function masked(network: Network): Network {
  const bytes = network.address.ip.toByteArray().map((byte, index) => {
    const bits = Math.min(8, Math.max(0, network.prefix - index * 8))
    return byte & (0xff << (8 - bits)) & 0xff
  })
  return new Network(new Address(ipaddr.fromByteArray(bytes)), network.prefix)
}

function containsNetwork(outer: Network, inner: Network): boolean {
  return outer.prefix <= inner.prefix && outer.contains(inner.address)
}

/** Whether the address is in one of the ranges that ipaddr.js names so. */
function isIn(...ranges: readonly string[]): (address: Address) => boolean {
  return address => ranges.includes(address.ip.range())
}

function isLinkLocalMulticast(address: Address): boolean {
  const network = address.family === 4n ? '224.0.0.0/24' : 'ff02::/16'
  return parseNetwork(network).contains(address)
}

function isGlobalUnicast(address: Address): boolean {
  if (address.toString() === '255.255.255.255') return false
  return !isIn('unspecified', 'loopback', 'multicast', 'linkLocal')(address)
}

/** Adds the `ip`, `cidr` and `url` functions. */
export function addNetwork(environment: Environment): void {
  class IPNamespace {}
  environment
    .registerType('net.IP', Address)
    .registerType('net.CIDR', Network)
    .registerOperator('net.IP == net.IP', (a: Address, b: Address) => a.equals(b))
    .registerOperator('net.CIDR == net.CIDR', (a: Network, b: Network) => a.equals(b))
    .registerFunction('isIP(string): bool', isAddress, sync)
    .registerFunction('ip(string): net.IP', parseAddress, sync)
    .registerFunction('string(net.IP): string', String, sync)
    .registerType('IPNamespace', IPNamespace)
    .registerConstant('ip', 'IPNamespace', new IPNamespace())
    .registerFunction(
      'IPNamespace.isCanonical(string): bool',
      (_namespace: unknown, text: string) => parseAddress(text).toString() === text,
      sync,
    )
    .registerFunction('net.IP.family(): int', (address: Address) => address.family, sync)
    .registerFunction('net.IP.isUnspecified(): bool', isIn('unspecified'), sync)
    .registerFunction('net.IP.isLoopback(): bool', isIn('loopback'), sync)
    .registerFunction('net.IP.isLinkLocalMulticast(): bool', isLinkLocalMulticast, sync)
    .registerFunction('net.IP.isLinkLocalUnicast(): bool', isIn('linkLocal'), sync)
    .registerFunction('net.IP.isGlobalUnicast(): bool', isGlobalUnicast, sync)
    .registerFunction('isCIDR(string): bool', isNetwork, sync)
    .registerFunction('cidr(string): net.CIDR', parseNetwork, sync)
    .registerFunction('string(net.CIDR): string', String, sync)
    .registerFunction('net.CIDR.ip(): net.IP', (network: Network) => network.address, sync)
    .registerFunction('net.CIDR.masked(): net.CIDR', masked, sync)
    .registerFunction('net.CIDR.prefixLength(): int', (network: Network) => BigInt(network.prefix), sync)
    .registerFunction(
      'net.CIDR.containsIP(net.IP): bool',
      (network: Network, address: Address) => network.contains(address),
      sync,
    )
    .registerFunction(
      'net.CIDR.containsIP(string): bool',
      (network: Network, text: string) => network.contains(taken(text, isAddress, parseAddress)),
      sync,
    )
    .registerFunction('net.CIDR.containsCIDR(net.CIDR): bool', containsNetwork, sync)
    .registerFunction(
      'net.CIDR.containsCIDR(string): bool',
      (network: Network, text: string) => containsNetwork(network, taken(text, isNetwork, parseNetwork)),
      sync,
    )
  addURL(environment)
}

/** A URL in its parts, nothing normalised. */
class Location {
  readonly scheme: string
  readonly host: string
  readonly path: string
  readonly query: string

  constructor(parts: {
    readonly scheme: string
    readonly host: string
    readonly path: string
    readonly query: string
  }) {
    this.scheme = parts.scheme
    this.host = parts.host
    this.path = parts.path
    this.query = parts.query
  }

  get hostname(): string {
    return this.host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')
  }

  get port(): string {
    return /:(\d*)$/.exec(this.host)?.[1] ?? ''
  }

  equals(other: unknown): boolean {
    return other instanceof Location && JSON.stringify(other) === JSON.stringify(this)
  }
}

const urlPattern = /^(?:([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/(?:[^/?#@\s]*@)?([^/?#\s]*))?)?((?:\/[^?]*)?)(?:\?(.*))?$/

function readURL(text: string): Location | undefined {
  const opaque = /^([A-Za-z][A-Za-z0-9+.-]*):[^/?]/.exec(text)
  if (opaque?.[1] !== undefined) return new Location({ scheme: opaque[1].toLowerCase(), host: '', path: '', query: '' })
  const parts = urlPattern.exec(text)
  if (!parts) return undefined
  const [, scheme = '', host = '', path = '', query = ''] = parts
  if ((scheme === '' && path === '') || (host === '' && path.startsWith('//'))) return undefined
  if (/%(?![0-9A-Fa-f]{2})/.test(host + path) || !/^(?:\[[^\]]*\]|[^:[\]]*)(?::\d*)?$/.test(host)) return undefined
  return new Location({ scheme: scheme.toLowerCase(), host, path, query })
}

/** The path with everything escaped that may not stand in one. */
function escapedPath(path: string): string {
  return path.replaceAll(/[^\w\-.~!$&'()*+,;=:@/%[\]]/gu, character => encodeURIComponent(character))
}

function parseURL(text: string): Location {
  const url = readURL(text)
  if (!url)
    throw new TypeError(
      `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
    )
  return url
}

function queryOf(url: Location): ReadonlyMap<string, readonly string[]> {
  const parameters = new URLSearchParams(url.query)
  return new Map([...new Set(parameters.keys())].map(key => [key, parameters.getAll(key)]))
}

function addURL(environment: Environment): void {
  environment
    .registerType('net.URL', Location)
    .registerOperator('net.URL == net.URL', (a: Location, b: Location) => a.equals(b))
    .registerFunction('isURL(string): bool', (text: string) => readURL(text) !== undefined, sync)
    .registerFunction('url(string): net.URL', parseURL, sync)
    .registerFunction('net.URL.getScheme(): string', (url: Location) => url.scheme, sync)
    .registerFunction('net.URL.getHost(): string', (url: Location) => url.host, sync)
    .registerFunction('net.URL.getHostname(): string', (url: Location) => url.hostname, sync)
    .registerFunction('net.URL.getPort(): string', (url: Location) => url.port, sync)
    .registerFunction('net.URL.getEscapedPath(): string', (url: Location) => escapedPath(url.path), sync)
    .registerFunction('net.URL.getQuery(): map<string, list<string>>', queryOf, sync)
}
