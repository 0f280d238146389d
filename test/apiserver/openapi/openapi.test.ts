import test from 'ava'
import { openAPIv3 } from '../../../apiserver/openapi/version-three.ts'
import { openAPIv2 } from '../../../apiserver/openapi/version-two.ts'
import { allVerbs } from '../../../apiserver/resource-definition.ts'
import { definition } from '../table/definitions.ts'

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: { readonly content: object }
  readonly 'x-kubernetes-action': string
  readonly 'x-kubernetes-group-version-kind': object
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly properties?: Readonly<Record<string, object>> }>>
  }
}

const schema = {
  type: 'object',
  description: 'Thing is a thing.',
  properties: {
    spec: { type: 'object', description: 'Spec says.', properties: { size: { type: 'integer' } } },
  },
} as const

const things = definition([], { schema })
const zones = definition([], {
  kind: 'Zone',
  listKind: 'ZoneList',
  plural: 'zones',
  namespaced: false,
  subresources: { status: false },
  verbs: allVerbs.filter(verb => verb !== 'deletecollection'),
})
const document = openAPIv3('example.dev', 'v1', [things, zones]) as Document
const gvk = { group: 'example.dev', version: 'v1', kind: 'Thing' }

test('a PATCH names the parameters that kubectl looks for', t => {
  const patch = document.paths['/apis/example.dev/v1/namespaces/{namespace}/things/{name}']?.patch
  t.deepEqual(
    patch?.parameters?.map(({ name, in: place }) => `${place} ${name}`),
    ['query dryRun', 'query fieldManager', 'query fieldValidation', 'query force'],
  )
  t.deepEqual(patch?.['x-kubernetes-group-version-kind'], gvk)
  t.deepEqual(Object.keys(patch?.requestBody?.content ?? {}), [
    'application/apply-patch+yaml',
    'application/json-patch+json',
    'application/merge-patch+json',
  ])
})

test('paths follow scope, verbs and subresources', t => {
  t.deepEqual(Object.keys(document.paths), [
    '/apis/example.dev/v1/namespaces/{namespace}/things',
    '/apis/example.dev/v1/namespaces/{namespace}/things/{name}',
    '/apis/example.dev/v1/namespaces/{namespace}/things/{name}/status',
    '/apis/example.dev/v1/things',
    '/apis/example.dev/v1/zones',
    '/apis/example.dev/v1/zones/{name}',
  ])
  t.deepEqual(Object.keys(document.paths['/apis/example.dev/v1/zones'] ?? {}), ['parameters', 'get', 'post'])
})

test('the core group lies under /api', t => {
  const core = openAPIv3('', 'v1', [definition([], { group: '', kind: 'Secret', plural: 'secrets' })]) as Document
  t.true('/api/v1/namespaces/{namespace}/secrets/{name}' in core.paths)
})

test('the schema of a kind says its group, version and kind, and has the usual fields', t => {
  const kind = document.components.schemas['dev.example.v1.Thing']
  t.like(kind, { description: 'Thing is a thing.', 'x-kubernetes-group-version-kind': [gvk] } as object)
  t.deepEqual(Object.keys(kind?.properties ?? {}), ['spec', 'apiVersion', 'kind', 'metadata'])
})

test('a kind without a schema takes anything', t => {
  t.like(document.components.schemas['dev.example.v1.Zone'], {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
  } as object)
})

test('every reference leads somewhere and every operation has a name of its own', t => {
  const text = JSON.stringify(document)
  const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name = '']) => name)
  t.true(references.length > 20)
  t.deepEqual(
    references.filter(name => !(name in document.components.schemas)),
    [],
  )
  const names = [...text.matchAll(/"operationId":"([^"]+)"/g)].map(([, name]) => name)
  t.is(new Set(names).size, names.length)
})

test('definitions of other groups and versions are left out', t => {
  const other = openAPIv3('example.dev', 'v2', [things]) as Document
  t.deepEqual(other.paths, {})
})

test('version 2 tells all groups in one document, in which every operation has a name of its own', t => {
  const text = JSON.stringify(openAPIv2([things, zones, definition([], { version: 'v2', schema })], 'v1'))
  const names = [...text.matchAll(/"operationId":"([^"]+)"/g)].map(([, name]) => name)
  t.is(new Set(names).size, names.length)
  t.true(names.includes('listExampleDevV2ThingForAllNamespaces'))
})
