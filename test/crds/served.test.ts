import test from 'ava'
import { projectPath } from '../../cli/repository.ts'
import { readDefinitions } from '../../controllers/install.ts'
import { kindOf, kinds } from '../../crds/kinds.ts'
import { startServer, type TestServer } from '../apiserver/core/harness.ts'
import { objectsOf, type WrittenObject } from './schemas.ts'

const definitions = readDefinitions(projectPath('manifests/crds'))

async function servedKinds(): Promise<TestServer> {
  const api = await startServer()
  for (const definition of definitions) {
    const answer = await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition)
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  }
  await api.settle()
  await api.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  return api
}

function pathOf(object: WrittenObject): string {
  const kind = kindOf(object.apiVersion, object.kind)
  if (kind === undefined) return `/api/v1/namespaces/${object.metadata.name}`
  const { namespace, name } = object.metadata
  const place = namespace === undefined ? '' : `namespaces/${namespace}/`
  return `/apis/${kind.apiVersion}/${place}${kind.plural}/${name}`
}

test('the API server establishes every kind', async t => {
  const api = await servedKinds()
  const { body } = await api.get('/apis/apiextensions.k8s.io/v1/customresourcedefinitions')
  t.is(body.items.length, kinds.length)
  for (const { metadata, status } of body.items) {
    const types = status.conditions.filter((each: { status: string }) => each.status === 'True')
    t.deepEqual(
      types.map((each: { type: string }) => each.type).sort(),
      ['Established', 'NamesAccepted'],
      metadata.name,
    )
  }
  for (const kind of kinds) t.is((await api.get(`/apis/${kind.apiVersion}/${kind.plural}`)).status, 200, kind.kind)
})

test('every sample and the quickstart are applied, and applying them again moves nothing', async t => {
  const api = await servedKinds()
  const samples = kinds.flatMap(kind => objectsOf(`manifests/samples/${kind.kind.toLowerCase()}.yaml`))
  for (const object of [...samples, ...objectsOf('manifests/quickstart/quickstart.yaml')]) {
    const first = await api.apply(pathOf(object), object, 'first', true)
    t.true([200, 201].includes(first.status), `${object.kind}: ${JSON.stringify(first.body)}`)
    const second = await api.apply(pathOf(object), object, 'first', true)
    t.is(second.status, 200)
    t.is(second.body.metadata.resourceVersion, first.body.metadata.resourceVersion, object.kind)
  }
})

test('a kind prints its own columns, then Ready and Age', async t => {
  const api = await servedKinds()
  for (const kind of kinds) {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const { body } = await api.call('GET', `/apis/${kind.apiVersion}/${kind.plural}`, undefined, { accept })
    const shown = body.columnDefinitions.filter((column: { priority: number }) => column.priority === 0)
    t.deepEqual(
      shown.map((column: { name: string }) => column.name),
      [
        'Name',
        ...kind.columns.filter(column => (column.priority ?? 0) === 0).map(column => column.name),
        'Ready',
        'Age',
      ],
      kind.kind,
    )
  }
})

test('lists are filtered by the fields that a kind offers', async t => {
  const api = await servedKinds()
  for (const object of objectsOf('manifests/quickstart/quickstart.yaml')) await api.apply(pathOf(object), object)
  const machines = '/apis/compute.skystead.dev/v1alpha1/virtualmachines'
  for (const [zone, count] of [
    ['zone-a', 2],
    ['zone-b', 0],
  ] as const) {
    const { body } = await api.get(`${machines}?fieldSelector=spec.zoneName%3D${zone}`)
    t.is(body.items.length, count)
  }
})

test('the status of a kind is written apart from its spec, but for the Allocation, which is written once', async t => {
  const api = await servedKinds()
  for (const kind of kinds) {
    const [object] = objectsOf(`manifests/samples/${kind.kind.toLowerCase()}.yaml`)
    if (object === undefined) return t.fail(kind.kind)
    await api.apply(pathOf(object), object)
    const condition = {
      type: 'Ready',
      status: 'True',
      reason: 'Tried',
      message: '',
      lastTransitionTime: '2026-11-20T13:00:00Z',
      observedGeneration: 1,
    }
    const status = { observedGeneration: 1, conditions: [condition] }
    const answer = await api.merge(`${pathOf(object)}/status`, { status })
    t.is(answer.status, kind.statusSubresource === false ? 404 : 200, kind.kind)
    if (kind.statusSubresource !== false) t.deepEqual(answer.body.status, status, kind.kind)
  }
})
