/** Puts our own functions in the place of the library's: those cannot be replaced, so calls are renamed. */

/** Our names for functions, of the same length: positions in the expression stay true. */
const renames: Readonly<Record<string, string>> = {
  has: 'hAs',
  matches: 'matchRE',
  substring: 'subString',
  indexOf: 'indexOF',
  lastIndexOf: 'lastIndexOF',
  lowerAscii: 'lowerASCII',
  upperAscii: 'upperASCII',
}

const originals = new Map(Object.entries(renames).map(([name, ours]) => [ours, name]))

const texts =
  /(?:\b[rR][bB]?|\b[bB][rR])(?:"{3}[\s\S]*?"{3}|'{3}[\s\S]*?'{3}|"[^"\n]*"|'[^'\n]*')|"{3}(?:[^\\]|\\[\s\S])*?"{3}|'{3}(?:[^\\]|\\[\s\S])*?'{3}|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\/\/[^\n]*/
const calls = /((?:\.\s*(?:matches|substring|indexOf|lastIndexOf|lowerAscii|upperAscii)|(?<![.\w]|\.\s)has)(?=\s*\())/
const tokens = new RegExp(`${texts.source}|${calls.source}`, 'g')

/** The expression with calls renamed, strings and comments left alone. */
export function renameCalls(expression: string): string {
  return expression.replace(tokens, (token, call: string | undefined) =>
    call === undefined ? token : token.replace(/\w+$/, name => renames[name] ?? name),
  )
}

/** The name by which a function is known, for ours. */
export function originalName(name: string): string {
  return originals.get(name) ?? name
}

/** The expression with blanks in its strings (between their quotes) and comments, as long as it was. */
export function blanked(expression: string): string {
  return expression.replace(tokens, (token, name: string | undefined) => {
    if (name !== undefined) return token
    return token.startsWith('//') ? ' '.repeat(token.length) : `"${' '.repeat(token.length - 2)}"`
  })
}

/** Whether the expression mentions a variable, strings and comments apart. */
export function mentions(expression: string, variable: string): boolean {
  return new RegExp(`(?<![\\w.])${variable}\\b`).test(blanked(expression))
}
