import { badRequest } from '../status-error.ts'

/** One term of a field selector: the field equals, or does not equal, the value. */
export interface FieldTerm {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

/** Parses `metadata.name=a,spec.x!=b`; throws a 400 that names what it cannot read. */
export function parseFieldSelector(text: string | undefined | null): readonly FieldTerm[] {
  if (text === undefined || text === null || text === '') return []
  return splitTerms(text)
    .filter(part => part !== '')
    .map(part => {
      const term = /^((?:[^=!\\]|\\.)*?)(==|!=|=)(.*)$/s.exec(part)
      if (term === null) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`)
      const [, field = '', operator, value = ''] = term
      return { field, operator: operator === '!=' ? '!=' : '=', value: unescapeValue(value) }
    })
}

/** Splits at commas that no backslash escapes. */
function splitTerms(text: string): readonly string[] {
  const terms: string[] = []
  let term = ''
  for (let index = 0; index < text.length; index++) {
    if (text[index] === ',') {
      terms.push(term)
      term = ''
      continue
    }
    term += text[index]
    if (text[index] === '\\') term += text[++index] ?? ''
  }
  return [...terms, term]
}

/** Takes the backslashes from before commas, equals signs and backslashes; none of these may stand without. */
function unescapeValue(value: string): string {
  return value.replace(/\\(.?)|[,=]/gs, (found, escaped: string | undefined) => {
    if (escaped === undefined)
      throw badRequest(`invalid field selector: unescaped character in value: ${found.charCodeAt(0)}`)
    if (!/[\\,=]/.test(escaped)) throw badRequest(`invalid field selector: invalid escape sequence: ${found}`)
    return escaped
  })
}
