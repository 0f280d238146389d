import deepEqual from 'fast-deep-equal'
import type { AnyKind } from '../../crds/define-kind.ts'
import type { Resource } from '../../crds/meta.ts'

/** Whether an object's wish is another: its status, and what only the API server writes, are no part of it. */
export function wishChanged(kind: AnyKind, before: Resource | undefined, after: Resource | undefined): boolean {
  if (before === undefined || after === undefined) return before !== after
  const [old, next] = [before.metadata, after.metadata]
  if (old.uid !== next.uid || old.deletionTimestamp !== next.deletionTimestamp) return true
  if (old.generation !== next.generation) return true
  if (kind.statusSubresource === false || before.spec !== after.spec) {
    if (!deepEqual(before.spec, after.spec)) return true
  }
  return !deepEqual(old.labels, next.labels) || !deepEqual(old.annotations, next.annotations)
}
