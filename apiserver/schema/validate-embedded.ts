/** Checks that resources within objects are such: that they say what they are and have sound metadata. */

import { isRecord, type JSONObject } from '../api-object.ts'
import { invalidValue, requiredValue } from '../field-errors.ts'
import { messageOf } from '../message-of.ts'
import { readMetadata, validateMetadata } from '../metadata.ts'
import { kindWrongs } from '../names.ts'
import type { FieldError } from './field-error.ts'
import type { SchemaNode } from './schema-node.ts'

/** Adds what is wrong with the resources at and below a value; the root is validated elsewhere. */
export function validateEmbedded(value: unknown, node: SchemaNode, path: string, errors: FieldError[]): void {
  if (!node.hasEmbedded || typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    if (!node.items) return
    for (let index = 0; index < value.length; index++) {
      validateEmbedded(value[index], node.items, `${path}[${index}]`, errors)
    }
    return
  }
  if (!isRecord(value)) return
  if (node.embedded && path !== '') errors.push(...resourceErrors(value, path))
  for (const key of Object.keys(value)) {
    const property = node.properties.get(key)
    if (property) validateEmbedded(value[key], property, path === '' ? key : `${path}.${key}`, errors)
    else if (node.additional) validateEmbedded(value[key], node.additional, `${path}[${key}]`, errors)
  }
}

function resourceErrors({ apiVersion, kind, metadata }: JSONObject, path: string): readonly FieldError[] {
  return [
    ...textErrors(apiVersion, `${path}.apiVersion`, text =>
      text.split('/').length > 2 ? [`unexpected GroupVersion string: ${text}`] : [],
    ),
    ...textErrors(kind, `${path}.kind`, kindWrongs),
    ...(metadata === undefined ? [] : metadataErrors(metadata, path)),
  ]
}

function textErrors(value: unknown, field: string, wrongsOf: (text: string) => readonly string[]): FieldError[] {
  if (value === undefined) return [requiredValue(field)]
  if (typeof value !== 'string') return [invalidValue(field, value, 'must be a string')]
  if (value === '') return [invalidValue(field, value, 'must not be empty')]
  return wrongsOf(value).map(wrong => invalidValue(field, value, wrong))
}

function metadataErrors(value: unknown, path: string): readonly FieldError[] {
  try {
    const { metadata } = readMetadata(value)
    // Without a name the resource is a template of others.
    const named = { name: 'unnamed', ...metadata }
    const options = { namespaced: metadata.namespace !== undefined, nameRule: 'path-segment' } as const
    return validateMetadata(named, options).map(error => ({ ...error, field: `${path}.${error.field}` }))
  } catch (error) {
    return [invalidValue(`${path}.metadata`, value, messageOf(error))]
  }
}
