import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { encodeOpenAPIv2, openAPIProtobuf } from '../../../apiserver/openapi/protobuf-document.ts'
import type { Bench } from '../case.ts'
import { area, like } from '../case.ts'
import { definition, listMap, objectSchema } from '../definitions.ts'

const text = { type: 'string' }
const size = {
  type: 'integer',
  format: 'int32',
  minimum: 1,
  maximum: 9,
  exclusiveMaximum: true,
  description: 'How large.',
}

/** What version 2 can say, what it cannot, and what kubectl before 1.29 would stumble over. */
const schema = {
  description: 'Gear turns.',
  required: ['spec'],
  'x-kubernetes-validations': [{ rule: "self.metadata.name != 'x'" }],
  ...objectSchema({
    size,
    mode: { ...text, enum: ['Fast', 'Safe'], default: 'Safe', pattern: '^[A-Z]', maxLength: 10, example: 'Safe' },
    port: { 'x-kubernetes-int-or-string': true },
    door: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
    open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { a: text } },
    maybe: { type: 'object', nullable: true, properties: { a: text } },
    strict: { type: 'object', required: ['a', 'b'], properties: { a: { ...text, nullable: true }, b: text } },
    counts: { type: 'object', additionalProperties: { type: 'integer', nullable: true }, maxProperties: 3 },
    object: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } },
    loose: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      'x-kubernetes-preserve-unknown-fields': true,
    },
    parts: listMap('name', { weight: { type: 'number', default: 1 } }),
    one: {
      type: 'object',
      properties: { a: text, b: text },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
      not: { required: ['c'] },
      'x-kubernetes-validations': [{ rule: 'has(self.a)', message: 'a is needed' }],
    },
  }),
}

