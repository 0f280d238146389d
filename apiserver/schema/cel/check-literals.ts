/** Literals that an expression hands to functions which cannot take them: known before the expression ever runs. */

import { formatCheck } from '../formats.ts'
import { compilePattern } from '../pattern.ts'

/** A literal that cannot be taken. */
export interface WrongLiteral {
  readonly start: number
  readonly message: string
}

interface Node {
  readonly op: string
  readonly args: unknown
  readonly start: number
}

const duration = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/

const checks: Readonly<Record<string, readonly [what: string, check: (text: string) => boolean]>> = {
  matchRE: ['matches', isPattern],
  duration: ['duration', text => duration.test(text)],
  timestamp: ['timestamp', text => formatCheck('date-time')?.(text) !== false],
}

/** The first literal in the tree of an expression that a function cannot take; undefined where there is none. */
export function wrongLiteral(tree: unknown): WrongLiteral | undefined {
  if (Array.isArray(tree)) return firstOf(tree)
  if (!isNode(tree)) return undefined
  return wrongArgument(tree) ?? wrongLiteral(tree.args)
}

function firstOf(trees: readonly unknown[]): WrongLiteral | undefined {
  for (const tree of trees) {
    const wrong = wrongLiteral(tree)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function wrongArgument({ op, args }: Node): WrongLiteral | undefined {
  if ((op !== 'call' && op !== 'rcall') || !Array.isArray(args)) return undefined
  const [name, given] = [String(args[0]), args.at(-1)]
  const check = Object.hasOwn(checks, name) ? checks[name] : undefined
  const [argument] = Array.isArray(given) ? given : []
  if (check === undefined || !isNode(argument) || argument.op !== 'value' || typeof argument.args !== 'string') {
    return undefined
  }
  const [what, isFit] = check
  return isFit(argument.args) ? undefined : { start: argument.start, message: `invalid ${what} argument` }
}

function isPattern(text: string): boolean {
  try {
    compilePattern(text)
    return true
  } catch {
    return false
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}
