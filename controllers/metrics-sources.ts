import type { Capacity, CapacityStatus } from '../crds/common.ts'
import type { AnyKind } from '../crds/define-kind.ts'
import type { Clock } from '../crds/environment.ts'
import { HostCluster, type HostClusterSpec } from '../crds/infrastructure/host-cluster.ts'
import { HostPod } from '../crds/infrastructure/host-pod.ts'
import { Zone } from '../crds/infrastructure/zone.ts'
import { parseQuantity } from '../crds/invariants/quantity.ts'
import { conditionOf, type Resource } from '../crds/meta.ts'
import { type EndpointType, endpointType } from '../drivers/contract/endpoint.ts'
import { zoneOfNamed } from '../reconcilers/zone-of.ts'
import { keyOf } from './engine/desired-cache.ts'
import type { Engine } from './engine/engine.ts'
import type { CapacityRow, MetricSources, ReadinessRow } from './metrics.ts'

/** Where figures are read from when somebody asks for them. */
export interface MetricSourcesOptions {
  /** The engines that run in this process: each tells of what it looks after. */
  readonly engines: () => readonly Pick<Engine, 'desired' | 'inspect' | 'observed' | 'owns'>[]
  readonly kinds: readonly AnyKind[]
  readonly clock: Clock
}

/** The figures that are not counted but read: from the caches, so that a restart tells the same. */
export function metricSources({
  engines,
  kinds,
  clock,
}: MetricSourcesOptions): Required<Omit<MetricSources, 'records'>> {
  function zoneOfPlace(place: string): string {
    const [kindName, name] = place.split('/')
    const kind = name === undefined ? undefined : kinds.find(each => each.kind === kindName)
    if (name === undefined || kind === undefined) return place
    // Every engine knows all objects.
    return engines()[0]?.inspect(world => zoneOfNamed(kind, name, world.desired)) ?? ''
  }

  function* owned(kind: AnyKind): Generator<Resource> {
    for (const { desired, owns } of engines()) {
      for (const object of desired.all(kind)) if (owns(kind, keyOf(object.metadata))) yield object
    }
  }

  return {
    zoneOfPlace,
    *capacity() {
      for (const object of owned(Zone)) yield* capacityRows(object, { zone: object.metadata.name })
      for (const object of owned(HostPod)) {
        const pod = object.metadata.name
        yield* capacityRows(object, { zone: zoneOfPlace(`HostPod/${pod}`), pod })
      }
      for (const object of owned(HostCluster)) {
        const { podName: pod } = object.spec as HostClusterSpec
        yield* capacityRows(object, { zone: zoneOfPlace(`HostPod/${pod}`), pod, cluster: object.metadata.name })
      }
    },
    *observationAges(): Generator<readonly [EndpointType, number]> {
      for (const { observed } of engines()) {
        for (const key of observed.endpoints()) {
          const listedAt = observed.listedAt(key)
          if (listedAt !== undefined) yield [endpointType(key), clock.monotonic() - listedAt]
        }
      }
    },
    *readiness() {
      for (const kind of kinds) {
        // What is written once and whole, as Allocations are, is never on its way.
        if (kind.statusSubresource === false) continue
        for (const object of owned(kind)) yield readinessRow(kind, object)
      }
    },
  }
}

function capacityRows(
  { status }: Resource,
  place: { readonly zone: string; readonly pod?: string; readonly cluster?: string },
): readonly CapacityRow[] {
  const capacity: readonly Capacity[] = (status as CapacityStatus | undefined)?.capacity ?? []
  return capacity.map(({ resource, total, allocated, used }) => ({
    pod: '',
    cluster: '',
    ...place,
    resource,
    total: parseQuantity(total),
    allocated: parseQuantity(allocated),
    used: parseQuantity(used),
  }))
}

function readinessRow(kind: AnyKind, object: Resource): ReadinessRow {
  const { name, namespace, creationTimestamp } = object.metadata
  const ready = conditionOf(object, 'Ready')
  const since = ready?.status === 'True' ? undefined : Date.parse(ready?.lastTransitionTime ?? creationTimestamp)
  return { kind: kind.kind, namespace, name, operatorKind: kind.scope === 'Cluster', notReadySince: since }
}
