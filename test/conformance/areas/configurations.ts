import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import type { Bench } from '../case.ts'
import { area } from '../case.ts'
import { configMap, group, widget, widgets } from '../definitions.ts'

/** How an apply fails whose configuration is not what the schema says. */
async function refusal(bench: Bench, configuration: object, query = ''): Promise<string> {
  const path = await bench.install(widgets)
  const { status, body } = await bench.api.apply(`${path}/a`, configuration, { query })
  equal(status, 500)
  equal(body.reason, undefined)
  const start = `failed to create typed patch object (/a; ${group}/v1, Kind=Widget): `
  ok(body.message.startsWith(start), body.message)
  equal((await bench.api.get(`${path}/a`)).status, 404)
  return body.message.slice(start.length)
}

const record = 'kubectl.kubernetes.io/last-applied-configuration'

/** Makes a ConfigMap as kubectl's client-side apply does. */
async function clientSide(bench: Bench, data: Readonly<Record<string, string>>): Promise<string> {
  const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
  const annotations = { [record]: `${JSON.stringify(configMap('a', data))}\n` }
  const manager = 'kubectl-client-side-apply'
  equal((await bench.api.post(`${path}?fieldManager=${manager}`, configMap('a', data, { annotations }))).status, 201)
  return `${path}/a`
}

