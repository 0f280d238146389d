import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { area, failure, like } from '../case.ts'
import { configMap, group, widget, widgets } from '../definitions.ts'

export const crud = area('crud', {
  'a created object has a uid, a creation time, a generation and a resource version': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(path, widget('a', { size: 1 }))
    equal(status, 201)
    like(body, { apiVersion: `${group}/v1`, kind: 'Widget', spec: { size: 1, mode: 'Safe' } })
    match(body.metadata.uid, /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/)
    match(body.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    equal(body.metadata.generation, 1)
    match(body.metadata.resourceVersion, /^[1-9]\d*$/)
    deepEqual((await bench.api.get(`${path}/a`)).body, body)
  },

  'what only the server sets is not taken from whoever creates': async bench => {
    const path = await bench.install(widgets)
    const metadata = {
      uid: '00000000-0000-4000-8000-000000000000',
      creationTimestamp: '2001-01-01T00:00:00Z',
      generation: 7,
      deletionTimestamp: '2001-01-01T00:00:00Z',
      selfLink: '/elsewhere',
    }
    const { status, body } = await bench.api.post(path, widget('a', {}, metadata))
    equal(status, 201)
    notEqual(body.metadata.uid, metadata.uid)
    notEqual(body.metadata.creationTimestamp, metadata.creationTimestamp)
    equal(body.metadata.generation, 1)
    equal(body.metadata.deletionTimestamp, undefined)
    equal(body.metadata.selfLink, undefined)
  },

  'an object with a resource version is not created': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(path, widget('a', {}, { resourceVersion: '1' }))
    equal(status, 500)
    deepEqual(body, failure({ message: 'resourceVersion should not be set on objects to be created', code: 500 }))
  },

  'a name that is taken is refused with AlreadyExists': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    const { status, body } = await bench.api.post(path, widget('a'))
    equal(status, 409)
    deepEqual(
      body,
      failure({
        message: `widgets.${group} "a" already exists`,
        reason: 'AlreadyExists',
        details: { name: 'a', group, kind: 'widgets' },
        code: 409,
      }),
    )
  },

  'generateName makes names that differ, with five characters at the end': async bench => {
    const path = await bench.install(widgets)
    const manifest = { ...widget(''), metadata: { generateName: 'made-' } }
    const [one, two] = [await bench.api.post(path, manifest), await bench.api.post(path, manifest)]
    equal(one.status, 201)
    match(one.body.metadata.name, /^made-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
    equal(one.body.metadata.generateName, 'made-')
    notEqual(one.body.metadata.name, two.body.metadata.name)
  },

  'neither name nor generateName is invalid': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(path, { ...widget(''), metadata: {} })
    equal(status, 422)
    like(body, {
      reason: 'Invalid',
      details: { causes: [{ reason: 'FieldValueRequired', field: 'metadata.name' }] },
    })
  },

  'an object that is not there is NotFound': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.get(`${path}/none`)
    equal(status, 404)
    deepEqual(
      body,
      failure({
        message: `widgets.${group} "none" not found`,
        reason: 'NotFound',
        details: { name: 'none', group, kind: 'widgets' },
        code: 404,
      }),
    )
  },

  'an update replaces the object and counts the generation where the wish changed': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a', { size: 1, color: 'red' }))
    const { status, body } = await bench.api.put(`${path}/a`, { ...created, spec: { size: 2 } })
    equal(status, 200)
    deepEqual(body.spec, { size: 2, mode: 'Safe' })
    equal(body.metadata.generation, 2)
    ok(BigInt(body.metadata.resourceVersion) > BigInt(created.metadata.resourceVersion))
    equal(body.metadata.uid, created.metadata.uid)
  },

  'an update that changes nothing writes nothing': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a', { size: 1 }))
    const { status, body } = await bench.api.put(`${path}/a`, created)
    equal(status, 200)
    equal(body.metadata.resourceVersion, created.metadata.resourceVersion)
  },

  'labels do not count the generation': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a'))
    const labelled = { ...created, metadata: { ...created.metadata, labels: { x: 'y' } } }
    const { body } = await bench.api.put(`${path}/a`, labelled)
    equal(body.metadata.generation, 1)
    notEqual(body.metadata.resourceVersion, created.metadata.resourceVersion)
  },

  'an update with an old resource version is a conflict': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a', { size: 1 }))
    await bench.api.put(`${path}/a`, { ...created, spec: { size: 2 } })
    const { status, body } = await bench.api.put(`${path}/a`, { ...created, spec: { size: 3 } })
    equal(status, 409)
    like(body, {
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on widgets.${group} "a": the object has been modified; please apply your changes to the latest version and try again`,
      details: { name: 'a', group, kind: 'widgets' },
    })
  },

  'an update of a custom resource needs a resource version': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', { size: 1 }))
    const { status, body } = await bench.api.put(`${path}/a`, widget('a', { size: 2 }))
    equal(status, 422)
    like(body, { reason: 'Invalid', details: { causes: [{ field: 'metadata.resourceVersion' }] } })
  },

  'an update of a ConfigMap needs none': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    await bench.api.post(path, configMap('a', { x: '1' }))
    const { status, body } = await bench.api.put(`${path}/a`, configMap('a', { x: '2' }))
    equal(status, 200)
    deepEqual(body.data, { x: '2' })
  },

  'an update of what is not there is NotFound': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.put(`${path}/none`, widget('none', {}, { resourceVersion: '1' }))
    equal(status, 404)
    equal(body.reason, 'NotFound')
  },

  'the name in the body must be that of the path': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a'))
    const { status, body } = await bench.api.put(`${path}/a`, {
      ...created,
      metadata: { ...created.metadata, name: 'b' },
    })
    equal(status, 400)
    like(body, {
      reason: 'BadRequest',
      message: 'the name of the object (b) does not match the name on the URL (a)',
    })
  },

  'the namespace in the body must be that of the path': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(path, widget('a', {}, { namespace: 'elsewhere' }))
    equal(status, 400)
    equal(body.message, 'the namespace of the provided object does not match the namespace sent on the request')
  },

  'an update with another uid is a conflict': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a'))
    const uid = '00000000-0000-4000-8000-000000000000'
    const { status, body } = await bench.api.put(`${path}/a`, {
      ...created,
      metadata: { ...created.metadata, uid },
      spec: { size: 2 },
    })
    equal(status, 409)
    match(body.message, /Precondition failed: UID in precondition: 00000000-/)
  },

  'an object in a namespace that is not there is NotFound': async bench => {
    await bench.install(widgets)
    const { status, body } = await bench.api.post(`/apis/${group}/v1/namespaces/nowhere/widgets`, widget('a'))
    equal(status, 404)
    like(body, { message: 'namespaces "nowhere" not found', details: { name: 'nowhere', kind: 'namespaces' } })
  },

  'a custom resource of another kind is invalid': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(path, { ...widget('a'), kind: 'Gadget' })
    equal(status, 422)
    const message = 'Invalid value: "Gadget": must be Widget'
    like(body, {
      reason: 'Invalid',
      message: `Gadget.${group} "a" is invalid: kind: ${message}`,
      details: { name: 'a', group, kind: 'Gadget', causes: [{ reason: 'FieldValueInvalid', message, field: 'kind' }] },
    })
  },

  'a custom resource of another version is refused': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(path, { ...widget('a'), apiVersion: `${group}/v2` })
    equal(status, 400)
    like(body, {
      reason: 'BadRequest',
      message: `the API version in the data (${group}/v2) does not match the expected API version (${group}/v1)`,
    })
  },

  'a built-in object of another kind is refused': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    const { status, body } = await bench.api.post(path, { ...configMap('a'), kind: 'Secret' })
    equal(status, 400)
    equal(body.reason, 'BadRequest')
    match(body.message, /^Secret in version "v1" cannot be handled as a ConfigMap: /)
  },

  'a built-in object need not say what it is': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    const { status, body } = await bench.api.post(path, { metadata: { name: 'a' }, data: { x: '1' } })
    equal(status, 201)
    like(body, { apiVersion: 'v1', kind: 'ConfigMap', data: { x: '1' } })
  },

  'a custom resource must say what it is': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(path, { metadata: { name: 'a' } })
    equal(status, 400)
    equal(body.reason, 'BadRequest')
    match(body.message, /^the object provided is unrecognized \(must be of type Widget\): Object 'Kind' is missing in /)
  },

  'empty metadata is left out': async bench => {
    const path = await bench.install(widgets)
    const empty = { labels: {}, annotations: {}, finalizers: [], ownerReferences: [], generateName: '' }
    const { status, body } = await bench.api.post(path, widget('a', {}, empty))
    equal(status, 201)
    for (const member of Object.keys(empty)) ok(!(member in body.metadata), member)
  },

  'an update without a name is refused': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a'))
    const { name: _, ...metadata } = created.metadata
    const { status, body } = await bench.api.put(`${path}/a`, { ...created, metadata })
    equal(status, 400)
    like(body, {
      reason: 'BadRequest',
      message: 'the name of the object (a based on URL) was undeterminable: name must be provided',
    })
  },

  'an update cannot move an object to another namespace': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a'))
    const metadata = { ...created.metadata, namespace: 'elsewhere' }
    const { status, body } = await bench.api.put(`${path}/a`, { ...created, metadata })
    equal(status, 400)
    equal(body.message, 'the namespace of the provided object does not match the namespace sent on the request')
  },

  'an update with resource version 0 says none': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    const { status, body } = await bench.api.put(`${path}/a`, widget('a', {}, { resourceVersion: '0' }))
    equal(status, 422)
    like(body, {
      message: `widgets.${group} "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update`,
      details: { name: 'a', group, kind: 'widgets' },
    })
  },

  'an update with a resource version that is no number fails': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    const { status, body } = await bench.api.put(`${path}/a`, widget('a', {}, { resourceVersion: 'x' }))
    equal(status, 500)
    equal(body.message, 'strconv.ParseUint: parsing "x": invalid syntax')
  },

  'an update of a custom resource cannot change its kind': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a'))
    const { status, body } = await bench.api.put(`${path}/a`, { ...created, kind: 'Gadget' })
    equal(status, 422)
    like(body, { details: { causes: [{ field: 'kind', message: 'Invalid value: "Gadget": must be Widget' }] } })
  },

  'an update does not take what only the server sets': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a'))
    const metadata = { ...created.metadata, creationTimestamp: '2001-01-01T00:00:00Z', generation: 50, selfLink: '/x' }
    const { status, body } = await bench.api.put(`${path}/a`, { ...created, metadata })
    equal(status, 200)
    deepEqual(body.metadata, created.metadata)
  },

  'an update cannot mark an object as deleted': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a'))
    const metadata = { ...created.metadata, deletionTimestamp: '2001-01-01T00:00:00Z' }
    const { status, body } = await bench.api.put(`${path}/a`, { ...created, metadata })
    equal(status, 422)
    like(body.details.causes[0], { reason: 'FieldValueInvalid', field: 'metadata.deletionTimestamp' })
    match(body.details.causes[0].message, /field is immutable$/)
  },

  'an update sets the generateName as any other member': async bench => {
    const path = await bench.install(widgets)
    const made = await bench.api.post(path, { ...widget(''), metadata: { generateName: 'made-' } })
    const { name, resourceVersion } = made.body.metadata
    const { status, body } = await bench.api.put(`${path}/${name}`, widget(name, { size: 2 }, { resourceVersion }))
    equal(status, 200)
    equal(body.metadata.generateName, undefined)
  },

  'a PUT of a lease that is not there makes it': async bench => {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${await bench.namespace()}/leases`
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'a' }, spec: {} }
    const { status, body } = await bench.api.put(`${path}/a`, lease)
    equal(status, 201)
    equal((await bench.api.put(`${path}/a`, body)).status, 200)
  },

  'an update of a lease needs a resource version': async bench => {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${await bench.namespace()}/leases`
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'a' }, spec: {} }
    await bench.api.post(path, lease)
    const { status, body } = await bench.api.put(`${path}/a`, lease)
    equal(status, 422)
    like(body, { reason: 'Invalid', details: { causes: [{ field: 'metadata.resourceVersion' }] } })
  },

  'a body in YAML is taken': async bench => {
    const path = await bench.install(widgets)
    const text = `apiVersion: ${group}/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: 4}\n`
    const { status, body } = await bench.api.post(path, text, { type: 'application/yaml' })
    equal(status, 201)
    equal(body.spec.size, 4)
  },

  'a body in another media type is refused': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(path, '<widget/>', { type: 'application/xml' })
    equal(status, 415)
    like(body, {
      reason: 'UnsupportedMediaType',
      message:
        'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    })
  },

  'a name that is no DNS subdomain is invalid': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(path, widget('Not_A_Name'))
    equal(status, 422)
    like(body, {
      reason: 'Invalid',
      details: { causes: [{ reason: 'FieldValueInvalid', field: 'metadata.name' }] },
    })
  },

  'a custom resource can be created at a path with a name': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(`${path}/ignored`, widget('a'))
    equal(status, 201)
    equal(body.metadata.name, 'a')
  },

  'an update of a whole collection is refused': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.put(path, widget('a'))
    equal(status, 400)
    like(body, { reason: 'BadRequest', message: 'name must be provided' })
  },

  'a method that a resource does not have is not allowed': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    const { status, body } = await bench.api.post(`${path}/a`, configMap('a'))
    equal(status, 405)
    deepEqual(
      body,
      failure({
        message: 'the server does not allow this method on the requested resource',
        reason: 'MethodNotAllowed',
        details: {},
        code: 405,
      }),
    )
  },
})
