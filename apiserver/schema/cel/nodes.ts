/**
 * The library's nodes once they are checked, beyond what its types tell: their types, and how operators are carried out.
 * The library cannot be told otherwise to compare as Kubernetes does. Its version is pinned, and tests hold it to this.
 */

import { equalValues, joinLists } from './equality.ts'
import type { Checker, Context, Evaluator, Type } from './macros.ts'

/** How a node is checked and evaluated. */
interface Meta {
  readonly check: (checker: Checker, node: unknown, context: Context) => Type
  readonly evaluate: (evaluator: Evaluator, node: unknown, context: Context) => unknown
  /** The node that a macro of the library is written out into. */
  readonly alternate?: unknown
  /** A macro that evaluates itself. */
  readonly macro?: { evaluate(evaluator: Evaluator, macro: unknown, context: Context): unknown }
}

/** A node of a tree. */
export interface Node {
  readonly op: string
  readonly args: unknown
  readonly start: number
  readonly end: number
  readonly checkedType?: Type
  readonly meta: Meta
  evaluate: Meta['evaluate']
  /** Carries out an operator on its operands. */
  handle?: (left: unknown, right: unknown) => unknown
  setMeta<Key extends 'check' | 'evaluate'>(key: Key, value: Meta[Key]): unknown
}

/** Whether a value is a node. */
export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'op' in value && 'setMeta' in value
}

/** Visits all nodes of a tree, each before those below it; `parent` is the one above. */
export function visit(tree: unknown, each: (node: Node, parent: Node | undefined) => void, parent?: Node): void {
  if (Array.isArray(tree)) {
    for (const part of tree) visit(part, each, parent)
    return
  }
  if (!isNode(tree)) return
  each(tree, parent)
  visit(tree.args, each, tree)
}

/** The operands of a node that has a list of them. */
export function operandsOf(node: Node): readonly Node[] {
  return Array.isArray(node.args) ? node.args.filter(isNode) : []
}

const structured: ReadonlySet<string> = new Set(['list', 'map', 'message', 'dyn', 'optional'])

/**
 * Lets structured values be compared by what they hold, sets be joined as sets, and `&&` and `||` fail with what went
 * wrong first.
 */
export function adoptOperators(tree: unknown): void {
  visit(tree, node => {
    if (node.op === '&&') node.setMeta('evaluate', logical(node, false))
    if (node.op === '||') node.setMeta('evaluate', logical(node, true))
    const kinds = operandsOf(node).map(({ checkedType }) => checkedType?.kind ?? '')
    if (!kinds.every(kind => structured.has(kind))) return
    if (node.op === '==') node.handle = equalValues
    if (node.op === '!=') node.handle = (left, right) => !equalValues(left, right)
    if (node.op === '+' && kinds.every(kind => kind === 'list')) node.handle = joined
  })
}

/** Either operand decides alone where it is `decisive`, whatever becomes of the other. */
function logical(node: Node, decisive: boolean): Meta['evaluate'] {
  const [left, right] = operandsOf(node)
  return (evaluator, _node, context) => {
    const first = evaluator.tryEval(left, context)
    if (first === decisive) return decisive
    const second = evaluator.tryEval(right, context)
    if (second === decisive) return decisive
    for (const value of [first, second]) {
      if (value instanceof Error) throw value
      if (typeof value !== 'boolean') throw new TypeError('no such overload')
    }
    return !decisive
  }
}

function joined(left: unknown, right: unknown): unknown {
  return Array.isArray(left) && Array.isArray(right) ? joinLists(left, right) : left
}
