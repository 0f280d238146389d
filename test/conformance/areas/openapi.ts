import { deepEqual, equal, match, ok } from 'node:assert/strict'
import type { Bench } from '../case.ts'
import { area, like } from '../case.ts'
import { definition, listMap, objectSchema } from '../definitions.ts'

const schema = objectSchema(
  {
    size: { type: 'integer', minimum: 1, description: 'How large it is.' },
    mode: { type: 'string', enum: ['Fast', 'Safe'], default: 'Safe' },
    port: { 'x-kubernetes-int-or-string': true },
    object: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } },
    open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    parts: listMap('name'),
  },
  { type: 'object', properties: { phase: { type: 'string' } } },
)

/** The OpenAPI document of a new kind, and its group. */
async function documented(bench: Bench) {
  const group = `${bench.name('oas')}.skystead.test`
  const scale = { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' }
  const version = { selectableFields: [{ jsonPath: '.spec.mode' }] }
  await bench.install(definition('Gear', { group, schema, subresources: { status: {}, scale }, version }))
  const path = `/openapi/v3/apis/${group}/v1`
  const document = await bench.until(path, async () => {
    const { status, body } = await bench.api.get(path)
    return status === 200 && body.components?.schemas !== undefined && body
  })
  return { group, document, name: `test.skystead.${group.split('.')[0]}.v1.Gear` }
}

interface Operation {
  readonly 'x-kubernetes-action': string
  readonly parameters?: readonly { readonly name: string }[]
}

export const openapi = area('openapi', {
  'the index names the document of every group and version, with a hash': async bench => {
    const { group } = await documented(bench)
    const { status, body } = await bench.api.get('/openapi/v3')
    equal(status, 200)
    match(body.paths[`apis/${group}/v1`].serverRelativeURL, /^\/openapi\/v3\/apis\/\S+\/v1\?hash=[0-9A-F]+$/)
    match(body.paths['api/v1'].serverRelativeURL, /^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]+$/)
  },

  'a document by its hash may be kept for good': async bench => {
    const { body } = await bench.api.get('/openapi/v3')
    const { status, headers } = await bench.api.get(body.paths['api/v1'].serverRelativeURL)
    equal(status, 200)
    match(headers['cache-control'] ?? '', /immutable/)
    ok(headers.expires !== undefined)
  },

  'a document by an old hash leads to the present one': async bench => {
    const { status, headers } = await bench.api.get('/openapi/v3/api/v1?hash=0000')
    equal(status, 301)
    match(headers.location ?? '', /^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]+$/)
  },

  'the hash changes with the schema': async bench => {
    const { group } = await documented(bench)
    const urlOf = async () => (await bench.api.get('/openapi/v3')).body.paths[`apis/${group}/v1`]?.serverRelativeURL
    const before = await urlOf()
    const crd = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gears.${group}`
    const { body } = await bench.api.get(crd)
    const [version] = body.spec.versions
    const changed = {
      ...version,
      schema: { openAPIV3Schema: objectSchema({ mode: { type: 'string' }, other: { type: 'string' } }) },
    }
    await bench.api.patch(crd, 'merge', { spec: { versions: [changed] } })
    await bench.until('another hash', async () => (await urlOf()) !== before)
  },

  'a document is OpenAPI 3.0': async bench => {
    const { document } = await documented(bench)
    match(document.openapi, /^3\.0/)
    ok(typeof document.info.title === 'string' && typeof document.info.version === 'string')
  },

  'a kind has a schema that knows its group, version and kind': async bench => {
    const { group, document, name } = await documented(bench)
    const kind = document.components.schemas[name]
    deepEqual(kind['x-kubernetes-group-version-kind'], [{ group, kind: 'Gear', version: 'v1' }])
    equal(kind.type, 'object')
    deepEqual(Object.keys(kind.properties).sort(), ['apiVersion', 'kind', 'metadata', 'spec', 'status'])
  },

  'a kind’s metadata is ObjectMeta by reference': async bench => {
    const { document, name } = await documented(bench)
    const { metadata } = document.components.schemas[name].properties
    const [reference] = metadata.allOf
    equal(reference.$ref, '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')
    const meta = document.components.schemas['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta']
    for (const field of ['name', 'namespace', 'labels', 'annotations', 'ownerReferences', 'finalizers', 'uid']) {
      ok(meta.properties[field] !== undefined, field)
    }
  },

  'the schema of a definition is told as it is': async bench => {
    const { document, name } = await documented(bench)
    const { spec, status } = document.components.schemas[name].properties
    like(spec.properties, {
      size: { type: 'integer', minimum: 1, description: 'How large it is.' },
      mode: { type: 'string', enum: ['Fast', 'Safe'], default: 'Safe' },
      port: { 'x-kubernetes-int-or-string': true },
      open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      parts: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: { type: 'object', required: ['name'] },
      },
    })
    like(status, { type: 'object', properties: { phase: { type: 'string' } } })
  },

  'a number or a string is told as either, an embedded object with what every object has': async bench => {
    const { document, name } = await documented(bench)
    const { port, object } = document.components.schemas[name].properties.spec.properties
    deepEqual(port, { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] })
    deepEqual(object.required, ['kind', 'apiVersion'])
    deepEqual(Object.keys(object.properties).sort(), ['apiVersion', 'kind', 'metadata', 'spec'])
  },

  'a kind says what it can be selected by': async bench => {
    const { document, name } = await documented(bench)
    deepEqual(document.components.schemas[name]['x-kubernetes-selectable-fields'], [{ fieldPath: 'spec.mode' }])
  },

  'the scale of a kind has a path': async bench => {
    const { group, document } = await documented(bench)
    const { get } = document.paths[`/apis/${group}/v1/namespaces/{namespace}/gears/{name}/scale`]
    const { schema } = get.responses[200].content['application/json']
    deepEqual(schema, { $ref: '#/components/schemas/io.k8s.api.autoscaling.v1.Scale' })
    like(document.components.schemas['io.k8s.api.autoscaling.v1.Scale'], {
      'x-kubernetes-group-version-kind': [{ group: 'autoscaling', kind: 'Scale', version: 'v1' }],
    })
  },

  'a list has a schema with items of the kind': async bench => {
    const { group, document, name } = await documented(bench)
    const list = document.components.schemas[`${name}List`]
    deepEqual(list['x-kubernetes-group-version-kind'], [{ group, kind: 'GearList', version: 'v1' }])
    deepEqual(list.required, ['items'])
    equal(list.properties.items.items.$ref, `#/components/schemas/${name}`)
  },

  'the paths of a kind have its operations': async bench => {
    const { group, document } = await documented(bench)
    const base = `/apis/${group}/v1/namespaces/{namespace}/gears`
    const actions = (path: string) =>
      Object.entries<Operation>(document.paths[path] ?? {})
        .filter(([method]) => method !== 'parameters')
        .map(([method, operation]) => `${method} ${operation['x-kubernetes-action']}`)
        .sort()
    deepEqual(actions(base), ['delete deletecollection', 'get list', 'post post'])
    deepEqual(actions(`${base}/{name}`), ['delete delete', 'get get', 'patch patch', 'put put'])
    deepEqual(actions(`${base}/{name}/status`), ['get get', 'patch patch', 'put put'])
    deepEqual(actions(`/apis/${group}/v1/gears`), ['get list'])
  },

  'operations know the kind that they are about': async bench => {
    const { group, document } = await documented(bench)
    const { post } = document.paths[`/apis/${group}/v1/namespaces/{namespace}/gears`]
    deepEqual(post['x-kubernetes-group-version-kind'], { group, kind: 'Gear', version: 'v1' })
  },

  'writes may be dry runs with validated fields': async bench => {
    const { group, document } = await documented(bench)
    const paths = document.paths[`/apis/${group}/v1/namespaces/{namespace}/gears/{name}`]
    const names = (paths.patch as Operation).parameters?.map(({ name }) => name) ?? []
    for (const name of ['dryRun', 'fieldManager', 'fieldValidation', 'force']) ok(names.includes(name), name)
  },

  'patches are taken in three forms, and applied': async bench => {
    const { group, document } = await documented(bench)
    const { patch } = document.paths[`/apis/${group}/v1/namespaces/{namespace}/gears/{name}`]
    for (const type of ['json-patch+json', 'merge-patch+json', 'apply-patch+yaml']) {
      ok(patch.requestBody.content[`application/${type}`] !== undefined, type)
    }
  },

  'the document of the core group knows namespaces and config maps': async bench => {
    const { body } = await bench.api.get('/openapi/v3/api/v1')
    const kinds = ['Namespace', 'ConfigMap', 'Secret', 'Event']
    for (const kind of kinds) {
      deepEqual(body.components.schemas[`io.k8s.api.core.v1.${kind}`]['x-kubernetes-group-version-kind'], [
        { group: '', kind, version: 'v1' },
      ])
    }
    ok(body.paths['/api/v1/namespaces/{namespace}/configmaps/{name}'] !== undefined)
  },

  'the document of a group that is not there is not found': async bench => {
    equal((await bench.api.get('/openapi/v3/apis/none.skystead.test/v1')).status, 404)
  },

  'a document that has not changed is not sent again': async bench => {
    const { headers } = await bench.api.get('/openapi/v3/api/v1')
    const again = await bench.api.get('/openapi/v3/api/v1', { headers: { 'if-none-match': headers.etag ?? '' } })
    equal(again.status, 304)
  },
})
