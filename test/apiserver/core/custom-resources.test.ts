import test from 'ava'
import {
  definitions,
  fieldsOf,
  namesOf,
  startServer,
  startWithThings,
  thing,
  thingDefinition,
  things,
  thingVersion,
} from './harness.ts'

test('a definition is established at once and its kind is served', async t => {
  const { post, get } = await startServer()
  t.is((await get(things)).status, 404)
  const { status, body } = await post(definitions, thingDefinition())
  t.is(status, 201)
  t.deepEqual(
    body.status.conditions.map(
      (condition: { type: string; status: string }) => `${condition.type} ${condition.status}`,
    ),
    ['NamesAccepted True', 'Established True'],
  )
  t.like(body.spec.names, { singular: 'thing', listKind: 'ThingList' })
  t.deepEqual(body.status.storedVersions, ['v1'])
  t.deepEqual(namesOf(await get(things)), [])
})

test('objects are completed, pruned and validated by their schema', async t => {
  const { post } = await startWithThings()
  const { body } = await post(things, thing('a', { size: 1, other: true }))
  t.deepEqual(body.spec, { size: 1, mode: 'Fast' })
  const refused = await post(things, thing('b', { size: 0, mode: 3 }))
  t.is(refused.status, 422)
  t.is(refused.body.reason, 'Invalid')
  t.deepEqual(fieldsOf(refused).toSorted(), ['<nil>', 'spec.mode', 'spec.size'], 'and that rules were not checked')
  t.true(fieldsOf(await post(things, thing('c', {}))).includes('spec.size'))
})

test('rules see the object before the change', async t => {
  const { post, merge } = await startWithThings()
  await post(things, thing('a', { size: 5 }))
  t.is((await merge(`${things}/a`, { spec: { size: 6 } })).status, 200)
  const refused = await merge(`${things}/a`, { spec: { size: 4 } })
  t.is(refused.status, 422)
  t.true(refused.body.message.endsWith('size cannot shrink'))
})

const version = thingVersion('v1', true)

for (const [name, changes, field] of [
  ['a scope that is none', { scope: 'Global' }, 'spec.scope'],
  ['a name that does not fit', { names: { plural: 'stuff', kind: 'Thing' } }, 'metadata.name'],
  ['no version', { versions: [] }, 'spec.versions'],
  ['no storage version', { versions: [{ ...version, storage: false }] }, 'spec.versions'],
  ['two storage versions', { versions: [version, thingVersion('v2', true)] }, 'spec.versions'],
  ['no schema', { versions: [{ name: 'v1', served: true, storage: true }] }, 'spec.versions[0].schema.openAPIV3Schema'],
  ['a webhook for conversion', { conversion: { strategy: 'Webhook' } }, 'spec.conversion.strategy'],
  ['preserveUnknownFields', { preserveUnknownFields: true }, 'spec.preserveUnknownFields'],
] as const) {
  test(`a definition with ${name} is refused`, async t => {
    const { post } = await startServer()
    const refused = await post(definitions, thingDefinition(changes))
    t.is(refused.status, 422)
    t.true(fieldsOf(refused).includes(field), JSON.stringify(fieldsOf(refused)))
  })
}

test('a definition with a rule that does not compile is refused with its field', async t => {
  const { post } = await startServer()
  const schema = {
    type: 'object',
    properties: { spec: { type: 'object', 'x-kubernetes-validations': [{ rule: 'self. >' }] } },
  }
  const refused = await post(
    definitions,
    thingDefinition({ versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }] }),
  )
  t.is(refused.status, 422)
  t.true(fieldsOf(refused)[0]?.startsWith('spec.validation.openAPIV3Schema.properties[spec]'))
})

test('scope and kind of an established definition are fixed', async t => {
  const { get, put } = await startWithThings()
  const { body } = await get(`${definitions}/things.example.dev`)
  const refused = await put(`${definitions}/things.example.dev`, { ...body, spec: { ...body.spec, scope: 'Cluster' } })
  t.deepEqual(fieldsOf(refused), ['spec.scope'])
})

