import test from 'ava'
import type { JSONObject } from '../../../apiserver/api-object.ts'
import { configMap, configMaps, fieldsOf, namesOf, startServer, startWithThings, thing, things } from './harness.ts'

interface Owner {
  readonly body: {
    readonly apiVersion: string
    readonly kind: string
    readonly metadata: { name: string; uid: string }
  }
}

function ownedBy({ body }: Owner, more: JSONObject = {}): JSONObject {
  const { apiVersion, kind, metadata } = body
  return { ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid, ...more }] }
}

test('a deletion answers with a Status that names what is gone', async t => {
  const { post, remove, get } = await startWithThings()
  const { body } = await post(things, thing('a'))
  const { status, body: answer } = await remove(`${things}/a`)
  t.is(status, 200)
  t.like(answer, {
    kind: 'Status',
    status: 'Success',
    details: { name: 'a', group: 'example.dev', kind: 'things', uid: body.metadata.uid },
  })
  t.is((await get(`${things}/a`)).status, 404)
  t.is((await remove(`${things}/a`)).status, 404)
})

test('finalizers hold the object back, marked, until the last is gone', async t => {
  const { post, remove, get, merge } = await startWithThings()
  await post(things, thing('a', { size: 1 }, { finalizers: ['x.dev/one', 'x.dev/two'] }))
  const { status, body } = await remove(`${things}/a`)
  t.is(status, 200)
  t.is(body.kind, 'Thing')
  t.is(body.metadata.deletionTimestamp, '2026-01-01T00:00:00Z')
  t.is(body.metadata.deletionGracePeriodSeconds, 0)
  t.is(body.metadata.generation, 2)
  const again = await remove(`${things}/a`)
  t.is(again.body.metadata.resourceVersion, body.metadata.resourceVersion)
  t.is((await merge(`${things}/a`, { metadata: { finalizers: ['x.dev/two'] } })).status, 200)
  t.is((await get(`${things}/a`)).status, 200)
  t.is((await merge(`${things}/a`, { metadata: { finalizers: null } })).status, 200)
  t.is((await get(`${things}/a`)).status, 404)
})

test('an object that is being deleted takes no new finalizers, but takes changes', async t => {
  const { post, remove, merge } = await startWithThings()
  await post(things, thing('a', { size: 1 }, { finalizers: ['x.dev/one'] }))
  await remove(`${things}/a`)
  const refused = await merge(`${things}/a`, { metadata: { finalizers: ['x.dev/one', 'x.dev/two'] } })
  t.is(refused.status, 422)
  t.deepEqual(fieldsOf(refused), ['metadata.finalizers'])
  t.is((await merge(`${things}/a/status`, { status: { ready: false } })).status, 200)
})

test('a deletion can demand a uid and a version', async t => {
  const { post, remove } = await startServer()
  const { body } = await post(configMaps, configMap('a'))
  const { uid, resourceVersion } = body.metadata
  const other = await remove(`${configMaps}/a`, { preconditions: { uid: 'other' } })
  t.is(other.status, 409)
  t.true(other.body.message.includes('the UID in the precondition (other)'))
  t.is((await remove(`${configMaps}/a`, { preconditions: { uid, resourceVersion: '1' } })).status, 409)
  t.is((await remove(`${configMaps}/a`, { preconditions: { uid, resourceVersion } })).status, 200)
})

test('a collection is deleted by selector', async t => {
  const { post, remove, get } = await startServer()
  await post(configMaps, configMap('a', {}, { labels: { app: 'web' } }))
  await post(configMaps, configMap('b', {}, { labels: { app: 'web' }, finalizers: ['x.dev/one'] }))
  await post(configMaps, configMap('c'))
  const { status, body } = await remove(`${configMaps}?labelSelector=app%3Dweb`)
  t.is(status, 200)
  t.is(body.items.length, 2)
  t.deepEqual(namesOf(await get(configMaps)), ['b', 'c'])
})

test('dependents are deleted after their owner', async t => {
  const { post, remove, get, settle } = await startWithThings()
  const owner = await post(things, thing('owner'))
  const child = await post(things, thing('child', { size: 1 }, ownedBy(owner)))
  await post(configMaps, configMap('grandchild', {}, ownedBy(child)))
  await remove(`${things}/owner`)
  await settle()
  t.deepEqual(namesOf(await get(things)), [])
  t.deepEqual(namesOf(await get(configMaps)), [])
})

