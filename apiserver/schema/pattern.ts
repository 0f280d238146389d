/** Regular expressions in RE2 syntax, matched in linear time. */

import { RE2JS } from '@bufbuild/re2'

/** A compiled expression: whether it matches somewhere in the text. */
export type Pattern = (text: string) => boolean

// Short texts and expressions without nested repetition cannot blow up in a backtracking engine, which is 20 times faster.
const backtrackingLimit = 128

const compiled = new Map<string, Pattern>()
// Expressions come from CRDs and, in CEL, from data: the cache must not grow with the latter.
const cacheLimit = 4096

/** Longest expression that is compiled, in characters: the time that takes grows with the square of it. */
const lengthLimit = 10_000

/** Compiles an RE2 expression; throws with RE2's words when it is none. */
export function compilePattern(source: string): Pattern {
  const known = compiled.get(source)
  if (known) return known
  if (source.length > lengthLimit) throw new Error(`expression is longer than ${lengthLimit} characters`)
  const linear = RE2JS.compile(source)
  const fast = isSimple(source) ? new RegExp(source, 'u') : undefined
  const remembered = remember(text => linear.test(text))
  const pattern: Pattern = fast
    ? text => (text.length <= backtrackingLimit ? fast.test(text) : linear.test(text))
    : text => (text.length <= backtrackingLimit ? remembered(text) : linear.test(text))
  if (compiled.size >= cacheLimit) compiled.clear()
  compiled.set(source, pattern)
  return pattern
}

const rememberedTexts = 256

/** Names of zones, offerings and networks are checked over and over: the last answers are kept. */
function remember(test: Pattern): Pattern {
  const answers = new Map<string, boolean>()
  return text => {
    const known = answers.get(text)
    if (known !== undefined) return known
    const answer = test(text)
    if (answers.size >= rememberedTexts) answers.clear()
    answers.set(text, answer)
    return answer
  }
}

const simpleAtom =
  /^(?:[A-Za-z0-9_ ,:;@%&=~"'<>/!#-]|\\[.+*?()|[\]{}^$/\\]|\\d|\[\^?(?:[A-Za-z0-9_.:,;@%+*/=~ ]|-|\\[-.+\]\\/])+\])/
const repetition = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/

/** Whether the expression means the same in JavaScript, and has no repetition inside a repetition. */
function isSimple(source: string): boolean {
  /** For each open group: whether it holds a repetition. */
  const groups: boolean[] = []
  let rest = source
  let closed: boolean | undefined
  while (rest !== '') {
    const quantifier = repetition.exec(rest)?.[0]
    if (quantifier !== undefined) {
      const repeats = !quantifier.startsWith('?')
      if (repeats && closed) return false
      if (repeats && groups.length > 0) groups[groups.length - 1] = true
      closed = undefined
      rest = rest.slice(quantifier.length)
      continue
    }
    closed = undefined
    if (rest.startsWith('(')) {
      if (rest.startsWith('(?') && !rest.startsWith('(?:')) return false
      groups.push(false)
      rest = rest.slice(rest.startsWith('(?:') ? 3 : 1)
    } else if (rest.startsWith(')')) {
      closed = groups.pop() ?? false
      if (closed && groups.length > 0) groups[groups.length - 1] = true
      rest = rest.slice(1)
    } else if (/^[\^$|]/.test(rest)) {
      rest = rest.slice(1)
    } else {
      const atom = simpleAtom.exec(rest)?.[0]
      if (atom === undefined) return false
      rest = rest.slice(atom.length)
    }
  }
  return groups.length === 0
}
