/** CEL's macros that the library lacks or does otherwise than Kubernetes: `has`, `optMap` and `optFlatMap`. */

import { type ASTNode, type Environment, Optional } from '@marcbachmann/cel-js'
import { equalValues } from './equality.ts'

/** What the library's type checker offers to macros. */
export interface Checker {
  check(node: unknown, context: Context): Type
  getType(name: string): Type
  createError(code: string, message: string, node: ASTNode): Error
  readonly registry: { getOptionalType(type: Type): Type; getMapType(key: Type, value: Type): Type }
}

/** A type as the checker has it. */
export interface Type {
  readonly kind: string
  readonly name: string
  readonly keyType?: Type
  readonly valueType?: Type
}

/** Variables and their values. */
export interface Context {
  forkWithVariable(name: string, type: Type): Scope
}

/** One more variable. */
export interface Scope extends Context {
  reuse(parent: Context): Scope
  setIterValue(value: unknown, evaluator: Evaluator): Scope
}

/** What the library's evaluator offers to macros. */
export interface Evaluator {
  run(node: unknown, context: Context): unknown
  /** What went wrong comes back as an error. */
  tryEval(node: unknown, context: Context): unknown
}

/** A call that a macro stands for. */
export interface Call {
  readonly ast: ASTNode
  readonly args: readonly ASTNode[]
  readonly receiver: ASTNode
}

const sync = { async: false }

/** Adds the macros, and what optionals lack. `has` goes by the name `hAs`: the library's own cannot be replaced. */
export function addMacros(environment: Environment): void {
  environment
    .registerFunction('hAs(ast): bool', expandHas, sync)
    .registerFunction(
      'OptionalNamespace.ofNonZeroValue(A): optional<A>',
      (_namespace: unknown, value: unknown) => (isZero(value) ? Optional.none() : Optional.of(value)),
      sync,
    )
    .registerFunction(
      'OptionalNamespace.unwrap(list<optional<A>>): list<A>',
      (_namespace: unknown, list: Options) => unwrap(list),
      sync,
    )
    .registerFunction('list<optional<A>>.unwrapOpt(): list<A>', unwrap, sync)
    .registerOperator('optional<A> == optional<A>', equalValues)
    .registerFunction('optional.optMap(ast, ast): optional<dyn>', expandMap(false), sync)
    .registerFunction('optional.optFlatMap(ast, ast): optional<dyn>', expandMap(true), sync)
}

type Options = readonly Optional[]

/** The values of those that have one. */
function unwrap(list: Options): readonly unknown[] {
  return list.filter(optional => optional.hasValue()).map(optional => optional.value())
}

/** Whether a value is what its type begins with: nothing, 0, an empty text or list. */
function isZero(value: unknown): boolean {
  if (value instanceof Map) return value.size === 0
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0
  return value === null || value === '' || value === false || value === 0 || value === 0n
}

/** Whether a field is there: unlike the library's it refuses fields that the type lacks, and takes any expression. */
function expandHas({ ast, args }: Call) {
  const [argument] = args
  return {
    typeCheck(checker: Checker, _macro: unknown, context: Context): Type {
      if (argument?.op !== '.') {
        throw checker.createError('invalid_macro_argument', 'invalid argument to has() macro', ast)
      }
      checker.check(argument, context)
      return checker.getType('bool')
    },
    evaluate(evaluator: Evaluator, _macro: unknown, context: Context): boolean {
      if (argument?.op !== '.') return false
      const [target, name] = argument.args
      const found = evaluator.run(target, context)
      const value = found instanceof Optional ? found.orValue(undefined) : found
      if (value instanceof Map) return value.has(name)
      return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    },
  }
}

/** `optional.optMap(variable, expression)`; flat where the expression yields an optional itself. */
function expandMap(flat: boolean) {
  return ({ args, receiver }: Call) => {
    const [variable, body] = args
    let scope: Scope | undefined
    return {
      typeCheck(checker: Checker, _macro: unknown, context: Context): Type {
        const type = checker.check(receiver, context)
        if (variable?.op !== 'id' || !body || (type.kind !== 'optional' && type.kind !== 'dyn')) {
          throw checker.createError(
            'invalid_macro_argument',
            'optMap() needs an optional and a simple variable name',
            receiver,
          )
        }
        scope = context.forkWithVariable(variable.args, type.valueType ?? checker.getType('dyn'))
        const result = checker.check(body, scope)
        return flat ? result : checker.registry.getOptionalType(result)
      },
      evaluate(evaluator: Evaluator, _macro: unknown, context: Context): unknown {
        const optional = evaluator.run(receiver, context)
        if (!(optional instanceof Optional) || !optional.hasValue() || !body || !scope) return Optional.none()
        const result = evaluator.run(body, scope.reuse(context).setIterValue(optional.value(), evaluator))
        return flat ? result : Optional.of(result)
      },
    }
  }
}
