import { Allocation } from '../../crds/infrastructure/allocation.ts'
import { kinds } from '../../crds/kinds.ts'
import type { Resource } from '../../crds/meta.ts'
import type { EndpointKey } from '../../drivers/contract/endpoint.ts'
import { type DesiredCache, objectKey } from '../engine/desired-cache.ts'
import type { Named } from './explanation.ts'

/** What topics are about: the way back from the strings under which the engine remembers reads. */
export interface ReadThings {
  /** Objects that were read by name, by status or through an index; Allocations, which have no Ready, are left out. */
  readonly objects: readonly Resource[]
  /** Those that were read by name: what is found through an index mostly rests on the reader, not the reader on it. */
  readonly byName: readonly Resource[]
  /** Those of which the status was read: whoever reads it depends on how they stand. */
  readonly standing: readonly Resource[]
  /** Names that were read and that no object has. */
  readonly missing: readonly Named[]
  readonly endpoints: readonly EndpointKey[]
  /** Identities whose operations were looked at. */
  readonly operations: readonly string[]
  /** Identities that were looked at for operations in doubt. */
  readonly doubts: readonly string[]
}

const kindByName = new Map(kinds.map(kind => [kind.kind, kind]))

/** The things that topics are about. */
export function thingsOf(topics: readonly string[], desired: Pick<DesiredCache, 'get' | 'listNamed'>): ReadThings {
  const objects = new Map<string, Resource>()
  const [standing, byName] = [new Map<string, Resource>(), new Map<string, Resource>()]
  const missing = new Map<string, Named>()
  const [endpoints, operations, doubts] = [new Set<EndpointKey>(), new Set<string>(), new Set<string>()]
  const add = (object: Resource, ...tables: readonly Map<string, Resource>[]) => {
    if (object.kind !== Allocation.kind)
      for (const table of [objects, ...tables]) table.set(object.metadata.uid, object)
  }
  for (const topic of topics) {
    const [type = '', ...rest] = topic.split('/')
    const value = topic.slice(type.length + 1)
    if (type === 'wish' || type === 'status') {
      const [kindName = '', namespace = '', name = ''] = rest
      const kind = kindByName.get(kindName)
      const object = kind && desired.get(kind, objectKey(name, namespace === '' ? undefined : namespace))
      if (object !== undefined) add(object, type === 'status' ? standing : byName)
      else missing.set(value, { kind: kindName, ...(namespace === '' ? {} : { namespace }), name })
    }
    if (type === 'index') {
      const [index = ''] = rest
      for (const object of desired.listNamed(index, value.slice(index.length + 1))) add(object)
    }
    if (type === 'endpoint') endpoints.add(value as EndpointKey)
    if (type === 'operations') operations.add(value)
    if (type === 'doubt') doubts.add(value)
  }
  return {
    objects: [...objects.values()],
    standing: [...standing.values()],
    byName: [...byName.values()],
    missing: [...missing.values()].filter(({ kind }) => kind !== Allocation.kind),
    endpoints: [...endpoints],
    operations: [...operations],
    doubts: [...doubts],
  }
}
