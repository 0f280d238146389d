import { badRequest } from '../status-error.ts'

/** A parsed selector: whether an object's labels match. Undefined stands for "everything". */
export type LabelSelector = (labels: Readonly<Record<string, string>>) => boolean

type Requirement = LabelSelector

const key = String.raw`(?:[a-z0-9A-Z][-a-z0-9A-Z_.]*\/)?[a-zA-Z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?`
const value = `(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?`
const equality = new RegExp(String.raw`^(${key})\s*(==|=|!=)\s*(${value})$`)
const membership = new RegExp(String.raw`^(${key})\s+(in|notin)\s*\(([^()]*)\)$`)
const existence = new RegExp(`^(!?)\\s*(${key})$`)
const comparison = new RegExp(String.raw`^(${key})\s*([<>])\s*(-?[0-9]+)$`)

/** Parses `a=b,c!=d,e in (f,g),h,!i`; throws a 400 that names what it cannot read. */
export function parseLabelSelector(text: string | undefined | null): LabelSelector | undefined {
  if (text === undefined || text === null || text.trim() === '') return undefined
  const requirements = splitRequirements(text).map(part => parseRequirement(part, text))
  return labels => requirements.every(matches => matches(labels))
}

/** Splits at commas outside parentheses. */
function splitRequirements(text: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (character === '(') depth++
    if (character === ')') depth--
    if (character !== ',' || depth > 0) continue
    parts.push(text.slice(start, index).trim())
    start = index + 1
  }
  parts.push(text.slice(start).trim())
  return parts
}

function parseRequirement(part: string, text: string): Requirement {
  const equal = equality.exec(part)
  if (equal !== null) {
    const [, name = '', operator, wanted = ''] = equal
    if (operator === '!=') return labels => own(labels, name) !== wanted
    return labels => own(labels, name) === wanted
  }
  const member = membership.exec(part)
  if (member !== null) {
    const [, name = '', operator, list = ''] = member
    const values = new Set(list.split(',').map(each => each.trim()))
    if (operator === 'in') return labels => values.has(own(labels, name) ?? '\0')
    return labels => !values.has(own(labels, name) ?? '\0')
  }
  const compared = comparison.exec(part)
  if (compared !== null) {
    const [, name = '', operator, bound = ''] = compared
    return labels => {
      const actual = own(labels, name)
      if (actual === undefined || !/^-?[0-9]+$/.test(actual)) return false
      return operator === '>' ? Number(actual) > Number(bound) : Number(actual) < Number(bound)
    }
  }
  const existing = existence.exec(part)
  if (existing !== null) {
    const [, negation, name = ''] = existing
    return labels => (own(labels, name) === undefined) === (negation === '!')
  }
  throw badRequest(`unable to parse requirement: cannot read ${JSON.stringify(part)} in ${JSON.stringify(text)}`)
}

function own(labels: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(labels, name) ? labels[name] : undefined
}
