import { type DurableLog, memoryLog } from '../../apiserver/storage/durable-log.ts'
import { kindOf } from '../../crds/kinds.ts'
import type { Resource } from '../../crds/meta.ts'

/**
 * A log in memory that holds the objects as if this server had stored them itself: uids, times, generations, field
 * managers and statuses stay. Versions are numbered anew, in the order in which the objects were last written.
 */
export function seededLog(objects: readonly Resource[]): DurableLog {
  return {
    ...memoryLog(),
    load: async accept => {
      for (const [index, object] of objects.toSorted(byVersion).entries()) {
        const { name, namespace } = object.metadata
        const version = index + 1
        const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
        accept({
          version,
          resource: collectionOf(object),
          key: namespace === undefined ? name : `${namespace}/${name}`,
          value: Buffer.from(JSON.stringify(stored)),
        })
      }
      return { last: objects.length, forgotten: 0 }
    },
  }
}

function byVersion(left: Resource, right: Resource): number {
  return Number(left.metadata.resourceVersion) - Number(right.metadata.resourceVersion)
}

function collectionOf({ apiVersion, kind }: Resource): string {
  const known = kindOf(apiVersion, kind)
  return known === undefined ? `${kind.toLowerCase()}s` : `${known.plural}.${known.group}`
}
