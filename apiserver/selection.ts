/** Which objects of a collection a list, watch or deletecollection means. */

import type { APIObject } from './api-object.ts'
import { valueAt } from './api-object.ts'
import type { ServedResource } from './registry.ts'
import type { FieldTerm } from './request/field-selector.ts'
import { parseFieldSelector } from './request/field-selector.ts'
import type { LabelSelector } from './request/label-selector.ts'
import { parseLabelSelector } from './request/label-selector.ts'
import type { Scope } from './scope.ts'
import { badRequest } from './status-error.ts'
import type { Entry } from './storage/entry.ts'

/** A namespace and selectors, ready to be asked. */
export interface Selection {
  readonly namespace: string
  /** Set when only the object of this name can match. */
  readonly name: string | undefined
  /** True when nothing is left out but by namespace. */
  readonly everything: boolean
  matches(entry: Entry): boolean
}

/** Reads the selectors of a request; throws a 400 that names what it cannot read. */
export function selectionOf(scope: Scope): Selection {
  const { query, resource, namespace } = scope
  const labels = parseLabelSelector(query.get('labelSelector'))
  const terms = parseFieldSelector(query.get('fieldSelector'))
  const tests = terms.map(term => testOf(scope, term))
  const name = terms.find(term => term.field === 'metadata.name' && term.operator === '=')?.value
  return {
    namespace,
    name,
    everything: labels === undefined && terms.length === 0,
    matches: entry => matches(entry, resource, { namespace, labels, tests }),
  }
}

type Test = (entry: Entry, object: () => APIObject) => boolean

interface Tests {
  readonly namespace: string
  readonly labels: LabelSelector | undefined
  readonly tests: readonly Test[]
}

function matches(entry: Entry, resource: ServedResource, { namespace, labels, tests }: Tests): boolean {
  if (namespace !== '' && entry.namespace !== namespace) return false
  if (labels === undefined && tests.length === 0) return true
  if (labels !== undefined && !labels(entry.object.metadata.labels ?? {})) return false
  return tests.every(test => test(entry, () => resource.toServed(entry.object)))
}

function testOf(scope: Scope, { field, operator, value }: FieldTerm): Test {
  const wanted = operator === '='
  if (field === 'metadata.name') return entry => (entry.name === value) === wanted
  if (field === 'metadata.namespace') return entry => (entry.namespace === value) === wanted
  const { strategy, definition } = scope.resource
  const read = strategy.fields[field]
  if (read !== undefined) return (_entry, object) => (read(object()) === value) === wanted
  const path = definition.selectableFields.find(each => each === `.${field}`)
  if (path === undefined) throw unsupportedField(scope, field)
  const steps = path.slice(1).split('.')
  return (_entry, object) => (fieldText(valueAt(object(), steps)) === value) === wanted
}

function fieldText(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}

/** Kinds with fields of their own say only which one they lack. */
function unsupportedField({ resource: { definition, strategy } }: Scope, field: string): Error {
  const plain = definition.builtin && Object.keys(strategy.fields).length === 0
  if (!plain) return badRequest(`field label not supported: ${field}`)
  const known = '"metadata.name", "metadata.namespace"'
  return badRequest(`${JSON.stringify(field)} is not a known field selector: only ${known}`)
}
