import { deepEqual, equal, match, ok } from 'node:assert/strict'
import type { Bench } from '../case.ts'
import { area, like } from '../case.ts'
import { configMap, definition, group, widget, widgets } from '../definitions.ts'
import type { WatchEvent } from '../watching.ts'

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const partial = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'
const streamed = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'

/** The resource version of a list that has just been read. */
async function versionOf(bench: Bench, path: string): Promise<string> {
  return (await bench.api.get(path)).body.metadata.resourceVersion
}

function label(value: string): object {
  return { metadata: { labels: { side: value } } }
}

function inShort(event: WatchEvent | undefined): string {
  return event === undefined ? 'END' : `${event.type} ${event.object.metadata?.name ?? ''}`
}

export const watches = area('watches', {
  'a watch from a version tells all that happened after it, in order': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    const version = await versionOf(bench, path)
    await bench.api.post(path, widget('b'))
    await bench.api.patch(`${path}/a`, 'merge', { spec: { size: 2 } })
    await bench.api.remove(`${path}/b`)
    await using watching = await bench.api.watch(`${path}?watch=1&resourceVersion=${version}`)
    equal(watching.status, 200)
    equal(watching.contentType, 'application/json')
    deepEqual(await watching.names(3), ['ADDED b', 'MODIFIED a', 'DELETED b'])
  },

  'a watch tells what happens while it is open': async bench => {
    const path = await bench.install(widgets)
    await using watching = await bench.api.watch(`${path}?watch=1&resourceVersion=${await versionOf(bench, path)}`)
    for (const name of ['a', 'b']) {
      await bench.api.post(path, widget(name))
      deepEqual(await watching.names(1), [`ADDED ${name}`])
    }
  },

  'events carry the whole object as it was then': async bench => {
    const path = await bench.install(widgets)
    const version = await versionOf(bench, path)
    const { body: created } = await bench.api.post(path, widget('a', { size: 1 }))
    const { body: changed } = await bench.api.patch(`${path}/a`, 'merge', { spec: { size: 2 } })
    await using watching = await bench.api.watch(`${path}?watch=1&resourceVersion=${version}`)
    deepEqual((await watching.next())?.object, created)
    deepEqual((await watching.next())?.object, changed)
  },

  'resource versions of events grow': async bench => {
    const path = await bench.install(widgets)
    const version = await versionOf(bench, path)
    for (const name of 'abc') await bench.api.post(path, widget(name))
    await bench.api.remove(`${path}/b`)
    await using watching = await bench.api.watch(`${path}?watch=1&resourceVersion=${version}`)
    let last = BigInt(version)
    for (let count = 0; count < 4; count++) {
      const next = BigInt((await watching.next())?.object.metadata.resourceVersion)
      ok(next > last)
      last = next
    }
  },

  'a deletion is told under a version of its own': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a', { size: 3 }))
    const from = created.metadata.resourceVersion
    await bench.api.remove(`${path}/a`)
    await using watching = await bench.api.watch(`${path}?watch=1&resourceVersion=${from}`)
    const event = await watching.next()
    like(event, { type: 'DELETED', object: { metadata: { name: 'a', uid: created.metadata.uid }, spec: { size: 3 } } })
    ok(BigInt(event?.object.metadata.resourceVersion) > BigInt(from))
  },

  'a watch goes on from the version of an event': async bench => {
    const path = await bench.install(widgets)
    const version = await versionOf(bench, path)
    for (const name of 'abc') await bench.api.post(path, widget(name))
    await using watching = await bench.api.watch(`${path}?watch=1&resourceVersion=${version}`)
    const { resourceVersion } = (await watching.next())?.object.metadata ?? {}
    await using second = await bench.api.watch(`${path}?watch=1&resourceVersion=${resourceVersion}`)
    deepEqual(await second.names(2), ['ADDED b', 'ADDED c'])
  },

  'an object that waits for a finalizer is told as modified, then as deleted': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', {}, { finalizers: ['example.com/wait'] }))
    await using watching = await bench.api.watch(`${path}?watch=1&resourceVersion=${await versionOf(bench, path)}`)
    await bench.api.remove(`${path}/a`)
    const marked = await watching.next()
    equal(inShort(marked), 'MODIFIED a')
    ok(marked?.object.metadata.deletionTimestamp)
    await bench.api.patch(`${path}/a`, 'merge', { metadata: { finalizers: null } })
    equal(inShort(await watching.next()), 'DELETED a')
  },

  'a write that changes nothing is not told of': async bench => {
    const path = await bench.install(widgets)
    const { body: created } = await bench.api.post(path, widget('a', { size: 1 }))
    await using watching = await bench.api.watch(`${path}?watch=1&resourceVersion=${await versionOf(bench, path)}`)
    await bench.api.put(`${path}/a`, created)
    await bench.api.patch(`${path}/a`, 'merge', { spec: { size: 1 } })
    await bench.api.post(path, widget('b'))
    deepEqual(await watching.names(1), ['ADDED b'])
  },

  'a dry run is not told of': async bench => {
    const path = await bench.install(widgets)
    await using watching = await bench.api.watch(`${path}?watch=1&resourceVersion=${await versionOf(bench, path)}`)
    await bench.api.post(`${path}?dryRun=All`, widget('a'))
    await bench.api.post(path, widget('b'))
    deepEqual(await watching.names(1), ['ADDED b'])
  },

  'a watch without a version begins with what is there': async bench => {
    const path = await bench.install(widgets)
    for (const name of 'ab') await bench.api.post(path, widget(name))
    await using watching = await bench.api.watch(`${path}?watch=1`)
    deepEqual((await watching.names(2)).toSorted(), ['ADDED a', 'ADDED b'])
    await bench.api.post(path, widget('c'))
    deepEqual(await watching.names(1), ['ADDED c'])
  },

  'a watch from version 0 begins with what is there': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    await bench.api.post(path, configMap('a'))
    await bench.api.get(path)
    await using watching = await bench.api.watch(`${path}?watch=1&resourceVersion=0`)
    deepEqual(await watching.names(1), ['ADDED a'])
    await bench.api.post(path, configMap('b'))
    deepEqual(await watching.names(1), ['ADDED b'])
  },

  'a watch of one namespace does not tell of others': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    await using watching = await bench.api.watch(`${path}?watch=1&resourceVersion=${await versionOf(bench, path)}`)
    await bench.api.post('/api/v1/namespaces/default/configmaps', configMap(bench.name()))
    await bench.api.post(path, configMap('a'))
    deepEqual(await watching.names(1), ['ADDED a'])
  },

  'a watch over all namespaces tells of each': async bench => {
    const path = await bench.install(widgets)
    const all = `/apis/${group}/v1/widgets`
    const name = bench.name()
    await using watching = await bench.api.watch(
      `${all}?watch=1&resourceVersion=${await versionOf(bench, all)}&fieldSelector=metadata.name%3D${name}`,
    )
    await bench.api.post(path, widget(name))
    like(await watching.next(), { type: 'ADDED', object: { metadata: { name, namespace: await bench.namespace() } } })
  },

  'a watch of one object by its name tells of no other': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    await using watching = await bench.api.watch(`${path}?watch=1&fieldSelector=metadata.name%3Da`)
    await bench.api.post(path, widget('b'))
    await bench.api.remove(`${path}/a`)
    await bench.api.post(path, widget('a'))
    deepEqual(await watching.names(3), ['ADDED a', 'DELETED a', 'ADDED a'])
  },

  'an object that comes to match labels is told as added, one that ceases to as deleted': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', {}, { labels: { side: 'left' } }))
    const version = await versionOf(bench, path)
    await using watching = await bench.api.watch(
      `${path}?watch=1&resourceVersion=${version}&labelSelector=side%3Dright`,
    )
    await bench.api.patch(`${path}/a`, 'merge', label('right'))
    await bench.api.patch(`${path}/a`, 'merge', { spec: { size: 2 } })
    await bench.api.patch(`${path}/a`, 'merge', label('left'))
    await bench.api.patch(`${path}/a`, 'merge', { spec: { size: 3 } })
    await bench.api.remove(`${path}/a`)
    await bench.api.post(path, widget('b', {}, { labels: { side: 'right' } }))
    deepEqual(await watching.names(4), ['ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED b'])
  },

  'an object that ceases to match is shown as it was, under the version of the change': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', { size: 1 }, { labels: { side: 'right' } }))
    const version = await versionOf(bench, path)
    await using watching = await bench.api.watch(
      `${path}?watch=1&resourceVersion=${version}&labelSelector=side%3Dright`,
    )
    const { body } = await bench.api.patch(`${path}/a`, 'merge', { ...label('left'), spec: { size: 2 } })
    like(await watching.next(), {
      type: 'DELETED',
      object: {
        metadata: { labels: { side: 'right' }, resourceVersion: body.metadata.resourceVersion },
        spec: { size: 1 },
      },
    })
  },

  'fields that a definition names select in a watch too': async bench => {
    const path = await bench.install(widgets)
    const version = await versionOf(bench, path)
    await using watching = await bench.api.watch(
      `${path}?watch=1&resourceVersion=${version}&fieldSelector=spec.color%3Dred`,
    )
    await bench.api.post(path, widget('a', { color: 'blue' }))
    await bench.api.patch(`${path}/a`, 'merge', { spec: { color: 'red' } })
    await bench.api.patch(`${path}/a`, 'merge', { spec: { color: 'green' } })
    deepEqual(await watching.names(2), ['ADDED a', 'DELETED a'])
  },

  'a watch with a selector that cannot be read is refused': async bench => {
    const path = await bench.install(widgets)
    await using labels = await bench.api.watch(`${path}?watch=1&labelSelector=x+in`)
    equal(labels.status, 400)
    like(labels.refusal, { kind: 'Status', reason: 'BadRequest' })
    await using fields = await bench.api.watch(`${path}?watch=1&fieldSelector=spec.size%3D1`)
    equal(fields.status, 400)
    equal(fields.refusal.message, 'field label not supported: spec.size')
  },

  'a list as a stream ends with a bookmark that says so': async bench => {
    const path = await bench.install(widgets)
    for (const name of 'ab') await bench.api.post(path, widget(name))
    const version = await versionOf(bench, path)
    await using watching = await bench.api.watch(`${path}?${streamed}`)
    deepEqual((await watching.names(2)).toSorted(), ['ADDED a', 'ADDED b'])
    const bookmark = await watching.next()
    like(bookmark, {
      type: 'BOOKMARK',
      object: {
        kind: 'Widget',
        apiVersion: `${group}/v1`,
        metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } },
      },
    })
    ok(BigInt(bookmark?.object.metadata.resourceVersion) >= BigInt(version))
  },

  'a list as a stream goes on as a watch': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    await bench.api.post(path, configMap('a'))
    await using watching = await bench.api.watch(`${path}?${streamed}`)
    deepEqual(await watching.names(2), ['ADDED a', 'BOOKMARK'])
    await bench.api.post(path, configMap('b'))
    for (;;) {
      const event = await watching.next()
      if (event?.type === 'BOOKMARK') continue
      equal(inShort(event), 'ADDED b')
      break
    }
  },

  'a list as a stream of nothing is its bookmark alone': async bench => {
    const path = await bench.install(widgets)
    await using watching = await bench.api.watch(`${path}?${streamed}&labelSelector=none`)
    const first = await watching.next()
    equal(first?.type, 'BOOKMARK')
    deepEqual(first?.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' })
  },

  'a list as a stream is not older than the version that it names': async bench => {
    const path = await bench.install(widgets)
    const { body } = await bench.api.post(path, widget('a'))
    const { resourceVersion } = body.metadata
    await using watching = await bench.api.watch(`${path}?${streamed}&resourceVersion=${resourceVersion}`)
    equal(inShort(await watching.next()), 'ADDED a')
    const bookmark = await watching.next()
    ok(BigInt(bookmark?.object.metadata.resourceVersion) >= BigInt(resourceVersion))
  },

  'a list as a stream from a version that was not reached ends with a timeout': async bench => {
    const path = await bench.install(widgets)
    await using watching = await bench.api.watch(`${path}?${streamed}&resourceVersion=99999999`)
    equal(watching.status, 200)
    like(await watching.next(), {
      type: 'ERROR',
      object: { kind: 'Status', code: 504, reason: 'Timeout', details: { retryAfterSeconds: 1 } },
    })
    equal(await watching.next(), undefined)
  },

  'a list as a stream without bookmarks does not tell its end': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    await using watching = await bench.api.watch(`${path}?${streamed.replace('&allowWatchBookmarks=true', '')}`)
    equal(inShort(await watching.next()), 'ADDED a')
    await bench.api.post(path, widget('b'))
    equal(inShort(await watching.next()), 'ADDED b')
  },

  'a watch that wants no initial events has none': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    await using watching = await bench.api.watch(
      `${path}?watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`,
    )
    await bench.api.post(path, widget('b'))
    equal(inShort(await watching.next()), 'ADDED b')
  },

  'initial events need a match of versions': async bench => {
    const path = await bench.install(widgets)
    await using watching = await bench.api.watch(`${path}?watch=1&sendInitialEvents=true`)
    equal(watching.status, 422)
    equal(
      watching.refusal.message,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    )
  },

  'a match of versions needs initial events': async bench => {
    const path = await bench.install(widgets)
    await using watching = await bench.api.watch(`${path}?watch=1&resourceVersionMatch=Exact&resourceVersion=1`)
    equal(watching.status, 422)
    like(watching.refusal, {
      reason: 'Invalid',
      details: {
        kind: 'ListOptions',
        causes: [{ reason: 'FieldValueForbidden' }, { reason: 'FieldValueNotSupported' }],
      },
    })
  },

  'a watch ends after its timeout': async bench => {
    const path = await bench.install(widgets)
    await using watching = await bench.api.watch(`${path}?watch=1&timeoutSeconds=1`)
    equal(watching.status, 200)
    equal(await watching.next(), undefined)
  },

  'a watch does not count its events against a limit': async bench => {
    const path = await bench.install(widgets)
    const version = await versionOf(bench, path)
    for (const name of 'ab') await bench.api.post(path, widget(name))
    await using watching = await bench.api.watch(`${path}?watch=1&limit=1&resourceVersion=${version}`)
    deepEqual(await watching.names(2), ['ADDED a', 'ADDED b'])
  },

  'anything but false and 0 asks for a watch': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    for (const value of ['1', 'true', 'yes', '']) {
      await using watching = await bench.api.watch(`${path}?watch=${value}`)
      equal(inShort(await watching.next()), 'ADDED a')
    }
    for (const value of ['0', 'false']) equal((await bench.api.get(`${path}?watch=${value}`)).body.kind, 'WidgetList')
  },

  'the wish for a watch means nothing to a get of one object': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a'))
    const { status, body } = await bench.api.get(`${path}/a?watch=1`)
    equal(status, 200)
    like(body, { kind: 'Widget', metadata: { name: 'a' } })
  },

  'the old paths of watches still work': async bench => {
    const namespace = await bench.namespace()
    await bench.api.post(`/api/v1/namespaces/${namespace}/configmaps`, configMap('a', {}, { labels: { x: namespace } }))
    await bench.api.post(`/api/v1/namespaces/${namespace}/configmaps`, configMap('b'))
    const paths = {
      [`namespaces/${namespace}/configmaps/a`]: 'ADDED a',
      [`configmaps?labelSelector=x%3D${namespace}`]: 'ADDED a',
      [`namespaces/${namespace}`]: `ADDED ${namespace}`,
    }
    for (const [path, event] of Object.entries(paths)) {
      await using watching = await bench.api.watch(`/api/v1/watch/${path}`)
      equal(inShort(await watching.next()), event)
    }
  },

  'a watch of a kind that is not there is NotFound': async bench => {
    await using watching = await bench.api.watch(`/api/v1/namespaces/${await bench.namespace()}/gadgets?watch=1`)
    equal(watching.status, 404)
    equal(watching.refusal.reason, 'NotFound')
  },

  'a watch is not to be had as YAML': async bench => {
    const path = await bench.install(widgets)
    const { status, text } = await bench.api.get(`${path}?watch=1`, { accept: 'application/yaml' })
    equal(status, 406)
    match(text, /only the following media types are accepted: application\/json;stream=watch/)
  },

  'a watch as tables names the columns once': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', { size: 1 }))
    await using watching = await bench.api.watch(`${path}?watch=1`, table)
    equal(watching.contentType, 'application/json')
    const first = await watching.next()
    like(first, { type: 'ADDED', object: { kind: 'Table', apiVersion: 'meta.k8s.io/v1' } })
    equal(first?.object.columnDefinitions.length, 3)
    deepEqual(first?.object.rows[0].cells, ['a', 'Safe', 1])
    await bench.api.patch(`${path}/a`, 'merge', { spec: { size: 2 } })
    const second = await watching.next()
    equal(second?.type, 'MODIFIED')
    equal(second?.object.columnDefinitions?.length ?? 0, 0)
    deepEqual(second?.object.rows[0].cells, ['a', 'Safe', 2])
  },

  'rows of a watch carry the metadata of their objects': async bench => {
    const path = await bench.install(widgets)
    const { body } = await bench.api.post(path, widget('a'))
    await using watching = await bench.api.watch(`${path}?watch=1`, table)
    const { resourceVersion } = body.metadata
    like((await watching.next())?.object, {
      metadata: { resourceVersion },
      rows: [{ object: { kind: 'PartialObjectMetadata', metadata: { name: 'a', resourceVersion } } }],
    })
  },

  'a watch of metadata tells metadata alone': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', { size: 1 }))
    await using watching = await bench.api.watch(`${path}?${streamed}`, partial)
    const first = await watching.next()
    like(first, { type: 'ADDED', object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' } })
    equal(first?.object.metadata.name, 'a')
    equal(first?.object.spec, undefined)
    like(await watching.next(), { type: 'BOOKMARK', object: { kind: 'PartialObjectMetadata' } })
  },

  'a watch tells all objects as deleted when their definition is, and ends': async bench => {
    const passing = definition('Passing', { group: `${bench.name('g')}.test` })
    const path = await bench.install(passing)
    const object = { apiVersion: `${passing.spec.group}/v1`, kind: 'Passing', metadata: { name: 'a' } }
    await bench.api.post(path, object)
    await using watching = await bench.api.watch(`${path}?watch=1&resourceVersion=${await versionOf(bench, path)}`)
    await bench.api.remove(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${passing.metadata.name}`)
    deepEqual(await watching.names(2), ['DELETED a', 'END'])
  },
})
