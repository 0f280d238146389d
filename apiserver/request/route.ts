/** Where a path leads. */

import { badRequest } from '../status-error.ts'

/** A path below `/api/v1` or `/apis/group/version` that names a resource. */
export interface ResourcePath {
  readonly group: string
  readonly version: string
  /** '' when the path names none. */
  readonly namespace: string
  readonly plural: string
  /** '' for the collection. */
  readonly name: string
  readonly subresource: string
  /** True for the old way to ask for a watch: `watch` before the resource. */
  readonly watched: boolean
}

const namespaceSubresources: ReadonlySet<string> = new Set(['status', 'finalize'])

/**
 * Splits a request's path into its steps and its query; throws a 400 for a path that cannot be decoded. As in Kubernetes it
 * is decoded first, so that an encoded slash is a slash; a step between two slashes is an empty one, which leads nowhere.
 */
export function splitPath(path: string): { readonly steps: readonly string[]; readonly query: URLSearchParams } {
  const mark = path.indexOf('?')
  const plain = mark < 0 ? path : path.slice(0, mark)
  const query = mark < 0 ? noQuery : new URLSearchParams(path.slice(mark + 1))
  const decoded = plain.includes('%') ? unescaped(plain) : plain
  const inner = decoded.replace(/^\//, '').replace(/\/+$/, '')
  return { steps: inner === '' ? [] : inner.split('/'), query }
}

const noQuery = new URLSearchParams()

/** The resource that a path names, undefined where it names none. */
export function resourcePath(steps: readonly string[]): ResourcePath | undefined {
  const [root, first = '', second = ''] = steps
  if (root === 'api') return below('', first, steps.slice(2))
  if (root === 'apis') return below(first, second, steps.slice(3))
  return undefined
}

/** The query that asks for a watch of one object, or of all, as one asks for it today. */
export function watchQuery(query: URLSearchParams, name: string): URLSearchParams {
  const modern = new URLSearchParams(query)
  modern.set('watch', 'true')
  if (name === '') return modern
  const terms = [query.get('fieldSelector') ?? '', `metadata.name=${name}`]
  modern.set('fieldSelector', terms.filter(term => term !== '').join(','))
  return modern
}

function below(group: string, version: string, steps: readonly string[]): ResourcePath | undefined {
  if (steps[0] === 'watch' && steps.length > 1) return watchedBelow(below(group, version, steps.slice(1)))
  const [first = '', second = '', third = ''] = steps
  const insideNamespace = first === 'namespaces' && steps.length > 2 && !(group === '' && isNamespaceItself(steps))
  if (insideNamespace) {
    if (steps.length > 5) return undefined
    const [, , plural = '', name = '', subresource = ''] = steps
    return { group, version, namespace: second, plural, name, subresource, watched: false }
  }
  if (first === '' || steps.length > 3) return undefined
  return { group, version, namespace: '', plural: first, name: second, subresource: third, watched: false }
}

function watchedBelow(path: ResourcePath | undefined): ResourcePath | undefined {
  return path?.subresource === '' ? { ...path, watched: true } : undefined
}

function isNamespaceItself(steps: readonly string[]): boolean {
  return steps.length === 3 && namespaceSubresources.has(steps[2] ?? '')
}

function unescaped(path: string): string {
  const wrong = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(path)
  if (wrong !== null) throw badRequest(`invalid URL escape ${JSON.stringify(wrong[0])}`)
  try {
    return decodeURIComponent(path)
  } catch {
    // Escapes that are no UTF-8 name what cannot be there.
    return path.replace(/%[89a-fA-F][0-9a-fA-F]/g, '\ufffd').replace(/%[0-7][0-9a-fA-F]/g, decodeURIComponent)
  }
}
