import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { parse } from 'yaml'
import type { Bench } from '../case.ts'
import { area, like } from '../case.ts'
import { configMap, definition, group, widget, widgets } from '../definitions.ts'

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const partial = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'
const partialList = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'

/** What `kubectl get` asks with. */
const ofKubectl = `${table},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`

/** A kind with a column of each type and of each form of path. */
const columns = definition('Column', {
  version: {
    additionalPrinterColumns: [
      { name: 'Text', type: 'string', jsonPath: '.spec.text' },
      { name: 'Number', type: 'number', jsonPath: '.spec.number' },
      { name: 'Integer', type: 'integer', jsonPath: '.spec.integer', format: 'int32' },
      { name: 'Boolean', type: 'boolean', jsonPath: '.spec.boolean' },
      { name: 'Date', type: 'date', jsonPath: '.spec.date' },
      { name: 'First', type: 'string', jsonPath: '.spec.items[0].name' },
      { name: 'Last', type: 'string', jsonPath: '.spec.items[-1].name' },
      { name: 'Each', type: 'string', jsonPath: '.spec.items[*].name' },
      { name: 'Found', type: 'string', jsonPath: '.spec.items[?(@.name=="b")].value' },
      { name: 'Label', type: 'string', jsonPath: '.metadata.labels.example\\.com/zone' },
    ],
  },
})

/** The cells, after the name, of an object of the kind with columns. */
async function cellsOf(bench: Bench, spec: object, labels: object = {}): Promise<unknown> {
  const path = await bench.install(columns)
  await bench.api.post(path, { apiVersion: `${group}/v1`, kind: 'Column', metadata: { name: 'a', labels }, spec })
  const { body } = await bench.api.get(`${path}/a`, { accept: table })
  return body.rows[0].cells.slice(1)
}

async function sample(bench: Bench): Promise<string> {
  const path = await bench.install(widgets)
  for (const name of 'abc') await bench.api.post(path, widget(name, { size: 3 }, { labels: { name } }))
  return path
}

/** Names of the columns, those of `-o wide` in parentheses. */
async function headOf(bench: Bench, path: string): Promise<string> {
  const { body } = await bench.api.get(`${path}?limit=1`, { accept: ofKubectl })
  const head: { name: string; priority: number }[] = body.columnDefinitions
  return head.map(({ name, priority }) => (priority === 0 ? name : `(${name})`)).join()
}

