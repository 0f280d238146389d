import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import type { Answer } from '../api.ts'
import type { Bench, Case } from '../case.ts'
import { area, failure, like } from '../case.ts'
import { configMap, group, widget, widgets } from '../definitions.ts'

/** A JSON patch of a widget, and what it makes of the widget's spec. */
function changes(operations: readonly object[], wanted: object): Case['run'] {
  return async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.patch(path, 'json', operations)
    equal(status, 200)
    deepEqual(body.spec, { ...spec, mode: 'Safe', ...wanted })
  }
}

/** A JSON patch that does not fit a widget. */
function doesNotFit(operations: readonly object[]): Case['run'] {
  return async bench => {
    const path = await makeWidget(bench)
    const { body: before } = await bench.api.get(path)
    const { status, body } = await bench.api.patch(path, 'json', operations)
    equal(status, 422)
    deepEqual(
      body,
      failure({
        message: 'the server rejected our request due to an error in our request',
        reason: 'Invalid',
        details: {},
        code: 422,
      }),
    )
    deepEqual((await bench.api.get(path)).body, before)
  }
}

const spec = { size: 1, steps: ['a', 'b', 'c'], labels: { x: '1', 'a/b': '2', 'c~d': '3' } }

async function makeWidget(bench: Bench): Promise<string> {
  const path = await bench.install(widgets)
  const { status } = await bench.api.post(path, widget('a', spec))
  equal(status, 201)
  return `${path}/a`
}

const unsupported =
  'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml'

function isUnsupported({ status, body }: Answer): void {
  equal(status, 415)
  like(body, { reason: 'UnsupportedMediaType', code: 415, message: unsupported })
}

