import { crc32 } from 'node:zlib'
import type { LogRecord } from './durable-log.ts'

/** A number below 2^32 that another version, name or value would change (CRC-32, as in IEEE 802.3). */
export function digestOf({ version, resource, key, value }: LogRecord): number {
  const head = crc32(`${version} ${resource} ${key} ${value === undefined ? 'deleted' : value.byteLength}\n`)
  return value === undefined ? head : crc32(value, head)
}

/** Sums stay below it, so that they stay exact. */
const modulus = 2 ** 48

/** The digest of a set of records: the sum of theirs, so that records may come and go in any order. */
export function withDigest(sum: number, digest: number): number {
  return (sum + digest) % modulus
}

/** The digest of a set without one of its records. */
export function withoutDigest(sum: number, digest: number): number {
  return (sum - digest + modulus) % modulus
}
