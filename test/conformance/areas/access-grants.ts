import { deepEqual, equal, match } from 'node:assert/strict'
import { area, like } from '../case.ts'
import { accessPath, as, binding, clusterRole, giveRole, rbac, readMaps, removeAtEnd, role, user } from '../rights.ts'

export const accessGrants = area('access grants', {
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
})
