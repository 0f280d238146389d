/** A checked expression with its macros written out, as Kubernetes has it when it counts costs. */

import type { Type } from '../macros.ts'

/** An expression; `type` is that of its value. */
export type Expression = Literal | Name | Selection | Call | ListLiteral | MapLiteral | Comprehension

/** A value that stands in the expression. */
export interface Literal {
  readonly kind: 'literal'
  readonly type: Type
  readonly value: unknown
}

/** A variable. */
export interface Name {
  readonly kind: 'name'
  readonly type: Type
  readonly name: string
}

/** A field, or whether it is there. */
export interface Selection {
  readonly kind: 'selection'
  readonly type: Type
  readonly operand: Expression
  readonly field: string
  readonly isTest: boolean
}

/** A function or an operator, by the name that cel-go has for it: `_==_`, `matches`, `sets.contains`. */
export interface Call {
  readonly kind: 'call'
  readonly type: Type
  readonly name: string
  /** What stands before the dot. */
  readonly target?: Expression
  readonly args: readonly Expression[]
}

/** `[a, b]`. */
export interface ListLiteral {
  readonly kind: 'list'
  readonly type: Type
  readonly items: readonly Expression[]
}

/** `{a: b}`. */
export interface MapLiteral {
  readonly kind: 'map'
  readonly type: Type
  readonly entries: readonly (readonly [key: Expression, value: Expression])[]
}

/** A loop that folds a range into an accumulator; a binding of a variable is one without any range. */
export interface Comprehension {
  readonly kind: 'comprehension'
  readonly type: Type
  readonly range: Expression
  /** One, or two: index and element, key and value; none for a binding. */
  readonly variables: readonly string[]
  readonly accumulator: string
  readonly initial: Expression
  readonly condition: Expression
  readonly step: Expression
  readonly result: Expression
}

/** The types of what macros are written out into. */
export const bool: Type = { kind: 'primitive', name: 'bool' }
/** Whole numbers. */
export const int: Type = { kind: 'primitive', name: 'int' }

/** A list of these elements. */
export function listOf(element: Type): Type {
  return { kind: 'list', name: `list<${element.name}>`, valueType: element }
}

/** A value that stands in the expression. */
export function literal(value: unknown, type: Type): Literal {
  return { kind: 'literal', type, value }
}

/** A variable. */
export function nameOf(name: string, type: Type): Name {
  return { kind: 'name', type, name }
}

/** A function or operator of arguments. */
export function call(name: string, type: Type, ...args: readonly Expression[]): Call {
  return { kind: 'call', type, name, args }
}

/** A function of what stands before the dot. */
export function memberCall(name: string, type: Type, target: Expression, ...args: readonly Expression[]): Call {
  return { kind: 'call', type, name, target, args }
}

/** A list of expressions. */
export function list(type: Type, ...items: readonly Expression[]): ListLiteral {
  return { kind: 'list', type, items }
}
