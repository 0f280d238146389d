import { deepEqual, equal, match, ok } from 'node:assert/strict'
import type { Bench } from '../case.ts'
import { area, like } from '../case.ts'
import { definition, group, objectSchema } from '../definitions.ts'

const paths = {
  specReplicasPath: '.spec.replicas',
  statusReplicasPath: '.status.replicas',
  labelSelectorPath: '.status.selector',
}

/** Fleets have a scale. */
const fleets = definition('Fleet', {
  schema: objectSchema(
    { replicas: { type: 'integer', maximum: 50 }, color: { type: 'string' } },
    { type: 'object', properties: { replicas: { type: 'integer' }, selector: { type: 'string' } } },
  ),
  subresources: { status: {}, scale: paths },
})

/** Makes a fleet that wishes three replicas; its path. */
async function makeFleet(bench: Bench, spec: object = { replicas: 3 }): Promise<string> {
  const path = await bench.install(fleets)
  const fleet = { apiVersion: `${group}/v1`, kind: 'Fleet', metadata: { name: 'a', labels: { l: '1' } }, spec }
  equal((await bench.api.post(`${path}?fieldManager=maker`, fleet)).status, 201)
  return `${path}/a`
}

/** A Scale that a client sends. */
function scale(replicas: unknown, metadata: object = {}): object {
  return { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'a', ...metadata }, spec: { replicas } }
}

/** How a definition with this scale is refused. */
async function faults(bench: Bench, given: object): Promise<readonly object[]> {
  const fleet = definition('Fleet', {
    group: `${bench.name('g')}.conformance.skystead.test`,
    subresources: { scale: given },
  })
  const { status, body } = await bench.api.post(
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All',
    fleet,
  )
  equal(status, 422)
  return body.details.causes
}

