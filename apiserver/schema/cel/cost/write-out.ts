/** Writes out the macros of a checked expression. */

import type { ASTNode } from '@marcbachmann/cel-js'
import type { Type } from '../macros.ts'
import { isOptionalEntry } from '../optional-entries.ts'
import { originalName } from '../rename.ts'
import type { Comprehension, Expression } from './expression.ts'
import * as ex from './expression.ts'

const accumulator = '@result'
const unknownType: Type = { kind: 'dyn', name: 'dyn' }

/** The expression that a checked tree stands for. */
export function writeOut(node: ASTNode): Expression {
  const type = typeOf(node)
  switch (node.op) {
    case 'value':
      return ex.literal(node.args, type)
    case 'id':
      return ex.nameOf(node.args, type)
    case '.':
      // The name of a type is one name, dots and all.
      if (node.input.startsWith('google.protobuf.', node.start)) return ex.nameOf(node.args[1], type)
      return { kind: 'selection', type, operand: writeOut(node.args[0]), field: node.args[1], isTest: false }
    case '.?':
      return ex.call(
        '_?._',
        type,
        writeOut(node.args[0]),
        ex.literal(node.args[1], { kind: 'primitive', name: 'string' }),
      )
    case '[]':
      return ex.call('_[_]', type, ...node.args.map(writeOut))
    case '[?]':
      return ex.call('_[?_]', type, ...node.args.map(writeOut))
    case 'list':
      return ex.list(type, ...node.args.map(writeOut))
    case 'map':
      return { kind: 'map', type, entries: node.args.map(([key, value]) => [writeOut(key), writeOut(value)]) }
    case '?:':
      return ex.call('_?_:_', type, ...node.args.map(writeOut))
    case '!_':
    case '-_':
      return unary(node, type)
    case 'in':
      return ex.call('@in', type, ...node.args.map(writeOut))
    case 'call':
      return globalCall(node.args[0], node.args[1], type)
    case 'rcall':
      return receiverCall(node.args[0], node.args[1], node.args[2], type)
    default:
      return ex.call(`_${node.op}_`, type, ...node.args.map(writeOut))
  }
}

function typeOf(node: ASTNode): Type {
  return 'checkedType' in node && isType(node.checkedType) ? node.checkedType : unknownType
}

function isType(value: unknown): value is Type {
  return typeof value === 'object' && value !== null && 'kind' in value && 'name' in value
}

/** Twice the same is nothing at all; a number with its sign is one literal. */
function unary(node: ASTNode & { readonly op: '!_' | '-_' }, type: Type): Expression {
  const { op, args: operand, input, start } = node
  if (isOptionalEntry(node)) return writeOut(operand)
  if (operand.op === op) return writeOut(operand.args)
  const isNumber = op === '-_' && operand.op === 'value' && input.slice(start + 1, operand.start).trim() === ''
  return isNumber ? ex.literal(operand.args, type) : ex.call(op, type, writeOut(operand))
}

function globalCall(name: string, args: readonly ASTNode[], type: Type): Expression {
  const written = args.map(writeOut)
  const [operand] = written
  if (name === 'hAs' && operand?.kind === 'selection') return { ...operand, type, isTest: true }
  return ex.call(name, type, ...written)
}

function receiverCall(name: string, receiver: ASTNode, args: readonly ASTNode[], type: Type): Expression {
  if (receiver.op === 'id' && typeOf(receiver).name.endsWith('Namespace')) {
    const qualified = `${receiver.args}.${name}`
    return qualified === 'cel.bind' ? binding(args, type) : ex.call(qualified, type, ...args.map(writeOut))
  }
  const range = writeOut(receiver)
  const variables = variablesOf(name, args)
  if (variables !== undefined) {
    const bodies = args.slice(variables.length).map(writeOut)
    return macro(name, { range, variables, bodies, type })
  }
  return ex.memberCall(originalName(name), type, range, ...args.map(writeOut))
}

/** How many variables a macro brings, by how many arguments it has. */
const variableCounts: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  all: { 2: 1, 3: 2 },
  exists: { 2: 1, 3: 2 },
  exists_one: { 2: 1, 3: 2 },
  existsOne: { 2: 1, 3: 2 },
  map: { 2: 1, 3: 1 },
  filter: { 2: 1 },
  sortBy: { 2: 1 },
  optMap: { 2: 1 },
  optFlatMap: { 2: 1 },
  transformList: { 3: 2, 4: 2 },
  transformMap: { 3: 2, 4: 2 },
  transformMapEntry: { 3: 2, 4: 2 },
}

/** The variables that a macro brings; undefined where the call is none. */
function variablesOf(name: string, args: readonly ASTNode[]): readonly string[] | undefined {
  const count = Object.hasOwn(variableCounts, name) ? variableCounts[name]?.[args.length] : undefined
  if (count === undefined) return undefined
  const variables = args.slice(0, count).flatMap(arg => (arg.op === 'id' ? [arg.args] : []))
  return variables.length === count ? variables : undefined
}