test('a dependent with another owner stays and loses the reference only', async t => {
  const { post, remove, get, settle } = await startWithThings()
  const one = await post(things, thing('one'))
  const two = await post(things, thing('two'))
  const ownerReferences = [ownedBy(one), ownedBy(two)].flatMap(owned => owned.ownerReferences)
  await post(configMaps, configMap('shared', {}, { ownerReferences }))
  await remove(`${things}/one`)
  await settle()
  const { body } = await get(`${configMaps}/shared`)
  t.deepEqual(
    body.metadata.ownerReferences.map((owner: { name: string }) => owner.name),
    ['two'],
  )
})

test('an object whose owner is already gone, or is another of the name, is deleted', async t => {
  const { post, get, settle } = await startWithThings()
  const { body } = await post(things, thing('owner'))
  await post(
    configMaps,
    configMap('absent', {}, ownedBy({ body: { ...body, metadata: { name: 'never', uid: 'u1' } } })),
  )
  await post(
    configMaps,
    configMap('replaced', {}, ownedBy({ body: { ...body, metadata: { name: 'owner', uid: 'u2' } } })),
  )
  await settle()
  t.deepEqual(namesOf(await get(configMaps)), [])
})

test('an object whose owner is of a kind that nobody serves stays', async t => {
  const { post, get, settle } = await startServer()
  const ownerReferences = [{ apiVersion: 'gone.dev/v1', kind: 'Gone', name: 'x', uid: 'u' }]
  await post(configMaps, configMap('a', {}, { ownerReferences }))
  await settle()
  t.deepEqual(namesOf(await get(configMaps)), ['a'])
})

test('a foreground deletion waits for the dependents that block it', async t => {
  const { post, remove, get, merge, settle } = await startWithThings()
  const owner = await post(things, thing('owner'))
  const blocking = { ...ownedBy(owner, { blockOwnerDeletion: true }), finalizers: ['x.dev/one'] }
  await post(configMaps, configMap('blocking', {}, blocking))
  await post(configMaps, configMap('other', {}, ownedBy(owner)))
  const { body } = await remove(`${things}/owner`, { propagationPolicy: 'Foreground' })
  t.deepEqual(body.metadata.finalizers, ['foregroundDeletion'])
  await settle()
  t.is((await get(`${things}/owner`)).status, 200)
  t.deepEqual(namesOf(await get(configMaps)), ['blocking'])
  await merge(`${configMaps}/blocking`, { metadata: { finalizers: null } })
  await settle()
  t.is((await get(`${things}/owner`)).status, 404)
})

test('an orphaning deletion lets the dependents go free', async t => {
  const { post, remove, get, settle } = await startWithThings()
  const owner = await post(things, thing('owner'))
  await post(configMaps, configMap('a', {}, ownedBy(owner)))
  await remove(`${things}/owner`, { propagationPolicy: 'Orphan' })
  await settle()
  t.is((await get(`${things}/owner`)).status, 404)
  t.is((await get(`${configMaps}/a`)).body.metadata.ownerReferences, undefined)
})

test('an unknown propagation policy is refused', async t => {
  const { post, remove } = await startServer()
  await post(configMaps, configMap('a'))
  t.is((await remove(`${configMaps}/a`, { propagationPolicy: 'Sideways' })).status, 422)
})

const namespaces = '/api/v1/namespaces'
const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

test('a namespace begins Active, with the finalizer kubernetes and its name as a label', async t => {
  const { post } = await startServer()
  const { body } = await post(namespaces, namespace('team'))
  t.deepEqual(body.spec, { finalizers: ['kubernetes'] })
  t.deepEqual(body.status, { phase: 'Active' })
  t.deepEqual(body.metadata.labels, { 'kubernetes.io/metadata.name': 'team' })
})

test('the namespaces of the system exist and stay', async t => {
  const { get, remove } = await startServer()
  t.deepEqual(namesOf(await get(namespaces)), ['default', 'kube-public', 'kube-system', 'skystead-system'])
  const { status, body } = await remove(`${namespaces}/default`)
  t.is(status, 403)
  t.is(body.message, 'namespaces "default" is forbidden: this namespace may not be deleted')
})

test('a deleted namespace takes everything in it along', async t => {
  const { post, remove, get, settle } = await startWithThings()
  await post(namespaces, namespace('team'))
  await post(`${namespaces}/team/configmaps`, configMap('a'))
  await post('/apis/example.dev/v1/namespaces/team/things', thing('a'))
  await post(configMaps, configMap('stays'))
  const { body } = await remove(`${namespaces}/team`)
  t.is(body.status.phase, 'Terminating')
  await settle()
  t.is((await get(`${namespaces}/team`)).status, 404)
  t.deepEqual(namesOf(await get('/api/v1/configmaps')), ['stays'])
  t.deepEqual(namesOf(await get('/apis/example.dev/v1/things')), [])
})

