import { basename, dirname } from 'node:path'
import type {
  MachineDefinition,
  MachineDisk,
  MachineFacts,
  MachineNIC,
  PowerState,
  StopCause,
} from '../contract/facts.ts'
import type { DomainDescription } from './domain.ts'
import type { DomainMetadata } from './domain-metadata.ts'
import { domainState, shutoffReason } from './procedures.ts'

/** A domain as it was found: what runs, what its next start will use, and its state. */
export interface FoundDomain {
  readonly current: DomainDescription
  /** The same as `current` while it is off. */
  readonly next: DomainDescription
  readonly state: number
  readonly reason: number
}

/** Key of the pool whose directory it is, if a pool of ours is there. */
export type PoolOfDirectory = (directory: string) => string | undefined

/** Extension of the volumes' files. */
export const volumeExtension = '.qcow2'

const identityPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The facts of a domain. Sizes are those of its next start; disks and NICs those it has now. */
export function machineFacts(found: FoundDomain, poolOf: PoolOfDirectory): MachineFacts {
  const { current, next } = found
  const metadata = next.metadata ?? current.metadata
  const powerState = powerStateOf(found.state)
  const stopCause = powerState === 'Off' || powerState === 'Crashed' ? stopCauseOf(found, metadata) : undefined
  return {
    identity: next.uuid,
    ...(metadata === undefined ? {} : { mark: metadata.mark }),
    epoch: Math.max(next.metadata?.epoch ?? 0, current.metadata?.epoch ?? 0),
    powerState,
    ...(stopCause === undefined ? {} : { stopCause }),
    definition: definitionOf(found, poolOf),
  }
}

/** What the machine is defined as. */
export function definitionOf(found: FoundDomain, poolOf: PoolOfDirectory): MachineDefinition {
  const { current, next } = found
  const metadata = next.metadata ?? current.metadata
  const noted = [next.metadata, current.metadata].filter(each => each !== undefined)
  return {
    role: metadata?.role ?? 'Instance',
    cores: next.cores,
    clockMHz: metadata?.clockMHz ?? 0,
    memoryBytes: wishedMemory(next.memoryBytes, metadata),
    guestHostName: metadata?.guestHostName ?? next.name,
    disks: inOrder(
      current.disks.map(disk => machineDisk(disk.path, disk.target, noted, poolOf)),
      disk => metadata?.disks.findIndex(each => each.identity === disk.identity) ?? -1,
    ),
    nics: inOrder(
      current.nics.map(nic => machineNic(nic, noted)),
      nic => metadata?.nics.findIndex(each => each.macAddress === nic.macAddress) ?? -1,
    ),
  }
}

/** What a domain's state says of its processors. */
export function powerStateOf(state: number): PowerState {
  switch (state) {
    case domainState.running:
    case domainState.blocked:
    // On its way down its processors still run.
    case domainState.shutdown:
      return 'Running'
    case domainState.paused:
    case domainState.suspended:
      return 'Paused'
    case domainState.shutoff:
      return 'Off'
    case domainState.crashed:
      return 'Crashed'
    default:
      return 'Unknown'
  }
}

/** Why a domain is off; undefined where libvirt cannot tell: it never ran, or libvirt was restarted since. */
function stopCauseOf(found: FoundDomain, metadata: DomainMetadata | undefined): StopCause | undefined {
  if (found.state === domainState.crashed) return 'Crash'
  switch (found.reason) {
    case shutoffReason.shutdown:
      return metadata?.stopRequested === true ? 'Request' : 'Guest'
    case shutoffReason.destroyed:
      return 'Forced'
    case shutoffReason.crashed:
      return 'Crash'
    case shutoffReason.daemon:
      return 'Unknown'
    default:
      return undefined
  }
}

/** libvirt rounds memory up, to KiB and for some machine types to MiB: within that the wish counts as met. */
function wishedMemory(actual: number, metadata: DomainMetadata | undefined): number {
  if (metadata === undefined) return actual
  const excess = actual - metadata.memoryBytes
  return excess >= 0 && excess < 1024 * 1024 ? metadata.memoryBytes : actual
}

function machineDisk(
  path: string,
  target: string,
  noted: readonly DomainMetadata[],
  poolOf: PoolOfDirectory,
): MachineDisk {
  const file = basename(path, volumeExtension)
  const pool = poolOf(dirname(path))
  for (const { disks } of noted) {
    const disk = disks.find(each => each.identity === file)
    if (disk !== undefined) return { identity: disk.identity, pool: pool ?? disk.pool, name: disk.name }
  }
  // Plugged in by others: named by what it is, so that it is seen as what nobody wished.
  return { identity: identityPattern.test(file) ? file : path, pool: pool ?? '', name: target }
}

function machineNic(nic: DomainDescription['nics'][number], noted: readonly DomainMetadata[]): MachineNIC {
  const { macAddress, bridge } = nic
  for (const { nics } of noted) {
    const known = nics.find(each => each.macAddress === macAddress)
    if (known === undefined) continue
    const segment = { network: known.network, isolation: 'None', label: bridge } as const
    return { name: known.name, macAddress, segment, addresses: known.addresses }
  }
  return { name: macAddress, macAddress, segment: { network: '', isolation: 'None', label: bridge }, addresses: [] }
}

/** Sorted by rank; what has none (-1) comes last, in the order it had. */
function inOrder<T>(items: readonly T[], rank: (item: T) => number): readonly T[] {
  const ranked = items.map(item => ({ item, at: rank(item) }))
  const last = Number.MAX_SAFE_INTEGER
  return ranked.sort((a, b) => (a.at < 0 ? last : a.at) - (b.at < 0 ? last : b.at)).map(({ item }) => item)
}
