import type { APIObject } from '../api-object.ts'
import { isRecord, valueAt, withMember } from '../api-object.ts'
import { allVerbs } from '../resource-definition.ts'
import { forbidden } from '../status-error.ts'
import type { Strategy } from '../strategy.ts'
import { plainStrategy } from '../strategy.ts'
import type { BuiltinKind } from './builtin.ts'
import { serveBuiltin } from './builtin.ts'
import { conditions, kind, list, object, text } from './schemas.ts'

/** Namespaces that exist from the start and cannot be deleted. */
export const systemNamespaces = ['default', 'kube-system', 'kube-public', 'skystead-system'] as const

/** What keeps a namespace until everything in it is gone. */
export const namespaceFinalizer = 'kubernetes'

const namespaceKind: BuiltinKind = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  status: true,
  verbs: allVerbs.filter(verb => verb !== 'deletecollection'),
  schema: kind('Namespace provides a scope for names.', {
    spec: object('Spec defines the behaviour of the namespace.', {
      finalizers: list('Finalizers must be empty before the namespace is removed from storage.', text('Finalizer.')),
    }),
    status: object('Status is the current state of the namespace.', {
      phase: text('Phase is Active, or Terminating.'),
      conditions,
    }),
  }),
}

const strategy: Strategy = {
  ...plainStrategy,
  nameRule: 'label',
  fields: {
    'status.phase': object => String(valueAt(object, ['status', 'phase']) ?? ''),
    name: object => object.metadata.name,
  },
  prepare: (next, old) => (old === undefined ? prepareNew(next) : prepareChanged(next, old)),
  markDeleted: object => withMember(object, 'status', { ...record(object.status), phase: 'Terminating' }),
  holdsBack: object => specFinalizers(object).length > 0,
  beforeDelete: ({ metadata }) => {
    if (!systemNamespaces.some(name => name === metadata.name)) return
    throw forbidden(namespaceKind, metadata.name, 'this namespace may not be deleted')
  },
}

/** Namespaces. */
export const namespaces = serveBuiltin(namespaceKind, strategy)

/** The finalizers in a namespace's spec. */
export function specFinalizers(namespace: APIObject): readonly unknown[] {
  const finalizers = valueAt(namespace, ['spec', 'finalizers'])
  return Array.isArray(finalizers) ? finalizers : []
}

function prepareNew(next: APIObject): APIObject {
  const { metadata } = next
  // Kubernetes labels every namespace with its name, so that selectors can mean one.
  const labels = metadata.name ? { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name } : metadata.labels
  return {
    ...next,
    metadata: labels === undefined ? metadata : { ...metadata, labels },
    spec: { finalizers: [...new Set([...specFinalizers(next), namespaceFinalizer])] },
    status: { phase: 'Active' },
  }
}

/** The spec changes through `/finalize` only, and then only by losing finalizers. */
function prepareChanged(next: APIObject, old: APIObject): APIObject {
  const before = new Set(specFinalizers(old))
  const after = specFinalizers(next).filter(finalizer => before.has(finalizer))
  if (old.metadata.deletionTimestamp !== undefined && after.length < before.size) {
    return withMember(next, 'spec', after.length > 0 ? { finalizers: after } : {})
  }
  return withMember(next, 'spec', old.spec)
}

function record(value: unknown) {
  return isRecord(value) ? value : {}
}
