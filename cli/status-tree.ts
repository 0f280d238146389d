import type { CapacityStatus } from '../crds/common.ts'
import { VirtualMachine } from '../crds/compute/virtual-machine.ts'
import type { AnyKind } from '../crds/define-kind.ts'
import { Host } from '../crds/infrastructure/host.ts'
import { HostCluster } from '../crds/infrastructure/host-cluster.ts'
import { HostPod } from '../crds/infrastructure/host-pod.ts'
import { PrimaryStorage } from '../crds/infrastructure/primary-storage.ts'
import { SecondaryStorage } from '../crds/infrastructure/secondary-storage.ts'
import { SystemVM } from '../crds/infrastructure/system-vm.ts'
import { VirtualRouter } from '../crds/infrastructure/virtual-router.ts'
import { Zone } from '../crds/infrastructure/zone.ts'
import { parseQuantity } from '../crds/invariants/quantity.ts'
import type { Resource } from '../crds/meta.ts'
import { Network } from '../crds/network/network.ts'
import { PublicIP } from '../crds/network/public-ip.ts'
import { SharedNetwork } from '../crds/network/shared-network.ts'
import { Volume } from '../crds/storage/volume.ts'
import type { Cloud } from './cloud.ts'
import { type Standing, standingOf } from './standing.ts'

/** A part of the cloud, with what is in it. */
export interface StatusNode extends Standing {
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  /** What else is worth knowing of it, by name: `power`, `address`, `host` … */
  readonly details: Readonly<Record<string, string>>
  readonly children: readonly StatusNode[]
}

/** An object that is not Ready. */
export interface Unready extends Standing {
  readonly kind: string
  readonly namespace?: string
  readonly name: string
}

/** How a cloud fares. */
export interface CloudStatus {
  readonly objects: number
  readonly ready: number
  /** What is not Ready: stalled first, then what is unknown, then what is on its way. */
  readonly unready: readonly Unready[]
  /** Zones, and after them what names a place that does not exist. */
  readonly tree: readonly StatusNode[]
}

/** A place that an object may stand in. */
interface Place {
  readonly kind: AnyKind
  readonly name: string | undefined
  readonly namespace?: string | undefined
}

type Details = Readonly<Record<string, string | undefined>>

/** How objects of a kind appear in the tree. Of the places the first that exists is taken. */
interface Branch {
  readonly kind: AnyKind
  readonly places: (object: Resource) => readonly Place[]
  readonly details: (object: Resource) => Details
}

/** Ties the types of a kind's objects together for `branches`. */
function branch<K extends AnyKind>(
  kind: K,
  parts: {
    readonly places: (object: Typed<K>) => readonly Place[]
    readonly details: (object: Typed<K>) => Details
  },
): Branch {
  return { kind, ...parts } as Branch
}

type Typed<K extends AnyKind> = NonNullable<K['resource']>

const inZone = (zoneName: string | undefined): Place => ({ kind: Zone, name: zoneName })
const onHost = (hostName: string | undefined): Place => ({ kind: Host, name: hostName })

/** In the order in which siblings are shown. */
const branches: readonly Branch[] = [
  branch(Zone, { places: () => [], details: ({ spec }) => ({ type: spec.networkType, lifecycle: unusual(spec) }) }),
  branch(HostPod, {
    places: ({ spec }) => [inZone(spec.zoneName)],
    details: ({ spec }) => ({ cidr: spec.cidr, lifecycle: unusual(spec) }),
  }),
  branch(HostCluster, {
    places: ({ spec }) => [{ kind: HostPod, name: spec.podName }],
    details: ({ spec }) => ({ hypervisor: spec.hypervisor, lifecycle: unusual(spec) }),
  }),
  branch(Host, {
    places: ({ spec }) => [{ kind: HostCluster, name: spec.clusterName }],
    details: ({ spec, status }) => ({
      address: spec.address,
      power: status?.powerState,
      lifecycle: unusual(spec),
      cpu: shareOf(status, 'CPU'),
      memory: shareOf(status, 'Memory'),
    }),
  }),
  branch(VirtualMachine, {
    places: ({ spec, status }) => [onHost(status?.hostName), inZone(spec.zoneName)],
    details: ({ status }) => ({
      power: status?.powerState,
      address: status?.nics?.flatMap(({ ipAddress }) => ipAddress ?? []).join(', ') || undefined,
    }),
  }),
  branch(VirtualRouter, {
    places: ({ spec, status }) => [onHost(status?.hostName), inZone(spec.zoneName)],
    details: ({ spec: { networkRef }, status }) => ({
      power: status?.powerState,
      address: status?.publicAddress,
      network: networkRef.namespace === undefined ? networkRef.name : `${networkRef.namespace}/${networkRef.name}`,
    }),
  }),
  branch(SystemVM, {
    places: ({ spec, status }) => [onHost(status?.hostName), inZone(spec.zoneName)],
    details: ({ spec, status }) => ({
      power: status?.powerState,
      address: status?.publicAddress,
      role: spec.role,
    }),
  }),
  branch(PrimaryStorage, {
    places: ({ spec }) => [onHost(spec.hostName), { kind: HostCluster, name: spec.clusterName }, inZone(spec.zoneName)],
    details: ({ spec, status }) => ({ lifecycle: unusual(spec), space: shareOf(status, 'PrimaryStorage') }),
  }),
  branch(SecondaryStorage, { places: ({ spec }) => [inZone(spec.zoneName)], details: () => ({}) }),
  branch(SharedNetwork, {
    places: ({ spec }) => [inZone(spec.zoneName)],
    details: ({ spec, status }) => ({ cidr: spec.cidr, router: status?.routerName }),
  }),
  branch(Network, {
    places: ({ spec }) => [inZone(spec.zoneName)],
    details: ({ status }) => ({ cidr: status?.cidr, router: status?.routerName }),
  }),
  branch(PublicIP, {
    places: ({ spec, metadata }) => [
      { kind: Network, name: spec.networkName, namespace: metadata.namespace },
      inZone(spec.zoneName),
    ],
    details: ({ spec, status }) => ({ address: status?.address, machine: spec.staticNAT?.virtualMachineName }),
  }),
  branch(Volume, {
    places: ({ spec, status, metadata }) => [
      { kind: VirtualMachine, name: status?.virtualMachineName, namespace: metadata.namespace },
      inZone(spec.zoneName),
    ],
    details: ({ status }) => ({ size: status?.size, storage: status?.poolName }),
  }),
]

