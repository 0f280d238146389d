import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import type { Answer } from '../api.ts'
import type { Bench } from '../case.ts'
import { area, like } from '../case.ts'
import { configMap, group, widget, widgets } from '../definitions.ts'

/** Widgets of these names; the path of them all. */
async function several(bench: Bench, names = 'abcde'): Promise<string> {
  const path = await bench.install(widgets)
  for (const name of names) await bench.api.post(path, widget(name, {}, { labels: { name } }))
  return path
}

const namesIn = ({ body }: Answer): string =>
  body.items.map((item: { metadata: { name: string } }) => item.metadata.name).join()

function refusedOption(answer: Answer, detail: string): void {
  equal(answer.status, 422)
  like(answer.body, {
    reason: 'Invalid',
    message: `ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: ${detail}`,
    details: {
      group: 'meta.k8s.io',
      kind: 'ListOptions',
      causes: [{ message: detail, field: 'resourceVersionMatch' }],
    },
  })
}

export const lists = area('lists', {
  'a list names its kind and a resource version that is not older than its objects': async bench => {
    const path = await several(bench, 'ab')
    const { status, body } = await bench.api.get(path)
    equal(status, 200)
    like(body, { kind: 'WidgetList', apiVersion: `${group}/v1` })
    const versions = body.items.map((item: { metadata: { resourceVersion: string } }) => item.metadata.resourceVersion)
    ok(versions.every((version: string) => BigInt(version) <= BigInt(body.metadata.resourceVersion)))
  },

  'a list is in the order of names': async bench => {
    const path = await several(bench, 'dacb')
    equal(namesIn(await bench.api.get(path)), 'a,b,c,d')
  },

  'an empty list has no items but a resource version': async bench => {
    const path = await bench.install(widgets)
    const { status, body } = await bench.api.get(path)
    equal(status, 200)
    deepEqual(body.items, [])
    match(body.metadata.resourceVersion, /^[1-9]\d*$/)
  },

  'a list of a namespace that is not there is empty': async bench => {
    await bench.install(widgets)
    const { status, body } = await bench.api.get(`/apis/${group}/v1/namespaces/nowhere/widgets`)
    equal(status, 200)
    deepEqual(body.items, [])
  },

  'items of a custom kind carry kind and apiVersion': async bench => {
    const path = await several(bench, 'a')
    const { body } = await bench.api.get(path)
    like(body.items, [{ kind: 'Widget', apiVersion: `${group}/v1` }])
  },

  'a list over all namespaces is in the order of namespaces, then names': async bench => {
    const path = await several(bench, 'b')
    const [one, other] = [await bench.namespace(), bench.name('ns')]
    await bench.api.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: other } })
    await bench.api.post(path.replace(one, other), widget('a'))
    const { body } = await bench.api.get(`/apis/${group}/v1/widgets`)
    const places: string[] = body.items.map(
      (item: { metadata: { namespace: string; name: string } }) => `${item.metadata.namespace}/${item.metadata.name}`,
    )
    const mine = places.filter(place => place.startsWith(`${one}/`) || place.startsWith(`${other}/`))
    deepEqual(mine, [`${one}/b`, `${other}/a`].toSorted())
    await bench.api.remove(`/api/v1/namespaces/${other}`)
  },

  'a limit makes pages that tell how many objects remain': async bench => {
    const path = await several(bench)
    const first = await bench.api.get(`${path}?limit=2`)
    equal(namesIn(first), 'a,b')
    equal(first.body.metadata.remainingItemCount, 3)
    const second = await bench.api.get(`${path}?limit=2&continue=${first.body.metadata.continue}`)
    equal(namesIn(second), 'c,d')
    equal(second.body.metadata.remainingItemCount, 1)
    const last = await bench.api.get(`${path}?limit=2&continue=${second.body.metadata.continue}`)
    equal(namesIn(last), 'e')
    equal(last.body.metadata.remainingItemCount, undefined)
    equal(last.body.metadata.continue || '', '')
  },

  'there are no pages for whoever takes any version': async bench => {
    const path = await several(bench)
    const query = 'limit=2&resourceVersion=0'
    await bench.until('all objects', async () => namesIn(await bench.api.get(`${path}?${query}`)) === 'a,b,c,d,e')
    const { body } = await bench.api.get(`${path}?${query}`)
    equal(body.metadata.continue || '', '')
  },

  'all pages have the resource version of the first': async bench => {
    const path = await several(bench)
    const first = await bench.api.get(`${path}?limit=2`)
    await bench.api.post(path, widget('f'))
    const second = await bench.api.get(`${path}?limit=2&continue=${first.body.metadata.continue}`)
    equal(second.body.metadata.resourceVersion, first.body.metadata.resourceVersion)
  },

  'later pages show what was there when the first was read': async bench => {
    const path = await several(bench)
    const { body } = await bench.api.get(`${path}?limit=2`)
    await bench.api.remove(`${path}/c`)
    await bench.api.patch(`${path}/d`, 'merge', { spec: { size: 7 } })
    await bench.api.post(path, widget('cc'))
    const rest = await bench.api.get(`${path}?continue=${body.metadata.continue}`)
    equal(namesIn(rest), 'c,d,e')
    equal(rest.body.items[1].spec.size, undefined)
  },

  'a page without a limit goes on to the end': async bench => {
    const path = await several(bench)
    const { body } = await bench.api.get(`${path}?limit=1`)
    const rest = await bench.api.get(`${path}?continue=${body.metadata.continue}`)
    equal(namesIn(rest), 'b,c,d,e')
  },

  'a limit that all objects fit in makes no further page': async bench => {
    const path = await several(bench, 'ab')
    const { body } = await bench.api.get(`${path}?limit=2`)
    equal(body.items.length, 2)
    equal(body.metadata.continue || '', '')
    equal(body.metadata.remainingItemCount, undefined)
  },

  'pages over all namespaces go on in the next namespace': async bench => {
    await several(bench, 'abc')
    const all = await bench.api.get(`/apis/${group}/v1/widgets?limit=1`)
    ok(all.body.metadata.continue)
    const next = await bench.api.get(`/apis/${group}/v1/widgets?limit=1&continue=${all.body.metadata.continue}`)
    equal(next.status, 200)
    notEqual(next.body.items[0].metadata.uid, all.body.items[0].metadata.uid)
  },

  'pages of a selection do not tell how many objects remain': async bench => {
    const path = await several(bench)
    const first = await bench.api.get(`${path}?limit=2&labelSelector=name!%3Db`)
    equal(namesIn(first), 'a,c')
    equal(first.body.metadata.remainingItemCount, undefined)
    const query = `limit=2&labelSelector=name!%3Db&continue=${first.body.metadata.continue}`
    equal(namesIn(await bench.api.get(`${path}?${query}`)), 'd,e')
  },

  'built-in kinds have pages too': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    for (const name of 'abc') await bench.api.post(path, configMap(name))
    const first = await bench.api.get(`${path}?limit=2`)
    equal(namesIn(first), 'a,b')
    equal(first.body.kind, 'ConfigMapList')
    equal(namesIn(await bench.api.get(`${path}?limit=2&continue=${first.body.metadata.continue}`)), 'c')
  },

  'a limit of zero, and one below, is none': async bench => {
    const path = await several(bench, 'ab')
    equal(namesIn(await bench.api.get(`${path}?limit=0`)), 'a,b')
    equal(namesIn(await bench.api.get(`${path}?limit=-1`)), 'a,b')
  },

  'a limit that is no number is refused': async bench => {
    const path = await several(bench, 'a')
    const { status, body } = await bench.api.get(`${path}?limit=many`)
    equal(status, 400)
    like(body, { reason: 'BadRequest', code: 400 })
    match(body.message, /"many": invalid syntax/)
  },

  'a timeout that is no number is refused': async bench => {
    const path = await several(bench, 'a')
    const { status, body } = await bench.api.get(`${path}?timeoutSeconds=long`)
    equal(status, 400)
    match(body.message, /"long": invalid syntax/)
  },

  'a continue token that cannot be read is refused': async bench => {
    const path = await several(bench, 'ab')
    const { status, body } = await bench.api.get(`${path}?limit=1&continue=nonsense`)
    equal(status, 400)
    equal(body.reason, 'BadRequest')
    match(body.message, /^invalid continue token: continue key is not valid: /)
  },

  'a continue token goes with no resource version': async bench => {
    const path = await several(bench, 'ab')
    const { metadata } = (await bench.api.get(`${path}?limit=1`)).body
    const query = `limit=1&continue=${metadata.continue}&resourceVersion=${metadata.resourceVersion}`
    const { status, body } = await bench.api.get(`${path}?${query}`)
    equal(status, 400)
    like(body, {
      reason: 'BadRequest',
      message: 'specifying resource version is not allowed when using continue',
    })
  },

  'a list at exactly a version shows what was there then': async bench => {
    const path = await several(bench, 'ab')
    const { resourceVersion } = (await bench.api.get(path)).body.metadata
    await bench.api.remove(`${path}/a`)
    await bench.api.post(path, widget('c'))
    const then = await bench.api.get(`${path}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`)
    equal(namesIn(then), 'a,b')
    equal(then.body.metadata.resourceVersion, resourceVersion)
  },

  'a page at exactly a version goes on at that version': async bench => {
    const path = await several(bench, 'abc')
    const { resourceVersion } = (await bench.api.get(path)).body.metadata
    await bench.api.remove(`${path}/b`)
    const query = `limit=1&resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`
    const first = await bench.api.get(`${path}?${query}`)
    const rest = await bench.api.get(`${path}?continue=${first.body.metadata.continue}`)
    equal(namesIn(rest), 'b,c')
    equal(rest.body.metadata.resourceVersion, resourceVersion)
  },

  'a list not older than a version may be newer': async bench => {
    const path = await several(bench, 'a')
    const { resourceVersion } = (await bench.api.get(path)).body.metadata
    await bench.api.post(path, widget('b'))
    await bench.until('a newer list', async () => {
      const query = `resourceVersion=${resourceVersion}&resourceVersionMatch=NotOlderThan`
      const list = await bench.api.get(`${path}?${query}`)
      ok(BigInt(list.body.metadata.resourceVersion) >= BigInt(resourceVersion))
      return namesIn(list) === 'a,b'
    })
  },

  'a list from version 0 is of any age': async bench => {
    const path = await several(bench, 'ab')
    await bench.until('both objects', async () => namesIn(await bench.api.get(`${path}?resourceVersion=0`)) === 'a,b')
    const query = 'resourceVersion=0&resourceVersionMatch=NotOlderThan'
    await bench.until('both objects', async () => namesIn(await bench.api.get(`${path}?${query}`)) === 'a,b')
  },

  'a list without a version shows what was written just before': async bench => {
    const path = await several(bench, 'a')
    for (const name of 'bcd') {
      await bench.api.post(path, widget(name))
      ok(namesIn(await bench.api.get(path)).endsWith(name))
    }
  },

  'a version that was not reached yet is answered with a timeout': async bench => {
    const path = await several(bench, 'a')
    const { status, body } = await bench.api.get(`${path}?resourceVersion=99999999&resourceVersionMatch=Exact`)
    equal(status, 504)
    like(body, {
      reason: 'Timeout',
      details: {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
        retryAfterSeconds: 1,
      },
    })
    match(body.message, /^Timeout: Too large resource version: 99999999, current: \d+$/)
  },

  'a resource version that is no number is refused': async bench => {
    const path = await several(bench, 'a')
    const { status, body } = await bench.api.get(`${path}?resourceVersion=newest`)
    equal(status, 400)
    equal(body.reason, 'BadRequest')
    match(body.message, /^invalid resource version: resourceVersion: Invalid value: "newest": /)
  },

  'a match of versions needs a version': async bench => {
    const path = await several(bench, 'a')
    const detail = 'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided'
    refusedOption(await bench.api.get(`${path}?resourceVersionMatch=Exact`), detail)
    refusedOption(await bench.api.get(`${path}?resourceVersionMatch=NotOlderThan`), detail)
  },

  'exactly version 0 cannot be had': async bench => {
    const path = await several(bench, 'a')
    const detail = 'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
    refusedOption(await bench.api.get(`${path}?resourceVersionMatch=Exact&resourceVersion=0`), detail)
  },

  'an unknown match of versions is refused': async bench => {
    const path = await several(bench, 'a')
    const detail = 'Unsupported value: "About": supported values: "Exact", "NotOlderThan", ""'
    refusedOption(await bench.api.get(`${path}?resourceVersionMatch=About&resourceVersion=1`), detail)
  },

  'a match of versions goes with no continue token': async bench => {
    const path = await several(bench, 'ab')
    const { metadata } = (await bench.api.get(`${path}?limit=1`)).body
    const query = `continue=${metadata.continue}&resourceVersionMatch=Exact&resourceVersion=${metadata.resourceVersion}`
    const detail = 'Forbidden: resourceVersionMatch is forbidden when continue is provided'
    refusedOption(await bench.api.get(`${path}?${query}`), detail)
  },

  'every wrong option is told of': async bench => {
    const path = await several(bench, 'a')
    const { status, body } = await bench.api.get(`${path}?resourceVersionMatch=NotOlderThan&sendInitialEvents=true`)
    equal(status, 422)
    deepEqual(
      body.details.causes.map((cause: { field: string }) => cause.field),
      ['resourceVersionMatch', 'sendInitialEvents'],
    )
  },

  'initial events are nothing for a list': async bench => {
    const path = await several(bench, 'a')
    const { status, body } = await bench.api.get(`${path}?sendInitialEvents=true`)
    equal(status, 422)
    equal(
      body.message,
      'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
    )
  },

  'a get of a version that was not reached yet is answered with a timeout': async bench => {
    const path = await several(bench, 'a')
    const { status, body } = await bench.api.get(`${path}/a?resourceVersion=99999999`)
    equal(status, 504)
    equal(body.details.causes[0].reason, 'ResourceVersionTooLarge')
  },

  'a get of a version that was reached shows the object as it is now': async bench => {
    const path = await several(bench, 'a')
    const { body: old } = await bench.api.get(`${path}/a`)
    const { body: next } = await bench.api.patch(`${path}/a`, 'merge', { spec: { size: 9 } })
    equal((await bench.api.get(`${path}/a?resourceVersion=${next.metadata.resourceVersion}`)).body.spec.size, 9)
    const answer = await bench.api.get(`${path}/a?resourceVersion=${old.metadata.resourceVersion}`)
    equal(answer.status, 200)
  },
})
