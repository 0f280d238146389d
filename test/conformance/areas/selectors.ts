import { deepEqual, equal, match } from 'node:assert/strict'
import type { Bench } from '../case.ts'
import { area, like } from '../case.ts'
import { configMap, group, widget, widgets } from '../definitions.ts'

const samples = [
  widget('a', { color: 'red', mode: 'Fast' }, { labels: { tier: 'web', number: '3', 'example.com/zone': 'north' } }),
  widget('b', { color: 'blue' }, { labels: { tier: 'db', number: '20' } }),
  widget('c', { color: 'red' }, { labels: { tier: '' } }),
  widget('d'),
]

async function sampled(bench: Bench): Promise<string> {
  const path = await bench.install(widgets)
  for (const sample of samples) await bench.api.post(path, sample)
  return path
}

/** Names that each selector chooses. */
async function chosen(
  bench: Bench,
  parameter: 'labelSelector' | 'fieldSelector',
  wanted: Readonly<Record<string, string>>,
): Promise<void> {
  const path = await sampled(bench)
  const found: Record<string, string> = {}
  for (const selector of Object.keys(wanted)) {
    const { status, body, text } = await bench.api.get(`${path}?${parameter}=${encodeURIComponent(selector)}`)
    found[selector] =
      status === 200 ? body.items.map((item: { metadata: { name: string } }) => item.metadata.name).join('') : text
  }
  deepEqual(found, wanted)
}

/** Messages with which each selector is refused. */
async function refused(
  bench: Bench,
  parameter: 'labelSelector' | 'fieldSelector',
  wanted: Readonly<Record<string, string>>,
): Promise<void> {
  const path = await bench.install(widgets)
  const found: Record<string, string> = {}
  for (const selector of Object.keys(wanted)) {
    const { status, body } = await bench.api.get(`${path}?${parameter}=${encodeURIComponent(selector)}`)
    found[selector] = status === 400 && body.reason === 'BadRequest' ? body.message : `answered with ${status}`
  }
  deepEqual(found, wanted)
}

