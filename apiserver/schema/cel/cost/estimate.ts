/**
 * What a rule costs at worst, estimated from its schema in the units of cel-go's `checker/cost.go`: one for reading a
 * variable or a field, a tenth for every character of a text that is gone through, ten for a list, thirty for a map.
 */

import type { Type } from '../macros.ts'
import type { Call, Comprehension, Expression } from './expression.ts'
import type { Extent } from './extent.ts'
import { estimateCall, type Operand } from './functions.ts'
import { overloadsOf } from './overloads.ts'
import { extentAt, type Path, stepBelow } from './path.ts'
import { eitherOf, exactly, type Size, times, unknownSize } from './size.ts'

/** What is known of the elements of a list or the entries of a map that an expression makes. */
interface Entries {
  readonly kind: string
  readonly key: Size
  readonly value: Size
}

interface Local {
  readonly path: Path | undefined
  readonly size: Size | undefined
  readonly entries: Entries | undefined
}

/** The greatest cost of an expression over a value of this extent, Infinity where nothing bounds it. */
export function estimateCost(expression: Expression, self: Extent): number {
  return new Estimator(self).cost(expression)
}

class Estimator {
  readonly #self: Extent
  readonly #paths = new Map<Expression, Path>()
  readonly #sizes = new Map<Expression, Size>()
  readonly #entries = new Map<Expression, Entries>()
  readonly #locals = new Map<string, Local[]>()

  constructor(self: Extent) {
    this.#self = self
  }

  cost(expression: Expression): number {
    switch (expression.kind) {
      case 'literal':
        return 0
      case 'name':
        if (this.#local(expression.name) === undefined)
          this.#paths.set(expression, stepBelow(undefined, expression.name))
        return 1
      case 'selection':
        return this.#selectionCost(expression)
      case 'call':
        return this.#callCost(expression)
      case 'list':
        return this.#listCost(expression, expression.items)
      case 'map':
        return this.#mapCost(expression, expression.entries)
      case 'comprehension':
        return expression.variables.length === 0 ? this.#bindingCost(expression) : this.#comprehensionCost(expression)
    }
  }

  #selectionCost(expression: Expression & { readonly kind: 'selection' }): number {
    const { operand, field, isTest } = expression
    const cost = this.cost(operand)
    if (isTest) return cost
    this.#paths.set(expression, stepBelow(this.#path(operand), field))
    return cost + (['map', 'message', 'param'].includes(operand.type.kind) ? 1 : 0)
  }

  #callCost(expression: Call): number {
    const { name, target, args } = expression
    const [first] = args
    if (name === 'dyn' && first) {
      const cost = this.cost(first)
      this.#copySizes(expression, first)
      return 1 + cost
    }
    const costs = args.map(arg => this.cost(arg))
    const operands = args.map(arg => this.#operand(arg))
    const targetCost = target === undefined ? 0 : this.cost(target)
    const receiver = target === undefined ? undefined : this.#operand(target)
    const around = name === '_?_:_' ? (costs[0] ?? 0) + Math.max(...costs.slice(1)) : costs.reduce((a, b) => a + b, 0)
    let greatest = 0
    let size: Size | undefined
    for (const overload of overloadsOf(expression)) {
      const estimate = this.#overloadCost(expression, overload, receiver, operands)
      greatest = Math.max(greatest, estimate.cost)
      if (estimate.size !== undefined) size = size === undefined ? estimate.size : eitherOf(size, estimate.size)
      if (name === '_[_]' && first && (overload === 'list' || overload === 'map')) {
        size = this.#entriesOf(first)?.value
        this.#paths.set(expression, stepBelow(this.#path(first), overload === 'list' ? '@items' : '@values'))
      }
      size ??= this.#sizeOf(expression)
    }
    if (size !== undefined) this.#sizes.set(expression, size)
    return targetCost + around + greatest
  }

  /** What the call itself costs, its arguments apart. */
  #overloadCost(expression: Call, overload: string, receiver: Operand | undefined, operands: readonly Operand[]) {
    const { name, args } = expression
    const [first, second, third] = args
    if (name === '_&&_' || name === '_||_') return { cost: 0 }
    if (name === '_?_:_' && second && third) {
      this.#setEntries(expression, eitherEntries(this.#entriesOf(second), this.#entriesOf(third)))
      return { cost: 0, size: eitherOf(this.#sizeOrUnknown(second), this.#sizeOrUnknown(third)) }
    }
    if (name === '_+_' && overload !== 'other' && first && second) {
      this.#setEntries(expression, eitherEntries(this.#entriesOf(first), this.#entriesOf(second)))
    }
    return estimateCall({ name, overload, target: receiver, args: operands })
  }

  #listCost(expression: Expression, items: readonly Expression[]): number {
    const cost = items.reduce((sum, item) => sum + this.cost(item), 10)
    this.#setEntries(expression, { kind: 'list', key: exactly(1), value: this.#anyOf(items) })
    return cost
  }

