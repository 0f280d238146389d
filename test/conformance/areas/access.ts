import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { area, type Bench, like } from '../case.ts'
import { configMap } from '../definitions.ts'

const rbac = 'rbac.authorization.k8s.io'
const accessPath = `/apis/${rbac}/v1`

/** Whom a request acts as. */
interface Person {
  readonly headers: Readonly<Record<string, string | string[]>>
}

function as(user: string, ...groups: string[]): Person {
  return { headers: { 'impersonate-user': user, ...(groups.length > 0 && { 'impersonate-group': groups }) } }
}

function role(name: string, rules: readonly object[], more: object = {}): object {
  return { apiVersion: `${rbac}/v1`, kind: 'Role', metadata: { name, ...more }, rules }
}

function clusterRole(name: string, rules: readonly object[], more: object = {}): object {
  return { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name, ...more }, rules }
}

function binding(name: string, ref: { kind: string; name: string }, subjects: readonly object[]): object {
  const kind = 'RoleBinding'
  return { apiVersion: `${rbac}/v1`, kind, metadata: { name }, roleRef: { apiGroup: rbac, ...ref }, subjects }
}

function clusterBinding(name: string, ref: string, subjects: readonly object[]): object {
  const roleRef = { apiGroup: rbac, kind: 'ClusterRole', name: ref }
  return { apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata: { name }, roleRef, subjects }
}

const user = (name: string) => ({ apiGroup: rbac, kind: 'User', name })

const readMaps = { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] }

/** Gives a user a role of these rules in the case's namespace. */
async function giveRole(bench: Bench, name: string, rules: readonly object[]): Promise<string> {
  const path = `${accessPath}/namespaces/${await bench.namespace()}`
  await bench.api.post(`${path}/roles`, role('given', rules))
  await bench.api.post(`${path}/rolebindings`, binding('given', { kind: 'Role', name: 'given' }, [user(name)]))
  return `/api/v1/namespaces/${await bench.namespace()}/configmaps`
}

/** Asks until the answer has the status: rights come and go with a watch. */
async function eventually(bench: Bench, status: number, path: string, person: Person): Promise<void> {
  await bench.until(`status ${status} of ${path}`, async () => (await bench.api.get(path, person)).status === status)
}

async function removeAtEnd(bench: Bench, paths: readonly string[], run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } finally {
    for (const path of paths) await bench.api.remove(path)
  }
}

