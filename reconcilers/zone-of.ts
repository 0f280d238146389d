/** In which zone an object is: how replicas share the work. */
import { VirtualMachine } from '../crds/compute/virtual-machine.ts'
import type { AnyKind } from '../crds/define-kind.ts'
import { Allocation, type AllocationSpec } from '../crds/infrastructure/allocation.ts'
import { Host } from '../crds/infrastructure/host.ts'
import { HostCluster } from '../crds/infrastructure/host-cluster.ts'
import { HostPod } from '../crds/infrastructure/host-pod.ts'
import { PrimaryStorage } from '../crds/infrastructure/primary-storage.ts'
import { SystemVM } from '../crds/infrastructure/system-vm.ts'
import { VirtualRouter } from '../crds/infrastructure/virtual-router.ts'
import { Zone } from '../crds/infrastructure/zone.ts'
import { Network } from '../crds/network/network.ts'
import { PublicIP } from '../crds/network/public-ip.ts'
import { SharedNetwork } from '../crds/network/shared-network.ts'
import { Volume } from '../crds/storage/volume.ts'
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

/** Kinds whose objects hold Allocations. */
const holders: readonly AnyKind[] = [
  Host,
  PrimaryStorage,
  Network,
  SharedNetwork,
  PublicIP,
  VirtualMachine,
  Volume,
  SystemVM,
  VirtualRouter,
]

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

/** A claim is where its holder is, also when that is gone; one that does not say so is where its place or its holder is. */
function zoneOfClaim(
  { holder, fence, machine, volume }: AllocationSpec,
  desired: Pick<Desired, 'get'>,
): string | undefined {
  const zoneOfNamed = (kind: AnyKind | undefined, name: string | undefined, namespace?: string) => {
    const object = kind && name !== undefined ? desired.get(kind, name, namespace) : undefined
    return kind && object && namedZone(kind, object, desired)
  }
  const kind = holders.find(each => each.kind === holder.kind && each.group === holder.group)
  return (
    holder.zoneName ??
    fence?.zoneName ??
    zoneOfNamed(Host, machine?.hostName) ??
    zoneOfNamed(PrimaryStorage, volume?.poolName) ??
    zoneOfNamed(kind, holder.name, holder.namespace)
  )
}
