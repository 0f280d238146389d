/** In which zone an object is: how replicas share the work. */
import type { AnyKind } from '../crds/define-kind.ts'
import { Allocation, type AllocationSpec } from '../crds/infrastructure/allocation.ts'
import { Host } from '../crds/infrastructure/host.ts'
import { HostCluster } from '../crds/infrastructure/host-cluster.ts'
import { HostPod } from '../crds/infrastructure/host-pod.ts'
import { PrimaryStorage } from '../crds/infrastructure/primary-storage.ts'
import { Zone } from '../crds/infrastructure/zone.ts'
import { Network } from '../crds/network/network.ts'
import { PublicIP } from '../crds/network/public-ip.ts'
import type { Desired } from './world.ts'

/** An object, as far as its place is concerned. */
export interface Placed {
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec: unknown
}

/** The fields by which a spec says where its object is, and the kinds that they name. The first that is set counts. */
const places = [
  ['podName', HostPod],
  ['clusterName', HostCluster],
  ['hostName', Host],
  ['publicIPName', PublicIP],
  ['networkName', Network],
] as const

/** Kinds of places that hold Allocations of their own. */
const holders: readonly AnyKind[] = [Zone, HostPod, HostCluster, Host, PrimaryStorage]

type PlaceFields = { readonly [Name in 'zoneName' | (typeof places)[number][0]]?: string }

/**
 * The name of the zone that an object is in; undefined where it is in none: offerings and templates are not, nor is what
 * names a zone, or a place, that does not exist.
 */
export function zoneOf(kind: AnyKind, object: Placed, desired: Pick<Desired, 'get'>): string | undefined {
  const zoneName = namedZone(kind, object, desired)
  return zoneName !== undefined && desired.get(Zone, zoneName) !== undefined ? zoneName : undefined
}

function namedZone(kind: AnyKind, { metadata, spec }: Placed, desired: Pick<Desired, 'get'>): string | undefined {
  if (kind.shard === 'global') return undefined
  if (kind === Zone) return metadata.name
  if (kind === Allocation) return zoneOfClaim(spec as AllocationSpec, desired)
  const fields = spec as PlaceFields
  if (fields.zoneName !== undefined) return fields.zoneName
  for (const [field, parentKind] of places) {
    const name = fields[field]
    if (name === undefined) continue
    const parent = desired.get<AnyKind>(
      parentKind,
      name,
      parentKind.scope === 'Namespaced' ? metadata.namespace : undefined,
    )
    return parent && namedZone(parentKind, parent, desired)
  }
  return undefined
}

/** A claim is where its holder is, also when that is gone. */
function zoneOfClaim({ holder, fence }: AllocationSpec, desired: Pick<Desired, 'get'>): string | undefined {
  const named = holder.zoneName ?? fence?.zoneName
  if (named !== undefined) return named
  const kind = holders.find(each => each.kind === holder.kind && each.group === holder.group)
  const object = kind && desired.get(kind, holder.name)
  return kind && object && namedZone(kind, object, desired)
}
