import { deepEqual, equal, ok } from 'node:assert/strict'
import { area } from '../case.ts'
import { as, eventually, giveRole, readMaps } from '../rights.ts'

export const accessReviews = area('access reviews', {
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
})