/** Says how a cloud fares. Pure: the same cloud, the same answer. */
export function statusOf(cloud: Cloud): CloudStatus {
  const everything = cloud.all().map(object => ({ ...named(object), ...standingOf(object) }))
  const unready = everything.filter(({ state }) => state !== 'Ready').sort(byUrgency)
  return {
    objects: everything.length,
    ready: everything.length - unready.length,
    unready,
    tree: treeOf(cloud),
  }
}

function treeOf(cloud: Cloud): readonly StatusNode[] {
  const planted = branches.flatMap(each => [...cloud.of(each.kind)].sort(byName).map(object => ({ each, object })))
  const keys = new Set(planted.map(({ object }) => keyOf(object.kind, object.metadata)))
  const children = Map.groupBy(planted, ({ each, object }) => placeOf(each.places(object), keys))
  const nodeOf = ({ each, object }: (typeof planted)[number]): StatusNode => ({
    ...named(object),
    ...standingOf(object),
    details: known(each.details(object)),
    children: (children.get(keyOf(object.kind, object.metadata)) ?? []).map(nodeOf),
  })
  return (children.get(undefined) ?? []).map(nodeOf)
}

function placeOf(places: readonly Place[], keys: ReadonlySet<string>): string | undefined {
  for (const { kind, name, namespace } of places) {
    if (name === undefined) continue
    const key = keyOf(kind.kind, { name, namespace })
    if (keys.has(key)) return key
  }
  return undefined
}

function keyOf(kind: string, { namespace, name }: { readonly namespace?: string | undefined; readonly name: string }) {
  return `${kind} ${namespace ?? ''}/${name}`
}

function named({ kind, metadata: { namespace, name } }: Resource) {
  return { kind, ...(namespace === undefined ? {} : { namespace }), name }
}

function known(details: Details): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(details).filter((entry): entry is [string, string] => Boolean(entry[1])))
}

function unusual({ lifecycle }: { readonly lifecycle: string }): string | undefined {
  return lifecycle === 'Active' ? undefined : lifecycle
}

/** The promised share of a resource in whole per cent: `37 %`. */
function shareOf(status: CapacityStatus | undefined, resource: string): string | undefined {
  const capacity = status?.capacity?.find(each => each.resource === resource)
  if (capacity === undefined) return undefined
  const total = parseQuantity(capacity.total)
  return total > 0 ? `${Math.round((parseQuantity(capacity.allocated) / total) * 100)} %` : undefined
}

function byName(left: Resource, right: Resource): number {
  const [before, after] = [left.metadata, right.metadata]
  return compare(before.namespace ?? '', after.namespace ?? '') || compare(before.name, after.name)
}

const urgency: readonly Standing['state'][] = ['Stalled', 'Unknown', 'Working', 'Deleting', 'Ready']

/** Within one state the order of the kinds stays: places before what is placed in them. */
function byUrgency(left: Unready, right: Unready): number {
  return urgency.indexOf(left.state) - urgency.indexOf(right.state)
}

/** `host-2` before `host-10`. */
function compare(left: string, right: string): number {
  return collator.compare(left, right)
}

const collator = new Intl.Collator('en', { numeric: true })
