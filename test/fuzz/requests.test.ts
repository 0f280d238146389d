/** Fuzzes the request core; `FUZZ_RUNS=1000000 FUZZ_SEED=8 npx ava test/fuzz/requests.test.ts` goes on for longer. */
import test from 'ava'
import fc from 'fast-check'
import { startServer, startWithThings, things } from '../apiserver/core/harness.ts'

const steps = fc.constantFrom(
  'api',
  'apis',
  'v1',
  'example.dev',
  'namespaces',
  'default',
  'things',
  'configmaps',
  'a',
  'status',
  'openapi',
  'v3',
  '..',
  '%00',
  '%2e',
  '%ff',
  '%2f',
  '%2e%2e',
  '%zz',
  '.',
  'x'.repeat(300),
  'é',
  '',
  '__proto__',
  'constructor',
  'finalize',
  'watch',
)
const odd = fc.constantFrom(
  '',
  '?watch=1&timeoutSeconds=0',
  '?limit=-1',
  '?limit=1',
  '?continue=AAAA',
  '?labelSelector=a,,b',
  '?labelSelector=(',
  '?fieldSelector=,',
  '?resourceVersion=x',
  '?fieldManager=m&force=true',
  '?dryRun=All',
  '?fieldValidation=Strict',
  '?%',
  '?&&=',
)
const query = fc.oneof(odd, fc.constantFrom('', '?fieldManager=m'))
const type = fc.constantFrom(
  'application/json',
  'application/json',
  'application/json',
  'application/yaml',
  'application/merge-patch+json',
  'application/json-patch+json',
  'application/apply-patch+yaml',
  'application/strategic-merge-patch+json',
  'application/vnd.kubernetes.protobuf',
  'x',
)
const method = fc.constantFrom('GET', 'POST', 'POST', 'PUT', 'PATCH', 'PATCH', 'DELETE', 'TRACE')

const known = fc.constantFrom(
  'apiVersion',
  'kind',
  'metadata',
  'name',
  'namespace',
  'labels',
  'annotations',
  'finalizers',
  'ownerReferences',
  'managedFields',
  'spec',
  'status',
  'size',
  'parts',
  'data',
  'uid',
  'resourceVersion',
  '__proto__',
  '$patch',
  'op',
  'path',
)
const value = fc.letrec(tie => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      null,
      true,
      0,
      -1,
      1.5,
      2 ** 60,
      '',
      'a',
      'v1',
      'Thing',
      'ConfigMap',
      'example.dev/v1',
      '/spec/size',
    ),
    fc.dictionary(known, tie('any'), { maxKeys: 5 }),
    fc.array(tie('any'), { maxLength: 4 }),
  ),
})).any
const object = fc.record({
  apiVersion: fc.constantFrom('example.dev/v1', 'v1'),
  kind: fc.constantFrom('Thing', 'ConfigMap'),
  metadata: fc.oneof(fc.record({ name: fc.constantFrom('a', 'b') }), fc.dictionary(known, value)),
  spec: fc.oneof(fc.dictionary(known, value), fc.record({ size: fc.integer({ min: 1, max: 3 }) })),
})
const body = fc.oneof(
  { weight: 12, arbitrary: fc.oneof(value, object, object).map(each => Buffer.from(JSON.stringify(each))) },
  fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.concat([Buffer.from('k8s\0'), bytes])),
  fc.string().map(text => Buffer.from(text)),
)

test('no request is answered with an internal error', async t => {
  const { server } = await startWithThings()
  const configMaps = '/api/v1/namespaces/default/configmaps'
  const existing = fc.constantFrom(
    things,
    `${things}/a`,
    `${things}/b`,
    `${things}/a/status`,
    configMaps,
    `${configMaps}/a`,
  )
  const path = fc.oneof(
    fc.array(steps, { maxLength: 7 }).map(list => `/${list.join('/')}`),
    { weight: 4, arbitrary: existing },
  )
  await fc.assert(
    fc.asyncProperty(method, path, query, type, body, async (verb, where, asked, media, bytes) => {
      const gone = new AbortController()
      const headers = { 'content-type': media, accept: 'application/json' }
      const request = { method: verb, path: where + asked, headers, body: bytes, signal: gone.signal }
      const { status, body: answer } = await server.handle(request)
      gone.abort()
      const told = answer instanceof Uint8Array ? Buffer.from(answer).toString() : ''
      if (status >= 500 && status !== 504) throw new Error(`${verb} ${request.path} ${bytes}: ${told}`)
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 3_000), seed: Number(process.env.FUZZ_SEED ?? 7) },
  )
  t.is((await server.handle({ method: 'GET', path: things, headers: {} })).status, 200)
})

test('deep and large bodies are refused', async t => {
  const { call } = await startServer()
  const path = '/api/v1/namespaces/default/configmaps'
  const deep = `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
  t.is((await call('POST', path, deep)).status, 400)
  const aliases = [
    'a: &a [x, x, x, x, x, x, x, x]',
    ...'bcdefghi'.split('').map((name, index) => {
      const before = 'abcdefgh'[index]
      return `${name}: &${name} [${`*${before},`.repeat(9)}]`
    }),
  ].join('\n')
  t.is((await call('POST', path, aliases, { 'content-type': 'application/yaml' })).status, 400)
  t.is((await call('POST', path, Buffer.alloc(3 * 1024 * 1024 + 1, 0x20).toString())).status, 413)
})
