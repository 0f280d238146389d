/** What is not wrong with metadata, but is told to whoever writes it. */

import deepEqual from 'fast-deep-equal'
import type { APIObject, ObjectMetadata } from './api-object.ts'
import { withMetadata } from './api-object.ts'

/** Finalizers that the server itself serves. */
const known: ReadonlySet<string> = new Set(['orphan', 'foregroundDeletion', 'kubernetes'])

/** Tells of new finalizers whose names others may use too. */
export function finalizerWarnings(next: ObjectMetadata, old?: ObjectMetadata): readonly string[] {
  const before = old?.finalizers ?? []
  return (next.finalizers ?? [])
    .filter(finalizer => !finalizer.includes('/') && !known.has(finalizer) && !before.includes(finalizer))
    .map(finalizer => {
      const advice =
        'prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers'
      return `metadata.finalizers: ${JSON.stringify(finalizer)}: ${advice}`
    })
}

/** The object with each of its owners once, and what is to be said where one was there twice. */
export function withOwnersOnce(object: APIObject): {
  readonly object: APIObject
  readonly warnings: readonly string[]
} {
  const owners = object.metadata.ownerReferences ?? []
  const once = owners.filter((owner, index) => owners.findIndex(other => deepEqual(other, owner)) === index)
  if (once.length === owners.length) return { object, warnings: [] }
  const twice = owners.filter(owner => !once.includes(owner)).map(({ uid }) => uid)
  const advice =
    'API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests'
  const observed = `duplicate UID(s) observed: ${[...new Set(twice)].join(', ')}`
  return {
    object: withMetadata(object, { ownerReferences: once }),
    warnings: [`.metadata.ownerReferences contains duplicate entries; ${advice}; ${observed}`],
  }
}
