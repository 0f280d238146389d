/** Names that follow from other names: pure functions, the same on every replica and after every restart. */
import { createHash, hash } from 'node:crypto'

/** UUID of version 5 (RFC 9562) of a name within a namespace, which is a UUID itself. Lower case. */
export function uuidV5(namespace: string, name: string): string {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest()
    .subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** SHA-256 of a plain value's canonical JSON, as 64 hex digits: the same whatever the order of its keys. */
export function hashOf(value: unknown): string {
  return hash('sha256', canonicalJSON(value))
}

/** A number from 0 (included) to `size` (excluded) that follows from the text: where a search in a pool begins. */
export function startIn(size: number, text: string): number {
  return Number.parseInt(hash('sha256', text).slice(0, 12), 16) % size
}

/** The MAC of a machine's NIC: locally administered unicast (`02:…`), from the machine's identity and the NIC's name. */
export function macAddressOf(machineIdentity: string, nicName: string): string {
  const hex = hash('sha256', `${machineIdentity}/${nicName}`)
  return `02:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}:${hex.slice(6, 8)}:${hex.slice(8, 10)}`
}

function canonicalJSON(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(item => canonicalJSON(item ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  entries.sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJSON(item)}`).join(',')}}`
}
