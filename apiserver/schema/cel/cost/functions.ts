/** What calls of functions and operators cost, their arguments apart. */

import type { Type } from '../macros.ts'
import { exactly, productOf, type Size, scaled, sumOf, times } from './size.ts'

/** An argument, or what stands before the dot. */
export interface Operand {
  readonly type: Type
  readonly size: Size
  /** Where it stands in the expression as it is. */
  readonly value: unknown
  /** How large the elements of a list are. */
  elements(): Size
}

/** A call of one overload. */
export interface CallShape {
  readonly name: string
  readonly overload: string
  readonly target: Operand | undefined
  readonly args: readonly Operand[]
}

/** What a call costs at most, and how large its result is where that can be told. */
export interface CallEstimate {
  readonly cost: number
  readonly size?: Size
}

type Estimate = (call: CallShape) => CallEstimate | undefined

/** Of going through a text once, for every character. */
const perCharacter = 0.1
/** Of a regular expression, for every character of it. */
const perPatternCharacter = 0.25
/** Of making a list. */
const listCost = 10

/** Estimates a call. What is not known to cost more costs one. */
export function estimateCall(call: CallShape): CallEstimate {
  return (Object.hasOwn(functions, call.name) ? functions[call.name]?.(call) : undefined) ?? { cost: 1 }
}

const ofFirst =
  (times: number, keepsSize = false): Estimate =>
  ({ args: [first] }) =>
    first && traversal(first.size, times, keepsSize)

const ofTarget =
  (times: number): Estimate =>
  ({ target }) =>
    target && traversal(target.size, times, true)

function traversal(size: Size, times: number, keepsSize: boolean): CallEstimate {
  return { cost: scaled(size.max, times * perCharacter), ...(keepsSize && { size }) }
}

/** Once through a list, and through its texts. */
const throughList: Estimate = ({ target }) => {
  if (target === undefined) return undefined
  const element = target.type.valueType
  if (element === undefined) return { cost: scaled(target.size.max, perCharacter) }
  const isText = element.name === 'string' || element.name === 'bytes'
  return { cost: times(target.size.max, 1 + (isText ? scaled(target.elements().max, perCharacter) : 0)) }
}

/** Only where the text stands before the dot: Kubernetes takes the other form to cost one. */
const matching: Estimate = ({ target, args: [pattern] }) =>
  target &&
  pattern && { cost: times(scaled(target.size.max + 1, perCharacter), scaled(pattern.size.max, perPatternCharacter)) }

const finding: Estimate = call => {
  const { target } = call
  const estimate = matching(call)
  return target && estimate && { ...estimate, size: { min: 0, max: target.size.max } }
}

const comparison: Estimate = ({ overload, args: [left, right] }) => {
  if (overload === 'other' || !left || !right) return undefined
  return { cost: scaled(Math.min(left.size.max, right.size.max), perCharacter) }
}

const inequality: Estimate = ({ args: [left, right] }) =>
  left && right && { cost: scaled(Math.min(left.size.max, right.size.max), perCharacter) }

/** Types of which two are compared at a fixed cost. */
const comparedAtOnce: Readonly<Record<string, number>> = {
  'net.IP': 1,
  'net.CIDR': 1,
  'kubernetes.Quantity': 1,
  'kubernetes.Semver': 1,
  'kubernetes.NamedFormat': 7,
}

const equality: Estimate = call => {
  const [left, right] = call.args
  if (!left || !right || left.type.name !== right.type.name) return inequality(call)
  if (left.type.name === 'net.URL') return { cost: scaled(right.size.max, perCharacter) }
  const fixed = Object.hasOwn(comparedAtOnce, left.type.name) ? comparedAtOnce[left.type.name] : undefined
  return fixed === undefined ? inequality(call) : { cost: fixed }
}

const addition: Estimate = ({ overload, args: [left, right] }) => {
  if (overload === 'other' || !left || !right) return undefined
  const size = sumOf(left.size, right.size)
  return { cost: overload === 'list' ? 1 : scaled(size.max, perCharacter), size }
}

/** How large a text becomes when parts of it are replaced. */
const replacing: Estimate = ({ target, args: [from, to] }) => {
  if (!target || !from || !to) return undefined
  const { size } = target
  const most = () => {
    if (from.size.min === 0) return times(size.max + 1, to.size.max) + size.max
    if (to.size.max <= from.size.min) return size.max
    return times(Math.ceil(size.max / from.size.min), to.size.max)
  }
  const least = () => {
    if (from.size.max === 0) return times(size.min + 1, to.size.min) + size.min
    if (from.size.max <= to.size.min) return size.min
    return times(Math.ceil(size.min / from.size.max), to.size.min)
  }
  return { cost: scaled(size.max, 2 * perCharacter), size: { min: least(), max: most() } }
}

const splitting: Estimate = ({ target, args: [, limit] }) => {
  if (target === undefined) return undefined
  const most = typeof limit?.value === 'bigint' ? Number(limit.value) : target.size.max
  return {
    cost: scaled(target.size.max, 2 * perCharacter),
    size: { min: 0, max: most < 0 ? Number.POSITIVE_INFINITY : most },
  }
}

