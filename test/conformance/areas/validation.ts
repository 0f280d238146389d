import { deepEqual, equal, match } from 'node:assert/strict'
import type { Bench } from '../case.ts'
import { area, failure, like } from '../case.ts'
import { configMap, definition, group, listMap, objectSchema, widget, widgets } from '../definitions.ts'

const text = { type: 'string' }

/** Values of every kind, each with bounds. */
const samples = definition('Sample', {
  schema: objectSchema({
    size: { type: 'integer', minimum: 1, maximum: 10, multipleOf: 2 },
    ratio: { type: 'number', minimum: 0, exclusiveMinimum: true },
    name: { type: 'string', minLength: 2, maxLength: 5, pattern: '^[a-z]+$' },
    mode: { type: 'string', enum: ['Fast', 'Safe'] },
    level: { type: 'integer', enum: [1, 2] },
    flag: { type: 'boolean' },
    count: { type: 'integer' },
    small: { type: 'integer', format: 'int32' },
    title: text,
    list: { type: 'array', minItems: 1, maxItems: 2, items: { type: 'integer' } },
    map: { type: 'object', minProperties: 1, maxProperties: 2, additionalProperties: { type: 'integer' } },
    part: { type: 'object', required: ['name'], properties: { name: text } },
    set: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    parts: listMap('name', { weight: { type: 'integer' } }),
    port: { 'x-kubernetes-int-or-string': true },
    choice: { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }], properties: { a: text, b: text } },
    some: { type: 'object', anyOf: [{ required: ['a'] }, { required: ['b'] }], properties: { a: text, b: text } },
    forbidden: { type: 'string', not: { enum: ['bad'] } },
    all: { type: 'integer', allOf: [{ minimum: 3 }, { maximum: 5 }] },
    when: { type: 'string', format: 'date-time' },
    address: { type: 'string', format: 'ipv4' },
  }),
})

function sample(spec: object): object {
  return { apiVersion: `${group}/v1`, kind: 'Sample', metadata: { name: 'a' }, spec }
}

/** The causes for which a spec is refused. */
async function causesOf(bench: Bench, spec: object) {
  const path = await bench.install(samples)
  const { status, body } = await bench.api.post(path, sample(spec))
  equal(status, 422, body.message)
  equal(body.reason, 'Invalid')
  return body.details.causes
}

/** Makes a case of a spec that is refused for one cause. */
function refusing(spec: object, reason: string, field: string, message: string) {
  return async (bench: Bench) => deepEqual(await causesOf(bench, spec), [{ reason, message, field }])
}

const strict = 'fieldValidation=Strict'

