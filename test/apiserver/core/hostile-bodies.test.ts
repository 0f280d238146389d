/** Bodies that cost little to send and would cost much to take: right status code, bounded time, bounded memory. */
import { gzipSync } from 'node:zlib'
import test from 'ava'
import {
  configMap,
  configMaps,
  definitions,
  startServer,
  startWithThings,
  thing,
  thingDefinition,
  things,
} from './harness.ts'

const megabyte = 1024 * 1024

/** What a call may take beside what there was: memory at its highest that is seen, and time of the processor. */
async function within<T>(
  t: { true(holds: boolean, message: string): unknown },
  limit: { megabytes: number; seconds: number },
  run: () => Promise<T>,
): Promise<T> {
  const before = process.memoryUsage().rss
  const began = process.cpuUsage()
  const result = await run()
  const seconds = process.cpuUsage(began).user / 1_000_000
  const megabytes = (process.memoryUsage().rss - before) / megabyte
  t.true(seconds < limit.seconds, `it took ${seconds} s of the processor`)
  t.true(megabytes < limit.megabytes, `it took ${megabytes} MiB`)
  return result
}

test.serial('copies of copies are counted, not made', async t => {
  const { post, jsonPatch, get } = await startWithThings()
  await post(things, thing('a', { size: 1, parts: [{ name: 'p', color: 'x'.repeat(1_000) }] }))
  const doubling = Array.from({ length: 10_000 }, () => ({ op: 'copy', from: '/spec', path: '/spec/parts' }))
  const { status } = await within(t, { megabytes: 300, seconds: 20 }, () => jsonPatch(`${things}/a`, doubling))
  t.is(status, 422)
  t.is((await get(`${things}/a`)).body.spec.parts.length, 1)
})

test.serial('a patch of many operations on a large object copies it once', async t => {
  const { post, jsonPatch } = await startServer()
  const data = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 'x']))
  await post(configMaps, configMap('a', data))
  const operations = Array.from({ length: 10_000 }, (_, index) => ({
    op: 'replace',
    path: `/data/k${index}`,
    value: 'y',
  }))
  const { status, body } = await within(t, { megabytes: 300, seconds: 20 }, () =>
    jsonPatch(`${configMaps}/a`, operations),
  )
  t.is(status, 200)
  t.is(body.data.k9999, 'y')
  t.is(body.data.k10000, 'x')
})

test.serial('more operations than 10,000 are refused in the words of a real server', async t => {
  const { post, jsonPatch } = await startServer()
  await post(configMaps, configMap('a', { x: '1' }))
  const operations = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/data/x', value: '1' }))
  const { status, body } = await jsonPatch(`${configMaps}/a`, operations)
  t.is(status, 413)
  t.is(body.message, 'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001')
})

test.serial('no patch nests an object more deeply than a body could', async t => {
  const { post, jsonPatch } = await startServer()
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: open } }]
  await post(definitions, thingDefinition({ versions }))
  await post(things, thing('a', {}))
  const nested = (depth: number): unknown => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)
  t.is((await jsonPatch(`${things}/a`, [{ op: 'add', path: '/spec/a', value: nested(900) }])).status, 200)
  const path = `/spec${'/a'.repeat(901)}`
  t.is((await jsonPatch(`${things}/a`, [{ op: 'add', path, value: nested(900) }])).status, 400)
  const long = `/spec${'/a'.repeat(1_000_000)}`
  const { status } = await within(t, { megabytes: 500, seconds: 20 }, () =>
    jsonPatch(`${things}/a`, [{ op: 'add', path: long, value: 1 }]),
  )
  t.is(status, 422)
})

