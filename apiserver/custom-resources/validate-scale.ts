/** What is wrong with the paths of a scale. */

import { invalidValue, requiredValue } from '../field-errors.ts'
import type { FieldError } from '../schema/field-error.ts'
import type { Version } from './definition-spec.ts'

const simplePath = /^(\.[^.[\]]+)+$/

/** Field errors of the scale of a version, below its field. */
export function validateScale({ scale }: Version, field: string): readonly FieldError[] {
  if (scale === undefined) return []
  const { spec, status, selector } = scale
  return [
    ...pathErrors(`${field}.specReplicasPath`, spec, ['.spec']),
    ...pathErrors(`${field}.statusReplicasPath`, status, ['.status']),
    ...(selector === undefined ? [] : pathErrors(`${field}.labelSelectorPath`, selector, ['.spec', '.status'])),
  ]
}

function pathErrors(field: string, path: string, roots: readonly string[]): readonly FieldError[] {
  if (path === '') return [requiredValue(field)]
  if (!simplePath.test(path)) return [invalidValue(field, path, 'must be a simple json path starting with .')]
  if (roots.some(root => path.startsWith(`${root}.`))) return []
  const where = roots.length === 1 ? roots[0] : `either ${roots.join(' or ')}`
  return [invalidValue(field, path, `should be a json path under ${where}`)]
}
