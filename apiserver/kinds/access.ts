/** Roles and bindings: rbac.authorization.k8s.io/v1. */

import deepEqual from 'fast-deep-equal'
import type { APIObject, JSONObject } from '../api-object.ts'
import { isRecord } from '../api-object.ts'
import { accessGroup, accessPlurals } from '../authorization/authorizer.ts'
import { checkBindingEscalation, checkRoleEscalation } from '../authorization/escalation.ts'
import { invalidValue, requiredValue, unsupportedValue } from '../field-errors.ts'
import type { FieldError } from '../schema/field-error.ts'
import type { StructuralSchema } from '../schema/structural-schema.ts'
import type { Strategy } from '../strategy.ts'
import { plainStrategy } from '../strategy.ts'
import { serveBuiltin } from './builtin.ts'
import { kind, list, object, text, textMap } from './schemas.ts'

const served = { group: accessGroup, version: 'v1' }

const texts = (description: string) => list(description, text('One of them.'))

const rules = list(
  'Rules of the role.',
  object(
    'PolicyRule holds what may be done to what.',
    {
      verbs: texts('Verbs that may be used on all that the rule names. "*" is all of them.'),
      apiGroups: texts('API groups of the resources. "" is the core group, "*" all of them.'),
      resources: texts('Resources. "*" is all of them.'),
      resourceNames: texts('Names of the objects; without any the rule is about all of them.'),
      nonResourceURLs: texts('Paths that are no resources. A "*" at the end stands for any rest.'),
    },
    { required: ['verbs'] },
  ),
)

const selector: StructuralSchema = object('Selects ClusterRoles by their labels.', {
  matchLabels: textMap('Labels that have these values.'),
  matchExpressions: list(
    'What else their labels must be.',
    object('One requirement.', {
      key: text('The label.'),
      operator: text('One of In, NotIn, Exists, DoesNotExist.'),
      values: texts('The values.'),
    }),
  ),
})

const bindingSchema = {
  subjects: list(
    'Subjects that get the role.',
    object(
      'Subject is a user, a group or a service account.',
      {
        kind: text('Kind is User, Group or ServiceAccount.'),
        apiGroup: text('API group of the kind: "" for service accounts, rbac.authorization.k8s.io else.'),
        name: text('Name of the subject.'),
        namespace: text('Namespace of a service account.'),
      },
      { required: ['kind', 'name'] },
    ),
  ),
  roleRef: object(
    'RoleRef names the role. It cannot be changed.',
    { apiGroup: text('API group of the role.'), kind: text('Role or ClusterRole.'), name: text('Its name.') },
    { required: ['kind', 'name'] },
  ),
}

const roleStrategy: Strategy = { ...plainStrategy, nameRule: 'path-segment', checkWriter: checkRoleEscalation }

/** Roles of a namespace. */
export const roles = serveBuiltin(
  {
    ...served,
    kind: 'Role',
    plural: accessPlurals.Role,
    namespaced: true,
    schema: kind('Role is a set of rules that hold in its namespace.', { rules }),
  },
  { ...roleStrategy, validate: next => validateRules(next, true) },
)

/** Roles that hold wherever they are bound. */
export const clusterRoles = serveBuiltin(
  {
    ...served,
    kind: 'ClusterRole',
    plural: accessPlurals.ClusterRole,
    namespaced: false,
    schema: kind('ClusterRole is a set of rules that hold wherever it is bound.', {
      rules,
      aggregationRule: object('AggregationRule says whose rules become this role’s, in place of its own.', {
        clusterRoleSelectors: list('Any of them selects.', selector),
      }),
    }),
  },
  { ...roleStrategy, validate: next => validateRules(next, false) },
)

const bindingStrategy: Strategy = {
  ...plainStrategy,
  nameRule: 'path-segment',
  prepare: withDefaults,
  validate: validateBinding,
  checkWriter: checkBindingEscalation,
}

/** Bindings of roles in a namespace. */
export const roleBindings = serveBuiltin(
  {
    ...served,
    kind: 'RoleBinding',
    plural: accessPlurals.RoleBinding,
    namespaced: true,
    schema: kind('RoleBinding gives a role in its namespace.', bindingSchema),
  },
  bindingStrategy,
)

