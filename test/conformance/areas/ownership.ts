import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import type { Answer } from '../api.ts'
import type { Bench } from '../case.ts'
import { area, like } from '../case.ts'
import { configMap, group, widget, widgets } from '../definitions.ts'

type Entry = Readonly<Record<string, unknown>> & { readonly manager: string; readonly time?: string }

/** The entries of an object's managedFields. */
function entriesOf({ body }: Pick<Answer, 'body'>): readonly Entry[] {
  return body.metadata.managedFields ?? []
}

/** The fields of each manager, by its name, and its subresource where it has any. */
function ownersOf(answer: Pick<Answer, 'body'>): Readonly<Record<string, unknown>> {
  const name = ({ manager, subresource }: Entry) => (subresource === undefined ? manager : `${manager}/${subresource}`)
  return Object.fromEntries(entriesOf(answer).map(entry => [name(entry), entry.fieldsV1]))
}

/** Makes a widget by the manager `maker`. */
async function makeWidget(bench: Bench, spec: object = { size: 1 }, metadata: object = {}): Promise<string> {
  const path = await bench.install(widgets)
  const { status } = await bench.api.post(`${path}?fieldManager=maker`, widget('a', spec, metadata))
  equal(status, 201)
  return `${path}/a`
}

export const ownership = area('ownership', {
  'whoever creates owns all that is set, defaults too': async bench => {
    const path = await makeWidget(
      bench,
      { size: 1, tags: ['x'], parts: [{ name: 'p' }], steps: ['s'] },
      { labels: { l: '1' } },
    )
    const answer = await bench.api.get(path)
    const [{ time, ...entry } = { time: '' }] = entriesOf(answer)
    match(time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    deepEqual(entry, {
      manager: 'maker',
      operation: 'Update',
      apiVersion: `${group}/v1`,
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:labels': { '.': {}, 'f:l': {} } },
        'f:spec': {
          '.': {},
          'f:mode': {},
          'f:parts': { '.': {}, 'k:{"name":"p"}': { '.': {}, 'f:name': {} } },
          'f:size': {},
          'f:steps': {},
          'f:tags': { '.': {}, 'v:"x"': {} },
        },
      },
    })
  },

  'a manager that is not named is called after the program': async bench => {
    const path = await bench.install(widgets)
    const headers = { 'user-agent': 'my-client/v1.2 (linux/amd64)' }
    const answer = await bench.api.post(path, widget('a'), { headers })
    deepEqual(Object.keys(ownersOf(answer)), ['my-client'])
  },

  'a manager of more than 128 characters is refused': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(`${path}?fieldManager=${'x'.repeat(129)}`, widget('a'))
    equal(status, 422)
    const message = 'Too long: may not be more than 128 bytes'
    like(body, {
      message: `CreateOptions.meta.k8s.io "" is invalid: fieldManager: ${message}`,
      details: { kind: 'CreateOptions', causes: [{ reason: 'FieldValueTooLong', message, field: 'fieldManager' }] },
    })
  },

  'a manager with characters that cannot be printed is refused': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(`${path}?fieldManager=a%0Ab`, widget('a'))
    equal(status, 422)
    const message = 'Invalid value: "a\\nb": invalid character U+000A (at position 1)'
    deepEqual(body.details.causes, [{ reason: 'FieldValueInvalid', message, field: 'fieldManager' }])
  },

  'whoever updates owns what changed, and nobody else does': async bench => {
    const path = await makeWidget(bench, { size: 1, color: 'red' })
    const { body } = await bench.api.get(path)
    const changed = { ...body, spec: { ...body.spec, size: 2, labels: { x: '1' } } }
    const answer = await bench.api.put(`${path}?fieldManager=other`, changed)
    deepEqual(ownersOf(answer), {
      maker: { 'f:spec': { '.': {}, 'f:color': {}, 'f:mode': {} } },
      other: { 'f:spec': { 'f:labels': { '.': {}, 'f:x': {} }, 'f:size': {} } },
    })
  },

  'whoever patches owns what changed': async bench => {
    const path = await makeWidget(bench)
    const answer = await bench.api.patch(`${path}?fieldManager=other`, 'merge', { spec: { color: 'red', size: 1 } })
    deepEqual(ownersOf(answer), {
      maker: { 'f:spec': { '.': {}, 'f:mode': {}, 'f:size': {} } },
      other: { 'f:spec': { 'f:color': {} } },
    })
  },

  'updates of the same manager are one entry': async bench => {
    const path = await makeWidget(bench)
    const answer = await bench.api.patch(`${path}?fieldManager=maker`, 'merge', { spec: { color: 'red' } })
    deepEqual(ownersOf(answer), { maker: { 'f:spec': { '.': {}, 'f:color': {}, 'f:mode': {}, 'f:size': {} } } })
  },

  'applies and updates of the same manager are two entries': async bench => {
    const path = await makeWidget(bench)
    const answer = await bench.api.apply(path, widget('a', { color: 'red' }), { manager: 'maker' })
    deepEqual(
      entriesOf(answer).map(({ manager, operation, fieldsV1 }) => [manager, operation, fieldsV1]),
      [
        ['maker', 'Apply', { 'f:spec': { 'f:color': {} } }],
        ['maker', 'Update', { 'f:spec': { '.': {}, 'f:mode': {}, 'f:size': {} } }],
      ],
    )
  },

  'an update that changes nothing gives nobody anything': async bench => {
    const path = await makeWidget(bench)
    const { body: before } = await bench.api.get(path)
    deepEqual((await bench.api.put(`${path}?fieldManager=other`, before)).body, before)
  },

  'what is removed belongs to nobody': async bench => {
    const path = await makeWidget(bench, { size: 1, color: 'red' })
    const answer = await bench.api.patch(`${path}?fieldManager=other`, 'merge', { spec: { color: null } })
    deepEqual(ownersOf(answer), { maker: { 'f:spec': { '.': {}, 'f:mode': {}, 'f:size': {} } } })
  },

  'a manager that owns nothing any more goes': async bench => {
    const path = await makeWidget(bench)
    await bench.api.patch(`${path}?fieldManager=two`, 'merge', { spec: { color: 'red' } })
    const answer = await bench.api.patch(`${path}?fieldManager=three`, 'merge', { spec: { color: 'blue' } })
    deepEqual(Object.keys(ownersOf(answer)).toSorted(), ['maker', 'three'])
  },

  'an update takes fields from an applier': async bench => {
    const path = await makeWidget(bench)
    await bench.api.apply(path, widget('a', { color: 'red', steps: ['a'] }))
    const answer = await bench.api.patch(`${path}?fieldManager=other`, 'merge', { spec: { color: 'blue' } })
    deepEqual(ownersOf(answer).applier, { 'f:spec': { 'f:steps': {} } })
  },

  'whoever writes the status has an entry of that subresource': async bench => {
    const path = await makeWidget(bench)
    const answer = await bench.api.patch(`${path}/status?fieldManager=maker`, 'merge', { status: { phase: 'Up' } })
    deepEqual(ownersOf(answer), {
      maker: { 'f:spec': { '.': {}, 'f:mode': {}, 'f:size': {} } },
      'maker/status': { 'f:status': { '.': {}, 'f:phase': {} } },
    })
  },

  'whoever writes the object does not own the status that comes with it': async bench => {
    const path = await makeWidget(bench)
    const answer = await bench.api.patch(`${path}?fieldManager=other`, 'merge', {
      spec: { color: 'red' },
      status: { phase: 'Up' },
    })
    deepEqual(ownersOf(answer).other, { 'f:spec': { 'f:color': {} } })
  },

  'entries come with appliers first, then by time': async bench => {
    const path = await makeWidget(bench)
    await bench.api.patch(`${path}?fieldManager=b`, 'merge', { spec: { color: 'red' } })
    const answer = await bench.api.apply(path, widget('a', { steps: ['x'] }), { manager: 'z' })
    deepEqual(
      entriesOf(answer).map(({ operation }) => operation),
      ['Apply', 'Update', 'Update'],
    )
    equal(entriesOf(answer)[0]?.manager, 'z')
  },

  'the time of an entry stays while its manager writes nothing': async bench => {
    const path = await makeWidget(bench)
    const [before] = entriesOf(await bench.api.get(path))
    await bench.until('another second', async () => {
      const answer = await bench.api.patch(`${path}?fieldManager=clock`, 'merge', {
        spec: { color: bench.name('c') },
      })
      return entriesOf(answer).some(({ manager, time }) => manager === 'clock' && time !== before?.time)
    })
    const after = entriesOf(await bench.api.get(path)).find(({ manager }) => manager === 'maker')
    equal(after?.time, before?.time)
  },

  'an apply that only comes to share fields has no time': async bench => {
    const path = await makeWidget(bench)
    await bench.api.apply(path, widget('a', { color: 'red' }), { manager: 'one' })
    const answer = await bench.api.apply(path, widget('a', { color: 'red' }), { manager: 'two' })
    const entry = entriesOf(answer).find(({ manager }) => manager === 'two')
    equal(entry?.time, undefined)
    notEqual(entry, undefined)
  },

  'a list of one empty entry removes all entries': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.patch(path, 'merge', { metadata: { managedFields: [{}] } })
    equal(status, 200)
    equal(body.metadata.managedFields, undefined)
  },

  'an object without entries gets none by updates': async bench => {
    const path = await makeWidget(bench)
    await bench.api.patch(path, 'merge', { metadata: { managedFields: [{}] } })
    const answer = await bench.api.patch(`${path}?fieldManager=other`, 'merge', { spec: { color: 'red' } })
    deepEqual(entriesOf(answer), [])
  },

  'an empty list removes nothing': async bench => {
    const path = await makeWidget(bench)
    const { body: before } = await bench.api.get(path)
    const { body } = await bench.api.patch(path, 'merge', { metadata: { managedFields: [] } })
    deepEqual(body, before)
  },

  'an update without entries keeps them': async bench => {
    const path = await makeWidget(bench)
    const { body: before } = await bench.api.get(path)
    const { managedFields: _, ...metadata } = before.metadata
    const answer = await bench.api.put(`${path}?fieldManager=other`, {
      ...before,
      metadata,
      spec: { ...before.spec, size: 2 },
    })
    deepEqual(Object.keys(ownersOf(answer)).toSorted(), ['maker', 'other'])
  },

  'a client may rename a manager': async bench => {
    const path = await makeWidget(bench)
    const rename = [{ op: 'replace', path: '/metadata/managedFields/0/manager', value: 'renamed' }]
    const answer = await bench.api.patch(path, 'json', rename)
    equal(answer.status, 200)
    deepEqual(Object.keys(ownersOf(answer)), ['renamed'])
  },

  'entries that cannot be read are not taken': async bench => {
    const path = await makeWidget(bench)
    const { body: before } = await bench.api.get(path)
    const wrong = { manager: 'm', operation: 'Nope', apiVersion: `${group}/v1`, fieldsType: 'FieldsV1', fieldsV1: {} }
    const answer = await bench.api.patch(path, 'merge', { metadata: { managedFields: [wrong] } })
    equal(answer.status, 200)
    deepEqual(ownersOf(answer), ownersOf({ body: before }))
  },

  'whoever creates owns all, whatever entries come with it': async bench => {
    const path = await bench.install(widgets)
    const entry = { manager: 'm', operation: 'Update', apiVersion: `${group}/v1`, fieldsType: 'FieldsV1', fieldsV1: {} }
    for (const [name, managedFields] of [
      ['a', [entry]],
      ['b', [{}]],
    ] as const) {
      const answer = await bench.api.post(`${path}?fieldManager=maker`, widget(name, {}, { managedFields }))
      equal(answer.status, 201)
      deepEqual(ownersOf(answer), { maker: { 'f:spec': { '.': {}, 'f:mode': {} } } })
    }
  },

  'of more than ten updaters the oldest are merged': async bench => {
    const path = await makeWidget(bench, { labels: { k0: '1' } })
    for (let count = 1; count <= 12; count++) {
      const manager = `m${String(count).padStart(2, '0')}`
      await bench.api.patch(`${path}?fieldManager=${manager}`, 'merge', { spec: { labels: { [`k${count}`]: '1' } } })
    }
    const owners = ownersOf(await bench.api.get(path))
    equal(Object.keys(owners).length, 10)
    ok('ancient-changes' in owners)
    ok(!('m01' in owners))
    deepEqual(owners.m12, { 'f:spec': { 'f:labels': { 'f:k12': {} } } })
  },

  'appliers are not merged': async bench => {
    const path = await makeWidget(bench, {})
    for (let count = 1; count <= 12; count++) {
      await bench.api.apply(path, widget('a', { labels: { [`k${count}`]: '1' } }), { manager: `m${count}` })
    }
    equal(entriesOf(await bench.api.get(path)).length, 13)
  },

  'the data of a ConfigMap is owned key by key': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    await bench.api.post(`${path}?fieldManager=maker`, configMap('a', { x: '1', y: '1' }))
    const answer = await bench.api.patch(`${path}/a?fieldManager=other`, 'merge', { data: { x: '2' } })
    deepEqual(ownersOf(answer), {
      maker: { 'f:data': { '.': {}, 'f:y': {} } },
      other: { 'f:data': { 'f:x': {} } },
    })
  },

  'whoever makes an empty ConfigMap owns nothing': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    const answer = await bench.api.post(path, configMap('a'))
    deepEqual(entriesOf(answer), [])
    ok(!('data' in answer.body))
  },

  'texts of a secret are owned as its data': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/secrets`
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, stringData: { x: '1' } }
    const answer = await bench.api.post(`${path}?fieldManager=maker`, secret)
    deepEqual(ownersOf(answer), { maker: { 'f:data': { '.': {}, 'f:x': {} }, 'f:type': {} } })
  },

  "the spec of a lease is nobody's, its fields are": async bench => {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${await bench.namespace()}/leases`
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'a' } }
    const answer = await bench.api.post(`${path}?fieldManager=maker`, { ...lease, spec: { holderIdentity: 'x' } })
    deepEqual(ownersOf(answer), { maker: { 'f:spec': { 'f:holderIdentity': {} } } })
  },
})
