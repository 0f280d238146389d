import test from 'ava'
import { definitions, startServer, startWithThings, thingDefinition, thingVersion } from './harness.ts'

test('groups, versions and resources are told', async t => {
  const { get } = await startWithThings()
  t.deepEqual((await get('/api')).body.versions, ['v1'])
  const groups = (await get('/apis')).body.groups.map((group: { name: string }) => group.name)
  t.true(groups.includes('example.dev'))
  t.false(groups.includes(''))
  const { body: core } = await get('/api/v1')
  t.is(core.groupVersion, 'v1')
  const { body } = await get('/apis/example.dev/v1')
  t.like(body.resources[0], {
    name: 'things',
    singularName: 'thing',
    namespaced: true,
    kind: 'Thing',
    shortNames: ['th'],
  })
  t.like(body.resources[1], { name: 'things/status', verbs: ['get', 'patch', 'update'] })
  t.is((await get('/apis/example.dev')).body.preferredVersion.groupVersion, 'example.dev/v1')
  t.is((await get('/apis/none.dev')).status, 404)
})

test('discovery follows the definitions', async t => {
  const { get, post, remove, settle } = await startServer()
  t.is((await get('/apis/example.dev/v1')).status, 404)
  await post(definitions, thingDefinition())
  t.is((await get('/apis/example.dev/v1')).status, 200)
  await remove(`${definitions}/things.example.dev`)
  await settle()
  t.is((await get('/apis/example.dev/v1')).status, 404)
})

test('the preferred version is the most stable and newest', async t => {
  const { get, post } = await startServer()
  const versions = ['v1alpha1', 'v2', 'v1beta2', 'v10', 'v1'].map(name => thingVersion(name, name === 'v1'))
  await post(definitions, thingDefinition({ versions }))
  const { body } = await get('/apis/example.dev')
  t.deepEqual(
    body.versions.map((each: { version: string }) => each.version),
    ['v10', 'v2', 'v1', 'v1beta2', 'v1alpha1'],
  )
})

for (const version of ['v2', 'v2beta1']) {
  test(`aggregated discovery is told in ${version} when asked so`, async t => {
    const { call } = await startWithThings()
    const accept = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
    const { headers, body } = await call('GET', '/apis', undefined, { accept: `${accept},application/json` })
    t.is(headers['content-type'], accept)
    t.is(body.apiVersion, `apidiscovery.k8s.io/${version}`)
    const group = body.items.find((item: { metadata: { name: string } }) => item.metadata.name === 'example.dev')
    t.like(group.versions[0].resources[0], { resource: 'things', scope: 'Namespaced', singularResource: 'thing' })
    t.is(group.versions[0].resources[0].subresources[0].subresource, 'status')
  })
}

test('the client decides which aggregated version it gets', async t => {
  const { call } = await startServer()
  const old = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json'
  t.is((await call('GET', '/api', undefined, { accept: old })).body.apiVersion, 'apidiscovery.k8s.io/v2beta1')
  const unknown = 'application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json'
  t.is((await call('GET', '/api', undefined, { accept: unknown })).body.kind, 'APIVersions')
})

test('OpenAPI v3 has an index whose hashes follow the content', async t => {
  const { get, post } = await startServer()
  const before = (await get('/openapi/v3')).body.paths
  await post(definitions, thingDefinition())
  const after = (await get('/openapi/v3')).body.paths
  t.is(after['api/v1'].serverRelativeURL, before['api/v1'].serverRelativeURL)
  t.regex(after['apis/example.dev/v1'].serverRelativeURL, /^\/openapi\/v3\/apis\/example\.dev\/v1\?hash=/)
  const { body } = await get(after['apis/example.dev/v1'].serverRelativeURL)
  t.true(JSON.stringify(body).includes('Size in centimetres.'))
})

test('a document that the client has is not sent again', async t => {
  const { call, get } = await startServer()
  const { headers } = await get('/openapi/v3/api/v1')
  const again = await call('GET', '/openapi/v3/api/v1', undefined, { 'if-none-match': headers.etag ?? '' })
  t.is(again.status, 304)
  t.is(again.body, '')
})

test('version and health are told', async t => {
  const { get } = await startServer()
  t.is((await get('/version')).body.minor, '36')
  for (const path of ['/healthz', '/readyz', '/livez']) t.is((await get(path)).body, 'ok')
})

const selfAccess = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'

test('this process may do everything, an unknown user nothing', async t => {
  const { post, server } = await startServer()
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: {} },
  }
  const allowed = await post(selfAccess, review)
  t.is(allowed.status, 201)
  t.true(allowed.body.status.allowed)
  const answer = await server.handle({
    method: 'POST',
    path: selfAccess,
    headers: {},
    body: Buffer.from(JSON.stringify(review)),
    user: { name: 'somebody', groups: ['system:authenticated'] },
  })
  t.false(JSON.parse(Buffer.from(answer.body as Uint8Array).toString()).status.allowed)
})

test('a token is reviewed', async t => {
  const user = { name: 'operator', groups: ['system:masters'] }
  const { post } = await startServer({ checkToken: async token => (token === 'right' ? user : undefined) })
  const review = (token: string) => ({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } })
  const path = '/apis/authentication.k8s.io/v1/tokenreviews'
  t.like((await post(path, review('right'))).body.status, { authenticated: true, user: { username: 'operator' } })
  t.false((await post(path, review('wrong'))).body.status.authenticated)
})