/** Bindings of cluster roles everywhere. */
export const clusterRoleBindings = serveBuiltin(
  {
    ...served,
    kind: 'ClusterRoleBinding',
    plural: accessPlurals.ClusterRoleBinding,
    namespaced: false,
    schema: kind('ClusterRoleBinding gives a cluster role everywhere.', bindingSchema),
  },
  bindingStrategy,
)

function validateRules({ rules: given }: APIObject, namespaced: boolean): readonly FieldError[] {
  return recordsOf(given).flatMap((rule, index) => {
    const at = `rules[${index}]`
    if (isEmpty(rule.verbs)) return [requiredValue(`${at}.verbs`, 'verbs must contain at least one value')]
    const { nonResourceURLs, apiGroups, resources, resourceNames } = rule
    if (isEmpty(nonResourceURLs)) return validateResourceRule(rule, at)
    if (namespaced) {
      const message = 'namespaced rules cannot apply to non-resource URLs'
      return [invalidValue(`${at}.nonResourceURLs`, nonResourceURLs, message)]
    }
    if (isEmpty(apiGroups) && isEmpty(resources) && isEmpty(resourceNames)) return []
    const message = 'rules cannot apply to both regular resources and non-resource URLs'
    return [invalidValue(`${at}.nonResourceURLs`, nonResourceURLs, message)]
  })
}

function validateResourceRule({ apiGroups, resources }: JSONObject, at: string): readonly FieldError[] {
  return [
    ...(isEmpty(apiGroups)
      ? [requiredValue(`${at}.apiGroups`, 'resource rules must supply at least one api group')]
      : []),
    ...(isEmpty(resources)
      ? [requiredValue(`${at}.resources`, 'resource rules must supply at least one resource')]
      : []),
  ]
}

function withDefaults(next: APIObject): APIObject {
  const { roleRef, subjects } = next
  const reference = isRecord(roleRef) && !roleRef.apiGroup ? { roleRef: { ...roleRef, apiGroup: accessGroup } } : {}
  if (!Array.isArray(subjects)) return { ...next, ...reference }
  const completed = subjects.map(subject => {
    if (!isRecord(subject) || subject.apiGroup || subject.kind === 'ServiceAccount') return subject
    return { ...subject, apiGroup: accessGroup }
  })
  return { ...next, ...reference, subjects: completed }
}

const roleKinds: Readonly<Record<string, readonly string[]>> = {
  RoleBinding: ['Role', 'ClusterRole'],
  ClusterRoleBinding: ['ClusterRole'],
}

function validateBinding(next: APIObject, old: APIObject | undefined): readonly FieldError[] {
  const roleRef = isRecord(next.roleRef) ? next.roleRef : {}
  if (old !== undefined && !deepEqual(next.roleRef, old.roleRef)) {
    return [invalidValue('roleRef', next.roleRef, 'cannot change roleRef')]
  }
  const kinds = roleKinds[next.kind] ?? []
  return [
    ...(roleRef.apiGroup === accessGroup
      ? []
      : [unsupportedValue('roleRef.apiGroup', roleRef.apiGroup, [accessGroup])]),
    ...(kinds.includes(String(roleRef.kind)) ? [] : [unsupportedValue('roleRef.kind', roleRef.kind, kinds)]),
    ...(roleRef.name ? [] : [requiredValue('roleRef.name')]),
    ...recordsOf(next.subjects).flatMap((subject, index) =>
      validateSubject(subject, `subjects[${index}]`, next.kind === 'RoleBinding'),
    ),
  ]
}

function validateSubject(subject: JSONObject, at: string, namespaced: boolean): readonly FieldError[] {
  const { kind: what, apiGroup = '', name, namespace } = subject
  const nameless = name ? [] : [requiredValue(`${at}.name`)]
  if (what === 'ServiceAccount') {
    const placeless = namespace || namespaced ? [] : [requiredValue(`${at}.namespace`)]
    return [...nameless, ...(apiGroup === '' ? [] : [unsupportedValue(`${at}.apiGroup`, apiGroup, [''])]), ...placeless]
  }
  if (what === 'User' || what === 'Group') {
    return [
      ...nameless,
      ...(apiGroup === accessGroup ? [] : [unsupportedValue(`${at}.apiGroup`, apiGroup, [accessGroup])]),
    ]
  }
  return [...nameless, unsupportedValue(`${at}.kind`, what, ['ServiceAccount', 'User', 'Group'])]
}

function recordsOf(value: unknown): readonly JSONObject[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}

function isEmpty(value: unknown): boolean {
  return !Array.isArray(value) || value.length === 0
}