export const scaling = area('scale', {
  'a scale says how many replicas are wished and there': async bench => {
    const path = await makeFleet(bench)
    await bench.api.patch(`${path}/status`, 'merge', { status: { replicas: 2, selector: 'a=b' } })
    const { body: fleet } = await bench.api.get(path)
    const { name, namespace, uid, resourceVersion, creationTimestamp } = fleet.metadata
    const { status, body } = await bench.api.get(`${path}/scale`)
    equal(status, 200)
    deepEqual(body, {
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
      spec: { replicas: 3 },
      status: { replicas: 2, selector: 'a=b' },
    })
  },

  'an object without a status has no replicas': async bench => {
    const path = await makeFleet(bench)
    deepEqual((await bench.api.get(`${path}/scale`)).body.status, { replicas: 0 })
  },

  'a PUT of the scale changes the replicas, and nothing else': async bench => {
    const path = await makeFleet(bench, { replicas: 3, color: 'red' })
    const { body: before } = await bench.api.get(`${path}/scale`)
    const { status, body } = await bench.api.put(`${path}/scale`, { ...before, spec: { replicas: 5 } })
    equal(status, 200)
    like(body, { kind: 'Scale', spec: { replicas: 5 } })
    const { body: fleet } = await bench.api.get(path)
    deepEqual(fleet.spec, { replicas: 5, color: 'red' })
    deepEqual(fleet.metadata.labels, { l: '1' })
    equal(fleet.metadata.generation, 2)
    equal(body.metadata.resourceVersion, fleet.metadata.resourceVersion)
  },

  'a PUT of the scale with an old resource version is a conflict': async bench => {
    const path = await makeFleet(bench)
    const { body: before } = await bench.api.get(`${path}/scale`)
    await bench.api.patch(path, 'merge', { spec: { color: 'red' } })
    const { status, body } = await bench.api.put(`${path}/scale`, { ...before, spec: { replicas: 5 } })
    equal(status, 409)
    match(body.message, new RegExp(`^Operation cannot be fulfilled on fleets\\.${group.replaceAll('.', '\\.')} "a": `))
  },

  'a PUT of the scale needs no resource version': async bench => {
    const path = await makeFleet(bench)
    const { status, body } = await bench.api.put(`${path}/scale`, scale(5))
    equal(status, 200)
    equal(body.spec.replicas, 5)
  },

  'a scale may wish nothing': async bench => {
    const path = await makeFleet(bench)
    const { status, body } = await bench.api.put(`${path}/scale`, scale(0))
    equal(status, 200)
    deepEqual(body.spec, {})
    equal((await bench.api.get(path)).body.spec.replicas, 0)
  },

  'a scale cannot wish less than nothing': async bench => {
    const path = await makeFleet(bench)
    const { status, body } = await bench.api.put(`${path}/scale`, scale(-1))
    equal(status, 422)
    const message = 'Invalid value: -1: should be a non-negative integer'
    like(body, {
      message: `Fleet.${group} "a" is invalid: .spec.replicas: ${message}`,
      details: { name: 'a', group, kind: 'Fleet', causes: [{ message, field: '.spec.replicas' }] },
    })
  },

  'a scale is validated by the schema of the object': async bench => {
    const path = await makeFleet(bench)
    const { status, body } = await bench.api.put(`${path}/scale`, scale(51))
    equal(status, 422)
    like(body.details, { kind: 'Fleet', causes: [{ field: 'spec.replicas' }] })
  },

  'a scale with text for replicas is refused': async bench => {
    const path = await makeFleet(bench)
    const { status, body } = await bench.api.put(`${path}/scale`, scale('many'))
    equal(status, 400)
    equal(body.reason, 'BadRequest')
  },

  'a PUT of another kind to the scale is refused': async bench => {
    const path = await makeFleet(bench)
    const { body: fleet } = await bench.api.get(path)
    const { status, body } = await bench.api.put(`${path}/scale`, fleet)
    equal(status, 400)
    equal(body.reason, 'BadRequest')
  },

  'a PUT of the scale under another name is refused': async bench => {
    const path = await makeFleet(bench)
    const { status, body } = await bench.api.put(`${path}/scale`, scale(5, { name: 'b' }))
    equal(status, 400)
    equal(body.message, 'the name of the object (b) does not match the name on the URL (a)')
  },

  'a merge patch of the scale changes the replicas': async bench => {
    const path = await makeFleet(bench)
    const { status, body } = await bench.api.patch(`${path}/scale`, 'merge', { spec: { replicas: 7 } })
    equal(status, 200)
    like(body, { kind: 'Scale', spec: { replicas: 7 } })
    equal((await bench.api.get(path)).body.spec.replicas, 7)
  },

  'a JSON patch of the scale changes the replicas': async bench => {
    const path = await makeFleet(bench)
    const patch = [
      { op: 'test', path: '/spec/replicas', value: 3 },
      { op: 'replace', path: '/spec/replicas', value: 7 },
    ]
    const { status, body } = await bench.api.patch(`${path}/scale`, 'json', patch)
    equal(status, 200)
    equal(body.spec.replicas, 7)
  },

  'a strategic merge patch of the scale of a custom resource is refused': async bench => {
    const path = await makeFleet(bench)
    const { status, body } = await bench.api.patch(`${path}/scale`, 'strategic', { spec: { replicas: 7 } })
    equal(status, 415)
    equal(body.reason, 'UnsupportedMediaType')
  },

  'a patch of the scale to the replicas that are wished does not count the generation': async bench => {
    const path = await makeFleet(bench)
    equal((await bench.api.patch(`${path}/scale`, 'merge', { spec: { replicas: 3 } })).status, 200)
    const { body } = await bench.api.get(path)
    deepEqual(body.spec, { replicas: 3 })
    equal(body.metadata.generation, 1)
  },

  'a patch of the scale ignores status and metadata': async bench => {
    const path = await makeFleet(bench)
    const patch = { metadata: { labels: { z: '1' } }, status: { replicas: 77 } }
    const { status, body } = await bench.api.patch(`${path}/scale`, 'merge', patch)
    equal(status, 200)
    equal(body.status.replicas, 0)
    const { body: fleet } = await bench.api.get(path)
    deepEqual(fleet.metadata.labels, { l: '1' })
    equal(fleet.status, undefined)
  },

  'a patch of the scale with an old resource version is a conflict': async bench => {
    const path = await makeFleet(bench)
    const patch = { metadata: { resourceVersion: '1' }, spec: { replicas: 7 } }
    equal((await bench.api.patch(`${path}/scale`, 'merge', patch)).status, 409)
  },

  'an unknown field of a scale is warned about': async bench => {
    const path = await makeFleet(bench)
    const { status, headers } = await bench.api.patch(`${path}/scale`, 'merge', { spec: { extra: 1 } })
    equal(status, 200)
    equal(headers.warning, '299 - "unknown field \\"spec.extra\\""')
  },

  'a dry run of a scale writes nothing': async bench => {
    const path = await makeFleet(bench)
    const { status, body } = await bench.api.patch(`${path}/scale?dryRun=All`, 'merge', { spec: { replicas: 7 } })
    equal(status, 200)
    equal(body.spec.replicas, 7)
    equal((await bench.api.get(path)).body.spec.replicas, 3)
  },

  'whoever puts a scale owns the replicas as that subresource': async bench => {
    const path = await makeFleet(bench)
    const { body } = await bench.api.get(`${path}/scale`)
    await bench.api.put(`${path}/scale?fieldManager=scaler`, { ...body, spec: { replicas: 5 } })
    const entries: readonly { manager: string }[] = (await bench.api.get(path)).body.metadata.managedFields
    like(
      entries.find(({ manager }) => manager === 'scaler'),
      {
        operation: 'Update',
        subresource: 'scale',
        apiVersion: `${group}/v1`,
        fieldsV1: { 'f:spec': { 'f:replicas': {} } },
      },
    )
    like(
      entries.find(({ manager }) => manager === 'maker'),
      { fieldsV1: { 'f:spec': {} } },
    )
  },

  'a scale of what is not there is NotFound': async bench => {
    const path = `${await bench.install(fleets)}/none/scale`
    for (const { status, body } of [await bench.api.get(path), await bench.api.patch(path, 'merge', {})]) {
      equal(status, 404)
      equal(body.message, `fleets.${group} "none" not found`)
    }
  },

  'the scale of an object that says no replicas cannot be read': async bench => {
    const path = await makeFleet(bench, { color: 'red' })
    const { status, body } = await bench.api.get(`${path}/scale`)
    equal(status, 500)
    const message = 'the spec replicas field ".spec.replicas" does not exist'
    like(body, {
      reason: 'InternalError',
      message: `Internal error occurred: ${message}`,
      details: { causes: [{ message }] },
    })
  },

  'the scale of an object that says no replicas can be set': async bench => {
    const path = await makeFleet(bench, { color: 'red' })
    const { status, body } = await bench.api.patch(`${path}/scale`, 'merge', { spec: { replicas: 2 } })
    equal(status, 200)
    equal(body.spec.replicas, 2)
    deepEqual((await bench.api.get(path)).body.spec, { color: 'red', replicas: 2 })
  },

  'a patch must say the replicas of an object that says none': async bench => {
    const path = await makeFleet(bench, { color: 'red' })
    const { status, body } = await bench.api.patch(`${path}/scale`, 'merge', {})
    equal(status, 400)
    equal(body.message, 'the spec replicas field ".spec.replicas" cannot be empty')
  },

  'a scale can be neither created nor deleted': async bench => {
    const path = await makeFleet(bench)
    for (const [verb, { status, body }] of [
      ['create', await bench.api.post(`${path}/scale`, scale(1))],
      ['delete', await bench.api.remove(`${path}/scale`)],
    ] as const) {
      equal(status, 405)
      equal(body.message, `${verb} is not supported on resources of kind "fleets.${group}"`)
    }
  },

  'a scale is shown as a table': async bench => {
    const path = await makeFleet(bench)
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const { status, body } = await bench.api.get(`${path}/scale`, { accept })
    equal(status, 200)
    deepEqual(
      body.columnDefinitions.map(({ name }: { name: string }) => name),
      ['Name', 'Desired', 'Available', 'Age'],
    )
    deepEqual(body.rows[0].cells.slice(0, 3), ['a', 3, 0])
  },

  'discovery tells of the scale': async bench => {
    await bench.install(fleets)
    const { body } = await bench.api.get(`/apis/${group}/v1`)
    const found = body.resources.find(({ name }: { name: string }) => name === 'fleets/scale')
    deepEqual(found, {
      name: 'fleets/scale',
      singularName: '',
      namespaced: true,
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: ['get', 'patch', 'update'],
    })
  },

  'a scale is told to watches as a change of the object': async bench => {
    const path = await makeFleet(bench)
    const { body } = await bench.api.get(path)
    const whole = path.replace(/\/a$/, '')
    await using watching = await bench.api.watch(`${whole}?watch=true&resourceVersion=${body.metadata.resourceVersion}`)
    await bench.api.patch(`${path}/scale`, 'merge', { spec: { replicas: 9 } })
    like(await watching.next(), { type: 'MODIFIED', object: { kind: 'Fleet', spec: { replicas: 9 } } })
  },

  'a definition needs both paths of replicas': async bench => {
    const field = 'spec.subresources.scale'
    deepEqual(await faults(bench, {}), [
      { reason: 'FieldValueRequired', message: 'Required value', field: `${field}.specReplicasPath` },
      { reason: 'FieldValueRequired', message: 'Required value', field: `${field}.statusReplicasPath` },
    ])
  },

  'paths of replicas are simple paths': async bench => {
    const [fault, ...others] = await faults(bench, { ...paths, specReplicasPath: 'spec.replicas' })
    deepEqual(fault, {
      reason: 'FieldValueInvalid',
      message: 'Invalid value: "spec.replicas": must be a simple json path starting with .',
      field: 'spec.subresources.scale.specReplicasPath',
    })
    equal(others.length, 0)
  },

  'paths of replicas lead into spec and status': async bench => {
    const found = await faults(bench, {
      specReplicasPath: '.replicas',
      statusReplicasPath: '.replicas',
      labelSelectorPath: '.selector',
    })
    deepEqual(
      found.map(fault => ('message' in fault ? fault.message : '')),
      [
        'Invalid value: ".replicas": should be a json path under .spec',
        'Invalid value: ".replicas": should be a json path under .status',
        'Invalid value: ".selector": should be a json path under either .spec or .status',
      ],
    )
    ok(found.length === 3)
  },
})
