/** What Kubernetes refuses in an expression, and the library's checker takes. */

import type { Environment } from '@marcbachmann/cel-js'
import { formatCheck } from '../formats.ts'
import { compilePattern } from '../pattern.ts'
import { templateFault } from './format.ts'
import type { Type } from './macros.ts'
import { isNode, type Node, operandsOf, visit } from './nodes.ts'
import { entriesOf, isOptionalEntry } from './optional-entries.ts'

/** Something that may not be, and where it stands. */
export interface Fault {
  readonly start: number
  readonly message: string
}

/** What faults are found by. */
export interface CheckContext {
  /** The expression. */
  readonly source: string
  readonly environment: Environment
  /** The fields of a type of objects; undefined for any other type. */
  fieldsOf(type: string): ReadonlySet<string> | undefined
}

/** The first fault in the tree of a checked expression; undefined where there is none. */
export function treeFault(tree: unknown, context: CheckContext): Fault | undefined {
  const templated = new Set<Node>()
  let found: Fault | undefined
  visit(tree, (node, parent) => {
    const isTemplate = node.op === 'rcall' && Array.isArray(node.args) && node.args[0] === 'format'
    if (isTemplate) visit(node.args, each => templated.add(each))
    found ??= faultOf(node, parent, { ...context, templated })
  })
  return found
}

interface Walk extends CheckContext {
  /** What texts are formatted from: lists of values of any types. */
  readonly templated: ReadonlySet<Node>
}

function faultOf(node: Node, parent: Node | undefined, context: Walk): Fault | undefined {
  switch (node.op) {
    case 'value':
      return wideNumber(node, parent)
    case 'list':
      return context.templated.has(node) ? undefined : mixed(operandsOf(node).map(item => partOf(item)))
    case 'map': {
      const entries = entriesOf(node)
      return (
        mixed(entries.map(([key]) => partOf(key))) ??
        mixed(entries.map(([key, value]) => partOf(value, isOptionalEntry(key))))
      )
    }
    case '[]':
      return wrongIndex(node)
    case '.?':
      return unknownField(node, context)
    case 'call':
    case 'rcall':
      return wrongCall(node, context)
    default:
      return undefined
  }
}

const most = 2n ** 63n

function wideNumber({ args: value, start }: Node, parent: Node | undefined): Fault | undefined {
  if (typeof value !== 'bigint' || value < most) return undefined
  return value === most && parent?.op === '-_' ? undefined : { start, message: 'invalid int literal' }
}

function nameOf(node: unknown): string {
  return isNode(node) ? (node.checkedType?.name ?? 'dyn') : 'dyn'
}

/** Whether a type is known in all its parts. */
function isSettled(name: string): boolean {
  return !/\bdyn\b|\b[A-Z]\b/.test(name)
}

/** An element, a key or a value. */
interface Part {
  readonly start: number
  readonly type: string
}

/** `isOptional` says that it is there only where it has a value. */
function partOf(node: Node, isOptional = false): Part {
  const inner = isOptional ? node.checkedType?.valueType : node.checkedType
  return { start: node.start, type: inner?.name ?? 'dyn' }
}

function mixed(parts: readonly Part[]): Fault | undefined {
  const settled = parts.filter(({ type }) => isSettled(type))
  const [first] = settled
  const other = settled.find(({ type }) => type !== first?.type)
  if (first === undefined || other === undefined) return undefined
  return { start: other.start, message: `expected type '${first.type}' but found '${other.type}'` }
}

function wrongIndex(node: Node): Fault | undefined {
  const [range, index] = operandsOf(node)
  const type = range?.checkedType
  const isObject = type?.kind === 'message'
  const isMisfit = type?.kind === 'map' && type.keyType !== undefined && !fits(type.keyType, nameOf(index))
  if (!isObject && !isMisfit) return undefined
  const message = `found no matching overload for '_[_]' applied to '(${nameOf(range)}, ${nameOf(index)})'`
  return { start: range?.end ?? node.start, message }
}