export const validation = area('validation', {
  'what is wrong is told in a Status with a cause': async bench => {
    const path = await bench.install(samples)
    const { status, body } = await bench.api.post(path, sample({ size: 12 }))
    equal(status, 422)
    const message = 'Invalid value: 12: spec.size in body should be less than or equal to 10'
    deepEqual(
      body,
      failure({
        message: `Sample.${group} "a" is invalid: spec.size: ${message}`,
        reason: 'Invalid',
        details: {
          name: 'a',
          group,
          kind: 'Sample',
          causes: [{ reason: 'FieldValueInvalid', message, field: 'spec.size' }],
        },
        code: 422,
      }),
    )
  },

  'all that is wrong is told at once': async bench => {
    const causes = await causesOf(bench, { size: 12, mode: 'Slow' })
    deepEqual(causes.map(({ field }: { field: string }) => field).sort(), ['spec.mode', 'spec.size'])
    const path = await bench.install(samples)
    const { body } = await bench.api.post(path, sample({ size: 12, mode: 'Slow' }))
    match(body.message, /^Sample\.\S+ "a" is invalid: \[spec\..*, spec\..*\]$/)
  },

  'a number that is too small is refused': refusing(
    { size: 0 },
    'FieldValueInvalid',
    'spec.size',
    'Invalid value: 0: spec.size in body should be greater than or equal to 1',
  ),

  'a number that is no multiple is refused': refusing(
    { size: 3 },
    'FieldValueInvalid',
    'spec.size',
    'Invalid value: 3: spec.size in body should be a multiple of 2',
  ),

  'a number at an exclusive bound is refused': refusing(
    { ratio: 0 },
    'FieldValueInvalid',
    'spec.ratio',
    'Invalid value: 0: spec.ratio in body should be greater than 0',
  ),

  'a text that is too short is refused': refusing(
    { name: 'a' },
    'FieldValueInvalid',
    'spec.name',
    'Invalid value: "a": spec.name in body should be at least 2 chars long',
  ),

  'a text that is too long is refused': refusing(
    { name: 'abcdef' },
    'FieldValueTooLong',
    'spec.name',
    'Too long: may not be more than 5 bytes',
  ),

  'a text that does not match is refused': refusing(
    { name: 'ABC' },
    'FieldValueInvalid',
    'spec.name',
    `Invalid value: "ABC": spec.name in body should match '^[a-z]+$'`,
  ),

  'a value that is none of an enum is refused': refusing(
    { mode: 'Slow' },
    'FieldValueNotSupported',
    'spec.mode',
    'Unsupported value: "Slow": supported values: "Fast", "Safe"',
  ),

  'a number that is none of an enum is refused': refusing(
    { level: 3 },
    'FieldValueNotSupported',
    'spec.level',
    'Unsupported value: 3: supported values: "1", "2"',
  ),

  'a text where a number should be is refused': refusing(
    { count: '1' },
    'FieldValueTypeInvalid',
    'spec.count',
    'Invalid value: "string": spec.count in body must be of type integer: "string"',
  ),

  'a broken number where an integer should be is refused': async bench => {
    deepEqual(await causesOf(bench, { count: 1.5 }), [
      {
        reason: 'FieldValueTypeInvalid',
        message: 'Invalid value: "number": spec.count in body must be of type integer: "number"',
        field: 'spec.count',
      },
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: "": Checked value must be of type integer (default format) in spec.count',
        field: '<nil>',
      },
    ])
  },

  'an integer that its format has no room for is refused': refusing(
    { small: 3_000_000_000 },
    'FieldValueInvalid',
    '<nil>',
    'Invalid value: "": Checked value must be of type integer with format int32 in spec.small',
  ),

  'an integer is a number': async bench => {
    const path = await bench.install(samples)
    equal((await bench.api.post(path, sample({ ratio: 2 }))).status, 201)
  },

  'a list where a text should be is refused': refusing(
    { title: ['Fast'] },
    'FieldValueTypeInvalid',
    'spec.title',
    'Invalid value: "array": spec.title in body must be of type string: "array"',
  ),

  'a list that is too short is refused': refusing(
    { list: [] },
    'FieldValueInvalid',
    'spec.list',
    'Invalid value: 0: spec.list in body should have at least 1 items',
  ),

  'a list that is too long is refused': refusing(
    { list: [1, 2, 3] },
    'FieldValueTooMany',
    'spec.list',
    'Too many: 3: must have at most 2 items',
  ),

  'a wrong element of a list is named by its index': refusing(
    { list: [1, 'x'] },
    'FieldValueTypeInvalid',
    'spec.list[1]',
    'Invalid value: "string": spec.list[1] in body must be of type integer: "string"',
  ),

  'a map that is too large is refused': refusing(
    { map: { a: 1, b: 2, c: 3 } },
    'FieldValueTooMany',
    'spec.map',
    'Too many: 3: must have at most 2 items',
  ),

  'a map that is too small is refused': refusing(
    { map: {} },
    'FieldValueInvalid',
    'spec.map',
    'Invalid value: 0: spec.map in body should have at least 1 properties',
  ),

  'a wrong value of a map is named by its key': refusing(
    { map: { a: 'x' } },
    'FieldValueTypeInvalid',
    'spec.map.a',
    'Invalid value: "string": spec.map.a in body must be of type integer: "string"',
  ),

  'a field that is required is missed': refusing(
    { part: {} },
    'FieldValueRequired',
    'spec.part.name',
    'Required value',
  ),

  'a set with an element twice is refused': refusing(
    { set: ['a', 'b', 'a'] },
    'FieldValueDuplicate',
    'spec.set[2]',
    'Duplicate value: "a"',
  ),

  'a list with a key twice is refused': refusing(
    { parts: [{ name: 'a' }, { name: 'a', weight: 1 }] },
    'FieldValueDuplicate',
    'spec.parts[1]',
    'Duplicate value: {"name":"a"}',
  ),

  'an integer-or-string is nothing else': refusing(
    { port: true },
    'FieldValueTypeInvalid',
    'spec.port',
    'Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
  ),

  'one of several schemas must fit': async bench => {
    const causes = await causesOf(bench, { choice: { a: 'x', b: 'y' } })
    deepEqual(causes, [
      {
        reason: 'FieldValueInvalid',
        message:
          'Invalid value: "": "spec.choice" must validate one and only one schema (oneOf). Found 2 valid alternatives',
        field: '<nil>',
      },
    ])
  },

  'any of several schemas must fit': async bench => {
    const causes = await causesOf(bench, { some: {} })
    const message = 'Invalid value: "": "spec.some" must validate at least one schema (anyOf)'
    like(
      causes.filter(({ field }: { field: string }) => field === '<nil>'),
      [{ reason: 'FieldValueInvalid', message }],
    )
  },

  'all of several schemas must fit': async bench => {
    const causes = await causesOf(bench, { all: 6 })
    const fields = causes.map(({ field, message }: { field: string; message: string }) => `${field}: ${message}`).sort()
    deepEqual(fields, [
      '<nil>: Invalid value: "": "spec.all" must validate all the schemas (allOf)',
      'spec.all: Invalid value: 6: spec.all in body should be less than or equal to 5',
    ])
  },

  'a schema must not fit': async bench => {
    deepEqual(await causesOf(bench, { forbidden: 'bad' }), [
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: "": "spec.forbidden" must not validate the schema (not)',
        field: '<nil>',
      },
    ])
  },

  'a text that is no time is refused': refusing(
    { when: 'tomorrow' },
    'FieldValueTypeInvalid',
    'spec.when',
    'Invalid value: "tomorrow": spec.when in body must be of type date-time: "tomorrow"',
  ),

  'a text that is no address is refused': refusing(
    { address: '10.0.0.256' },
    'FieldValueTypeInvalid',
    'spec.address',
    'Invalid value: "10.0.0.256": spec.address in body must be of type ipv4: "10.0.0.256"',
  ),

  'updates, patches and applies are validated as creations are': async bench => {
    const path = await bench.install(samples)
    const { body: created } = await bench.api.post(path, sample({ size: 2 }))
    equal((await bench.api.put(`${path}/a`, { ...created, spec: { size: 12 } })).status, 422)
    equal((await bench.api.patch(`${path}/a`, 'merge', { spec: { size: 12 } })).status, 422)
    equal((await bench.api.patch(`${path}/a`, 'json', [{ op: 'replace', path: '/spec/size', value: 12 }])).status, 422)
    equal((await bench.api.apply(`${path}/a`, sample({ size: 12 }), { force: true })).status, 422)
    deepEqual((await bench.api.get(`${path}/a`)).body.spec, { size: 2 })
  },

  'what was wrong before and is not touched is forgiven': async bench => {
    const own = `${bench.name('val')}.skystead.test`
    const schema = (name: object) => objectSchema({ name, note: text })
    const loose = definition('Sample', { group: own, schema: schema(text) })
    const path = await bench.install(loose)
    await bench.api.post(path, { ...sample({ name: 'TOO LONG' }), apiVersion: `${own}/v1` })
    const [version] = definition('Sample', { group: own, schema: schema({ ...text, maxLength: 3 }) }).spec.versions
    const crd = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${loose.metadata.name}`
    await bench.api.patch(crd, 'merge', { spec: { versions: [version] } })
    const change = (spec: object) => bench.api.patch(`${path}/a?dryRun=All`, 'merge', { spec })
    await bench.until('the new schema', async () => (await change({ name: 'STILL TOO LONG' })).status === 422)
    equal((await bench.api.patch(`${path}/a`, 'merge', { spec: { note: 'x' } })).status, 200)
    equal((await bench.api.patch(`${path}/a`, 'merge', { spec: { name: 'ok' } })).status, 200)
  },

  'Strict refuses unknown fields': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(`${path}?${strict}`, widget('a', { size: 1, colour: 'red' }))
    equal(status, 400)
    like(body, {
      reason: 'BadRequest',
      message:
        'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.colour"',
    })
  },

  'Strict names every unknown field': async bench => {
    const path = await bench.install(widgets)
    const body = { ...widget('a', { colour: 'red', parts: [{ name: 'a', wait: 1 }] }), extra: 1 }
    const answer = await bench.api.post(`${path}?${strict}`, body)
    equal(answer.status, 400)
    match(answer.body.message, /unknown field "extra"/)
    match(answer.body.message, /unknown field "spec\.colour"/)
    match(answer.body.message, /unknown field "spec\.parts\[0\]\.wait"/)
  },

  'Strict refuses unknown fields of metadata': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(`${path}?${strict}`, widget('a', {}, { label: { a: 'b' } }))
    equal(status, 400)
    match(body.message, /strict decoding error: unknown field "metadata\.label"$/)
  },

  'Strict refuses a field that is given twice': async bench => {
    const path = await bench.install(widgets)
    const text = JSON.stringify(widget('a', { size: 1 })).replace('"size":1', '"size":1,"size":2')
    const { status, body } = await bench.api.post(`${path}?${strict}`, text)
    equal(status, 400)
    match(body.message, /strict decoding error: duplicate field "spec\.size"$/)
  },

  'Strict refuses a key of YAML that is given twice': async bench => {
    const path = await bench.install(widgets)
    const text = `apiVersion: ${group}/v1\nkind: Widget\nmetadata:\n  name: a\nspec:\n  size: 1\n  size: 2\n`
    const { status, body } = await bench.api.post(`${path}?${strict}`, text, { type: 'application/yaml' })
    equal(status, 400)
    match(body.message, /strict decoding error: yaml: unmarshal errors:\n {2}line 7: key "size" already set in map$/)
  },

  'Warn drops unknown fields and says so': async bench => {
    const path = await bench.install(widgets)
    const body = widget('a', { size: 1, colour: 'red' })
    const answer = await bench.api.post(`${path}?fieldValidation=Warn`, body)
    equal(answer.status, 201)
    deepEqual(answer.body.spec, { size: 1, mode: 'Safe' })
    equal(answer.headers.warning, '299 - "unknown field \\"spec.colour\\""')
  },

  'Warn takes the last of a field that is given twice and says so': async bench => {
    const path = await bench.install(widgets)
    const text = JSON.stringify(widget('a', { size: 1 })).replace('"size":1', '"size":1,"size":2')
    const { status, body, headers } = await bench.api.post(`${path}?fieldValidation=Warn`, text)
    equal(status, 201)
    equal(body.spec.size, 2)
    equal(headers.warning, '299 - "duplicate field \\"spec.size\\""')
  },

  'fields are validated as with Warn where nothing is asked for': async bench => {
    const path = await bench.install(widgets)
    const { status, headers } = await bench.api.post(path, widget('a', { colour: 'red' }))
    equal(status, 201)
    equal(headers.warning, '299 - "unknown field \\"spec.colour\\""')
  },

  'Ignore drops unknown fields in silence': async bench => {
    const path = await bench.install(widgets)
    const body = widget('a', { size: 1, colour: 'red' })
    const answer = await bench.api.post(`${path}?fieldValidation=Ignore`, body)
    equal(answer.status, 201)
    deepEqual(answer.body.spec, { size: 1, mode: 'Safe' })
    equal(answer.headers.warning, undefined)
  },

  'another fieldValidation is refused': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(`${path}?fieldValidation=Loud`, widget('a'))
    equal(status, 422)
    like(body.details.causes, [{ reason: 'FieldValueNotSupported', field: 'fieldValidation' }])
    match(body.message, /Unsupported value: "Loud": supported values: "", "Ignore", "Strict", "Warn"/)
  },

  'Strict holds for updates': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a'))
    const { status } = await bench.api.put(`${path}/a?${strict}`, { ...created, spec: { colour: 'red' } })
    equal(status, 400)
  },

  'Strict holds for merge patches': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    const { status, body } = await bench.api.patch(`${path}/a?${strict}`, 'merge', { spec: { colour: 'red' } })
    equal(status, 422)
    match(body.message, /strict decoding error: unknown field "spec\.colour"/)
  },

  'Strict holds for JSON patches': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    const operations = [{ op: 'add', path: '/spec/colour', value: 'red' }]
    const { status, body } = await bench.api.patch(`${path}/a?${strict}`, 'json', operations)
    equal(status, 422)
    match(body.message, /strict decoding error: unknown field "spec\.colour"/)
  },

  'Strict holds for applies': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.apply(`${path}/a`, widget('a', { colour: 'red' }), { query: strict })
    equal(status, 500)
    match(body.message, /field not declared in schema/)
  },

  'Strict refuses unknown fields of built-in kinds': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    const { status, body } = await bench.api.post(`${path}?${strict}`, { ...configMap('a'), dta: { x: '1' } })
    equal(status, 400)
    equal(
      body.message,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dta"',
    )
  },

  'values of the wrong type in built-in kinds cannot be decoded': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    const { status, body } = await bench.api.post(path, { ...configMap('a'), data: { x: 1 } })
    equal(status, 400)
    match(body.message, /^ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number/)
  },
})