interface Macro {
  readonly range: Expression
  readonly variables: readonly string[]
  readonly bodies: readonly Expression[]
  readonly type: Type
}

function macro(name: string, given: Macro): Expression {
  switch (name) {
    case 'all':
      return quantifier(given, '_&&_', true)
    case 'exists':
      return quantifier(given, '_||_', false)
    case 'exists_one':
    case 'existsOne':
      return counted(given)
    case 'filter':
      return filtered(given)
    case 'map':
    case 'transformList':
      return collected(given, (sum, value) => ex.call('_+_', given.type, sum, ex.list(ex.listOf(value.type), value)))
    case 'transformMap':
      return collected(given, (sum, value) =>
        ex.call('cel.@mapInsert', given.type, sum, ex.nameOf(given.variables[0] ?? '', unknownType), value),
      )
    case 'transformMapEntry':
      return collected(given, (sum, value) => ex.call('cel.@mapInsert', given.type, sum, value))
    case 'sortBy':
      return sorted(given)
    default:
      return mapped(given, name === 'optFlatMap')
  }
}

type Loop = Pick<Comprehension, 'initial' | 'condition' | 'step' | 'result'>

/** The loop that a macro is. Every element is looked at, where no condition says otherwise. */
function loop({ range, variables, type }: Macro, parts: Omit<Loop, 'condition'> & Partial<Loop>): Expression {
  const condition = ex.literal(true, ex.bool)
  return { kind: 'comprehension', type, range, variables, accumulator, condition, ...parts }
}

function quantifier(given: Macro, operator: '_&&_' | '_||_', initial: boolean): Expression {
  const { bodies, type } = given
  const sum = () => ex.nameOf(accumulator, type)
  const goesOn = initial ? sum() : ex.call('!_', type, sum())
  return loop(given, {
    initial: ex.literal(initial, type),
    condition: ex.call('@not_strictly_false', type, goesOn),
    step: ex.call(operator, type, sum(), ...bodies),
    result: sum(),
  })
}

function counted(given: Macro): Expression {
  const count = () => ex.nameOf(accumulator, ex.int)
  const [body] = given.bodies
  const more = ex.call('_+_', ex.int, count(), ex.literal(1n, ex.int))
  return loop(given, {
    initial: ex.literal(0n, ex.int),
    step: ex.call('_?_:_', ex.int, ...(body ? [body] : []), more, count()),
    result: ex.call('_==_', given.type, count(), ex.literal(1n, ex.int)),
  })
}

/** A loop that adds a value to the accumulator, everywhere or where a condition before the value holds. */
function collected(given: Macro, add: (sum: Expression, value: Expression) => Expression): Expression {
  const { bodies, type } = given
  const sum = () => ex.nameOf(accumulator, type)
  const value = bodies.at(-1) ?? sum()
  const [filter] = bodies.length > 1 ? bodies : []
  const added = add(sum(), value)
  return loop(given, {
    initial: type.kind === 'map' ? { kind: 'map', type, entries: [] } : ex.list(type),
    step: filter === undefined ? added : ex.call('_?_:_', type, filter, added, sum()),
    result: sum(),
  })
}

function filtered(given: Macro): Expression {
  const { variables, bodies, type } = given
  const element = ex.nameOf(variables[0] ?? '', type.valueType ?? unknownType)
  return collected({ ...given, bodies: [...bodies, element] }, (sum, value) =>
    ex.call('_+_', type, sum, ex.list(type, value)),
  )
}

/** A variable for a value, in an expression. */
function bound(name: string, value: Expression, body: Expression): Expression {
  return {
    kind: 'comprehension',
    type: body.type,
    range: ex.list(ex.listOf(unknownType)),
    variables: [],
    accumulator: name,
    initial: value,
    condition: ex.literal(false, ex.bool),
    step: ex.nameOf(name, value.type),
    result: body,
  }
}

function binding(args: readonly ASTNode[], type: Type): Expression {
  const [name, value, body] = args
  if (name?.op !== 'id' || !value || !body) return ex.call('cel.bind', type)
  return bound(name.args, writeOut(value), writeOut(body))
}

function sorted({ range, variables, bodies, type }: Macro): Expression {
  const input = () => ex.nameOf('@__sortBy_input__', range.type)
  const [key] = bodies
  const keys = collected(
    { range: input(), variables, bodies, type: ex.listOf(key?.type ?? unknownType) },
    (sum, value) => ex.call('_+_', sum.type, sum, ex.list(sum.type, value)),
  )
  return bound('@__sortBy_input__', range, ex.memberCall('@sortByAssociatedKeys', type, input(), keys))
}

function mapped({ range, variables, bodies, type }: Macro, flat: boolean): Expression {
  const [body] = bodies
  const value = ex.memberCall('value', range.type.valueType ?? unknownType, range)
  const inner = bound(variables[0] ?? '', value, body ?? value)
  const some = flat ? inner : ex.call('optional.of', type, inner)
  return ex.call('_?_:_', type, ex.memberCall('hasValue', ex.bool, range), some, ex.call('optional.none', type))
}