const yamls: readonly (readonly [what: string, text: string])[] = [
  ['a list of a million', '- a\n'.repeat(700_000)],
  ['a list in one line', `[${'a,'.repeat(90_000)}]`],
  ['lists in lists', `a: ${'['.repeat(50_000)}${']'.repeat(50_000)}`],
  ['lists in lists, by dashes', '- '.repeat(20_000)],
  ['maps in maps', `${'{a: '.repeat(50_000)}1${'}'.repeat(50_000)}`],
  [
    'merges of merges',
    Array.from(
      { length: 200 },
      (_, index) => `k${index}: &a${index} {${index === 0 ? 'x: 1' : `<<: [${`*a${index - 1},`.repeat(20)}]`}}`,
    ).join('\n'),
  ],
  ['a hundred thousand anchors', Array.from({ length: 10_000 }, (_, index) => `- &a${index} 1`).join('\n')],
  ['a quote without its end', `a: "${'x'.repeat(2_000_000)}`],
  ['twenty thousand keys', Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n')],
  ['closing brackets', `a: ${']'.repeat(240_000)}`],
  ['as many closing brackets as are read', `a: ${']'.repeat(19_000)}`],
  ['closing braces', `a: ${'}'.repeat(240_000)}`],
  ['tags', `a: ${'! '.repeat(120_000)}`],
  ['anchors in one line', `a: ${'&a '.repeat(80_000)}`],
  ['as many anchors as are read', `a: ${'&a '.repeat(19_000)}`],
  ['questions', '? '.repeat(120_000)],
  ['tabs', '\t'.repeat(20_000)],
  ['directives', '%YAML 1.1\n'.repeat(10_000)],
]

for (const [what, text] of yamls) {
  test.serial(`YAML with ${what} is refused in bounded time and memory`, async t => {
    const { call } = await startServer()
    const type = { 'content-type': 'application/yaml' }
    const { status } = await within(t, { megabytes: 900, seconds: 30 }, () => call('POST', configMaps, text, type))
    t.true(status === 400 || status === 422, String(status))
    const apply = { 'content-type': 'application/apply-patch+yaml' }
    const applied = await call('PATCH', `${configMaps}/a?fieldManager=m`, text, apply)
    t.true(applied.status === 400 || applied.status === 422, String(applied.status))
  })
}

const jsons: readonly (readonly [what: string, text: string])[] = [
  ['a million empty lists', `{"metadata":{"name":"a"},"data":[${'[],'.repeat(900_000)}[]]}`],
  ['a list a million deep', `{"a":${'['.repeat(1_500_000)}${']'.repeat(1_500_000)}}`],
  ['a list a million deep, and a prototype', `{"__proto__":1,"a":${'['.repeat(1_400_000)}${']'.repeat(1_400_000)}}`],
  ['a member given a hundred thousand times', `{"metadata":{"name":"a"},${'"x":1,'.repeat(400_000)}"x":1}`],
  ['members of long names', `{"metadata":{"name":"a"},"${'x'.repeat(1_000_000)}":1,"${'y'.repeat(1_000_000)}":1}`],
  ['a long name', JSON.stringify(configMap(`${'a'.repeat(2_900_000)}!`))],
  ['a long name of many parts', JSON.stringify(configMap(`${'a.'.repeat(1_400_000)}!`))],
  [
    'a long label',
    JSON.stringify(configMap('a', {}, { labels: { ['a'.repeat(1_400_000)]: `${'a'.repeat(1_400_000)}!` } })),
  ],
  [
    'a hundred thousand labels',
    JSON.stringify(
      configMap(
        'a',
        {},
        { labels: Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`!${index}`, '!'])) },
      ),
    ),
  ],
  [
    'a hundred thousand finalizers',
    JSON.stringify(configMap('a', {}, { finalizers: Array.from({ length: 100_000 }, (_, index) => `a/${index}`) })),
  ],
  [
    'twenty thousand owners',
    JSON.stringify(
      configMap(
        'a',
        {},
        {
          ownerReferences: Array.from({ length: 20_000 }, (_, index) => ({
            apiVersion: 'v1',
            kind: 'ConfigMap',
            name: `x${index}`,
            uid: `u${index}`,
          })),
        },
      ),
    ),
  ],
]

for (const [what, text] of jsons) {
  test.serial(`JSON with ${what} is answered in bounded time and memory`, async t => {
    const { call } = await startServer()
    const { status, headers } = await within(t, { megabytes: 900, seconds: 30 }, () => call('POST', configMaps, text))
    t.true([201, 400, 413, 422].includes(status), String(status))
    t.true((headers.warning ?? '').length < 8_192)
    t.is((await call('GET', configMaps)).status, 200)
  })
}

test.serial('a compressed body is not unpacked', async t => {
  const { server } = await startServer()
  const body = gzipSync(Buffer.alloc(64 * megabyte))
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  const { status } = await within(t, { megabytes: 60, seconds: 10 }, () =>
    server.handle({ method: 'POST', path: configMaps, headers, body }),
  )
  t.is(status, 400)
})

test.serial('what is no UTF-8 becomes what a real server makes of it', async t => {
  const { server } = await startServer()
  const body = Buffer.from('{"metadata":{"name":"u"},"data":{"x":"\xff\xfe"}}', 'latin1')
  const headers = { 'content-type': 'application/json' }
  const answer = await server.handle({ method: 'POST', path: configMaps, headers, body })
  t.is(answer.status, 201)
  t.is(JSON.parse(String(answer.body)).data.x, '\ufffd\ufffd')
})

const patterns = ['(a+)+$', '(a|a)*b', '(a{1000}){1000}', '((a{100}){100}){100}', '(?=a)b', '\\1', 'a'.repeat(100_000)]

for (const pattern of patterns) {
  test.serial(`the pattern ${pattern.slice(0, 30)} of a definition does no harm`, async t => {
    const { post } = await startServer()
    const schema = {
      type: 'object',
      properties: { spec: { type: 'object', properties: { text: { type: 'string', pattern } } } },
    }
    const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }]
    await within(t, { megabytes: 500, seconds: 30 }, async () => {
      const { status } = await post(definitions, thingDefinition({ versions }))
      t.true(status === 201 || status === 422, String(status))
      if (status !== 201) return
      const answer = await post(things, thing('a', { text: `${'a'.repeat(100_000)}!` }))
      t.true(answer.status === 201 || answer.status === 422, String(answer.status))
    })
  })
}
