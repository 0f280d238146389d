import { deepEqual, equal, match } from 'node:assert/strict'
import { area, failure, like } from '../case.ts'
import { configMap } from '../definitions.ts'
import {
  accessPath,
  as,
  binding,
  clusterBinding,
  clusterRole,
  eventually,
  giveRole,
  rbac,
  readMaps,
  removeAtEnd,
  role,
  user,
} from '../rights.ts'

export const access = area('access', {
  'whoever has no right is refused, and told what he has no right to': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    const { status, body } = await bench.api.get(`${path}/a`, as('bob'))
    equal(status, 403)
    deepEqual(
      body,
      failure({
        message: `configmaps "a" is forbidden: User "bob" cannot get resource "configmaps" in API group "" in the namespace "${await bench.namespace()}"`,
        reason: 'Forbidden',
        details: { name: 'a', kind: 'configmaps' },
        code: 403,
      }),
    )
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
