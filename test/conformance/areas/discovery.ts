import { deepEqual, equal, match, ok } from 'node:assert/strict'
import type { Bench } from '../case.ts'
import { area, like } from '../case.ts'
import { definition } from '../definitions.ts'

interface Resource {
  readonly name: string
  readonly verbs: readonly string[]
}

const open = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/** Installs a kind in a group of its own, in versions that are not in their order; gives back the group. */
async function installed(bench: Bench): Promise<string> {
  const group = `${bench.name('dis')}.skystead.test`
  const versions = ['v1', 'v1beta1', 'v2alpha1', 'v2', 'other'].map(name => ({
    name,
    served: true,
    storage: name === 'v1',
    schema: open,
    ...(name === 'v1' && { subresources: { status: {} } }),
  }))
  const made = definition('Gear', { group })
  const names = { ...made.spec.names, shortNames: ['gr'], categories: ['all', 'machines'] }
  await bench.install({ ...made, spec: { ...made.spec, names, versions } })
  return group
}

/** Asks until discovery knows a group. */
async function discovered(bench: Bench, path: string) {
  return await bench.until(path, async () => {
    const { status, body } = await bench.api.get(path)
    return status === 200 && body
  })
}

/** The group as the aggregated discovery has it. */
async function inAggregate(bench: Bench, group: string) {
  return await bench.until(`${group} in discovery`, async () => {
    const { body } = await bench.api.get('/apis', { accept: aggregated })
    return body.items.find(({ metadata }: { metadata: { name: string } }) => metadata.name === group)
  })
}

