/** Worlds to place machines in, and requests for a place. */
import type { Resource } from '../../../crds/meta.ts'
import type { place } from '../../../reconcilers/placement/place.ts'
import type { PlacementRequest } from '../../../reconcilers/placement/request.ts'
import { machineClaim } from '../claim-builders.ts'
import { hostFacts } from '../fact-builders.ts'
import { cluster, host, pod, zone } from '../infrastructure-builders.ts'
import { answering, type ObservedParts } from '../observed-tables.ts'
import { keyOf } from '../resource-builder.ts'
import { machine } from '../tenant-builders.ts'
import { type TestWorld, worldOf } from '../world-builder.ts'

/** A GiB, in bytes. */
export const gib = 2 ** 30

/** A request for a small machine with one disk. */
export function request(changes: Partial<PlacementRequest> = {}): PlacementRequest {
  return {
    zoneName: 'zone-a',
    cores: 1,
    clockMHz: 1000,
    memoryBytes: gib,
    hypervisors: ['Simulator'],
    hostTags: [],
    planner: 'FirstFit',
    volumes: [{ identity: 'root', sizeBytes: 8 * gib, tags: [] }],
    ...changes,
  }
}

/** Everything answers and is listed, hosts with 16 cores of 2400 MHz and 64 GiB, pools with 2 TiB. */
export function connected(objects: readonly Resource[]): ObservedParts {
  const keys = objects.flatMap(({ kind, metadata: { name } }) =>
    kind === 'Host' || kind === 'PrimaryStorage' ? [keyOf(kind, name)] : [],
  )
  const hosts = keys.filter(key => key.startsWith('Host/'))
  return {
    endpoints: Object.fromEntries(keys.map(key => [key, answering])),
    hosts: Object.fromEntries(hosts.map(key => [key, hostFacts()])),
    spaces: Object.fromEntries(keys.map(key => [key, { totalBytes: 2 ** 41, usedBytes: 0 }])),
  }
}

/** A zone with these objects, in which everything answers. */
export function cloud(...objects: readonly Resource[]): TestWorld {
  const all = [zone(), pod(), cluster(), ...objects]
  return worldOf({ objects: all, ...connected(all) })
}

/** host-1 to host-n, with addresses of their own. */
export function hosts(count: number): readonly Resource[] {
  return Array.from({ length: count }, (_, index) =>
    host({ name: `host-${index + 1}`, address: `172.16.10.${101 + index}` }),
  )
}

/** Where it was placed; else why it was not. */
export function hostNameOf(placement: ReturnType<typeof place>): string {
  return placement.ok ? placement.hostName : `${placement.reason}: ${placement.message}`
}

/** The claim of a machine on a host. */
export const machineOn = (hostName: string, changes = {}) =>
  machineClaim(machine({ name: `on-${hostName}` }), hostName, changes)
