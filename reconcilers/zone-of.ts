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

/** The place that a spec names, where it names one; it need not exist. */
export function placeNamed(spec: unknown): { readonly kind: AnyKind; readonly name: string } | undefined {
  for (const [field, kind] of places) {
    const name = (spec as PlaceFields | undefined)?.[field]
    if (name !== undefined) return { kind, name }
  }
  return undefined
}

/** The zone that a place of that kind and name says it is in, whether there is such a zone or not. */
export function zoneOfNamed(
  kind: AnyKind,
  name: string,
  desired: Pick<Desired, 'get'>,
  namespace?: string,
): string | undefined {
  const object = desired.get(kind, name, namespace)
  return object && namedZone(kind, object, desired)
}

function namedZone(kind: AnyKind, { metadata, spec }: Placed, desired: Pick<Desired, 'get'>): string | undefined {
  if (kind.shard === 'global') return undefined
  if (kind === Zone) return metadata.name
  if (kind === Allocation) return zoneOfClaim(spec as AllocationSpec, desired)
  const { zoneName } = (spec ?? {}) as PlaceFields
  const place = placeNamed(spec)
  if (zoneName !== undefined || place === undefined) return zoneName
  const { kind: parentKind, name } = place
  const namespace = parentKind.scope === 'Namespaced' ? metadata.namespace : undefined
  return zoneOfNamed(parentKind, name, desired, namespace)
}

/** A claim is where its holder is, also when that is gone; one that does not say so is where its place or its holder is. */
function zoneOfClaim(
  { holder, fence, machine, volume }: AllocationSpec,
  desired: Pick<Desired, 'get'>,
): string | undefined {
  const kind = holders.find(each => each.kind === holder.kind && each.group === holder.group)
  return (
    holder.zoneName ??
    fence?.zoneName ??
    (machine && zoneOfNamed(Host, machine.hostName, desired)) ??
    (volume && zoneOfNamed(PrimaryStorage, volume.poolName, desired)) ??
    (kind && zoneOfNamed(kind, holder.name, desired, holder.namespace))
  )
}
