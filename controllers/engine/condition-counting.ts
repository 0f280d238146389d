import { Zone } from '../../crds/infrastructure/zone.ts'
import type { Resource } from '../../crds/meta.ts'
import type { Metrics } from '../metrics.ts'
import type { ObjectChange } from './desired-cache.ts'

/** Counts an object's conditions as it appears in the cache, moves and goes. */
export function countConditions(metrics: Pick<Metrics, 'conditionsChanged'>, change: ObjectChange): void {
  const { kind, before, after } = change
  const [old, next] = [before?.status?.conditions, after?.status?.conditions]
  if (old === next && before?.spec === after?.spec) return
  const [from, to] = [before && placeOf(before), after && placeOf(after)]
  if (from !== undefined && to !== undefined && from !== to) {
    metrics.conditionsChanged(kind.kind, from, old, undefined)
    metrics.conditionsChanged(kind.kind, to, undefined, next)
    return
  }
  metrics.conditionsChanged(kind.kind, to ?? from ?? '', old, next)
}

/** The zone of an object, or the `<type>/<name>` of what it is in, whose zone is looked up when figures are asked for. */
function placeOf(object: Resource): string {
  if (object.kind === Zone.kind) return object.metadata.name
  const zoneName = fieldOf(object, 'zoneName')
  if (zoneName !== undefined) return zoneName
  const podName = fieldOf(object, 'podName')
  if (podName !== undefined) return `pod/${podName}`
  const clusterName = fieldOf(object, 'clusterName')
  if (clusterName !== undefined) return `cluster/${clusterName}`
  const hostName = fieldOf(object, 'hostName')
  return hostName === undefined ? '' : `host/${hostName}`
}

/** A field of a spec by which an object names its place. */
export function fieldOf(
  object: Resource | undefined,
  name: 'zoneName' | 'podName' | 'clusterName' | 'hostName',
): string | undefined {
  return (object?.spec as { readonly [Name in typeof name]?: string } | undefined)?.[name]
}
