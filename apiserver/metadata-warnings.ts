/** What is not wrong with metadata, but is told to whoever writes it. */

import type { APIObject, ObjectMetadata, OwnerReference } from './api-object.ts'
import { withMetadata } from './api-object.ts'

/** Finalizers that the server itself serves. */
const known: ReadonlySet<string> = new Set(['orphan', 'foregroundDeletion', 'kubernetes'])

/** Tells of new finalizers whose names others may use too. */
export function finalizerWarnings(next: ObjectMetadata, old?: ObjectMetadata): readonly string[] {
  const before = new Set(old?.finalizers)
  return (next.finalizers ?? [])
    .filter(finalizer => !finalizer.includes('/') && !known.has(finalizer) && !before.has(finalizer))
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
  const known = new Set<string>()
  const once: OwnerReference[] = []
  const twice: string[] = []
  for (const owner of owners) {
    const whole = JSON.stringify(Object.entries(owner).sort())
    if (known.has(whole)) twice.push(owner.uid)
    else once.push(owner)
    known.add(whole)
  }
  if (twice.length === 0) return { object, warnings: [] }
  const advice =
    'API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests'
  const observed = `duplicate UID(s) observed: ${[...new Set(twice)].join(', ')}`
  return {
    object: withMetadata(object, { ownerReferences: once }),
    warnings: [`.metadata.ownerReferences contains duplicate entries; ${advice}; ${observed}`],
  }
}
