/** Kubernetes' list functions, and CEL's `sets`. */

import type { Environment } from '@marcbachmann/cel-js'
import { equalValues } from './equality.ts'

const sync = { async: false }

type Ordered = string | number | bigint | boolean | { valueOf(): number | bigint | string }

/** Adds `isSorted`, `sum`, `min`, `max`, `indexOf`, `lastIndexOf` and `sets.*`. */
export function addLists(environment: Environment): void {
  environment
    .registerFunction('list<A>.isSorted(): bool', isSorted, sync)
    .registerFunction('list<A>.sum(): A', sum, sync)
    .registerFunction('list<A>.min(): A', (list: readonly Ordered[]) => extreme(list, 'min'), sync)
    .registerFunction('list<A>.max(): A', (list: readonly Ordered[]) => extreme(list, 'max'), sync)
    .registerFunction(
      'list<A>.indexOF(A): int',
      (list: readonly unknown[], item: unknown) => BigInt(list.findIndex(other => equalValues(other, item))),
      sync,
    )
    .registerFunction(
      'list<A>.lastIndexOF(A): int',
      (list: readonly unknown[], item: unknown) => BigInt(list.findLastIndex(other => equalValues(other, item))),
      sync,
    )
  addSets(environment)
}

function isSorted(list: readonly Ordered[]): boolean {
  return list.every((item, index) => {
    const before = list[index - 1]
    return index === 0 || before === undefined || before <= item
  })
}

function sum(list: readonly unknown[]): unknown {
  const [first] = list
  if (first === undefined) return 0n
  if (typeof first === 'number') return list.reduce<number>((total, item) => total + Number(item), 0)
  if (typeof first === 'bigint') return list.reduce<bigint>((total, item) => total + BigInt(Number(item)), 0n)
  return list.slice(1).reduce((total, item) => {
    if (!isAddable(total)) throw new TypeError('no such overload')
    return total.addDuration(item)
  }, first)
}

interface Addable {
  addDuration(other: unknown): unknown
}

function isAddable(value: unknown): value is Addable {
  return typeof value === 'object' && value !== null && 'addDuration' in value
}

function extreme(list: readonly Ordered[], which: 'min' | 'max'): Ordered {
  const [first] = list
  if (first === undefined) throw new RangeError(`${which} called on empty list`)
  return list.reduce((best, item) => ((which === 'min' ? item < best : item > best) ? item : best), first)
}

function addSets(environment: Environment): void {
  class SetsNamespace {}
  type List = readonly unknown[]
  const has = (list: List, item: unknown) => list.some(other => equalValues(other, item))
  const contains = (list: List, part: List) => part.every(item => has(list, item))
  environment
    .registerType('SetsNamespace', SetsNamespace)
    .registerConstant('sets', 'SetsNamespace', new SetsNamespace())
    .registerFunction(
      'SetsNamespace.contains(list<A>, list<A>): bool',
      (_namespace: unknown, a: List, b: List) => contains(a, b),
      sync,
    )
    .registerFunction(
      'SetsNamespace.equivalent(list<A>, list<A>): bool',
      (_namespace: unknown, a: List, b: List) => contains(a, b) && contains(b, a),
      sync,
    )
    .registerFunction(
      'SetsNamespace.intersects(list<A>, list<A>): bool',
      (_namespace: unknown, a: List, b: List) => a.some(item => has(b, item)),
      sync,
    )
}
