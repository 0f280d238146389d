/** What a client sent, made into an object of the kind: checked, pruned, completed with defaults. */

import type { APIObject, JSONObject } from '../api-object.ts'
import { isRecord, withMember } from '../api-object.ts'
import { configurationWrongs } from '../apply/configuration-wrongs.ts'
import { invalidValue } from '../field-errors.ts'
import { checkTypes } from '../kinds/check-types.ts'
import { readMetadata } from '../metadata.ts'
import { withOwnersOnce } from '../metadata-warnings.ts'
import type { ServedResource } from '../registry.ts'
import type { DecodedObject } from '../request/body.ts'
import { yamlErrors } from '../request/body.ts'
import type { StrayNulls } from '../schema/defaults.ts'
import type { Scope, WriteOptions } from '../scope.ts'
import type { StatusError } from '../status-error.ts'
import { badRequest, invalid, unforeseen } from '../status-error.ts'
import { UndecodableError } from '../undecodable-error.ts'

/** Most names listed in one error or warning about fields. */
const listedFields = 100

/** The value with the kind that the path implies: clients that know a built-in kind by its type may leave it out. */
function withImpliedKind({ definition, apiVersion }: ServedResource, value: JSONObject): JSONObject {
  if (!definition.builtin || (value.kind && value.apiVersion)) return value
  return { ...value, apiVersion: value.apiVersion || apiVersion, kind: value.kind || definition.kind }
}

/** Checks that a value is an object of the resource's kind and version. */
function checkKind({ definition, apiVersion }: ServedResource, value: JSONObject): void {
  const { kind } = value
  if (typeof kind !== 'string' || kind === '') {
    throw new UndecodableError(`Object 'Kind' is missing in '${JSON.stringify(value)}'`)
  }
  if (typeof value.apiVersion !== 'string' || value.apiVersion === '') {
    throw new UndecodableError(`Object 'apiVersion' is missing in '${JSON.stringify(value)}'`)
  }
  if (value.apiVersion === apiVersion && kind === definition.kind) return
  if (definition.builtin) {
    throw new UndecodableError(
      `no kind ${JSON.stringify(kind)} for version ${JSON.stringify(value.apiVersion)} is served here`,
    )
  }
  const { name } = isRecord(value.metadata) ? value.metadata : {}
  const [group = ''] = value.apiVersion.includes('/') ? value.apiVersion.split('/') : []
  throw invalid({ group, kind }, typeof name === 'string' ? name : '', [
    ...(kind === definition.kind ? [] : [invalidValue('kind', kind, `must be ${definition.kind}`)]),
    ...(value.apiVersion === apiVersion ? [] : [invalidValue('apiVersion', value.apiVersion, `must be ${apiVersion}`)]),
  ])
}

/** Reads the body of a create or update as an object of the kind; throws 400 or 422 where it is none. */
export function admitBody(scope: Scope, decoded: DecodedObject, options: WriteOptions): APIObject {
  const { value } = decoded
  const { definition, apiVersion } = scope.resource
  const { kind, apiVersion: given } = withImpliedKind(scope.resource, value)
  if (!definition.builtin && typeof given === 'string' && given !== '' && given !== apiVersion) {
    throw badRequest(`the API version in the data (${given}) does not match the expected API version (${apiVersion})`)
  }
  const start = kind
    ? `${kind} in version ${JSON.stringify(definition.version)} cannot be handled as a ${definition.kind}`
    : `the object provided is unrecognized (must be of type ${definition.kind})`
  return decoding(
    message => badRequest(`${start}: ${message}`),
    () => admit(scope, decoded, options),
  )
}

/** Reads what a patch came to as an object of the kind; throws a 422 where it is none. */
export function admitPatched(scope: Scope, patched: DecodedObject, options: WriteOptions): APIObject {
  const { value } = patched
  return decoding(
    message => invalid({ group: '', kind: '' }, '', [invalidValue('patch', JSON.stringify(value), message)]),
    () => admit(scope, patched, options),
  )
}

/** Reads the configuration of an apply, which must be what the schema says to the letter; throws 400 or 500. */
export function admitConfiguration({ definition, apiVersion }: ServedResource, value: JSONObject): APIObject {
  const given = isRecord(value.metadata) ? value.metadata : {}
  if ((given.managedFields ?? undefined) !== undefined) throw badRequest('metadata.managedFields must be nil')
  if (value.kind !== definition.kind || value.apiVersion !== apiVersion) {
    throw badRequest(`invalid object type: ${gvk(value.apiVersion, value.kind)}`)
  }
  const wrongs = configurationWrongs(value, definition.schema)
  if (wrongs.length > 0) {
    const name = `${given.namespace ?? ''}/${given.name ?? ''}`
    const text = wrongs.length === 1 ? wrongs[0] : `errors:\n  ${wrongs.join('\n  ')}`
    throw unforeseen(`failed to create typed patch object (${name}; ${gvk(apiVersion, definition.kind)}): ${text}`)
  }
  return asObject({ ...value, metadata: readMetadata(value.metadata).metadata })
}

function gvk(apiVersion: unknown, kind: unknown): string {
  const version = typeof apiVersion === 'string' ? apiVersion : ''
  return `${version.includes('/') ? '' : '/'}${version}, Kind=${typeof kind === 'string' ? kind : ''}`
}

function decoding<T>(refusal: (message: string) => StatusError, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof UndecodableError ? refusal(error.message) : error
  }
}

function admit(scope: Scope, decoded: DecodedObject, options: WriteOptions): APIObject {
  const { object, warnings } = withOwnersOnce(withDefaults(scope, pruned(scope, decoded, options)))
  scope.warnings.push(...warnings)
  return object
}

/** The object without fields that the kind does not have; refuses or warns about them as asked. */
function pruned(scope: Scope, decoded: DecodedObject, options: WriteOptions): APIObject {
  const { definition } = scope.resource
  const value = withImpliedKind(scope.resource, decoded.value)
  checkKind(scope.resource, value)
  const { metadata, unknown } = readMetadata(value.metadata)
  if (definition.builtin && definition.schema !== undefined) checkTypes(value, definition.schema, definition.kind)
  const read = metadata === value.metadata ? value : withMember(value, 'metadata', metadata)
  const compiled = definition.compiled
  const fields = options.fieldValidation === 'Ignore' ? [] : [...unknown, ...(compiled?.unknownFields(read) ?? [])]
  report(scope, options, [
    ...duplicatesOf(decoded, options),
    ...fields.map(field => `unknown field ${JSON.stringify(field)}`),
  ])
  return asObject(compiled === undefined ? read : compiled.prune(read))
}

/** A refusal names the duplicates of YAML as one error, warnings one by one. */
function duplicatesOf({ duplicates }: DecodedObject, options: WriteOptions): readonly string[] {
  const inLines = duplicates[0]?.startsWith('line ') && options.fieldValidation === 'Strict'
  return inLines ? [yamlErrors(duplicates)] : duplicates
}

/** The object with the kind's defaults. */
export function withDefaults(scope: Scope, object: APIObject, nulls?: StrayNulls): APIObject {
  return scope.resource.definition.compiled?.applyDefaults(object, nulls) ?? object
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
  throw new UndecodableError(`strict decoding error: ${listed.join(', ')}`)
}
