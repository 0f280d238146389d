/** CEL's regular expressions: RE2 everywhere, so that no text can make a rule run long. */

import { RE2JS } from '@bufbuild/re2'
import type { Environment } from '@marcbachmann/cel-js'
import { compilePattern } from '../pattern.ts'

// Numbers of the instructions of a compiled expression; the package does not export them.
const alternative = 1
const alternativeMatch = 2
const capture = 3
const emptyWidth = 4
const matched = 6
const noOperation = 7
const firstRune = 8

const beginLine = 1
const endLine = 2
const beginText = 4
const endText = 8
const wordBoundary = 16
const noWordBoundary = 32

interface Thread {
  readonly pc: number
  readonly start: number
}

/** Where an expression first matches from a position on, leftmost and by the order of its alternatives, as Go finds it. */
function findFrom(expression: RE2JS, text: string, from: number): readonly [number, number] | undefined {
  const program = expression.re2().prog
  let found: readonly [number, number] | undefined
  let threads: Thread[] = []
  for (let position = from; position <= text.length; ) {
    const rune = text.codePointAt(position)
    const runnable: Thread[] = []
    const seen = new Set<number>()
    const assertions = assertionsAt(text, position)
    const add = (pc: number, start: number) => {
      if (seen.has(pc)) return
      seen.add(pc)
      const instruction = program.getInst(pc)
      const { op } = instruction
      if (op === alternative || op === alternativeMatch) {
        add(instruction.out, start)
        add(instruction.arg, start)
      } else if (op === capture || op === noOperation) {
        add(instruction.out, start)
      } else if (op === emptyWidth) {
        if ((instruction.arg & ~assertions) === 0) add(instruction.out, start)
      } else {
        runnable.push({ pc, start })
      }
    }
    for (const thread of threads) add(thread.pc, thread.start)
    if (!found) add(program.start, position)
    if (runnable.length === 0 && found) return found
    threads = []
    for (const thread of runnable) {
      const instruction = program.getInst(thread.pc)
      if (instruction.op === matched) {
        found = [thread.start, position]
        // Threads after this one stand for later alternatives.
        break
      }
      const takes = instruction.op >= firstRune && rune !== undefined && instruction.matchRune(rune)
      if (takes) threads.push({ pc: instruction.out, start: thread.start })
    }
    position += rune !== undefined && rune > 0xffff ? 2 : 1
  }
  return found
}

function assertionsAt(text: string, position: number): number {
  const before = text[position - 1]
  const after = text[position]
  let flags = 0
  if (before === undefined) flags |= beginText | beginLine
  if (before === '\n') flags |= beginLine
  if (after === undefined) flags |= endText | endLine
  if (after === '\n') flags |= endLine
  const isBoundary = isWord(before) !== isWord(after)
  return flags | (isBoundary ? wordBoundary : noWordBoundary)
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /\w/.test(character)
}

/** All matches that do not overlap, at most `limit` (all where it is negative), as Go's FindAllString finds them. */
function findAll(text: string, pattern: string, limit: number): readonly string[] {
  const expression = RE2JS.compile(pattern)
  const matches: string[] = []
  let lastEnd = -1
  for (let from = 0; from <= text.length && (limit < 0 || matches.length < limit); ) {
    const match = findFrom(expression, text, from)
    if (!match) break
    const [start, end] = match
    // An empty match right after another one does not count.
    if (end > start || start !== lastEnd) matches.push(text.slice(start, end))
    lastEnd = end
    from = end > start ? end : end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1)
  }
  return matches
}

/** Adds `matches`, `find` and `findAll`. */
export function addRegularExpressions(environment: Environment): void {
  const matches = (text: string, pattern: string) => compilePattern(pattern)(text)
  const options = { async: false }
  environment
    .registerFunction('string.matchRE(string): bool', matches, options)
    .registerFunction('matches(string, string): bool', matches, options)
    .registerFunction(
      'string.find(string): string',
      (text: string, pattern: string) => findAll(text, pattern, 1)[0] ?? '',
      options,
    )
    .registerFunction(
      'string.findAll(string): list<string>',
      (text: string, pattern: string) => findAll(text, pattern, -1),
      options,
    )
    .registerFunction(
      'string.findAll(string, int): list<string>',
      (text: string, pattern: string, limit: bigint) => findAll(text, pattern, Number(limit)),
      options,
    )
}
