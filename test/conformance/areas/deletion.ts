import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import type { Bench } from '../case.ts'
import { area, like } from '../case.ts'
import { configMap, definition, group, widget, widgets } from '../definitions.ts'

const wait = 'example.com/wait'
const held = { finalizers: [wait] }

/** A reference to an owner. */
function owned(owner: { readonly [member: string]: unknown }, more: object = {}): object {
  const { apiVersion, kind, metadata } = owner
  const { name, uid } = metadata as { name: string; uid: string }
  return { ownerReferences: [{ apiVersion, kind, name, uid, ...more }] }
}

/** The path of ConfigMaps: the controllers of a server know built-in kinds from the start. */
async function maps(bench: Bench): Promise<string> {
  return `/api/v1/namespaces/${await bench.namespace()}/configmaps`
}

function gone(bench: Bench, path: string): Promise<true> {
  return bench.until(`the end of ${path}`, async () => (await bench.api.get(path)).status === 404) as Promise<true>
}

export const deletion = area('deletion', {
  'a deletion is answered with what was deleted': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a'))
    const { status, body } = await bench.api.remove(`${path}/a`)
    equal(status, 200)
    deepEqual(body, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'a', group, kind: 'widgets', uid: created.metadata.uid },
    })
    equal((await bench.api.get(`${path}/a`)).status, 404)
  },

  'a deletion of a core kind is answered without a group': async bench => {
    const path = await maps(bench)
    const { body: created } = await bench.api.post(path, configMap('a'))
    const { body } = await bench.api.remove(`${path}/a`)
    deepEqual(body.details, { name: 'a', kind: 'configmaps', uid: created.metadata.uid })
  },

  'what was deleted cannot be deleted again': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    await bench.api.remove(`${path}/a`)
    const { status, body } = await bench.api.remove(`${path}/a`)
    equal(status, 404)
    like(body, { reason: 'NotFound', message: `widgets.${group} "a" not found` })
  },

  'a name is free again after a deletion': async bench => {
    const path = await bench.install(widgets)
    const { body: first } = await bench.api.post(path, widget('a'))
    await bench.api.remove(`${path}/a`)
    const { status, body: second } = await bench.api.post(path, widget('a'))
    equal(status, 201)
    notEqual(second.metadata.uid, first.metadata.uid)
  },

  'a finalizer holds an object back, marked': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', {}, held))
    const { status, body } = await bench.api.remove(`${path}/a`)
    equal(status, 200)
    like(body, {
      kind: 'Widget',
      metadata: { name: 'a', finalizers: [wait], deletionGracePeriodSeconds: 0, generation: 2 },
    })
    match(body.metadata.deletionTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    deepEqual((await bench.api.get(`${path}/a`)).body, body)
  },

  'deleting again what is marked already changes nothing': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', {}, held))
    const { body: first } = await bench.api.remove(`${path}/a`)
    const { status, body: second } = await bench.api.remove(`${path}/a`)
    equal(status, 200)
    deepEqual(second, first)
  },

  'an object goes with its last finalizer': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', {}, { finalizers: [wait, 'example.com/other'] }))
    await bench.api.remove(`${path}/a`)
    const one = await bench.api.patch(`${path}/a`, 'merge', { metadata: { finalizers: [wait] } })
    deepEqual(one.body.metadata.finalizers, [wait])
    const none = await bench.api.patch(`${path}/a`, 'merge', { metadata: { finalizers: null } })
    equal(none.status, 200)
    like(none.body, { kind: 'Widget', metadata: { name: 'a' } })
    equal(none.body.metadata.finalizers, undefined)
    equal((await bench.api.get(`${path}/a`)).status, 404)
  },

  'what is marked may still be changed': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', { size: 1 }, held))
    await bench.api.remove(`${path}/a`)
    const { status, body } = await bench.api.patch(`${path}/a`, 'merge', { spec: { size: 2 } })
    equal(status, 200)
    equal(body.spec.size, 2)
    ok(body.metadata.deletionTimestamp)
  },

  'what is marked gets no new finalizers': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', {}, held))
    await bench.api.remove(`${path}/a`)
    const { status, body } = await bench.api.patch(`${path}/a`, 'merge', {
      metadata: { finalizers: [wait, 'example.com/late'] },
    })
    equal(status, 422)
    equal(
      body.message,
      `Widget.${group} "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/late"}`,
    )
  },

  'a mark is not taken back': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', {}, held))
    const { body: marked } = await bench.api.remove(`${path}/a`)
    const { body } = await bench.api.patch(`${path}/a`, 'merge', { metadata: { deletionTimestamp: null } })
    equal(body.metadata.deletionTimestamp, marked.metadata.deletionTimestamp)
  },

  'a name is taken until the last finalizer has gone': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', {}, held))
    await bench.api.remove(`${path}/a`)
    const { status, body } = await bench.api.post(path, widget('a'))
    equal(status, 409)
    equal(body.reason, 'AlreadyExists')
  },

  'another object of the name is not deleted': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a'))
    const uid = '00000000-0000-4000-8000-000000000000'
    const { status, body } = await bench.api.remove(`${path}/a`, { preconditions: { uid } })
    equal(status, 409)
    like(body, {
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on Widget.${group} "a": the UID in the precondition (${uid}) does not match the UID in record (${created.metadata.uid}). The object might have been deleted and then recreated`,
      details: { name: 'a', group, kind: 'Widget' },
    })
    equal((await bench.api.remove(`${path}/a`, { preconditions: { uid: created.metadata.uid } })).status, 200)
  },

  'another version of the object is not deleted': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a'))
    const { resourceVersion } = created.metadata
    const { body: changed } = await bench.api.patch(`${path}/a`, 'merge', { spec: { size: 2 } })
    const now = changed.metadata.resourceVersion
    const { status, body } = await bench.api.remove(`${path}/a`, { preconditions: { resourceVersion } })
    equal(status, 409)
    equal(
      body.message,
      `Operation cannot be fulfilled on Widget.${group} "a": the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${now}). The object might have been modified`,
    )
    equal((await bench.api.remove(`${path}/a`, { preconditions: { resourceVersion: now } })).status, 200)
  },

  'an unknown propagation is refused': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    const message =
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"'
    const byBody = await bench.api.remove(`${path}/a`, { propagationPolicy: 'Sideways' })
    equal(byBody.status, 422)
    equal(byBody.body.message, message)
    const byQuery = await bench.api.remove(`${path}/a?propagationPolicy=Sideways`)
    equal(byQuery.body.message, message)
  },

  'propagation is not said in two ways': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    const { status, body } = await bench.api.remove(`${path}/a`, {
      propagationPolicy: 'Orphan',
      orphanDependents: true,
    })
    equal(status, 422)
    like(body.details.causes, [
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
        field: 'propagationPolicy',
      },
    ])
  },

  'a body that is no DeleteOptions is refused': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    const other = await bench.api.call('DELETE', `${path}/a`, { body: { kind: 'ConfigMap', apiVersion: 'v1' } })
    equal(other.status, 400)
    match(other.body.message, /no kind "ConfigMap" is registered/)
    const nonsense = await bench.api.call('DELETE', `${path}/a`, { body: 'nonsense' })
    equal(nonsense.status, 400)
    match(nonsense.body.message, /json parse error/)
    const text = await bench.api.call('DELETE', `${path}/a`, { body: 'x', type: 'text/plain' })
    equal(text.status, 415)
    equal((await bench.api.get(`${path}/a`)).status, 200)
  },

  'options may be of the kind DeleteOptions of any group, or say none': async bench => {
    const path = await bench.install(widgets)
    for (const [name, kind] of Object.entries({
      a: { kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1' },
      b: { kind: 'DeleteOptions', apiVersion: `${group}/v1` },
      c: {},
    })) {
      await bench.api.post(path, widget(name))
      const answer = await bench.api.call('DELETE', `${path}/${name}`, {
        body: { ...kind, propagationPolicy: 'Background' },
      })
      equal(answer.status, 200)
    }
  },

  'a subresource is not deleted': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    const { status, body } = await bench.api.remove(`${path}/a/status`)
    equal(status, 405)
    equal(body.reason, 'MethodNotAllowed')
    equal((await bench.api.get(`${path}/a`)).status, 200)
  },

  'dependents go after their owner': async bench => {
    const path = await maps(bench)
    const { body: owner } = await bench.api.post(path, configMap('owner'))
    await bench.api.post(path, configMap('dependent', {}, owned(owner)))
    equal((await bench.api.remove(`${path}/owner`, { propagationPolicy: 'Background' })).body.kind, 'Status')
    await gone(bench, `${path}/dependent`)
  },

  'dependents of dependents go too': async bench => {
    const path = await maps(bench)
    const { body: owner } = await bench.api.post(path, configMap('owner'))
    const { body: middle } = await bench.api.post(path, configMap('middle', {}, owned(owner)))
    await bench.api.post(path, configMap('last', {}, owned(middle)))
    await bench.api.remove(`${path}/owner`)
    await gone(bench, `${path}/last`)
    await gone(bench, `${path}/middle`)
  },

  'an owner that never was takes its dependents with it': async bench => {
    const path = await maps(bench)
    const never = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'never', uid: '00000000-0000-4000-8000-000000000000' },
    }
    await bench.api.post(path, configMap('a', {}, owned(never)))
    await gone(bench, `${path}/a`)
  },

  'an owner of the same name but another uid is no owner': async bench => {
    const path = await maps(bench)
    const { body: owner } = await bench.api.post(path, configMap('owner'))
    const other = { ...owner, metadata: { ...owner.metadata, uid: '00000000-0000-4000-8000-000000000000' } }
    await bench.api.post(path, configMap('a', {}, owned(other)))
    await gone(bench, `${path}/a`)
    equal((await bench.api.get(`${path}/owner`)).status, 200)
  },

  'an owner in another namespace is no owner': async bench => {
    const path = await maps(bench)
    const name = bench.name()
    const { body: owner } = await bench.api.post('/api/v1/namespaces/default/configmaps', configMap(name))
    await bench.api.post(path, configMap('a', {}, owned(owner)))
    await gone(bench, `${path}/a`)
    await bench.api.remove(`/api/v1/namespaces/default/configmaps/${name}`)
  },

  'an object stays as long as one of its owners does, and forgets the other': async bench => {
    const path = await maps(bench)
    const { body: one } = await bench.api.post(path, configMap('one'))
    const { body: two } = await bench.api.post(path, configMap('two'))
    const references = [one, two].flatMap(owner => (owned(owner) as { ownerReferences: object[] }).ownerReferences)
    await bench.api.post(path, configMap('shared', {}, { ownerReferences: references }))
    await bench.api.remove(`${path}/one`)
    await bench.until('the loss of one reference', async () => {
      const { body } = await bench.api.get(`${path}/shared`)
      return body.metadata.ownerReferences.length === 1 && body.metadata.ownerReferences[0].name === 'two'
    })
  },

  'a cluster-scoped owner takes dependents in namespaces with it': async bench => {
    const path = await maps(bench)
    const all = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    const { body: owner } = await bench.api.post(all, definition('Passing', { group: `${bench.name('g')}.test` }))
    await bench.api.post(path, configMap('a', {}, owned(owner)))
    await bench.api.remove(`${all}/${owner.metadata.name}`)
    await gone(bench, `${path}/a`)
  },

  'orphans lose the reference and stay': async bench => {
    const path = await maps(bench)
    const { body: owner } = await bench.api.post(path, configMap('owner'))
    await bench.api.post(path, configMap('dependent', {}, owned(owner)))
    const { status, body } = await bench.api.remove(`${path}/owner`, { propagationPolicy: 'Orphan' })
    equal(status, 200)
    like(body, { kind: 'ConfigMap', metadata: { finalizers: ['orphan'] } })
    await gone(bench, `${path}/owner`)
    const { body: orphan } = await bench.api.get(`${path}/dependent`)
    equal(orphan.metadata.ownerReferences, undefined)
    equal(orphan.metadata.deletionTimestamp, undefined)
  },

  'the old way to leave orphans still works': async bench => {
    const path = await maps(bench)
    const { body: owner } = await bench.api.post(path, configMap('owner'))
    await bench.api.post(path, configMap('dependent', {}, owned(owner)))
    const { body } = await bench.api.remove(`${path}/owner`, { orphanDependents: true })
    deepEqual(body.metadata.finalizers, ['orphan'])
    await gone(bench, `${path}/owner`)
    equal((await bench.api.get(`${path}/dependent`)).body.metadata.ownerReferences, undefined)
  },

  'the old way to leave none is answered as accepted where the object waits': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', {}, held))
    await bench.api.post(path, widget('b'))
    equal((await bench.api.remove(`${path}/a`, { orphanDependents: false })).status, 202)
    equal((await bench.api.remove(`${path}/b`, { orphanDependents: false })).status, 200)
  },

  'an owner in the foreground waits for dependents that block it': async bench => {
    const path = await maps(bench)
    const { body: owner } = await bench.api.post(path, configMap('owner'))
    const metadata = { ...owned(owner, { blockOwnerDeletion: true }), ...held }
    await bench.api.post(path, configMap('dependent', {}, metadata))
    const { status, body } = await bench.api.remove(`${path}/owner`, { propagationPolicy: 'Foreground' })
    equal(status, 200)
    deepEqual(body.metadata.finalizers, ['foregroundDeletion'])
    await bench.until('the mark of the dependent', async () => {
      return (await bench.api.get(`${path}/dependent`)).body.metadata.deletionTimestamp !== undefined
    })
    equal((await bench.api.get(`${path}/owner`)).status, 200)
    await bench.api.patch(`${path}/dependent`, 'merge', { metadata: { finalizers: null } })
    await gone(bench, `${path}/owner`)
  },

  'an owner in the foreground does not wait for dependents that do not block it': async bench => {
    const path = await maps(bench)
    const { body: owner } = await bench.api.post(path, configMap('owner'))
    await bench.api.post(path, configMap('dependent', {}, { ...owned(owner), ...held }))
    await bench.api.remove(`${path}/owner`, { propagationPolicy: 'Foreground' })
    await gone(bench, `${path}/owner`)
    await bench.until('the mark of the dependent', async () => {
      return (await bench.api.get(`${path}/dependent`)).body.metadata.deletionTimestamp !== undefined
    })
  },

  'a later deletion may change the propagation': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', {}, held))
    await bench.api.remove(`${path}/a`, { propagationPolicy: 'Foreground' })
    const { body } = await bench.api.remove(`${path}/a`, { propagationPolicy: 'Background' })
    deepEqual(body.metadata.finalizers, [wait])
  },

  'a reference to an owner must be complete': async bench => {
    const path = await bench.install(widgets)
    const metadata = { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap' }] }
    const { status, body } = await bench.api.post(path, widget('a', {}, metadata))
    equal(status, 422)
    like(body.details.causes, [
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: "": must not be empty',
        field: 'metadata.ownerReferences.name',
      },
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: "": must not be empty',
        field: 'metadata.ownerReferences.uid',
      },
    ])
  },

  'only one owner is the controller': async bench => {
    const path = await bench.install(widgets)
    const { body: owner } = await bench.api.post(path, widget('owner'))
    const [reference] = (owned(owner, { controller: true }) as { ownerReferences: object[] }).ownerReferences
    const metadata = { ownerReferences: [reference, { ...reference, uid: 'other' }] }
    const { status, body } = await bench.api.post(path, widget('a', {}, metadata))
    equal(status, 422)
    equal(body.details.causes[0].field, 'metadata.ownerReferences')
    match(
      body.message,
      /Only one reference can have Controller set to true\. Found "true" in references for Widget\/owner and Widget\/owner$/,
    )
  },

  'an event owns nothing': async bench => {
    const path = await bench.install(widgets)
    const event = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'a', uid: 'a' } }
    const { status, body } = await bench.api.post(path, widget('a', {}, owned(event)))
    equal(status, 422)
    match(body.message, /\/v1, Kind=Event is disallowed from being an owner$/)
  },

  'an object cannot be orphaned and deleted in the foreground at once': async bench => {
    const path = await bench.install(widgets)
    const metadata = { finalizers: ['orphan', 'foregroundDeletion'] }
    const { status, body } = await bench.api.post(path, widget('a', {}, metadata))
    equal(status, 422)
    match(
      body.message,
      /metadata\.finalizers: Invalid value: .*finalizer orphan and foregroundDeletion cannot be both set$/,
    )
  },

  'a collection is deleted and shown as it was': async bench => {
    const path = await bench.install(widgets)
    for (const name of 'ab') await bench.api.post(path, widget(name))
    await bench.api.post(path, widget('c', {}, held))
    const { status, body } = await bench.api.call('DELETE', path)
    equal(status, 200)
    like(body, { kind: 'WidgetList', apiVersion: `${group}/v1` })
    equal(body.items.length, 3)
    equal(body.items[2].metadata.deletionTimestamp, undefined)
    const { body: left } = await bench.api.get(path)
    like(left.items, [{ metadata: { name: 'c' } }])
    ok(left.items[0].metadata.deletionTimestamp)
  },

  'deleting an empty collection does nothing': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.call('DELETE', path)
    equal(status, 200)
    deepEqual(body.items, [])
  },

  'options hold for each object of a collection': async bench => {
    const path = await maps(bench)
    const { body: owner } = await bench.api.post(path, configMap('a', {}, { labels: { x: 'y' } }))
    await bench.api.post(path, configMap('b', {}, owned(owner)))
    await bench.api.remove(`${path}?labelSelector=x`, { propagationPolicy: 'Orphan' })
    await gone(bench, `${path}/a`)
    equal((await bench.api.get(`${path}/b`)).body.metadata.ownerReferences, undefined)
  },

  'a collection of all namespaces is not deleted': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    await bench.api.post(path, configMap('a'))
    equal((await bench.api.call('DELETE', '/api/v1/configmaps?labelSelector=none')).status, 405)
    equal((await bench.api.get(`${path}/a`)).status, 200)
  },
})
