import type { AnyKind, Kind } from '../../crds/define-kind.ts'
import type { CommonStatus, ObjectMeta, Resource } from '../../crds/meta.ts'

/** Any object of the API, of which only the envelope is known. */
export interface ApiObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

/** A kind of Kubernetes itself, with its object's type. */
export interface BuiltInKind<T extends ApiObject = ApiObject> {
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
  /** Type only: never set. */
  readonly object?: T
}

/** What the client can be asked for: a kind of ours or one of Kubernetes. */
export type AnyApiKind = AnyKind | BuiltInKind

/** The object type of a kind. */
export type ObjectOf<K> =
  K extends Kind<infer Spec, infer Status extends CommonStatus>
    ? Resource<Spec, Status>
    : K extends BuiltInKind<infer T>
      ? T
      : never

/** Whether objects of the kind live in namespaces. */
export function isNamespaced(kind: AnyApiKind): boolean {
  return 'scope' in kind ? kind.scope === 'Namespaced' : kind.namespaced
}

/** A query parameter; left out where it is undefined. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** The path of a kind's collection; of all namespaces where none is given. */
export function collectionPath(kind: AnyApiKind, namespace?: string, query: Query = {}): string {
  const root = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`
  const within = isNamespaced(kind) && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${within}/${kind.plural}${queryText(query)}`
}

/** The name of one object. */
export interface ObjectName {
  readonly name: string
  readonly namespace?: string | undefined
}

/** The path of one object, or of its subresource. Throws where a namespace is missing. */
export function objectPath(
  kind: AnyApiKind,
  { name, namespace }: ObjectName,
  query: Query = {},
  subresource?: 'status',
): string {
  if (isNamespaced(kind) && namespace === undefined) {
    throw new TypeError(`Cannot name ${kind.kind} ${name}: it lives in a namespace and none is given`)
  }
  const sub = subresource === undefined ? '' : `/${subresource}`
  return `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}${sub}${queryText(query)}`
}

function queryText(query: Query): string {
  const parts: string[] = []
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) parts.push(`${key}=${encodeURIComponent(value)}`)
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}
