import type { Writable } from '../../controllers/api/client.ts'
import type { Resource } from '../../crds/meta.ts'

/** Where `kubectl apply` notes on an object what it applied last. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * What `kubectl apply` makes of an object that exists: what the last manifest had and this one has not is taken out. Of
 * an object that it never applied nothing is.
 */
export function asKubectlMerges(live: Resource, manifest: Writable): Writable {
  const note = live.metadata.annotations?.[lastAppliedAnnotation]
  const last: unknown = note === undefined ? undefined : JSON.parse(note)
  const { labels, annotations, ...metadata } = live.metadata
  const wished = manifest.metadata as Partial<Resource['metadata']>
  const before = (part: string) => memberOf(memberOf(last, 'metadata'), part)
  return {
    ...live,
    metadata: {
      ...metadata,
      ...member('labels', merged(labels, before('labels'), wished.labels)),
      ...member('annotations', merged(annotations, before('annotations'), wished.annotations)),
    },
    spec: merged(live.spec, memberOf(last, 'spec'), manifest.spec),
  }
}

/** Lists are taken as a whole, as kubectl does it for custom resources; what is to be null is taken out. */
function merged(live: unknown, last: unknown, next: unknown): unknown {
  if (next === undefined) return isRecord(live) && isRecord(last) ? merged(live, last, {}) : live
  if (!isRecord(next)) return next
  const known = isRecord(live) ? live : {}
  const members = new Map(Object.entries(known))
  for (const name of Object.keys(isRecord(last) ? last : {})) if (!(name in next)) members.delete(name)
  for (const [name, value] of Object.entries(next)) {
    if (value === null) members.delete(name)
    else members.set(name, merged(known[name], memberOf(last, name), value))
  }
  return Object.fromEntries(members)
}

function member(name: string, value: unknown): object {
  return value === undefined ? {} : { [name]: value }
}

function memberOf(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
