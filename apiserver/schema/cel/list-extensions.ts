/** CEL's functions that make lists of lists: parts, orders, ranges. */

import { type Environment, Optional } from '@marcbachmann/cel-js'
import { equalValues } from './equality.ts'
import type { Call, Checker, Context, Evaluator, Scope, Type } from './macros.ts'

const sync = { async: false }

type List = readonly unknown[]
type Ordered = string | number | bigint | boolean | Date

/** Adds `slice`, `flatten`, `distinct`, `reverse`, `sort`, `sortBy`, `first`, `last` and `lists.range`. */
export function addListExtensions(environment: Environment): void {
  class ListsNamespace {}
  environment
    .registerType('ListsNamespace', ListsNamespace)
    .registerConstant('lists', 'ListsNamespace', new ListsNamespace())
    .registerFunction(
      'ListsNamespace.range(int): list<int>',
      (_namespace: unknown, count: bigint) => Array.from({ length: Number(count) }, (_, index) => BigInt(index)),
      sync,
    )
    .registerFunction('list<A>.slice(int, int): list<A>', slice, sync)
    .registerFunction('list<list<A>>.flatten(): list<A>', (list: List) => list.flat(), sync)
    .registerFunction('list.flatten(int): list<dyn>', (list: List, depth: bigint) => list.flat(Number(depth)), sync)
    .registerFunction('list<A>.distinct(): list<A>', distinct, sync)
    .registerFunction('list<A>.reverse(): list<A>', (list: List) => list.toReversed(), sync)
    .registerFunction('list<A>.sort(): list<A>', (list: List) => list.toSorted(order), sync)
    .registerFunction('list.sortBy(ast, ast): list<dyn>', expandSortBy, sync)
    .registerFunction('list<A>.first(): optional<A>', (list: List) => Optional.of(list[0]), sync)
    .registerFunction('list<A>.last(): optional<A>', (list: List) => Optional.of(list.at(-1)), sync)
}

function slice(list: List, start: bigint, end: bigint): List {
  if (start < 0n || end < 0n) throw new RangeError(`cannot slice(${start}, ${end}), negative indexes not supported`)
  if (start > end)
    throw new RangeError(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`)
  if (end > list.length) throw new RangeError(`cannot slice(${start}, ${end}), list is length ${list.length}`)
  return list.slice(Number(start), Number(end))
}

function distinct(list: List): List {
  const found: unknown[] = []
  for (const item of list) if (!found.some(other => equalValues(other, item))) found.push(item)
  return found
}

function order(a: unknown, b: unknown): number {
  if (!isOrdered(a) || !isOrdered(b)) throw new TypeError('no such overload')
  if (a < b) return -1
  return a > b ? 1 : 0
}

function isOrdered(value: unknown): value is Ordered {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value) || value instanceof Date
}

/** `list.sortBy(element, key)`. */
function expandSortBy({ ast, args, receiver }: Call) {
  const [variable, key] = args
  let scope: Scope | undefined
  return {
    typeCheck(checker: Checker, _macro: unknown, context: Context): Type {
      const list = checker.check(receiver, context)
      if (variable?.op !== 'id' || key === undefined) {
        throw checker.createError('invalid_macro_argument', 'argument must be a simple name', ast)
      }
      scope = context.forkWithVariable(variable.args, list.valueType ?? checker.getType('dyn'))
      checker.check(key, scope)
      return list
    },
    evaluate(evaluator: Evaluator, _macro: unknown, context: Context): unknown {
      const list = evaluator.run(receiver, context)
      if (!Array.isArray(list) || scope === undefined || key === undefined) return list
      const around = scope
      const keyOf = (item: unknown) => evaluator.run(key, around.reuse(context).setIterValue(item, evaluator))
      const keyed = list.map((item: unknown) => ({ item, key: keyOf(item) }))
      return keyed.toSorted((a, b) => order(a.key, b.key)).map(({ item }) => item)
    },
  }
}
