import { deepEqual, equal, match, ok } from 'node:assert/strict'
import type { Bench } from '../case.ts'
import { area, like } from '../case.ts'
import { configMap, definition, group, objectSchema, widget, widgets } from '../definitions.ts'

/** Plain things: their status is a member like any other. */
const plains = definition('Plain', {
  subresources: {},
  schema: objectSchema({ size: { type: 'integer' } }, { type: 'object', properties: { phase: { type: 'string' } } }),
})

async function makeWidget(bench: Bench): Promise<string> {
  const path = await bench.install(widgets)
  equal((await bench.api.post(path, widget('a', { size: 1 }))).status, 201)
  return `${path}/a`
}

/** Parcels: their status is there from the start. */
const parcels = definition('Parcel', {
  schema: objectSchema(
    { size: { type: 'integer' } },
    {
      type: 'object',
      default: { observedGeneration: -1 },
      properties: { observedGeneration: { type: 'integer' }, phase: { type: 'string' } },
    },
  ),
})

async function makePlain(bench: Bench) {
  const path = await bench.install(plains)
  const plain = { apiVersion: `${group}/v1`, kind: 'Plain', metadata: { name: 'a' } }
  const { status, body } = await bench.api.post(path, { ...plain, spec: { size: 1 }, status: { phase: 'Up' } })
  equal(status, 201)
  return { path: `${path}/a`, made: body }
}

