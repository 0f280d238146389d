import type { Condition } from '../../crds/meta.ts'
import type { EventNote } from '../events.ts'

/**
 * What a change of conditions tells as events: a wish met, a standstill, and that what was well no longer is.
 * Everything between is in the conditions alone. What somebody edits or deletes is expected not to be Ready.
 */
export function eventsOf(
  before: readonly Condition[] | undefined,
  after: readonly Condition[] | undefined,
  deleting: boolean,
): readonly EventNote[] {
  const events: EventNote[] = []
  for (const type of ['Ready', 'Stalled']) {
    const [old, next] = [before, after].map(list => list?.find(condition => condition.type === type))
    if (next?.status !== 'True' || (old?.status === 'True' && old.reason === next.reason)) continue
    events.push(note(type === 'Ready' ? 'Normal' : 'Warning', next.reason, next.message || `${type} is True`))
  }
  const [old, next] = [before, after].map(list => list?.find(condition => condition.type === 'Ready'))
  const lapsed = old?.status === 'True' && old.reason === 'Ready' && next !== undefined && next.status !== 'True'
  const isEdited = old?.observedGeneration !== next?.observedGeneration
  if (lapsed && !isEdited && !deleting && events.length === 0) {
    events.push(note('Warning', next.reason, next.message || 'Ready no longer'))
  }
  return events
}

function note(type: EventNote['type'], reason: string, text: string): EventNote {
  return { type, reason, action: 'Reconcile', note: text }
}
