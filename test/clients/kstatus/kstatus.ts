/**
 * kstatus (sigs.k8s.io/cli-utils/pkg/kstatus) restated for custom kinds: how far GitOps engines, `kubectl wait`-like tools
 * and pipelines think that an object is.
 */
import type { Resource } from '../../../crds/meta.ts'
import { conditionOf, isTrue } from '../../../crds/meta.ts'

/** What it says of an object that is there. */
export type KStatus = 'Terminating' | 'InProgress' | 'Failed' | 'Current'

/** The status of an object, by the first rule that says something. */
export function kstatusOf(object: Resource): KStatus {
  const { metadata, status } = object
  if (metadata.deletionTimestamp !== undefined) return 'Terminating'
  if (status?.observedGeneration !== undefined && status.observedGeneration !== metadata.generation) return 'InProgress'
  if (isTrue(object, 'Reconciling')) return 'InProgress'
  if (isTrue(object, 'Stalled')) return 'Failed'
  const ready = conditionOf(object, 'Ready')
  return ready === undefined || ready.status === 'True' ? 'Current' : 'InProgress'
}
