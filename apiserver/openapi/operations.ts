/** The operations on a resource, as OpenAPI describes them. */

import type { ResourceDefinition, Verb } from '../resource-definition.ts'

const jsonTypes = ['application/json', 'application/yaml']
const listTypes = [...jsonTypes, 'application/json;stream=watch']
// Strategic merge patches are taken for built-in kinds but not announced: kubectl would then build them from these
// schemas, which name no merge keys, instead of from its own types, which do.
const patchTypes = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json']

type ParameterType = 'string' | 'integer' | 'boolean'

function query(name: string, type: ParameterType, description: string): object {
  return { name, in: 'query', description, schema: { type, uniqueItems: true } }
}

function inPath(name: string, description: string): object {
  return { name, in: 'path', description, required: true, schema: { type: 'string', uniqueItems: true } }
}

const pretty = query('pretty', 'string', "If 'true', then the output is pretty printed.")
const dryRun = query('dryRun', 'string', "'All' processes the request without storing its result.")
const fieldManager = query('fieldManager', 'string', 'Name of who makes the change. Required for apply.')
const fieldValidation = query(
  'fieldValidation',
  'string',
  "What happens to unknown and duplicate fields: 'Ignore', 'Warn' (default) or 'Strict'.",
)
const force = query('force', 'boolean', 'Takes over fields that others manage. For apply only.')

const writeParameters = [dryRun, fieldManager, fieldValidation]
const patchParameters = [...writeParameters, force]
const deleteParameters = [
  dryRun,
  query('gracePeriodSeconds', 'integer', 'Seconds before the object is removed; 0 removes it at once.'),
  query('propagationPolicy', 'string', "What happens to dependents: 'Orphan', 'Background' or 'Foreground'."),
]
const listParameters = [
  query('allowWatchBookmarks', 'boolean', 'Asks for events that only carry a resource version.'),
  query('continue', 'string', 'Where the last page ended.'),
  query('fieldSelector', 'string', 'Restricts the objects by their fields.'),
  query('labelSelector', 'string', 'Restricts the objects by their labels.'),
  query('limit', 'integer', 'Largest number of objects in the answer.'),
  query('resourceVersion', 'string', 'The version to list or to watch from.'),
  query('resourceVersionMatch', 'string', "How resourceVersion is meant: 'NotOlderThan' or 'Exact'."),
  query('sendInitialEvents', 'boolean', 'Starts a watch with the present objects.'),
  query('timeoutSeconds', 'integer', 'How long a watch lasts.'),
  query('watch', 'boolean', 'Streams changes instead of a list.'),
]

/** Names of the schemas that the operations on a kind refer to. */
export interface SchemaNames {
  readonly kind: string
  readonly list: string
  readonly status: string
  readonly deleteOptions: string
  readonly patch: string
}

interface OperationOptions {
  readonly action: string
  readonly id: string
  readonly answer: string
  readonly parameters?: readonly object[]
  readonly body?: { readonly schema: string; readonly types: readonly string[] }
  readonly created?: boolean
}

function content(types: readonly string[], schema: string): object {
  const reference = { schema: { $ref: `#/components/schemas/${schema}` } }
  return Object.fromEntries(types.map(type => [type, reference]))
}

/** The paths of a resource, by their patterns. */
export function pathsOf(definition: ResourceDefinition, names: SchemaNames): Readonly<Record<string, object>> {
  const { group, version, kind, plural, namespaced } = definition
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const parent = namespaced ? `${root}/namespaces/{namespace}` : root
  const scope = namespaced ? 'Namespaced' : ''
  const suffix = `${scope}${kind}`
  const gvk = { group, kind, version }
  const can = (verb: Verb) => definition.verbs.includes(verb)

  const operation = (options: OperationOptions): object => {
    const ok = {
      description: 'OK',
      content: content(options.action === 'list' ? listTypes : jsonTypes, options.answer),
    }
    return {
      operationId: options.id,
      tags: [`${group === '' ? 'core' : group}_${version}`],
      ...(options.parameters ? { parameters: options.parameters } : {}),
      ...(options.body
        ? { requestBody: { required: true, content: content(options.body.types, options.body.schema) } }
        : {}),
      responses: {
        200: ok,
        ...(options.created ? { 201: { ...ok, description: 'Created' } } : {}),
        401: { description: 'Unauthorized' },
      },
      'x-kubernetes-action': options.action,
      'x-kubernetes-group-version-kind': gvk,
    }
  }
  const whole = { schema: names.kind, types: jsonTypes }
  const patch = { schema: names.patch, types: patchTypes }
  const options = { schema: names.deleteOptions, types: jsonTypes }
  const list = (id: string) => operation({ action: 'list', id, answer: names.list, parameters: listParameters })

  const namespace = namespaced ? [inPath('namespace', 'Namespace of the object.')] : []
  const collection = {
    parameters: [...namespace, pretty],
    ...(can('list') ? { get: list(`list${suffix}`) } : {}),
    ...(can('create')
      ? {
          post: operation({
            action: 'post',
            id: `create${suffix}`,
            answer: names.kind,
            parameters: writeParameters,
            body: whole,
            created: true,
          }),
        }
      : {}),
    ...(can('deletecollection')
      ? {
          delete: operation({
            action: 'deletecollection',
            id: `deleteCollection${suffix}`,
            answer: names.status,
            parameters: [...listParameters, ...deleteParameters],
            body: options,
          }),
        }
      : {}),
  }
  const named = [inPath('name', `Name of the ${kind}.`), ...namespace, pretty]
  const readAndWrite = (ending: string) => ({
    parameters: named,
    ...(can('get') ? { get: operation({ action: 'get', id: `read${suffix}${ending}`, answer: names.kind }) } : {}),
    ...(can('update')
      ? {
          put: operation({
            action: 'put',
            id: `replace${suffix}${ending}`,
            answer: names.kind,
            parameters: writeParameters,
            body: whole,
            created: true,
          }),
        }
      : {}),
    ...(can('patch')
      ? {
          patch: operation({
            action: 'patch',
            id: `patch${suffix}${ending}`,
            answer: names.kind,
            parameters: patchParameters,
            body: patch,
            created: true,
          }),
        }
      : {}),
  })
  const item = {
    ...readAndWrite(''),
    ...(can('delete')
      ? {
          delete: operation({
            action: 'delete',
            id: `delete${suffix}`,
            answer: names.status,
            parameters: deleteParameters,
            body: options,
          }),
        }
      : {}),
  }
  const paths: Record<string, object> = {
    [`${parent}/${plural}`]: collection,
    [`${parent}/${plural}/{name}`]: item,
  }
  if (definition.subresources.status) paths[`${parent}/${plural}/{name}/status`] = readAndWrite('Status')
  if (namespaced && can('list')) {
    paths[`${root}/${plural}`] = { parameters: [pretty], get: list(`list${kind}ForAllNamespaces`) }
  }
  return paths
}
