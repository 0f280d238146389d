/** The operations on a resource, whichever version of OpenAPI describes them. */

import type { ResourceDefinition, Verb } from '../resource-definition.ts'
import type { GroupVersionKind } from './document-schema.ts'
import { kindNames } from './kind-schemas.ts'
import { names } from './meta-schemas.ts'
import {
  deleteParameters,
  listParameters,
  type Parameter,
  pageParameters,
  patchParameters,
  pathParameter,
  pretty,
  readParameters,
  writeParameters,
} from './parameters.ts'

const jsonTypes = ['application/json', 'application/yaml']
const listTypes = [...jsonTypes, 'application/json;stream=watch']
const patchTypes = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json']
const strategicType = 'application/strategic-merge-patch+json'

/** What can be asked for at one path. */
export interface Route {
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly operations: readonly Operation[]
}

/** One operation. */
export interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'patch'
  /** What Kubernetes calls it. */
  readonly action: string
  /** Unique in all documents. */
  readonly id: string
  readonly description: string
  readonly tag: string
  readonly parameters: readonly Parameter[]
  readonly body?: { readonly schema: string; readonly types: readonly string[]; readonly required: boolean }
  /** The schema of the answer, its media types, and the status codes that it may come with. */
  readonly answer: string
  readonly answerTypes: readonly string[]
  readonly codes: readonly (200 | 201 | 202)[]
  readonly about: GroupVersionKind
}

/** What the status codes say. */
export const statusTexts = { 200: 'OK', 201: 'Created', 202: 'Accepted', 401: 'Unauthorized' } as const

type Said = Pick<Operation, 'method' | 'id' | 'description' | 'answer'> & Partial<Operation>

/** The paths of a resource with their operations. */
export function routesOf(definition: ResourceDefinition): readonly Route[] {
  const { group, version, kind, plural, namespaced, builtin, subresources } = definition
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const parent = namespaced ? `${root}/namespaces/{namespace}` : root
  const { tag, mark } = groupMark(definition)
  const suffix = namespaced ? `Namespaced${kind}` : kind
  const own = kindNames(definition)
  const can = (verb: Verb) => definition.verbs.includes(verb)

  const about = { group, version, kind }
  const operation = (said: Said): Operation => ({
    action: said.method,
    tag,
    parameters: [],
    answerTypes: jsonTypes,
    codes: [200],
    about,
    ...said,
  })
  const list = (id: string) =>
    operation({
      method: 'get',
      action: 'list',
      id,
      description: `list objects of kind ${kind}`,
      parameters: listParameters,
      answer: own.list,
      answerTypes: builtin ? listTypes : jsonTypes,
    })
  const create = operation({
    method: 'post',
    id: `create${mark}${suffix}`,
    description: `create a ${kind}`,
    parameters: writeParameters,
    body: { schema: own.kind, types: jsonTypes, required: true },
    answer: own.kind,
    codes: [200, 201, 202],
  })
  const deletion = { schema: names.deleteOptions, types: jsonTypes, required: false }
  const removeAll = operation({
    method: 'delete',
    action: 'deletecollection',
    id: `delete${mark}Collection${suffix}`,
    description: `delete collection of ${kind}`,
    parameters: builtin ? [...pageParameters, ...deleteParameters] : listParameters,
    ...(builtin && { body: deletion }),
    answer: names.status,
  })
  const remove = operation({
    method: 'delete',
    id: `delete${mark}${suffix}`,
    description: `delete a ${kind}`,
    parameters: deleteParameters,
    body: deletion,
    answer: names.status,
    codes: [200, 202],
  })

  /** Of the object itself (`part` is ''), or of what stands below it. */
  const readAndWrite = (part: '' | 'Status' | 'Scale', schema: string): readonly Operation[] => {
    const id = `${mark}${suffix}${part}`
    const what = part === '' ? `the specified ${kind}` : `${part.toLowerCase()} of the specified ${kind}`
    const types = builtin ? [...patchTypes, strategicType] : patchTypes
    const read = operation({
      method: 'get',
      id: `read${id}`,
      description: `read ${what}`,
      parameters: builtin ? [] : readParameters,
      answer: schema,
    })
    const replace = operation({
      method: 'put',
      id: `replace${id}`,
      description: `replace ${what}`,
      parameters: writeParameters,
      body: { schema, types: jsonTypes, required: true },
      answer: schema,
      codes: [200, 201],
    })
    const patch = operation({
      method: 'patch',
      id: `patch${id}`,
      description: `partially update ${what}`,
      parameters: patchParameters,
      body: { schema: names.patch, types, required: true },
      answer: schema,
      codes: builtin ? [200, 201] : [200],
    })
    return [...(can('get') ? [read] : []), ...(can('update') ? [replace] : []), ...(can('patch') ? [patch] : [])]
  }

  const within = namespaced ? [pathParameter('namespace', 'object name and auth scope, such as for teams')] : []
  const collection: Route = {
    path: `${parent}/${plural}`,
    parameters: [...within, pretty],
    operations: [
      ...(can('list') ? [list(`list${mark}${suffix}`)] : []),
      ...(can('create') ? [create] : []),
      ...(can('deletecollection') ? [removeAll] : []),
    ],
  }
  const one = (part: string, operations: readonly Operation[]): Route => ({
    path: `${parent}/${plural}/{name}${part}`,
    parameters: [pathParameter('name', `name of the ${kind}`), ...within, pretty],
    operations,
  })
  const everywhere: Route = {
    path: `${root}/${plural}`,
    parameters: [pretty],
    operations: [list(`list${mark}${kind}ForAllNamespaces`)],
  }
  return [
    collection,
    one('', [...readAndWrite('', own.kind), ...(can('delete') ? [remove] : [])]),
    ...(subresources.status ? [one('/status', readAndWrite('Status', own.kind))] : []),
    ...(subresources.scale ? [one('/scale', readAndWrite('Scale', names.scale))] : []),
    ...(namespaced && can('list') ? [everywhere] : []),
  ]
}

/** `compute.skystead.dev` in v1 as operations are marked: `computeSkysteadDev_v1`, `ComputeSkysteadDevV1`. */
function groupMark({ group, version }: ResourceDefinition): { tag: string; mark: string } {
  const name = group === '' ? 'core' : group.replace(/\.k8s\.io$/, '')
  const [first = '', ...rest] = name.split(/[^a-zA-Z0-9_]+/)
  const camelCase = [first, ...rest.map(capital)].join('')
  return { tag: `${camelCase}_${version}`, mark: `${capital(camelCase)}${capital(version)}` }
}

function capital(word: string): string {
  return `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`
}