export const selectors = area('selectors', {
  'labels are selected by equality': bench =>
    chosen(bench, 'labelSelector', {
      'tier=web': 'a',
      'tier==web': 'a',
      'tier=none': '',
      'example.com/zone=north': 'a',
    }),

  'labels are selected by inequality, which holds where there is none': bench =>
    chosen(bench, 'labelSelector', { 'tier!=web': 'bcd', 'none!=x': 'abcd' }),

  'labels are selected by sets': bench =>
    chosen(bench, 'labelSelector', {
      'tier in (web,db)': 'ab',
      'tier in (web)': 'a',
      'tier in (web,)': 'ac',
      'tier notin (web,db)': 'cd',
      'none notin (x)': 'abcd',
    }),

  'labels are selected by being there': bench =>
    chosen(bench, 'labelSelector', { tier: 'abc', '!tier': 'd', none: '', '!none': 'abcd' }),

  'the empty value is a value': bench =>
    chosen(bench, 'labelSelector', { 'tier=': 'c', 'tier==': 'c', 'tier!=': 'abd' }),

  'labels are compared as numbers': bench =>
    chosen(bench, 'labelSelector', { 'number>3': 'b', 'number<4': 'a', 'number>2': 'ab', 'tier>1': '' }),

  'requirements on labels hold together': bench =>
    chosen(bench, 'labelSelector', {
      'tier,number': 'ab',
      'tier in (web,db),number!=3': 'b',
      'tier=web,tier=db': '',
      'tier,!number': 'c',
    }),

  'spaces in label selectors mean nothing': bench =>
    chosen(bench, 'labelSelector', {
      ' tier = web ': 'a',
      'tier in ( web , db )': 'ab',
      'tier  notin  (web,db)': 'cd',
    }),

  'words of the language of selectors may be keys and values': bench =>
    chosen(bench, 'labelSelector', { 'in=in': '', 'notin in (notin)': '', '!in': 'abcd' }),

  'an empty selector selects everything': bench => chosen(bench, 'labelSelector', { '': 'abcd' }),

  'a label selector that breaks off is refused': bench =>
    refused(bench, 'labelSelector', {
      'tier in (web': "unable to parse requirement: found '', expected: ',' or ')'",
      'tier in (': "unable to parse requirement: found '', expected: ',', ')' or identifier",
      'tier in': "unable to parse requirement: found '' expected: '('",
      'tier=web,': "found '', expected: identifier after ','",
    }),

  'a label selector with something out of place is refused': bench =>
    refused(bench, 'labelSelector', {
      '=web': "found '=', expected: !, identifier, or 'end of string'",
      'tier=web=db': "found '=', expected: ',' or 'end of string'",
      'tier=web db': "found 'db', expected: ',' or 'end of string'",
      'tier=web,,number': "found ',', expected: identifier after ','",
      'tier in web': "unable to parse requirement: found 'web' expected: '('",
      'tier!': "unable to parse requirement: found '!', expected: in, notin, =, ==, !=, gt, lt",
      'tier like web': "unable to parse requirement: found 'like', expected: in, notin, =, ==, !=, gt, lt",
      'number>=3': "unable to parse requirement: found '=', expected: identifier",
    }),

  'a comparison with what is no number is refused': bench =>
    refused(bench, 'labelSelector', {
      'number>x':
        "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
    }),

  'a label key or value that no label can have is refused': async bench => {
    const path = await bench.install(widgets)
    const wrongs = {
      '-tier=web': /Invalid value: "-tier": name part must consist of/,
      'tier=-': /Invalid value: "-": a valid label must be/,
    }
    for (const [selector, wrong] of Object.entries(wrongs)) {
      const { status, body } = await bench.api.get(`${path}?labelSelector=${encodeURIComponent(selector)}`)
      equal(status, 400)
      match(body.message, wrong)
    }
  },

  'a label key or value that is too long is refused': bench =>
    refused(bench, 'labelSelector', {
      [`tier=${'x'.repeat(64)}`]: `unable to parse requirement: values[0][tier]: Invalid value: "${'x'.repeat(64)}": must be no more than 63 bytes`,
      ['x'.repeat(64)]:
        `unable to parse requirement: <nil>: Invalid value: "${'x'.repeat(64)}": name part must be no more than 63 bytes`,
    }),

  'objects are selected by name': bench =>
    chosen(bench, 'fieldSelector', {
      'metadata.name=a': 'a',
      'metadata.name==a': 'a',
      'metadata.name!=a': 'bcd',
      'metadata.name=none': '',
      'metadata.name=a,metadata.name=b': '',
      'metadata.name!=a,metadata.name!=b': 'cd',
    }),

  'objects are selected by namespace': async bench => {
    const path = await sampled(bench)
    const namespace = await bench.namespace()
    const count = async (place: string, selector: string) =>
      (await bench.api.get(`${place}?fieldSelector=${selector}`)).body.items.length
    equal(await count(`/apis/${group}/v1/widgets`, `metadata.namespace=${namespace}`), 4)
    equal(await count(`/apis/${group}/v1/widgets`, `metadata.namespace=${namespace},metadata.name=a`), 1)
    equal(await count(path, `metadata.namespace=${namespace}`), 4)
    equal(await count(path, 'metadata.namespace=other'), 0)
  },

  'a custom kind is selected by the fields that its definition names': bench =>
    chosen(bench, 'fieldSelector', {
      'spec.color=red': 'ac',
      'spec.color!=red': 'bd',
      'spec.color=': 'd',
      'spec.color=red,spec.mode=Fast': 'a',
      'spec.mode=Safe,metadata.name!=c': 'bd',
    }),

  'fields and labels are selected by together': async bench => {
    const path = await sampled(bench)
    const { body } = await bench.api.get(`${path}?fieldSelector=spec.color%3Dred&labelSelector=tier%3Dweb`)
    like(body.items, [{ metadata: { name: 'a' } }])
  },

  'a custom kind is not selected by other fields': bench =>
    refused(bench, 'fieldSelector', {
      'spec.size=1': 'field label not supported: spec.size',
      'metadata.uid=1': 'field label not supported: metadata.uid',
      'metadata.labels.tier=web': 'field label not supported: metadata.labels.tier',
    }),

  'a built-in kind is not selected by other fields': async bench => {
    const namespace = await bench.namespace()
    const { status, body } = await bench.api.get(`/api/v1/namespaces/${namespace}/configmaps?fieldSelector=data.x%3D1`)
    equal(status, 400)
    like(body, {
      reason: 'BadRequest',
      message: '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    })
  },

  'namespaces are selected by their phase': async bench => {
    const name = await bench.namespace()
    const path = `/api/v1/namespaces?fieldSelector=metadata.name%3D${name},status.phase`
    equal((await bench.api.get(`${path}%3DActive`)).body.items.length, 1)
    equal((await bench.api.get(`${path}%3DTerminating`)).body.items.length, 0)
  },

  'secrets are selected by their type': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/secrets`
    const secret = (name: string, type: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, type })
    await bench.api.post(path, secret('a', 'Opaque'))
    await bench.api.post(path, secret('b', 'example.com/other'))
    const { body } = await bench.api.get(`${path}?fieldSelector=type%3Dexample.com%2Fother`)
    like(body.items, [{ metadata: { name: 'b' } }])
  },

  'a field selector that cannot be read is refused': bench =>
    refused(bench, 'fieldSelector', {
      'metadata.name': "invalid selector: 'metadata.name'; can't understand 'metadata.name'",
      'metadata.name>a': "invalid selector: 'metadata.name>a'; can't understand 'metadata.name>a'",
      '=a': 'field label not supported: ',
      'metadata.name=a=b': 'invalid field selector: unescaped character in value: 61',
      'metadata.name=a\\b': 'invalid field selector: invalid escape sequence: \\b',
      'metadata.name = a': 'field label not supported: metadata.name ',
    }),

  'commas and equals signs in a value are escaped by backslashes': async bench => {
    const path = await bench.install(widgets)
    await bench.api.post(path, widget('a', { color: 'x,y=z' }))
    await bench.api.post(path, widget('b', { color: 'x' }))
    const { body } = await bench.api.get(`${path}?fieldSelector=${encodeURIComponent('spec.color=x\\,y\\=z')}`)
    like(body.items, [{ metadata: { name: 'a' } }])
  },

  'a comma at the end of a field selector means nothing': bench =>
    chosen(bench, 'fieldSelector', { 'metadata.name=a,': 'a' }),

  'a selection of objects is deleted at once': async bench => {
    const path = await sampled(bench)
    const { status, body } = await bench.api.call('DELETE', `${path}?labelSelector=number`)
    equal(status, 200)
    like(body, { kind: 'WidgetList', items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }] })
    like((await bench.api.get(path)).body.items, [{ metadata: { name: 'c' } }, { metadata: { name: 'd' } }])
  },

  'a selection by fields is deleted at once': async bench => {
    const path = await sampled(bench)
    await bench.api.call('DELETE', `${path}?fieldSelector=spec.color%3Dred`)
    like((await bench.api.get(path)).body.items, [{ metadata: { name: 'b' } }, { metadata: { name: 'd' } }])
  },

  'nothing is deleted by a selector that cannot be read': async bench => {
    const path = `/api/v1/namespaces/${await bench.namespace()}/configmaps`
    await bench.api.post(path, configMap('a'))
    equal((await bench.api.call('DELETE', `${path}?labelSelector=x+in`)).status, 400)
    equal((await bench.api.call('DELETE', `${path}?fieldSelector=data.x%3D1`)).status, 400)
    equal((await bench.api.get(`${path}/a`)).status, 200)
  },
})
