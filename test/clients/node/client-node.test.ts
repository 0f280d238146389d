/** What @kubernetes/client-node does with the server beside single calls (test/apiserver/core/serving.test.ts). */
import {
  ApiException,
  AuthorizationV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  V1MicroTime,
} from '@kubernetes/client-node'
import test, { type ExecutionContext } from 'ava'
import { until } from '../../until.ts'
import { group, serveThings } from '../served-things.ts'

const things = { group, version: 'v1', namespace: 'default', plural: 'things' }

interface Thing {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec?: { readonly size?: number }
}

function thing(name: string, size: number): Thing {
  return { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name, namespace: 'default' }, spec: { size } }
}

async function configured(t: ExecutionContext): Promise<KubeConfig> {
  const { kubeconfig } = await serveThings(t)
  const config = new KubeConfig()
  config.loadFromFile(kubeconfig)
  return config
}

test('an informer of client-node keeps a cache of a kind', async t => {
  const config = await configured(t)
  const api = KubernetesObjectApi.makeApiClient(config)
  await api.create(thing('a', 1))
  const path = `/apis/${group}/v1/namespaces/default/things`
  const list = () => api.list<Thing>(`${group}/v1`, 'Thing', 'default')
  const informer = makeInformer<Thing>(config, path, list)
  const seen: string[] = []
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, ({ metadata, spec }) => seen.push(`${verb} ${metadata.name} ${spec?.size}`))
  }
  await informer.start()
  t.teardown(() => informer.stop())
  await api.create(thing('b', 1))
  await api.patch(thing('a', 2), undefined, undefined, undefined, undefined, PatchStrategy.MergePatch)
  await api.delete(thing('b', 1))
  await until('the deletion', async () => seen.includes('delete b 1'))
  t.deepEqual(seen, ['add a 1', 'add b 1', 'update a 2', 'delete b 1'])
  t.deepEqual(
    informer.list().map(({ metadata }) => metadata.name),
    ['a'],
  )
})

test('client-node applies on the server side, hears of conflicts, and forces them', async t => {
  const api = KubernetesObjectApi.makeApiClient(await configured(t))
  const apply = (size: number, manager: string, force: boolean) =>
    api.patch(thing('a', size), undefined, undefined, manager, force, PatchStrategy.ServerSideApply)
  t.is((await apply(1, 'one', false)).spec?.size, 1)
  const refused = await t.throwsAsync(apply(2, 'two', false), { instanceOf: ApiException })
  t.is(refused?.code, 409)
  t.regex(String(refused?.body), /conflict with \\?"one\\?": \.spec\.size/)
  t.is((await apply(2, 'two', true)).spec?.size, 2)
})

test('client-node works with custom objects, their status and scale, page by page', async t => {
  const config = await configured(t)
  const api = config.makeApiClient(CustomObjectsApi)
  for (const name of ['a', 'b', 'c']) await api.createNamespacedCustomObject({ ...things, body: thing(name, 1) })
  const first = await api.listNamespacedCustomObject({ ...things, limit: 2 })
  t.is(first.items.length, 2)
  const rest = await api.listNamespacedCustomObject({
    ...things,
    limit: 2,
    _continue: first.metadata._continue ?? first.metadata.continue,
  })
  t.deepEqual(
    rest.items.map((each: Thing) => each.metadata.name),
    ['c'],
  )
  const scaled = [{ op: 'add', path: '/spec/replicas', value: 3 }]
  await api.patchNamespacedCustomObject({ ...things, name: 'a', body: scaled })
  const scale = await api.getNamespacedCustomObjectScale({ ...things, name: 'a' })
  t.is(scale.spec.replicas, 3)
  const status = [{ op: 'add', path: '/status', value: { ready: true } }]
  const patched = await api.patchNamespacedCustomObjectStatus({ ...things, name: 'a', body: status })
  t.deepEqual(patched.status, { ready: true })
  await api.deleteCollectionNamespacedCustomObject(things)
  t.deepEqual((await api.listNamespacedCustomObject(things)).items, [])
})

test('client-node uses leases, namespaces and reviews', async t => {
  const config = await configured(t)
  const core = config.makeApiClient(CoreV1Api)
  await core.createNamespace({ body: { metadata: { name: 'team' } } })
  const leases = config.makeApiClient(CoordinationV1Api)
  const renewTime = new V1MicroTime('2026-01-01T00:00:00.123456Z')
  const lease = { metadata: { name: 'l' }, spec: { holderIdentity: 'me', leaseDurationSeconds: 15, renewTime } }
  const made = await leases.createNamespacedLease({ namespace: 'team', body: lease })
  t.is(made.spec?.holderIdentity, 'me')
  const stale = { ...made, spec: { ...made.spec, holderIdentity: 'other' } }
  await leases.replaceNamespacedLease({ name: 'l', namespace: 'team', body: stale })
  const lost = leases.replaceNamespacedLease({ name: 'l', namespace: 'team', body: made })
  t.is((await t.throwsAsync(lost, { instanceOf: ApiException }))?.code, 409)
  const review = { spec: { resourceAttributes: { verb: 'delete', resource: 'secrets' } } }
  const { status } = await config.makeApiClient(AuthorizationV1Api).createSelfSubjectAccessReview({ body: review })
  t.true(status?.allowed)
})
