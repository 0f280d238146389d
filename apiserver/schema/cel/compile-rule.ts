/** Compiles one CEL expression, with errors in the words of Kubernetes. */

import {
  type ASTNode,
  TypeError as CELTypeError,
  type Environment,
  EvaluationError,
  ParseError,
} from '@marcbachmann/cel-js'
import { messageOf } from '../../message-of.ts'
import type { StructuralSchema } from '../structural-schema.ts'
import { treeFault } from './check-tree.ts'
import { adoptOperators } from './nodes.ts'
import { adoptEntries, markEntries } from './optional-entries.ts'
import { originalName, renameCalls } from './rename.ts'
import type { SchemaTypes } from './values.ts'

/** What an expression may read. `oldSelf` is undefined where there is none. */
export interface Variables {
  readonly self: unknown
  readonly oldSelf?: unknown
}

/** A compiled expression. Throws what `describeError` explains. */
export type Program = (variables: Variables) => unknown

/** A program and its checked tree, or why there is none. */
export type Compilation = { readonly program: Program; readonly tree: ASTNode } | { readonly problem: string }

/** Compiles an expression over types that must yield a bool or a string; `environment` has its variables beside those. */
export function compileExpression(
  expression: string,
  wanted: 'bool' | 'string',
  { environment, types }: { readonly environment: Environment; readonly types: SchemaTypes },
): Compilation {
  const what =
    wanted === 'bool' ? 'cel expression must evaluate to a bool' : 'messageExpression must evaluate to a string'
  const failed = wanted === 'bool' ? 'compilation failed' : 'messageExpression compilation failed'
  try {
    const { source, marks } = markEntries(renameCalls(expression))
    const program = environment.parse(source)
    adoptEntries(program.ast, marks)
    const check = program.check()
    if (!check.valid) return { problem: `${failed}: ${locate(check.error, expression)}` }
    // A dynamic result shows its type only when the rule runs.
    if (check.type !== wanted && check.type !== 'dyn') return { problem: what }
    const fault = treeFault(program.ast, { source, environment, fieldsOf: type => types.fieldsOf(type) })
    if (fault) return { problem: `${failed}: ${located(fault.message, fault.start, expression)}` }
    adoptOperators(program.ast)
    return { program: variables => program({ ...variables }), tree: program.ast }
  } catch (error) {
    return { problem: `${failed}: ${locate(error, expression)}` }
  }
}

type CELError = ParseError | EvaluationError | CELTypeError

function isCELError(error: unknown): error is CELError {
  return error instanceof ParseError || error instanceof EvaluationError || error instanceof CELTypeError
}

/** The error with its place, as cel-go prints it. */
function locate(error: unknown, expression: string): string {
  if (!isCELError(error)) return messageOf(error)
  const message = error.code === 'no_such_key' ? undefinedField(error.summary) : staticMessage(error)
  return located(message, placeOf(error, expression), expression)
}

function located(message: string, place: number, expression: string): string {
  const start = Math.min(place, expression.length)
  const before = expression.slice(0, start).split('\n')
  const column = before.at(-1)?.length ?? 0
  const line = expression.split('\n')[before.length - 1] ?? ''
  return `ERROR: <input>:${before.length}:${column + 1}: ${message}\n | ${line}\n | ${'.'.repeat(column)}^`
}

/** Where cel-go sees the error: at the operator of an operation, at the dot before a field. */
function placeOf(error: CELError, expression: string): number {
  const start = error.range?.start ?? 0
  if (error.code === 'no_such_key') return expression.lastIndexOf('.', start)
  const { node } = error
  if (error.code !== 'no_such_overload' || node === undefined || !isOperation(node)) return start
  return expression.indexOf(node.op, node.args[0].end)
}

interface Operation {
  readonly op: string
  readonly args: readonly [{ readonly end: number }, unknown]
}

function isOperation(node: { readonly op?: string; readonly args?: unknown }): node is Operation {
  return node.op !== undefined && Array.isArray(node.args) && node.args.length === 2 && /^\W+$|^in$/.test(node.op)
}

function undefinedField(summary: string): string {
  return `undefined field '${summary.replace(/^No such key: /, '')}'`
}

function staticMessage(error: CELError): string {
  if (error.code === 'unknown_variable') {
    return `undeclared reference to '${error.summary.replace(/^Unknown variable: /, '')}' (in container '')`
  }
  if (error instanceof ParseError) return `Syntax error: ${error.summary}`
  const operands = /^no such overload: (.*) ([-!=<>+*/%]+|in) (.*)$/.exec(error.summary)
  if (operands === null) return error.summary.replace(/\w+(?=\()/, originalName)
  const [, left, operator, right] = operands
  return `found no matching overload for '_${operator}_' applied to '(${left}, ${right})'`
}

/** Why an expression failed on a value, in the words of cel-go. */
export function describeError(error: unknown): string {
  if (!isCELError(error)) return runtimeMessage(messageOf(error))
  switch (error.code) {
    case 'no_such_key':
      return error.summary.replace('No such key', 'no such key')
    case 'index_out_of_bounds':
      return `index out of bounds: ${/index (-?\d+)/.exec(error.summary)?.[1] ?? ''}`
    case 'modulo_by_zero':
      return 'modulus by zero'
    case 'numeric_overflow':
      return error.summary.startsWith('Unsigned') ? 'unsigned integer overflow' : 'integer overflow'
    case 'optional_value_missing':
      return 'optional.none() dereference'
    case 'no_such_overload':
      return 'no such overload'
    case 'no_matching_overload':
      return /[.']size\(/.test(error.summary) ? 'no such overload: size' : 'no such overload'
    default:
      return runtimeMessage(error.summary)
  }
}

/** The words of cel-go for what functions of the library say. */
function runtimeMessage(summary: string): string {
  if (summary.startsWith('Invalid duration string')) {
    return "type conversion error from 'string' to 'google.protobuf.Duration'"
  }
  return summary.replace(/^Invalid time zone specified: /, 'unknown time zone ')
}

/** A field by its path, relative to a node, or why the path is wrong. */
export type FieldPath = { readonly path: string; readonly schema: StructuralSchema } | { readonly problem: string }

const pathStep = /^(?:\.([^.[\]]+)|\['((?:[^'\\]|\\.)*)'\])/

/** Reads a `fieldPath` (`.spec.nics`, `.labels['a']`) and checks that the schema has that field. */
export function readFieldPath(fieldPath: string, schema: StructuralSchema): FieldPath {
  let node: StructuralSchema = schema
  let path = ''
  let rest = fieldPath.trim()
  if (rest === '') return { problem: 'must be a valid path' }
  while (rest !== '') {
    const step = pathStep.exec(rest)
    if (!step) return { problem: `expected [ or . but got: ${rest}` }
    const name = step[1] ?? (step[2] ?? '').replaceAll(/\\(.)/g, '$1')
    const property = node.properties?.[name]
    const additional = node.additionalProperties
    if (property) {
      path = path === '' ? name : `${path}.${name}`
      node = property
    } else if (!node.properties && typeof additional === 'object') {
      path = `${path}[${name}]`
      node = additional
    } else {
      return { problem: 'does not refer to a valid field' }
    }
    rest = rest.slice(step[0].length)
  }
  return { path, schema: node }
}
