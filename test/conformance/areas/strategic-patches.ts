import { deepEqual, equal, match, ok } from 'node:assert/strict'
import type { Bench } from '../case.ts'
import { area, like } from '../case.ts'
import { configMap } from '../definitions.ts'

/** Makes a service account with two secrets; they merge by their name. */
async function makeAccount(bench: Bench, metadata: object = {}): Promise<string> {
  const path = `/api/v1/namespaces/${await bench.namespace()}/serviceaccounts`
  const secrets = [{ name: 'one' }, { name: 'two' }]
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a', ...metadata }, secrets }
  const { status } = await bench.api.post(path, { ...account, imagePullSecrets: [{ name: 'one' }, { name: 'two' }] })
  equal(status, 201)
  return `${path}/a`
}

async function makeConfigMap(bench: Bench, data: Readonly<Record<string, string>>): Promise<string> {
  const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
  equal((await bench.api.post(path, configMap('a', data, { labels: { l: '1' } }))).status, 201)
  return `${path}/a`
}

/** The names of the account's secrets after patches. */
async function secretsAfter(bench: Bench, ...patches: readonly object[]): Promise<readonly string[]> {
  const path = await makeAccount(bench)
  for (const patch of patches) equal((await bench.api.patch(path, 'strategic', patch)).status, 200)
  return (await bench.api.get(path)).body.secrets.map(({ name }: { name: string }) => name)
}

/** Makes a ConfigMap, as an owner of others. */
async function makeOwner(bench: Bench, name: string): Promise<object> {
  const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
  const { body } = await bench.api.post(path, configMap(name))
  return { apiVersion: 'v1', kind: 'ConfigMap', name, uid: body.metadata.uid }
}

