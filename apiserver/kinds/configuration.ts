/** ConfigMaps and Secrets. */

import deepEqual from 'fast-deep-equal'
import type { APIObject } from '../api-object.ts'
import { isRecord, withMember } from '../api-object.ts'
import { forbiddenField, invalidValue } from '../field-errors.ts'
import type { FieldError } from '../schema/field-error.ts'
import { plainStrategy } from '../strategy.ts'
import { serveBuiltin } from './builtin.ts'
import { boolean, kind, text, textMap } from './schemas.ts'

/** Bytes that the data of one object may take. */
const dataLimit = 1024 * 1024

const keyPattern = /^[-._a-zA-Z0-9]+$/
const keyMessage = `a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`
const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** ConfigMaps. */
export const configMaps = serveBuiltin(
  {
    group: '',
    version: 'v1',
    kind: 'ConfigMap',
    plural: 'configmaps',
    shortNames: ['cm'],
    namespaced: true,
    schema: kind('ConfigMap holds configuration data.', {
      data: textMap('Data contains the configuration data, as text.'),
      binaryData: textMap('BinaryData contains binary configuration data, base64-encoded.'),
      immutable: boolean('Immutable, if true, keeps the data from being changed.'),
    }),
  },
  {
    ...plainStrategy,
    prepare: next => withoutEmpty(withoutEmpty(next, 'data'), 'binaryData'),
    validate: (next, old) => [
      ...validateKeys(next.data, 'data'),
      ...validateKeys(next.binaryData, 'binaryData'),
      ...validateBase64(next.binaryData, 'binaryData'),
      ...Object.keys(record(next.binaryData))
        .filter(key => Object.hasOwn(record(next.data), key))
        .map(key => invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData')),
      ...validateSize(next, ['data', 'binaryData']),
      ...validateImmutable(next, old, ['data', 'binaryData']),
    ],
  },
)

/** Secrets. */
export const secrets = serveBuiltin(
  {
    group: '',
    version: 'v1',
    kind: 'Secret',
    plural: 'secrets',
    namespaced: true,
    schema: kind('Secret holds secret data.', {
      data: textMap('Data contains the secret data, base64-encoded.'),
      stringData: textMap('StringData allows to write secret data as text; it is never read back.'),
      immutable: boolean('Immutable, if true, keeps the data from being changed.'),
      type: text('Type helps programs to handle the data.'),
    }),
  },
  {
    ...plainStrategy,
    fields: { type: object => String(object.type ?? '') },
    prepare: next => withoutEmpty(withEncodedText(withType(next)), 'data'),
    validate: (next, old) => [
      ...validateKeys(next.data, 'data'),
      ...validateBase64(next.data, 'data'),
      ...validateSize(next, ['data']),
      ...validateImmutable(next, old, ['data']),
      ...(old !== undefined && old.type !== next.type ? [invalidValue('type', next.type, 'field is immutable')] : []),
    ],
  },
)

/** The object without a map that has no entries. */
function withoutEmpty(object: APIObject, field: string): APIObject {
  const value = object[field]
  return isRecord(value) && Object.keys(value).length === 0 ? withMember(object, field, undefined) : object
}

function withType(secret: APIObject): APIObject {
  return typeof secret.type === 'string' && secret.type !== '' ? secret : { ...secret, type: 'Opaque' }
}

function withEncodedText(secret: APIObject): APIObject {
  const { stringData } = secret
  if (!isRecord(stringData)) return secret
  const encoded = Object.entries(stringData).map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')])
  const data = { ...record(secret.data), ...Object.fromEntries(encoded) }
  return withMember(withMember(secret, 'stringData', undefined), 'data', data)
}

function validateKeys(data: unknown, field: string): readonly FieldError[] {
  return Object.keys(record(data)).flatMap(key => {
    if (key.length > 253) return [invalidValue(`${field}[${key}]`, key, 'must be no more than 253 characters')]
    if (key === '.' || key === '..') return [invalidValue(`${field}[${key}]`, key, `must not be '${key}'`)]
    return keyPattern.test(key) ? [] : [invalidValue(`${field}[${key}]`, key, keyMessage)]
  })
}

function validateBase64(data: unknown, field: string): readonly FieldError[] {
  return Object.entries(record(data))
    .filter(([, value]) => typeof value === 'string' && !base64Pattern.test(value))
    .map(([key]) => ({
      // The value may be a secret that somebody forgot to encode: it is not repeated.
      type: 'FieldValueInvalid' as const,
      field: `${field}[${key}]`,
      message: 'Invalid value: "<value>": must be base64-encoded',
    }))
}

function validateSize(object: APIObject, fields: readonly string[]): readonly FieldError[] {
  const values = fields.flatMap(field => Object.values(record(object[field])))
  const size = values.reduce((sum: number, value) => sum + (typeof value === 'string' ? value.length : 0), 0)
  if (size <= dataLimit) return []
  return [
    { type: 'FieldValueTooLong', field: fields[0] ?? '', message: `Too long: may not be more than ${dataLimit} bytes` },
  ]
}

function validateImmutable(
  next: APIObject,
  old: APIObject | undefined,
  fields: readonly string[],
): readonly FieldError[] {
  if (old?.immutable !== true) return []
  const changed = fields.filter(field => !deepEqual(next[field] ?? {}, old[field] ?? {}))
  if (next.immutable !== true) changed.unshift('immutable')
  return changed.map(field => forbiddenField(field, 'field is immutable when `immutable` is set'))
}

function record(value: unknown) {
  return isRecord(value) ? value : {}
}
