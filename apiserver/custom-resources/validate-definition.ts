/** What is wrong with a CustomResourceDefinition itself. */

import type { APIObject } from '../api-object.ts'
import { isRecord, valueAt } from '../api-object.ts'
import { invalidValue, requiredValue, unsupportedValue } from '../field-errors.ts'
import { kindWrongs, label1035Wrongs, subdomainWrongs } from '../names.ts'
import type { FieldError } from '../schema/field-error.ts'
import type { DefinitionSpec, Version } from './definition-spec.ts'
import { specOf } from './definition-spec.ts'
import { validateVersionParts } from './validate-version.ts'

/** Field errors of a definition that is created, or changed from an old one. */
export function validateDefinition(next: APIObject, old: APIObject | undefined): readonly FieldError[] {
  const spec = specOf(next)
  return [
    ...validateNames(next.metadata.name, spec),
    ...validateScope(spec.scope),
    ...validateVersions(spec),
    ...validateVersionParts(spec.versions, old === undefined ? [] : specOf(old).versions),
    ...validateConversion(next),
    ...(old === undefined ? [] : validateChange(next, old)),
  ]
}

function validateNames(name: string, { group, names }: DefinitionSpec): readonly FieldError[] {
  const errors: FieldError[] = []
  if (group === '') errors.push(requiredValue('spec.group'))
  else {
    errors.push(...subdomainWrongs(group).map(wrong => invalidValue('spec.group', group, wrong)))
    if (!group.includes('.')) errors.push(invalidValue('spec.group', group, 'should be a domain with at least one dot'))
  }
  const { plural, singular, kind, listKind, shortNames, categories } = names
  for (const [field, value] of [
    ['plural', plural],
    ['singular', singular],
    ['kind', kind],
    ['listKind', listKind],
  ] as const) {
    if (value === '') errors.push(requiredValue(`spec.names.${field}`))
  }
  const labels = [
    ['plural', plural],
    ['singular', singular],
    ...shortNames.map((each, index) => [`shortNames[${index}]`, each] as const),
    ...categories.map((each, index) => [`categories[${index}]`, each] as const),
  ] as const
  for (const [field, value] of labels) {
    const wrongs = value === '' ? [] : label1035Wrongs(value)
    if (wrongs.length > 0) errors.push(invalidValue(`spec.names.${field}`, value, wrongs.join(',')))
  }
  for (const [field, value] of [
    ['kind', kind],
    ['listKind', listKind],
  ] as const) {
    const wrongs = value === '' ? [] : kindWrongs(value)
    if (wrongs.length > 0) errors.push(invalidValue(`spec.names.${field}`, value, wrongs.join(',')))
  }
  if (kind !== '' && kind === listKind) {
    errors.push(invalidValue('spec.names.listKind', listKind, 'kind and listKind may not be the same'))
  }
  if (name !== `${plural}.${group}`) {
    errors.push(invalidValue('metadata.name', name, 'must be spec.names.plural+"."+spec.group'))
  }
  return errors
}

function validateScope(scope: string): readonly FieldError[] {
  if (scope === '') return [requiredValue('spec.scope')]
  return scope === 'Cluster' || scope === 'Namespaced'
    ? []
    : [unsupportedValue('spec.scope', scope, ['Cluster', 'Namespaced'])]
}

function validateVersions({ versions }: DefinitionSpec): readonly FieldError[] {
  const errors = versions.flatMap((version, index) => validateVersion(version, `spec.versions[${index}]`))
  const names = versions.map(version => version.name)
  if (new Set(names).size < names.length) {
    errors.push(invalidValue('spec.versions', names, 'must contain unique version names'))
  }
  if (versions.filter(version => version.storage).length !== 1) {
    errors.push(invalidValue('spec.versions', names, 'must have exactly one version marked as storage version'))
  }
  return errors
}

function validateVersion(version: Version, field: string): FieldError[] {
  const errors: FieldError[] = []
  const wrongs = label1035Wrongs(version.name)
  if (wrongs.length > 0) errors.push(invalidValue(`${field}.name`, version.name, wrongs.join(',')))
  const { deprecationWarning: warning, deprecated } = version
  const report = (detail: string) => errors.push(invalidValue(`${field}.deprecationWarning`, warning, detail))
  if (warning !== undefined && !deprecated) report('can only be set for deprecated versions')
  else if (warning === '') report('must not be an empty string')
  else if (warning !== undefined && warning.length > 256) report('must be <= 256 characters long')
  return errors
}

function validateConversion(definition: APIObject): readonly FieldError[] {
  const errors: FieldError[] = []
  const strategy = valueAt(definition, ['spec', 'conversion', 'strategy'])
  if (strategy !== undefined && strategy !== 'None') {
    errors.push(unsupportedValue('spec.conversion.strategy', strategy, ['None']))
  }
  if (valueAt(definition, ['spec', 'preserveUnknownFields']) === true) {
    const detail =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'
    errors.push(invalidValue('spec.preserveUnknownFields', true, detail))
  }
  return errors
}

function validateChange(next: APIObject, old: APIObject): readonly FieldError[] {
  const errors: FieldError[] = []
  const [after, before] = [specOf(next), specOf(old)]
  const fixed: readonly (readonly [string, string, string])[] = [
    ['spec.group', after.group, before.group],
    ['spec.names.plural', after.names.plural, before.names.plural],
    ...(isEstablished(old) ? establishedFields(after, before) : []),
  ]
  for (const [field, now, then] of fixed) {
    if (now !== then) errors.push(invalidValue(field, now, 'field is immutable'))
  }
  const stored = valueAt(next, ['status', 'storedVersions'])
  for (const [index, version] of (Array.isArray(stored) ? stored : []).entries()) {
    if (after.versions.some(each => each.name === version)) continue
    const detail = `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`
    errors.push(invalidValue(`status.storedVersions[${index}]`, version, detail))
  }
  return errors
}

function establishedFields(after: DefinitionSpec, before: DefinitionSpec): (readonly [string, string, string])[] {
  return [
    ['spec.scope', after.scope, before.scope],
    ['spec.names.kind', after.names.kind, before.names.kind],
  ]
}

/** Whether a condition of a definition is True. */
export function hasCondition(definition: APIObject, type: string): boolean {
  const conditions = valueAt(definition, ['status', 'conditions'])
  if (!Array.isArray(conditions)) return false
  return conditions.some(condition => isRecord(condition) && condition.type === type && condition.status === 'True')
}

/** Whether the resource is or was served. */
export function isEstablished(definition: APIObject): boolean {
  return hasCondition(definition, 'Established')
}