/** The one cause of a patch that left no object of the kind. */
function patchCause({ status, body }: Answer): string {
  equal(status, 422)
  equal(body.reason, 'Invalid')
  match(body.message, /^ "" is invalid: patch: Invalid value: "/)
  equal(body.details.causes.length, 1)
  const [{ reason, field, message }] = body.details.causes
  deepEqual({ ...body.details, causes: [] }, { causes: [] })
  deepEqual({ reason, field }, { reason: 'FieldValueInvalid', field: 'patch' })
  return message
}

export const patches = area('patches', {
  'a JSON patch adds a member': changes([{ op: 'add', path: '/spec/color', value: 'red' }], { color: 'red' }),

  'a JSON patch replaces a member': changes([{ op: 'replace', path: '/spec/size', value: 2 }], { size: 2 }),

  'a JSON patch replaces a member that is not there': changes([{ op: 'replace', path: '/spec/color', value: 'red' }], {
    color: 'red',
  }),

  'a JSON patch adds what is there': changes([{ op: 'add', path: '/spec/size', value: 3 }], { size: 3 }),

  'a JSON patch removes a member': changes(
    [
      { op: 'remove', path: '/spec/labels' },
      { op: 'add', path: '/spec/labels', value: {} },
    ],
    {
      labels: {},
    },
  ),

  'a JSON patch appends to a list': changes([{ op: 'add', path: '/spec/steps/-', value: 'd' }], {
    steps: ['a', 'b', 'c', 'd'],
  }),

  'a JSON patch inserts into a list': changes([{ op: 'add', path: '/spec/steps/1', value: 'x' }], {
    steps: ['a', 'x', 'b', 'c'],
  }),

  'a JSON patch removes from a list': changes([{ op: 'remove', path: '/spec/steps/1' }], { steps: ['a', 'c'] }),

  'a JSON patch counts a negative index from the end': changes([{ op: 'remove', path: '/spec/steps/-1' }], {
    steps: ['a', 'b'],
  }),

  'a JSON patch copies': changes([{ op: 'copy', from: '/spec/steps/0', path: '/spec/color' }], { color: 'a' }),

  'a JSON patch moves': changes([{ op: 'move', from: '/spec/labels', path: '/spec/labels' }], {}),

  'a JSON patch knows ~1 as a slash and ~0 as a tilde': changes(
    [
      { op: 'remove', path: '/spec/labels/a~1b' },
      { op: 'replace', path: '/spec/labels/c~0d', value: '4' },
    ],
    { labels: { x: '1', 'c~d': '4' } },
  ),

  'a JSON patch goes on after a test that holds': changes(
    [
      { op: 'test', path: '/spec/size', value: 1 },
      { op: 'replace', path: '/spec/size', value: 9 },
    ],
    { size: 9 },
  ),

  'a JSON patch tests for null where nothing is': changes(
    [
      { op: 'test', path: '/spec/color', value: null },
      { op: 'add', path: '/spec/color', value: 'red' },
    ],
    { color: 'red' },
  ),

  'a test that fails refuses the whole JSON patch': doesNotFit([
    { op: 'replace', path: '/spec/size', value: 9 },
    { op: 'test', path: '/spec/color', value: 'blue' },
  ]),

  'a JSON patch cannot remove what is not there': doesNotFit([{ op: 'remove', path: '/spec/color' }]),

  'a JSON patch cannot add below what is not there': doesNotFit([{ op: 'add', path: '/spec/none/x', value: 1 }]),

  'a JSON patch cannot move what is not there': doesNotFit([{ op: 'move', from: '/spec/none', path: '/spec/color' }]),

  'a JSON patch cannot add beyond the end of a list': doesNotFit([{ op: 'add', path: '/spec/steps/9', value: 'x' }]),

  'a JSON patch cannot remove beyond the end of a list': doesNotFit([{ op: 'remove', path: '/spec/steps/9' }]),

  'a JSON patch cannot replace beyond the end of a list': doesNotFit([
    { op: 'replace', path: '/spec/steps/9', value: 'x' },
  ]),

  'a JSON patch with an unknown operation is invalid': doesNotFit([{ op: 'twist', path: '/spec/size', value: 1 }]),

  'a JSON patch with an operation without a path is invalid': doesNotFit([{ op: 'add', value: 1 }]),

  'a JSON patch that is no list is refused': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.patch(path, 'json', { op: 'add', path: '/spec/size', value: 1 })
    equal(status, 400)
    equal(body.reason, 'BadRequest')
    match(body.message, /^error decoding patch: json: cannot unmarshal /)
  },

  'a patch that is no JSON is refused': async bench => {
    const path = await makeWidget(bench)
    for (const type of ['json', 'merge'] as const) {
      const { status, body } = await bench.api.patch(path, type, '[')
      equal(status, 400)
      equal(body.reason, 'BadRequest')
      match(body.message, /^error decoding patch: unexpected end of JSON input$/i)
    }
  },

  'a patch without operations changes nothing': async bench => {
    const path = await makeWidget(bench)
    const { body: before } = await bench.api.get(path)
    deepEqual((await bench.api.patch(path, 'json', [])).body, before)
    deepEqual((await bench.api.patch(path, 'merge', {})).body, before)
    deepEqual((await bench.api.get(path)).body, before)
  },

  'a patch that sets what is there writes nothing': async bench => {
    const path = await makeWidget(bench)
    const { body: before } = await bench.api.get(path)
    deepEqual((await bench.api.patch(path, 'merge', { spec: { size: 1 } })).body, before)
    deepEqual((await bench.api.patch(path, 'json', [{ op: 'add', path: '/spec/size', value: 1 }])).body, before)
  },

  'a merge patch sets, adds and removes members': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.patch(path, 'merge', {
      metadata: { labels: { l: '1' } },
      spec: { size: 2, color: 'red', labels: { x: null, y: '5' } },
    })
    equal(status, 200)
    like(body, { metadata: { labels: { l: '1' }, generation: 2 }, spec: { size: 2, color: 'red', steps: spec.steps } })
    deepEqual(body.spec.labels, { y: '5', 'a/b': '2', 'c~d': '3' })
  },

  'a merge patch replaces lists': async bench => {
    const path = await makeWidget(bench)
    const { body } = await bench.api.patch(path, 'merge', { spec: { steps: ['z'] } })
    deepEqual(body.spec.steps, ['z'])
  },

  'a merge patch that removes a member with a default sets the default': async bench => {
    const path = await makeWidget(bench)
    await bench.api.patch(path, 'merge', { spec: { mode: 'Fast' } })
    const { status, body } = await bench.api.patch(path, 'merge', { spec: { mode: null } })
    equal(status, 200)
    equal(body.spec.mode, 'Safe')
  },

  'a merge patch that removes what is not there changes nothing': async bench => {
    const path = await makeWidget(bench)
    const { body: before } = await bench.api.get(path)
    deepEqual((await bench.api.patch(path, 'merge', { spec: { color: null } })).body, before)
  },

  'a merge patch that is no object is refused': async bench => {
    const path = await makeWidget(bench)
    for (const patch of ['[]', '"text"']) {
      const { status, body } = await bench.api.patch(path, 'merge', patch)
      equal(status, 400)
      match(body.message, /^error decoding patch: json: cannot unmarshal .*into Go value of type map/)
    }
  },

  'a patch of what is not there is NotFound, whatever it says': async bench => {
    const path = await bench.install(widgets)
    for (const [type, patch] of [
      ['merge', '{'],
      ['json', []],
    ] as const) {
      const { status, body } = await bench.api.patch(`${path}/none`, type, patch)
      equal(status, 404)
      like(body, { message: `widgets.${group} "none" not found`, details: { name: 'none', group, kind: 'widgets' } })
    }
  },

  'a patch to a value that the schema refuses is invalid': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.patch(path, 'merge', { spec: { size: 1000 } })
    equal(status, 422)
    like(body, {
      reason: 'Invalid',
      details: {
        name: 'a',
        group,
        kind: 'Widget',
        causes: [
          {
            reason: 'FieldValueInvalid',
            message: 'Invalid value: 1000: spec.size in body should be less than or equal to 100',
            field: 'spec.size',
          },
        ],
      },
    })
  },

  'a patch cannot change the name': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.patch(path, 'merge', { metadata: { name: 'b' } })
    equal(status, 400)
    like(body, {
      reason: 'BadRequest',
      message: 'the name of the object (b) does not match the name on the URL (a)',
    })
  },

  'a patch cannot change the namespace': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.patch(path, 'merge', { metadata: { namespace: 'b' } })
    equal(status, 400)
    equal(body.message, 'the namespace of the provided object does not match the namespace sent on the request')
  },

  'a patch cannot change the uid': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.patch(path, 'merge', { metadata: { uid: 'b' } })
    equal(status, 422)
    equal(body.message, `Widget.${group} "a" is invalid: metadata.uid: Invalid value: "b": field is immutable`)
    like(body.details.causes[0], { reason: 'FieldValueInvalid', field: 'metadata.uid' })
  },

  'a patch cannot mark an object as deleted': async bench => {
    const path = await makeWidget(bench)
    const metadata = { deletionTimestamp: '2001-01-01T00:00:00Z' }
    const { status, body } = await bench.api.patch(path, 'merge', { metadata })
    equal(status, 422)
    like(body.details.causes[0], { reason: 'FieldValueInvalid', field: 'metadata.deletionTimestamp' })
  },

  'a patch of what only the server sets changes nothing': async bench => {
    const path = await makeWidget(bench)
    const { body: before } = await bench.api.get(path)
    const metadata = { generation: 77, creationTimestamp: '2001-01-01T00:00:00Z', selfLink: '/x' }
    const { status, body } = await bench.api.patch(path, 'merge', { metadata })
    equal(status, 200)
    deepEqual(body, before)
  },

  'a patch may leave out the uid': async bench => {
    const path = await makeWidget(bench)
    const { body: before } = await bench.api.get(path)
    const { status, body } = await bench.api.patch(path, 'json', [{ op: 'remove', path: '/metadata/uid' }])
    equal(status, 200)
    equal(body.metadata.uid, before.metadata.uid)
  },

  'a patch that removes the metadata leaves no name': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.patch(path, 'merge', { metadata: null })
    equal(status, 400)
    equal(body.message, 'the name of the object (a based on URL) was undeterminable: name must be provided')
  },

  'a patch with the current resource version is taken': async bench => {
    const path = await makeWidget(bench)
    const { resourceVersion } = (await bench.api.get(path)).body.metadata
    const { status, body } = await bench.api.patch(path, 'merge', { metadata: { resourceVersion }, spec: { size: 2 } })
    equal(status, 200)
    notEqual(body.metadata.resourceVersion, resourceVersion)
  },

  'a patch with an old resource version is a conflict': async bench => {
    const path = await makeWidget(bench)
    const { resourceVersion } = (await bench.api.get(path)).body.metadata
    await bench.api.patch(path, 'merge', { spec: { size: 2 } })
    const { status, body } = await bench.api.patch(path, 'merge', { metadata: { resourceVersion }, spec: { size: 3 } })
    equal(status, 409)
    like(body, {
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on widgets.${group} "a": the object has been modified; please apply your changes to the latest version and try again`,
      details: { name: 'a', group, kind: 'widgets' },
    })
  },

  'a patch that removes the resource version of a custom resource is invalid': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.patch(path, 'merge', { metadata: { resourceVersion: null } })
    equal(status, 422)
    like(body, {
      details: {
        name: 'a',
        group,
        kind: 'widgets',
        causes: [{ field: 'metadata.resourceVersion', message: 'Invalid value: 0: must be specified for an update' }],
      },
    })
  },

  'a patch cannot change the kind of a custom resource': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.patch(path, 'merge', { kind: 'Gadget' })
    equal(status, 422)
    like(body, {
      message: `Gadget.${group} "a" is invalid: kind: Invalid value: "Gadget": must be Widget`,
      details: { name: 'a', group, kind: 'Gadget', causes: [{ field: 'kind' }] },
    })
  },

  'a patch cannot change the version of a custom resource': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.patch(path, 'merge', { apiVersion: 'v9' })
    equal(status, 422)
    like(body, {
      message: `Widget "a" is invalid: apiVersion: Invalid value: "v9": must be ${group}/v1`,
      details: { name: 'a', kind: 'Widget', causes: [{ field: 'apiVersion' }] },
    })
  },

  'a patch that leaves no kind is invalid': async bench => {
    const path = await makeWidget(bench)
    match(patchCause(await bench.api.patch(path, 'merge', { kind: null })), /Object 'Kind' is missing in '/)
  },

  'a patch to metadata of a wrong type is invalid': async bench => {
    const path = await makeWidget(bench)
    const answer = await bench.api.patch(path, 'merge', { metadata: { labels: { a: 1 } } })
    match(patchCause(answer), /: json: cannot unmarshal number into Go struct field ObjectMeta\.labels of type string$/)
  },

  'a patch that adds an unknown field is warned about': async bench => {
    const path = await makeWidget(bench)
    const { status, body, headers } = await bench.api.patch(path, 'merge', { spec: { colour: 'red' } })
    equal(status, 200)
    ok(!('colour' in body.spec))
    equal(headers.warning, '299 - "unknown field \\"spec.colour\\""')
  },

  'a patch that adds an unknown field is invalid where fields are validated strictly': async bench => {
    const path = await makeWidget(bench)
    const answer = await bench.api.patch(`${path}?fieldValidation=Strict`, 'merge', { spec: { colour: 'red' } })
    match(patchCause(answer), /: strict decoding error: unknown field "spec\.colour"$/)
  },

  'a patch that adds an unknown field is taken in silence where fields are not validated': async bench => {
    const path = await makeWidget(bench)
    const patched = await bench.api.patch(`${path}?fieldValidation=Ignore`, 'merge', { spec: { colour: 'red' } })
    equal(patched.status, 200)
    equal(patched.headers.warning, undefined)
  },

  'a merge patch that sets a field twice is warned about': async bench => {
    const path = await makeWidget(bench)
    const { status, body, headers } = await bench.api.patch(path, 'merge', '{"spec":{"size":2,"size":3}}')
    equal(status, 200)
    equal(body.spec.size, 3)
    equal(headers.warning, '299 - "duplicate field \\"spec.size\\""')
  },

  'a merge patch that sets a field twice is invalid where fields are validated strictly': async bench => {
    const path = await makeWidget(bench)
    const answer = await bench.api.patch(`${path}?fieldValidation=Strict`, 'merge', '{"spec":{"size":2,"size":3}}')
    match(patchCause(answer), /: strict decoding error: duplicate field "spec\.size"$/)
  },

  'only an apply can be forced': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.patch(`${path}?force=true`, 'merge', {})
    equal(status, 422)
    const message = 'Forbidden: may not be specified for non-apply patch'
    like(body, {
      reason: 'Invalid',
      message: `PatchOptions.meta.k8s.io "" is invalid: force: ${message}`,
      details: {
        group: 'meta.k8s.io',
        kind: 'PatchOptions',
        causes: [{ reason: 'FieldValueForbidden', message, field: 'force' }],
      },
    })
    ok(!('name' in body.details))
  },

  'a custom resource takes no strategic merge patch': async bench => {
    const path = await makeWidget(bench)
    isUnsupported(await bench.api.patch(path, 'strategic', {}))
    isUnsupported(await bench.api.patch(`${path}/status`, 'strategic', {}))
  },

  'a patch needs the media type of a patch': async bench => {
    const path = await makeWidget(bench)
    for (const type of ['application/json', 'text/plain', '']) {
      isUnsupported(await bench.api.call('PATCH', path, { body: '{}', type }))
    }
  },

  'the media type of a patch may have parameters': async bench => {
    const path = await makeWidget(bench)
    const type = 'application/merge-patch+json; charset=utf-8'
    equal((await bench.api.call('PATCH', path, { body: '{}', type })).status, 200)
  },

  'a patch of a whole collection is refused': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.patch(path, 'merge', {})
    equal(status, 400)
    equal(body.message, 'name must be provided')
  },

  'a patch leaves the status alone where it is a subresource': async bench => {
    const path = await makeWidget(bench)
    const { status, body } = await bench.api.patch(path, 'merge', { status: { phase: 'x' }, spec: { size: 2 } })
    equal(status, 200)
    equal(body.status, undefined)
    equal(body.spec.size, 2)
  },

  'a ConfigMap takes merge and JSON patches': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    await bench.api.post(path, configMap('a', { x: '1' }))
    await bench.api.patch(`${path}/a`, 'merge', { data: { y: '2' } })
    const { status, body } = await bench.api.patch(`${path}/a`, 'json', [{ op: 'remove', path: '/data/x' }])
    equal(status, 200)
    deepEqual(body.data, { y: '2' })
  },
})
