import test from 'ava'
import fc from 'fast-check'
import { formatDuration, parseDuration } from '../../../crds/invariants/duration.ts'

test('durations are read as Go writes them', t => {
  const table: readonly (readonly [string, number])[] = [
    ['0s', 0],
    ['90s', 90_000],
    ['10m', 600_000],
    ['24h', 86_400_000],
    ['1h30m', 5_400_000],
    ['500ms', 500],
    ['1.5s', 1500],
    ['1m1ms', 60_001],
  ]
  for (const [text, value] of table) t.is(parseDuration(text), value, text)
})

test('what is no duration is refused by name', t => {
  for (const text of ['', '90', 's', '-1s', '1 s', '1d', '1S', '1s ']) {
    t.throws(() => parseDuration(text), { instanceOf: RangeError, message: /Cannot read the duration/ }, text)
  }
})

test('any number of milliseconds is the same after writing and reading', t => {
  t.is(formatDuration(5_400_000), '1h30m')
  t.is(formatDuration(1500), '1s500ms')
  t.is(formatDuration(0), '0s')
  fc.assert(fc.property(fc.nat(2 ** 40), value => parseDuration(formatDuration(value)) === value))
})
