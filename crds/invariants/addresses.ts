/** Addresses: IPv4 as numbers from 0 to 2^32 - 1, ranges of them, and both families as keys of Allocations. */
import ipaddr from 'ipaddr.js'
import { type NumberRange, overlaps } from './number-range.ts'

/**
 * An IPv4 address as a number.
 * @throws RangeError when the text is no IPv4 address of four decimal parts.
 */
export function addressToNumber(address: string): number {
  if (!ipaddr.IPv4.isValidFourPartDecimal(address)) throw new RangeError(`Cannot read the IPv4 address '${address}'`)
  return ipaddr.IPv4.parse(address).octets.reduce((total, octet) => total * 256 + octet, 0)
}

/** A number from 0 to 2^32 - 1 as an IPv4 address. */
export function addressFromNumber(value: number): string {
  return [2 ** 24, 2 ** 16, 2 ** 8, 1].map(place => Math.floor(value / place) % 256).join('.')
}

/**
 * All addresses of an IPv4 network in CIDR notation, its own and the broadcast address included.
 * @throws RangeError when the text is no IPv4 network.
 */
export function rangeOf(cidr: string): NumberRange {
  const length = prefixLength(cidr)
  const size = 2 ** (32 - length)
  const address = addressToNumber(cidr.slice(0, cidr.indexOf('/')))
  const first = address - (address % size)
  return { first, last: first + size - 1 }
}

/** The addresses that hosts of an IPv4 network may have: all of it from /31 on, else without the two at the ends. */
export function hostRangeOf(cidr: string): NumberRange {
  const range = rangeOf(cidr)
  if (prefixLength(cidr) >= 31) return range
  return { first: range.first + 1, last: range.last - 1 }
}

/** The prefix length of an IPv4 network: 24 of `10.1.1.0/24`. */
export function prefixLength(cidr: string): number {
  const length = /\/(\d{1,2})$/.exec(cidr)?.[1]
  if (length === undefined || Number(length) > 32) throw new RangeError(`Cannot read the IPv4 network '${cidr}'`)
  return Number(length)
}

/** The netmask of an IPv4 network: `255.255.255.0` of `10.1.1.0/24`. */
export function netmaskOf(cidr: string): string {
  return addressFromNumber(2 ** 32 - 2 ** (32 - prefixLength(cidr)))
}

/**
 * Reads a run of IPv4 addresses, `10.0.0.10-10.0.0.60` or a single address.
 * @throws RangeError when the text is neither, or runs backwards.
 */
export function parseRange(text: string): NumberRange {
  const [from = '', to = from, ...more] = text.split('-')
  const range = { first: addressToNumber(from), last: addressToNumber(to) }
  if (more.length > 0) throw new RangeError(`Cannot read the address range '${text}'`)
  if (range.last < range.first) throw new RangeError(`Cannot read the address range '${text}': it runs backwards`)
  return range
}

/** A run of IPv4 addresses as `parseRange` reads it. */
export function formatRange(range: NumberRange): string {
  const first = addressFromNumber(range.first)
  return range.first === range.last ? first : `${first}-${addressFromNumber(range.last)}`
}

/** Whether two IPv4 networks in CIDR notation have an address in common. */
export function networksOverlap(a: string, b: string): boolean {
  return overlaps(rangeOf(a), rangeOf(b))
}

/**
 * An address of either family as the value of an Allocation: IPv4 dotted, IPv6 as 32 hexadecimal digits.
 * @throws RangeError when the text is no address.
 */
export function addressKey(address: string): string {
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return address
  if (!ipaddr.IPv6.isValid(address) || address.includes('%'))
    throw new RangeError(`Cannot read the address '${address}'`)
  const bytes = ipaddr.IPv6.parse(address).toByteArray()
  return bytes.map(byte => byte.toString(16).padStart(2, '0')).join('')
}

/** A MAC address as the value of an Allocation: 12 hexadecimal digits. */
export function macKey(mac: string): string {
  return mac.toLowerCase().replaceAll(':', '')
}