export const access = area('access', {
  'whoever has no right is refused, and told what he has no right to': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    const { status, body } = await bench.api.get(`${path}/a`, as('bob'))
    equal(status, 403)
    deepEqual(body, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `configmaps "a" is forbidden: User "bob" cannot get resource "configmaps" in API group "" in the namespace "${await bench.namespace()}"`,
      reason: 'Forbidden',
      details: { name: 'a', kind: 'configmaps' },
      code: 403,
    })
  },

  'a refusal of a whole collection names no object': async bench => {
    const path = `${accessPath}/namespaces/${await bench.namespace()}/roles`
    const { status, body } = await bench.api.get(path, as('bob'))
    equal(status, 403)
    like(body, {
      message: `roles.${rbac} is forbidden: User "bob" cannot list resource "roles" in API group "${rbac}" in the namespace "${await bench.namespace()}"`,
      details: { group: rbac, kind: 'roles' },
    })
    equal(body.details.name, undefined)
  },

  'a refusal outside namespaces speaks of the cluster scope': async bench => {
    const { body } = await bench.api.get('/api/v1/configmaps?watch=true', as('bob'))
    equal(
      body.message,
      'configmaps is forbidden: User "bob" cannot watch resource "configmaps" in API group "" at the cluster scope',
    )
  },

  'a refusal of a subresource names it': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}`
    const { body } = await bench.api.call('PUT', `${path}/status`, { ...as('bob'), body: {} })
    equal(body.code, 403)
    match(body.message, /User "bob" cannot update resource "namespaces\/status" in API group "" in the namespace/)
  },

  'a refusal of a path names the path': async bench => {
    const { status, body } = await bench.api.get('/nowhere/at/all', as('bob'))
    equal(status, 403)
    like(body, { message: 'forbidden: User "bob" cannot get path "/nowhere/at/all"', reason: 'Forbidden', details: {} })
  },

  'whoever has no right does not learn what is there': async bench => {
    const { status } = await bench.api.get('/apis/no.such.group/v1/things', as('bob'))
    equal(status, 403)
  },

  'every verb needs its own right': async bench => {
    const path = await giveRole(bench, 'bob', [{ ...readMaps, verbs: ['create'] }])
    const create = async () =>
      (await bench.api.post(path, configMap(bench.name()), as('bob'))).status === 201 || undefined
    await bench.until('the right to create', create)
    for (const [method, verb] of [
      ['GET', 'get'],
      ['PUT', 'update'],
      ['DELETE', 'delete'],
    ] as const) {
      const { body } = await bench.api.call(method, `${path}/a`, {
        ...as('bob'),
        ...(method === 'PUT' && { body: {} }),
      })
      match(body.message, new RegExp(`cannot ${verb} resource`))
    }
    const patch = { ...as('bob'), body: {}, type: 'application/merge-patch+json' }
    match((await bench.api.call('PATCH', `${path}/a`, patch)).body.message, /cannot patch resource/)
    match((await bench.api.call('DELETE', path, as('bob'))).body.message, /cannot deletecollection resource/)
  },

  'a role gives its rights in its namespace alone': async bench => {
    const path = await giveRole(bench, 'bob', [readMaps])
    await eventually(bench, 200, path, as('bob'))
    equal((await bench.api.get('/api/v1/namespaces/default/configmaps', as('bob'))).status, 403)
    equal((await bench.api.get('/api/v1/configmaps', as('bob'))).status, 403)
    equal((await bench.api.get(path, as('eve'))).status, 403)
  },

  'a cluster role bound in a namespace gives its rights there alone': async bench => {
    const name = bench.name('reader')
    const namespace = await bench.namespace()
    await removeAtEnd(bench, [`${accessPath}/clusterroles/${name}`], async () => {
      await bench.api.post(`${accessPath}/clusterroles`, clusterRole(name, [readMaps]))
      const given = binding('given', { kind: 'ClusterRole', name }, [user('bob')])
      await bench.api.post(`${accessPath}/namespaces/${namespace}/rolebindings`, given)
      await eventually(bench, 200, `/api/v1/namespaces/${namespace}/configmaps`, as('bob'))
      equal((await bench.api.get('/api/v1/configmaps', as('bob'))).status, 403)
    })
  },

  'a cluster role bound for the cluster gives its rights everywhere': async bench => {
    const name = bench.name('reader')
    const bound = [`${accessPath}/clusterrolebindings/${name}`, `${accessPath}/clusterroles/${name}`]
    const person = bench.name('bob')
    await removeAtEnd(bench, bound, async () => {
      await bench.api.post(`${accessPath}/clusterroles`, clusterRole(name, [readMaps]))
      await bench.api.post(`${accessPath}/clusterrolebindings`, clusterBinding(name, name, [user(person)]))
      await eventually(bench, 200, '/api/v1/configmaps', as(person))
      await eventually(bench, 200, `/api/v1/namespaces/${await bench.namespace()}/configmaps`, as(person))
    })
  },

  'what is taken back is refused again': async bench => {
    const path = await giveRole(bench, 'bob', [readMaps])
    await eventually(bench, 200, path, as('bob'))
    await bench.api.remove(`${accessPath}/namespaces/${await bench.namespace()}/rolebindings/given`)
    await eventually(bench, 403, path, as('bob'))
  },

  'a change of a role is a change of the rights': async bench => {
    const path = await giveRole(bench, 'bob', [{ ...readMaps, verbs: ['create'] }])
    const roles = `${accessPath}/namespaces/${await bench.namespace()}/roles`
    equal((await bench.api.get(path, as('bob'))).status, 403)
    equal((await bench.api.put(`${roles}/given`, role('given', [readMaps]))).status, 200)
    await eventually(bench, 200, path, as('bob'))
  },

  'a group is given rights as a user is': async bench => {
    const namespace = await bench.namespace()
    const path = `${accessPath}/namespaces/${namespace}`
    await bench.api.post(`${path}/roles`, role('given', [readMaps]))
    const group = { apiGroup: rbac, kind: 'Group', name: 'team' }
    await bench.api.post(`${path}/rolebindings`, binding('given', { kind: 'Role', name: 'given' }, [group]))
    await eventually(bench, 200, `/api/v1/namespaces/${namespace}/configmaps`, as('bob', 'other', 'team'))
    equal((await bench.api.get(`/api/v1/namespaces/${namespace}/configmaps`, as('bob', 'other'))).status, 403)
  },

  'a service account is given rights by its name and namespace': async bench => {
    const namespace = await bench.namespace()
    const path = `${accessPath}/namespaces/${namespace}`
    await bench.api.post(`${path}/roles`, role('given', [readMaps]))
    const subject = { kind: 'ServiceAccount', name: 'robot' }
    await bench.api.post(
      `${path}/rolebindings`,
      binding('given', { kind: 'Role', name: 'given' }, [{ ...subject, namespace }]),
    )
    const maps = `/api/v1/namespaces/${namespace}/configmaps`
    await eventually(bench, 200, maps, as(`system:serviceaccount:${namespace}:robot`))
    equal((await bench.api.get(maps, as('system:serviceaccount:default:robot'))).status, 403)
  },

  'all service accounts of a namespace are a group': async bench => {
    const namespace = await bench.namespace()
    const path = `${accessPath}/namespaces/${namespace}`
    await bench.api.post(`${path}/roles`, role('given', [readMaps]))
    const group = { apiGroup: rbac, kind: 'Group', name: `system:serviceaccounts:${namespace}` }
    await bench.api.post(`${path}/rolebindings`, binding('given', { kind: 'Role', name: 'given' }, [group]))
    const maps = `/api/v1/namespaces/${namespace}/configmaps`
    await eventually(bench, 200, maps, as(`system:serviceaccount:${namespace}:any`))
  },

  'resource names limit a rule to these objects': async bench => {
    const path = await giveRole(bench, 'bob', [{ ...readMaps, resourceNames: ['mine'] }])
    await bench.api.post(path, configMap('mine'))
    await eventually(bench, 200, `${path}/mine`, as('bob'))
    equal((await bench.api.get(`${path}/yours`, as('bob'))).status, 403)
    equal((await bench.api.get(path, as('bob'))).status, 403)
  },

  'a list of the objects of one name counts as that object': async bench => {
    const path = await giveRole(bench, 'bob', [{ ...readMaps, resourceNames: ['mine'] }])
    await eventually(bench, 200, `${path}?fieldSelector=metadata.name%3Dmine`, as('bob'))
    equal((await bench.api.get(`${path}?fieldSelector=metadata.name%3Dyours`, as('bob'))).status, 403)
  },

  'a rule of stars allows everything that is a resource': async bench => {
    const path = await giveRole(bench, 'bob', [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }])
    await eventually(bench, 200, path, as('bob'))
    equal((await bench.api.post(path, configMap('a'), as('bob'))).status, 201)
    const roles = `${accessPath}/namespaces/${await bench.namespace()}/roles`
    equal((await bench.api.get(roles, as('bob'))).status, 200)
    equal((await bench.api.get('/metrics', as('bob'))).status, 403)
  },

  'a role of a namespace gives the right to that namespace itself': async bench => {
    const namespace = await bench.namespace()
    await giveRole(bench, 'bob', [{ apiGroups: [''], resources: ['namespaces'], verbs: ['get'] }])
    await eventually(bench, 200, `/api/v1/namespaces/${namespace}`, as('bob'))
    equal((await bench.api.get('/api/v1/namespaces/default', as('bob'))).status, 403)
  },

  'a rule of paths allows those, and with a star at the end those below': async bench => {
    const name = bench.name('paths')
    const person = bench.name('bob')
    const bound = [`${accessPath}/clusterrolebindings/${name}`, `${accessPath}/clusterroles/${name}`]
    await removeAtEnd(bench, bound, async () => {
      const rule = { nonResourceURLs: ['/no/such/*'], verbs: ['get'] }
      await bench.api.post(`${accessPath}/clusterroles`, clusterRole(name, [rule]))
      await bench.api.post(`${accessPath}/clusterrolebindings`, clusterBinding(name, name, [user(person)]))
      await eventually(bench, 404, '/no/such/path', as(person))
      equal((await bench.api.get('/no/other', as(person))).status, 403)
    })
  },

  'everybody who is known may discover and ask what he may': async bench => {
    for (const path of ['/api', '/apis', '/version', '/openapi/v3', '/healthz']) {
      equal((await bench.api.get(path, as('bob'))).status, 200, path)
    }
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview' }
    const spec = { resourceAttributes: { verb: 'get', resource: 'configmaps', namespace: 'default' } }
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
    const { status, body } = await bench.api.post(path, { ...review, spec }, as('bob'))
    equal(status, 201)
    deepEqual(body.status, { allowed: false })
  },

  'an access review says what allows it': async bench => {
    const path = await giveRole(bench, 'bob', [readMaps])
    await eventually(bench, 200, path, as('bob'))
    const namespace = await bench.namespace()
    const { body } = await bench.api.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: 'bob', resourceAttributes: { verb: 'get', resource: 'configmaps', namespace } },
    })
    deepEqual(body.status, {
      allowed: true,
      reason: `RBAC: allowed by RoleBinding "given/${namespace}" of Role "given" to User "bob"`,
    })
  },

  'an access review of a path is answered by the rules of paths': async bench => {
    const ask = async (path: string) => {
      const { body } = await bench.api.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { groups: ['system:authenticated'], nonResourceAttributes: { verb: 'get', path } },
      })
      return body.status.allowed
    }
    equal(await ask('/version'), true)
    equal(await ask('/metrics'), false)
  },

  'an access review in a namespace is about that namespace': async bench => {
    const namespace = await bench.namespace()
    const path = `/apis/authorization.k8s.io/v1/namespaces/${namespace}/localsubjectaccessreviews`
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'LocalSubjectAccessReview', metadata: { namespace } }
    const spec = { user: 'bob', resourceAttributes: { verb: 'get', resource: 'configmaps', namespace: 'default' } }
    const { status } = await bench.api.post(path, { ...review, spec })
    equal(status, 422)
    const own = { ...spec, resourceAttributes: { ...spec.resourceAttributes, namespace } }
    deepEqual((await bench.api.post(path, { ...review, spec: own })).body.status, { allowed: false })
  },

  'an access review that asks nothing, or of nobody, is invalid': async bench => {
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' }
    equal((await bench.api.post(path, { ...review, spec: { user: 'bob' } })).status, 422)
    const wish = { resourceAttributes: { verb: 'get', resource: 'configmaps' } }
    equal((await bench.api.post(path, { ...review, spec: wish })).status, 422)
    const both = { ...wish, nonResourceAttributes: { verb: 'get', path: '/' }, user: 'bob' }
    equal((await bench.api.post(path, { ...review, spec: both })).status, 422)
  },

  'a rules review lists what somebody may in a namespace': async bench => {
    const path = await giveRole(bench, 'bob', [readMaps])
    await eventually(bench, 200, path, as('bob'))
    const { body } = await bench.api.post(
      '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
      {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectRulesReview',
        spec: { namespace: await bench.namespace() },
      },
      as('bob'),
    )
    const { resourceRules, nonResourceRules, incomplete } = body.status
    ok(resourceRules.some((rule: { resources: string[] }) => rule.resources.includes('configmaps')))
    ok(nonResourceRules.some((rule: { nonResourceURLs: string[] }) => rule.nonResourceURLs.includes('/version')))
    equal(incomplete, false)
  },

  'somebody who acts as another is that other': async bench => {
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    const { body } = await bench.api.post(path, review, as('bob', 'team'))
    deepEqual(body.status.userInfo.username, 'bob')
    deepEqual(body.status.userInfo.groups, ['team', 'system:authenticated'])
  },

  'a service account that somebody acts as has its groups': async bench => {
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    const { body } = await bench.api.post(path, review, as('system:serviceaccount:default:robot'))
    deepEqual(body.status.userInfo.groups, [
      'system:serviceaccounts',
      'system:serviceaccounts:default',
      'system:authenticated',
    ])
  },

  'a group is not acted as without a user': async bench => {
    const { status } = await bench.api.get('/version', { headers: { 'impersonate-group': 'team' } })
    equal(status, 400)
  },

  'an aggregated role gathers the rules of the roles that its selector finds': async bench => {
    const [whole, part] = [bench.name('whole'), bench.name('part')]
    const label = `conformance.skystead.test/${whole}`
    const paths = [`${accessPath}/clusterroles/${whole}`, `${accessPath}/clusterroles/${part}`]
    await removeAtEnd(bench, paths, async () => {
      const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { [label]: 'yes' } }] }
      await bench.api.post(`${accessPath}/clusterroles`, { ...clusterRole(whole, []), aggregationRule })
      await bench.api.post(`${accessPath}/clusterroles`, clusterRole(part, [readMaps], { labels: { [label]: 'yes' } }))
      await bench.until('the gathered rules', async () => {
        const { rules } = (await bench.api.get(`${accessPath}/clusterroles/${whole}`)).body
        return rules?.length === 1 && rules[0].resources[0] === 'configmaps'
      })
      await bench.api.remove(`${accessPath}/clusterroles/${part}`)
      await bench.until('no rules', async () => {
        const { rules } = (await bench.api.get(`${accessPath}/clusterroles/${whole}`)).body
        return rules === undefined || rules === null || rules.length === 0
      })
    })
  },

  'nobody grants by a role what he does not have': async bench => {
    const manage = { apiGroups: [rbac], resources: ['roles'], verbs: ['create', 'update', 'get'] }
    await giveRole(bench, 'bob', [manage, readMaps])
    const path = `${accessPath}/namespaces/${await bench.namespace()}/roles`
    await bench.until('the right to make roles', async () => {
      return (await bench.api.post(path, role('has', [readMaps]), as('bob'))).status === 201
    })
    const rules = [readMaps, { apiGroups: [''], resources: ['secrets'], verbs: ['get'] }]
    const { status, body } = await bench.api.post(path, role('lacks', rules), as('bob'))
    equal(status, 403)
    equal(
      body.message,
      `roles.${rbac} "lacks" is forbidden: user "bob" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}`,
    )
  },

  'whoever may escalate grants by a role what he does not have': async bench => {
    const manage = { apiGroups: [rbac], resources: ['roles'], verbs: ['create', 'escalate'] }
    await giveRole(bench, 'bob', [manage])
    const path = `${accessPath}/namespaces/${await bench.namespace()}/roles`
    await bench.until('the role', async () => {
      return (await bench.api.post(path, role('more', [readMaps]), as('bob'))).status === 201
    })
  },

  'nobody gives a role that he neither has nor may bind': async bench => {
    const manage = { apiGroups: [rbac], resources: ['rolebindings'], verbs: ['create'] }
    await giveRole(bench, 'bob', [manage])
    const path = `${accessPath}/namespaces/${await bench.namespace()}`
    await bench.api.post(`${path}/roles`, role('reader', [readMaps]))
    const body = binding('eve', { kind: 'Role', name: 'reader' }, [user('eve')])
    await bench.until('the refusal', async () => {
      const { status, body: answer } = await bench.api.post(`${path}/rolebindings`, body, as('bob'))
      return status === 403 && /attempting to grant RBAC permissions not currently held/.test(answer.message)
    })
  },

  'whoever may bind a role gives it though he has it not': async bench => {
    const manage = { apiGroups: [rbac], resources: ['rolebindings'], verbs: ['create'] }
    const bind = { apiGroups: [rbac], resources: ['roles'], resourceNames: ['reader'], verbs: ['bind'] }
    await giveRole(bench, 'bob', [manage, bind])
    const path = `${accessPath}/namespaces/${await bench.namespace()}`
    await bench.api.post(`${path}/roles`, role('reader', [readMaps]))
    const body = binding('eve', { kind: 'Role', name: 'reader' }, [user('eve')])
    await bench.until('the binding', async () => {
      return (await bench.api.post(`${path}/rolebindings`, body, as('bob'))).status === 201
    })
  },

  'the role of a binding cannot be changed': async bench => {
    const path = `${accessPath}/namespaces/${await bench.namespace()}/rolebindings`
    await bench.api.post(path, binding('a', { kind: 'Role', name: 'one' }, [user('bob')]))
    const { status, body } = await bench.api.put(
      `${path}/a`,
      binding('a', { kind: 'Role', name: 'two' }, [user('bob')]),
    )
    equal(status, 422)
    like(body, { reason: 'Invalid', details: { causes: [{ reason: 'FieldValueInvalid', field: 'roleRef' }] } })
    match(body.message, /cannot change roleRef/)
  },

  'a binding completes the API groups of its role and subjects': async bench => {
    const path = `${accessPath}/namespaces/${await bench.namespace()}/rolebindings`
    const { status, body } = await bench.api.post(path, {
      ...binding('a', { kind: 'Role', name: 'one' }, []),
      roleRef: { apiGroup: rbac, kind: 'Role', name: 'one' },
      subjects: [
        { kind: 'User', name: 'bob' },
        { kind: 'Group', name: 'team' },
      ],
    })
    equal(status, 201)
    deepEqual(body.subjects, [user('bob'), { apiGroup: rbac, kind: 'Group', name: 'team' }])
  },

  'a rule without verbs, groups or resources is invalid': async bench => {
    const path = `${accessPath}/namespaces/${await bench.namespace()}/roles`
    const { status, body } = await bench.api.post(
      path,
      role('a', [{ apiGroups: [''], resources: ['pods'], verbs: [] }]),
    )
    equal(status, 422)
    like(body, { details: { causes: [{ reason: 'FieldValueRequired', field: 'rules[0].verbs' }] } })
    const none = await bench.api.post(path, role('a', [{ verbs: ['get'] }]))
    like(none.body, { details: { causes: [{ field: 'rules[0].apiGroups' }, { field: 'rules[0].resources' }] } })
  },

  'a rule of paths has no place in a role of a namespace': async bench => {
    const path = `${accessPath}/namespaces/${await bench.namespace()}/roles`
    const { status, body } = await bench.api.post(path, role('a', [{ nonResourceURLs: ['/x'], verbs: ['get'] }]))
    equal(status, 422)
    match(body.message, /namespaced rules cannot apply to non-resource URLs/)
  },

  'a binding of a subject of another kind is invalid': async bench => {
    const path = `${accessPath}/namespaces/${await bench.namespace()}/rolebindings`
    const { status, body } = await bench.api.post(
      path,
      binding('a', { kind: 'Role', name: 'one' }, [{ kind: 'Robot', name: 'x' }]),
    )
    equal(status, 422)
    like(body, { details: { causes: [{ reason: 'FieldValueNotSupported', field: 'subjects[0].kind' }] } })
  },

  'roles have the names that paths can have': async bench => {
    const path = `${accessPath}/namespaces/${await bench.namespace()}/roles`
    equal((await bench.api.post(path, role('team:Reader', [readMaps]))).status, 201)
    equal((await bench.api.post(path, role('a%b', [readMaps]))).status, 422)
  },

  'the roles of users of namespaces are there from the start': async bench => {
    for (const name of ['cluster-admin', 'admin', 'edit', 'view', 'system:discovery', 'system:basic-user']) {
      equal((await bench.api.get(`${accessPath}/clusterroles/${name}`)).status, 200, name)
    }
    const namespace = await bench.namespace()
    const given = binding('viewer', { kind: 'ClusterRole', name: 'view' }, [user('bob')])
    await bench.api.post(`${accessPath}/namespaces/${namespace}/rolebindings`, given)
    await eventually(bench, 200, `/api/v1/namespaces/${namespace}/configmaps`, as('bob'))
    equal((await bench.api.get(`/api/v1/namespaces/${namespace}/secrets`, as('bob'))).status, 403)
    const write = await bench.api.post(`/api/v1/namespaces/${namespace}/configmaps`, configMap('a'), as('bob'))
    equal(write.status, 403)
  },

  'who edits a namespace writes in it and gives no rights': async bench => {
    const namespace = await bench.namespace()
    const given = binding('editor', { kind: 'ClusterRole', name: 'edit' }, [user('bob')])
    await bench.api.post(`${accessPath}/namespaces/${namespace}/rolebindings`, given)
    await eventually(bench, 200, `/api/v1/namespaces/${namespace}/secrets`, as('bob'))
    equal((await bench.api.post(`/api/v1/namespaces/${namespace}/configmaps`, configMap('a'), as('bob'))).status, 201)
    equal((await bench.api.get(`${accessPath}/namespaces/${namespace}/roles`, as('bob'))).status, 403)
  },

  'who administers a namespace gives in it what he has': async bench => {
    const namespace = await bench.namespace()
    const path = `${accessPath}/namespaces/${namespace}/rolebindings`
    await bench.api.post(path, binding('owner', { kind: 'ClusterRole', name: 'admin' }, [user('bob')]))
    await eventually(bench, 200, `${accessPath}/namespaces/${namespace}/roles`, as('bob'))
    const edit = binding('eve', { kind: 'ClusterRole', name: 'edit' }, [user('eve')])
    equal((await bench.api.post(path, edit, as('bob'))).status, 201)
    const all = binding('mallory', { kind: 'ClusterRole', name: 'cluster-admin' }, [user('mallory')])
    equal((await bench.api.post(path, all, as('bob'))).status, 403)
  },
})
