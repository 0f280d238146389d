/** A test world in which every host and pool answers, unless a test says otherwise. */
import type { Resource } from '../../crds/meta.ts'
import type { Placement, PlacementRequest } from '../../reconcilers/placement/request.ts'
import { hostFacts } from '../reconcilers/fact-builders.ts'
import { cluster, pod, zone } from '../reconcilers/infrastructure-builders.ts'
import { answering, type ObservedParts } from '../reconcilers/observed-tables.ts'
import { keyOf } from '../reconcilers/resource-builder.ts'
import { type TestWorld, worldOf } from '../reconcilers/world-builder.ts'

export const gib = 2 ** 30

/** Everything answers and is listed: hosts of 16 cores at 2400 MHz with 64 GiB, pools and stores of 2 TiB. */
export function connected(objects: readonly Resource[]): ObservedParts {
  const keys = objects.flatMap(({ kind, metadata: { name } }) =>
    kind === 'Host' || kind === 'PrimaryStorage' || kind === 'SecondaryStorage' ? [keyOf(kind, name)] : [],
  )
  return {
    endpoints: Object.fromEntries(keys.map(key => [key, answering])),
    hosts: Object.fromEntries(keys.filter(key => key.startsWith('Host/')).map(key => [key, hostFacts()])),
    spaces: Object.fromEntries(keys.map(key => [key, { totalBytes: 2 ** 41, usedBytes: 0 }])),
  }
}

/** zone-a with pod-1 and cluster-1, and these objects. */
export function cloud(...objects: readonly Resource[]): TestWorld {
  const all = [zone(), pod(), cluster(), ...objects]
  return worldOf({ objects: all, ...connected(all) })
}

/** More objects, which answer at once. */
export function join(world: TestWorld, ...objects: readonly Resource[]): void {
  world.put(...objects)
  world.see(connected(objects))
}

/** A machine of 1 core at 1000 MHz with 1 GiB and a root disk of 8 GiB. */
export function wanted(changes: Partial<PlacementRequest> = {}): PlacementRequest {
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

/** The host of a placement, or why there is none. */
export function hostOf(placement: Placement): string {
  return placement.ok ? placement.hostName : placement.reason
}

/** The pool of the root disk, or why there is none. */
export function poolOf(placement: Placement): string | undefined {
  return placement.ok ? placement.pools.root?.poolName : placement.reason
}
