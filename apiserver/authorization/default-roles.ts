/** Roles and bindings that every server has from its first start: those of Kubernetes that mean something here. */

import { timestamp } from '../../crds/environment.ts'
import type { APIObject, JSONObject } from '../api-object.ts'
import { healthPaths } from '../health-paths.ts'
import type { ServerContext } from '../scope.ts'
import { accessCollection, accessGroup, mastersGroup } from './authorizer.ts'

const bootstrap = 'kubernetes.io/bootstrapping'
const aggregateTo = 'rbac.authorization.k8s.io/aggregate-to-'

const reading = ['get', 'list', 'watch']
const writing = ['create', 'delete', 'deletecollection', 'patch', 'update']

const infoPaths = [...healthPaths, '/version', '/version/']
const discoveryPaths = ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*', ...infoPaths]
const selfReviews = { resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'], verbs: ['create'] }

interface DefaultRole {
  readonly rules?: readonly JSONObject[]
  readonly labels?: Readonly<Record<string, string>>
  /** The label whose bearers' rules become this role's. */
  readonly aggregates?: string
}

/** What is inside a namespace and belongs to its users. */
const namespaceResources = ['configmaps', 'secrets', 'serviceaccounts']

const clusterRoles: Readonly<Record<string, DefaultRole>> = {
  'cluster-admin': {
    rules: [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['*'] },
    ],
  },
  admin: { aggregates: `${aggregateTo}admin` },
  edit: { aggregates: `${aggregateTo}edit`, labels: { [`${aggregateTo}admin`]: 'true' } },
  view: { aggregates: `${aggregateTo}view`, labels: { [`${aggregateTo}edit`]: 'true' } },
  'system:aggregate-to-admin': {
    labels: { [`${aggregateTo}admin`]: 'true' },
    rules: [
      { apiGroups: ['authorization.k8s.io'], resources: ['localsubjectaccessreviews'], verbs: ['create'] },
      { apiGroups: [accessGroup], resources: ['roles', 'rolebindings'], verbs: [...reading, ...writing] },
    ],
  },
  'system:aggregate-to-edit': {
    labels: { [`${aggregateTo}edit`]: 'true' },
    rules: [
      { apiGroups: [''], resources: ['secrets'], verbs: reading },
      { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['impersonate'] },
      { apiGroups: [''], resources: namespaceResources, verbs: writing },
      { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] },
      { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: writing },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: [...reading, ...writing] },
    ],
  },
  'system:aggregate-to-view': {
    labels: { [`${aggregateTo}view`]: 'true' },
    rules: [
      { apiGroups: [''], resources: ['configmaps', 'serviceaccounts', 'namespaces'], verbs: reading },
      { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: reading },
    ],
  },
  'system:discovery': { rules: [{ nonResourceURLs: discoveryPaths, verbs: ['get'] }] },
  'system:basic-user': {
    rules: [
      { apiGroups: ['authorization.k8s.io'], ...selfReviews },
      { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
    ],
  },
  'system:public-info-viewer': { rules: [{ nonResourceURLs: infoPaths, verbs: ['get'] }] },
  'system:auth-delegator': {
    rules: [
      { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
      { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
    ],
  },
}

/** Who gets which of them, by the names of the bindings. */
const bindings: Readonly<Record<string, { readonly role: string; readonly groups: readonly string[] }>> = {
  'cluster-admin': { role: 'cluster-admin', groups: [mastersGroup] },
  'system:discovery': { role: 'system:discovery', groups: ['system:authenticated'] },
  'system:basic-user': { role: 'system:basic-user', groups: ['system:authenticated'] },
  'system:public-info-viewer': {
    role: 'system:public-info-viewer',
    groups: ['system:authenticated', 'system:unauthenticated'],
  },
}

/** Writes those that are missing. What somebody changed since stays as it is. */
export async function createDefaultRoles(context: ServerContext): Promise<void> {
  const roles = Object.entries(clusterRoles).map(([name, role]) => create(context, 'ClusterRole', name, roleBody(role)))
  const given = Object.entries(bindings).map(([name, { role, groups }]) =>
    create(context, 'ClusterRoleBinding', name, {
      roleRef: { apiGroup: accessGroup, kind: 'ClusterRole', name: role },
      subjects: groups.map(group => ({ apiGroup: accessGroup, kind: 'Group', name: group })),
    }),
  )
  await Promise.all([...roles, ...given])
}

function roleBody({ rules = [], labels, aggregates }: DefaultRole): JSONObject {
  const selector = { matchLabels: { [aggregates ?? '']: 'true' } }
  return {
    labels,
    rules,
    ...(aggregates !== undefined && { aggregationRule: { clusterRoleSelectors: [selector] } }),
  }
}

async function create(
  { store, environment }: ServerContext,
  kind: 'ClusterRole' | 'ClusterRoleBinding',
  name: string,
  body: JSONObject,
): Promise<void> {
  const collection = accessCollection(kind)
  if (store.get(collection, name) !== undefined) return
  const { labels, ...rest } = body
  const own = typeof labels === 'object' ? labels : {}
  const object: APIObject = {
    apiVersion: `${accessGroup}/v1`,
    kind,
    metadata: {
      name,
      uid: environment.random.uuid(),
      creationTimestamp: timestamp(environment.clock),
      labels: { [bootstrap]: 'rbac-defaults', ...own },
      annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
    },
    ...rest,
  }
  await store.put(collection, name, object)
}
