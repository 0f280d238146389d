/**
 * Counts what a rule costs while it runs, by the same table as the estimate but with the sizes as they are. Kubernetes
 * counts so too: where both were asked they stopped a rule within three parts in a hundred of each other.
 */

import type { Context, Evaluator, Type } from '../macros.ts'
import { isNode, type Node, operandsOf, visit } from '../nodes.ts'
import { originalName } from '../rename.ts'
import { nameOfType } from '../type-names.ts'
import { estimateCall, type Operand } from './functions.ts'
import { exactly, type Size } from './size.ts'

/** Thrown where a rule has cost more than it may. */
class CostError extends Error {
  override readonly name = 'CostError'
}

/** Counts what one expression costs. */
export class Meter {
  #limit = Number.POSITIVE_INFINITY
  #spent = 0

  /** Begins to count anew; from the limit on nothing more is evaluated. */
  start(limit: number): void {
    this.#limit = limit
    this.#spent = 0
  }

  get spent(): number {
    return this.#spent
  }

  /** Whether the limit was passed: what comes of the expression then says nothing. */
  get isExceeded(): boolean {
    return this.#spent > this.#limit
  }

  /** Throws a CostError beyond the limit. */
  spend(cost: number): void {
    this.#spent += cost
    if (this.isExceeded) throw new CostError('operation cancelled: actual cost limit exceeded')
  }
}

/** What a turn of a loop costs beside its body; where only elements that are taken cost something, it is negative. */
const turns: Readonly<Record<string, number>> = {
  all: 3,
  exists: 4,
  exists_one: -2,
  existsOne: -2,
  map: 12,
  filter: -13,
  sortBy: 12,
  transformList: 12,
  transformMap: 3,
  transformMapEntry: 2,
}

const operators: Readonly<Record<string, string>> = { '[]': '_[_]', '[?]': '_[?_]', '.?': '_?._', in: '@in' }

/** Lets a meter count what the nodes of a checked tree cost. */
export function attachMeter(tree: unknown, meter: Meter): void {
  const values = new WeakMap<Node, unknown>()
  const extra = new Map<Node, number>()
  visit(tree, node => {
    const { name, args } = callOf(node)
    const body = args.at(-1)
    if (node.op === 'rcall' && body && Object.hasOwn(turns, name)) extra.set(body, turns[name] ?? 0)
  })
  visit(tree, node => {
    const inner = evaluation(node)
    const turn = extra.get(node) ?? 0
    node.evaluate = (evaluator, _node, context) => {
      const value = inner(evaluator, context)
      values.set(node, value)
      const around = turn < 0 && value !== true ? 0 : Math.abs(turn)
      meter.spend(around + costOf(node, each => values.get(each)))
      return value
    }
  })
}

function evaluation(node: Node): (evaluator: Evaluator, context: Context) => unknown {
  const { alternate, macro, evaluate } = node.meta
  if (alternate !== undefined) return (evaluator, context) => evaluator.run(alternate, context)
  if (macro !== undefined) return (evaluator, context) => macro.evaluate(evaluator, macro, context)
  return (evaluator, context) => evaluate(evaluator, node, context)
}

interface NamedCall {
  readonly name: string
  readonly target: Node | undefined
  readonly args: readonly Node[]
}

/** A call or an operator by the name that cel-go has for it. */
function callOf({ op, args }: Node): NamedCall {
  const parts: readonly unknown[] = Array.isArray(args) ? args : [args]
  if (op !== 'call' && op !== 'rcall') {
    return { name: operators[op] ?? `_${op}_`, target: undefined, args: parts.filter(isNode) }
  }
  const given: readonly unknown[] = Array.isArray(parts.at(-1)) ? Object.values(parts.at(-1) ?? []) : []
  const target = op === 'rcall' && isNode(parts[1]) ? parts[1] : undefined
  const name = originalName(String(parts[0]))
  const isQualified = target?.checkedType?.name.endsWith('Namespace') === true
  return {
    name: isQualified ? `${String(target?.args)}.${name}` : name,
    target: isQualified ? undefined : target,
    args: given.filter(isNode),
  }
}

const free: ReadonlySet<string> = new Set(['value', '&&', '||', '?:'])

function costOf(node: Node, resultOf: (node: Node) => unknown): number {
  if (free.has(node.op)) return 0
  if (node.op === 'id' || node.op === '.') return 1
  if (node.op === '-_' && isNode(node.args) && node.args.op === 'value') return 0
  if (node.op === 'list') return isWritten(node) ? 0 : 10
  if (node.op === 'map') return 30
  if (node.meta.macro !== undefined || node.meta.alternate !== undefined) return 0
  const { name, target, args } = callOf(node)
  const operands = args.map(arg => operandOf(resultOf(arg)))
  const receiver = target && operandOf(resultOf(target))
  const overload = overloadOf(name, receiver, operands)
  return estimateCall({ name, overload, target: receiver, args: operands }).cost
}

/** A list of literals is made once, when the rule is compiled. */
function isWritten(node: Node): boolean {
  return operandsOf(node).every(({ op }) => op === 'value')
}

function overloadOf(name: string, receiver: Operand | undefined, [first, second]: readonly Operand[]): string {
  const subject = name === '@in' ? second : (first ?? receiver)
  const type = subject?.type.name ?? ''
  const kinds = name === 'sort' || name === '@sortByAssociatedKeys' ? [] : ['string', 'bytes', 'list', 'map']
  return kinds.includes(type) ? type : 'other'
}

function operandOf(value: unknown): Operand {
  const name = nameOfType(value)
  const type: Type = { kind: name, name }
  return {
    type: Array.isArray(value) ? { ...type, valueType: { kind: '', name: nameOfType(value[0]) } } : type,
    size: sizeOf(value),
    value: undefined,
    elements: () => exactly(Array.isArray(value) ? Math.max(0, ...value.map(each => sizeOf(each).max)) : 1),
  }
}

function sizeOf(value: unknown): Size {
  if (typeof value === 'string' || Array.isArray(value) || value instanceof Uint8Array) return exactly(value.length)
  return exactly(value instanceof Map ? value.size : 1)
}
