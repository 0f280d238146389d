import { conditionOf, isTrue, type Resource } from '../crds/meta.ts'

/** How an object fares. `Working`: it is on its way, or waits for something that is. `Stalled`: somebody must act. */
export type State = 'Ready' | 'Stalled' | 'Unknown' | 'Deleting' | 'Working'

/** How an object fares, and why. */
export interface Standing {
  readonly state: State
  readonly reason: string
  /** For people; may be empty. */
  readonly message: string
  /** Since when, RFC 3339; left out before the first pass. */
  readonly since?: string
}

/** What an object's conditions say, as long as they were judged by its present spec. */
export function standingOf(object: Resource): Standing {
  const { deletionTimestamp, generation } = object.metadata
  const ready = conditionOf(object, 'Ready')
  const fresh = ready?.observedGeneration === undefined || ready.observedGeneration === generation
  if (ready === undefined || !fresh) return { state: 'Working', reason: 'NotYetObserved', message: '' }
  const { reason, message, lastTransitionTime: since } = ready
  const said = { reason, message, since }
  if (isTrue(object, 'Stalled')) return { state: 'Stalled', ...said }
  if (deletionTimestamp !== undefined) return { state: 'Deleting', ...said }
  if (ready.status === 'Unknown') return { state: 'Unknown', ...said }
  return { state: ready.status === 'True' ? 'Ready' : 'Working', ...said }
}

/** The name of an object as people read it: kind, namespace, name. */
export function titleOf({ kind, metadata }: Pick<Resource, 'kind' | 'metadata'>): string {
  return `${kind} ${qualifiedName(metadata)}`
}

/** `<namespace>/<name>`, or the name alone where there is no namespace. */
export function qualifiedName({ namespace, name }: { readonly namespace?: string; readonly name: string }): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

/** `Reason: message`, or the reason alone. */
export function whyOf({ reason, message }: Pick<Standing, 'reason' | 'message'>): string {
  return message === '' ? reason : `${reason}: ${message}`
}