test('a changed schema holds from the next request on', async t => {
  const { get, put, post } = await startWithThings()
  const { body } = await get(`${definitions}/things.example.dev`)
  const { schema, ...rest } = thingVersion('v1', true)
  const openAPIV3Schema = {
    type: 'object',
    properties: { spec: { type: 'object', properties: { width: { type: 'integer', maximum: 3 } } } },
  }
  const changed = {
    ...body,
    spec: { ...body.spec, versions: [{ ...rest, selectableFields: [], schema: { openAPIV3Schema } }] },
  }
  t.is((await put(`${definitions}/things.example.dev`, changed)).status, 200)
  t.deepEqual((await post(things, thing('a', { size: 1, width: 2 }))).body.spec, { width: 2 })
  t.is((await post(things, thing('b', { width: 4 }))).status, 422)
})

test('versions share their objects; only apiVersion differs', async t => {
  const { post, get, merge, watch, settle } = await startServer()
  const versions = [thingVersion('v1', false), thingVersion('v2', true)]
  await post(definitions, thingDefinition({ versions }))
  const second = things.replace('v1', 'v2')
  const events = await watch(`${second}?watch=true`)
  const { body } = await post(things, thing('a', { size: 2 }))
  t.is(body.apiVersion, 'example.dev/v1')
  const other = await get(`${second}/a`)
  t.is(other.body.apiVersion, 'example.dev/v2')
  t.is(other.body.metadata.uid, body.metadata.uid)
  t.is((await merge(`${second}/a`, { spec: { size: 3 } })).body.apiVersion, 'example.dev/v2')
  t.is((await get(`${things}/a`)).body.spec.size, 3)
  await settle()
  t.deepEqual(
    events.take().map(event => event.object.apiVersion),
    ['example.dev/v2', 'example.dev/v2'],
  )
})

test('a version that is not served is not found', async t => {
  const { post, get } = await startServer()
  const versions = [{ ...thingVersion('v1', false), served: false }, thingVersion('v2', true)]
  await post(definitions, thingDefinition({ versions }))
  t.is((await get(things)).status, 404)
  t.is((await get(things.replace('v1', 'v2'))).status, 200)
})

test('a definition goes with its objects, after their finalizers', async t => {
  const { post, remove, get, merge, settle } = await startWithThings()
  await post(things, thing('a'))
  await post(things, thing('held', { size: 1 }, { finalizers: ['x.dev/one'] }))
  const { body } = await remove(`${definitions}/things.example.dev`)
  t.true(body.status.conditions.some((each: { type: string }) => each.type === 'Terminating'))
  await settle()
  t.deepEqual(namesOf(await get(things)), ['held'])
  t.is((await post(things, thing('new'))).status, 403)
  await merge(`${things}/held`, { metadata: { finalizers: null } })
  await settle()
  t.is((await get(`${definitions}/things.example.dev`)).status, 404)
  t.is((await get(things)).status, 404)
})

test('names belong to the first definition of a group, and pass on when it goes', async t => {
  const { post, get, remove, settle } = await startWithThings()
  const rival = thingDefinition({ names: { plural: 'objects', kind: 'Thing', listKind: 'ObjectList' } })
  const { body } = await post(definitions, { ...rival, metadata: { name: 'objects.example.dev' } })
  t.like(body.status.conditions[0], { type: 'NamesAccepted', status: 'False', reason: 'KindConflict' })
  const objects = things.replace(/things$/, 'objects')
  t.is((await get(objects)).status, 404)
  await remove(`${definitions}/things.example.dev`)
  await settle()
  t.is((await get(objects)).status, 200)
})

test('a cluster-scoped kind has no namespace', async t => {
  const { post, get } = await startServer()
  await post(definitions, thingDefinition({ scope: 'Cluster' }))
  const path = '/apis/example.dev/v1/things'
  t.is((await post(path, thing('a'))).status, 201)
  t.is((await get(`${path}/a`)).body.metadata.namespace, undefined)
  t.is((await get(things)).status, 404)
  t.is((await post(path, thing('b', { size: 1 }, { namespace: 'default' }))).status, 422)
})

test('users of a deprecated version are warned', async t => {
  const { post, get } = await startServer()
  const old = { ...thingVersion('v1beta1', false), deprecated: true }
  await post(definitions, thingDefinition({ versions: [old, thingVersion('v1', true)] }))
  t.is((await get(things.replace('v1', 'v1beta1'))).headers.warning, '299 - "example.dev/v1beta1 Thing is deprecated"')
  t.is((await get(things)).headers.warning, undefined)
})