function fits(wanted: Type, name: string): boolean {
  return wanted.name === name || !isSettled(wanted.name) || !isSettled(name)
}

function unknownField({ args, start }: Node, { fieldsOf }: CheckContext): Fault | undefined {
  const [operand, field] = Array.isArray(args) ? args : []
  const type = isNode(operand) ? operand.checkedType : undefined
  const fields = fieldsOf((type?.kind === 'optional' ? type.valueType?.name : type?.name) ?? '')
  if (fields === undefined || fields.has(String(field))) return undefined
  return { start, message: `undefined field '${String(field)}'` }
}

function wrongCall(node: Node, context: CheckContext): Fault | undefined {
  const args: readonly unknown[] = Array.isArray(node.args) ? node.args : []
  const [name, receiver] = [String(args[0]), args[1]]
  const given = args.at(-1)
  const [first] = Array.isArray(given) ? given.filter(isNode) : []
  if (node.op === 'rcall' && isNode(receiver) && receiver.args === 'cel' && name === 'bind') {
    return { start: receiver.start, message: "undeclared reference to 'cel' (in container '')" }
  }
  if (first === undefined) return undefined
  if (name === 'format' && isNode(receiver)) return wrongTemplate(receiver, first)
  return wrongText(name, first) ?? wrongConversion(name, node, first, context)
}

function wrongTemplate(template: Node, values: Node): Fault | undefined {
  if (typeof template.args !== 'string' || values.op !== 'list') return undefined
  const kinds = operandsOf(values).map(value => value.checkedType?.name.replace(/<.*/, '') ?? 'dyn')
  const message = templateFault(template.args, kinds)
  return message === undefined ? undefined : { start: template.start, message }
}

const duration = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/

/** A text for a function that cannot take it. */
const texts: Readonly<Record<string, readonly [what: string, check: (text: string) => boolean]>> = {
  matchRE: ['matches', isPattern],
  duration: ['duration', isDuration],
  timestamp: ['timestamp', text => formatCheck('date-time')?.(text) !== false],
}

function wrongText(name: string, { op, args: text, start }: Node): Fault | undefined {
  const check = Object.hasOwn(texts, name) ? texts[name] : undefined
  if (check === undefined || op !== 'value' || typeof text !== 'string') return undefined
  const [what, isFit] = check
  return isFit(text) ? undefined : { start, message: `invalid ${what} argument` }
}

const seconds: Readonly<Record<string, number>> = {
  h: 3600,
  m: 60,
  s: 1,
  ms: 1e-3,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ns: 1e-9,
}

/** A duration that nanoseconds in 64 bits have room for. */
function isDuration(text: string): boolean {
  if (!duration.test(text)) return false
  const parts = text.matchAll(/([\d.]+)([a-zµμ]+)/g)
  return [...parts].reduce((sum, [, count, unit = '']) => sum + Number(count) * (seconds[unit] ?? 0), 0) < 2 ** 63 / 1e9
}

const conversions: ReadonlySet<string> = new Set(['int', 'uint', 'double', 'bool', 'string', 'bytes'])

/** What is written is converted when the rule is compiled, and must let itself. */
function wrongConversion(name: string, node: Node, first: Node, context: CheckContext): Fault | undefined {
  const isWritten = first.op === 'value' || (first.op === '-_' && isNode(first.args) && first.args.op === 'value')
  if (node.op !== 'call' || !conversions.has(name) || !isWritten) return undefined
  const fault = { start: node.start, message: `type conversion error from '${nameOf(first)}' to '${name}'` }
  try {
    const value: unknown = context.environment.evaluate(context.source.slice(node.start, node.end))
    return typeof value === 'bigint' && (value >= most || value < -most) ? fault : undefined
  } catch {
    return fault
  }
}

function isPattern(text: string): boolean {
  try {
    compilePattern(text)
    return true
  } catch {
    return false
  }
}