test('a namespace waits for finalizers in it, says so, and takes nothing new meanwhile', async t => {
  const { post, remove, get, merge, settle } = await startServer()
  await post(namespaces, namespace('team'))
  await post(`${namespaces}/team/configmaps`, configMap('held', {}, { finalizers: ['x.dev/one'] }))
  await remove(`${namespaces}/team`)
  await settle()
  const { body } = await get(`${namespaces}/team`)
  const messages = body.status.conditions.map((condition: { message: string }) => condition.message)
  t.true(messages.includes('Some resources are remaining: configmaps. has 1 resource instances'))
  const refused = await post(`${namespaces}/team/configmaps`, configMap('new'))
  t.is(refused.status, 403)
  t.is(refused.body.details.causes[0].reason, 'NamespaceTerminating')
  await merge(`${namespaces}/team/configmaps/held`, { metadata: { finalizers: null } })
  await settle()
  t.is((await get(`${namespaces}/team`)).status, 404)
})

/** Things are kept while their mode is Slow. */
const keeping = {
  admission: {
    guardedFields: [],
    guardedFinalizers: [],
    deletionGuards: [
      {
        groups: ['example.dev'],
        path: ['spec', 'mode'],
        value: 'Slow',
        refusal: 'spec.mode is "Slow": set it to "Fast"',
      },
    ],
  },
}
const slow = { size: 1, mode: 'Slow' }

test('an object that a guard keeps is not deleted, by whatever way, until it says so no more', async t => {
  const { post, remove, get, merge } = await startWithThings(keeping)
  await post(things, thing('a', slow))
  for (const path of [`${things}/a`, `${things}/a?dryRun=All`, things]) {
    const { status, body } = await remove(path)
    t.is(status, 403, path)
    t.is(body.message, 'things.example.dev "a" is forbidden: spec.mode is "Slow": set it to "Fast"')
  }
  t.is((await get(`${things}/a`)).body.metadata.deletionTimestamp, undefined)
  await merge(`${things}/a`, { spec: { mode: 'Fast' } })
  t.is((await remove(`${things}/a`)).status, 200)
})

test('what is told first is that an object is not there, or another', async t => {
  const { post, remove } = await startWithThings(keeping)
  await post(things, thing('a', slow))
  t.is((await remove(`${things}/b`)).status, 404)
  t.is((await remove(`${things}/a`, { preconditions: { uid: 'another' } })).status, 409)
})

test('a namespace that goes keeps what a guard keeps, says so, and goes on when it may', async t => {
  const { post, remove, get, merge, settle } = await startWithThings(keeping)
  await post(namespaces, namespace('team'))
  const team = '/apis/example.dev/v1/namespaces/team/things'
  await post(team, thing('kept', slow))
  await post(team, thing('other'))
  await remove(`${namespaces}/team`)
  await settle()
  t.deepEqual(namesOf(await get(team)), ['kept'])
  t.is((await get(`${team}/kept`)).body.metadata.deletionTimestamp, undefined)
  const failureOf = async () => {
    const { body } = await get(`${namespaces}/team`)
    return body.status.conditions.find(({ type }: { type: string }) => type === 'NamespaceDeletionContentFailure')
  }
  t.like(await failureOf(), {
    status: 'True',
    reason: 'ContentDeletionFailed',
    message:
      'Failed to delete all resource types, 1 remaining: things.example.dev "kept" is forbidden: spec.mode is "Slow": set it to "Fast"',
  })
  await merge(`${team}/kept`, { metadata: { finalizers: ['x.dev/one'] }, spec: { mode: 'Fast' } })
  await settle()
  t.like(await failureOf(), { status: 'False', reason: 'ContentDeleted' })
  await merge(`${team}/kept`, { metadata: { finalizers: null } })
  await settle()
  t.is((await get(`${namespaces}/team`)).status, 404)
})

test('what a deleted owner leaves behind stays while a guard keeps it', async t => {
  const { post, remove, get, merge, settle } = await startWithThings(keeping)
  const owner = await post(configMaps, configMap('owner'))
  await post(things, thing('a', slow, ownedBy(owner)))
  await remove(`${configMaps}/owner`)
  await settle()
  t.is((await get(`${things}/a`)).status, 200)
  await merge(`${things}/a`, { spec: { mode: 'Fast' } })
  await settle()
  t.is((await get(`${things}/a`)).status, 404)
})
