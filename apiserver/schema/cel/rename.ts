/** Puts our own functions in the place of the library's: those cannot be replaced, so calls are renamed. */

const tokens =
  /(?:\b[rR][bB]?|\b[bB][rR])(?:"{3}[\s\S]*?"{3}|'{3}[\s\S]*?'{3}|"[^"\n]*"|'[^'\n]*')|"{3}(?:[^\\]|\\[\s\S])*?"{3}|'{3}(?:[^\\]|\\[\s\S])*?'{3}|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\/\/[^\n]*|((?:\.\s*matches|(?<![.\w]|\.\s)has)(?=\s*\())/g

/**
 * The expression with `.matches(` renamed to `.matchRE(` (which is linear) and `has(` to `hAs(` (which knows all
 * fields), strings and comments left alone. The names have the same length, so positions stay true.
 */
export function renameCalls(expression: string): string {
  return expression.replace(tokens, (token, name: string | undefined) => {
    if (name === undefined) return token
    return name === 'has' ? 'hAs' : token.replace('matches', 'matchRE')
  })
}

/** Whether the expression mentions a variable, strings and comments apart. */
export function mentions(expression: string, variable: string): boolean {
  const bare = expression.replace(tokens, (token, name: string | undefined) => (name === undefined ? '""' : token))
  return new RegExp(`(?<![\\w.])${variable}\\b`).test(bare)
}
