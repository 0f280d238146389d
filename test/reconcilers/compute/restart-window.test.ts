import test from 'ava'
import { occurrences } from '../../../reconcilers/compute/restart-window.ts'

const at = (text: string) => Date.parse(`${text}:00Z`)

test('a window is open from its start for its duration, over midnight too', t => {
  const window = { start: '23:30', duration: '2h' }
  t.is(occurrences(window, at('2026-03-02T23:29')).open, undefined)
  t.is(occurrences(window, at('2026-03-02T23:29')).next, at('2026-03-02T23:30'))
  t.is(occurrences(window, at('2026-03-02T23:30')).open, at('2026-03-02T23:30'))
  t.is(occurrences(window, at('2026-03-03T01:29')).open, at('2026-03-02T23:30'))
  t.is(occurrences(window, at('2026-03-03T01:30')).open, undefined)
  t.is(occurrences(window, at('2026-03-03T01:30')).next, at('2026-03-03T23:30'))
})

test('days say on which the window begins', t => {
  const window = { days: ['Saturday', 'Sunday'], start: '02:00', duration: '24h' } as const
  // 2026-03-07 is a Saturday.
  t.is(occurrences(window, at('2026-03-06T03:00')).open, undefined)
  t.is(occurrences(window, at('2026-03-06T03:00')).next, at('2026-03-07T02:00'))
  t.is(occurrences(window, at('2026-03-08T01:00')).open, at('2026-03-07T02:00'))
  t.is(occurrences(window, at('2026-03-09T01:00')).open, at('2026-03-08T02:00'))
  t.is(occurrences(window, at('2026-03-09T02:00')).next, at('2026-03-14T02:00'))
})
