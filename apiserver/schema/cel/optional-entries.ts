/**
 * `[?x]` and `{?k: v}`: entries of lists and maps that are there only where an optional has a value. The library does not
 * read them: the question mark is put aside as a `!`, which stands for it in the tree.
 */

import { Optional } from '@marcbachmann/cel-js'
import type { Checker, Context, Evaluator, Type } from './macros.ts'
import { isNode, type Node, operandsOf, visit } from './nodes.ts'
import { blanked } from './rename.ts'

/** An expression that the library reads, and where it had question marks. */
export interface Marked {
  readonly source: string
  readonly marks: ReadonlySet<number>
}

const marked = new WeakSet<object>()

/** Whether a node stands for the question mark before an entry. */
export function isOptionalEntry(node: object): boolean {
  return marked.has(node)
}

/** Puts the question marks before entries aside. */
export function markEntries(expression: string): Marked {
  const marks = new Set<number>()
  const bare = blanked(expression)
  for (const { index, 0: match } of bare.matchAll(/[[{,]\s*\?/g)) {
    const isIndex = match.startsWith('[') && /[\w)\]}"'`]\s*$/.test(bare.slice(0, index).replace(/\bin\s*$/, ''))
    if (!isIndex) marks.add(index + match.length - 1)
  }
  const source = [...marks].reduce((text, mark) => `${text.slice(0, mark)}!${text.slice(mark + 1)}`, expression)
  return { source, marks }
}

/**
 * Gives the marks in a tree that is not checked yet their meaning, and lets maps keep keys of every type: the library
 * makes texts of them.
 */
export function adoptEntries(tree: unknown, marks: ReadonlySet<number>): void {
  visit(tree, (node, parent) => {
    const { op, args: entry } = node
    if (op === 'list') adoptList(node)
    if (op === 'map') adoptMap(node)
    if (op !== '!_' || !marks.has(node.start) || !isNode(entry)) return
    marked.add(node)
    // The key of a map carries the mark, its value is the optional.
    const isKey = parent?.op === 'map'
    node.setMeta('check', (checker, _node, context) => {
      const type = checker.check(entry, context)
      return isKey ? type : valueType(type, checker)
    })
    node.setMeta('evaluate', (evaluator, _node, context) => evaluator.run(entry, context))
  })
}

function valueType(type: Type, checker: Checker): Type {
  return type.kind === 'optional' && type.valueType ? type.valueType : checker.getType('dyn')
}

/** Nothing, where an optional has no value. */
function present(value: unknown, isOptional: boolean): readonly unknown[] {
  if (!isOptional) return [value]
  if (!(value instanceof Optional)) throw new TypeError('no such overload')
  return value.hasValue() ? [value.value()] : []
}

function adoptList(node: Node): void {
  const items = operandsOf(node)
  node.setMeta('evaluate', (evaluator, _node, context) =>
    items.flatMap(item => present(evaluator.run(item, context), isOptionalEntry(item))),
  )
}

function adoptMap(node: Node): void {
  const { check, evaluate } = node.meta
  const entries = entriesOf(node)
  node.setMeta('check', (checker, _node, context) => {
    if (!entries.some(([key]) => isOptionalEntry(key))) return check(checker, node, context)
    const [first] = entries
    const types = entries.map(([key, value]) => [key, checker.check(value, context)] as const)
    const [values] = types.map(([key, type]) => (isOptionalEntry(key) ? valueType(type, checker) : type))
    const keys = first === undefined ? checker.getType('dyn') : checker.check(first[0], context)
    for (const [key] of entries) checker.check(key, context)
    return checker.registry.getMapType(keys, values ?? checker.getType('dyn'))
  })
  node.setMeta('evaluate', (evaluator, _node, context) => {
    // Unsigned numbers are found by their text only.
    if (entries.some(([key]) => key.checkedType?.name === 'uint')) return evaluate(evaluator, node, context)
    return mapOf(evaluator, entries, context)
  })
}

/** A key and its value. */
export type Entry = readonly [key: Node, value: Node]

/** The entries of a map that stands in an expression. */
export function entriesOf({ args }: Node): readonly Entry[] {
  const entries: readonly unknown[] = Array.isArray(args) ? args : []
  return entries.flatMap((entry): Entry[] => {
    const [key, value]: readonly unknown[] = Array.isArray(entry) ? entry : []
    return isNode(key) && isNode(value) ? [[key, value]] : []
  })
}

function mapOf(evaluator: Evaluator, entries: readonly Entry[], context: Context): ReadonlyMap<unknown, unknown> {
  const map = new Map<unknown, unknown>()
  for (const [key, value] of entries) {
    const name = evaluator.run(key, context)
    for (const each of present(evaluator.run(value, context), isOptionalEntry(key))) map.set(name, each)
  }
  return map
}