export const configurations = area('configurations', {
  'a field that the schema does not have cannot be applied': async bench => {
    const configuration = widget('a', { colour: 'red' })
    equal(await refusal(bench, configuration), '.spec.colour: field not declared in schema')
    equal(await refusal(bench, configuration, 'fieldValidation=Ignore'), '.spec.colour: field not declared in schema')
  },

  'a field of a wrong type cannot be applied': async bench => {
    equal(await refusal(bench, widget('a', { size: 'x' })), '.spec.size: expected numeric (int or float), got string')
    match(await refusal(bench, widget('a', { color: 1 })), /^\.spec\.color: expected string, got /)
    match(await refusal(bench, widget('a', { steps: 'x' })), /^\.spec\.steps: expected list, got /)
    match(await refusal(bench, widget('a', { sealed: 'x' })), /^\.spec\.sealed: expected map, got /)
  },

  'a field of an item of a wrong type cannot be applied': async bench => {
    const message = await refusal(bench, widget('a', { parts: [{ name: 'p', weight: 'x' }] }))
    equal(message, '.spec.parts[name="p"].weight: expected numeric (int or float), got string')
  },

  'two items with the same key cannot be applied': async bench => {
    const message = await refusal(bench, widget('a', { parts: [{ name: 'p' }, { name: 'p' }] }))
    equal(message, '.spec.parts: duplicate entries for key [name="p"]')
  },

  'a set with the same value twice cannot be applied': async bench => {
    const message = await refusal(bench, widget('a', { tags: ['x', 'x'] }))
    equal(message, '.spec.tags: duplicate entries for key [="x"]')
  },

  'an item without its key cannot be applied': async bench => {
    const message = await refusal(bench, widget('a', { parts: [{ weight: 1 }] }))
    match(
      message,
      /^\.spec\.parts: element 0: associative list with keys has an element that omits all key fields \["name"\]/,
    )
  },

  'labels that are no texts cannot be applied': async bench => {
    const message = await refusal(bench, widget('a', {}, { labels: { l: 1 } }))
    match(message, /^\.metadata\.labels\.l: expected string, got /)
  },

  'a field that a built-in kind does not have cannot be applied': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps/a`
    const { status, body } = await bench.api.apply(path, { ...configMap('a'), extra: 1 })
    equal(status, 500)
    equal(
      body.message,
      'failed to create typed patch object (/a; /v1, Kind=ConfigMap): .extra: field not declared in schema',
    )
  },

  "kubectl's server-side apply takes over what its client-side apply has set": async bench => {
    const path = await clientSide(bench, { x: '1', y: '2' })
    const { status, body } = await bench.api.apply(path, configMap('a', { x: '1', y: '3' }), { manager: 'kubectl' })
    equal(status, 200)
    deepEqual(body.data, { x: '1', y: '3' })
    const [entry] = body.metadata.managedFields
    deepEqual([entry.manager, entry.operation], ['kubectl', 'Apply'])
    deepEqual(entry.fieldsV1, { 'f:data': { 'f:x': {}, 'f:y': {} } })
  },

  "kubectl's server-side apply does not take over what somebody has changed since its client-side apply":
    async bench => {
      const path = await clientSide(bench, { x: '1' })
      await bench.api.patch(`${path}?fieldManager=editor`, 'merge', { data: { x: '5' } })
      const { status, body } = await bench.api.apply(path, configMap('a', { x: '2' }), { manager: 'kubectl' })
      equal(status, 409)
      equal(body.message, 'Apply failed with 1 conflict: conflict with "editor" using v1: .data.x')
    },

  'nobody but kubectl takes over what a client-side apply has set': async bench => {
    const path = await clientSide(bench, { x: '1' })
    const { status, body } = await bench.api.apply(path, configMap('a', { x: '2' }), { manager: 'flux' })
    equal(status, 409)
    equal(body.message, 'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.x')
  },

  "kubectl's server-side apply keeps the record of its client-side apply": async bench => {
    const path = await clientSide(bench, { x: '1' })
    const { body } = await bench.api.apply(path, configMap('a', { x: '2', z: '3' }), { manager: 'kubectl' })
    equal(
      body.metadata.annotations[record],
      '{"apiVersion":"v1","data":{"x":"2","z":"3"},"kind":"ConfigMap","metadata":{"name":"a"}}\n',
    )
  },

  "the server-side apply of others leaves kubectl's record alone": async bench => {
    const path = await clientSide(bench, { x: '1' })
    const { body: before } = await bench.api.get(path)
    const { body } = await bench.api.apply(path, configMap('a', { x: '2' }), { manager: 'flux', force: true })
    equal(body.metadata.annotations[record], before.metadata.annotations[record])
  },

  'what kubectl took over and leaves out stays while its client-side apply still owns it': async bench => {
    const path = await clientSide(bench, { x: '1', y: '2' })
    await bench.api.apply(path, configMap('a', { x: '1', y: '2' }), { manager: 'kubectl' })
    const { status, body } = await bench.api.apply(path, configMap('a', { x: '1' }), { manager: 'kubectl' })
    equal(status, 200)
    deepEqual(body.data, { x: '1', y: '2' })
  },

  'the first apply to an object without managers leaves all else to whoever was before it': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', { size: 1, color: 'red' }))
    await bench.api.patch(`${path}/a`, 'merge', { metadata: { managedFields: [{}] } })
    const { status, body } = await bench.api.apply(`${path}/a`, widget('a', { size: 1 }))
    equal(status, 200)
    const managers = body.metadata.managedFields.map(
      ({ manager, operation }: { manager: string; operation: string }) => `${manager} ${operation}`,
    )
    deepEqual(managers.toSorted(), ['applier Apply', 'before-first-apply Update'])
  },

  'a null that the schema does not allow cannot be applied': async bench => {
    const path = await bench.install(widgets)
    const text = await bench.api.apply(`${path}/a`, widget('a', { color: null }))
    equal(text.status, 422)
    deepEqual(text.body.details.causes, [
      {
        reason: 'FieldValueTypeInvalid',
        message: 'Invalid value: "null": spec.color in body must be of type string: "null"',
        field: 'spec.color',
      },
    ])
    equal((await bench.api.apply(`${path}/a`, widget('a', { labels: { a: null } }))).status, 422)
  },

  'a default takes the place of a null that is applied': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.apply(`${path}/a`, widget('a', { mode: null }))
    equal(status, 201)
    equal(body.spec.mode, 'Safe')
    deepEqual(body.metadata.managedFields[0].fieldsV1['f:spec'], { 'f:mode': {} })
  },

  'a dry run of an apply tells of conflicts, and changes nothing': async bench => {
    const path = await bench.install(widgets)
    await bench.api.apply(`${path}/a`, widget('a', { size: 1 }), { manager: 'one' })
    const { body: before } = await bench.api.get(`${path}/a`)
    const options = { manager: 'two', query: 'dryRun=All' }
    equal((await bench.api.apply(`${path}/a`, widget('a', { size: 2 }), options)).status, 409)
    const forced = await bench.api.apply(`${path}/a`, widget('a', { size: 2 }), { ...options, force: true })
    equal(forced.status, 200)
    equal(forced.body.spec.size, 2)
    deepEqual((await bench.api.get(`${path}/a`)).body, before)
  },

  'a dry run of an apply makes nothing': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.apply(`${path}/a`, widget('a', { size: 1 }), { query: 'dryRun=All' })
    equal(status, 201)
    equal(body.metadata.resourceVersion, undefined)
    notEqual(body.metadata.uid, undefined)
    equal((await bench.api.get(`${path}/a`)).status, 404)
  },
})
