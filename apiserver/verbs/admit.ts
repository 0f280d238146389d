/** What a client sent, made into an object of the kind: checked, pruned, completed with defaults. */

import type { APIObject, JSONObject } from '../api-object.ts'
import { withMember } from '../api-object.ts'
import { readMetadata } from '../metadata.ts'
import type { ServedResource } from '../registry.ts'
import type { Decoded } from '../request/body.ts'
import type { Scope, WriteOptions } from '../scope.ts'
import { badRequest } from '../status-error.ts'

/** Most names listed in one error or warning about fields. */
const listedFields = 100

/** Refuses or warns about fields given twice. */
export function checkDuplicates(scope: Scope, decoded: Decoded, options: WriteOptions): void {
  report(
    scope,
    options,
    decoded.duplicates.map(field => `duplicate field ${JSON.stringify(field)}`),
  )
}

/** The value with the kind that the path implies: clients that know a built-in kind by its type may leave it out. */
function withImpliedKind({ definition, apiVersion }: ServedResource, value: JSONObject): JSONObject {
  if (!definition.builtin || (value.kind && value.apiVersion)) return value
  return { ...value, apiVersion: value.apiVersion || apiVersion, kind: value.kind || definition.kind }
}

/** Checks that a value is an object of the resource's kind and version. */
export function checkKind({ definition, apiVersion }: ServedResource, value: JSONObject): void {
  if (typeof value.kind !== 'string' || value.kind === '') {
    throw badRequest("Object 'Kind' is missing in the body of the request")
  }
  if (typeof value.apiVersion !== 'string' || value.apiVersion === '') {
    throw badRequest("Object 'apiVersion' is missing in the body of the request")
  }
  if (value.apiVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${value.apiVersion}) does not match the expected API version (${apiVersion})`,
    )
  }
  if (value.kind !== definition.kind) {
    const version = JSON.stringify(definition.version)
    throw badRequest(
      `${value.kind} in version ${version} cannot be handled as a ${definition.kind}: the kind in the data does not match`,
    )
  }
}

/** Reads what a client wrote as an object of the kind; throws a 400 for a wrong kind, type or unknown field. */
export function admit(scope: Scope, value: JSONObject, options: WriteOptions): APIObject {
  return withDefaults(scope, pruned(scope, value, options))
}

/** The object without fields that the kind does not have; refuses or warns about them as asked. */
export function pruned(scope: Scope, given: JSONObject, options: WriteOptions): APIObject {
  const { definition } = scope.resource
  const value = withImpliedKind(scope.resource, given)
  checkKind(scope.resource, value)
  const { metadata, unknown } = readMetadata(value.metadata)
  const read = metadata === value.metadata ? value : withMember(value, 'metadata', metadata)
  const compiled = definition.compiled
  const fields = options.fieldValidation === 'Ignore' ? [] : [...unknown, ...(compiled?.unknownFields(read) ?? [])]
  report(
    scope,
    options,
    fields.map(field => `unknown field ${JSON.stringify(field)}`),
  )
  return asObject(compiled === undefined ? read : compiled.prune(read))
}

/** The object with the kind's defaults. */
export function withDefaults(scope: Scope, object: APIObject): APIObject {
  return scope.resource.definition.compiled?.applyDefaults(object) ?? object
}

/** Wire data whose kind, apiVersion and metadata have been read: an object, except that its name may be missing yet. */
function asObject(value: JSONObject): APIObject {
  return value as APIObject
}

function report(scope: Scope, options: WriteOptions, wrongs: readonly string[]): void {
  if (wrongs.length === 0 || options.fieldValidation === 'Ignore') return
  const listed = wrongs.slice(0, listedFields)
  if (options.fieldValidation === 'Warn') {
    scope.warnings.push(...listed.filter(wrong => !scope.warnings.includes(wrong)))
    return
  }
  const { kind, version } = scope.resource.definition
  throw badRequest(
    `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: strict decoding error: ${listed.join(', ')}`,
  )
}
