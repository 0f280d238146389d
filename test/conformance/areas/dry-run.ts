import { deepEqual, equal, match, notEqual } from 'node:assert/strict'
import type { Bench } from '../case.ts'
import { area, like } from '../case.ts'
import { configMap, definition, group, widget, widgets } from '../definitions.ts'

const dry = '?dryRun=All'

/** Makes a widget; its path, and the object. */
async function makeWidget(bench: Bench, metadata: object = {}) {
  const path = await bench.install(widgets)
  const { status, body } = await bench.api.post(path, widget('a', { size: 1 }, metadata))
  equal(status, 201)
  return { path: `${path}/a`, made: body }
}

export const dryRun = area('dry-run', {
  'a creation is answered as if it was done': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(path + dry, widget('a', { size: 1 }))
    equal(status, 201)
    deepEqual(body.spec, { size: 1, mode: 'Safe' })
    match(body.metadata.uid, /^[0-9a-f-]{36}$/)
    notEqual(body.metadata.creationTimestamp, undefined)
    equal(body.metadata.generation, 1)
    equal(body.metadata.resourceVersion, undefined)
    equal((await bench.api.get(`${path}/a`)).status, 404)
  },

  'a creation gets a generated name': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(path + dry, { ...widget(''), metadata: { generateName: 'made-' } })
    equal(status, 201)
    match(body.metadata.name, /^made-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
    equal((await bench.api.get(`${path}/${body.metadata.name}`)).status, 404)
  },

  'a creation is validated': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.post(path + dry, widget('a', { size: 1000 }))
    equal(status, 422)
    equal(body.details.causes[0].field, 'spec.size')
  },

  'a creation under a name that is taken is refused': async bench => {
    const { path, made } = await makeWidget(bench)
    const { status, body } = await bench.api.post(path.replace(/\/a$/, dry), widget('a'))
    equal(status, 409)
    equal(body.reason, 'AlreadyExists')
    deepEqual((await bench.api.get(path)).body, made)
  },

  'a creation in a namespace that is not there is NotFound': async bench => {
    const { status, body } = await bench.api.post(`/api/v1/namespaces/nowhere/configmaps${dry}`, configMap('a'))
    equal(status, 404)
    equal(body.message, `namespaces "nowhere" not found`)
    await bench.namespace()
  },

  'unknown fields of a creation are told': async bench => {
    const path = await bench.install(widgets)
    const warned = await bench.api.post(path + dry, widget('a', { colour: 'red' }))
    equal(warned.headers.warning, '299 - "unknown field \\"spec.colour\\""')
    const strict = await bench.api.post(`${path}${dry}&fieldValidation=Strict`, widget('a', { colour: 'red' }))
    equal(strict.status, 400)
  },

  'a namespace is not made': async bench => {
    const name = bench.name('ns')
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
    const made = await bench.api.post(`/api/v1/namespaces${dry}`, body)
    equal(made.status, 201)
    like(made.body, { metadata: { labels: { 'kubernetes.io/metadata.name': name } }, status: { phase: 'Active' } })
    equal((await bench.api.get(`/api/v1/namespaces/${name}`)).status, 404)
  },

  'a definition is not made': async bench => {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    const gadgets = definition('Gadget', { group: `${bench.name('g')}.conformance.skystead.test` })
    equal((await bench.api.post(path + dry, gadgets)).status, 201)
    equal((await bench.api.get(`${path}/${gadgets.metadata.name}`)).status, 404)
  },

  'an update is answered as if it was done, with the resource version that is there': async bench => {
    const { path, made } = await makeWidget(bench)
    const { status, body } = await bench.api.put(path + dry, { ...made, spec: { size: 2 } })
    equal(status, 200)
    equal(body.spec.size, 2)
    equal(body.metadata.generation, 2)
    equal(body.metadata.resourceVersion, made.metadata.resourceVersion)
    deepEqual((await bench.api.get(path)).body, made)
  },

  'an update tells of conflicts': async bench => {
    const { path, made } = await makeWidget(bench)
    await bench.api.patch(path, 'merge', { spec: { size: 2 } })
    const { status, body } = await bench.api.put(path + dry, { ...made, spec: { size: 3 } })
    equal(status, 409)
    equal(body.reason, 'Conflict')
  },

  'an update is validated': async bench => {
    const { path, made } = await makeWidget(bench)
    const { status } = await bench.api.put(path + dry, { ...made, spec: { size: 1000 } })
    equal(status, 422)
  },

  'an update of what is not there is NotFound': async bench => {
    const { path, made } = await makeWidget(bench)
    const none = { ...made, metadata: { ...made.metadata, name: 'none' } }
    const { status } = await bench.api.put(`${path.replace(/a$/, 'none')}${dry}`, none)
    equal(status, 404)
  },

  'a PUT that would make a lease makes none': async bench => {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${await bench.namespace()}/leases/a`
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'a' }, spec: {} }
    const { status, body } = await bench.api.put(path + dry, lease)
    equal(status, 201)
    equal(body.metadata.resourceVersion, undefined)
    equal((await bench.api.get(path)).status, 404)
  },

  'patches of every kind are answered as if they were done': async bench => {
    const { path, made } = await makeWidget(bench)
    const merge = await bench.api.patch(path + dry, 'merge', { spec: { size: 2 } })
    equal(merge.body.spec.size, 2)
    const json = await bench.api.patch(path + dry, 'json', [{ op: 'replace', path: '/spec/size', value: 3 }])
    equal(json.body.spec.size, 3)
    equal(json.body.metadata.resourceVersion, made.metadata.resourceVersion)
    deepEqual((await bench.api.get(path)).body, made)
  },

  'a strategic merge patch is answered as if it was done': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    const { body: made } = await bench.api.post(path, configMap('a', { x: '1' }))
    const { body } = await bench.api.patch(`${path}/a${dry}`, 'strategic', { data: { y: '2' } })
    deepEqual(body.data, { x: '1', y: '2' })
    deepEqual((await bench.api.get(`${path}/a`)).body, made)
  },

  'a patch is validated, and needs its object': async bench => {
    const { path } = await makeWidget(bench)
    equal((await bench.api.patch(path + dry, 'merge', { spec: { size: 1000 } })).status, 422)
    equal((await bench.api.patch(`${path}x${dry}`, 'merge', {})).status, 404)
  },

  'the status is not written': async bench => {
    const { path, made } = await makeWidget(bench)
    const { status, body } = await bench.api.patch(`${path}/status${dry}`, 'merge', { status: { phase: 'Up' } })
    equal(status, 200)
    equal(body.status.phase, 'Up')
    deepEqual((await bench.api.get(path)).body, made)
  },

  'a deletion is answered as if it was done': async bench => {
    const { path, made } = await makeWidget(bench)
    const { status, body } = await bench.api.call('DELETE', path + dry)
    equal(status, 200)
    deepEqual(body, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'a', group, kind: 'widgets', uid: made.metadata.uid },
    })
    deepEqual((await bench.api.get(path)).body, made)
  },

  'a deletion may say so in its body': async bench => {
    const { path, made } = await makeWidget(bench)
    equal((await bench.api.remove(path, { dryRun: ['All'] })).status, 200)
    deepEqual((await bench.api.get(path)).body, made)
  },

  'a deletion with a body does not look at the query': async bench => {
    const { path } = await makeWidget(bench)
    equal((await bench.api.remove(path + dry, {})).status, 200)
    equal((await bench.api.get(path)).status, 404)
  },

  'a deletion checks preconditions': async bench => {
    const { path, made } = await makeWidget(bench)
    const { status, body } = await bench.api.remove(path, { dryRun: ['All'], preconditions: { uid: 'other' } })
    equal(status, 409)
    match(body.message, /the UID in the precondition \(other\) does not match the UID in record \(/)
    deepEqual((await bench.api.get(path)).body, made)
  },

  'a deletion of what is not there is NotFound': async bench => {
    const path = await bench.install(widgets)
    equal((await bench.api.call('DELETE', `${path}/none${dry}`)).status, 404)
  },

  'a deletion that finalizers hold back marks nothing': async bench => {
    const { path, made } = await makeWidget(bench, { finalizers: ['a.test/b'] })
    const { status, body } = await bench.api.call('DELETE', path + dry)
    equal(status, 200)
    equal(body.kind, 'Widget')
    notEqual(body.metadata.deletionTimestamp, undefined)
    deepEqual((await bench.api.get(path)).body, made)
    await bench.api.patch(path, 'merge', { metadata: { finalizers: null } })
  },

  'the removal of the last finalizer removes nothing': async bench => {
    const { path } = await makeWidget(bench, { finalizers: ['a.test/b'] })
    await bench.api.remove(path)
    const { status } = await bench.api.patch(path + dry, 'merge', { metadata: { finalizers: null } })
    equal(status, 200)
    deepEqual((await bench.api.get(path)).body.metadata.finalizers, ['a.test/b'])
    await bench.api.patch(path, 'merge', { metadata: { finalizers: null } })
  },

  'a deletion of all lists what it would delete': async bench => {
    const { path, made } = await makeWidget(bench)
    const { status, body } = await bench.api.call('DELETE', path.replace(/\/a$/, dry))
    equal(status, 200)
    equal(body.kind, 'WidgetList')
    equal(body.items.length, 1)
    deepEqual((await bench.api.get(path)).body, made)
  },

  'a namespace is not deleted': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}`
    const { status, body } = await bench.api.call('DELETE', path + dry)
    equal(status, 200)
    equal(body.status.phase, 'Terminating')
    equal((await bench.api.get(path)).body.status.phase, 'Active')
  },

  'anything but All is refused': async bench => {
    const { path, made } = await makeWidget(bench)
    const message = 'Unsupported value: ["Some"]: supported values: "All"'
    const causes = [{ reason: 'FieldValueNotSupported', message, field: 'dryRun' }]
    const refused = [
      ['CreateOptions', await bench.api.post(path.replace(/\/a$/, '?dryRun=Some'), widget('b'))],
      ['UpdateOptions', await bench.api.put(`${path}?dryRun=Some`, made)],
      ['PatchOptions', await bench.api.patch(`${path}?dryRun=Some`, 'merge', {})],
      ['DeleteOptions', await bench.api.call('DELETE', `${path}?dryRun=Some`)],
      ['DeleteOptions', await bench.api.remove(path, { dryRun: ['Some'] })],
    ] as const
    for (const [kind, { status, body }] of refused) {
      equal(status, 422)
      like(body, { reason: 'Invalid', message: `${kind}.meta.k8s.io "" is invalid: dryRun: ${message}` })
      deepEqual(body.details, { group: 'meta.k8s.io', kind, causes })
    }
    deepEqual((await bench.api.get(path)).body, made)
  },

  'All may be said more than once': async bench => {
    const path = await bench.install(widgets)
    equal((await bench.api.post(`${path}?dryRun=All&dryRun=All`, widget('a'))).status, 201)
    equal((await bench.api.get(`${path}/a`)).status, 404)
  },

  'a dry run tells no watch': async bench => {
    const { path, made } = await makeWidget(bench)
    const whole = path.replace(/\/a$/, '')
    await using watching = await bench.api.watch(`${whole}?watch=true&resourceVersion=${made.metadata.resourceVersion}`)
    await bench.api.post(whole + dry, widget('b'))
    await bench.api.patch(path + dry, 'merge', { spec: { size: 2 } })
    await bench.api.call('DELETE', path + dry)
    await bench.api.post(whole, widget('c'))
    deepEqual(await watching.names(1), ['ADDED c'])
  },
})
