/** Sizes as ranges: characters of a text, bytes, elements of a list, entries of a map. */

/** The least and the greatest size that a value may have; Infinity where nothing bounds it. */
export interface Size {
  readonly min: number
  readonly max: number
}

/** Anything at all. */
export const unknownSize: Size = { min: 0, max: Number.POSITIVE_INFINITY }

/** Exactly so many. */
export function exactly(count: number): Size {
  return { min: count, max: count }
}

/** One after the other. */
export function sumOf(a: Size, b: Size): Size {
  return { min: a.min + b.min, max: a.max + b.max }
}

/** As many of the one as the other says. */
export function productOf(a: Size, b: Size): Size {
  return { min: times(a.min, b.min), max: times(a.max, b.max) }
}

/** Either. */
export function eitherOf(a: Size, b: Size): Size {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) }
}

/** A product where nothing times infinitely many is nothing. */
export function times(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b
}

/** A part of a number, rounded up as Kubernetes rounds costs. */
export function scaled(count: number, factor: number): number {
  return Math.ceil(times(count, factor))
}