export const strategicPatches = area('strategic patches', {
  'a strategic merge patch sets, adds and removes members': async bench => {
    const path = await makeConfigMap(bench, { x: '1', y: '2' })
    const { status, body } = await bench.api.patch(path, 'strategic', { data: { x: null, z: '3' } })
    equal(status, 200)
    deepEqual(body.data, { y: '2', z: '3' })
    deepEqual(body.metadata.labels, { l: '1' })
  },

  'a map that a strategic merge patch sets to null goes': async bench => {
    const path = await makeConfigMap(bench, { x: '1' })
    const { body } = await bench.api.patch(path, 'strategic', { data: null })
    equal(body.data, undefined)
  },

  '$patch: replace replaces a map': async bench => {
    const path = await makeConfigMap(bench, { x: '1' })
    const { body } = await bench.api.patch(path, 'strategic', { data: { $patch: 'replace', y: '2' } })
    deepEqual(body.data, { y: '2' })
  },

  '$patch: delete removes a map': async bench => {
    const path = await makeConfigMap(bench, { x: '1' })
    const { status, body } = await bench.api.patch(path, 'strategic', { metadata: { labels: { $patch: 'delete' } } })
    equal(status, 200)
    equal(body.metadata.labels, undefined)
    deepEqual(body.data, { x: '1' })
  },

  '$patch: replace replaces the whole object': async bench => {
    const path = await makeConfigMap(bench, { x: '1' })
    const patch = { $patch: 'replace', metadata: { name: 'a' }, data: { y: '2' } }
    const { status, body } = await bench.api.patch(path, 'strategic', patch)
    equal(status, 200)
    deepEqual(body.data, { y: '2' })
    equal(body.metadata.labels, undefined)
  },

  '$patch: delete of the whole object leaves no name': async bench => {
    const path = await makeConfigMap(bench, { x: '1' })
    const { status, body } = await bench.api.patch(path, 'strategic', { $patch: 'delete' })
    equal(status, 400)
    equal(body.message, 'the name of the object (a based on URL) was undeterminable: name must be provided')
  },

  'items of a list with a merge key are added before those that are there': async bench => {
    deepEqual(await secretsAfter(bench, { secrets: [{ name: 'new' }] }), ['new', 'one', 'two'])
  },

  'items of a list with a merge key that are there already stay where they are': async bench => {
    deepEqual(await secretsAfter(bench, { secrets: [{ name: 'two' }] }), ['one', 'two'])
  },

  '$patch: delete removes an item by its merge key': async bench => {
    deepEqual(await secretsAfter(bench, { secrets: [{ name: 'one', $patch: 'delete' }] }), ['two'])
  },

  '$patch: delete of an item that is not there changes nothing': async bench => {
    deepEqual(await secretsAfter(bench, { secrets: [{ name: 'none', $patch: 'delete' }] }), ['one', 'two'])
  },

  '$patch: replace in a list replaces all of its items': async bench => {
    deepEqual(await secretsAfter(bench, { secrets: [{ $patch: 'replace' }, { name: 'new' }] }), ['new'])
  },

  '$setElementOrder orders what it names': async bench => {
    const order = [{ name: 'two' }, { name: 'new' }, { name: 'one' }]
    const patch = { '$setElementOrder/secrets': order, secrets: [{ name: 'new' }] }
    deepEqual(await secretsAfter(bench, patch), ['two', 'new', 'one'])
  },

  '$setElementOrder may come without items': async bench => {
    const patch = { '$setElementOrder/secrets': [{ name: 'two' }, { name: 'one' }] }
    deepEqual(await secretsAfter(bench, patch), ['two', 'one'])
  },

  'items that $setElementOrder does not name keep their place among the others': async bench => {
    const more = {
      '$setElementOrder/secrets': [{ name: 'one' }, { name: 'two' }, { name: 'x' }],
      secrets: [{ name: 'x' }],
    }
    const patch = { '$setElementOrder/secrets': [{ name: 'x' }, { name: 'one' }] }
    deepEqual(await secretsAfter(bench, more, patch), ['two', 'x', 'one'])
  },

  'items that $setElementOrder does not name cannot be put in': async bench => {
    const path = await makeAccount(bench)
    const patch = { '$setElementOrder/secrets': [{ name: 'one' }], secrets: [{ name: 'new' }] }
    const { status, body } = await bench.api.patch(path, 'strategic', patch)
    equal(status, 500)
    match(body.message, /^The order in patch list:\n.*\n doesn't match \$setElementOrder list:\n/)
  },

  'items without the merge key are refused': async bench => {
    const path = await makeAccount(bench)
    const { status, body } = await bench.api.patch(path, 'strategic', { secrets: [{ namespace: 'x' }] })
    equal(status, 500)
    match(body.message, /^map: .* does not contain declared merge key: name$/)
  },

  'a list without a merge key is replaced': async bench => {
    const path = await makeAccount(bench)
    const { body } = await bench.api.patch(path, 'strategic', { imagePullSecrets: [{ name: 'new' }] })
    deepEqual(body.imagePullSecrets, [{ name: 'new' }])
  },

  'owners merge by their uid': async bench => {
    const [one, two] = [await makeOwner(bench, 'one'), await makeOwner(bench, 'two')]
    const path = await makeAccount(bench, { ownerReferences: [one] })
    const patch = { metadata: { ownerReferences: [two, { ...one, controller: true }] } }
    const { status, body } = await bench.api.patch(path, 'strategic', patch)
    equal(status, 200)
    deepEqual(body.metadata.ownerReferences, [two, { ...one, controller: true }])
  },

  'finalizers are added, and those that are there stay': async bench => {
    const path = await makeAccount(bench, { finalizers: ['a.test/one'] })
    const { body } = await bench.api.patch(`${path}?dryRun=All`, 'strategic', {
      metadata: { finalizers: ['a.test/two'] },
    })
    deepEqual(body.metadata.finalizers, ['a.test/two', 'a.test/one'])
    await bench.api.patch(path, 'merge', { metadata: { finalizers: null } })
  },

  '$deleteFromPrimitiveList removes finalizers': async bench => {
    const path = await makeAccount(bench, { finalizers: ['a.test/one', 'a.test/two'] })
    const patch = { metadata: { '$deleteFromPrimitiveList/finalizers': ['a.test/one'] } }
    const { body } = await bench.api.patch(path, 'strategic', patch)
    deepEqual(body.metadata.finalizers, ['a.test/two'])
    await bench.api.patch(path, 'merge', { metadata: { finalizers: null } })
  },

  'conditions of a namespace merge by their type': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/status`
    const condition = (type: string, status: string) => ({
      type,
      status,
      reason: 'Made',
      message: 'x',
      lastTransitionTime: '2020-01-01T00:00:00Z',
    })
    await bench.api.patch(path, 'strategic', { status: { conditions: [condition('One', 'True')] } })
    await bench.api.patch(path, 'strategic', { status: { conditions: [condition('Two', 'True')] } })
    const patch = { status: { conditions: [{ type: 'One', status: 'False' }] } }
    const { status, body } = await bench.api.patch(path, 'strategic', patch)
    equal(status, 200)
    deepEqual(body.status.conditions, [condition('Two', 'True'), condition('One', 'False')])
  },

  'a strategic merge patch does not change what the object is': async bench => {
    const path = await makeConfigMap(bench, { x: '1' })
    const { status, body } = await bench.api.patch(path, 'strategic', { kind: 'Secret', apiVersion: 'v2' })
    equal(status, 200)
    like(body, { kind: 'ConfigMap', apiVersion: 'v1', data: { x: '1' } })
  },

  'a strategic merge patch that is no object is refused': async bench => {
    const path = await makeConfigMap(bench, { x: '1' })
    const { status, body } = await bench.api.patch(path, 'strategic', '[]')
    equal(status, 400)
    match(body.message, /json: cannot unmarshal .*into Go value of type map/)
  },

  'a strategic merge patch of what is not there is NotFound': async bench => {
    const path = await makeConfigMap(bench, {})
    const { status, body } = await bench.api.patch(path.replace(/a$/, 'none'), 'strategic', { data: { x: '1' } })
    equal(status, 404)
    like(body, { message: 'configmaps "none" not found', details: { name: 'none', kind: 'configmaps' } })
  },

  'a strategic merge patch that changes nothing writes nothing': async bench => {
    const path = await makeConfigMap(bench, { x: '1' })
    const { body: before } = await bench.api.get(path)
    deepEqual((await bench.api.patch(path, 'strategic', { data: { x: '1' } })).body, before)
    deepEqual((await bench.api.patch(path, 'strategic', {})).body, before)
  },

  'a strategic merge patch with an old resource version is a conflict': async bench => {
    const path = await makeConfigMap(bench, { x: '1' })
    const { resourceVersion } = (await bench.api.get(path)).body.metadata
    await bench.api.patch(path, 'strategic', { data: { x: '2' } })
    const { status } = await bench.api.patch(path, 'strategic', { metadata: { resourceVersion }, data: { x: '3' } })
    equal(status, 409)
  },

  'a strategic merge patch that removes the resource version changes the object whatever its version': async bench => {
    const path = await makeConfigMap(bench, { x: '1' })
    const { status, body } = await bench.api.patch(path, 'strategic', {
      metadata: { resourceVersion: null },
      data: { x: '2' },
    })
    equal(status, 200)
    deepEqual(body.data, { x: '2' })
  },

  'a strategic merge patch cannot change the name': async bench => {
    const path = await makeConfigMap(bench, {})
    const { status, body } = await bench.api.patch(path, 'strategic', { metadata: { name: 'b' } })
    equal(status, 400)
    equal(body.message, 'the name of the object (b) does not match the name on the URL (a)')
  },

  'a strategic merge patch that adds an unknown field is warned about': async bench => {
    const path = await makeConfigMap(bench, {})
    const { status, headers } = await bench.api.patch(path, 'strategic', { extra: 1 })
    equal(status, 200)
    equal(headers.warning, '299 - "unknown field \\"extra\\""')
  },

  'a strategic merge patch that adds an unknown field is invalid where fields are validated strictly': async bench => {
    const path = await makeConfigMap(bench, {})
    const { status, body } = await bench.api.patch(`${path}?fieldValidation=Strict`, 'strategic', { extra: 1 })
    equal(status, 422)
    like(body.details, { causes: [{ reason: 'FieldValueInvalid', field: 'patch' }] })
    match(body.message, /: strict decoding error: unknown field "extra"$/)
  },

  'a strategic merge patch to a value of a wrong type is invalid': async bench => {
    const path = await makeConfigMap(bench, {})
    const { status, body } = await bench.api.patch(path, 'strategic', { data: { x: 1 } })
    equal(status, 422)
    like(body, { reason: 'Invalid', details: { causes: [{ reason: 'FieldValueInvalid', field: 'patch' }] } })
  },

  'a merge patch of a built-in object to a value of a wrong type is invalid': async bench => {
    const path = await makeConfigMap(bench, {})
    const { status, body } = await bench.api.patch(path, 'merge', { data: { x: 1 } })
    equal(status, 422)
    like(body, { reason: 'Invalid', details: { causes: [{ reason: 'FieldValueInvalid', field: 'patch' }] } })
    match(body.message, /json: cannot unmarshal number into Go struct field ConfigMap\.data of type string$/)
  },

  'a built-in object with a value of a wrong type cannot be created': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    const { status, body } = await bench.api.post(path, { ...configMap('a'), data: { x: 1 } })
    equal(status, 400)
    like(body, {
      reason: 'BadRequest',
      message:
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    })
  },

  'data of an immutable ConfigMap cannot be patched': async bench => {
    const path = await makeConfigMap(bench, { x: '1' })
    ok((await bench.api.patch(path, 'strategic', { immutable: true })).body.immutable)
    const message = 'Forbidden: field is immutable when `immutable` is set'
    const data = await bench.api.patch(path, 'strategic', { data: { x: '2' } })
    equal(data.status, 422)
    like(data.body.details.causes, [{ reason: 'FieldValueForbidden', field: 'data', message }])
    const flag = await bench.api.patch(path, 'strategic', { immutable: null })
    equal(flag.status, 422)
    like(flag.body.details.causes, [{ reason: 'FieldValueForbidden', field: 'immutable', message }])
  },
})
