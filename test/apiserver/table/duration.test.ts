import test from 'ava'
import { printAge, printDuration } from '../../../apiserver/table/duration.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const printed: readonly (readonly [number, string])[] = [
  [-2 * second, '<invalid>'],
  [-second, '0s'],
  [999, '0s'],
  [119 * second, '119s'],
  [2 * minute, '2m'],
  [2 * minute + 5 * second, '2m5s'],
  [10 * minute + 59 * second, '10m'],
  [179 * minute, '179m'],
  [3 * hour, '3h'],
  [7 * hour + 59 * minute, '7h59m'],
  [47 * hour, '47h'],
  [2 * day, '2d'],
  [7 * day + 23 * hour, '7d23h'],
  [8 * day + 23 * hour, '8d'],
  [729 * day, '729d'],
  [731 * day, '2y1d'],
  [8 * 365 * day + 5 * day, '8y'],
]

for (const [milliseconds, text] of printed) {
  test(`${milliseconds} ms are ${text}`, t => t.is(printDuration(milliseconds), text))
}

test('an age without a time is unknown, with no time invalid', t => {
  t.is(printAge(undefined, 0), '<unknown>')
  t.is(printAge('yesterday', 0), '<invalid>')
  t.is(printAge('1970-01-01T00:00:10Z', 100_000), '90s')
})
