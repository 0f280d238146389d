import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { applied, ownersOf, widgetPath } from '../applies.ts'
import { area, failure, like } from '../case.ts'
import { configMap, group, widget, widgets } from '../definitions.ts'

const cause = (manager: string, field: string) => ({
  reason: 'FieldManagerConflict',
  message: `conflict with "${manager}"`,
  field,
})

export const apply = area('apply', {
  'an apply makes what is not there, and owns what it says': async bench => {
    const path = await widgetPath(bench)
    const { status, body } = await bench.api.apply(path, widget('a', { size: 1 }))
    equal(status, 201)
    deepEqual(body.spec, { size: 1, mode: 'Safe' })
    equal(body.metadata.managedFields.length, 1)
    const { time, ...entry } = body.metadata.managedFields[0]
    match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    deepEqual(entry, {
      manager: 'applier',
      operation: 'Apply',
      apiVersion: `${group}/v1`,
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': { 'f:size': {} } },
    })
  },

  'the same apply again writes nothing': async bench => {
    const path = await widgetPath(bench)
    const { body: first } = await bench.api.apply(path, widget('a', { size: 1, parts: [{ name: 'p' }] }))
    const { status, body } = await bench.api.apply(path, widget('a', { size: 1, parts: [{ name: 'p' }] }))
    equal(status, 200)
    deepEqual(body, first)
  },

  'a field of another applier with another value is a conflict': async bench => {
    const { path } = await applied(bench, ['one', { size: 1 }])
    const { status, body } = await bench.api.apply(path, widget('a', { size: 2 }), { manager: 'two' })
    equal(status, 409)
    deepEqual(
      body,
      failure({
        message: 'Apply failed with 1 conflict: conflict with "one": .spec.size',
        reason: 'Conflict',
        details: { causes: [cause('one', '.spec.size')] },
        code: 409,
      }),
    )
  },

  'conflicts of every kind of field are listed, upper ones first': async bench => {
    const spec = { size: 1, steps: ['a'], sealed: { left: 'l' }, parts: [{ name: 'p', weight: 1 }], labels: { x: '1' } }
    const { path } = await applied(bench, ['one', spec])
    const other = {
      size: 2,
      steps: ['b'],
      sealed: { right: 'r' },
      parts: [{ name: 'p', weight: 2 }],
      labels: { x: '2' },
    }
    const { status, body } = await bench.api.apply(path, widget('a', other), { manager: 'two' })
    equal(status, 409)
    const fields = ['.spec.sealed', '.spec.size', '.spec.steps', '.spec.labels.x', '.spec.parts[name="p"].weight']
    equal(
      body.message,
      `Apply failed with 5 conflicts: conflicts with "one":\n${fields.map(field => `- ${field}`).join('\n')}`,
    )
    deepEqual(
      body.details.causes,
      fields.map(field => cause('one', field)),
    )
  },

  'conflicts with several managers are grouped by manager': async bench => {
    const { path } = await applied(bench, ['one', { size: 1 }], ['two', { color: 'red' }])
    const { body } = await bench.api.apply(path, widget('a', { size: 2, color: 'blue' }), { manager: 'three' })
    equal(
      body.message,
      'Apply failed with 2 conflicts: conflicts with "one":\n- .spec.size\nconflicts with "two":\n- .spec.color',
    )
  },

  'a conflict with an updater names its version': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(`${path}?fieldManager=maker`, widget('a', { size: 1 }))
    const { status, body } = await bench.api.apply(`${path}/a`, widget('a', { size: 2 }))
    equal(status, 409)
    equal(body.message, `Apply failed with 1 conflict: conflict with "maker" using ${group}/v1: .spec.size`)
  },

  'a conflict changes nothing': async bench => {
    const { path, body: before } = await applied(bench, ['one', { size: 1 }])
    await bench.api.apply(path, widget('a', { size: 2, color: 'red' }), { manager: 'two' })
    deepEqual((await bench.api.get(path)).body, before)
  },

  'force takes fields over': async bench => {
    const { path } = await applied(bench, ['one', { size: 1, color: 'red' }])
    const { status, body } = await bench.api.apply(path, widget('a', { size: 2 }), { manager: 'two', force: true })
    equal(status, 200)
    equal(body.spec.size, 2)
    deepEqual(ownersOf(body), { one: { 'f:color': {} }, two: { 'f:size': {} } })
  },

  'whoever applies the same value shares the field': async bench => {
    const { body } = await applied(bench, ['one', { size: 1 }], ['two', { size: 1 }])
    deepEqual(ownersOf(body), { one: { 'f:size': {} }, two: { 'f:size': {} } })
  },

  'a shared field that one leaves out stays': async bench => {
    const { body } = await applied(
      bench,
      ['one', { size: 1, color: 'red' }],
      ['two', { size: 1 }],
      ['one', { color: 'red' }],
    )
    equal(body.spec.size, 1)
    deepEqual(ownersOf(body), { one: { 'f:color': {} }, two: { 'f:size': {} } })
  },

  'a shared field cannot be changed without conflict': async bench => {
    const { path } = await applied(bench, ['one', { size: 1 }], ['two', { size: 1 }])
    const { status, body } = await bench.api.apply(path, widget('a', { size: 2 }), { manager: 'two' })
    equal(status, 409)
    deepEqual(body.details.causes, [cause('one', '.spec.size')])
  },

  'a field that its only applier leaves out goes': async bench => {
    const { body } = await applied(bench, ['one', { size: 1, color: 'red' }], ['one', { size: 1 }])
    deepEqual(body.spec, { size: 1, mode: 'Safe' })
  },

  'a field that goes gets its default back': async bench => {
    const { body } = await applied(bench, ['one', { size: 1, mode: 'Fast' }], ['one', { size: 1 }])
    equal(body.spec.mode, 'Safe')
  },

  'a field that an update has set stays when an applier leaves it out': async bench => {
    const { path } = await applied(bench, ['one', { size: 1, color: 'red' }])
    await bench.api.patch(`${path}?fieldManager=two`, 'merge', { spec: { color: 'blue' } })
    const { status, body } = await bench.api.apply(path, widget('a', { size: 1 }), { manager: 'one' })
    equal(status, 200)
    equal(body.spec.color, 'blue')
  },

  'items of a list with keys merge by their keys': async bench => {
    const { body } = await applied(
      bench,
      ['one', { parts: [{ name: 'a', weight: 1 }] }],
      ['two', { parts: [{ name: 'b', weight: 2 }] }],
    )
    deepEqual(body.spec.parts, [
      { name: 'a', weight: 1 },
      { name: 'b', weight: 2 },
    ])
    deepEqual(ownersOf(body).two, { 'f:parts': { 'k:{"name":"b"}': { '.': {}, 'f:name': {}, 'f:weight': {} } } })
  },

  'two may own different fields of the same item': async bench => {
    const { body } = await applied(
      bench,
      ['one', { parts: [{ name: 'a' }] }],
      ['two', { parts: [{ name: 'a', weight: 2 }] }],
    )
    deepEqual(body.spec.parts, [{ name: 'a', weight: 2 }])
  },

  'an item that its only applier leaves out goes': async bench => {
    const { body } = await applied(
      bench,
      ['one', { parts: [{ name: 'a' }, { name: 'b' }] }],
      ['two', { parts: [{ name: 'c' }] }],
      ['one', { parts: [{ name: 'b' }] }],
    )
    deepEqual(body.spec.parts, [{ name: 'b' }, { name: 'c' }])
  },

  'values of a set merge': async bench => {
    const { body } = await applied(
      bench,
      ['one', { tags: ['a', 'b'] }],
      ['two', { tags: ['c'] }],
      ['one', { tags: ['b'] }],
    )
    deepEqual(body.spec.tags, ['b', 'c'])
    deepEqual(ownersOf(body), { one: { 'f:tags': { 'v:"b"': {} } }, two: { 'f:tags': { 'v:"c"': {} } } })
  },

  'an atomic list has one owner': async bench => {
    const { path } = await applied(bench, ['one', { steps: ['a'] }])
    const { status, body } = await bench.api.apply(path, widget('a', { steps: ['a', 'b'] }), { manager: 'two' })
    equal(status, 409)
    deepEqual(body.details.causes, [cause('one', '.spec.steps')])
    const forced = await bench.api.apply(path, widget('a', { steps: ['b'] }), { manager: 'two', force: true })
    deepEqual(forced.body.spec.steps, ['b'])
    deepEqual(ownersOf(forced.body), { two: { 'f:steps': {} } })
  },

  'an atomic map has one owner': async bench => {
    const { path } = await applied(bench, ['one', { sealed: { left: 'l' } }])
    const { status, body } = await bench.api.apply(path, widget('a', { sealed: { right: 'r' } }), { manager: 'two' })
    equal(status, 409)
    deepEqual(body.details.causes, [cause('one', '.spec.sealed')])
    const forced = await bench.api.apply(path, widget('a', { sealed: { right: 'r' } }), { manager: 'two', force: true })
    deepEqual(forced.body.spec.sealed, { right: 'r' })
  },

  'keys of a map have owners of their own': async bench => {
    const { body } = await applied(bench, ['one', { labels: { x: '1' } }], ['two', { labels: { y: '2' } }], ['one', {}])
    deepEqual(body.spec.labels, { y: '2' })
  },

  'labels, annotations, finalizers and owners are owned one by one': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    const { body: owner } = await bench.api.post(path, configMap('owner'))
    const { uid } = owner.metadata
    const metadata = {
      labels: { l: '1' },
      annotations: { n: '2' },
      finalizers: ['a.test/b'],
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }],
    }
    const { body } = await bench.api.apply(`${path}/a`, configMap('a', {}, metadata))
    deepEqual(body.metadata.managedFields[0].fieldsV1['f:metadata'], {
      'f:annotations': { 'f:n': {} },
      'f:finalizers': { 'v:"a.test/b"': {} },
      'f:labels': { 'f:l': {} },
      'f:ownerReferences': { [`k:{"uid":"${uid}"}`]: {} },
    })
    const bare = await bench.api.apply(`${path}/a`, configMap('a'))
    for (const member of Object.keys(metadata)) ok(!(member in bare.body.metadata), member)
  },

  'an apply to the status owns the status, and nothing else': async bench => {
    const { path } = await applied(bench, ['one', { size: 1 }])
    const configuration = { ...widget('a', { size: 9 }, { labels: { l: '1' } }), status: { phase: 'Up' } }
    const { status, body } = await bench.api.apply(`${path}/status`, configuration, { manager: 'two' })
    equal(status, 200)
    like(body, { spec: { size: 1 }, status: { phase: 'Up' } })
    equal(body.metadata.labels, undefined)
    const entry = body.metadata.managedFields.find(({ manager }: { manager: string }) => manager === 'two')
    like(entry, { operation: 'Apply', subresource: 'status', fieldsV1: { 'f:status': { 'f:phase': {} } } })
  },

  'an apply to the status of what is not there is NotFound': async bench => {
    const path = await widgetPath(bench)
    const { status, body } = await bench.api.apply(`${path}/status`, { ...widget('a'), status: { phase: 'Up' } })
    equal(status, 404)
    equal(body.message, `widgets.${group} "a" not found`)
  },

  'a conflict about the status names the subresource': async bench => {
    const { path } = await applied(bench, ['one', {}])
    const configuration = (phase: string) => ({ ...widget('a'), status: { phase } })
    await bench.api.apply(`${path}/status`, configuration('Up'), { manager: 'one' })
    const { status, body } = await bench.api.apply(`${path}/status`, configuration('Down'), { manager: 'two' })
    equal(status, 409)
    equal(body.message, 'Apply failed with 1 conflict: conflict with "one" with subresource "status": .status.phase')
  },

  'an apply to the object ignores its status': async bench => {
    const path = await widgetPath(bench)
    const { status, body } = await bench.api.apply(path, { ...widget('a', { size: 1 }), status: { phase: 'Up' } })
    equal(status, 201)
    equal(body.status, undefined)
    deepEqual(body.metadata.managedFields[0].fieldsV1, { 'f:spec': { 'f:size': {} } })
  },

  'an apply with an old resource version is a conflict': async bench => {
    const { path, body: first } = await applied(bench, ['one', { size: 1 }])
    await bench.api.apply(path, widget('a', { size: 2 }), { manager: 'one' })
    const { resourceVersion } = first.metadata
    const { status, body } = await bench.api.apply(path, widget('a', { size: 3 }, { resourceVersion }), {
      manager: 'one',
    })
    equal(status, 409)
    match(body.message, /the object has been modified; please apply your changes to the latest version and try again$/)
  },

  'an apply with the uid of another object is invalid': async bench => {
    const { path } = await applied(bench, ['one', { size: 1 }])
    const { status, body } = await bench.api.apply(path, widget('a', { size: 1 }, { uid: 'b' }), { manager: 'one' })
    equal(status, 422)
    like(body.details.causes[0], { field: 'metadata.uid', message: 'Invalid value: "b": field is immutable' })
  },

  'an apply with a uid makes nothing': async bench => {
    const path = await widgetPath(bench)
    const { status, body } = await bench.api.apply(path, widget('a', {}, { uid: 'b' }))
    equal(status, 409)
    like(body, {
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on widgets.${group} "a": uid mismatch: the provided object specified uid b, and no existing object was found`,
      details: { name: 'a', group, kind: 'widgets' },
    })
  },

  'an apply with managed fields is refused': async bench => {
    const path = await widgetPath(bench)
    for (const managedFields of [[], [{ manager: 'x' }]]) {
      const { status, body } = await bench.api.apply(path, widget('a', {}, { managedFields }))
      equal(status, 400)
      equal(body.message, 'metadata.managedFields must be nil')
    }
  },

  'an apply needs a manager': async bench => {
    const path = await widgetPath(bench)
    const { status, body } = await bench.api.patch(path, 'apply', widget('a'))
    equal(status, 422)
    like(body, {
      message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      details: { causes: [{ reason: 'FieldValueRequired', field: 'fieldManager' }] },
    })
  },

  'an apply of another kind or version is refused': async bench => {
    const path = await widgetPath(bench)
    const kind = await bench.api.apply(path, { ...widget('a'), kind: 'Gadget' })
    equal(kind.status, 400)
    equal(kind.body.message, `invalid object type: ${group}/v1, Kind=Gadget`)
    const version = await bench.api.apply(path, { ...widget('a'), apiVersion: 'v1' })
    equal(version.status, 400)
    equal(version.body.message, 'invalid object type: /v1, Kind=Widget')
  },

  'an apply of nothing is refused': async bench => {
    const path = await widgetPath(bench)
    const { status, body } = await bench.api.apply(path, '')
    equal(status, 400)
    equal(body.message, 'invalid object type: /, Kind=')
  },

  'an apply under another name is refused': async bench => {
    const path = await widgetPath(bench)
    const { status, body } = await bench.api.apply(path, widget('b'))
    equal(status, 400)
    equal(body.message, 'the name of the object (b) does not match the name on the URL (a)')
  },

  'an apply need not say the name of what is there': async bench => {
    const { path } = await applied(bench, ['one', { size: 1 }])
    const { name: _, ...configuration } = { apiVersion: `${group}/v1`, kind: 'Widget', name: '', spec: { size: 2 } }
    const { status, body } = await bench.api.apply(path, configuration, { manager: 'one' })
    equal(status, 200)
    equal(body.spec.size, 2)
  },

  'an apply in another namespace is refused': async bench => {
    const path = await widgetPath(bench)
    const { status, body } = await bench.api.apply(path, widget('a', {}, { namespace: 'elsewhere' }))
    equal(status, 400)
    equal(body.message, 'the namespace of the provided object does not match the namespace sent on the request')
  },

  'an apply in a namespace that is not there is NotFound': async bench => {
    await bench.install(widgets)
    const { status, body } = await bench.api.apply(`/apis/${group}/v1/namespaces/nowhere/widgets/a`, widget('a'))
    equal(status, 404)
    equal(body.message, 'namespaces "nowhere" not found')
  },

  'an apply to a value that the schema refuses is invalid': async bench => {
    const path = await widgetPath(bench)
    const { status, body } = await bench.api.apply(path, widget('a', { size: 1000 }))
    equal(status, 422)
    like(body.details.causes[0], { field: 'spec.size', reason: 'FieldValueInvalid' })
  },

  'a body in YAML is applied': async bench => {
    const path = await widgetPath(bench)
    const text = `# a comment\napiVersion: ${group}/v1\nkind: Widget\nmetadata:\n  name: a\nspec:\n  size: 3\n  color: "no"\n`
    const { status, body } = await bench.api.apply(path, text)
    equal(status, 201)
    like(body.spec, { size: 3, color: 'no' })
  },

  'a body that is no YAML is refused': async bench => {
    const path = await widgetPath(bench)
    const { status, body } = await bench.api.apply(path, 'a: [')
    equal(status, 400)
    match(body.message, /^error decoding YAML: error converting YAML to JSON: /)
  },

  'a body that is no object is refused': async bench => {
    const path = await widgetPath(bench)
    const { status, body } = await bench.api.apply(path, '[]')
    equal(status, 400)
    match(body.message, /^error decoding YAML: error unmarshaling JSON: while decoding JSON: /)
  },

  'a field given twice is refused where fields are validated strictly': async bench => {
    const path = await widgetPath(bench)
    const text = `apiVersion: ${group}/v1\nkind: Widget\nmetadata:\n  name: a\nspec:\n  size: 3\n  size: 4\n`
    const { status, body } = await bench.api.apply(path, text, { query: 'fieldValidation=Strict' })
    equal(status, 400)
    equal(
      body.message,
      'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 7: key "size" already set in map',
    )
  },

  'a field given twice is warned about': async bench => {
    const path = await widgetPath(bench)
    const text = `apiVersion: ${group}/v1\nkind: Widget\nmetadata:\n  name: a\nspec:\n  size: 3\n  size: 4\n`
    const { status, body, headers } = await bench.api.apply(path, text)
    equal(status, 201)
    equal(body.spec.size, 4)
    equal(headers.warning, '299 - "line 7: key \\"size\\" already set in map"')
  },
})