export const tables = area('tables', {
  'a list as a table has a row for each object': async bench => {
    const path = await sample(bench)
    const { status, headers, body } = await bench.api.get(path, { accept: table })
    equal(status, 200)
    equal(headers['content-type'], 'application/json')
    like(body, { kind: 'Table', apiVersion: 'meta.k8s.io/v1' })
    match(body.metadata.resourceVersion, /^[1-9]\d*$/)
    deepEqual(
      body.rows.map((row: { cells: unknown }) => row.cells),
      [
        ['a', 'Safe', 3],
        ['b', 'Safe', 3],
        ['c', 'Safe', 3],
      ],
    )
  },

  'columns are those that the definition names, after the name': async bench => {
    const { body } = await bench.api.get(await sample(bench), { accept: table })
    const [name, ...others] = body.columnDefinitions
    like(name, { name: 'Name', type: 'string', format: 'name', priority: 0 })
    deepEqual(others, [
      {
        name: 'Mode',
        type: 'string',
        format: '',
        description: 'Custom resource definition column (in JSONPath format): .spec.mode',
        priority: 0,
      },
      { name: 'Size', type: 'integer', format: '', description: 'How large it is', priority: 1 },
    ])
  },

  'a kind without columns shows name and age': async bench => {
    const path = await bench.install(definition('Plain'))
    await bench.api.post(path, { apiVersion: `${group}/v1`, kind: 'Plain', metadata: { name: 'a' } })
    const { body } = await bench.api.get(path, { accept: table })
    like(body.columnDefinitions, [
      { name: 'Name', type: 'string', format: 'name', priority: 0 },
      { name: 'Age', type: 'date', format: '', priority: 0 },
    ])
    equal(body.rows[0].cells[0], 'a')
    match(body.rows[0].cells[1], /^\d+s$/)
  },

  'an empty list as a table has columns and no rows': async bench => {
    const { body } = await bench.api.get(await bench.install(widgets), { accept: table })
    equal(body.columnDefinitions.length, 3)
    deepEqual(body.rows, [])
  },

  'one object as a table is one row': async bench => {
    const path = await sample(bench)
    const { body: object } = await bench.api.get(`${path}/a`)
    const { body } = await bench.api.get(`${path}/a`, { accept: table })
    like(body, { kind: 'Table', metadata: { resourceVersion: object.metadata.resourceVersion } })
    deepEqual(body.rows[0].cells, ['a', 'Safe', 3])
    equal(body.rows.length, 1)
  },

  'rows carry the metadata of their objects': async bench => {
    const path = await sample(bench)
    const { body } = await bench.api.get(`${path}/a`, { accept: table })
    like(body.rows[0].object, {
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name: 'a', namespace: await bench.namespace(), labels: { name: 'a' } },
    })
    equal(body.rows[0].object.spec, undefined)
  },

  'rows carry whole objects where that is asked for': async bench => {
    const path = await sample(bench)
    const { body: object } = await bench.api.get(`${path}/a`)
    const { body } = await bench.api.get(`${path}/a?includeObject=Object`, { accept: table })
    deepEqual(body.rows[0].object, object)
  },

  'rows carry no objects where that is asked for': async bench => {
    const path = await sample(bench)
    const { body } = await bench.api.get(`${path}?includeObject=None`, { accept: table })
    deepEqual(body.rows[0].cells, ['a', 'Safe', 3])
    ok(!body.rows[0].object)
  },

  'rows cannot carry anything else': async bench => {
    const path = await sample(bench)
    const { status, body } = await bench.api.get(`${path}/a?includeObject=Half`, { accept: table })
    equal(status, 400)
    like(body, {
      reason: 'BadRequest',
      message:
        "Unable to convert to Table as requested: includeObject: Invalid value: \"Half\": must be 'Metadata', 'Object', 'None', or empty",
    })
  },

  'what rows carry means nothing without a table': async bench => {
    const path = await sample(bench)
    equal((await bench.api.get(`${path}/a?includeObject=Half`)).body.kind, 'Widget')
  },

  'tables have pages': async bench => {
    const path = await sample(bench)
    const first = await bench.api.get(`${path}?limit=2`, { accept: table })
    equal(first.body.rows.length, 2)
    equal(first.body.metadata.remainingItemCount, 1)
    const last = await bench.api.get(`${path}?limit=2&continue=${first.body.metadata.continue}`, { accept: table })
    equal(last.body.rows[0].cells[0], 'c')
  },

  'values are printed by the type of their column': async bench => {
    const spec = { text: 'hello', number: 1.5, integer: 7, boolean: true, date: '2020-01-01T00:00:00Z' }
    const [text, number, integer, boolean, date] = (await cellsOf(bench, spec)) as unknown[]
    deepEqual([text, number, integer, boolean], ['hello', 1.5, 7, true])
    match(String(date), /^\d+y\d+d$/)
  },

  'values that do not fit the type of their column are left out': async bench => {
    const spec = { number: 'x', integer: '5', boolean: 'yes', date: 'never' }
    deepEqual(((await cellsOf(bench, spec)) as unknown[]).slice(0, 5), [null, null, null, null, '<invalid>'])
  },

  'a column of text shows any value, a column of integers whole numbers': async bench => {
    const [text, , integer] = (await cellsOf(bench, { text: { a: [1, 'b'] }, integer: 1.7 })) as unknown[]
    deepEqual([text, integer], ['{"a":[1,"b"]}', 1])
  },

  'what is not there is left out': async bench => {
    deepEqual(
      await cellsOf(bench, {}),
      Array.from({ length: 10 }, () => null),
    )
  },

  'paths of columns find elements of lists, and the first of several': async bench => {
    const items = [
      { name: 'a', value: '1' },
      { name: 'b', value: '2' },
    ]
    const cells = (await cellsOf(bench, { items }, { 'example.com/zone': 'north' })) as unknown[]
    deepEqual(cells.slice(5), ['a', 'b', 'a', '2', 'north'])
  },

  'built-in kinds have the columns that kubectl shows': async bench => {
    const namespace = `/api/v1/namespaces/${await bench.namespace()}`
    const heads = {
      '/api/v1/namespaces': 'Name,Status,Age',
      [`${namespace}/configmaps`]: 'Name,Data,Age',
      [`${namespace}/secrets`]: 'Name,Type,Data,Age',
      [`${namespace}/serviceaccounts`]: 'Name,Age',
      [`${namespace}/events`]: 'Last Seen,Type,Reason,Object,(Subobject),(Source),Message,(First Seen),(Count),(Name)',
      '/apis/coordination.k8s.io/v1/leases': 'Name,Holder,Age',
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions': 'Name,Created At',
    }
    const found = Object.keys(heads).map(async path => [path, await headOf(bench, path)])
    deepEqual(Object.fromEntries(await Promise.all(found)), heads)
  },

  'a ConfigMap shows how many keys it has': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    await bench.api.post(path, { ...configMap('a', { x: '1', y: '2' }), binaryData: { z: 'AAAA' } })
    const { body } = await bench.api.get(`${path}/a`, { accept: table })
    deepEqual(body.rows[0].cells.slice(0, 2), ['a', 3])
  },

  'a created object may be answered as a table': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(path, widget('a'), { accept: table })
    equal(status, 201)
    equal(body.kind, 'Table')
    deepEqual(body.rows[0].cells, ['a', 'Safe', null])
  },

  'errors are no tables': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.get(`${path}/none`, { accept: table })
    equal(status, 404)
    like(body, { kind: 'Status', reason: 'NotFound' })
  },

  'tables come in version v1beta1 too': async bench => {
    const path = await sample(bench)
    const { body } = await bench.api.get(`${path}/a`, { accept: table.replace('v=v1', 'v=v1beta1') })
    like(body, { kind: 'Table', apiVersion: 'meta.k8s.io/v1beta1' })
  },

  'tables come as YAML too': async bench => {
    const path = await sample(bench)
    const { headers, text } = await bench.api.get(`${path}/a`, { accept: table.replace('json', 'yaml') })
    equal(headers['content-type'], 'application/yaml')
    like(parse(text), { kind: 'Table', rows: [{ cells: ['a', 'Safe', 3] }] })
  },

  'an object may be had as its metadata alone': async bench => {
    const path = await sample(bench)
    const { body: object } = await bench.api.get(`${path}/a`)
    const { body } = await bench.api.get(`${path}/a`, { accept: partial })
    deepEqual(body, { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata })
  },

  'a list may be had as metadata alone': async bench => {
    const path = await sample(bench)
    const { body } = await bench.api.get(`${path}?limit=2`, { accept: partialList })
    like(body, {
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { remainingItemCount: 1 },
      items: [
        { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'a' } },
        { kind: 'PartialObjectMetadata', metadata: { name: 'b' } },
      ],
    })
    equal(body.items[0].spec, undefined)
  },

  'a list is not the metadata of one object': async bench => {
    const { status, body } = await bench.api.get(await sample(bench), { accept: partial })
    equal(status, 406)
    equal(body.reason, 'NotAcceptable')
    match(body.message, /^you requested PartialObjectMetadata, but the requested object is a list/)
  },

  'a patch may be answered with metadata alone': async bench => {
    const path = await sample(bench)
    const { status, body } = await bench.api.call('PATCH', `${path}/a`, {
      accept: partial,
      type: 'application/merge-patch+json',
      body: { metadata: { labels: { x: 'y' } } },
    })
    equal(status, 200)
    like(body, { kind: 'PartialObjectMetadata', metadata: { labels: { name: 'a', x: 'y' } } })
  },

  'a deletion is answered with a Status whatever is wished': async bench => {
    const path = await sample(bench)
    like((await bench.api.call('DELETE', `${path}/a`, { accept: table })).body, { kind: 'Status', status: 'Success' })
    like((await bench.api.call('DELETE', `${path}/b`, { accept: partial })).body, { kind: 'Status', status: 'Success' })
  },

  'objects come as YAML where that is wished': async bench => {
    const path = await sample(bench)
    const { headers, text } = await bench.api.get(`${path}/a`, { accept: 'application/yaml' })
    equal(headers['content-type'], 'application/yaml')
    deepEqual(parse(text), (await bench.api.get(`${path}/a`)).body)
  },

  'what is liked best is answered': async bench => {
    const path = await sample(bench)
    const typeFor = async (accept: string) => (await bench.api.get(`${path}/a`, { accept })).headers['content-type']
    equal(await typeFor('application/json;q=0.5,application/yaml'), 'application/yaml')
    equal(await typeFor('application/yaml;q=0.1,application/json;q=0.2'), 'application/json')
    equal(await typeFor('application/json,application/yaml'), 'application/json')
  },

  'what cannot be had is passed over': async bench => {
    const path = await sample(bench)
    for (const accept of [
      'text/html,application/xhtml+xml,*/*;q=0.8',
      `${table.replace('v=v1', 'v=v2')},application/json`,
      'application/*',
      '*/*',
      'application/json;charset=utf-8',
    ]) {
      const { status, body } = await bench.api.get(`${path}/a`, { accept })
      equal(status, 200)
      equal(body.kind, 'Widget')
    }
  },

  'nothing that can be had is NotAcceptable': async bench => {
    const path = await sample(bench)
    for (const accept of [
      'text/html',
      'application/xml',
      table.replace('v=v1', 'v=v2'),
      table.replace('Table', 'Chair'),
    ]) {
      const { status, body } = await bench.api.get(`${path}/a`, { accept })
      equal(status, 406)
      like(body, { kind: 'Status', reason: 'NotAcceptable', code: 406 })
      match(body.message, /^only the following media types are accepted: application\/json, application\/yaml/)
    }
  },
})
