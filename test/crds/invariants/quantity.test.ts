import test from 'ava'
import fc from 'fast-check'
import { formatQuantity, parseBytes, parseQuantity } from '../../../crds/invariants/quantity.ts'

test('OFF-044 quantities are read with binary and decimal units: 1Gi is 2^30 bytes', t => {
  const table: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['17', 17],
    ['1Ki', 1024],
    ['512Mi', 536_870_912],
    ['1Gi', 1_073_741_824],
    ['20Gi', 21_474_836_480],
    ['2Ti', 2_199_023_255_552],
    ['8Pi', 9_007_199_254_740_992],
    ['1k', 1000],
    ['200M', 200_000_000],
    ['1.1M', 1_100_000],
    ['2.2G', 2_200_000_000],
    ['1.5Gi', 1_610_612_736],
    ['1500m', 1.5],
    ['100m', 0.1],
  ]
  for (const [text, value] of table) t.is(parseQuantity(text), value, text)
})

test('bytes are rounded up to whole ones', t => {
  t.is(parseBytes('1500m'), 2)
  t.is(parseBytes('0.1Ki'), 103)
  t.is(parseBytes('1.001k'), 1001)
})

test('what is no quantity is refused by name', t => {
  for (const text of ['', 'Gi', '-1', '1 Gi', '1gi', '1e3', '1KiB', '.5', '1.', '0x10', '1Gi\n']) {
    t.throws(() => parseQuantity(text), { instanceOf: RangeError, message: /Cannot read the quantity/ }, text)
  }
})

test('a quantity of bytes takes the largest unit without a fraction', t => {
  t.is(formatQuantity(21_474_836_480, 'Bytes'), '20Gi')
  t.is(formatQuantity(1536, 'Bytes'), '1536')
  t.is(formatQuantity(2048, 'Bytes'), '2Ki')
  t.is(formatQuantity(0, 'Bytes'), '0')
  t.is(formatQuantity(1000, 'Bytes'), '1000')
  t.is(formatQuantity(0.5, 'Bytes'), '1')
  t.is(formatQuantity(38_400, 'Count'), '38400')
})

test('any number of bytes is the same after writing and reading', t => {
  fc.assert(
    fc.property(fc.maxSafeNat(), value => parseQuantity(formatQuantity(value, 'Bytes')) === value),
    { numRuns: 2000 },
  )
  fc.assert(
    fc.property(fc.nat(1023), fc.constantFrom(10, 20, 30, 40), (value, power) => {
      const bytes = value * 2 ** power
      return parseQuantity(formatQuantity(bytes, 'Bytes')) === bytes && formatQuantity(bytes, 'Bytes').length <= 6
    }),
  )
  t.pass()
})