/** A kind with all that, and the document once it tells of it. */
async function documented(bench: Bench) {
  const group = `${bench.name('oas').replaceAll('-', '')}.skystead.test`
  const scale = { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' }
  const version = { selectableFields: [{ jsonPath: '.spec.mode' }] }
  await bench.install(definition('Gear', { group, schema, subresources: { status: {}, scale }, version }))
  const name = `test.skystead.${group.split('.')[0]}.v1.Gear`
  const document = await bench.until(`${name} in /openapi/v2`, async () => {
    const { body } = await bench.api.get('/openapi/v2')
    return body.definitions[name] !== undefined && body
  })
  return { group, name, document, base: `/apis/${group}/v1/namespaces/{namespace}/gears` }
}

interface Operation {
  readonly operationId: string
  readonly 'x-kubernetes-action': string
  readonly parameters?: readonly { readonly name?: string }[]
}

function operations(path: Readonly<Record<string, Operation>>): readonly (readonly [string, Operation])[] {
  return Object.entries(path).filter(([method]) => method !== 'parameters')
}

/** A definition as it stands in the protobuf of a whole document. */
function definitionBytes(name: string, told: object): Buffer {
  const bytes = encodeOpenAPIv2({ definitions: { [name]: told } })
  // Before it stand the number of the field, and the length of it: its last byte is the first one below 128.
  return Buffer.from(bytes).subarray(bytes.findIndex((byte, index) => index > 0 && byte < 0x80) + 1)
}

export const openapiTwo = area('openapi v2', {
  'a schema is told without what version 2 cannot say': async bench => {
    const { document, name } = await documented(bench)
    const { spec } = document.definitions[name].properties
    const { object, ...properties } = spec.properties
    deepEqual(properties, {
      size,
      mode: { ...text, enum: ['Fast', 'Safe'], pattern: '^[A-Z]', maxLength: 10, example: 'Safe' },
      port: { 'x-kubernetes-int-or-string': true },
      door: { 'x-kubernetes-int-or-string': true },
      open: { 'x-kubernetes-preserve-unknown-fields': true },
      maybe: {},
      strict: { type: 'object', required: ['b'], properties: { a: {}, b: text } },
      counts: { type: 'object', additionalProperties: {}, maxProperties: 3 },
      loose: { 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
      parts: listMap('name', { weight: { type: 'number' } }),
      one: {
        type: 'object',
        properties: { a: text, b: text },
        'x-kubernetes-validations': [{ rule: 'has(self.a)', message: 'a is needed' }],
      },
    })
    deepEqual(object.required, ['kind', 'apiVersion'])
    deepEqual(Object.keys(object.properties).sort(), ['apiVersion', 'kind', 'metadata', 'spec'])
  },

  'a kind says its group, version and kind, and what it can be selected by': async bench => {
    const { document, group, name } = await documented(bench)
    const { properties, ...kind } = document.definitions[name]
    deepEqual(kind, {
      type: 'object',
      description: 'Gear turns.',
      required: ['spec'],
      'x-kubernetes-group-version-kind': [{ group, kind: 'Gear', version: 'v1' }],
      'x-kubernetes-selectable-fields': [{ fieldPath: 'spec.mode' }],
      'x-kubernetes-validations': [{ rule: "self.metadata.name != 'x'" }],
    })
    like(properties.metadata, { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' })
    like(properties.apiVersion, text)
    like(document.definitions[`${name}List`], {
      required: ['items'],
      properties: { items: { type: 'array', items: { $ref: `#/definitions/${name}` } } },
    })
  },

  'a kind of anything is told to have no fields': async bench => {
    const group = `${bench.name('oas')}.skystead.test`
    await bench.install(definition('Anything', { group }))
    const name = `test.skystead.${group.split('.')[0]}.v1.Anything`
    const told = await bench.until(`${name} in /openapi/v2`, async () => {
      const { body } = await bench.api.get('/openapi/v2')
      return body.definitions[name]
    })
    deepEqual(told, {
      type: 'object',
      'x-kubernetes-group-version-kind': [{ group, kind: 'Anything', version: 'v1' }],
    })
  },

  'the paths of a kind have its operations, each with a name of its own': async bench => {
    const { document, base, group } = await documented(bench)
    const mark = `${group.replace('oas', 'Oas').replace('.skystead.test', '')}SkysteadTestV1`
    const named = (path: string) =>
      operations(document.paths[path]).map(
        ([method, each]) => `${method} ${each['x-kubernetes-action']} ${each.operationId}`,
      )
    deepEqual(named(base).sort(), [
      `delete deletecollection delete${mark}CollectionNamespacedGear`,
      `get list list${mark}NamespacedGear`,
      `post post create${mark}NamespacedGear`,
    ])
    deepEqual(named(`${base}/{name}/scale`).sort(), [
      `get get read${mark}NamespacedGearScale`,
      `patch patch patch${mark}NamespacedGearScale`,
      `put put replace${mark}NamespacedGearScale`,
    ])
    equal(named(`${base}/{name}/status`).length, 3)
    deepEqual(named(`/apis/${group}/v1/gears`), [`get list list${mark}GearForAllNamespaces`])
    const paths: readonly Readonly<Record<string, Operation>>[] = Object.values(document.paths)
    const ids = paths.flatMap(operations).map(([, { operationId }]) => operationId)
    equal(new Set(ids).size, ids.length)
  },

  'dry runs and the validation of fields are told where the operation stands': async bench => {
    const { document, base } = await documented(bench)
    for (const method of ['patch', 'put']) {
      const { parameters }: Operation = document.paths[`${base}/{name}`][method]
      const names = parameters?.map(({ name }) => name) ?? []
      ok(names.includes('dryRun') && names.includes('fieldValidation'), String(names))
    }
  },

  'every reference leads somewhere': async bench => {
    const { document } = await documented(bench)
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/(definitions|parameters)\/([^"]+)"/g)]
    ok(references.length > 100)
    const lost = references.filter(([, section = '', name = '']) => document[section][name] === undefined)
    deepEqual(
      lost.map(([whole]) => whole),
      [],
    )
  },

  'strategic patches of built-in kinds are told, and by which keys their lists are merged': async bench => {
    const { body } = await bench.api.get('/openapi/v2')
    const { consumes } = body.paths['/api/v1/namespaces/{namespace}/configmaps/{name}'].patch
    ok(consumes.includes('application/strategic-merge-patch+json'))
    const { ownerReferences, finalizers } =
      body.definitions['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'].properties
    like(ownerReferences, { 'x-kubernetes-patch-merge-key': 'uid', 'x-kubernetes-patch-strategy': 'merge' })
    like(finalizers, { 'x-kubernetes-patch-strategy': 'merge' })
    const { secrets } = body.definitions['io.k8s.api.core.v1.ServiceAccount'].properties
    like(secrets, { 'x-kubernetes-patch-merge-key': 'name', 'x-kubernetes-patch-strategy': 'merge' })
  },

  'patches of custom kinds are taken in three forms': async bench => {
    const { document, base } = await documented(bench)
    deepEqual(document.paths[`${base}/{name}`].patch.consumes.toSorted(), [
      'application/apply-patch+yaml',
      'application/json-patch+json',
      'application/merge-patch+json',
    ])
  },

  'protobuf says the same as JSON': async bench => {
    const { document, name } = await documented(bench)
    const told = definitionBytes(name, document.definitions[name])
    for (const accept of [openAPIProtobuf, 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf']) {
      const { headers, bytes } = await bench.api.get('/openapi/v2', { accept })
      equal(headers['content-type'], openAPIProtobuf)
      ok(Buffer.from(bytes).includes(told), accept)
    }
  },

  'whoever wishes for another form is told that there is none': async bench => {
    const { status, text } = await bench.api.get('/openapi/v2', { accept: 'text/html' })
    equal(status, 406)
    equal(text, '')
  },

  'the form that is liked best is sent': async bench => {
    const accept = `application/json;q=0.5, ${openAPIProtobuf}`
    const { headers } = await bench.api.get('/openapi/v2', { accept })
    equal(headers['content-type'], openAPIProtobuf)
    match((await bench.api.get('/openapi/v2', { accept: '*/*' })).headers['content-type'] ?? '', /^application\/json/)
  },

  'a document that has not changed is not sent again': async bench => {
    const answer = await bench.until('a quiet moment', async () => {
      const { headers } = await bench.api.get('/openapi/v2')
      const again = await bench.api.get('/openapi/v2', { headers: { 'if-none-match': headers.etag ?? '' } })
      return again.status === 304 && again
    })
    equal(answer.text, '')
  },
})
