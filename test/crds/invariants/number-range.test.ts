import test from 'ava'
import fc from 'fast-check'
import {
  contains,
  merged,
  overlaps,
  parseNumberRange,
  poolSize,
  sizeOf,
  valueAt,
} from '../../../crds/invariants/number-range.ts'

const range = fc.tuple(fc.nat(60), fc.nat(15)).map(([first, length]) => ({ first, last: first + length }))

function numbers(ranges: readonly { readonly first: number; readonly last: number }[]): readonly number[] {
  const all = ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, index) => first + index))
  return [...new Set(all)].sort((a, b) => a - b)
}

test('INF-114 ranges are read as first-last or as one number', t => {
  t.deepEqual(parseNumberRange('5000-5999'), { first: 5000, last: 5999 })
  t.deepEqual(parseNumberRange('7'), { first: 7, last: 7 })
  t.is(sizeOf(parseNumberRange('5000-5999')), 1000)
})

test('a range that runs backwards or is none is refused by name', t => {
  t.throws(() => parseNumberRange('20-10'), { instanceOf: RangeError, message: /runs backwards/ })
  for (const text of ['', 'a', '1-', '-1', '1-2-3', '1 - 2']) {
    t.throws(() => parseNumberRange(text), { instanceOf: RangeError, message: /Cannot read the range/ }, text)
  }
})

test('overlap and containment agree with the sets of numbers', t => {
  fc.assert(
    fc.property(range, range, (a, b) => {
      const common = numbers([a]).filter(value => contains(b, value))
      return (
        overlaps(a, b) === common.length > 0 &&
        overlaps(a, b) === overlaps(b, a) &&
        contains(b, a) === (common.length === sizeOf(a))
      )
    }),
  )
  t.pass()
})

test('merged ranges hold the same numbers once, in order, and neither touch nor overlap', t => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 8 }), ranges => {
      const pool = merged(ranges)
      const apart = pool.every((entry, index) => index === 0 || entry.first > (pool[index - 1]?.last ?? 0) + 1)
      const values = Array.from({ length: poolSize(pool) }, (_, index) => valueAt(pool, index))
      return apart && JSON.stringify(values) === JSON.stringify(numbers(ranges))
    }),
  )
  t.is(valueAt([{ first: 3, last: 4 }], 2), undefined)
  t.is(valueAt([{ first: 3, last: 4 }], -1), undefined)
})
