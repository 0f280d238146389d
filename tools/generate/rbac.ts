import { queryRoutes } from '../../controllers/query/routes.ts'
import { guardedFinalizer, operatorFields } from '../../crds/admission.ts'
import type { KindDefinition } from '../../crds/define-kind.ts'
import { Volume } from '../../crds/storage/volume.ts'

interface ResourceRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

/** Questions to the controllers are URLs, not resources. */
interface URLRule {
  readonly nonResourceURLs: readonly string[]
  readonly verbs: readonly string[]
}

type PolicyRule = ResourceRule | URLRule

const reading = ['get', 'list', 'watch']
const writing = ['create', 'update', 'patch', 'delete']
/** Verbs of Skystead's own, which admission asks the authorizer for. */
const operatorVerbs = [...new Set(operatorFields.map(({ verb }) => verb))].sort()

const controllers = { kind: 'ServiceAccount', name: 'skystead-controllers', namespace: 'skystead-system' }

/** The objects of `manifests/install/rbac.yaml`: what the controllers may do, and roles for people. */
export function rbac(kinds: readonly KindDefinition[]): readonly object[] {
  const tenants = kinds.filter(kind => kind.scope === 'Namespaced')
  const choices = kinds.filter(
    kind => kind.scope === 'Cluster' && /Offering$|Template$|^Zone$|^SharedNetwork$/.test(kind.kind),
  )
  return [
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'skystead-controllers', namespace: 'skystead-system' },
    },
    role('skystead-controllers', controllerRules(kinds)),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'skystead-controllers' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'skystead-controllers' },
      subjects: [controllers],
    },
    // In their own namespace: the installation's id, the credentials of power controllers, and by whom the work is shared.
    // No other Secret or Lease is theirs.
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'skystead-controllers', namespace: 'skystead-system' },
      rules: [
        { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create'] },
        { apiGroups: [''], resources: ['secrets'], verbs: ['get'] },
        { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'list', ...writing] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'skystead-controllers', namespace: 'skystead-system' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'skystead-controllers' },
      subjects: [controllers],
    },
    // Lets them know the certificates of the API's users, who ask them questions.
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'skystead-controllers-authentication', namespace: 'kube-system' },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'Role',
        name: 'extension-apiserver-authentication-reader',
      },
      subjects: [controllers],
    },
    role('skystead-operator', [
      ...byGroup(kinds, plural => [plural], [...reading, ...writing, 'deletecollection']),
      ...byGroup(kinds, plural => [plural], operatorVerbs),
      ...finalizerRules(kinds),
      { apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list'] },
      // Where the controllers answer questions, and everything that they can be asked.
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'list'] },
      { nonResourceURLs: queryRoutes.map(({ path }) => `/skystead${path}`), verbs: ['get'] },
    ]),
    // Tenants get theirs with Kubernetes' own roles, in the namespaces where they have them.
    role(
      'skystead-tenant-edit',
      byGroup(tenants, plural => [plural], [...reading, ...writing, 'deletecollection']),
      {
        'rbac.authorization.k8s.io/aggregate-to-admin': 'true',
        'rbac.authorization.k8s.io/aggregate-to-edit': 'true',
      },
    ),
    role(
      'skystead-tenant-view',
      byGroup(tenants, plural => [plural, `${plural}/status`], reading),
      {
        'rbac.authorization.k8s.io/aggregate-to-view': 'true',
      },
    ),
    // What tenants choose from is cluster-scoped: this role is bound to them cluster-wide.
    role(
      'skystead-catalogue-view',
      byGroup(choices, plural => [plural], reading),
    ),
  ]
}

function controllerRules(kinds: readonly KindDefinition[]): readonly PolicyRule[] {
  const withStatus = kinds.filter(kind => kind.statusSubresource !== false)
  return [
    ...byGroup(kinds, plural => [plural], [...reading, ...writing]),
    ...byGroup(withStatus, plural => [`${plural}/status`], ['get', 'update', 'patch']),
    ...finalizerRules(kinds),
    // They leave the root disk of a machine that is given back, which its own wish has allowed.
    { apiGroups: [Volume.group], resources: [Volume.plural], verbs: ['release'] },
    { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs: reading },
    { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
    { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
    { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
    { apiGroups: [''], resources: ['namespaces'], verbs: reading },
  ]
}

/** For owner references that block a deletion, and to take our own finalizers away. */
function finalizerRules(kinds: readonly KindDefinition[]): readonly PolicyRule[] {
  return byGroup(kinds, plural => [`${plural}/${guardedFinalizer.subresource}`], [guardedFinalizer.verb])
}

function byGroup(
  kinds: readonly KindDefinition[],
  resourcesOf: (plural: string) => readonly string[],
  verbs: readonly string[],
): readonly PolicyRule[] {
  const groups = [...new Set(kinds.map(kind => kind.group))].sort()
  return groups.map(group => ({
    apiGroups: [group],
    resources: kinds
      .filter(kind => kind.group === group)
      .flatMap(kind => resourcesOf(kind.plural))
      .sort(),
    verbs,
  }))
}

function role(name: string, rules: readonly PolicyRule[], labels?: Readonly<Record<string, string>>): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name, ...(labels === undefined ? {} : { labels }) },
    rules,
  }
}
