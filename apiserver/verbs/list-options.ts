/** What lists and watches are asked for beside selectors: how fresh, how many, from where on. */

import { forbiddenField, unsupportedValue } from '../field-errors.ts'
import { readNumber } from '../request/query.ts'
import type { FieldError } from '../schema/field-error.ts'
import type { Scope } from '../scope.ts'
import { badRequest, invalid } from '../status-error.ts'

const match = 'resourceVersionMatch'
const initial = 'sendInitialEvents'

/**
 * How many objects a page may hold at most; 0: all of them. Whoever takes any version gets all: so the cache of a real
 * server answers, which it has for all kinds but events.
 */
export function askedLimit({ query, resource }: Scope): number {
  const { plural, builtin } = resource.definition
  if (query.get('resourceVersion') === '0' && !(builtin && plural === 'events')) return 0
  return Math.max(0, readNumber(query, 'limit') ?? 0)
}

/** The version that a request names, undefined for "whatever is newest"; throws a 400 where it is no number. */
export function askedVersion({ query }: Scope): number | undefined {
  const text = query.get('resourceVersion') ?? ''
  if (text === '') return undefined
  if (/^[0-9]{1,15}$/.test(text)) return Number(text)
  const wrong = `Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`
  throw badRequest(`invalid resource version: resourceVersion: ${wrong}`)
}

/** Checks the options of a list; throws 400 or 422. */
export function checkListOptions({ query }: Scope): void {
  readNumber(query, 'timeoutSeconds')
  const wished = query.get(match) ?? ''
  const errors: FieldError[] = []
  if (wished !== '') {
    const version = query.get('resourceVersion') ?? ''
    if (version === '') errors.push(forbiddenField(match, `${match} is forbidden unless resourceVersion is provided`))
    errors.push(...continued(query))
    if (wished !== 'Exact' && wished !== 'NotOlderThan') {
      errors.push(unsupportedValue(match, wished, ['Exact', 'NotOlderThan', '']))
    }
    if (wished === 'Exact' && version === '0') {
      errors.push(forbiddenField(match, `${match} "exact" is forbidden for resourceVersion "0"`))
    }
  }
  if (query.has(initial)) errors.push(forbiddenField(initial, `${initial} is forbidden for list`))
  refuse(errors)
}

/** Checks the options of a watch; throws 400 or 422. */
export function checkWatchOptions({ query }: Scope): void {
  readNumber(query, 'limit')
  const wished = query.get(match) ?? ''
  const errors: FieldError[] = []
  if (query.has(initial) && wished !== 'NotOlderThan') {
    errors.push(forbiddenField(match, `${initial} requires setting ${match} to NotOlderThan`))
  }
  if (wished !== '') {
    if (!query.has(initial)) {
      errors.push(forbiddenField(match, `${match} is forbidden for watch unless ${initial} is provided`))
    }
    if (wished !== 'NotOlderThan') errors.push(unsupportedValue(match, wished, ['NotOlderThan']))
    errors.push(...continued(query))
  }
  refuse(errors)
}

function continued(query: URLSearchParams): readonly FieldError[] {
  return query.get('continue') ? [forbiddenField(match, `${match} is forbidden when continue is provided`)] : []
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors)
}