  #mapCost(expression: Expression, entries: readonly (readonly [Expression, Expression])[]): number {
    const cost = entries.reduce((sum, [key, value]) => sum + this.cost(key) + this.cost(value), 30)
    const [keys, values] = [entries.map(([key]) => key), entries.map(([, value]) => value)]
    this.#setEntries(expression, { kind: 'map', key: this.#anyOf(keys), value: this.#anyOf(values) })
    return cost
  }

  #anyOf(expressions: readonly Expression[]): Size {
    const [first, ...others] = expressions.map(each => this.#sizeOrUnknown(each))
    return first === undefined ? exactly(0) : others.reduce(eitherOf, first)
  }

  #bindingCost(expression: Comprehension): number {
    const { range, initial, accumulator, result } = expression
    const cost = this.cost(range) + this.cost(initial)
    const inside = this.#with([[accumulator, this.#valueAsLocal(initial)]], () => this.cost(result))
    this.#copySizes(expression, result)
    return cost + inside
  }

  #comprehensionCost(expression: Comprehension): number {
    const { range, initial, accumulator, condition, step, result } = expression
    const cost = this.cost(range) + this.cost(initial)
    const inside = this.#with([[accumulator, this.#valueAsLocal(initial)]], () => {
      const turn = this.#with(this.#variablesOf(expression), () => this.cost(condition) + this.cost(step))
      return { turn, result: this.cost(result) }
    })
    const turns = this.#sizeOrUnknown(range)
    if (initial.kind === 'literal') {
      const size = this.#sizeOf(initial)
      if (size !== undefined) this.#sizes.set(expression, size)
    } else if (initial.kind === 'list' || initial.kind === 'map') {
      this.#sizes.set(expression, turns)
      this.#setEntries(expression, this.#entriesOf(step))
    }
    return cost + inside.result + times(turns.max, inside.turn)
  }

  #variablesOf({ range, variables }: Comprehension): readonly (readonly [string, Local])[] {
    const entries = this.#entriesOf(range)
    const isList = (entries?.kind ?? range.type.kind) === 'list'
    const below = (step: string, size: Size | undefined): Local => ({
      path: stepBelow(this.#path(range), step),
      size,
      entries: undefined,
    })
    const key = () => below(isList ? '@indices' : '@keys', entries?.key)
    const value = () => below(isList ? '@items' : '@values', entries?.value)
    const [first = '', second] = variables
    if (second !== undefined)
      return [
        [first, key()],
        [second, value()],
      ]
    return [[first, isList ? value() : key()]]
  }

  #valueAsLocal(value: Expression): Local {
    return { path: this.#path(value), size: this.#sizeOf(value), entries: this.#entriesOf(value) }
  }

  #with<T>(locals: readonly (readonly [string, Local])[], inside: () => T): T {
    for (const [name, local] of locals) this.#locals.set(name, [...(this.#locals.get(name) ?? []), local])
    const result = inside()
    for (const [name] of locals) this.#locals.get(name)?.pop()
    return result
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1)
  }

  #path(expression: Expression): Path | undefined {
    const local = expression.kind === 'name' ? this.#local(expression.name) : undefined
    return local === undefined ? this.#paths.get(expression) : local.path
  }

  #extent(path: Path | undefined): Extent | undefined {
    return path && extentAt(path, this.#self)
  }

  #operand(expression: Expression): Operand {
    const { type } = expression
    return {
      type,
      size: this.#sizeOrUnknown(expression),
      value: expression.kind === 'literal' ? expression.value : undefined,
      elements: () => this.#elementSize(expression),
    }
  }

  /** How large the elements of a list of the schema are. */
  #elementSize(list: Expression): Size {
    const extent = this.#extent(this.#path(list))?.elements
    return extent === undefined ? unknownSize : { min: 0, max: extent.largest }
  }

  #sizeOrUnknown(expression: Expression): Size {
    return this.#sizeOf(expression) ?? unknownSize
  }

  #sizeOf(expression: Expression): Size | undefined {
    const known = this.#sizes.get(expression) ?? writtenSize(expression)
    if (known !== undefined) return known
    const extent = this.#extent(this.#path(expression))
    if (extent !== undefined) {
      const size = { min: 0, max: extent.largest }
      this.#sizes.set(expression, size)
      return size
    }
    if (isScalar(expression.type)) return exactly(1)
    return expression.kind === 'name' ? this.#local(expression.name)?.size : undefined
  }

  #entriesOf(expression: Expression): Entries | undefined {
    const known = this.#entries.get(expression)
    if (known !== undefined || expression.kind !== 'name') return known
    return this.#local(expression.name)?.entries
  }

  #setEntries(expression: Expression, entries: Entries | undefined): void {
    if (entries !== undefined) this.#entries.set(expression, entries)
  }

  #copySizes(to: Expression, from: Expression): void {
    const size = this.#sizeOf(from)
    if (size !== undefined) this.#sizes.set(to, size)
    this.#setEntries(to, this.#entriesOf(from))
  }
}

function eitherEntries(a: Entries | undefined, b: Entries | undefined): Entries | undefined {
  if (a === undefined || b === undefined) return undefined
  return { kind: a.kind, key: eitherOf(a.key, b.key), value: eitherOf(a.value, b.value) }
}

/** The size of what stands in the expression as it is. */
function writtenSize(expression: Expression): Size | undefined {
  switch (expression.kind) {
    case 'list':
      return exactly(expression.items.length)
    case 'map':
      return exactly(expression.entries.length)
    case 'literal': {
      const { value } = expression
      if (typeof value === 'string') return exactly([...value].length)
      return exactly(value instanceof Uint8Array ? value.length : 1)
    }
    default:
      return undefined
  }
}

const scalars: ReadonlySet<string> = new Set([
  'bool',
  'double',
  'int',
  'uint',
  'google.protobuf.Duration',
  'google.protobuf.Timestamp',
])

function isScalar({ kind, name, valueType }: Type): boolean {
  return scalars.has(name) || (kind === 'optional' && valueType !== undefined && isScalar(valueType))
}
