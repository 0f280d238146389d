/** What a request wants to do, as far as the right to it depends on that. */
import type { APIRequest } from '../api-request.ts'
import { parseFieldSelector } from '../request/field-selector.ts'
import { readBoolean } from '../request/query.ts'
import { resourcePath } from '../request/route.ts'

/** Something done to objects of a resource. */
export interface ResourceAttributes {
  /** get, list, watch, create, update, patch, delete, deletecollection, or one that only rules know (bind, escalate, impersonate). */
  readonly verb: string
  /** '' for the core group. */
  readonly group: string
  readonly plural: string
  readonly subresource: string
  /** '' for all namespaces, and for what has none. */
  readonly namespace: string
  /** '' for all of them, and for one that gets its name later. */
  readonly name: string
}

/** Something done to a path that is no resource. */
export interface PathAttributes {
  readonly verb: string
  readonly path: string
}

/** What somebody wants to do. */
export type Attributes = ResourceAttributes | PathAttributes

const methods: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** What a request wants to do, whether or not the resource is served: whoever has no right does not learn that. */
export function attributesOf({ method }: APIRequest, steps: readonly string[], query: URLSearchParams): Attributes {
  const resource = resourcePath(steps)
  const plain = methods[method] ?? method.toLowerCase()
  if (resource === undefined || resource.plural === '') return { verb: plain, path: `/${steps.join('/')}` }
  const { group, plural, subresource, watched } = resource
  const name = resource.name === '' && plain !== 'create' ? nameSelected(query) : resource.name
  // A namespace is inside itself: a role in it may give rights to it.
  const namespace = group === '' && plural === 'namespaces' ? resource.name : resource.namespace
  return {
    verb: watched ? 'watch' : resource.name === '' ? collectionVerb(plain, query) : plain,
    group,
    plural,
    subresource,
    namespace,
    name,
  }
}

function collectionVerb(verb: string, query: URLSearchParams): string {
  if (verb === 'delete') return 'deletecollection'
  if (verb !== 'get') return verb
  return readBoolean(query, 'watch') ? 'watch' : 'list'
}

/** Whoever asks for the objects of one name asks for that object. */
function nameSelected(query: URLSearchParams): string {
  const selector = query.get('fieldSelector')
  if (selector === null || !selector.startsWith('metadata.name')) return ''
  const [term, another] = termsOf(selector)
  if (another !== undefined || term?.field !== 'metadata.name' || term.operator !== '=') return ''
  return term.value
}

/** A selector that cannot be read selects no name: who may ask at all is told what is wrong with it. */
function termsOf(selector: string): ReturnType<typeof parseFieldSelector> {
  try {
    return parseFieldSelector(selector)
  } catch {
    return []
  }
}

/** What a request wants, as it is told to whoever may not: `get resource "pods" in API group "" in the namespace "shop"`. */
export function describeWish(attributes: Attributes): string {
  if ('path' in attributes) return `${attributes.verb} path "${attributes.path}"`
  const { verb, group, namespace } = attributes
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`
  return `${verb} resource "${resourceName(attributes)}" in API group "${group}" ${where}`
}

/** The resource as rules name it: `deployments`, `deployments/status`. */
export function resourceName({ plural, subresource }: ResourceAttributes): string {
  return subresource === '' ? plural : `${plural}/${subresource}`
}