export const subresources = area('subresources', {
  'a creation ignores the status': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(path, { ...widget('a'), status: { phase: 'Up' } })
    equal(status, 201)
    equal(body.status, undefined)
  },

  'an update of the object ignores the status': async bench => {
    const path = await makeWidget(bench)
    const { body } = await bench.api.patch(`${path}/status`, 'merge', { status: { phase: 'Up' } })
    const updated = await bench.api.put(path, { ...body, spec: { size: 2 }, status: { phase: 'Down' } })
    equal(updated.status, 200)
    like(updated.body, { spec: { size: 2 }, status: { phase: 'Up' }, metadata: { generation: 2 } })
  },

  'an update of the object with nothing but another status writes nothing': async bench => {
    const path = await makeWidget(bench)
    const { body } = await bench.api.patch(`${path}/status`, 'merge', { status: { phase: 'Up' } })
    const updated = await bench.api.put(path, { ...body, status: { phase: 'Down' } })
    deepEqual(updated.body, body)
  },

  'an update of the status ignores all else': async bench => {
    const path = await makeWidget(bench)
    const { body } = await bench.api.get(path)
    const metadata = { ...body.metadata, labels: { l: '1' }, annotations: { n: '1' }, finalizers: ['a.test/b'] }
    const wished = { ...body, metadata, spec: { size: 2 }, status: { phase: 'Up' } }
    const updated = await bench.api.put(`${path}/status`, wished)
    equal(updated.status, 200)
    like(updated.body, { spec: { size: 1, mode: 'Safe' }, status: { phase: 'Up' } })
    for (const member of ['labels', 'annotations', 'finalizers']) ok(!(member in updated.body.metadata), member)
  },

  'an update of the status does not count the generation': async bench => {
    const path = await makeWidget(bench)
    const { body: before } = await bench.api.get(path)
    const { body } = await bench.api.patch(`${path}/status`, 'merge', { status: { phase: 'Up' } })
    equal(body.metadata.generation, 1)
    ok(BigInt(body.metadata.resourceVersion) > BigInt(before.metadata.resourceVersion))
  },

  'a read of the status is a read of the object': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.get(`${path}/status`)
    equal(status, 200)
    deepEqual(body, (await bench.api.get(path)).body)
  },

  'an update of the status with an old resource version is a conflict': async bench => {
    const path = await makeWidget(bench)
    const { body: old } = await bench.api.get(path)
    await bench.api.patch(path, 'merge', { spec: { size: 2 } })
    const { status, body } = await bench.api.put(`${path}/status`, { ...old, status: { phase: 'Up' } })
    equal(status, 409)
    equal(body.reason, 'Conflict')
  },

  'an update of the status needs a resource version': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.put(`${path}/status`, { ...widget('a'), status: { phase: 'Up' } })
    equal(status, 422)
    equal(
      body.message,
      `widgets.${group} "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update`,
    )
  },

  'a status that the schema refuses is invalid': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.patch(`${path}/status`, 'merge', { status: { count: 'x' } })
    equal(status, 422)
    like(body.details, {
      name: 'a',
      group,
      kind: 'Widget',
      causes: [{ reason: 'FieldValueTypeInvalid', field: 'status.count' }],
    })
  },

  'a spec that the schema refuses does not matter to an update of the status': async bench => {
    const path = await makeWidget(bench)
    const patch = { spec: { size: 1000 }, status: { phase: 'Up' } }
    const { status, body } = await bench.api.patch(`${path}/status`, 'merge', patch)
    equal(status, 200)
    equal(body.spec.size, 1)
  },

  'an unknown field of the status is warned about': async bench => {
    const path = await makeWidget(bench)
    const { status, headers } = await bench.api.patch(`${path}/status`, 'merge', { status: { faze: 'Up' } })
    equal(status, 200)
    equal(headers.warning, '299 - "unknown field \\"status.faze\\""')
  },

  'a status can be removed': async bench => {
    const path = await makeWidget(bench)
    await bench.api.patch(`${path}/status`, 'merge', { status: { phase: 'Up' } })
    const { status, body } = await bench.api.patch(`${path}/status`, 'merge', { status: null })
    equal(status, 200)
    equal(body.status, undefined)
  },

  'a status can be patched by JSON patch': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.patch(`${path}/status`, 'json', [
      { op: 'add', path: '/status', value: { phase: 'Up' } },
      { op: 'add', path: '/status/count', value: 3 },
    ])
    equal(status, 200)
    deepEqual(body.status, { phase: 'Up', count: 3 })
  },

  'the status of what is not there is NotFound': async bench => {
    const path = `${await bench.install(widgets)}/none/status`
    equal((await bench.api.get(path)).status, 404)
    const { status, body } = await bench.api.patch(path, 'merge', { status: { phase: 'Up' } })
    equal(status, 404)
    equal(body.message, `widgets.${group} "none" not found`)
  },

  'an update of the status under another name is refused': async bench => {
    const path = await makeWidget(bench)
    const { body } = await bench.api.get(path)
    const updated = await bench.api.put(`${path}/status`, { ...body, metadata: { ...body.metadata, name: 'b' } })
    equal(updated.status, 400)
    equal(updated.body.message, 'the name of the object (b) does not match the name on the URL (a)')
  },

  'a status can be neither created nor deleted': async bench => {
    const path = await makeWidget(bench)
    for (const [verb, { status, body }] of [
      ['create', await bench.api.post(`${path}/status`, widget('a'))],
      ['delete', await bench.api.remove(`${path}/status`)],
    ] as const) {
      equal(status, 405)
      like(body, {
        reason: 'MethodNotAllowed',
        message: `${verb} is not supported on resources of kind "widgets.${group}"`,
        details: { group, kind: 'widgets' },
      })
    }
  },

  'an update of the status is told to watches': async bench => {
    const path = await makeWidget(bench)
    const { body } = await bench.api.get(path)
    const whole = path.replace(/\/a$/, '')
    await using watching = await bench.api.watch(`${whole}?watch=true&resourceVersion=${body.metadata.resourceVersion}`)
    await bench.api.patch(`${path}/status`, 'merge', { status: { phase: 'Up' } })
    const event = await watching.next()
    like(event, { type: 'MODIFIED', object: { metadata: { name: 'a' }, status: { phase: 'Up' } } })
  },

  'finalizers, annotations and owners do not count the generation': async bench => {
    const path = await makeWidget(bench)
    const metadata = { annotations: { n: '1' }, finalizers: ['a.test/b'] }
    const { body } = await bench.api.patch(path, 'merge', { metadata })
    equal(body.metadata.generation, 1)
    await bench.api.patch(path, 'merge', { metadata: { finalizers: null } })
  },

  'the mark of a deletion counts the generation': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', {}, { finalizers: ['a.test/b'] }))
    const { body } = await bench.api.remove(`${path}/a`)
    equal(body.metadata.generation, 2)
    await bench.api.patch(`${path}/a`, 'merge', { metadata: { finalizers: null } })
  },

  'a status that is no subresource is created with the object': async bench => {
    const { made } = await makePlain(bench)
    deepEqual(made.status, { phase: 'Up' })
  },

  'a status that is no subresource counts the generation': async bench => {
    const { path } = await makePlain(bench)
    const { body } = await bench.api.patch(path, 'merge', { status: { phase: 'Down' } })
    equal(body.status.phase, 'Down')
    equal(body.metadata.generation, 2)
  },

  'a status that is no subresource is NotFound as one': async bench => {
    const { path } = await makePlain(bench)
    for (const { status, body } of [
      await bench.api.get(`${path}/status`),
      await bench.api.patch(`${path}/status`, 'merge', {}),
    ]) {
      equal(status, 404)
      like(body, { message: `plains.${group} "a" not found`, details: { name: 'a', group, kind: 'plains' } })
    }
  },

  'a subresource that a built-in kind does not have is NotFound': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    await bench.api.post(path, configMap('a'))
    const { status, body } = await bench.api.get(`${path}/a/status`)
    equal(status, 404)
    like(body, { message: 'the server could not find the requested resource', details: {} })
  },

  'a namespace has a status of its own': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}`
    const main = await bench.api.patch(path, 'merge', { status: { phase: 'Nope' }, metadata: { labels: { l: '1' } } })
    like(main.body, { metadata: { labels: { l: '1' } }, status: { phase: 'Active' } })
    const condition = {
      type: 'Made',
      status: 'True',
      reason: 'Test',
      message: 'x',
      lastTransitionTime: '2020-01-01T00:00:00Z',
    }
    const { status, body } = await bench.api.patch(`${path}/status`, 'merge', { status: { conditions: [condition] } })
    equal(status, 200)
    deepEqual(body.status, { phase: 'Active', conditions: [condition] })
  },

  'the finalizers of a namespace change by finalize only': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}`
    const { status, body } = await bench.api.patch(path, 'merge', { spec: { finalizers: [] } })
    equal(status, 200)
    deepEqual(body.spec.finalizers, ['kubernetes'])
    match(body.metadata.resourceVersion, /^\d+$/)
  },

  'a status that nobody set is what it is by default': async bench => {
    const path = await bench.install(parcels)
    const parcel = { apiVersion: `${group}/v1`, kind: 'Parcel', metadata: { name: 'a' }, spec: { size: 1 } }
    const fresh = { observedGeneration: -1 }
    const made = await bench.api.post(path, { ...parcel, status: { phase: 'Up' } })
    deepEqual(made.body.status, fresh)
    deepEqual((await bench.api.get(`${path}/a`)).body.status, fresh)
    const changed = await bench.api.patch(`${path}/a`, 'merge', { spec: { size: 2 }, status: null })
    deepEqual(changed.body.status, fresh)
    const applied = await bench.api.apply(`${path}/b`, { ...parcel, metadata: { name: 'b' } })
    equal(applied.status, 201)
    deepEqual(applied.body.status, fresh)
  },

  'the default of a status is owned by nobody': async bench => {
    const path = await bench.install(parcels)
    const parcel = { apiVersion: `${group}/v1`, kind: 'Parcel', metadata: { name: 'c' }, spec: { size: 1 } }
    const made = await bench.api.post(path, parcel)
    deepEqual(
      made.body.metadata.managedFields.map(({ fieldsV1 }: { fieldsV1: object }) => Object.keys(fieldsV1)),
      [['f:spec']],
    )
    const { body } = await bench.api.patch(`${path}/c/status`, 'merge', { status: { phase: 'Up' } })
    deepEqual(body.status, { observedGeneration: -1, phase: 'Up' })
    deepEqual(body.metadata.managedFields.at(-1).fieldsV1, { 'f:status': { 'f:phase': {} } })
  },
})
