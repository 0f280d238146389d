import type { AnyKind } from '../../crds/define-kind.ts'
import { Zone } from '../../crds/infrastructure/zone.ts'
import type { Resource } from '../../crds/meta.ts'
import { placeNamed } from '../../reconcilers/zone-of.ts'
import type { Metrics } from '../metrics.ts'
import type { ObjectChange } from './desired-cache.ts'

/** Counts an object's conditions as it appears in the cache, moves and goes. */
export function countConditions(metrics: Pick<Metrics, 'conditionsChanged'>, change: ObjectChange): void {
  const { kind, before, after } = change
  const [old, next] = [before?.status?.conditions, after?.status?.conditions]
  if (old === next && before?.spec === after?.spec) return
  const [from, to] = [before && placeOf(kind, before), after && placeOf(kind, after)]
  if (from !== undefined && to !== undefined && from !== to) {
    metrics.conditionsChanged(kind.kind, from, old, undefined)
    metrics.conditionsChanged(kind.kind, to, undefined, next)
    return
  }
  metrics.conditionsChanged(kind.kind, to ?? from ?? '', old, next)
}

/** The zone of an object, or the `<kind>/<name>` of what it is in, whose zone is looked up when figures are asked for. */
function placeOf(kind: AnyKind, { metadata, spec }: Resource): string {
  if (kind === Zone) return metadata.name
  const { zoneName } = (spec ?? {}) as { readonly zoneName?: string }
  const place = zoneName === undefined ? placeNamed(spec) : undefined
  if (place === undefined || place.kind.scope === 'Namespaced') return zoneName ?? ''
  return `${place.kind.kind}/${place.name}`
}
