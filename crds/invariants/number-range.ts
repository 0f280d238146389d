/** Runs of numbers: ports, VLAN ids, and IPv4 addresses as numbers. */

/** The numbers from first to last, both included. */
export interface NumberRange {
  readonly first: number
  readonly last: number
}

/**
 * Reads `100-199` or `100`.
 * @throws RangeError when the text is neither, or runs backwards.
 */
export function parseNumberRange(text: string): NumberRange {
  const match = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(text)
  if (match === null) throw new RangeError(`Cannot read the range '${text}': it must look like 100-199 or 100`)
  const first = Number(match[1])
  const last = Number(match[2] ?? match[1])
  if (last < first) throw new RangeError(`Cannot read the range '${text}': it runs backwards`)
  return { first, last }
}

/** How many numbers there are. */
export function sizeOf(range: NumberRange): number {
  return range.last - range.first + 1
}

/** Whether two ranges have a number in common. */
export function overlaps(a: NumberRange, b: NumberRange): boolean {
  return a.first <= b.last && b.first <= a.last
}

/** Whether all of the inner range, or a single number, lies in the outer one. */
export function contains(outer: NumberRange, inner: NumberRange | number): boolean {
  if (typeof inner === 'number') return outer.first <= inner && inner <= outer.last
  return outer.first <= inner.first && inner.last <= outer.last
}

/** The same numbers as sorted ranges that neither touch nor overlap: what a pool is counted by. */
export function merged(ranges: readonly NumberRange[]): readonly NumberRange[] {
  const result: { first: number; last: number }[] = []
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = result.at(-1)
    if (before !== undefined && range.first <= before.last + 1) {
      before.last = Math.max(before.last, range.last)
      continue
    }
    result.push({ ...range })
  }
  return result
}

/** How many numbers there are in all of the ranges of a pool (as `merged` gives them). */
export function poolSize(pool: readonly NumberRange[]): number {
  return pool.reduce((total, range) => total + sizeOf(range), 0)
}

/** The number at an index of a pool (as `merged` gives it), counted from 0; undefined behind its end. */
export function valueAt(pool: readonly NumberRange[], index: number): number | undefined {
  let rest = index
  for (const range of pool) {
    if (rest < sizeOf(range)) return rest < 0 ? undefined : range.first + rest
    rest -= sizeOf(range)
  }
  return undefined
}
