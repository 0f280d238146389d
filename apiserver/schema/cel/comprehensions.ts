/** CEL's macros over lists and maps with two variables: index and element, or key and value. */

import type { ASTNode, Environment } from '@marcbachmann/cel-js'
import { entriesOf } from './equality.ts'
import type { Call, Checker, Context, Evaluator, Scope, Type } from './macros.ts'

const sync = { async: false }

/** A body to run for each pair. */
type Step = (body: ASTNode | undefined) => unknown

/** What a macro makes of the pairs. */
interface Comprehension {
  /** The macro's type; `body` is that of its last argument. */
  type(checker: Checker, body: Type, range: Type): Type
  /** `pairs` visits them one by one, with a step that runs expressions for the pair; a visit ends where it says `false`. */
  run(pairs: (visit: (step: Step, key: unknown) => boolean) => void, bodies: Bodies): unknown
}

interface Bodies {
  /** The condition, where the macro has one beside its last argument. */
  readonly filter: ASTNode | undefined
  readonly body: ASTNode | undefined
}

/** Adds `all`, `exists`, `existsOne`, `transformList`, `transformMap` and `transformMapEntry`. */
export function addComprehensions(environment: Environment): void {
  const macros: readonly (readonly [string, string, Comprehension])[] = [
    ['all', 'bool', quantifier(found => found === 'none', false)],
    ['exists', 'bool', quantifier(found => found !== 'none', true)],
    ['existsOne', 'bool', quantifier(found => found === 'one', true)],
    ['exists_one', 'bool', quantifier(found => found === 'one', true)],
    ['transformList', 'list<dyn>', toList],
    ['transformMap', 'map<dyn, dyn>', toMap],
    ['transformMapEntry', 'map<dyn, dyn>', toEntries],
  ]
  for (const [name, type, comprehension] of macros) {
    environment.registerFunction(`list.${name}(ast, ast, ast): ${type}`, expand(comprehension), sync)
    if (type === 'bool') continue
    environment.registerFunction(`list.${name}(ast, ast, ast, ast): ${type}`, expand(comprehension), sync)
  }
}

/** Counts the pairs for which the body yields `wanted`. */
function quantifier(holds: (found: 'none' | 'one' | 'many') => boolean, wanted: boolean): Comprehension {
  return {
    type: checker => checker.getType('bool'),
    run(pairs, { body }) {
      let count = 0
      pairs(step => {
        if (step(body) === wanted) count++
        return count < 2
      })
      return holds(count === 0 ? 'none' : count === 1 ? 'one' : 'many')
    },
  }
}

const toList: Comprehension = {
  type: (checker, body) => checker.getType(`list<${body.name}>`),
  run(pairs, { filter, body }) {
    const list: unknown[] = []
    pairs(step => {
      if (filter === undefined || step(filter) === true) list.push(step(body))
      return true
    })
    return list
  },
}

const toMap: Comprehension = {
  type: (checker, body, range) => checker.getType(`map<${keyName(range)}, ${body.name}>`),
  run(pairs, { filter, body }) {
    const map = new Map<unknown, unknown>()
    pairs((step, key) => {
      if (filter === undefined || step(filter) === true) map.set(key, step(body))
      return true
    })
    return map
  },
}

const toEntries: Comprehension = {
  type: (_checker, body) => body,
  run(pairs, { filter, body }) {
    const map = new Map<unknown, unknown>()
    pairs(step => {
      if (filter !== undefined && step(filter) !== true) return true
      for (const [key, value] of mapOf(step(body))) {
        if (map.has(key)) throw new Error(`insert failed: key ${String(key)} already exists`)
        map.set(key, value)
      }
      return true
    })
    return map
  },
}

function keyName(range: Type): string {
  if (range.kind === 'list') return 'int'
  return range.keyType?.name ?? 'dyn'
}

function expand(comprehension: Comprehension) {
  return ({ ast, args, receiver }: Call) => {
    const [first, second] = args
    const bodies: Bodies = { filter: args.length === 4 ? args[2] : undefined, body: args.at(-1) }
    let scopes: readonly [Scope, Scope] | undefined
    return {
      typeCheck(checker: Checker, _macro: unknown, context: Context): Type {
        const range = checker.check(receiver, context)
        if (first?.op !== 'id' || second?.op !== 'id' || bodies.body === undefined) {
          throw checker.createError('invalid_macro_argument', 'argument must be a simple name', ast)
        }
        if (range.kind !== 'list' && range.kind !== 'map' && range.kind !== 'dyn') {
          const message = `expression of type '${range.name}' cannot be range of a comprehension (must be list, map, or dynamic)`
          throw checker.createError('invalid_comprehension_range', message, receiver)
        }
        const outer = context.forkWithVariable(first.args, checker.getType(keyName(range)))
        const inner = outer.forkWithVariable(second.args, range.valueType ?? checker.getType('dyn'))
        scopes = [outer, inner]
        if (bodies.filter !== undefined) checker.check(bodies.filter, inner)
        return comprehension.type(checker, checker.check(bodies.body, inner), range)
      },
      evaluate(evaluator: Evaluator, _macro: unknown, context: Context): unknown {
        const range = evaluator.run(receiver, context)
        if (scopes === undefined) return undefined
        const [outer, inner] = scopes
        return comprehension.run(visit => {
          for (const [key, value] of pairsOf(range)) {
            const around = outer.reuse(context).setIterValue(key, evaluator)
            const scope = inner.reuse(around).setIterValue(value, evaluator)
            if (!visit(body => (body === undefined ? undefined : evaluator.run(body, scope)), key)) return
          }
        }, bodies)
      },
    }
  }
}

function* pairsOf(range: unknown): Generator<readonly [unknown, unknown]> {
  if (!Array.isArray(range)) {
    yield* mapOf(range)
    return
  }
  for (const [index, value] of range.entries()) yield [BigInt(index), value]
}

function mapOf(value: unknown): ReadonlyMap<unknown, unknown> {
  const map = typeof value === 'object' && value !== null ? entriesOf(value) : undefined
  if (map === undefined) throw new TypeError('no such overload')
  return map
}
