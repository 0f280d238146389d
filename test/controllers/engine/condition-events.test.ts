import test from 'ava'
import { eventsOf } from '../../../controllers/engine/condition-events.ts'
import type { Condition } from '../../../crds/meta.ts'

function condition(type: string, status: Condition['status'], reason: string, observedGeneration = 1): Condition {
  return {
    type,
    status,
    reason,
    message: `${reason} in words`,
    observedGeneration,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }
}

const ready = [condition('Ready', 'True', 'Ready')]
const silent = [condition('Ready', 'Unknown', 'HostSilent'), condition('Reconciling', 'True', 'HostSilent')]

function told(before: readonly Condition[], after: readonly Condition[], deleting = false): readonly string[] {
  return eventsOf(before, after, deleting).map(({ type, reason }) => `${type} ${reason}`)
}

test('a wish that is met is told once', t => {
  t.deepEqual(told([], ready), ['Normal Ready'])
  t.deepEqual(told(ready, ready), [])
})

test('a standstill is told with its reason, and again when the reason changes', t => {
  const stalled = [condition('Ready', 'False', 'NameTaken'), condition('Stalled', 'True', 'NameTaken')]
  t.deepEqual(told(ready, stalled), ['Warning NameTaken'])
  const other = [condition('Ready', 'False', 'URLTaken'), condition('Stalled', 'True', 'URLTaken')]
  t.deepEqual(told(stalled, other), ['Warning URLTaken'])
})

test('what was Ready and no longer is, though nobody edited it, is told once as a warning', t => {
  t.deepEqual(told(ready, silent), ['Warning HostSilent'])
  t.deepEqual(told(silent, silent), [])
  t.is(eventsOf(ready, silent, false)[0]?.note, 'HostSilent in words')
})

test('what is edited or deleted, or had nothing to do before, is expected not to be Ready: nothing is told', t => {
  t.deepEqual(told(ready, [condition('Ready', 'False', 'Changing', 2)]), [])
  t.deepEqual(told(ready, silent, true), [])
  t.deepEqual(told([condition('Ready', 'True', 'NotYetAttached')], [condition('Ready', 'False', 'Creating')]), [])
})