export const discovery = area('discovery', {
  'the core group has version v1': async bench => {
    const { status, body } = await bench.api.get('/api')
    equal(status, 200)
    like(body, { kind: 'APIVersions', versions: ['v1'] })
    equal(body.serverAddressByClientCIDRs[0].clientCIDR, '0.0.0.0/0')
  },

  'the core group tells its resources': async bench => {
    const { status, body } = await bench.api.get('/api/v1')
    equal(status, 200)
    like(body, { kind: 'APIResourceList', groupVersion: 'v1' })
    const find = (name: string) => body.resources.find((resource: Resource) => resource.name === name)
    like(find('namespaces'), { singularName: 'namespace', namespaced: false, kind: 'Namespace', shortNames: ['ns'] })
    like(find('configmaps'), { singularName: 'configmap', namespaced: true, kind: 'ConfigMap', shortNames: ['cm'] })
    deepEqual([...find('configmaps').verbs].sort(), verbs)
    like(find('namespaces/finalize'), { namespaced: false, kind: 'Namespace', verbs: ['update'] })
    deepEqual(find('namespaces/status').verbs, ['get', 'patch', 'update'])
  },

  'a namespace cannot be deleted with all others': async bench => {
    const { body } = await bench.api.get('/api/v1')
    const namespaces = body.resources.find(({ name }: Resource) => name === 'namespaces')
    ok(!namespaces.verbs.includes('deletecollection'))
  },

  'all groups are listed with their versions, best first': async bench => {
    const group = await installed(bench)
    await discovered(bench, `/apis/${group}`)
    const { body } = await bench.api.get('/apis')
    like(body, { kind: 'APIGroupList', apiVersion: 'v1' })
    const own = body.groups.find(({ name }: { name: string }) => name === group)
    const versions = ['v2', 'v1', 'v1beta1', 'v2alpha1', 'other']
    deepEqual(own, {
      name: group,
      versions: versions.map(version => ({ groupVersion: `${group}/${version}`, version })),
      preferredVersion: { groupVersion: `${group}/v2`, version: 'v2' },
    })
  },

  'the groups of definitions, reviews and leases are there': async bench => {
    const { body } = await bench.api.get('/apis')
    const names = body.groups.map(({ name }: { name: string }) => name)
    for (const name of ['apiextensions.k8s.io', 'authorization.k8s.io', 'coordination.k8s.io', 'events.k8s.io']) {
      ok(names.includes(name), name)
    }
    ok(!names.includes(''))
  },

  'a group tells its versions': async bench => {
    const group = await installed(bench)
    const body = await discovered(bench, `/apis/${group}`)
    like(body, { kind: 'APIGroup', apiVersion: 'v1', name: group, preferredVersion: { version: 'v2' } })
    equal(body.versions.length, 5)
  },

  'a version tells its resources': async bench => {
    const group = await installed(bench)
    const body = await discovered(bench, `/apis/${group}/v1`)
    like(body, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${group}/v1` })
    const [main, status] = body.resources
    like(main, {
      name: 'gears',
      singularName: 'gear',
      namespaced: true,
      kind: 'Gear',
      shortNames: ['gr'],
      categories: ['all', 'machines'],
    })
    deepEqual([...main.verbs].sort(), verbs)
    match(main.storageVersionHash, /^\S+$/)
    deepEqual(status, {
      name: 'gears/status',
      singularName: '',
      namespaced: true,
      kind: 'Gear',
      verbs: ['get', 'patch', 'update'],
    })
  },

  'a version without subresources tells none': async bench => {
    const group = await installed(bench)
    const body = await discovered(bench, `/apis/${group}/v2`)
    deepEqual(
      body.resources.map(({ name }: Resource) => name),
      ['gears'],
    )
  },

  'a group that is not there is not found': async bench => {
    equal((await bench.api.get('/apis/none.skystead.test')).status, 404)
    equal((await bench.api.get('/apis/none.skystead.test/v1')).status, 404)
  },

  'a group goes with its last kind': async bench => {
    const group = await installed(bench)
    await discovered(bench, `/apis/${group}/v1`)
    await bench.api.remove(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gears.${group}`)
    await bench.until('the end of the group', async () => (await bench.api.get(`/apis/${group}`)).status === 404)
    await bench.until('the end of its mention', async () => {
      const { body } = await bench.api.get('/apis')
      return !body.groups.some(({ name }: { name: string }) => name === group)
    })
  },

  'aggregated discovery tells everything at once': async bench => {
    const group = await installed(bench)
    const own = await inAggregate(bench, group)
    const { headers, body } = await bench.api.get('/apis', { accept: aggregated })
    match(headers['content-type'] ?? '', /^application\/json;g=apidiscovery\.k8s\.io;v=v2;as=APIGroupDiscoveryList/)
    like(body, { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' })
    deepEqual(
      own.versions.map(({ version, freshness }: { version: string; freshness: string }) => `${version} ${freshness}`),
      ['v2 Current', 'v1 Current', 'v1beta1 Current', 'v2alpha1 Current', 'other Current'],
    )
  },

  'aggregated discovery tells resources with their subresources': async bench => {
    const group = await installed(bench)
    const { versions } = await inAggregate(bench, group)
    const [, v1] = versions
    const responseKind = { group, version: 'v1', kind: 'Gear' }
    const resources = v1.resources.map((resource: Resource) => ({ ...resource, verbs: [...resource.verbs].sort() }))
    deepEqual(resources, [
      {
        resource: 'gears',
        responseKind,
        scope: 'Namespaced',
        singularResource: 'gear',
        verbs,
        shortNames: ['gr'],
        categories: ['all', 'machines'],
        subresources: [{ subresource: 'status', responseKind, verbs: ['get', 'patch', 'update'] }],
      },
    ])
  },

  'aggregated discovery of the core group has its resources': async bench => {
    const { body } = await bench.api.get('/api', { accept: aggregated })
    like(body, { kind: 'APIGroupDiscoveryList' })
    const [core] = body.items
    equal(core.metadata.name ?? '', '')
    const namespaces = core.versions[0].resources.find(
      ({ resource }: { resource: string }) => resource === 'namespaces',
    )
    like(namespaces, {
      responseKind: { kind: 'Namespace' },
      scope: 'Cluster',
      singularResource: 'namespace',
      shortNames: ['ns'],
    })
  },

  'who accepts both forms of discovery gets the aggregated one': async bench => {
    const { body } = await bench.api.get('/apis', { accept: `${aggregated},application/json` })
    equal(body.kind, 'APIGroupDiscoveryList')
  },

  'who wants aggregated discovery of one group gets the plain form': async bench => {
    const { body } = await bench.api.get('/apis/apiextensions.k8s.io', { accept: `${aggregated},application/json` })
    equal(body.kind, 'APIGroup')
  },

  'aggregated discovery that has not changed is not sent again': async bench => {
    const { headers } = await bench.api.get('/api', { accept: aggregated })
    const etag = headers.etag ?? ''
    match(etag, /^"[0-9A-F]+"$/)
    const again = await bench.api.get('/api', { accept: aggregated, headers: { 'if-none-match': etag } })
    equal(again.status, 304)
    equal(again.text, '')
  },

  'definitions are told with their status': async bench => {
    const { body } = await bench.api.get('/apis/apiextensions.k8s.io/v1')
    const [main, status] = body.resources
    like(main, {
      name: 'customresourcedefinitions',
      singularName: 'customresourcedefinition',
      namespaced: false,
      kind: 'CustomResourceDefinition',
      shortNames: ['crd', 'crds'],
      categories: ['api-extensions'],
    })
    like(status, { name: 'customresourcedefinitions/status', verbs: ['get', 'patch', 'update'] })
  },

  'reviews can only be created': async bench => {
    const { body } = await bench.api.get('/apis/authorization.k8s.io/v1')
    const review = body.resources.find(({ name }: Resource) => name === 'selfsubjectaccessreviews')
    like(review, { namespaced: false, kind: 'SelfSubjectAccessReview', verbs: ['create'] })
  },

  'the version tells itself': async bench => {
    const { status, body } = await bench.api.get('/version')
    equal(status, 200)
    match(body.gitVersion, /^v1\.\d+\./)
    match(body.major, /^\d+$/)
    match(body.minor, /^\d+/)
    ok(body.platform.includes('/'))
  },

  'the server says that it lives and is ready': async bench => {
    for (const path of ['/healthz', '/livez', '/readyz']) {
      const { status, text } = await bench.api.get(path)
      equal(status, 200)
      equal(text, 'ok')
    }
  },

  'a path that is nowhere is not found': async bench => {
    const { status } = await bench.api.get('/nowhere')
    equal(status, 404)
  },
})