const joining: Estimate = ({ target, args: [separator] }) => {
  if (target === undefined) return undefined
  const between = { min: Math.max(target.size.min - 1, 0), max: Math.max(target.size.max - 1, 0) }
  const parts = productOf(target.size, target.elements())
  const size = separator === undefined ? parts : sumOf(parts, productOf(separator.size, between))
  return { cost: scaled(size.max, perCharacter), size }
}

/** `more` is what it costs beside reading a text, where it is given one. */
const containing =
  (more: number): Estimate =>
  ({ overload, args: [part] }) =>
    part && { cost: more + (overload === 'string' ? scaled(part.size.max, perCharacter) : 0) }

/** A list is made of so many elements. */
function madeList(factor: number, size: Size): CallEstimate {
  return { cost: scaled(size.max, factor) + 1 + listCost, size }
}

/** A number that stands in the expression, or another where none does. */
function writtenNumber(operand: Operand | undefined, otherwise: number): number {
  return typeof operand?.value === 'bigint' ? Math.max(Number(operand.value), 0) : otherwise
}

const slicing: Estimate = ({ target, args: [start, end] }) => {
  if (target === undefined) return undefined
  const count = writtenNumber(end, target.size.max) - writtenNumber(start, 0)
  // A start behind the end wraps around.
  return madeList(1, exactly(count < 0 ? Number.POSITIVE_INFINITY : count))
}

/** Each element is compared with each other one. */
const sorting =
  (list: (call: CallShape) => Operand | undefined): Estimate =>
  call => {
    const operand = list(call)
    if (operand === undefined) return undefined
    const isText = ['string', 'bytes', 'dyn'].includes(call.overload)
    return madeList(isText ? 2 + perCharacter : 2, productOf(operand.size, operand.size))
  }

const sets =
  (factor: number): Estimate =>
  ({ args: [left, right] }) =>
    left && right && { cost: scaled(productOf(left.size, right.size).max, factor) + 1 }

const functions: Readonly<Record<string, Estimate>> = {
  '_==_': equality,
  '_!=_': inequality,
  '_<_': comparison,
  '_<=_': comparison,
  '_>_': comparison,
  '_>=_': comparison,
  '_+_': addition,
  '@in': ({ overload, args: [, range] }) => (overload === 'list' && range ? { cost: range.size.max } : undefined),
  string: ({ overload, args: [first] }) =>
    overload === 'bytes' && first
      ? {
          cost: scaled(first.size.max, perCharacter),
          size: { min: Math.floor(first.size.min / 4), max: first.size.max },
        }
      : undefined,
  bytes: ({ overload, args: [first] }) =>
    overload === 'string' && first
      ? { cost: scaled(first.size.max, perCharacter), size: { min: first.size.min, max: first.size.max * 4 } }
      : undefined,
  'strings.quote': ({ args: [first] }) =>
    first && {
      cost: scaled(first.size.max, perCharacter),
      size: { min: first.size.min + 2, max: first.size.max * 2 + 2 },
    },
  format: ({ target }) => target && { cost: scaled(target.size.max, perCharacter) },
  startsWith: ofFirst(1),
  endsWith: ofFirst(1),
  contains: ({ target, args: [part] }) =>
    target && part && { cost: times(scaled(target.size.max, perCharacter), scaled(part.size.max, perCharacter)) },
  matches: matching,
  find: finding,
  findAll: finding,
  isSorted: throughList,
  sum: throughList,
  min: throughList,
  max: throughList,
  indexOf: throughList,
  lastIndexOf: throughList,
  lowerAscii: ofTarget(1),
  upperAscii: ofTarget(1),
  substring: ofTarget(1),
  trim: ofTarget(1),
  replace: replacing,
  split: splitting,
  join: joining,
  url: ofFirst(1, true),
  ip: call => (call.target === undefined ? ofFirst(1)(call) : undefined),
  cidr: ofFirst(1),
  isIP: ofFirst(1),
  isCIDR: ofFirst(1),
  'ip.isCanonical': ofFirst(2),
  containsIP: containing(4),
  containsCIDR: containing(7),
  quantity: ofFirst(1),
  isQuantity: ofFirst(1),
  semver: ofFirst(1),
  isSemver: ofFirst(1),
  validate: ({ args: [text] }) => text && { cost: times(scaled(text.size.max, perCharacter), 32) },
  slice: slicing,
  flatten: ({ target, args: [depth] }) =>
    target && madeList(depth === undefined ? 1 : writtenNumber(depth, Number.POSITIVE_INFINITY), target.size),
  'lists.range': ({ args: [count] }) => madeList(1, exactly(writtenNumber(count, Number.POSITIVE_INFINITY))),
  reverse: ({ target }) => target && madeList(1, target.size),
  distinct: ({ target }) => target && madeList(2, productOf(target.size, target.size)),
  sort: sorting(({ target }) => target),
  '@sortByAssociatedKeys': sorting(({ args: [keys] }) => keys),
  'sets.contains': sets(1),
  'sets.intersects': sets(1),
  'sets.equivalent': sets(2),
}
